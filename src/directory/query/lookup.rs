//! The indexes: which resources satisfy an equality of a filter, found without reading the others.

use std::collections::{BTreeMap, BTreeSet};

use scim_core::Equality;
use scim_core::{Error, ResourceId};

use crate::directory::context::{Call, Directory};
use crate::directory::limits::{MAX_MEMBERS_LOOKED_UP, MAX_SCANNED};
use crate::directory::price::Price;
use crate::store::{Collection, Kind, Listed, StoreError, Stored};
use crate::tenant::ServedType;

/// What one equality costs before its resources are read, including what the page needs.
const PRICE_OF_AN_EQUALITY: Price = Price::new(60, 600);

/// What the indexes found.
#[derive(Debug, Default)]
pub(super) struct LookedUp {
    /// The resources by the keys of their rows, which is the order of lists. If the row was read,
    /// it is included.
    pub(super) candidates: BTreeMap<String, (ResourceId, Option<Listed>)>,
    /// The values of `members` or `groups` for which all owners were found.
    pub(super) values: BTreeSet<ResourceId>,
    /// Which of these values each resource has.
    pub(super) having: BTreeMap<ResourceId, Vec<ResourceId>>,
}

impl Directory {
    /// The resources that satisfy at least one of the equalities; `None` if there are too many to
    /// read one by one.
    pub(super) async fn look_up(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        equalities: &[Equality],
    ) -> Result<Option<LookedUp>, Error> {
        let mut found = LookedUp::default();
        for equality in equalities {
            if !PRICE_OF_AN_EQUALITY.is_affordable()
                || !self.look_up_one(call, resource_type, equality, &mut found).await?
            {
                return Ok(None);
            }
            if found.candidates.len() > MAX_SCANNED {
                return Ok(None);
            }
        }
        Ok(Some(found))
    }

    /// Adds the resources that satisfy one equality; `false` if there are too many.
    async fn look_up_one(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        Equality { attribute, value }: &Equality,
        found: &mut LookedUp,
    ) -> Result<bool, Error> {
        match (attribute.as_str(), value.parse()) {
            ("members.value", Ok(member)) => self.add_groups_of(call, member, found).await,
            ("groups.value", Ok(group)) => self.add_users_in(call, group, found).await,
            // A text that cannot be an id is in no group, and has no members.
            ("members.value" | "groups.value", Err(())) => Ok(true),
            _ => {
                let named = self.by_index(call, resource_type, attribute, value).await?;
                let Some(named) = named else { return Ok(false) };
                let (collection, now) =
                    (call.collection(&resource_type.kind), self.clock.seconds());
                let visible = named.into_iter().filter(|resource| resource.is_visible(now));
                let listed = visible.map(|resource| Listed::of(&collection, resource));
                found
                    .candidates
                    .extend(listed.map(|row| (row.key.clone(), (row.id.clone(), Some(row)))));
                Ok(true)
            }
        }
    }

    /// The resources with this value, from the index of the attribute; `None` if there are too
    /// many.
    async fn by_index(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        attribute: &str,
        value: &str,
    ) -> Result<Option<Vec<Stored>>, StoreError> {
        let (collection, now) = (call.collection(&resource_type.kind), self.clock.seconds());
        let form = resource_type.definition.canonical_name(value).ok();
        match (attribute, form) {
            ("id", _) => match value.parse() {
                Ok(id) => self
                    .store
                    .resource(&collection, &id, now)
                    .await
                    .map(|one| Some(Vec::from_iter(one))),
                Err(()) => Ok(Some(Vec::new())),
            },
            ("externalId", _) => self.store.by_external_id(&collection, value, now).await,
            ("emails.value", form) => {
                self.store.by_email(&collection, value, form.as_deref(), now).await
            }
            (_, Some(form)) => self.store.by_name(&collection, &form, now).await,
            // A name that cannot be stored has no owner.
            (_, None) => Ok(Some(Vec::new())),
        }
    }

    /// Adds the groups of a member; `false` if there are too many.
    async fn add_groups_of(
        &self,
        call: Call<'_>,
        member: ResourceId,
        found: &mut LookedUp,
    ) -> Result<bool, Error> {
        let (groups, gone) = tokio::try_join!(self.memberships(call, &member), self.gone(call))?;
        let Some(groups) = groups else { return Ok(false) };
        if !gone.contains(&member) {
            found.add(&call.collection(&Kind::Group), groups, &member);
        }
        found.values.insert(member);
        Ok(true)
    }

    /// Adds the members of a group; `false` if there are too many.
    async fn add_users_in(
        &self,
        call: Call<'_>,
        group: ResourceId,
        found: &mut LookedUp,
    ) -> Result<bool, Error> {
        let key = call.tenant.key();
        let members = self.store.some_members(&key, &group, MAX_MEMBERS_LOOKED_UP + 1).await?;
        if members.len() > MAX_MEMBERS_LOOKED_UP {
            return Ok(false);
        }
        let users = members.into_iter().map(|member| member.value).collect();
        found.add(&call.collection(&Kind::User), users, &group);
        found.values.insert(group);
        Ok(true)
    }
}

impl LookedUp {
    fn add(&mut self, collection: &Collection, ids: Vec<ResourceId>, value: &ResourceId) {
        for id in ids {
            self.having.entry(id.clone()).or_default().push(value.clone());
            self.candidates.entry(collection.key(&id)).or_insert((id, None));
        }
    }
}
