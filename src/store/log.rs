//! Who changed what: one row beside every change, in its transaction.

use std::time::Duration;

use scim_core::ResourceId;
use scim_core::resource::Attributes;

use super::item::Row;
use super::members::MemberChange;
use super::transaction::{Role, Transaction};
use super::{StoreError, TenantKey};

/// What is done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the protocol's")]
pub enum Operation {
    Create,
    Replace,
    Patch,
    Delete,
    Restore,
    /// Somebody the product had before becomes known to it without the identity provider.
    Import,
    /// The identity provider provisions somebody who was imported.
    Link,
    /// A user who was suspended with expiry is erased.
    Expire,
    /// Too many deactivations stopped.
    Brake,
    /// The operator let deactivations pass again.
    Lift,
}

impl Operation {
    /// The word in the `ev` of a row and in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::Restore => "restore",
            Self::Import => "import",
            Self::Link => "link",
            Self::Expire => "expire",
            Self::Brake => "brake",
            Self::Lift => "lift",
        }
    }
}

/// Who changes something, in which request and when: what the log row and the changed row say of it.
#[derive(Debug, Clone)]
pub struct Audit {
    /// What is done.
    pub operation: Operation,
    /// A token's id, `operator`, or `expiry`.
    pub actor: String,
    /// The id of the request.
    pub request_id: String,
    /// The time of the change, in seconds since 1970.
    pub now: i64,
    /// The same in milliseconds.
    pub milliseconds: i64,
    /// When the log row may go, in seconds since 1970.
    pub log_expires: i64,
}

impl Audit {
    /// A change at this time, in milliseconds since 1970; the log keeps it for `kept` seconds.
    pub fn new(
        operation: Operation,
        actor: &str,
        request_id: &str,
        milliseconds: i64,
        kept: i64,
    ) -> Self {
        let now = milliseconds / 1_000;
        Self {
            operation,
            actor: actor.to_owned(),
            request_id: request_id.to_owned(),
            now,
            milliseconds,
            log_expires: now.saturating_add(kept),
        }
    }
}

/// The limits of a profile that a write must keep. The default has none of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Guards {
    /// Whether each active user takes one of a limited number of seats.
    pub seats: bool,
    /// Whether two users may not have the same externalId.
    pub unique_external_id: bool,
    /// The window in which deactivations are counted; `None` without a brake.
    pub brake_window: Option<Duration>,
}

/// Adds the log row: the names of changed attributes and a keyed digest of each new value, never a
/// value; the version, unless the resource's own row is not written. Its key is time-ordered.
pub(super) fn add(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    audit: &Audit,
    id: &ResourceId,
    version: Option<u64>,
    changed: &[(String, String)],
) -> Result<(), StoreError> {
    let row = Row::new(&tenant.log(), &uuid::Uuid::now_v7().to_string())
        .text("op", audit.operation.as_str())
        .text("id", id.as_str())
        .number("at", audit.now)
        .text("by", &audit.actor)
        .text("rq", &audit.request_id)
        .texts("ch", changed.iter().map(|(name, digest)| format!("{name}={digest}")))
        .number("x", audit.log_expires);
    let version = version.map(|version| i64::try_from(version).unwrap_or(i64::MAX));
    let row = version.into_iter().fold(row, |row, version| row.number("v", version));
    transaction.put(Role::Other, row, None)
}

/// The changed attributes with the digests of their new values.
pub(super) fn changes(
    tenant: &TenantKey,
    before: &Attributes,
    after: &Attributes,
) -> Vec<(String, String)> {
    let digest = |name: &str| {
        let value = match name.rsplit_once(':') {
            Some((urn, name)) => after.get(urn).and_then(|extension| extension.get(name)),
            None => after.get(name),
        };
        value.map(|value| tenant.log_digest(&value.to_string())).unwrap_or_default()
    };
    before.changed(after).into_iter().map(|name| (name.clone(), digest(&name))).collect()
}

/// Who joins and who leaves a group.
pub(super) fn moves<'m>(tenant: &TenantKey, moves: &'m [MemberChange]) -> Vec<(String, String)> {
    let word = |change: &'m MemberChange| match change {
        MemberChange::Add(_) | MemberChange::AddUnknown(_) => "members.add",
        MemberChange::Remove(_) => "members.remove",
    };
    moves
        .iter()
        .map(|change| (word(change).to_owned(), tenant.log_digest(change.member().as_str())))
        .collect()
}
