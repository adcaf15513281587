//! What an undo reads: the log from the beginning of the span to now, and what is there now of what
//! the log names.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt, TryStreamExt};
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
/// The users whose rows cannot be read, and why.
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
        let (users, unreadable) = self.users().await?;
        let groups = self.groups(&users).await?;
        let taken_names = self.taken_names(&groups).await?;
        let members = self.members(&groups).await?;
        let admits_unknown = self.session.tenant.profile.dialect().strict;
        Ok(Present { users, groups, taken_names, members, labels, admits_unknown, unreadable })
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
                self.user(user, is_changed, is_leaving)
            });
            let each = each.buffer_unordered(CONCURRENCY);
            users.extend(each.try_collect::<Vec<_>>().await?);
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
            match store.resources(collection, vec![id.clone()], self.now).await {
                Err(error @ (StoreError::Broken(_) | StoreError::NewerFormat { .. })) => {
                    unreadable.insert(id.clone(), error.to_string());
                }
                one => found.extend(one?),
            }
        }
        Ok(found)
    }

    /// A user as it is now, with what a restore needs if the log tells of its deletion.
    async fn user(
        &self,
        user: Stored,
        is_changed: bool,
        is_leaving: bool,
    ) -> Result<(ResourceId, PresentUser), OperatorError> {
        let is_deleted = user.state == Stage::Deleted;
        let is_name_taken = is_deleted && is_changed && self.is_name_taken(&user).await?;
        let past = if is_changed { self.past(&user, is_leaving).await? } else { None };
        let id = user.resource.id.clone();
        let name = user.resource.attributes.text("userName").map(str::to_owned);
        let (standing, version) = (user.standing(), user.resource.meta.version.0);
        Ok((id, PresentUser { name, standing, version, past, is_name_taken }))
    }

    /// The groups into which a restore brings the user back; `None` if they are not known.
    async fn past(
        &self,
        user: &Stored,
        is_leaving: bool,
    ) -> Result<Option<BTreeSet<ResourceId>>, OperatorError> {
        let (store, id) = (&self.operator.store, &user.resource.id);
        let departure = if user.state == Stage::Deleted { user.departed() } else { user.departure };
        let Some(departure) = departure else {
            return Ok((user.state != Stage::Deleted).then(BTreeSet::new));
        };
        let kept = store.past_memberships(&self.tenant, id, departure, self.now).await?;
        let mut past: BTreeSet<ResourceId> =
            kept.into_iter().flat_map(|part| part.groups).collect();
        if is_leaving {
            past.extend(store.memberships(&self.tenant, id, usize::MAX).await?);
        }
        Ok(Some(past))
    }

    async fn is_name_taken(&self, user: &Stored) -> Result<bool, OperatorError> {
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

    /// The deleted groups whose name another group has now.
    async fn taken_names(
        &self,
        groups: &BTreeMap<ResourceId, Option<String>>,
    ) -> Result<BTreeSet<ResourceId>, OperatorError> {
        let types = &self.session.tenant.types;
        let Some(served) = group_type(types) else { return Ok(BTreeSet::new()) };
        let definition = &served.definition;
        if !definition.name_attribute().is_some_and(|name| name.is_unique()) {
            return Ok(BTreeSet::new());
        }
        let (collection, store) = (self.collection(Kind::Group), &self.operator.store);
        let gone = self.trails.groups.iter().filter(|(id, _)| !groups.contains_key(*id));
        let gone = gone.filter_map(|(id, story)| {
            let (attributes, _) = story.trail.as_ref()?.target.as_ref()?;
            Some((id, Names::of(definition, attributes)))
        });
        let each = stream::iter(gone).map(|(id, names)| {
            let collection = &collection;
            async move {
                let owners = store.holders(collection, &names?, self.now).await?;
                Ok::<_, OperatorError>(owners.name.map(|_| id.clone()))
            }
        });
        let taken: Vec<Option<ResourceId>> =
            each.buffer_unordered(CONCURRENCY).try_collect().await?;
        Ok(taken.into_iter().flatten().collect())
    }

    /// Those of the members that the trails name who are members now.
    async fn members(
        &self,
        groups: &BTreeMap<ResourceId, Option<String>>,
    ) -> Result<BTreeMap<ResourceId, BTreeSet<ResourceId>>, OperatorError> {
        let there = self.trails.memberships.iter().filter(|(group, _)| groups.contains_key(*group));
        let each = stream::iter(there).map(|(group, trails)| async move {
            let ids: BTreeSet<ResourceId> = trails.keys().cloned().collect();
            self.operator.store.members_among(&self.tenant, [group], &ids).await
        });
        let found: Vec<_> = each.buffer_unordered(CONCURRENCY).try_collect().await?;
        let ids = found.into_iter().flatten().map(|(group, members)| {
            (group, members.into_iter().map(|member| member.value).collect())
        });
        Ok(ids.collect())
    }
}
