//! The groups that somebody is in, and how these memberships end.

use std::collections::BTreeSet;

use scim_core::ResourceId;

use super::item::{Item, Row};
use super::keys::{Collection, Kind, TenantKey};
use super::log::{self, Act};
use super::members::{Move, head, letter, part, step};
use super::transaction::{Condition, Role, Transaction, text};
use super::writes::Wrote;
use super::{Store, StoreError};

/// How many memberships one transaction ends: three actions each, the log row and a check.
const AT_ONCE: usize = 32;
/// How many members' rows of a group that is gone one transaction removes: two actions each.
const MEMBERS_AT_ONCE: usize = 49;
/// A row that is gone for everybody.
const GONE: &str = "attribute_not_exists(p) OR st = :deleted";

impl Store {
    /// The groups that somebody, or who is only named, is a member of; at most `most`.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn memberships(
        &self,
        tenant: &TenantKey,
        member: &ResourceId,
        most: usize,
    ) -> Result<Vec<ResourceId>, StoreError> {
        self.query_ids(&tenant.memberships(member), most).await?.iter().map(group).collect()
    }

    /// Which of these groups somebody is a member of. One call each.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn memberships_among(
        &self,
        tenant: &TenantKey,
        member: &ResourceId,
        groups: &BTreeSet<ResourceId>,
    ) -> Result<Vec<ResourceId>, StoreError> {
        let partition = tenant.memberships(member);
        let mut found = Vec::new();
        for id in groups {
            found.extend(self.get(&partition, id.as_str()).await?.as_ref().map(group).transpose()?);
        }
        Ok(found)
    }

    /// Ends all memberships of a resource that is gone; how many there were. Idempotent: what a failure
    /// leaves, another call ends. One call if there are none. Stops if the resource comes back.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn leave_all(&self, at: &Collection, member: &ResourceId, act: &Act) -> Result<usize, StoreError> {
        let groups = Collection { tenant: at.tenant.clone(), kind: Kind::Group };
        let mut left = 0;
        loop {
            let items = self.query_ids(&at.tenant.memberships(member), AT_ONCE).await?;
            // The id may be that of a resource of another type, which is not concerned.
            let own = items.iter().filter(|item| item.text("k") == Some(letter(&at.kind)));
            let memberships: Vec<ResourceId> = own.map(group).collect::<Result<_, _>>()?;
            if memberships.is_empty() {
                return Ok(left);
            }
            left += memberships.len();
            let mut gone = BTreeSet::new();
            loop {
                let mut transaction = Transaction::on(self);
                let gone_itself = Condition(GONE, vec![(":deleted", text("deleted"))]);
                transaction.check(Role::Gone, Row::new(&at.rows(), member.as_str()), gone_itself)?;
                for (index, group) in memberships.iter().enumerate() {
                    part(&mut transaction, &at.tenant, group, member, (Role::Other, None))?;
                    if !gone.contains(&index) {
                        let head = Row::new(&groups.rows(), &head(group, member));
                        step(&mut transaction, Role::Moved(index), head, None, act)?;
                    }
                }
                let groups =
                    memberships.iter().map(|group| ("groups.remove".to_owned(), at.tenant.log_digest(group.as_str())));
                log::add(&mut transaction, &at.tenant, act, member, None, &groups.collect::<Vec<_>>())?;
                match self.conclude(transaction).await? {
                    Wrote::Stored => break,
                    Wrote::Refused(refusal) if refusal.changed => return Ok(left),
                    // These groups are gone themselves, or not there yet.
                    Wrote::Refused(refusal) => gone.extend(refusal.moved),
                }
            }
        }
    }

    /// Removes the members' rows of a group that is gone. Idempotent, as [`Store::leave_all`]; says how
    /// many there were.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn disband(&self, at: &Collection, group: &ResourceId, act: &Act) -> Result<usize, StoreError> {
        let mut removed = 0;
        loop {
            let members = self.members(&at.tenant, group, MEMBERS_AT_ONCE).await?;
            if members.is_empty() {
                return Ok(removed);
            }
            let mut transaction = Transaction::on(self);
            for member in &members {
                part(&mut transaction, &at.tenant, group, &member.value, (Role::Other, None))?;
            }
            removed += members.len();
            let moves: Vec<Move> = members.into_iter().map(|member| Move::Leave(member.value)).collect();
            self.logged(transaction, at, group, &moves, act).await?;
        }
    }
}

fn group(item: &Item) -> Result<ResourceId, StoreError> {
    item.s().parse().map_err(|()| StoreError::broken("a group's id is none"))
}
