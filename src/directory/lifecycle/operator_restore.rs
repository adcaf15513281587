//! How the operator restores a deleted user: exactly as the user was, with its standing and its
//! groups.

use std::collections::BTreeSet;

use scim_core::members::{Member, MemberType};
use scim_core::resource::Attributes;
use scim_core::{Error, ErrorKind, Resource, ResourceId};
use serde_json::Value;

use super::conflict::{MAX_TRIES, Terms};
use super::restore::Comeback;
use crate::directory::context::{Call, Directory};
use crate::directory::resource::contended;
use crate::store::{Departure, Kind, MemberChange, Operation, PastMemberships, Stored, is_active};
use crate::tenant::ServedType;

/// How the operator wants a user restored.
#[derive(Debug, Clone, Copy, Default)]
pub struct RestoreOptions<'a> {
    /// Another userName; `None` keeps the one that the user had.
    pub user_name: Option<&'a str>,
    /// Whether the user comes back in no group.
    pub without_groups: bool,
}

/// A user whom the operator has restored.
#[derive(Debug)]
pub struct RestoredByOperator {
    /// The user as it is now.
    pub user: Resource,
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
    /// a seat; 503.
    pub async fn restore_by_operator(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &ResourceId,
        options: RestoreOptions<'_>,
    ) -> Result<RestoredByOperator, Error> {
        let returned = match self.restore_user(call, resource_type, id, options.user_name).await? {
            Some(returned) => returned,
            None => self.restored_before(call, id).await?,
        };
        let Returned { user, lacks_seat, expires, departure } = returned;
        let groups = match departure {
            None => None,
            Some(departure) => {
                let past = self.past(call, id, departure).await?;
                Some(self.rejoin(call, id, past, options.without_groups).await?)
            }
        };
        Ok(RestoredByOperator { user, lacks_seat, expires, groups })
    }

    /// Restores the user itself; `None` if it is not deleted.
    async fn restore_user(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &ResourceId,
        user_name: Option<&str>,
    ) -> Result<Option<Returned>, Error> {
        let collection = call.collection(&Kind::User);
        for _ in 0..MAX_TRIES {
            let Some(old) = self.deleted(&collection, id).await? else { return Ok(None) };
            let departure = old.departed();
            let asserted = asserted(departure, user_name);
            let expires = self.expiry_again(call, departure);
            let comeback = Comeback { asserted: &asserted, expires };
            if let Some(user) = self.restore(call, resource_type, &old, comeback).await? {
                let before = &old.resource.attributes;
                let was_active =
                    departure.map_or_else(|| is_active(before), |before| before.standing.active);
                let lacks_seat = was_active && !is_active(&user.attributes);
                return Ok(Some(Returned { user, lacks_seat, expires, departure }));
            }
        }
        Err(contended())
    }

    /// When a suspended user who had a clock expires after its return.
    fn expiry_again(&self, call: Call<'_>, departure: Option<Departure>) -> Option<i64> {
        let before = departure?.standing.expires?;
        let now = self.clock.seconds();
        Some(if before > now { before } else { self.suspended_until(call, now) })
    }

    /// A user whom the operator restored before, if it is not in all of its groups yet.
    ///
    /// # Errors
    /// 404 if there is nothing to do.
    async fn restored_before(&self, call: Call<'_>, id: &ResourceId) -> Result<Returned, Error> {
        let nobody = || Error::not_found("No deleted user with this id can be restored.");
        let now = self.clock.seconds();
        let user = self.store.resource(&call.collection(&Kind::User), id, now).await?;
        let user = user.filter(|user| user.is_visible(now)).ok_or_else(nobody)?;
        let departure = user.departure.ok_or_else(nobody)?;
        if self.past(call, id, departure).await?.is_empty() {
            return Err(nobody());
        }
        let Stored { resource: user, expires, .. } = user;
        Ok(Returned { user, lacks_seat: false, expires, departure: Some(departure) })
    }

    /// The memberships that ended by the deletion of a user, and have not begun again.
    async fn past(
        &self,
        call: Call<'_>,
        id: &ResourceId,
        departure: Departure,
    ) -> Result<Vec<PastMemberships>, Error> {
        let (tenant, now) = (call.tenant.key(), self.clock.seconds());
        Ok(self.store.past_memberships(&tenant, id, departure.version, now).await?)
    }

    /// Makes a user a member of these groups again, and no longer keeps what is done.
    async fn rejoin(
        &self,
        call: Call<'_>,
        user: &ResourceId,
        past: Vec<PastMemberships>,
        without_groups: bool,
    ) -> Result<RestoredGroups, Error> {
        let mut restored = RestoredGroups::default();
        for part in past {
            for group in part.groups.iter().filter(|_| !without_groups) {
                if self.join_again(call, user, group).await? {
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
    ) -> Result<bool, Error> {
        let groups = call.tenant.types.iter().find(|served| served.kind == Kind::Group);
        let Some(groups) = groups else { return Ok(false) };
        let kind = Some(MemberType::User);
        let joins = MemberChange::Add(Member { value: user.clone(), kind, display: None });
        let mut terms = Terms::of_stored(call, groups);
        match self.move_members(&mut terms, Operation::Restore, group, vec![joins]).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// What the operator's restore asserts of a user: that it is active if it was, and perhaps another
/// name.
fn asserted(departure: Option<Departure>, user_name: Option<&str>) -> Attributes {
    let mut asserted = Attributes::default();
    if departure.is_some_and(|departure| departure.standing.active) {
        asserted.set("active", Value::Bool(true));
    }
    if let Some(name) = user_name {
        asserted.set("userName", Value::String(name.to_owned()));
    }
    asserted
}
