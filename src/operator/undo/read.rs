//! What an undo reads: the log from the beginning of the span to now, and what is there now of what
//! the log names.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt};
use scim_core::ResourceId;

use super::judge::{Present, PresentUser};
use super::selection::Selection;
use super::trail::Trails;
use crate::operator::deployment::Operator;
use crate::operator::error::OperatorError;
use crate::operator::session::{Session, group_type};
use crate::store::{
    Collection, Kind, LogPage, LogRange, Names, OwnerState, Stage, StoreError, Stored, TenantKey,
    TenantRow,
};

/// How many rows of the log one call reads at most.
const PAGE: usize = 1_000;
/// How many things are read in parallel.
const CONCURRENCY: usize = 16;
/// How many users are looked up at a time.
const BATCH: usize = 400;

/// The users who exist or can be restored.
type PresentUsers = BTreeMap<ResourceId, PresentUser>;
/// The users and groups whose rows cannot be read, and why.
type Unreadable = BTreeMap<ResourceId, String>;

/// Reads what is there for one undo.
pub(super) struct Reader<'a> {
    operator: &'a Operator,
    session: &'a Session,
    tenant: TenantKey,
    trails: &'a Trails,
    now: i64,
}

impl Operator {
    /// What the log tells since the beginning of the span.
    pub(super) async fn undo_trails(
        &self,
        tenant: &TenantRow,
        selection: &Selection,
    ) -> Result<Trails, OperatorError> {
        let (key, now) = (tenant.key(), self.clock.seconds());
        let (from, until) = (selection.since, i64::MAX);
        let mut range = LogRange { from, until, newest_first: false, after: None };
        let mut trails = Trails::default();
        loop {
            let LogPage { rows, next } = self.store.log(&key, &range, PAGE, now).await?;
            rows.iter().for_each(|row| trails.take_in(selection, row));
            range.after = next;
            if range.after.is_none() {
                return Ok(trails);
            }
        }
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(operator: &'a Operator, session: &'a Session, trails: &'a Trails) -> Self {
        let (tenant, now) = (session.tenant.key(), operator.clock.seconds());
        Self { operator, session, tenant, trails, now }
    }

    /// What is there of what the trails name.
    pub(super) async fn present(
        &self,
        labels: BTreeMap<String, String>,
    ) -> Result<Present, OperatorError> {
        let (users, mut unreadable) = self.users().await?;
        let groups = self.groups(&users).await?;
        let unique_names = self.unique_names(&groups);
        let taken_names = self.taken_names(&unique_names, &mut unreadable).await?;
        let members = self.members(&groups, &mut unreadable).await?;
        let unique_names = unique_names.into_iter();
        let unique_names =
            unique_names.filter_map(|(id, names)| Some((id, names.name()?.to_owned())));
        Ok(Present {
            users,
            groups,
            taken_names,
            unique_names: unique_names.collect(),
            members,
            labels,
            admits_unknown: self.session.tenant.profile.dialect().strict,
            unreadable,
        })
    }

    fn collection(&self, kind: Kind) -> Collection {
        Collection { tenant: self.tenant.clone(), kind }
    }

    /// The users who were deleted or deactivated, and all other members who are users.
    async fn users(&self) -> Result<(PresentUsers, Unreadable), OperatorError> {
        let changed = self.trails.users.iter().filter(|(_, story)| story.trail().is_some());
        let changed: BTreeSet<&ResourceId> = changed.map(|(id, _)| id).collect();
        let members = self.trails.memberships.values().flat_map(BTreeMap::keys);
        let ids: BTreeSet<&ResourceId> = changed.iter().copied().chain(members).collect();
        let ids: Vec<ResourceId> = ids.into_iter().cloned().collect();
        let leaving = self.operator.store.leaving(&self.tenant).await?;
        let collection = self.collection(Kind::User);
        let (mut users, mut unreadable) = (BTreeMap::new(), Unreadable::new());
        for batch in ids.chunks(BATCH) {
            let found = self.readable(&collection, batch, &mut unreadable).await?;
            let each = stream::iter(found).map(|user| {
                let is_changed = changed.contains(&user.resource.id);
                let is_leaving = leaving.contains(&user.resource.id);
                async move {
                    let id = user.resource.id.clone();
                    (id, self.user(user, is_changed, is_leaving).await)
                }
            });
            let read: Vec<_> = each.buffer_unordered(CONCURRENCY).collect().await;
            for (id, user) in read {
                if let Some(user) = of_one(&id, user, &mut unreadable)? {
                    users.insert(id, user);
                }
            }
        }
        Ok((users, unreadable))
    }

    /// Those of these users whose rows can be read. One that cannot does not hold up the others.
    async fn readable(
        &self,
        collection: &Collection,
        ids: &[ResourceId],
        unreadable: &mut Unreadable,
    ) -> Result<Vec<Stored>, OperatorError> {
        let store = &self.operator.store;
        match store.resources(collection, ids.to_vec(), self.now).await {
            Err(StoreError::Broken(_) | StoreError::NewerFormat { .. }) => {}
            all => return Ok(all?),
        }
        let mut found = Vec::new();
        for id in ids {
            let one = store.resources(collection, vec![id.clone()], self.now).await;
            found.extend(of_one(id, one, unreadable)?.into_iter().flatten());
        }
        Ok(found)
    }

    /// A user as it is now, with what a restore needs if the log tells of its deletion.
    async fn user(
        &self,
        user: Stored,
        is_changed: bool,
        is_leaving: bool,
    ) -> Result<PresentUser, StoreError> {
        let is_deleted = user.state == Stage::Deleted;
        let is_name_taken = is_deleted && is_changed && self.is_name_taken(&user).await?;
        let mut past = if is_changed { self.past(&user).await? } else { None };
        let mut leaving = BTreeSet::new();
        if let Some(past) = past.as_mut().filter(|_| is_leaving && is_deleted) {
            let (store, id) = (&self.operator.store, &user.resource.id);
            leaving.extend(store.memberships(&self.tenant, id, usize::MAX).await?);
            past.extend(leaving.iter().cloned());
        }
        let name = user.resource.attributes.text("userName").map(str::to_owned);
        let (standing, version) = (user.standing(), user.resource.meta.version.0);
        Ok(PresentUser { name, standing, version, past, leaving, is_name_taken })
    }

    /// The groups that are kept for a restore of the user; `None` if they are not known.
    async fn past(&self, user: &Stored) -> Result<Option<BTreeSet<ResourceId>>, StoreError> {
        let (store, id) = (&self.operator.store, &user.resource.id);
        let departure = if user.state == Stage::Deleted { user.departed() } else { user.departure };
        let Some(departure) = departure else {
            return Ok((user.state != Stage::Deleted).then(BTreeSet::new));
        };
        let kept = store.past_memberships(&self.tenant, id, departure, self.now).await?;
        Ok(Some(kept.into_iter().flat_map(|part| part.groups).collect()))
    }

    async fn is_name_taken(&self, user: &Stored) -> Result<bool, StoreError> {
        let users = self.collection(Kind::User);
        let owners = self.operator.store.holders(&users, user.names(), self.now).await?;
        Ok(owners.name.is_some_and(|(owner, state)| {
            owner != user.resource.id && state != OwnerState::Deleted
        }))
    }

    /// The groups that exist among those that the trails and the users name, with their names.
    async fn groups(
        &self,
        users: &BTreeMap<ResourceId, PresentUser>,
    ) -> Result<BTreeMap<ResourceId, Option<String>>, OperatorError> {
        let named = self.trails.groups.iter();
        let named = named.filter(|(_, story)| story.trail.is_some() || story.hides_members);
        let named = named.map(|(id, _)| id).chain(self.trails.memberships.keys());
        let past = users.values().flat_map(|user| user.past.iter().flatten());
        let members = self.trails.memberships.values().flat_map(BTreeMap::keys);
        let members = members.filter(|id| !users.contains_key(*id));
        let ids: BTreeSet<&ResourceId> = named.chain(past).chain(members).collect();
        let store = &self.operator.store;
        match store.group_names(&self.tenant, ids.iter().copied()).await {
            Err(StoreError::Broken(_) | StoreError::NewerFormat { .. }) => {}
            all => return Ok(all?),
        }
        // One that cannot be read exists, and has no name here.
        let mut groups = BTreeMap::new();
        for id in ids {
            match store.group_names(&self.tenant, [id]).await {
                Err(StoreError::Broken(_) | StoreError::NewerFormat { .. }) => {
                    groups.insert(id.clone(), None);
                }
                one => groups.extend(one?),
            }
        }
        Ok(groups)
    }

    /// The names of the deleted groups, if no two groups may have the same.
    fn unique_names(
        &self,
        groups: &BTreeMap<ResourceId, Option<String>>,
    ) -> BTreeMap<ResourceId, Names> {
        let served = group_type(&self.session.tenant.types);
        let definition = served
            .map(|served| &served.definition)
            .filter(|definition| definition.name_attribute().is_some_and(|name| name.is_unique()));
        let Some(definition) = definition else { return BTreeMap::new() };
        let gone = self.trails.groups.iter().filter(|(id, _)| !groups.contains_key(*id));
        let names = gone.filter_map(|(id, story)| {
            let (attributes, _) = story.trail.as_ref()?.target.as_ref()?;
            Some((id.clone(), Names::of(definition, attributes).ok()?))
        });
        names.collect()
    }

    /// The deleted groups whose name another group has now.
    async fn taken_names(
        &self,
        names: &BTreeMap<ResourceId, Names>,
        unreadable: &mut Unreadable,
    ) -> Result<BTreeSet<ResourceId>, OperatorError> {
        let (collection, store) = (&self.collection(Kind::Group), &self.operator.store);
        let each = stream::iter(names).map(|(id, names)| async move {
            (id, store.holders(collection, names, self.now).await)
        });
        let read: Vec<_> = each.buffer_unordered(CONCURRENCY).collect().await;
        let mut taken = BTreeSet::new();
        for (id, owners) in read {
            let owners = of_one(id, owners, unreadable)?;
            if owners.is_some_and(|owners| owners.name.is_some()) {
                taken.insert(id.clone());
            }
        }
        Ok(taken)
    }

    /// Those of the members that the trails name who are members now.
    async fn members(
        &self,
        groups: &BTreeMap<ResourceId, Option<String>>,
        unreadable: &mut Unreadable,
    ) -> Result<BTreeMap<ResourceId, BTreeSet<ResourceId>>, OperatorError> {
        let there = self.trails.memberships.iter().filter(|(group, _)| groups.contains_key(*group));
        let each = stream::iter(there).map(|(group, trails)| async move {
            let ids: BTreeSet<ResourceId> = trails.keys().cloned().collect();
            (group, self.operator.store.members_among(&self.tenant, [group], &ids).await)
        });
        let read: Vec<_> = each.buffer_unordered(CONCURRENCY).collect().await;
        let mut members = BTreeMap::new();
        for (group, found) in read {
            for (group, found) in of_one(group, found, unreadable)?.into_iter().flatten() {
                members.insert(group, found.into_iter().map(|member| member.value).collect());
            }
        }
        Ok(members)
    }
}

/// What was read of a user or group; `None` if a row of it cannot be read, which does not hold up
/// the others.
fn of_one<T>(
    id: &ResourceId,
    read: Result<T, StoreError>,
    unreadable: &mut Unreadable,
) -> Result<Option<T>, OperatorError> {
    match read {
        Err(error @ (StoreError::Broken(_) | StoreError::NewerFormat { .. })) => {
            unreadable.insert(id.clone(), error.to_string());
            Ok(None)
        }
        read => Ok(Some(read?)),
    }
}
