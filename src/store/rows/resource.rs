//! The row of a user, a group, or a resource of another type.

use scim_core::resource::Attributes;
use scim_core::{Meta, Resource, ResourceId, Version};

use super::heads;
use super::identity::{self, about};
use super::kind::RowKind;
use super::trace::traced;
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{EXPIRES, Item, Key, Row, signed};
use crate::store::engine::time::{instant, milliseconds};
use crate::store::model::audit::Audit;
use crate::store::model::collection::{Collection, KeyForm};
use crate::store::model::departure::Departure;
use crate::store::model::names::Names;
use crate::store::model::stage::{Stage, is_active};
use crate::store::model::stored::{NameKeys, Stored};

/// The attributes as JSON.
pub(crate) const DOCUMENT: &str = "d";
/// The name in the form in which it is compared.
const NAME: &str = "un";
/// The sort key of the resource's claim.
const CLAIM_KEY: &str = "uk";
/// The externalId.
const EXTERNAL_ID: &str = "e";
/// The sort key of the resource's externalId row.
const EXTERNAL_ID_KEY: &str = "es";
/// Canonical e-mails with a pointer.
const EMAILS: &str = "em";
/// The sort keys of further unique values.
const UNIQUE_KEYS: &str = "uq";
/// The version.
const VERSION: &str = "v";
/// When it was created, in milliseconds.
const CREATED: &str = "c";
/// When it was last modified, in milliseconds.
const MODIFIED: &str = "m";
/// Whether it is active.
pub(crate) const ACTIVE: &str = "a";
/// [`LIVE`], [`DELETED`] or [`UNMANAGED`].
pub(crate) const STATE: &str = "st";
/// Whether it was ever made a member of a group.
pub(crate) const GROUPED: &str = "g";

/// The standing of a user before its deletion, a [`Departure`].
pub(crate) const WAS: &str = "was";
/// The earlier deletion of a user whose memberships may still be kept.
const EARLIER: &str = "wp";

/// The state of a visible resource.
pub(crate) const LIVE: &str = "live";
/// The state of a deleted resource, and of the rows that lead to it.
pub(crate) const DELETED: &str = "deleted";
/// The state of an imported resource, and of the rows that lead to it.
pub(crate) const UNMANAGED: &str = "unmanaged";

/// The attributes that a resource may lack. [`GROUPED`] is not among them: only a membership sets
/// it, and only a return from a deletion removes it.
pub(crate) const OPTIONAL: [&str; 9] =
    [NAME, CLAIM_KEY, EXTERNAL_ID, EXTERNAL_ID_KEY, EMAILS, UNIQUE_KEYS, EXPIRES, WAS, EARLIER];

/// The key of a resource's row.
pub(crate) fn key(collection: &Collection, id: &ResourceId) -> Key {
    Key::new(collection.partition(), collection.key(id))
}

/// The row of a live resource. `version` is the row's own.
pub(crate) fn row(
    collection: &Collection,
    resource: &Resource,
    version: u64,
    (names, keys): (&Names, &NameKeys),
    audit: &Audit,
) -> Result<Row, StoreError> {
    let document = serde_json::to_string(resource.attributes.as_object())
        .map_err(|_| StoreError::broken("a document cannot be written"))?;
    let row = RowKind::from(&collection.kind).row(key(collection, &resource.id));
    let row = about(row, &resource.id)
        .text(DOCUMENT, &document)
        .text_if(NAME, names.name.as_deref())
        .text_if(CLAIM_KEY, keys.claim.as_deref())
        .text_if(EXTERNAL_ID, names.external_id.as_deref())
        .text_if(EXTERNAL_ID_KEY, keys.external_id.as_deref())
        .number(VERSION, signed(version))
        .number(CREATED, milliseconds(resource.meta.created))
        .number(MODIFIED, milliseconds(resource.meta.last_modified))
        .flag(ACTIVE, is_active(&resource.attributes))
        .text(STATE, LIVE);
    let row = traced(row, audit);
    let row = if names.emails.is_empty() { row } else { row.texts(EMAILS, names.emails.clone()) };
    Ok(if keys.unique.is_empty() { row } else { row.texts(UNIQUE_KEYS, keys.unique.clone()) })
}

/// A user's row with the standing that it had before its deletion, if that is kept.
pub(crate) fn departed(row: Row, departure: Option<Departure>) -> Row {
    let earlier = departure.and_then(Departure::earlier_text);
    row.text_if(WAS, departure.map(Departure::text).as_deref()).text_if(EARLIER, earlier.as_deref())
}

/// A row of a resource, or one that leads to it, with the state and the expiry of the resource.
pub(crate) fn marked(row: Row, state: Stage, expires: Option<i64>) -> Row {
    let row = row.number_if(EXPIRES, expires);
    match state {
        Stage::Live => row,
        Stage::Deleted => row.text(STATE, DELETED),
        Stage::Unmanaged => row.text(STATE, UNMANAGED),
    }
}

/// The state in a resource's row.
pub(crate) fn state(row: &Item) -> Stage {
    match row.text(STATE) {
        Some(DELETED) => Stage::Deleted,
        Some(UNMANAGED) => Stage::Unmanaged,
        _ => Stage::Live,
    }
}

/// The id in a resource's row.
pub(crate) fn id(row: &Item) -> Result<ResourceId, StoreError> {
    identity::id(row, row.s())
}

/// The times and the version in a resource's row.
pub(crate) fn meta(row: &Item) -> Result<Meta, StoreError> {
    Ok(Meta {
        created: instant(row.need_number(CREATED)?)?,
        last_modified: instant(row.need_number(MODIFIED)?)?,
        version: Version(version(row)?),
    })
}

/// The version of a resource's row.
pub(crate) fn version(row: &Item) -> Result<u64, StoreError> {
    Ok(row.need_number(VERSION)?.unsigned_abs())
}

/// When a resource was last modified, in milliseconds.
pub(crate) fn modified(row: &Item) -> Result<i64, StoreError> {
    row.need_number(MODIFIED)
}

/// The attributes in a resource's document.
pub(crate) fn attributes(id: &ResourceId, document: &str) -> Result<Attributes, StoreError> {
    let object = serde_json::from_str(document)
        .map_err(|_| StoreError::broken(format!("the document of resource {id} is not JSON")))?;
    Ok(Attributes::from_stored(object))
}

/// A resource from its row; a group without its heads.
pub(crate) fn read(row: &Item) -> Result<Stored, StoreError> {
    let id = id(row)?;
    let document = row.need(DOCUMENT)?;
    let attributes = attributes(&id, document)?;
    let meta = meta(row)?;
    let row_version = meta.version.0;
    Ok(Stored {
        resource: Resource { id, meta, attributes },
        state: state(row),
        expires: row.number(EXPIRES),
        departure: row.text(WAS).and_then(Departure::of_text).map(|departure| {
            row.text(EARLIER).map_or(departure, |earlier| departure.after(earlier))
        }),
        names: Names {
            name: row.text(NAME).map(str::to_owned),
            shared: false,
            external_id: row.text(EXTERNAL_ID).map(str::to_owned),
            emails: row.list(EMAILS),
            unique: Vec::new(),
        },
        keys: NameKeys {
            claim: row.text(CLAIM_KEY).map(str::to_owned),
            external_id: row.text(EXTERNAL_ID_KEY).map(str::to_owned),
            unique: row.list(UNIQUE_KEYS),
        },
        row_version,
        members: 0,
        grouped: row.is(GROUPED),
        heads: Vec::new(),
        bytes: document.len(),
    })
}

/// The resources among rows in key order, groups with their heads.
pub(crate) fn read_all(rows: &[Item]) -> Result<Vec<Stored>, StoreError> {
    let mut resources: Vec<Stored> = Vec::new();
    for row in rows {
        match KeyForm::of(row.s()) {
            KeyForm::Claim => {}
            KeyForm::Resource => resources.push(read(row)?),
            KeyForm::Head(_) => {
                if let Some(group) = resources.last_mut() {
                    heads::join(group, row)?;
                }
            }
        }
    }
    Ok(resources)
}
