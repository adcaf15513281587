//! A tenant full of people: the rows that the service itself would write, many in one transaction.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use scim_core::resource::Attributes;
use scim_core::{Additions, Dialect, Member, Meta, Resource, ResourceId, ResourceType, Version};
use scim_lambda::clock::Clock;
use scim_lambda::store::TenantRow;
use scim_lambda::store::that_fit;
use scim_lambda::store::{
    Audit, Collection, Guards, Kind, MemberChange, Names, Operation, Outcome, ResourceWrite, State,
    Store, Takeover, Target, Transition,
};
use scim_lambda::tenant::{Profile, ServedTypes};
use serde_json::{Value, json};

/// How many users one task stores: some transactions in a row.
const PORTION: usize = 480;
/// Tasks at a time: while one waits for the engine, another makes its rows.
const TASKS: usize = 4;
/// How many characters of an id come from the name.
const NAMED: usize = 13;
/// How long the log rows are kept.
const LOG_RETENTION: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Fills one tenant.
#[derive(Clone)]
pub struct Seed {
    store: Store,
    tenant: TenantRow,
    types: Arc<ServedTypes>,
    clock: Clock,
}

impl Seed {
    /// A seed of this tenant.
    ///
    /// # Errors
    /// Never, while the schemas are well formed.
    pub fn new(store: Store, tenant: TenantRow, clock: Clock) -> anyhow::Result<Self> {
        let types =
            Arc::new(ServedTypes::new(&Profile::read(&tenant.profile)?, &Additions::default())?);
        Ok(Self { store, tenant, types, clock })
    }

    /// The `index`th user, as an identity provider would send it.
    pub fn user(index: usize) -> Value {
        json!({
            "userName": format!("user{index:07}@example.com"), "externalId": format!("e{index:07}"),
            "displayName": "Barbara Jensen", "name": { "givenName": "Barbara", "familyName": "Jensen" },
            "emails": [{ "value": format!("user{index:07}@example.com"), "type": "work", "primary": true }],
            "active": true,
        })
    }

    /// Makes the users from 0 to `count`, but those that are there; their ids, by their numbers.
    /// Tells `progress` how many more are there.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn users(
        &self,
        count: usize,
        progress: impl Fn(u64),
    ) -> anyhow::Result<Vec<ResourceId>> {
        let at = self.collection(Kind::User);
        let mut people = Vec::with_capacity(count);
        let resource_type = self.resource_type("User")?;
        for index in 0..count {
            people.push((
                at.new_id(Some(
                    &resource_type.canonical_name(&format!("user{index:07}@example.com"))?,
                ))?,
                index,
            ));
        }
        // Rows that stand beside each other are written together, and share a counter.
        people.sort_unstable();
        let portions: Vec<Vec<(ResourceId, usize)>> =
            people.chunks(PORTION).map(<[_]>::to_vec).collect();
        let mut tasks = stream::iter(portions)
            .map(|portion| {
                let seed = self.clone();
                async move { tokio::spawn(async move { seed.portion(portion).await }).await? }
            })
            .buffer_unordered(TASKS);
        let mut ids = Vec::with_capacity(count);
        while let Some(made) = tasks.try_next().await? {
            progress(made.len().try_into()?);
            ids.extend(made);
        }
        ids.sort_unstable_by_key(|(_, index)| *index);
        Ok(ids.into_iter().map(|(id, _)| id).collect())
    }

    async fn portion(
        &self,
        mut people: Vec<(ResourceId, usize)>,
    ) -> anyhow::Result<Vec<(ResourceId, usize)>> {
        let at = self.collection(Kind::User);
        let resource_type = self.resource_type("User")?;
        let made: Vec<(Resource, Names)> = people
            .iter()
            .map(|(id, index)| self.resource(resource_type, id, Self::user(*index)))
            .collect::<anyhow::Result<_>>()?;
        let new: Vec<ResourceWrite<'_>> = made
            .iter()
            .map(|(resource, names)| ResourceWrite {
                resource,
                names,
                takeover: Takeover::default(),
                expires: None,
            })
            .collect();
        let audit = self.audit();
        let mut known = None;
        let mut rest = new;
        while !rest.is_empty() {
            let batch = self.store.create_first(&at, &rest, State::Live, &audit).await?;
            if batch.stored {
                rest.drain(..batch.taken);
            } else {
                // Some are there, from another time.
                ensure!(
                    known.is_none(),
                    "some users cannot be stored, since others were deleted; take another tenant"
                );
                let there = known.insert(self.there(&at, &people).await?);
                rest.retain(|new| !new.names.name().is_some_and(|name| there.contains_key(name)));
            }
        }
        for ((id, _), (_, names)) in people.iter_mut().zip(&made) {
            if let Some(own) = known.as_ref().and_then(|known| known.get(names.name()?)) {
                *id = own.clone();
            }
        }
        Ok(people)
    }

    /// Who is there already among ids in this order.
    async fn there(
        &self,
        at: &Collection,
        people: &[(ResourceId, usize)],
    ) -> anyhow::Result<BTreeMap<String, ResourceId>> {
        let mut there = BTreeMap::new();
        let resource_type = self.resource_type("User")?;
        let (Some((first, _)), Some((last, _))) = (people.first(), people.last()) else {
            return Ok(there);
        };
        // What an id begins with comes from the name, and is always the same.
        let mut after = first.as_str().get(..NAMED).unwrap_or_default().to_owned();
        let end = format!("{}~", last.as_str().get(..NAMED).unwrap_or_default());
        while after < end {
            let some = self.store.after(at, &after, PORTION, self.clock.seconds()).await?.resources;
            let Some(last) = some.last() else { break };
            after.clone_from(&last.key);
            for user in some {
                let user = user.into_resource()?;
                let name = user.attributes.text("userName").context("a user has no userName")?;
                there.insert(resource_type.canonical_name(name)?, user.id);
            }
        }
        Ok(there)
    }

    /// Makes a group of these members, but those that are in it; its id. Tells `progress` how many
    /// more are in it.
    ///
    /// # Errors
    /// If the table does not answer, or a member is not there.
    pub async fn group(
        &self,
        name: &str,
        members: &[ResourceId],
        progress: impl Fn(u64),
    ) -> anyhow::Result<ResourceId> {
        let at = self.collection(Kind::Group);
        let resource_type = self.resource_type("Group")?;
        let id = at.new_id(Some(&resource_type.canonical_name(name)?))?;
        let (resource, names) =
            self.resource(resource_type, &id, json!({ "displayName": name }))?;
        let new = ResourceWrite {
            resource: &resource,
            names: &names,
            takeover: Takeover::default(),
            expires: None,
        };
        let audit = self.audit();
        let change = Transition::new(&at, None, Target::Live(new), &audit, Guards::default());
        let id = match self.store.commit(change).await? {
            Outcome::Committed => id,
            Outcome::Refused(refusal) => {
                refusal.owners.name.context("the group cannot be stored")?.0
            }
        };
        let join = |id: &ResourceId| {
            MemberChange::Add(Member { value: id.clone(), kind: None, display: None })
        };
        let moves: Vec<MemberChange> = members.iter().map(join).collect();
        let mut portions = Vec::new();
        let mut rest = moves.as_slice();
        while let Some((portion, more)) =
            rest.split_at_checked(that_fit(rest)).filter(|(some, _)| !some.is_empty())
        {
            portions.push(portion.to_vec());
            rest = more;
        }
        let mut tasks = stream::iter(portions)
            .map(|portion| {
                let (seed, group, audit) = (self.clone(), id.clone(), audit.clone());
                async move {
                    tokio::spawn(async move { seed.join(&group, portion, &audit).await }).await?
                }
            })
            .buffer_unordered(TASKS);
        while let Some(joined) = tasks.try_next().await? {
            progress(joined);
        }
        drop(tasks);
        Ok(id)
    }

    async fn join(
        &self,
        group: &ResourceId,
        mut moves: Vec<MemberChange>,
        audit: &Audit,
    ) -> anyhow::Result<u64> {
        let at = self.collection(Kind::Group);
        let joined = moves.len().try_into()?;
        while !moves.is_empty() {
            match self.store.change_members(&at, group, &moves, audit).await? {
                Outcome::Committed => break,
                Outcome::Refused(refusal) => {
                    ensure!(
                        !refusal.already_applied.is_empty(),
                        "a member or the group is not there"
                    );
                    let mut index = 0;
                    moves.retain(|_| {
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

    fn resource_type(&self, name: &str) -> anyhow::Result<&ResourceType> {
        let resource_type =
            self.types.iter().find(|resource_type| resource_type.definition.name == name);
        Ok(&resource_type.context("there is no such resource type")?.definition)
    }

    fn resource(
        &self,
        resource_type: &ResourceType,
        id: &ResourceId,
        body: Value,
    ) -> anyhow::Result<(Resource, Names)> {
        let body = body.as_object().context("a resource is an object")?.clone();
        let draft = resource_type.parse(body, Dialect::TOLERANT)?;
        let attributes: Attributes = draft.attributes;
        let names = Names::of(resource_type, &attributes)?;
        let now = self.clock.now();
        let meta = Meta { created: now, last_modified: now, version: Version(1) };
        Ok((Resource { id: id.clone(), meta, attributes }, names))
    }

    fn audit(&self) -> Audit {
        Audit::new(
            Operation::Create,
            "operator",
            "bench seed",
            self.clock.milliseconds(),
            LOG_RETENTION,
        )
    }
}
