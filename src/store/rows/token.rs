//! The row of a token: what is not secret about it. DynamoDB removes it 30 days after the token has
//! expired or was revoked.

use super::kind::RowKind;
use super::role::{Role, Transaction};
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{EXPIRES, Item, Key, number};
use crate::store::engine::transaction::Condition;
use crate::store::model::tenant_key::TenantKey;

/// The prefix of the sort keys. They come before the tenant's own row, so that a read of that row
/// and of the rows after it does not read tokens.
pub(crate) const PREFIX: &str = "key#";
/// When it was minted, in milliseconds since 1970.
const CREATED: &str = "c";
/// When it expires, in seconds since 1970.
const ENDS: &str = "ends";
/// What the operator calls it.
const LABEL: &str = "label";
/// When it was revoked, in seconds since 1970.
const REVOKED: &str = "revoked";
/// The hour in which it was last accepted, in seconds since 1970.
const SEEN: &str = "seen";

/// How long a token stays in the list after it has expired or was revoked, in seconds.
const LISTED: i64 = 30 * 24 * 60 * 60;

/// A token, without what is secret about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its key id.
    pub key_id: String,
    /// When it was minted, in milliseconds since 1970.
    pub created: i64,
    /// When it expires, in seconds since 1970, if it does.
    pub expires: Option<i64>,
    /// What the operator calls it.
    pub label: Option<String>,
    /// When it was revoked, in seconds since 1970, if it was.
    pub revoked: Option<i64>,
    /// The hour in which it was last accepted, in seconds since 1970; `None` if that is not known.
    pub seen: Option<i64>,
}

impl TokenRow {
    /// A token from its row.
    pub(crate) fn read(row: &Item) -> Result<Self, StoreError> {
        let key_id = row.s().strip_prefix(PREFIX);
        Ok(Self {
            key_id: key_id.ok_or_else(|| StoreError::broken("a token's row has no id"))?.to_owned(),
            created: row.need_number(CREATED)?,
            expires: row.number(ENDS),
            label: row.text(LABEL).map(str::to_owned),
            revoked: row.number(REVOKED),
            seen: row.number(SEEN),
        })
    }

    /// Adds the row of a new token, whose key id the tenant must not have used before.
    pub(crate) fn create(
        &self,
        transaction: &mut Transaction,
        tenant: &TenantKey,
    ) -> Result<(), StoreError> {
        let row = RowKind::Token
            .row(key(tenant, &self.key_id))
            .number(CREATED, self.created)
            .number_if(ENDS, self.expires)
            .text_if(LABEL, self.label.as_deref())
            .number_if(EXPIRES, self.expires.map(|expires| expires + LISTED));
        transaction.put(Role::Other, row, Some(Condition::absent()))
    }
}

fn key(tenant: &TenantKey, key_id: &str) -> Key {
    Key::new(tenant.own(), format!("{PREFIX}{key_id}"))
}

/// Adds a new time of expiry, unless the token was revoked.
pub(crate) fn expire(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    key_id: &str,
    at: i64,
) -> Result<(), StoreError> {
    let values = [(":at", number(at)), (":gone", number(at + LISTED))];
    let (key, exists) =
        (key(tenant, key_id), "attribute_exists(p) AND attribute_not_exists(revoked)");
    transaction.update(Role::Other, key, "SET ends = :at, x = :gone", values, exists)
}

/// Adds the time at which the token was revoked, unless it was revoked before.
pub(crate) fn revoke(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    key_id: &str,
    now: i64,
) -> Result<(), StoreError> {
    let values = [(":now", number(now)), (":gone", number(now + LISTED))];
    let first = "attribute_exists(p) AND attribute_not_exists(revoked)";
    let key = key(tenant, key_id);
    transaction.update(Role::Other, key, "SET revoked = :now, x = :gone", values, first)
}

/// Adds the hour in which the token was accepted, unless the row has a later one.
pub(crate) fn note_use(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    key_id: &str,
    hour: i64,
) -> Result<(), StoreError> {
    let values = [(":seen", number(hour))];
    let later = "attribute_exists(p) AND (attribute_not_exists(seen) OR seen < :seen)";
    transaction.update(Role::Other, key(tenant, key_id), "SET seen = :seen", values, later)
}

/// Adds the removal of a token that was not minted after all.
pub(crate) fn remove(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    key_id: &str,
) -> Result<(), StoreError> {
    transaction.delete(Role::Other, key(tenant, key_id), None)
}
