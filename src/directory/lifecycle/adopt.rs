//! How people whom the product had before become provisioned: a POST adopts the user that was
//! imported.

use scim_core::resource::Attributes;
use scim_core::{Error, Resource, ResourceId};

use super::conflict::{TRIES, another_owner, any_name, contended, uniqueness_error};
use super::identity::merged;
use super::states::Step;
use crate::directory::context::{Call, Directory};
use crate::directory::policy::seats::without_seat;
use crate::directory::resource::names_of;
use crate::store::{
    Collection, Kind, MatchBy, Names, Operation, Outcome, OwnerState, ResourceWrite, State, Stored,
    Target, Transition,
};
use crate::tenant::ServedType;
use crate::tenant::profile::{Deleted, Existing, LinkOn};

impl Directory {
    /// Removes an imported user whom the identity provider has not provisioned.
    ///
    /// # Errors
    /// 404 if there is no such imported user; 503.
    pub async fn forget(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &ResourceId,
    ) -> Result<(), Error> {
        let collection = call.collection(&resource_type.kind);
        let audit = self.audit(call, Operation::Delete);
        for _ in 0..TRIES {
            let old = self.store.resource(&collection, id, audit.now).await?;
            let Some(old) = old.filter(|old| old.state == State::Unmanaged) else {
                return Err(Error::not_found(
                    "There is no imported user with this id who waits to be provisioned.",
                ));
            };
            if matches!(
                self.store
                    .commit(Transition::new(
                        &collection,
                        Some(&old),
                        Target::Gone,
                        &audit,
                        self.guards(call)
                    ))
                    .await?,
                Outcome::Committed
            ) {
                return Ok(());
            }
        }
        Err(contended())
    }

    /// Adopts the imported user that a new user's names stand for, with its id and data under what
    /// the message asserts; `None` if there is none, or if somebody visible has the userName. Up to
    /// three reads in a row, and only where the profile links; some more where only an address says
    /// who it is.
    ///
    /// # Errors
    /// 409 if several imported users have these names, or somebody else has one of them; 403
    /// without a seat.
    pub(in crate::directory) async fn adopt_imported(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        names: &Names,
        asserted: &Attributes,
    ) -> Result<Option<Resource>, Error> {
        let policy = &call.tenant.profile.create;
        if resource_type.kind != Kind::User || policy.existing != Existing::Link {
            return Ok(None);
        }
        let ways = policy.link_on.iter().map(|way| match way {
            LinkOn::ExternalId => MatchBy::ExternalId,
            LinkOn::UserName => MatchBy::Name,
            LinkOn::Email => MatchBy::Email,
        });
        let ways: Vec<MatchBy> = ways.collect();
        let collection = call.collection(&resource_type.kind);
        let audit = self.audit(call, Operation::Link);
        let mut asserted = asserted.clone();
        let mut takeover = any_name();
        for _ in 0..TRIES {
            let found = self.store.unmanaged(&collection, names, &ways).await?;
            let by_email = |user: &Stored| {
                let known = user.names();
                known.name() != names.name() && !known.shares_external_id(names)
            };
            // An address is a weaker sign than to have been here under these names.
            if found.iter().all(by_email)
                && !found.is_empty()
                && self.brings_back(call, &collection, names).await?
            {
                return Ok(None);
            }
            let [old] = found.as_slice() else {
                return match found.is_empty() || self.is_visible(&collection, names).await? {
                    true => Ok(None),
                    false => Err(Error::uniqueness(
                        "Several users that the product had before have this e-mail address; its \
                        operator must say which one is meant, by removing the others.",
                    )),
                };
            };
            let attributes = merged(resource_type, old, &asserted)?;
            let names = names_of(resource_type, &attributes)?;
            let resource = self.next_version(old, attributes);
            let new = ResourceWrite { resource: &resource, names: &names, takeover, expires: None };
            match self
                .store
                .commit(Transition::new(
                    &collection,
                    Some(old),
                    Target::Live(new),
                    &audit,
                    self.guards(call),
                ))
                .await?
            {
                Outcome::Committed => return Ok(Some(resource)),
                // Perhaps somebody whose clock a POST stops.
                Outcome::Refused(refusal)
                    if matches!(refusal.owners.name, Some((_, OwnerState::Live))) =>
                {
                    return Ok(None);
                }
                Outcome::Refused(refusal) => {
                    uniqueness_error(resource_type, &names, &refusal)?;
                    another_owner(call, resource_type, &mut takeover, &refusal)?;
                    if refusal.no_seat {
                        without_seat(&call.tenant.profile, &mut asserted)?;
                    }
                }
            }
        }
        Err(contended())
    }

    /// Whether a POST of these names brings somebody back who was deleted, or is about to expire.
    async fn brings_back(
        &self,
        call: Call<'_>,
        collection: &Collection,
        names: &Names,
    ) -> Result<bool, Error> {
        let now = self.clock.seconds();
        let owners = self.store.holders(collection, names, now).await?;
        for owners in [&owners.name, &owners.external_id] {
            let Some((owner, OwnerState::Live)) =
                owners.as_ref().filter(|_| call.tenant.is_expiring())
            else {
                continue;
            };
            let user = self.store.resource(collection, owner, now).await?;
            if let Some(user) = user.filter(|user| self.step_of(user, names) == Step::Return)
                && (user.names().name() == names.name()
                    || self.owns_alone(collection, owner, names).await?)
            {
                return Ok(true);
            }
        }
        if call.tenant.profile.create.deleted == Deleted::New {
            return Ok(false);
        }
        Ok(self.deleted_match(collection, names, &owners).await?.is_some())
    }

    /// Whether somebody visible has the name.
    async fn is_visible(&self, collection: &Collection, names: &Names) -> Result<bool, Error> {
        let Some(name) = names.name() else { return Ok(false) };
        let found = self.store.by_name(collection, name, self.clock.seconds()).await?;
        Ok(found.is_none_or(|found| !found.is_empty()))
    }
}
