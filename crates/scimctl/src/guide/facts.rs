//! What a guide says about one connection.

use scim_lambda::tenant::Profile;

use super::source::Choice;
use super::text::{capitalized, code, plain};
use crate::output::instant;

/// The product in a sentence, if nobody has named it.
const UNNAMED: &str = "the product";

/// What a guide says about one connection.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// The name of the product to which people are provisioned.
    pub(super) product: Option<String>,
    /// The tenant's name.
    pub(super) tenant: String,
    /// The tenant's base URL, if it is known.
    pub(super) base_url: Option<String>,
    /// The token, if the page shows it.
    pub(super) token: Option<String>,
    /// When the newest valid token ends.
    pub(super) token_end: TokenEnd,
    /// How many days the deployment keeps deleted users, if it is known.
    pub(super) retention_days: Option<u64>,
    /// How the service behaves for the tenant.
    pub(super) profile: Profile,
}

/// When a token ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenEnd {
    /// In seconds since 1970.
    At(i64),
    /// Never.
    Never,
    /// There is no valid token yet.
    Unknown,
}

impl Facts {
    /// The product within a sentence.
    pub(super) fn product(&self) -> String {
        self.product.as_deref().map_or_else(|| UNNAMED.to_owned(), plain)
    }

    /// The product at the beginning of a sentence.
    pub(super) fn product_first(&self) -> String {
        if self.product.is_some() { self.product() } else { capitalized(UNNAMED) }
    }

    /// How the profile's dialect differs from the one for which a guide is written, if it does.
    pub(super) fn other_dialect(&self, choice: Choice) -> Option<String> {
        match self.profile.dialect.idp.as_deref() {
            Some(idp) if idp == choice.idp => None,
            Some(idp) => Some(format!("the dialect {}", plain(idp))),
            None => Some("no dialect".to_owned()),
        }
    }

    /// The base URL as code.
    pub(super) fn base_url(&self) -> String {
        match &self.base_url {
            Some(url) => code(url),
            None => format!("the address that {} gave you", self.product()),
        }
    }

    /// The token, or where it is.
    pub(super) fn token(&self) -> String {
        match &self.token {
            Some(token) => format!("{}; keep it secret", code(token)),
            None => format!(
                "not on this page: the support of {} hands it to you separately",
                self.product()
            ),
        }
    }

    /// A sentence that says when the token ends.
    pub(super) fn token_end(&self) -> String {
        let product = self.product();
        let new = format!("ask the support of {product} for a new one");
        match self.token_end {
            TokenEnd::At(seconds) => {
                let instant = instant(seconds);
                let day = instant.split('T').next().unwrap_or_default();
                format!("The token ends on {day}; {new} some weeks before that.")
            }
            TokenEnd::Never => format!("The token does not end; {new} every year."),
            TokenEnd::Unknown => {
                let days = self.profile.token.lifetime_days;
                format!("A token is valid for {days} days; {new} some weeks before it ends.")
            }
        }
    }

    /// A sentence that says what becomes of the old token.
    pub(super) fn token_overlap(&self) -> String {
        match self.profile.token.overlap_days {
            0 => "The old token ends when the new one is issued, so paste it at once.".to_owned(),
            days => format!("The old token stays valid for {days} days after that."),
        }
    }
}
