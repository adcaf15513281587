//! A user's row, and the names by which a user is found.

use scim_core::resource::Attributes;
use scim_core::{Error, Meta, Resource, Version, canonical};
use serde_json::Value;
use time::OffsetDateTime;

use super::item::{Item, Row};
use super::log::Act;
use super::{Store, StoreError, TenantKey};
use scim_core::ResourceId;

/// Most e-mail addresses of a user: each is a row of the user's transaction, which has 100 at most.
pub const MAX_EMAILS: usize = 40;
/// Largest document of a user, in bytes of JSON.
pub const MAX_DOCUMENT_BYTES: usize = 64 * 1_024;

/// The values by which a user is looked up, in the form in which they are compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    pub(super) user_name: String,
    pub(super) external_id: Option<String>,
    /// Those that differ from the userName, sorted.
    pub(super) emails: Vec<String>,
}

impl Names {
    /// The names in a user's attributes.
    ///
    /// # Errors
    /// `invalidValue` if the userName cannot be compared safely or there are over [`MAX_EMAILS`]
    /// e-mail addresses.
    pub fn of(attributes: &Attributes) -> Result<Self, Error> {
        let user_name = canonical::user_name(attributes.text("userName").unwrap_or_default())?;
        let emails = attributes.get("emails").and_then(Value::as_array);
        let mut emails: Vec<String> = emails
            .into_iter()
            .flatten()
            .filter_map(|email| email.get("value").and_then(Value::as_str))
            .map(email_form)
            .filter(|email| *email != user_name)
            .collect();
        emails.sort_unstable();
        emails.dedup();
        if emails.len() > MAX_EMAILS {
            return Err(Error::invalid_value(format!("emails takes at most {MAX_EMAILS} addresses.")));
        }
        Ok(Self { user_name, external_id: attributes.text("externalId").map(str::to_owned), emails })
    }

    /// Whether userName and externalId agree, be it that neither has an externalId.
    pub fn is_same_person(&self, other: &Self) -> bool {
        self.user_name == other.user_name && self.external_id == other.external_id
    }

    /// The canonical userName.
    pub fn user_name(&self) -> &str {
        &self.user_name
    }

    /// The externalId, as sent.
    pub fn external_id(&self) -> Option<&str> {
        self.external_id.as_deref()
    }
}

/// E-mail addresses are stored as sent, so one that has no safe form still gets one.
pub(super) fn email_form(address: &str) -> String {
    canonical::email(address).unwrap_or_else(|_| address.to_lowercase())
}

/// What the row says of a user's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Visible to the IdP, active or not.
    Live,
    /// Deleted by the IdP: 404, kept until the row expires.
    Deleted,
}

/// A user as stored.
#[derive(Debug, Clone)]
pub struct StoredUser {
    /// What the client sees of it.
    pub resource: Resource,
    /// Visible or deleted.
    pub state: State,
    /// When the row may go, in seconds since 1970; `None` while the user stays.
    pub expires: Option<i64>,
    pub(super) names: Names,
    /// The sort key of the row that holds the externalId.
    pub(super) external_id_key: Option<String>,
    pub(super) bytes: usize,
}

impl StoredUser {
    pub(super) fn read(item: &Item) -> Result<Self, StoreError> {
        let id: ResourceId = item.s().parse().map_err(|()| StoreError::broken("a user's id is none"))?;
        let document = item.need("d")?;
        let bytes = document.len();
        let document = serde_json::from_str(document)
            .map_err(|_| StoreError::broken(format!("the document of user {id} is not JSON")))?;
        let emails = item.0.get("em").and_then(|value| value.as_l().ok());
        Ok(Self {
            resource: Resource {
                id,
                meta: Meta {
                    created: instant(item.need_number("c")?)?,
                    last_modified: instant(item.need_number("m")?)?,
                    version: Version(item.need_number("v")?.unsigned_abs()),
                },
                attributes: Attributes::from_stored(document),
            },
            state: if item.text("st") == Some("deleted") { State::Deleted } else { State::Live },
            expires: item.number("x"),
            names: Names {
                user_name: item.need("un")?.to_owned(),
                external_id: item.text("e").map(str::to_owned),
                emails: emails.into_iter().flatten().filter_map(|email| email.as_s().ok().cloned()).collect(),
            },
            external_id_key: item.text("es").map(str::to_owned),
            bytes,
        })
    }

    /// Whether the IdP may see the user.
    pub fn is_visible(&self, now: i64) -> bool {
        self.state == State::Live && self.expires.is_none_or(|expiry| expiry > now)
    }

    /// Whether the user was deleted and can still be brought back.
    pub fn is_restorable(&self, now: i64) -> bool {
        self.state == State::Deleted && self.expires.is_some_and(|expiry| expiry > now)
    }

    /// Length of the stored document, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The names by which the user is (or was) found.
    pub fn names(&self) -> &Names {
        &self.names
    }
}

/// Whether a user counts as active: `active` is true unless it says false.
pub(super) fn is_active(attributes: &Attributes) -> bool {
    attributes.get("active") != Some(&Value::Bool(false))
}

/// The row of a live user.
pub(super) fn row(
    tenant: &TenantKey,
    user: &Resource,
    names: &Names,
    external_id_key: Option<&str>,
    act: &Act,
) -> Result<Row, StoreError> {
    let document = serde_json::to_string(user.attributes.as_object())
        .map_err(|_| StoreError::broken("a document cannot be written"))?;
    let row = Row::new(&tenant.users(), user.id.as_str())
        .text("d", &document)
        .text("un", &names.user_name)
        .text_if("e", names.external_id.as_deref())
        .text_if("es", external_id_key)
        .number("v", i64::try_from(user.meta.version.0).unwrap_or(i64::MAX))
        .number("c", milliseconds(user.meta.created))
        .number("m", milliseconds(user.meta.last_modified))
        .flag("a", is_active(&user.attributes))
        .text("st", "live")
        .text("ev", act.operation.as_str())
        .text("by", &act.by)
        .text("rq", &act.request);
    Ok(if names.emails.is_empty() { row } else { row.texts("em", names.emails.clone()) })
}

pub(super) fn milliseconds(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

fn instant(milliseconds: i64) -> Result<OffsetDateTime, StoreError> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000)
        .map_err(|_| StoreError::broken("a row's time is out of range"))
}

impl Store {
    /// The row of a user, deleted or not, strongly consistent; `None` if there is none or it has
    /// expired. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn user(&self, tenant: &TenantKey, id: &ResourceId, now: i64) -> Result<Option<StoredUser>, StoreError> {
        match self.get(&tenant.users(), id.as_str()).await? {
            Some(item) if !item.is_expired(now) => StoredUser::read(&item).map(Some),
            _ => Ok(None),
        }
    }
}
