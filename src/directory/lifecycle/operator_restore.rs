//! How the operator restores a deleted user: exactly as the user was, with its standing and its
//! groups.

use std::collections::BTreeSet;

use scim_core::members::{Member, MemberType};
use scim_core::resource::Attributes;
use scim_core::{Error, ErrorKind, Resource, ResourceId};
use serde_json::Value;

use super::conflict::{MAX_TRIES, Terms};
use super::restore::{Comeback, Restored};
use crate::directory::context::{Call, Directory};
use crate::directory::resource::contended;
use crate::reason::Reason;
use crate::store::{
    Departure, Kind, MemberChange, Operation, PastMemberships, Standing, Stored, is_active,
};
use crate::tenant::ServedType;

/// How the operator wants a user restored.
#[derive(Debug, Clone, Copy, Default)]
pub struct RestoreOptions<'a> {
    /// Another userName; `None` keeps the one that the user had.
    pub user_name: Option<&'a str>,
    /// Whether the user comes back in no group.
    pub without_groups: bool,
    /// The deletion that an undo undoes; `None` for a restore of its own.
    pub undo: Option<UndoneDeletion<'a>>,
}

/// What an undo knows of the deletion of a user.
#[derive(Debug, Clone, Copy)]
pub struct UndoneDeletion<'a> {
    /// The standing that the user gets.
    pub standing: Standing,
    /// The version of the deleted user, which must be unchanged; `None` if the user is visible
    /// again, and only missing in groups.
    pub version: Option<u64>,
    /// The groups that the user does not come back into.
    pub except: &'a BTreeSet<ResourceId>,
}

impl RestoreOptions<'_> {
    /// What the log says about the restore.
    fn operation(&self) -> Operation {
        if self.undo.is_some() { Operation::Undo } else { Operation::Restore }
    }

    /// The standing that the user gets; `None` if it is not known.
    fn standing(&self, departure: Option<Departure>) -> Option<Standing> {
        let undo = self.undo.map(|undo| undo.standing);
        undo.or_else(|| departure.map(|departure| departure.standing))
    }

    /// What the restore asserts of the user: that it is active if it was, and perhaps another name.
    /// Before the deletion that an undo undoes, the user may have been less than at the last one.
    fn asserted(&self, standing: Option<Standing>) -> Attributes {
        let mut asserted = Attributes::default();
        if let Some(active) = standing.map(|standing| standing.active)
            && (active || self.undo.is_some())
        {
            asserted.set("active", Value::Bool(active));
        }
        if let Some(name) = self.user_name {
            asserted.set("userName", Value::String(name.to_owned()));
        }
        asserted
    }

    /// # Errors
    /// 412 if an undo has seen another version than this one of the deleted user.
    fn require_unchanged(&self, deleted: Option<&Stored>) -> Result<(), Error> {
        let version = deleted.map(|deleted| deleted.resource.meta.version.0);
        match self.undo {
            Some(undo) if undo.version != version => Err(Reason::StaleVersion.error()),
            Some(_) | None => Ok(()),
        }
    }

    /// # Errors
    /// 409 if the options name another userName than that of a user who is visible again.
    fn require_name(&self, attributes: &Attributes) -> Result<(), Error> {
        let name = attributes.text("userName").unwrap_or_default();
        match self.user_name {
            Some(wanted) if !wanted.eq_ignore_ascii_case(name) => {
                let sentence = format!(
                    "The user is back already, as {name}, and only missing in groups: do not give \
                     another userName."
                );
                Err(Error::new(ErrorKind::Conflict, sentence))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether the user comes back into this group.
    fn rejoins(&self, group: &ResourceId) -> bool {
        let is_excepted = self.undo.is_some_and(|undo| undo.except.contains(group));
        !self.without_groups && !is_excepted
    }
}

/// A user whom the operator has restored.
#[derive(Debug)]
pub struct RestoredByOperator {
    /// The user as it is now.
    pub user: Resource,
    /// The attributes that it came back without, because another user has their unique values now.
    pub left_out: Vec<String>,
    /// Whether it was active before, but is inactive now because no seat is left.
    pub lacks_seat: bool,
    /// When it expires, in seconds since 1970, if it is suspended with expiry.
    pub expires: Option<i64>,
    /// Its groups; `None` if an earlier release deleted the user, so that they are not known.
    pub groups: Option<RestoredGroups>,
}

/// The groups in which a user was before its deletion.
#[derive(Debug, Default)]
pub struct RestoredGroups {
    /// Those in which it is again.
    pub joined: BTreeSet<ResourceId>,
    /// Those that no longer exist.
    pub gone: BTreeSet<ResourceId>,
}

/// A user who is visible again, and the deletion before.
struct Returned {
    user: Resource,
    left_out: Vec<String>,
    lacks_seat: bool,
    expires: Option<i64>,
    departure: Option<Departure>,
}

impl Directory {
    /// Restores a deleted user for the operator, as it was: active or inactive, with its expiry if
    /// that has not passed, and in those of its groups that still exist. If the expiry has passed,
    /// the user gets a new one. A user whom an earlier release deleted comes back as its attributes
    /// say, and in no group.
    ///
    /// Call it again after a failure: it goes on with the groups of a user who is visible again.
    ///
    /// # Errors
    /// 404 if no deleted user has this id; 409 if its name belongs to another user now; 403 without
    /// a seat; 412 if an undo has seen another version; 503.
    pub async fn restore_by_operator(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &ResourceId,
        options: RestoreOptions<'_>,
    ) -> Result<RestoredByOperator, Error> {
        let returned = match self.restore_user(call, resource_type, id, options).await? {
            Some(returned) => returned,
            None => self.restored_before(call, id, options).await?,
        };
        let Returned { user, left_out, lacks_seat, expires, departure } = returned;
        let groups = match departure {
            None => None,
            Some(departure) => {
                let past = self.past(call, id, departure).await?;
                Some(self.rejoin(call, id, past, options).await?)
            }
        };
        Ok(RestoredByOperator { user, left_out, lacks_seat, expires, groups })
    }

    /// Restores the user itself; `None` if it is not deleted.
    async fn restore_user(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &ResourceId,
        options: RestoreOptions<'_>,
    ) -> Result<Option<Returned>, Error> {
        let collection = call.collection(&Kind::User);
        for _ in 0..MAX_TRIES {
            let old = self.deleted(&collection, id).await?;
            options.require_unchanged(old.as_ref())?;
            let Some(old) = old else { return Ok(None) };
            let departure = old.departed();
            let standing = options.standing(departure);
            let asserted = options.asserted(standing);
            let expires = self.expiry_again(call, standing);
            let comeback =
                Comeback { asserted: &asserted, expires, operation: options.operation() };
            let restored = self.restore(call, resource_type, &old, comeback).await?;
            if let Some(Restored { user, left_out }) = restored {
                let before = &old.resource.attributes;
                let was_active = standing.map_or_else(|| is_active(before), |was| was.active);
                let lacks_seat = was_active && !is_active(&user.attributes);
                return Ok(Some(Returned { user, left_out, lacks_seat, expires, departure }));
            }
        }
        Err(contended())
    }

    /// When a suspended user who had a clock expires after its return.
    fn expiry_again(&self, call: Call<'_>, standing: Option<Standing>) -> Option<i64> {
        let before = standing?.expires?;
        let now = self.clock.seconds();
        Some(if before > now { before } else { self.suspended_until(call, now) })
    }

    /// A user whom the operator restored before, if it is not in all of its groups yet.
    ///
    /// # Errors
    /// 404 if there is nothing to do; 409 if the user is to have another userName than it has.
    async fn restored_before(
        &self,
        call: Call<'_>,
        id: &ResourceId,
        options: RestoreOptions<'_>,
    ) -> Result<Returned, Error> {
        let nobody = || Error::not_found("No deleted user with this id can be restored.");
        let now = self.clock.seconds();
        let user = self.store.resource(&call.collection(&Kind::User), id, now).await?;
        let user = user.filter(|user| user.is_visible(now)).ok_or_else(nobody)?;
        let departure = user.departure.ok_or_else(nobody)?;
        if self.past(call, id, departure).await?.is_empty() {
            return Err(nobody());
        }
        options.require_name(&user.resource.attributes)?;
        // Unless the user was changed since, it is as the restore has left it.
        let is_unchanged = user.is_next_after(departure);
        let Stored { resource: user, expires, .. } = user;
        let was_active = departure.standing.active;
        let lacks_seat = is_unchanged && was_active && !is_active(&user.attributes);
        let left_out = Vec::new();
        Ok(Returned { user, left_out, lacks_seat, expires, departure: Some(departure) })
    }

    /// The memberships that ended by the deletion of a user, and have not begun again.
    async fn past(
        &self,
        call: Call<'_>,
        id: &ResourceId,
        departure: Departure,
    ) -> Result<Vec<PastMemberships>, Error> {
        let (tenant, now) = (call.tenant.key(), self.clock.seconds());
        Ok(self.store.past_memberships(&tenant, id, departure, now).await?)
    }

    /// Makes a user a member of these groups again, and no longer keeps what is done.
    async fn rejoin(
        &self,
        call: Call<'_>,
        user: &ResourceId,
        past: Vec<PastMemberships>,
        options: RestoreOptions<'_>,
    ) -> Result<RestoredGroups, Error> {
        let mut restored = RestoredGroups::default();
        for part in past {
            for group in part.groups.iter().filter(|group| options.rejoins(group)) {
                if self.join_again(call, user, group, options.operation()).await? {
                    restored.joined.insert(group.clone());
                } else {
                    restored.gone.insert(group.clone());
                }
            }
            self.store.forget_past(&call.tenant.key(), &part).await?;
        }
        Ok(restored)
    }

    /// Makes a user a member of a group again; `false` if the group no longer exists.
    async fn join_again(
        &self,
        call: Call<'_>,
        user: &ResourceId,
        group: &ResourceId,
        operation: Operation,
    ) -> Result<bool, Error> {
        let groups = call.tenant.types.iter().find(|served| served.kind == Kind::Group);
        let Some(groups) = groups else { return Ok(false) };
        let kind = Some(MemberType::User);
        let joins = MemberChange::Add(Member { value: user.clone(), kind, display: None });
        let mut terms = Terms::of_stored(call, groups);
        match self.move_members(&mut terms, operation, group, vec![joins]).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}
