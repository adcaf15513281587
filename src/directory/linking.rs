//! How people whom the product had before become provisioned: a POST adopts the user that was
//! imported.

use scim_core::resource::Attributes;
use scim_core::{Error, Resource, ResourceId};

use super::life::Step;
use super::returning::laid_over;
use super::{Call, Directory, TRIES, another_owner, busy, checked, lifecycle, policy, refuse};
use crate::store::{Collection, Holding, Names, New, Operation, State, Stored, Way, Wrote};
use crate::tenant::profile::{Deleted, Existing, LinkOn};
use crate::tenant::{Type, unanswered};

impl Directory {
    /// Removes an imported user whom the identity provider has not provisioned.
    ///
    /// # Errors
    /// 404 if there is no such imported user; 503.
    pub async fn forget(&self, call: Call<'_>, of: &Type, id: &ResourceId) -> Result<(), Error> {
        let at = call.collection(&of.kind);
        let act = self.act(call, Operation::Delete);
        for _ in 0..TRIES {
            let old = self.store.resource(&at, id, act.now).await.map_err(unanswered)?;
            let Some(old) = old.filter(|old| old.state == State::Unmanaged) else {
                return Err(Error::not_found(
                    "There is no imported user with this id who waits to be provisioned.",
                ));
            };
            if matches!(
                self.store.forget(&at, &old, &act).await.map_err(unanswered)?,
                Wrote::Stored
            ) {
                return Ok(());
            }
        }
        Err(busy())
    }

    /// Adopts the imported user that a new user's names stand for, with its id and data under what
    /// the message asserts; `None` if there is none, or if somebody visible has the userName. Up to
    /// three reads in a row, and only where the profile links; some more where only an address says
    /// who it is.
    ///
    /// # Errors
    /// 409 if several imported users have these names, or somebody else has one of them; 403
    /// without a seat.
    pub(super) async fn linked(
        &self,
        call: Call<'_>,
        of: &Type,
        names: &Names,
        asserted: &Attributes,
    ) -> Result<Option<Resource>, Error> {
        let policy = &call.tenant.profile.create;
        if of.kind != crate::store::Kind::User || policy.existing != Existing::Link {
            return Ok(None);
        }
        let ways = policy.link_on.iter().map(|way| match way {
            LinkOn::ExternalId => Way::ExternalId,
            LinkOn::UserName => Way::Name,
            LinkOn::Email => Way::Email,
        });
        let ways: Vec<Way> = ways.collect();
        let at = call.collection(&of.kind);
        let act = self.act(call, Operation::Link);
        let mut asserted = asserted.clone();
        let mut taking = lifecycle::any_name();
        for _ in 0..TRIES {
            let found = self.store.unmanaged(&at, names, &ways).await.map_err(unanswered)?;
            let by_email = |user: &Stored| {
                let known = user.names();
                known.name() != names.name() && !known.shares_external_id(names)
            };
            // An address is a weaker sign than to have been here under these names.
            if found.iter().all(by_email)
                && !found.is_empty()
                && self.brings_back(call, &at, names).await?
            {
                return Ok(None);
            }
            let [old] = found.as_slice() else {
                return match found.is_empty() || self.is_visible(&at, names).await? {
                    true => Ok(None),
                    false => Err(Error::uniqueness(
                        "Several users that the product had before have this e-mail address; its \
                        operator must say which one is meant, by removing the others.",
                    )),
                };
            };
            let attributes = laid_over(of, old, &asserted)?;
            let names = checked(of, &attributes)?;
            let resource = self.next_version(old, attributes);
            let new = New { resource: &resource, names: &names, taking, expires: None };
            match self.store.link(&at, old, new, &act).await.map_err(unanswered)? {
                Wrote::Stored => return Ok(Some(resource)),
                // Perhaps somebody whose clock a POST stops.
                Wrote::Refused(refusal)
                    if matches!(refusal.held.name, Some((_, Holding::Live))) =>
                {
                    return Ok(None);
                }
                Wrote::Refused(refusal) => {
                    refuse(of, &names, &refusal)?;
                    another_owner(call, of, &mut taking, &refusal)?;
                    if refusal.full {
                        policy::without_seat(&call.tenant.profile, &mut asserted)?;
                    }
                }
            }
        }
        Err(busy())
    }

    /// Whether a POST of these names brings somebody back who was deleted, or is about to expire.
    async fn brings_back(
        &self,
        call: Call<'_>,
        at: &Collection,
        names: &Names,
    ) -> Result<bool, Error> {
        let now = self.clock.seconds();
        let held = self.store.holders(at, names, now).await.map_err(unanswered)?;
        for held in [&held.name, &held.external_id] {
            let Some((owner, Holding::Live)) = held.as_ref().filter(|_| call.tenant.is_expiring())
            else {
                continue;
            };
            let user = self.store.resource(at, owner, now).await.map_err(unanswered)?;
            if let Some(user) = user.filter(|user| self.step_of(user, names) == Step::Return)
                && (user.names().name() == names.name() || self.has_alone(at, owner, names).await?)
            {
                return Ok(true);
            }
        }
        if call.tenant.profile.create.deleted == Deleted::New {
            return Ok(false);
        }
        Ok(self.leaver(at, names, &held).await?.is_some())
    }

    /// Whether somebody visible has the name.
    async fn is_visible(&self, at: &Collection, names: &Names) -> Result<bool, Error> {
        let Some(name) = names.name() else { return Ok(false) };
        let found = self.store.by_name(at, name, self.clock.seconds()).await.map_err(unanswered)?;
        Ok(found.is_none_or(|found| !found.is_empty()))
    }
}
