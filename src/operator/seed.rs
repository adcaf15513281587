//! A tenant full of users, for measurements: the rows that the service itself would write, many in
//! one transaction.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use scim_core::resource::Attributes;
use scim_core::{Additions, Dialect, Member, Meta, Resource, ResourceId, ResourceType};
use serde_json::{Value, json};

use super::deployment::Operator;
use super::error::OperatorError;
use crate::clock::Clock;
use crate::settings::AUDIT_RETENTION;
use crate::store::{
    Audit, Collection, Guards, Kind, MemberChange, Names, OPERATOR, Operation, Outcome,
    ResourceWrite, Stage, Store, Target, TenantRow, Transition, that_fit,
};
use crate::tenant::{Profile, ServedTypes};

/// How many users one task stores, in several transactions in a row.
const PORTION: usize = 480;
/// The number of concurrent tasks. While one waits for the table, another one makes its rows.
const TASKS: usize = 4;
/// How many characters of an id come from the name.
const NAMED: usize = 13;

/// Fills one tenant. Clones fill the same one.
#[derive(Debug, Clone)]
pub struct Seed {
    store: Store,
    tenant: TenantRow,
    types: Arc<ServedTypes>,
    clock: Clock,
    /// How long the log keeps what it does.
    kept: Duration,
}

/// A user to create, with its id and its number.
type Planned = (ResourceId, usize);

impl Operator {
    /// A seed of this tenant.
    ///
    /// # Errors
    /// If the tenant's profile cannot be read.
    pub fn seed(&self, tenant: TenantRow) -> Result<Seed, OperatorError> {
        let seed = Seed::new(self.store.clone(), tenant, self.clock.clone())?;
        Ok(Seed { kept: self.deployment.audit_retention, ..seed })
    }
}

impl Seed {
    /// A seed of this tenant.
    ///
    /// # Errors
    /// If the tenant's profile cannot be read.
    pub fn new(store: Store, tenant: TenantRow, clock: Clock) -> Result<Self, OperatorError> {
        let profile = Profile::read(&tenant.profile)?;
        let types = Arc::new(ServedTypes::new(&profile, &Additions::default())?);
        Ok(Self { store, tenant, types, clock, kept: AUDIT_RETENTION })
    }

    /// The `index`th user, as an identity provider would send it.
    pub fn user(index: usize) -> Value {
        json!({
            "userName": user_name(index), "externalId": format!("e{index:07}"),
            "displayName": "Barbara Jensen", "name": { "givenName": "Barbara", "familyName": "Jensen" },
            "emails": [{ "value": user_name(index), "type": "work", "primary": true }],
            "active": true,
        })
    }

    /// Creates the users from 0 to `count` that do not exist yet. Returns the ids of all users, by
    /// their numbers, and calls `progress` with the number of further users that exist.
    ///
    /// # Errors
    /// If the table does not respond.
    pub async fn users(
        &self,
        count: usize,
        progress: impl Fn(u64),
    ) -> Result<Vec<ResourceId>, OperatorError> {
        let mut tasks = stream::iter(self.portions(count)?)
            .map(|portion| {
                let seed = self.clone();
                async move { tokio::spawn(async move { seed.portion(portion).await }).await? }
            })
            .buffer_unordered(TASKS);
        let mut users = Vec::with_capacity(count);
        while let Some(made) = tasks.try_next().await? {
            progress(made.len() as u64);
            users.extend(made);
        }
        users.sort_unstable_by_key(|(_, index)| *index);
        Ok(users.into_iter().map(|(id, _)| id).collect())
    }

    /// The users in the order of their keys: rows that are neighbours are written together, and
    /// share a counter.
    fn portions(&self, count: usize) -> Result<Vec<Vec<Planned>>, OperatorError> {
        let (collection, users) = (self.collection(Kind::User), self.resource_type("User")?);
        let mut planned = Vec::with_capacity(count);
        for index in 0..count {
            let name = users.canonical_name(&user_name(index))?;
            planned.push((collection.new_id(Some(&name))?, index));
        }
        planned.sort_unstable();
        Ok(planned.chunks(PORTION).map(<[_]>::to_vec).collect())
    }

    /// Stores users in the order of their keys. Those that exist keep their ids.
    async fn portion(&self, mut users: Vec<Planned>) -> Result<Vec<Planned>, OperatorError> {
        let resource_type = self.resource_type("User")?;
        let made: Vec<(Resource, Names)> = users
            .iter()
            .map(|(id, index)| self.resource(resource_type, id, Self::user(*index)))
            .collect::<Result<_, OperatorError>>()?;
        let known = self.store_new(&users, &made).await?;
        for ((id, _), (_, names)) in users.iter_mut().zip(&made) {
            if let Some(own) = names.name().and_then(|name| known.get(name)) {
                *id = own.clone();
            }
        }
        Ok(users)
    }

    /// Stores the users that do not exist. Returns the others by name.
    async fn store_new(
        &self,
        users: &[Planned],
        made: &[(Resource, Names)],
    ) -> Result<BTreeMap<String, ResourceId>, OperatorError> {
        let (collection, audit) = (self.collection(Kind::User), self.audit());
        let mut known = None;
        let mut rest: Vec<ResourceWrite<'_>> = made.iter().map(write).collect();
        while !rest.is_empty() {
            let batch = self.store.create_first(&collection, &rest, Stage::Live, &audit).await?;
            if batch.stored {
                rest.drain(..batch.taken);
                continue;
            }
            // Some exist, from an earlier run.
            if known.is_some() {
                return Err(OperatorError::Unexpected(
                    "some users cannot be stored, because deleted users have their names; choose \
                    another tenant",
                ));
            }
            let existing = known.insert(self.existing(&collection, users).await?);
            rest.retain(|new| !new.names.name().is_some_and(|name| existing.contains_key(name)));
        }
        Ok(known.unwrap_or_default())
    }

    /// The users that exist already in the key range of these, by name.
    async fn existing(
        &self,
        collection: &Collection,
        users: &[Planned],
    ) -> Result<BTreeMap<String, ResourceId>, OperatorError> {
        let mut existing = BTreeMap::new();
        let resource_type = self.resource_type("User")?;
        let (Some((first, _)), Some((last, _))) = (users.first(), users.last()) else {
            return Ok(existing);
        };
        // An id begins with characters that come from the name, and are always the same.
        let mut after = first.as_str().get(..NAMED).unwrap_or_default().to_owned();
        let end = format!("{}~", last.as_str().get(..NAMED).unwrap_or_default());
        while after < end {
            let now = self.clock.seconds();
            let found = self.store.after(collection, &after, PORTION, now).await?.resources;
            let Some(last) = found.last() else { break };
            after.clone_from(&last.key);
            for user in found {
                let user = user.into_resource()?;
                let name = user.attributes.text("userName");
                let name = name.ok_or(OperatorError::Unexpected("a user has no userName"))?;
                existing.insert(resource_type.canonical_name(name)?, user.id);
            }
        }
        Ok(existing)
    }

    /// Creates a group with these members, or adds those that it lacks. Returns its id, and calls
    /// `progress` with the number of further members.
    ///
    /// # Errors
    /// If the table does not respond, or a member does not exist.
    pub async fn group(
        &self,
        name: &str,
        members: &[ResourceId],
        progress: impl Fn(u64),
    ) -> Result<ResourceId, OperatorError> {
        let (id, audit) = (self.empty_group(name).await?, self.audit());
        let mut tasks =
            stream::iter(joins(members))
                .map(|joins| {
                    let (seed, group, audit) = (self.clone(), id.clone(), audit.clone());
                    async move {
                        tokio::spawn(async move { seed.join(&group, joins, &audit).await }).await?
                    }
                })
                .buffer_unordered(TASKS);
        while let Some(joined) = tasks.try_next().await? {
            progress(joined);
        }
        drop(tasks);
        Ok(id)
    }

    /// The group with this name, created without members if it does not exist.
    async fn empty_group(&self, name: &str) -> Result<ResourceId, OperatorError> {
        let (collection, groups) = (self.collection(Kind::Group), self.resource_type("Group")?);
        let id = collection.new_id(Some(&groups.canonical_name(name)?))?;
        let made = self.resource(groups, &id, json!({ "displayName": name }))?;
        let audit = self.audit();
        let to = Target::Live(write(&made));
        let change = Transition::new(&collection, None, to, &audit, Guards::default());
        match self.store.commit(change).await? {
            Outcome::Committed => Ok(id),
            Outcome::Refused(refusal) => match refusal.owners.name {
                Some((owner, _)) => Ok(owner),
                None => Err(OperatorError::Unexpected("the group cannot be stored")),
            },
        }
    }

    async fn join(
        &self,
        group: &ResourceId,
        mut joins: Vec<MemberChange>,
        audit: &Audit,
    ) -> Result<u64, OperatorError> {
        let collection = self.collection(Kind::Group);
        let joined = joins.len() as u64;
        while !joins.is_empty() {
            match self.store.change_members(&collection, group, &joins, audit).await? {
                Outcome::Committed => break,
                Outcome::Refused(refusal) => {
                    if refusal.already_applied.is_empty() {
                        let missing = "a member or the group does not exist";
                        return Err(OperatorError::Unexpected(missing));
                    }
                    let mut index = 0;
                    joins.retain(|_| {
                        index += 1;
                        !refusal.already_applied.contains(&(index - 1))
                    });
                }
            }
        }
        Ok(joined)
    }

    fn collection(&self, kind: Kind) -> Collection {
        Collection { tenant: self.tenant.key(), kind }
    }

    fn resource_type(&self, name: &str) -> Result<&ResourceType, OperatorError> {
        let named = self.types.iter().find(|resource_type| resource_type.definition.name == name);
        let named = named.ok_or_else(|| OperatorError::UnknownResourceType(name.to_owned()))?;
        Ok(&named.definition)
    }

    fn resource(
        &self,
        resource_type: &ResourceType,
        id: &ResourceId,
        body: Value,
    ) -> Result<(Resource, Names), OperatorError> {
        let Value::Object(body) = body else {
            return Err(OperatorError::Unexpected("a resource is not an object"));
        };
        let attributes: Attributes = resource_type.parse(body, Dialect::TOLERANT)?.attributes;
        let names = Names::of(resource_type, &attributes)?;
        let meta = Meta::new(self.clock.now());
        Ok((Resource { id: id.clone(), meta, attributes }, names))
    }

    fn audit(&self) -> Audit {
        let now = self.clock.milliseconds();
        Audit::new(Operation::Create, OPERATOR, "bench seed", now, self.kept)
    }
}

fn user_name(index: usize) -> String {
    format!("user{index:07}@example.com")
}

fn write((resource, names): &(Resource, Names)) -> ResourceWrite<'_> {
    ResourceWrite::new(resource, names)
}

/// The changes that add these members, in portions that each fit in one transaction.
fn joins(members: &[ResourceId]) -> Vec<Vec<MemberChange>> {
    let join = |id: &ResourceId| {
        MemberChange::Add(Member { value: id.clone(), kind: None, display: None })
    };
    let changes: Vec<MemberChange> = members.iter().map(join).collect();
    let (mut portions, mut rest) = (Vec::new(), changes.as_slice());
    while let Some((portion, more)) =
        rest.split_at_checked(that_fit(rest)).filter(|(portion, _)| !portion.is_empty())
    {
        portions.push(portion.to_vec());
        rest = more;
    }
    portions
}
