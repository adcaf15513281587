//! Which secrets hold the digests of tokens: the row of the newest secret, and the number of its
//! secret in each tenant's row.

use super::kind::RowKind;
use super::role::{Role, Transaction};
use super::tenant::{self, NAMES};
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{Item, Key, flag, number};
use crate::store::engine::transaction::Condition;
use crate::store::model::secret_number::SecretNumber;
use crate::store::model::tenant_key::TenantCode;

/// The sort key of the row of the newest secret, among the names of tenants. It does not begin as
/// they do.
const NEWEST: &str = "secrets";
/// Its number.
const NUMBER: &str = "newest";

/// The key of the row of the newest secret.
pub(crate) fn newest_key() -> Key {
    Key::new(NAMES, NEWEST)
}

/// The newest secret, from its row.
pub(crate) fn newest(row: &Item) -> Result<SecretNumber, StoreError> {
    let number = SecretNumber::read(row.need_number(NUMBER)?);
    number.ok_or_else(|| StoreError::broken("the newest secret has an invalid number"))
}

/// Adds the step from the newest secret as it was read to the next one, or to the first.
pub(crate) fn advance(
    transaction: &mut Transaction,
    seen: Option<SecretNumber>,
) -> Result<(), StoreError> {
    let key = newest_key();
    match seen {
        None => {
            let row = RowKind::NewestSecret.row(key);
            let first = row.number(NUMBER, SecretNumber::FIRST.get());
            transaction.put(Role::Other, first, Some(Condition::absent()))
        }
        Some(seen) => {
            let values = [(":seen", number(seen.get())), (":next", number(seen.next().get()))];
            let set = "SET newest = :next";
            transaction.update(Role::Other, key, set, values, "newest = :seen")
        }
    }
}

/// Records that a tenant moves to another secret, provided that the row still names `from`: from then on
/// its record is not changed in place.
pub(crate) fn begin_move(
    transaction: &mut Transaction,
    code: &TenantCode,
    from: SecretNumber,
) -> Result<(), StoreError> {
    let values = [(":from", number(from.get())), (":moving", flag(true))];
    let set = "SET moving = :moving";
    transaction.update(Role::Other, tenant::key(code), set, values, "secret = :from")
}

/// Records which secret holds a tenant's record, provided that the tenant moves from this one, or
/// that it had no secret.
pub(crate) fn end_move(
    transaction: &mut Transaction,
    code: &TenantCode,
    from: Option<SecretNumber>,
    to: SecretNumber,
) -> Result<(), StoreError> {
    let key = tenant::key(code);
    match from {
        None => {
            let none = "attribute_exists(p) AND attribute_not_exists(secret)";
            let values = [(":to", number(to.get()))];
            transaction.update(Role::Other, key, "SET secret = :to", values, none)
        }
        Some(from) => {
            let values =
                [(":to", number(to.get())), (":from", number(from.get())), (":moving", flag(true))];
            let set = "SET secret = :to REMOVE moving";
            let moving = "secret = :from AND moving = :moving";
            transaction.update(Role::Other, key, set, values, moving)
        }
    }
}
