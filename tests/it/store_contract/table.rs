//! A table on some engine, a tenant in it, and the calls of the store in few words.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use scim_core::{Attributes, Member, Meta, Resource, ResourceId, Version};
use scim_lambda::sdk;
use scim_lambda::store::{
    self, Audit, Collection, Expect, Guards, Kind, MemberChange, Names, Operation, Outcome,
    Refusal, ResourceWrite, Store, Stored, Takeover, Target, TenantCode, TenantRow, Transition,
};
use scim_lambda::tenant::{Profile, ServedTypes};
use scim_local::engine::Engine;
use scim_local::secrets::Vault;
use scim_local::{Local, TABLE, dummy_account};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::endpoints;
use crate::support::TestClock;
use crate::support::connectors::Between;

/// How long deleted users and the log are kept, in seconds.
pub const RETENTION: i64 = 90 * 24 * 60 * 60;

pub struct Table {
    pub sdk: SdkConfig,
    pub name: String,
    pub store: Store,
    pub tenant: TenantRow,
    pub clock: TestClock,
    pub between: Between,
    types: ServedTypes,
}

/// The reasons of a write that must be refused.
#[track_caller]
pub fn refused(outcome: Outcome) -> Refusal {
    match outcome {
        Outcome::Refused(refusal) => refusal,
        Outcome::Committed => panic!("the write was committed"),
    }
}

#[track_caller]
pub fn committed(outcome: Outcome) {
    assert!(matches!(outcome, Outcome::Committed), "{outcome:?}");
}

/// The change by which a user becomes a member.
pub fn addition(user: &ResourceId) -> MemberChange {
    MemberChange::Add(Member { value: user.clone(), kind: None, display: None })
}

impl Table {
    pub async fn embedded() -> Self {
        let local = Local { engine: Engine::memory().unwrap(), secrets: Vault::memory() };
        let between = Between::default();
        let client = between.clone().around(local.connector());
        Self::on(dummy_account().into_builder().http_client(client).build(), TABLE, between).await
    }

    /// The table of the engine that the environment names; it may have been used before.
    pub async fn elsewhere() -> Self {
        let between = Between::default();
        let sdk = endpoints::endpoint("SCIM_TEST_DYNAMODB_ENDPOINT", between.clone()).await;
        Self::on(sdk, &endpoints::table(), between).await
    }

    async fn on(sdk: SdkConfig, name: &str, between: Between) -> Self {
        let sdk = sdk.into_builder().retry_config(sdk::retry()).build();
        let client = Client::from_conf(store::timeouts((&sdk).into()).build());
        store::table::create(&client, name).await.unwrap();
        let store = Store::new(client, name);
        let clock = TestClock::new();
        let tenant = new_tenant(clock.seconds());
        assert!(store.create_tenant(&tenant, None, None).await.unwrap());
        let types = ServedTypes::new(&Profile::default(), &Default::default()).unwrap();
        Self { sdk, name: name.to_owned(), store, tenant, clock, between, types }
    }

    pub fn now(&self) -> i64 {
        self.clock.seconds()
    }

    pub fn users(&self) -> Collection {
        Collection { tenant: self.tenant.key(), kind: Kind::User }
    }

    pub fn groups(&self) -> Collection {
        Collection { tenant: self.tenant.key(), kind: Kind::Group }
    }

    pub fn audit(&self, operation: Operation) -> Audit {
        let kept = Duration::from_secs(RETENTION.unsigned_abs());
        Audit::new(operation, "contract", "1", self.clock.milliseconds(), kept)
    }

    fn names(&self, kind: &Kind, attributes: &Attributes) -> Names {
        let endpoint = if *kind == Kind::Group { "Groups" } else { "Users" };
        Names::of(&self.types.at(endpoint).unwrap().definition, attributes).unwrap()
    }

    /// Creates a resource, and says which id it would have.
    pub async fn try_create(
        &self,
        collection: &Collection,
        body: Value,
        takeover: Takeover,
        members: &[MemberChange],
        (audit, guards): (&Audit, Guards),
    ) -> (ResourceId, Outcome) {
        let attributes = attributes(body);
        let names = self.names(&collection.kind, &attributes);
        let now = OffsetDateTime::from_unix_timestamp(self.now()).unwrap();
        let meta = Meta { created: now, last_modified: now, version: Version(1) };
        let id = collection.new_id(names.name()).unwrap();
        let resource = Resource { id: id.clone(), meta, attributes };
        let new = ResourceWrite { resource: &resource, names: &names, takeover, expires: None };
        let outcome = self
            .store
            .commit(Transition {
                members,
                ..Transition::new(collection, None, Target::Live(new), audit, guards)
            })
            .await
            .unwrap();
        (id, outcome)
    }

    /// Creates a user, taking over what `takeover` allows.
    pub async fn try_user(&self, body: Value, takeover: Takeover) -> (ResourceId, Outcome) {
        let audit = self.audit(Operation::Create);
        self.try_create(&self.users(), body, takeover, &[], (&audit, Guards::default())).await
    }

    pub async fn user(&self, name: &str) -> ResourceId {
        let body = json!({ "userName": name, "active": true });
        let (id, outcome) = self.try_user(body, Takeover::default()).await;
        committed(outcome);
        id
    }

    pub async fn group(&self, name: &str, members: &[&ResourceId]) -> ResourceId {
        let members: Vec<_> = members.iter().map(|user| addition(user)).collect();
        let (body, audit) = (json!({ "displayName": name }), self.audit(Operation::Create));
        let (id, outcome) = self
            .try_create(
                &self.groups(),
                body,
                Takeover::default(),
                &members,
                (&audit, Guards::default()),
            )
            .await;
        committed(outcome);
        id
    }

    pub async fn find(&self, collection: &Collection, id: &ResourceId) -> Option<Stored> {
        self.store.resource(collection, id, self.now()).await.unwrap()
    }

    /// A user that exists, visible or deleted.
    pub async fn stored_user(&self, id: &ResourceId) -> Stored {
        self.find(&self.users(), id).await.expect("the user is stored")
    }

    pub async fn stored_group(&self, id: &ResourceId) -> Stored {
        self.find(&self.groups(), id).await.expect("the group is stored")
    }

    /// Changes a resource as it was read into one with these attributes.
    pub async fn change(
        &self,
        collection: &Collection,
        old: &Stored,
        body: Value,
        members: &[MemberChange],
        expect: Expect,
        (audit, guards): (&Audit, Guards),
    ) -> Outcome {
        let mut resource = old.resource.clone();
        resource.attributes = attributes(body);
        resource.meta.version = resource.meta.version.next();
        let names = self.names(&collection.kind, &resource.attributes);
        let takeover = Takeover::default();
        let new = ResourceWrite { resource: &resource, names: &names, takeover, expires: None };
        let to = Target::Live(new);
        let change = Transition::new(collection, Some(old), to, audit, guards);
        self.store.commit(Transition { members, expect, ..change }).await.unwrap()
    }

    pub async fn change_user(&self, old: &Stored, body: Value) -> Outcome {
        let audit = self.audit(Operation::Replace);
        self.change(&self.users(), old, body, &[], Expect::Row, (&audit, Guards::default())).await
    }

    /// Changes a user without limits.
    async fn commit(&self, from: Option<&Stored>, to: Target<'_>, operation: Operation) -> Outcome {
        let (users, audit) = (self.users(), self.audit(operation));
        let change = Transition::new(&users, from, to, &audit, Guards::default());
        self.store.commit(change).await.unwrap()
    }

    /// Deactivates a user, who expires at this time.
    pub async fn suspend(&self, old: &Stored, expires: i64) -> Outcome {
        let mut resource = old.resource.clone();
        resource.attributes.set("active", json!(false));
        resource.meta.version = resource.meta.version.next();
        let (names, takeover) = (old.names(), Takeover::default());
        let new = ResourceWrite { resource: &resource, names, takeover, expires: Some(expires) };
        self.commit(Some(old), Target::Live(new), Operation::Patch).await
    }

    /// Deletes a user, who can be restored for the time of retention.
    pub async fn delete_user(&self, old: &Stored) -> Outcome {
        let (kept, expires) = (old.resource.attributes.clone(), self.now() + RETENTION);
        let to = Target::Deleted { attributes: kept, expires };
        self.commit(Some(old), to, Operation::Delete).await
    }

    /// Restores a deleted user with these attributes.
    pub async fn restore(&self, old: &Stored, body: Value) -> Outcome {
        let mut resource = old.resource.clone();
        resource.attributes = attributes(body);
        resource.meta.version = resource.meta.version.next();
        let names = self.names(&Kind::User, &resource.attributes);
        let takeover = Takeover::default();
        let new = ResourceWrite { resource: &resource, names: &names, takeover, expires: None };
        self.commit(Some(old), Target::Live(new), Operation::Restore).await
    }

    pub async fn change_members(&self, group: &ResourceId, changes: &[MemberChange]) -> Outcome {
        let audit = self.audit(Operation::Patch);
        self.store.change_members(&self.groups(), group, changes, &audit).await.unwrap()
    }

    /// The ids of a group's members, as their rows say.
    pub async fn members(&self, group: &ResourceId) -> Vec<ResourceId> {
        let members = self.store.some_members(&self.tenant.key(), group, 1_000).await.unwrap();
        members.into_iter().map(|member| member.value).collect()
    }

    /// How many visible resources a collection counts.
    pub async fn count(&self, collection: &Collection) -> usize {
        self.store.count(collection).await.unwrap()
    }
}

/// A tenant with a name that no other one has.
pub fn new_tenant(now: i64) -> TenantRow {
    let name = format!("contract-{}", TenantCode::generate().unwrap());
    TenantRow::generate(&name, "default", now).unwrap()
}

fn attributes(body: Value) -> Attributes {
    let Value::Object(object) = body else { panic!("{body} is not an object") };
    Attributes::from_stored(object)
}
