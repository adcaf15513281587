//! Who changed what: one row beside every change, in its transaction.

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

/// A change as the audit log tells of it.
#[derive(Debug, Clone)]
pub struct Act {
    /// What is done.
    pub operation: Operation,
    /// By whom: a token's id, or the operator.
    pub by: String,
    /// In which request.
    pub request: String,
    /// When, in seconds since 1970.
    pub now: i64,
    /// The same in milliseconds.
    pub milliseconds: i64,
    /// When the log row may go, in seconds since 1970.
    pub log_expires: i64,
    /// Whether active users take seats.
    pub seats: bool,
    /// Whether two users may not have the same externalId.
    pub unique_external_id: bool,
    /// How long a window of the brake is, in seconds; `None` where nothing brakes.
    pub brake: Option<i64>,
}

impl Act {
    /// What somebody does in this moment, in milliseconds since 1970; the log keeps it for `kept`
    /// seconds. It takes no seat and counts for no brake.
    pub fn new(
        operation: Operation,
        by: &str,
        request: &str,
        milliseconds: i64,
        kept: i64,
    ) -> Self {
        let now = milliseconds / 1_000;
        Self {
            operation,
            by: by.to_owned(),
            request: request.to_owned(),
            now,
            milliseconds,
            log_expires: now.saturating_add(kept),
            seats: false,
            unique_external_id: false,
            brake: None,
        }
    }
}

/// Adds the log row: the names of changed attributes and a keyed digest of each new value, never a
/// value; the version, unless the resource's own row is not written. Its key is time-ordered.
pub(super) fn add(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    act: &Act,
    id: &ResourceId,
    version: Option<u64>,
    changed: &[(String, String)],
) -> Result<(), StoreError> {
    let row = Row::new(&tenant.log(), &uuid::Uuid::now_v7().to_string())
        .text("op", act.operation.as_str())
        .text("id", id.as_str())
        .number("at", act.now)
        .text("by", &act.by)
        .text("rq", &act.request)
        .texts("ch", changed.iter().map(|(name, digest)| format!("{name}={digest}")))
        .number("x", act.log_expires);
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
