//! What is still to be done: a row for each deletion whose memberships are there, and for each
//! group that is being created in parts.
//!
//! The row is written in the transaction of the deletion, or with the first part of the group, and
//! removed with the last of what it stands for. Whatever fails between, the members of groups are
//! read without those whom it names, and a later write of the tenant goes on. The rows stand beside
//! the tenant's own, so that whoever reads that one learns whether there are any.

use std::collections::BTreeSet;

use scim_core::ResourceId;

use super::item::{Item, Row};
use super::keys::{Kind, TenantKey};
use super::log::Audit;
use super::members::letter;
use super::transaction::{Condition, Role, Transaction, TransactionResult, text};
use super::{Query, Rows, Store, StoreError};

/// How their sort keys begin.
pub(super) const PREFIX: &str = "unfinished#";

/// Why something is unfinished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A user or group was deleted, and its memberships and members are to be removed.
    Deletion,
    /// A group is being created, or its creation broke: then its members' rows are to be removed.
    Creation,
}

impl Cause {
    /// The word in the row's `why`.
    fn as_str(self) -> &'static str {
        match self {
            Self::Deletion => "deletion",
            Self::Creation => "creation",
        }
    }
}

/// Something that is unfinished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// User or group.
    pub kind: Kind,
    /// Its id.
    pub id: ResourceId,
    /// Why.
    pub cause: Cause,
    /// Since when, in seconds since 1970.
    pub since: i64,
}

impl Unfinished {
    fn read(item: &Item) -> Result<Self, StoreError> {
        let wrong = || StoreError::broken("a row of unfinished work names nobody");
        let (letter, id) = item
            .s()
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once('#'))
            .ok_or_else(wrong)?;
        Ok(Self {
            kind: if letter == "G" { Kind::Group } else { Kind::User },
            id: id.parse().map_err(|()| wrong())?,
            cause: match item.need("why")? {
                "creation" => Cause::Creation,
                _ => Cause::Deletion,
            },
            since: item.need_number("at")?,
        })
    }
}

fn key(tenant: &TenantKey, kind: &Kind, id: &ResourceId) -> Row {
    Row::new(&tenant.own(), &format!("{PREFIX}{}#{id}", letter(kind)))
}

/// Adds that something is unfinished.
pub(super) fn begin(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    (kind, id): (&Kind, &ResourceId),
    cause: Cause,
    audit: &Audit,
) -> Result<(), StoreError> {
    let row = key(tenant, kind, id).text("why", cause.as_str()).number("at", audit.now);
    transaction.put(Role::Other, row, None)
}

/// Adds that something is finished, if it was unfinished at all.
pub(super) fn end(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    (kind, id): (&Kind, &ResourceId),
) -> Result<(), StoreError> {
    transaction.delete(Role::Other, key(tenant, kind, id), None)
}

/// Adds that a creation is finished, if nobody has given it up meanwhile.
pub(super) fn end_creation(
    transaction: &mut Transaction,
    tenant: &TenantKey,
    group: &ResourceId,
) -> Result<(), StoreError> {
    let still = Condition("why = :creation", vec![(":creation", text(Cause::Creation.as_str()))]);
    transaction.delete(Role::Creating, key(tenant, &Kind::Group, group), Some(still))
}

impl Store {
    /// All that is unfinished in a tenant. One call for some thousand.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn unfinished(&self, tenant: &TenantKey) -> Result<Vec<Unfinished>, StoreError> {
        self.query_all(&tenant.own(), PREFIX).await?.iter().map(Unfinished::read).collect()
    }

    /// The first of what is unfinished. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn first_unfinished(
        &self,
        tenant: &TenantKey,
        most: usize,
    ) -> Result<Vec<Unfinished>, StoreError> {
        let (rows, _) =
            self.query_some(Query::of(Rows::Beginning(&tenant.own(), PREFIX)), most).await?;
        rows.iter().map(Unfinished::read).collect()
    }

    /// Those who are gone for everybody while memberships of theirs are still there. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn leaving(&self, tenant: &TenantKey) -> Result<BTreeSet<ResourceId>, StoreError> {
        let unfinished = self.unfinished(tenant).await?.into_iter();
        Ok(unfinished.filter(|row| row.cause == Cause::Deletion).map(|row| row.id).collect())
    }

    /// Gives the creation of a group up, unless it has succeeded: what it left is removed as that
    /// of a deleted group. `false` if it was no creation any more. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn abandon(
        &self,
        tenant: &TenantKey,
        group: &ResourceId,
    ) -> Result<bool, StoreError> {
        let values = [
            (":deletion", text(Cause::Deletion.as_str())),
            (":creation", text(Cause::Creation.as_str())),
        ];
        let (row, still) = (key(tenant, &Kind::Group, group), Some("why = :creation"));
        let mut transaction = Transaction::on(self);
        transaction.update(Role::Other, row, "SET why = :deletion", values, still)?;
        Ok(matches!(transaction.commit(self).await?, TransactionResult::Committed))
    }

    /// Whether a deletion is unfinished. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn is_unfinished(
        &self,
        tenant: &TenantKey,
        kind: &Kind,
        id: &ResourceId,
    ) -> Result<bool, StoreError> {
        Ok(self.get(&tenant.own(), &format!("{PREFIX}{}#{id}", letter(kind))).await?.is_some())
    }
}
