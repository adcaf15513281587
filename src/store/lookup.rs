//! Finding resources by their names.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use scim_core::ResourceId;

use super::batch_get::Size;
use super::item::Item;
use super::keys::{Collection, Kind, TenantKey};
use super::refusal::{NameOwners, holder};
use super::resources::{Names, State, Stored, email_form};
use super::{CONCURRENCY, Query, Rows, Store, StoreError};

/// Most resources that are read one by one because they share a name.
const MAX_OWNERS: usize = 50;
/// Most rows that a name is looked for in: those of its owners now and before.
const MAX_ROWS: usize = 500;
/// Most pointers of one value that are read, those to former owners included.
const MAX_POINTERS: usize = 200;

impl Store {
    /// The visible resources of this name, in the form in which names are compared: one, or several
    /// where names are not unique; `None` if there are over 50. One call, or one more for each that
    /// was renamed since it was created.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn by_name(
        &self,
        collection: &Collection,
        form: &str,
        now: i64,
    ) -> Result<Option<Vec<Stored>>, StoreError> {
        let claim = collection.claim(form, None);
        // Claims come first; an owner that is not among the first rows is read by its id.
        let (partition, prefix) = (collection.rows(), collection.name_prefix(form));
        let (rows, more) = self
            .query(Query {
                limit: Some(MAX_ROWS),
                ..Query::of(Rows::Beginning(&partition, &prefix))
            })
            .await?;
        let claims =
            rows.iter().filter(|row| row.s().starts_with(&claim) && leads_to_visible(row, now));
        let owners: BTreeSet<ResourceId> =
            claims.filter_map(|claim| claim.text("i")?.parse().ok()).collect();
        if owners.len() > MAX_OWNERS {
            return Ok(None);
        }
        let mut found = Stored::read_all(&rows)?;
        if more.is_some() {
            // The last one may lack some of its heads.
            found.pop();
        }
        found.retain(|resource| owners.contains(&resource.resource.id));
        let here = |id: &ResourceId| found.iter().any(|resource| resource.resource.id == *id);
        let elsewhere: Vec<ResourceId> = owners.into_iter().filter(|id| !here(id)).collect();
        found.extend(self.resources(collection, elsewhere, now).await?);
        found.retain(|resource| {
            resource.is_visible(now) && resource.names.name.as_deref() == Some(form)
        });
        Ok(Some(found))
    }

    /// The visible resources with this externalId: usually one, since it is not unique by the RFC;
    /// `None` if there are over 50, or were over 200. Two calls for one resource.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn by_external_id(
        &self,
        collection: &Collection,
        external_id: &str,
        now: i64,
    ) -> Result<Option<Vec<Stored>>, StoreError> {
        let (ids, all) = self
            .owners(
                &collection.tenant.external_ids(),
                &collection.external_id(external_id),
                OwnerFilter::Visible(now),
            )
            .await?;
        if !all || ids.len() > MAX_OWNERS {
            return Ok(None);
        }
        let mut found = self.resources(collection, ids, now).await?;
        found.retain(|found| {
            found.is_visible(now) && found.names.external_id.as_deref() == Some(external_id)
        });
        Ok(Some(found))
    }

    /// Deleted users with this externalId that can be brought back; at most 50 are looked at, among
    /// the first 200 who have it.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn restorable_by_external_id(
        &self,
        collection: &Collection,
        external_id: &str,
        now: i64,
    ) -> Result<Vec<Stored>, StoreError> {
        let prefix = collection.external_id(external_id);
        let (mut ids, _) = self
            .owners(&collection.tenant.external_ids(), &prefix, OwnerFilter::Deleted(now))
            .await?;
        ids.truncate(MAX_OWNERS);
        let mut users = self.resources(collection, ids, now).await?;
        users.retain(|user| {
            user.is_restorable(now) && user.names.external_id.as_deref() == Some(external_id)
        });
        Ok(users)
    }

    /// Somebody who was deleted, can be brought back, and has this name or externalId. Two calls.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn restorable(
        &self,
        collection: &Collection,
        names: &Names,
        now: i64,
    ) -> Result<Option<ResourceId>, StoreError> {
        for (p, s) in
            name_row(collection, names).into_iter().chain(external_id_row(collection, names))
        {
            if let Some(id) = self.owners(&p, &s, OwnerFilter::Deleted(now)).await?.0.pop() {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Who holds this name and who, as its first owner, this externalId, whatever became of them.
    /// Two calls side by side.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn holders(
        &self,
        collection: &Collection,
        names: &Names,
        now: i64,
    ) -> Result<NameOwners, StoreError> {
        let held = async |key: Option<(String, String)>| {
            let Some((p, s)) = key else { return Ok(None) };
            let row = self.get(&p, &s).await?.filter(|row| !row.is_expired(now));
            Ok::<_, StoreError>(row.as_ref().and_then(holder))
        };
        let (name, external_id) = tokio::try_join!(
            held(name_row(collection, names)),
            held(external_id_row(collection, names))
        )?;
        Ok(NameOwners { name, external_id })
    }

    /// The imported users that the product knows by these names, by the first of `ways` that finds
    /// one. One call for each name, and one for each user.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn unmanaged(
        &self,
        collection: &Collection,
        names: &Names,
        ways: &[MatchBy],
    ) -> Result<Vec<Stored>, StoreError> {
        for way in ways {
            let mut keys: Vec<(String, String)> = Vec::new();
            match way {
                MatchBy::ExternalId => {
                    let external_id = names.external_id.as_ref();
                    keys.extend(
                        external_id.map(|id| {
                            (collection.tenant.external_ids(), collection.external_id(id))
                        }),
                    );
                }
                MatchBy::Name => keys.extend(
                    names
                        .name
                        .as_ref()
                        .map(|name| (collection.rows(), collection.claim(name, None))),
                ),
                MatchBy::Email => {
                    let emails = names.emails.iter().chain(&names.name);
                    keys.extend(emails.map(|email| {
                        (collection.tenant.emails(), collection.email_prefix(&email_form(email)))
                    }));
                }
            }
            let each = stream::iter(keys)
                .map(|(p, s)| async move { self.owners(&p, &s, OwnerFilter::Unmanaged).await });
            let ids: Vec<(Vec<ResourceId>, bool)> =
                each.buffered(CONCURRENCY).try_collect().await?;
            let ids: BTreeSet<ResourceId> = ids.into_iter().flat_map(|(ids, _)| ids).collect();
            let mut users =
                self.resources(collection, ids.into_iter().take(MAX_OWNERS).collect(), 0).await?;
            users.retain(|user| user.state == State::Unmanaged);
            if !users.is_empty() {
                return Ok(users);
            }
        }
        Ok(Vec::new())
    }

    /// The visible users with this e-mail address in any spelling, be it their userName (whose form
    /// is `name`) or one of `emails`; `None` if there are over 50. Three calls for one user, two in
    /// a row.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn by_email(
        &self,
        collection: &Collection,
        email: &str,
        name: Option<&str>,
        now: i64,
    ) -> Result<Option<Vec<Stored>>, StoreError> {
        let named = async {
            match name {
                Some(name) => self.by_name(collection, name, now).await,
                None => Ok(Some(Vec::new())),
            }
        };
        let form = email_form(email);
        let (pointed, named) = tokio::try_join!(self.by_pointer(collection, &form, now), named)?;
        let (Some(mut users), Some(named)) = (pointed, named) else { return Ok(None) };
        let new = named
            .into_iter()
            .filter(|named| users.iter().all(|user| user.resource.id != named.resource.id));
        users.extend(new.collect::<Vec<_>>());
        Ok(Some(users))
    }

    /// The visible users with this e-mail address that is not their userName.
    async fn by_pointer(
        &self,
        collection: &Collection,
        form: &str,
        now: i64,
    ) -> Result<Option<Vec<Stored>>, StoreError> {
        let (ids, all) = self
            .owners(
                &collection.tenant.emails(),
                &collection.email_prefix(form),
                OwnerFilter::Visible(now),
            )
            .await?;
        if !all || ids.len() > MAX_OWNERS {
            return Ok(None);
        }
        let mut users = self.resources(collection, ids, now).await?;
        users.retain(|user| {
            user.is_visible(now) && user.names.emails.iter().any(|email| email == form)
        });
        Ok(Some(users))
    }

    /// Whom the first 200 pointer rows under a prefix name, and whether these are all rows. A
    /// pointer says what became of its owner, so those who are not wanted need not be read.
    async fn owners(
        &self,
        partition: &str,
        prefix: &str,
        of: OwnerFilter,
    ) -> Result<(Vec<ResourceId>, bool), StoreError> {
        let (rows, all) =
            self.query_some(Query::of(Rows::Beginning(partition, prefix)), MAX_POINTERS).await?;
        let wanted = rows.iter().filter(|row| match of {
            OwnerFilter::Visible(now) => leads_to_visible(row, now),
            OwnerFilter::Deleted(now) => row.text("st") == Some("deleted") && !row.is_expired(now),
            OwnerFilter::Unmanaged => row.text("st") == Some("unmanaged"),
        });
        let ids: BTreeSet<ResourceId> =
            wanted.filter_map(|row| row.text("i")?.parse().ok()).collect();
        Ok((ids.into_iter().collect(), all))
    }

    /// The resources with these ids that are there, in this order. A group takes a call, since its
    /// heads are read with it; of all others sixteen take one.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn resources(
        &self,
        collection: &Collection,
        ids: Vec<ResourceId>,
        now: i64,
    ) -> Result<Vec<Stored>, StoreError> {
        if collection.kind == Kind::Group {
            let each = stream::iter(ids)
                .map(|id| async move { self.resource(collection, &id, now).await });
            let found: Vec<Option<Stored>> = each.buffered(CONCURRENCY).try_collect().await?;
            return Ok(found.into_iter().flatten().collect());
        }
        let key = |id: &ResourceId| (collection.rows(), collection.key(id));
        let rows = self.get_many(ids.iter().map(key), Size::Any, None).await?;
        let found = ids.iter().filter_map(|id| rows.get(&key(id))).map(Stored::read);
        found.filter(|found| found.as_ref().map_or(true, |found| found.is_there(now))).collect()
    }

    /// Which of these resources are visible, by their ids; those that were deleted, and could come
    /// back, are not. One call for sixteen.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn visibility(
        &self,
        collection: &Collection,
        ids: impl IntoIterator<Item = &ResourceId>,
        now: i64,
    ) -> Result<BTreeMap<ResourceId, bool>, StoreError> {
        let keys: BTreeMap<(String, String), &ResourceId> =
            ids.into_iter().map(|id| ((collection.rows(), collection.key(id)), id)).collect();
        let rows = self.get_many(keys.keys().cloned(), Size::Any, Some("p, s, st, x")).await?;
        let there = rows.iter().filter(|(_, row)| !row.is_expired(now));
        let visible =
            there.filter_map(|(key, row)| Some((*keys.get(key)?, State::of(row) == State::Live)));
        Ok(visible.map(|(id, visible)| (id.clone(), visible)).collect())
    }

    /// What these groups are called, by their ids: those of them that are there. One call for
    /// sixteen.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn group_names(
        &self,
        tenant: &TenantKey,
        ids: impl IntoIterator<Item = &ResourceId>,
    ) -> Result<BTreeMap<ResourceId, Option<String>>, StoreError> {
        let collection = Collection { tenant: tenant.clone(), kind: Kind::Group };
        let keys = ids.into_iter().map(|id| (collection.rows(), collection.key(id)));
        let rows = self.get_many(keys.collect::<Vec<_>>(), Size::Any, None).await?;
        let name = |row: &Item| {
            let group = Stored::read(row)?.resource;
            Ok((group.id, group.attributes.text("displayName").map(str::to_owned)))
        };
        rows.values().map(name).collect()
    }
}

/// By what somebody is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum MatchBy {
    ExternalId,
    Name,
    Email,
}

/// Which owners of a name are wanted.
#[derive(Clone, Copy)]
enum OwnerFilter {
    /// Visible at this time.
    Visible(i64),
    /// Deleted, and restorable at this time.
    Deleted(i64),
    /// Imported, and not provisioned yet.
    Unmanaged,
}

/// The keys of the row by which a name is held.
fn name_row(collection: &Collection, names: &Names) -> Option<(String, String)> {
    names.name.as_ref().map(|name| (collection.rows(), collection.claim(name, None)))
}

/// The keys of the row by which an externalId is first held.
fn external_id_row(collection: &Collection, names: &Names) -> Option<(String, String)> {
    names
        .external_id
        .as_ref()
        .map(|id| (collection.tenant.external_ids(), collection.external_id(id)))
}

/// Whether a claim or a pointer may lead to somebody visible.
fn leads_to_visible(row: &Item, now: i64) -> bool {
    row.text("st").is_none() && !row.is_expired(now)
}
