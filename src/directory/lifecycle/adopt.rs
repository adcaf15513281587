//! How imported users become provisioned: a POST adopts the user who existed in the product before.

use scim_core::resource::Attributes;
use scim_core::{Error, Resource};

use super::candidates::{adoptable, link_keys, matched_on};
use super::conflict::{Attempt, Terms};
use super::identity::{Assertion, merged};
use super::states::Step;
use crate::directory::context::{Call, Directory};
use crate::directory::resource::names_of;
use crate::reason::Reason;
use crate::store::{
    Collection, Detail, Names, Operation, Outcome, OwnerState, Stored, Target, Transition,
};
use crate::tenant::profile::Deleted;

/// What happened to an attempt to adopt a user.
enum Adoption {
    Done(Box<Resource>),
    /// A visible user has the userName. It may be a user whose clock the POST stops.
    NameTaken,
    /// The attempt may be repeated.
    Refused,
}

impl Directory {
    /// Adopts the imported user whom the names in a POST identify. The user keeps its id and its
    /// data, overlaid by what the message asserts. `None` if no imported user matches, or if a
    /// visible user has the userName. It takes up to three reads in sequence, and only if the
    /// profile links. It takes a few more if only an address identifies the user.
    ///
    /// # Errors
    /// 409 if several imported users match, or another user has one of the names; 403 without a
    /// seat; 503.
    pub(in crate::directory) async fn adopt_imported(
        &self,
        post: Assertion<'_>,
    ) -> Result<Option<Resource>, Error> {
        let Assertion { call, resource_type, names, attributes } = post;
        if !resource_type.is_user() || link_keys(&call.tenant.profile).is_empty() {
            return Ok(None);
        }
        let collection = post.collection();
        let mut asserted = attributes.clone();
        let mut terms = Terms::of_stored(call, resource_type);
        loop {
            terms.next_try()?;
            let profile = &call.tenant.profile;
            let found = adoptable(&self.store, profile, &collection, names).await?;
            let Some(old) = self.only_match(call, &collection, names, &found).await? else {
                return Ok(None);
            };
            match self.adopt(&mut terms, old, names, &mut asserted).await? {
                Adoption::Done(user) => return Ok(Some(*user)),
                Adoption::NameTaken => return Ok(None),
                Adoption::Refused => {}
            }
        }
    }

    /// Tries to store an imported user as provisioned.
    async fn adopt(
        &self,
        terms: &mut Terms<'_>,
        old: &Stored,
        posted: &Names,
        asserted: &mut Attributes,
    ) -> Result<Adoption, Error> {
        let (call, resource_type) = (terms.call, terms.resource_type);
        let collection = call.collection(&resource_type.kind);
        let attributes = merged(resource_type, old, asserted)?;
        let names = names_of(resource_type, &attributes)?;
        let matched = matched_on(&call.tenant.profile, old.names(), posted);
        let audit = self
            .audit(call, Operation::Link)
            .with(Detail { matched_on: Some(matched), ..terms.detail() });
        let resource = self.next_version(old, attributes);
        let to = Target::Live(terms.write(&resource, &names, None));
        let change = Transition::new(&collection, Some(old), to, &audit, self.guards(call));
        match self.store.commit(change).await? {
            Outcome::Committed => Ok(Adoption::Done(Box::new(resource))),
            Outcome::Refused(refusal)
                if matches!(refusal.owners.name, Some((_, OwnerState::Live))) =>
            {
                Ok(Adoption::NameTaken)
            }
            Outcome::Refused(refusal) => {
                let entering = Some(asserted);
                let attempt = Attempt { entering, ..Attempt::of(&resource.id, &names) };
                self.yield_to(terms, attempt, refusal).await?;
                Ok(Adoption::Refused)
            }
        }
    }

    /// The one imported user to adopt among those `found`; `None` if the POST is for another user.
    ///
    /// # Errors
    /// 409 if there are several.
    async fn only_match<'f>(
        &self,
        call: Call<'_>,
        collection: &Collection,
        names: &Names,
        found: &'f [Stored],
    ) -> Result<Option<&'f Stored>, Error> {
        let by_email = |user: &Stored| {
            let known = user.names();
            known.name() != names.name() && !known.shares_external_id(names)
        };
        // An address is weaker evidence than a former user with these names.
        if found.iter().all(by_email)
            && !found.is_empty()
            && self.brings_back(call, collection, names).await?
        {
            return Ok(None);
        }
        match found {
            [] => Ok(None),
            [old] => Ok(Some(old)),
            _ if self.is_name_taken(collection, names).await? => Ok(None),
            _ => Err(Reason::AmbiguousUser.error().at("emails")),
        }
    }

    /// Whether a POST with these names restores a user who was deleted, or is about to expire.
    async fn brings_back(
        &self,
        call: Call<'_>,
        collection: &Collection,
        names: &Names,
    ) -> Result<bool, Error> {
        let now = self.clock.seconds();
        let owners = self.store.holders(collection, names, now).await?;
        for owner in [&owners.name, &owners.external_id] {
            let Some((owner, OwnerState::Live)) =
                owner.as_ref().filter(|_| call.tenant.is_expiring())
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
}
