//! A resource's row, and the names by which it is found.

use scim_core::resource::Attributes;
use scim_core::resource::UniqueValue;
use scim_core::{Error, Meta, Resource, ResourceId, ResourceType, Version, canonical};
use serde_json::Value;
use time::OffsetDateTime;

use super::item::{Item, Row};
use super::keys::{Collection, Kind, Place, id_in};
use super::log::Act;
use super::{Query, Rows, Store, StoreError};
use crate::budget;

/// The attribute of a resource that was ever made a member of a group.
pub(super) const GROUPED: &str = "g";
/// Length of a UUID in its usual form.
const UUID_LENGTH: usize = 36;
/// Most e-mail addresses of a user: each is a row of the user's transaction, which has 100 at most.
pub const MAX_EMAILS: usize = 40;
/// The most unique attributes of a resource in addition to its name: each value is a row of the
/// resource's transaction.
pub const MAX_UNIQUE_VALUES: usize = 3;
/// Largest document of a resource, in bytes of JSON.
pub const MAX_DOCUMENT_BYTES: usize = 64 * 1_024;

/// The values by which a resource is looked up, in the form in which they are compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// The userName, the displayName of a group, or what else names a resource of its type.
    pub(super) name: Option<String>,
    /// Whether others may have the name too.
    pub(super) shared: bool,
    pub(super) external_id: Option<String>,
    /// A user's e-mail addresses that differ from the userName, sorted.
    pub(super) emails: Vec<String>,
    /// Further values that are unique.
    pub(super) unique: Vec<UniqueValue>,
}

impl Names {
    /// The names in the attributes of a resource.
    ///
    /// # Errors
    /// `invalidValue` if a userName cannot be compared safely or there are over [`MAX_EMAILS`]
    /// e-mail addresses.
    pub fn of(resource_type: &ResourceType, attributes: &Attributes) -> Result<Self, Error> {
        let attribute = resource_type.name_attribute();
        let name = attribute.and_then(|attribute| attributes.text(&attribute.name));
        let name = name.map(|name| resource_type.canonical_name(name)).transpose()?;
        let emails = match Kind::of(&resource_type.name) {
            Kind::User => attributes.get("emails").and_then(Value::as_array),
            _ => None,
        };
        let values = emails
            .into_iter()
            .flatten()
            .filter_map(|email| email.get("value").and_then(Value::as_str));
        let mut emails: Vec<String> =
            values.map(email_form).filter(|email| Some(email) != name.as_ref()).collect();
        emails.sort_unstable();
        emails.dedup();
        if emails.len() > MAX_EMAILS {
            return Err(Error::invalid_value(format!(
                "emails takes at most {MAX_EMAILS} addresses."
            )));
        }
        Ok(Self {
            name,
            shared: attribute.is_some_and(|attribute| !attribute.is_unique()),
            external_id: attributes.text("externalId").map(str::to_owned),
            emails,
            unique: resource_type.unique_values(attributes),
        })
    }

    /// Whether name and externalId agree, be it that neither has an externalId.
    pub fn is_same_person(&self, other: &Self) -> bool {
        self.name == other.name && self.external_id == other.external_id
    }

    /// Whether both have one externalId.
    pub fn shares_external_id(&self, other: &Self) -> bool {
        self.external_id.is_some() && self.external_id == other.external_id
    }

    /// The name as it is compared.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The externalId, as sent.
    pub fn external_id(&self) -> Option<&str> {
        self.external_id.as_deref()
    }

    /// The e-mail addresses by which the user is found, in the form in which they are compared.
    pub fn emails(&self) -> &[String] {
        &self.emails
    }

    /// These names of somebody who is imported: the user is found by verified addresses only, be
    /// one the userName.
    #[must_use]
    pub fn with_verified(mut self, verified: &[String]) -> Self {
        self.emails = verified.iter().map(|email| email_form(email)).collect();
        self.emails.sort_unstable();
        self.emails.dedup();
        self
    }

    /// The wire name of the further unique value at `index`.
    pub fn unique_attribute(&self, index: usize) -> Option<&str> {
        self.unique.get(index).map(|unique| unique.attribute.as_str())
    }
}

/// E-mail addresses are stored as sent, so one that has no safe form still gets one.
pub(super) fn email_form(address: &str) -> String {
    canonical::email(address).unwrap_or_else(|_| address.to_lowercase())
}

/// The sort keys of the rows by which a resource holds its names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) claim: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) unique: Vec<String>,
}

/// What the row says of a user's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Visible to the IdP, active or not.
    Live,
    /// Deleted by the IdP: 404, kept until the row expires.
    Deleted,
    /// Imported: known to the product, not to the IdP yet.
    Unmanaged,
}

impl State {
    /// The state that a row of a resource tells.
    pub(super) fn of(row: &Item) -> Self {
        match row.text("st") {
            Some("deleted") => Self::Deleted,
            Some("unmanaged") => Self::Unmanaged,
            _ => Self::Live,
        }
    }

    /// The word in a row's `st`.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Deleted => "deleted",
            Self::Unmanaged => "unmanaged",
        }
    }
}

/// A resource as stored; a group without its members.
#[derive(Debug, Clone)]
pub struct Stored {
    /// What the client sees of it. The version of a group counts the changes of its members too.
    pub resource: Resource,
    /// Visible or deleted.
    pub state: State,
    /// When the row may go, in seconds since 1970; `None` while the resource stays.
    pub expires: Option<i64>,
    pub(super) names: Names,
    pub(super) keys: Keys,
    /// The version of the row itself.
    pub(super) row_version: u64,
    /// How many members a group has; more than that by those who were deleted while it was being
    /// made.
    pub members: usize,
    /// Whether it was ever made a member of a group: else a deletion has no memberships to end.
    pub grouped: bool,
    /// The version of each head of a group.
    pub(super) heads: Vec<(String, u64)>,
    pub(super) bytes: usize,
}

/// What a head says of the membership of a group.
pub(super) struct Head {
    version: u64,
    last_modified: OffsetDateTime,
    pub(super) members: usize,
}

impl Head {
    pub(super) fn read(row: &Item) -> Result<Self, StoreError> {
        let members = usize::try_from(row.need_number("n")?);
        Ok(Self {
            version: row.need_number("v")?.unsigned_abs(),
            last_modified: instant(row.need_number("m")?)?,
            members: members
                .map_err(|_| StoreError::broken("a head counts fewer than no members"))?,
        })
    }

    /// The version and the time of a group are those of its row and of its heads.
    pub(super) fn add_to(&self, meta: &mut Meta) {
        meta.version = Version(meta.version.0 + self.version);
        meta.last_modified = meta.last_modified.max(self.last_modified);
    }
}

/// The attributes in a resource's document.
pub(super) fn attributes(id: &ResourceId, document: &str) -> Result<Attributes, StoreError> {
    let object = serde_json::from_str(document);
    let object = object
        .map_err(|_| StoreError::broken(format!("the document of resource {id} is not JSON")))?;
    Ok(Attributes::from_stored(object))
}

/// What the state of a user's life follows from.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// Visible, deleted, or not provisioned yet.
    pub state: State,
    /// When the row may go, in seconds since 1970.
    pub expires: Option<i64>,
    /// Whether the user is active.
    pub active: bool,
}

impl Stored {
    /// What has become of it.
    pub fn standing(&self) -> Standing {
        Standing {
            state: self.state,
            expires: self.expires,
            active: is_active(&self.resource.attributes),
        }
    }

    pub(super) fn read(item: &Item) -> Result<Self, StoreError> {
        let id: ResourceId = id_in(item.s())
            .parse()
            .map_err(|()| StoreError::broken("a resource's row has an id that is not valid"))?;
        let document = item.need("d")?;
        let bytes = document.len();
        let attributes = attributes(&id, document)?;
        let row_version = item.need_number("v")?.unsigned_abs();
        Ok(Self {
            resource: Resource {
                id,
                meta: Meta {
                    created: instant(item.need_number("c")?)?,
                    last_modified: instant(item.need_number("m")?)?,
                    version: Version(row_version),
                },
                attributes,
            },
            state: State::of(item),
            expires: item.number("x"),
            names: Names {
                name: item.text("un").map(str::to_owned),
                shared: false,
                external_id: item.text("e").map(str::to_owned),
                emails: item.list("em"),
                unique: Vec::new(),
            },
            keys: Keys {
                claim: item.text("uk").map(str::to_owned),
                external_id: item.text("es").map(str::to_owned),
                unique: item.list("uq"),
            },
            row_version,
            members: 0,
            grouped: item.is(GROUPED),
            heads: Vec::new(),
            bytes,
        })
    }

    /// Reads the resources among rows in key order, groups with their heads.
    pub(super) fn read_all(items: &[Item]) -> Result<Vec<Self>, StoreError> {
        let mut read: Vec<Self> = Vec::new();
        for item in items {
            match Place::of(item.s()) {
                Place::Claim => {}
                Place::Resource => read.push(Self::read(item)?),
                Place::Head(_) => {
                    if let Some(group) = read.last_mut() {
                        group.join(item)?;
                    }
                }
            }
        }
        Ok(read)
    }

    /// Adds what a head says of the membership of this group, if it is one of its heads.
    pub(super) fn join(&mut self, head: &Item) -> Result<(), StoreError> {
        if Place::of(head.s()) == Place::Head(self.resource.id.as_str()) {
            let read = Head::read(head)?;
            read.add_to(&mut self.resource.meta);
            self.members += read.members;
            self.heads.push((head.s().to_owned(), read.version));
        }
        Ok(())
    }

    /// Whether a deletion leaves rows behind: memberships, or members of its own.
    pub fn leaves_rows(&self) -> bool {
        self.grouped || self.members > 0
    }

    /// Whether its time has not come yet.
    pub(super) fn is_there(&self, now: i64) -> bool {
        self.expires.is_none_or(|expiry| expiry > now)
    }

    /// Whether the IdP may see the resource.
    pub fn is_visible(&self, now: i64) -> bool {
        self.state == State::Live && self.is_there(now)
    }

    /// Whether the user was deleted and can still be brought back.
    pub fn is_restorable(&self, now: i64) -> bool {
        self.state == State::Deleted && self.expires.is_some_and(|expiry| expiry > now)
    }

    /// The names by which the resource is (or was) found.
    pub fn names(&self) -> &Names {
        &self.names
    }
}

/// Whether a user counts as active. One whose `active` was removed does not: that a value is lost
/// lets nobody in.
pub(crate) fn is_active(attributes: &Attributes) -> bool {
    attributes.get("active") == Some(&Value::Bool(true))
}

/// The row of a live resource. `version` is the row's own.
pub(super) fn row(
    collection: &Collection,
    resource: &Resource,
    version: u64,
    names: &Names,
    keys: &Keys,
    act: &Act,
) -> Result<Row, StoreError> {
    let document = serde_json::to_string(resource.attributes.as_object())
        .map_err(|_| StoreError::broken("a document cannot be written"))?;
    let row = Row::new(&collection.rows(), &collection.key(&resource.id))
        .text("d", &document)
        .text_if("un", names.name.as_deref())
        .text_if("uk", keys.claim.as_deref())
        .text_if("e", names.external_id.as_deref())
        .text_if("es", keys.external_id.as_deref())
        .number("v", i64::try_from(version).unwrap_or(i64::MAX))
        .number("c", milliseconds(resource.meta.created))
        .number("m", milliseconds(resource.meta.last_modified))
        .flag("a", is_active(&resource.attributes))
        .text("st", "live")
        .text("ev", act.operation.as_str())
        .text("by", &act.by)
        .text("rq", &act.request);
    let row = if names.emails.is_empty() { row } else { row.texts("em", names.emails.clone()) };
    Ok(if keys.unique.is_empty() { row } else { row.texts("uq", keys.unique.clone()) })
}

pub(super) fn milliseconds(collection: OffsetDateTime) -> i64 {
    i64::try_from(collection.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

pub(super) fn instant(milliseconds: i64) -> Result<OffsetDateTime, StoreError> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000)
        .map_err(|_| StoreError::broken("a row's time is out of range"))
}

impl Store {
    /// The row of a resource, deleted or not, strongly consistent; `None` if there is none or it
    /// has expired. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn resource(
        &self,
        collection: &Collection,
        id: &ResourceId,
        now: i64,
    ) -> Result<Option<Stored>, StoreError> {
        let found = match collection.kind {
            // All ids of groups are UUIDs; a shorter text would begin those of many.
            Kind::Group if id.as_str().len() != UUID_LENGTH => None,
            Kind::Group => {
                // It and its heads, and nothing else.
                let units = Some(budget::GROUP_UNITS as usize);
                let partition = collection.rows();
                let query = Query { units, ..Query::of(Rows::Beginning(&partition, id.as_str())) };
                let items = self.query(query).await?.0;
                Stored::read_all(&items)?.into_iter().find(|group| group.resource.id == *id)
            }
            _ => self
                .get(&collection.rows(), &collection.key(id))
                .await?
                .map(|item| Stored::read(&item))
                .transpose()?,
        };
        Ok(found.filter(|stored| stored.is_there(now)))
    }
}
