//! How the members of a group change: a few in one transaction, many in several transactions.

use std::collections::BTreeSet;

use scim_core::members::{Delta, Member, MembersPatch};
use scim_core::{Error, ResourceId};

use super::resolve::Resolved;
use super::shown;
use crate::directory::context::{Call, Directory};
use crate::directory::lifecycle::conflict::{Attempt, Retry, Terms};
use crate::directory::limits::{MAX_MEMBER_CHANGES, MAX_MEMBERS_SHOWN};
use crate::directory::resource::{contended, not_found};
use crate::reason::Reason;
use crate::store::{MemberChange, Names, Operation, Outcome, Stored, that_fit};

/// What a request asks of a group's members.
#[derive(Debug, Clone, Copy)]
pub(in crate::directory) enum MembersAfter<'a> {
    /// They stay as they are.
    Unchanged,
    /// They are exactly these.
    Exactly(&'a [Member]),
    /// They are changed by these operations.
    Patched(&'a MembersPatch<'a>),
}

/// A delta as changes of members.
///
/// # Errors
/// 413 for more than [`MAX_MEMBER_CHANGES`]; `invalidValue` if the group would be its own member.
pub(in crate::directory) fn changes_of(
    delta: Delta,
    group: &ResourceId,
) -> Result<Vec<MemberChange>, Error> {
    if delta.get(group).is_some_and(Option::is_some) {
        return Err(Error::invalid_value("A group cannot be a member of itself.").at("members"));
    }
    if delta.len() > MAX_MEMBER_CHANGES {
        return Err(too_many_changes());
    }
    Ok(delta
        .into_iter()
        .map(|(id, member)| member.map_or(MemberChange::Remove(id), MemberChange::Add))
        .collect())
}

impl Directory {
    /// The changes that turn the members of a group into those that a request asks for.
    ///
    /// # Errors
    /// The same as [`changes_of`]; 413 if the group has too many members to be compared; 503.
    pub(in crate::directory) async fn member_changes(
        &self,
        call: Call<'_>,
        group: &Stored,
        after: MembersAfter<'_>,
        known: &mut Resolved,
    ) -> Result<Vec<MemberChange>, Error> {
        let delta = match after {
            MembersAfter::Unchanged => return Ok(Vec::new()),
            MembersAfter::Patched(patch) => match patch.delta() {
                Some(delta) => delta,
                None => {
                    known.reread();
                    let present =
                        self.at_most(call, group, MAX_MEMBERS_SHOWN, too_many_to_read).await?;
                    let after =
                        patch.apply(present.clone(), |member| shown::element(call, member))?;
                    difference(&present, &after)
                }
            },
            MembersAfter::Exactly(members) => {
                known.reread();
                // Members that are not named are removed, and these removals count against the
                // limit too.
                let most = members.len() + MAX_MEMBER_CHANGES;
                let present = self.at_most(call, group, most, too_many_changes).await?;
                difference(&present, members)
            }
        };
        Ok(known.apply(changes_of(delta, &group.resource.id)?))
    }

    /// The members of a group.
    ///
    /// # Errors
    /// 413 with the message of `refusal` if there are more than `most`.
    async fn at_most(
        &self,
        call: Call<'_>,
        group: &Stored,
        most: usize,
        refusal: fn() -> Error,
    ) -> Result<Vec<Member>, Error> {
        match group.members {
            0 => Ok(Vec::new()),
            count if count > most => Err(refusal()),
            count => self.members(call, &group.resource.id, count).await,
        }
    }

    /// Writes changes of members only, until all of them are stored. Adding a member twice and
    /// removing a non-member both succeed. Changes that take more than one transaction are checked
    /// as a whole before the first is written, unless a part of them is written already.
    ///
    /// # Errors
    /// 404 if the group no longer exists; `invalidValue` for a member that does not exist; 413;
    /// 503.
    pub(in crate::directory) async fn move_members(
        &self,
        terms: &mut Terms<'_>,
        operation: Operation,
        group: &ResourceId,
        mut waiting: Vec<MemberChange>,
    ) -> Result<(), Error> {
        let (call, names) = (terms.call, Names::default());
        let collection = call.collection(&terms.resource_type.kind);
        if !terms.known.has_begun() {
            waiting = self.looked_up(call, waiting, &mut terms.known).await?;
        }
        while !waiting.is_empty() {
            let portion = waiting.get(..that_fit(&waiting)).unwrap_or_default();
            let audit = self.audit(call, operation);
            match self.store.change_members(&collection, group, portion, &audit).await? {
                Outcome::Committed => {
                    waiting.drain(..portion.len());
                    terms.known.begin();
                }
                Outcome::Refused(refusal) => {
                    let attempt = Attempt { members: portion, ..Attempt::of(group, &names) };
                    match self.yield_to(terms, attempt, refusal).await? {
                        Retry::NewTerms => waiting = terms.known.apply(waiting),
                        Retry::Reread => return Err(contended()),
                        Retry::Gone => return Err(not_found(terms.resource_type)),
                    }
                }
            }
        }
        Ok(())
    }
}

fn difference(present: &[Member], wanted: &[Member]) -> Delta {
    let before: BTreeSet<&ResourceId> = present.iter().map(|member| &member.value).collect();
    let after: BTreeSet<&ResourceId> = wanted.iter().map(|member| &member.value).collect();
    let added = wanted.iter().filter(|member| !before.contains(&member.value));
    let added = added.map(|member| (member.value.clone(), Some(member.clone())));
    let removed = before.difference(&after).map(|id| ((*id).clone(), None));
    added.chain(removed).collect()
}

fn too_many_changes() -> Error {
    Reason::TooManyMembers.with(format!(
        "A request changes at most {MAX_MEMBER_CHANGES} members. Add and remove members in \
            several requests."
    ))
}

fn too_many_to_read() -> Error {
    Reason::TooManyMembers.with(format!(
        "This PATCH would have to look at all members of the group, which are more than \
            {MAX_MEMBERS_SHOWN}. Name the members to add or remove by value, as in members[value \
            eq \"2819c223\"]."
    ))
}
