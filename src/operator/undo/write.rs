//! What an undo writes: groups first, then users, who come back into their groups, then the members
//! of groups.

use std::collections::BTreeSet;

use scim_core::{Error, ErrorKind, Member, ResourceId};

use super::plan::{
    Comeback, GroupFate, Named, PlannedGroup, PlannedUser, UndoFailure, UndoPlan, UndoReport,
    UndoStopped, UserFate,
};
use crate::directory::{MembersAgain, RestoreOptions, UndoneDeletion};
use crate::operator::deployment::Operator;
use crate::operator::error::OperatorError;
use crate::operator::session::{Session, group_type};
use crate::reason::Reason;
use crate::store::{MemberChange, TenantRow, that_fit};

/// How often what others have changed in the meantime is judged again.
const MAX_ROUNDS: usize = 5;
/// Why something stays as it is, that was planned otherwise.
const CHANGED: &str = "it was changed in the meantime";
const NOT_TOLD: &str = "the log does not tell how it was";

/// An undo at work.
struct Work<'a> {
    session: &'a Session,
    report: &'a mut UndoReport,
    /// The users and groups that are to be planned again: they were changed since they were read,
    /// or are groups that exist again only now.
    moved: BTreeSet<ResourceId>,
    /// The users and groups that were not brought back, and cannot be members.
    out: BTreeSet<ResourceId>,
}

impl Operator {
    /// Does what a plan says. What others have changed in the meantime is judged again. If it stops,
    /// plan again and call it again: it goes on, since what is done already is not in the new plan.
    /// `progress` is called after each user and each group.
    ///
    /// # Errors
    /// If the table does not respond; the error says what was done before. Whatever cannot be
    /// brought back for another reason is in the report.
    pub async fn undo(
        &self,
        tenant: &TenantRow,
        plan: &UndoPlan,
        mut progress: impl FnMut(),
    ) -> Result<UndoReport, Box<UndoStopped>> {
        let (mut report, progress) = (UndoReport::default(), &mut progress);
        match Box::pin(self.undo_all(tenant, plan, &mut report, progress)).await {
            Ok(()) => Ok(report),
            Err(why) => Err(Box::new(UndoStopped { report, why })),
        }
    }

    async fn undo_all(
        &self,
        tenant: &TenantRow,
        plan: &UndoPlan,
        report: &mut UndoReport,
        progress: &mut impl FnMut(),
    ) -> Result<(), OperatorError> {
        let session = Session::open(self, tenant).await?;
        let (moved, out) = (BTreeSet::new(), BTreeSet::new());
        let mut work = Work { session: &session, report, moved, out };
        work.run(plan, progress).await?;
        for _ in 1..MAX_ROUNDS {
            if work.moved.is_empty() {
                break;
            }
            let moved = std::mem::take(&mut work.moved);
            let again = self.plan_undo(tenant, &plan.request).await?.only(&moved);
            work.give_up(&again, &moved);
            work.out.retain(|id| !moved.contains(id));
            work.run(&again, progress).await?;
        }
        for id in std::mem::take(&mut work.moved) {
            work.fail(Named { id, name: None }, "it keeps changing");
        }
        Ok(())
    }
}

impl Work<'_> {
    async fn run(
        &mut self,
        plan: &UndoPlan,
        progress: &mut impl FnMut(),
    ) -> Result<(), OperatorError> {
        for group in &plan.groups {
            if let GroupFate::Create(attributes, version) = &group.fate {
                self.create(group, (attributes, *version)).await?;
            }
        }
        for user in plan.users.iter().filter(|user| user.changes()) {
            match &user.fate {
                UserFate::Restore(comeback) => self.restore(user, comeback).await?,
                UserFate::Activate(version) => self.activate(user, *version).await?,
                _ => {}
            }
            progress();
        }
        for group in plan.groups.iter().filter(|group| group.changes()) {
            if !matches!(group.fate, GroupFate::Create(..)) {
                self.change_members(group).await?;
            }
            progress();
        }
        Ok(())
    }

    /// Creates a group again. Its members are planned afterwards, when the log names all of them:
    /// whatever still removes their rows may do so until then.
    async fn create(
        &mut self,
        group: &PlannedGroup,
        known: (&scim_core::resource::Attributes, u64),
    ) -> Result<(), OperatorError> {
        let subject = || Named { id: group.id.clone(), name: group.name.clone() };
        let Some(groups) = group_type(&self.session.tenant.types) else {
            self.fail(subject(), "this tenant has no groups");
            return Ok(());
        };
        let (directory, call) = (&self.session.directory, self.session.call());
        match directory.create_again(call, groups, &group.id, known).await {
            Ok(()) => {
                self.moved.insert(group.id.clone());
                self.out.remove(&group.id);
                self.report.created += 1;
                Ok(())
            }
            Err(error) => {
                self.out.insert(group.id.clone());
                self.refused(subject(), error)
            }
        }
    }

    async fn restore(
        &mut self,
        user: &PlannedUser,
        comeback: &Comeback,
    ) -> Result<(), OperatorError> {
        let Comeback { standing, version, except, .. } = comeback;
        let undo = UndoneDeletion { standing: *standing, version: *version, except };
        let options = RestoreOptions { undo: Some(undo), ..RestoreOptions::default() };
        let (directory, call) = (&self.session.directory, self.session.call());
        let users = self.session.users()?;
        match directory.restore_by_operator(call, users, &user.id, options).await {
            Ok(restored) => {
                self.out.remove(&user.id);
                let count = if version.is_some() {
                    &mut self.report.restored
                } else {
                    &mut self.report.rejoined
                };
                *count += 1;
                if restored.lacks_seat {
                    self.report.without_seat.push(named(user));
                }
                if !restored.left_out.is_empty() {
                    self.report.left_out.push((named(user), restored.left_out));
                }
                Ok(())
            }
            // Another undo has just brought the user into the last of its groups.
            Err(error) if version.is_none() && error.kind == ErrorKind::NotFound => Ok(()),
            Err(error) => {
                if version.is_some() {
                    self.out.insert(user.id.clone());
                }
                self.refused(named(user), error)
            }
        }
    }

    async fn activate(&mut self, user: &PlannedUser, version: u64) -> Result<(), OperatorError> {
        let (directory, call) = (&self.session.directory, self.session.call());
        let (users, seen) = (self.session.users()?, Some(version));
        match directory.activate_by_operator(call, users, &user.id, true, seen).await {
            Ok(changed) => {
                self.report.activated += usize::from(changed.is_changed);
                Ok(())
            }
            Err(error) => self.refused(named(user), error),
        }
    }

    async fn change_members(&mut self, group: &PlannedGroup) -> Result<(), OperatorError> {
        // What is said about the others explains it.
        let add = group.add.iter().filter(|member| !self.out.contains(&member.id));
        let add = add.map(|member| (member, true));
        let remove = group.remove.iter().map(|member| (member, false));
        let changes: Vec<(&Named, bool)> = add.chain(remove).collect();
        let mut rest = changes.as_slice();
        while !rest.is_empty() {
            let fitting = that_fit(&rest.iter().map(change).collect::<Vec<_>>()).max(1);
            let (portion, more) = rest.split_at_checked(fitting).unwrap_or((rest, &[]));
            if self.change_some(group, portion).await? != MembersAgain::Changed {
                for one in portion {
                    self.change_one(group, *one).await?;
                }
            }
            rest = more;
        }
        Ok(())
    }

    async fn change_one(
        &mut self,
        group: &PlannedGroup,
        one: (&Named, bool),
    ) -> Result<(), OperatorError> {
        let name = group.name.as_deref().unwrap_or(group.id.as_str());
        match self.change_some(group, &[one]).await? {
            MembersAgain::Changed => {}
            MembersAgain::NoGroup => {
                self.fail(one.0.clone(), &format!("the group {name} no longer exists"));
            }
            MembersAgain::NoMember => {
                let reason = format!("cannot be in the group {name}, since it no longer exists");
                self.fail(one.0.clone(), &reason);
            }
        }
        Ok(())
    }

    /// Makes some changes of members in one transaction.
    async fn change_some(
        &mut self,
        group: &PlannedGroup,
        portion: &[(&Named, bool)],
    ) -> Result<MembersAgain, OperatorError> {
        let types = &self.session.tenant.types;
        let Some(groups) = group_type(types) else { return Ok(MembersAgain::NoGroup) };
        let changes = portion.iter().map(change).collect();
        let (directory, call) = (&self.session.directory, self.session.call());
        match directory.change_members_again(call, groups, &group.id, changes).await {
            Ok(done) => {
                if done == MembersAgain::Changed {
                    let added = portion.iter().filter(|(_, joins)| *joins).count();
                    self.report.added += added;
                    self.report.removed += portion.len() - added;
                }
                Ok(done)
            }
            Err(error) => {
                let subject = Named { id: group.id.clone(), name: group.name.clone() };
                self.refused(subject, error).map(|()| MembersAgain::Changed)
            }
        }
    }

    /// Takes note of a refusal. A row that cannot be read stops only what needs it.
    ///
    /// # Errors
    /// The error, if the next call would fail too.
    fn refused(&mut self, subject: Named, error: Error) -> Result<(), OperatorError> {
        let is_of_one = matches!(Reason::of(&error), Reason::Contended | Reason::ReleaseTooOld);
        match error.kind {
            ErrorKind::PreconditionFailed => {
                self.moved.insert(subject.id);
            }
            ErrorKind::Unavailable if !is_of_one => return Err(error.into()),
            _ => self.fail(subject, &error.detail),
        }
        Ok(())
    }

    /// Takes note of what others have changed in the meantime, so that it stays.
    fn give_up(&mut self, plan: &UndoPlan, moved: &BTreeSet<ResourceId>) {
        for user in &plan.users {
            let stays = match &user.fate {
                UserFate::ChangedSince(_) | UserFate::NameTaken | UserFate::Lost => CHANGED,
                UserFate::StaysOut(_) => "it stays as before the span",
                UserFate::NotTold => NOT_TOLD,
                UserFate::Unreadable(reason) => reason,
                UserFate::Restore(_) | UserFate::Activate(_) | UserFate::AlreadySo => continue,
            };
            self.fail(named(user), stays);
        }
        for group in plan.groups.iter().filter(|group| moved.contains(&group.id)) {
            let stays = match &group.fate {
                GroupFate::ChangedSince(_) | GroupFate::NameTaken | GroupFate::Gone => CHANGED,
                GroupFate::NotTold => NOT_TOLD,
                GroupFate::Unreadable(reason) => reason,
                GroupFate::Create(..) | GroupFate::AlreadySo | GroupFate::Stays => continue,
            };
            self.fail(Named { id: group.id.clone(), name: group.name.clone() }, stays);
        }
    }

    fn fail(&mut self, subject: Named, reason: &str) {
        self.report.failures.push(UndoFailure { subject, reason: reason.to_owned() });
    }
}

fn named(user: &PlannedUser) -> Named {
    Named { id: user.id.clone(), name: user.name.clone() }
}

/// A member that joins, or leaves.
fn change((member, joins): &(&Named, bool)) -> MemberChange {
    let value = member.id.clone();
    if *joins {
        MemberChange::Add(Member { value, kind: None, display: None })
    } else {
        MemberChange::Remove(value)
    }
}
