//! Users who have, or had, the names of a new user: deleted, imported or visible.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use scim_core::ResourceId;

use super::owners::{MAX_OWNERS, OwnerFilter, Owners};
use crate::store::engine::client::Store;
use crate::store::engine::error::StoreError;
use crate::store::engine::item::Key;
use crate::store::model::collection::Collection;
use crate::store::model::names::{Names, email_form};
use crate::store::model::refusal::NameOwners;
use crate::store::model::stage::Stage;
use crate::store::model::stored::Stored;
use crate::store::rows::pointers::owner;

/// How many names are looked up in parallel.
const CONCURRENCY: usize = 16;

/// The name by which an imported user is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum MatchBy {
    ExternalId,
    Name,
    Email,
}

impl Store {
    /// Deleted users with this externalId who can be restored. At most 50 are looked at, among the
    /// first 200 users who have it.
    pub async fn restorable_by_external_id(
        &self,
        collection: &Collection,
        external_id: &str,
        now: i64,
    ) -> Result<Vec<Stored>, StoreError> {
        let prefix = collection.external_id(external_id);
        let partition = collection.tenant.external_ids();
        let owners = self.owners(&partition, &prefix, OwnerFilter::Deleted(now)).await?;
        let ids = owners.ids.into_iter().take(MAX_OWNERS).collect();
        let mut users = self.resources(collection, ids, now).await?;
        users.retain(|user| {
            user.is_restorable(now) && user.names.external_id.as_deref() == Some(external_id)
        });
        Ok(users)
    }

    /// A deleted user who can be restored and has this name or externalId. Up to two calls.
    pub async fn restorable(
        &self,
        collection: &Collection,
        names: &Names,
        now: i64,
    ) -> Result<Option<ResourceId>, StoreError> {
        let keys = name_key(collection, names).into_iter();
        for Key { p, s } in keys.chain(external_id_key(collection, names)) {
            let mut owners = self.owners(&p, &s, OwnerFilter::Deleted(now)).await?;
            if let Some(id) = owners.ids.pop() {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// The owner of this name and the first owner of this externalId, whatever happened to them.
    /// Two calls in parallel.
    pub async fn holders(
        &self,
        collection: &Collection,
        names: &Names,
        now: i64,
    ) -> Result<NameOwners, StoreError> {
        let owner_of = async |key: Option<Key>| {
            let Some(key) = key else { return Ok(None) };
            let row = self.get(key).await?.filter(|row| !row.is_expired(now));
            Ok::<_, StoreError>(row.as_ref().and_then(owner))
        };
        let (name, external_id) = tokio::try_join!(
            owner_of(name_key(collection, names)),
            owner_of(external_id_key(collection, names))
        )?;
        Ok(NameOwners { name, external_id })
    }

    /// The users in any state whom a text names: `names` has it as the userName, and as the
    /// externalId. The userName decides, or else the externalId, or else the e-mail address. Makes
    /// up to three calls, and one for sixteen users.
    pub async fn known_as(
        &self,
        collection: &Collection,
        names: &Names,
        now: i64,
    ) -> Result<Vec<Stored>, StoreError> {
        for way in [MatchBy::Name, MatchBy::ExternalId, MatchBy::Email] {
            let mut ids = BTreeSet::new();
            for Key { p, s } in match_keys(collection, names, way) {
                ids.extend(self.owners(&p, &s, OwnerFilter::Any(now)).await?.ids);
            }
            let ids = ids.into_iter().take(MAX_OWNERS).collect();
            let mut users = self.resources(collection, ids, now).await?;
            users.retain(|user| matches(user, names, way));
            if !users.is_empty() {
                return Ok(users);
            }
        }
        Ok(Vec::new())
    }

    /// The imported users that the product knows by these names. The first of `ways` that finds a
    /// user decides. Makes one call for each name, and one for each user.
    pub async fn unmanaged(
        &self,
        collection: &Collection,
        names: &Names,
        ways: &[MatchBy],
    ) -> Result<Vec<Stored>, StoreError> {
        for way in ways {
            let each =
                stream::iter(match_keys(collection, names, *way)).map(|Key { p, s }| async move {
                    self.owners(&p, &s, OwnerFilter::Unmanaged).await
                });
            let owners: Vec<Owners> = each.buffered(CONCURRENCY).try_collect().await?;
            let ids: BTreeSet<ResourceId> =
                owners.into_iter().flat_map(|owners| owners.ids).collect();
            let ids = ids.into_iter().take(MAX_OWNERS).collect();
            let mut users = self.resources(collection, ids, 0).await?;
            users.retain(|user| user.state == Stage::Unmanaged);
            if !users.is_empty() {
                return Ok(users);
            }
        }
        Ok(Vec::new())
    }
}

/// Whether a user has the name that one way of matching compares.
fn matches(user: &Stored, names: &Names, way: MatchBy) -> bool {
    match way {
        MatchBy::Name => user.names.name == names.name,
        MatchBy::ExternalId => user.names.shares_external_id(names),
        MatchBy::Email => {
            names.name.as_ref().is_some_and(|name| user.names.emails.contains(&email_form(name)))
        }
    }
}

/// The key of the row by which a name is held.
fn name_key(collection: &Collection, names: &Names) -> Option<Key> {
    let name = names.name.as_ref();
    name.map(|name| Key::new(collection.partition(), collection.claim(name, None)))
}

/// The key of the row of an externalId's first owner.
fn external_id_key(collection: &Collection, names: &Names) -> Option<Key> {
    let id = names.external_id.as_ref();
    id.map(|id| Key::new(collection.tenant.external_ids(), collection.external_id(id)))
}

/// The keys of the rows that lead to the users whom `way` finds.
fn match_keys(collection: &Collection, names: &Names, way: MatchBy) -> Vec<Key> {
    match way {
        MatchBy::ExternalId => external_id_key(collection, names).into_iter().collect(),
        MatchBy::Name => name_key(collection, names).into_iter().collect(),
        MatchBy::Email => {
            let emails = names.emails.iter().chain(&names.name).map(|email| email_form(email));
            let key =
                |form: String| Key::new(collection.tenant.emails(), collection.email_prefix(&form));
            emails.map(key).collect()
        }
    }
}
