//! What a profile may not say.

use scim_core::schema::Place;
use scim_core::{Additions, ResourceType};

use super::presets;
use super::{AttributePolicy, Email, Existing, InactiveCreate, OnDelete, Operations, Profile};
use crate::tenant::types::ServedTypes;

/// Why a profile is refused: a sentence for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ProfileError(pub String);

/// What stands behind a base URL.
const ENDPOINTS: [&str; 8] = [
    "Users",
    "Groups",
    "Me",
    "Bulk",
    "ServiceProviderConfig",
    "ResourceTypes",
    "Schemas",
    ".search",
];

impl Profile {
    /// Refuses a profile that contradicts itself.
    pub(super) fn check(&self) -> Result<(), ProfileError> {
        let wrong = |why: &str| Err(ProfileError(why.to_owned()));
        let days = |path: &str, days: Option<u32>| match days {
            Some(days) if !(1..=3_650).contains(&days) => {
                Err(ProfileError(format!("{path} must be 1 to 3650")))
            }
            _ => Ok(()),
        };
        days("deprovision.retention_days", self.deprovision.retention_days)?;
        days("audit.retention_days", self.audit.retention_days)?;
        days("token.lifetime_days", Some(self.token.lifetime_days))?;
        if self.token.overlap_days > 365 {
            return wrong("token.overlap_days must be 0 to 365");
        }
        if self.brake.share.is_some_and(|share| !(1..=100).contains(&share)) {
            return wrong("brake.share is a percentage from 1 to 100");
        }
        if self.brake.deactivations == Some(0) {
            return wrong(
                "brake.deactivations 0 would stop every deactivation; set operations.deactivate \
                to off for that",
            );
        }
        if !(1..=10_080).contains(&self.brake.window_minutes) {
            return wrong("brake.window_minutes must be 1 to 10080 (a week)");
        }
        if self.create.existing == Existing::Link && self.create.link_on.is_empty() {
            return wrong("create.existing is link, but create.link_on names nothing to link on");
        }
        let Operations { deactivate, delete, .. } = &self.operations;
        if !deactivate.is_on() && delete.is_on() && self.deprovision.on_delete == OnDelete::Refuse {
            return wrong(
                "nobody could be taken out: operations.deactivate is off, and \
                deprovision.on_delete refuses DELETE; leave one, or set operations.delete to off \
                too if nobody shall be",
            );
        }
        if self.create.inactive == InactiveCreate::Refuse && self.seats.limit.is_some() {
            let full = self.seats.when_full == super::WhenFull::CreateInactive;
            if full {
                return wrong(
                    "seats.when_full creates inactive users, which create.inactive refuses; \
                    change one",
                );
            }
        }
        if !self.preset.is_empty() {
            presets::preset(&self.preset)?;
        }
        if let Some(idp) = &self.dialect.idp {
            presets::dialect(idp)?;
        }
        self.check_address()?;
        // What the schemas make of required, kept, overlay and extensions.
        let types = ServedTypes::new(self, &Additions::default())
            .map_err(|error| ProfileError(format!("attributes: {error}")))?;
        self.attributes.check_definitions()?;
        types.at("Users").map_or(Ok(()), |users| self.check_paths(&users.definition))
    }

    /// Refuses paths of attributes that other settings make pointless.
    fn check_paths(&self, user: &ResourceType) -> Result<(), ProfileError> {
        let wrong = |why: &str| Err(ProfileError(why.to_owned()));
        let AttributePolicy { required, kept, email, .. } = &self.attributes;
        let place = |path: &str| match user
            .resolve(path.split('[').next().unwrap_or_default().trim_end())
        {
            Some(Place::Attribute(at)) => {
                Some((at.extension.map(|schema| &schema.id), &at.attribute.name))
            }
            _ => None,
        };
        let names = |path: &String, name: &str| {
            place(path)
                .is_some_and(|(resource_type, named)| resource_type.is_none() && named == name)
        };
        if *email == Email::FromUserName && required.iter().any(|path| names(path, "emails")) {
            return wrong(
                "attributes.email takes addresses from userName, so attributes.required need not \
                name emails",
            );
        }
        let whole = |path: &String| match user.resolve(path) {
            Some(Place::Attribute(at)) => at.sub.is_none() && names(path, "emails"),
            _ => false,
        };
        if *email == Email::FromUserName && !kept.is_empty() && !kept.iter().any(whole) {
            return wrong(
                "attributes.email takes addresses from userName, but attributes.kept does not \
                name emails",
            );
        }
        if self.create.inactive == InactiveCreate::IgnoreActive
            && required.iter().any(|path| names(path, "active"))
        {
            return wrong(
                "create.inactive ignores active, so attributes.required need not name active; \
                take one away",
            );
        }
        for path in required {
            let mut kept = kept.iter().filter(|kept| place(kept) == place(path)).peekable();
            if kept.peek().is_some() && kept.all(|kept| kept.contains('[')) {
                return Err(ProfileError(format!(
                    "attributes.required names {path}, of which attributes.kept keeps some values \
                    only; keep all"
                )));
            }
        }
        Ok(())
    }

    fn check_address(&self) -> Result<(), ProfileError> {
        let wrong = |why: String| Err(ProfileError(why));
        let mut named = None;
        if let Some(url) = &self.address.base_url {
            let Ok(parsed) = url.parse::<http::Uri>() else {
                return wrong("address.base_url is not a URL".into());
            };
            let local = matches!(parsed.host(), Some("127.0.0.1" | "localhost"));
            let secure = parsed.scheme_str() == Some("https")
                || (parsed.scheme_str() == Some("http") && local);
            let bare =
                !parsed.authority().is_some_and(|authority| authority.as_str().contains('@'));
            if !(secure && bare && !url.contains(['?', '#']) && is_base_path(parsed.path())) {
                return wrong(
                    "address.base_url is https://HOST/PATH, as in \
                    https://scim.example.com/scim/v2, without a slash at its end"
                        .into(),
                );
            }
            check_end("address.base_url", parsed.path())?;
            named = parsed.host().map(str::to_owned);
        }
        if let Some(path) = &self.address.base_path {
            if !is_base_path(path) {
                return wrong(
                    "address.base_path is a path, as in /scim/v2, without a host and without a \
                    slash at its end"
                        .into(),
                );
            }
            check_end("address.base_path", path)?;
        }
        if let Some(host) = &self.address.host {
            let fits = !host.is_empty()
                && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
            if !fits {
                return wrong("address.host is the name of a host, without scheme and port".into());
            }
            if let Some(other) = named.filter(|named| !named.eq_ignore_ascii_case(host)) {
                return wrong(format!(
                    "address.host is {host}, but address.base_url is at {other}"
                ));
            }
        }
        Ok(())
    }
}

/// Whether a tenant can be served under a path: every client sends it as it is written here.
fn is_base_path(path: &str) -> bool {
    let plain =
        path.parse::<http::uri::PathAndQuery>().is_ok() && !path.contains(['?', '#', '%', '\\']);
    let walks = path.contains("//") || path.contains("..");
    plain && !walks && path.len() > 1 && path.starts_with('/') && !path.ends_with('/')
}

fn check_end(setting: &str, path: &str) -> Result<(), ProfileError> {
    let last = path.rsplit('/').next().unwrap_or_default();
    match ENDPOINTS.iter().any(|endpoint| last.eq_ignore_ascii_case(endpoint)) {
        true => Err(ProfileError(format!(
            "{setting} ends in /{last}, which the service appends itself; leave that off"
        ))),
        false => Ok(()),
    }
}
