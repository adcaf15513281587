//! A customer of a product: a tenant under a profile, and what its identity provider and the
//! product's operator do.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use scim_core::{Additions, Error, ResourceId};
use scim_lambda::auth::records::TenantRecord;
use scim_lambda::auth::token::PlainToken;
use scim_lambda::directory::{Call, Directory, RequestReads, RestoreOptions};
use scim_lambda::operator::import::{Mode, Report};
use scim_lambda::store::{Collection, Kind, SecretNumber, TenantRow};
use scim_lambda::tenant::{Profile, ServedType, Tenants};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::handles::{self, Row, id, user_path};
use super::{Answer, BASE_URL, World, encode, tokens};

#[derive(Clone)]
pub struct Customer {
    pub world: Arc<World>,
    pub row: TenantRow,
    pub token: PlainToken,
}

/// A preset with further settings.
pub fn profile(preset: &str, settings: &[(&str, &str)]) -> Profile {
    let preset = Profile::preset(preset, None).unwrap();
    settings.iter().fold(preset, |profile, (path, value)| profile.with(path, value).unwrap())
}

impl Customer {
    pub async fn new(preset: &str) -> Self {
        Self::with(preset, &[]).await
    }

    pub async fn with(preset: &str, settings: &[(&str, &str)]) -> Self {
        Self::of(&Arc::new(World::new().await), preset, settings).await
    }

    /// One more customer in a world.
    pub async fn of(world: &Arc<World>, preset: &str, settings: &[(&str, &str)]) -> Self {
        let number = world.store.tenants().await.unwrap().len();
        let profile = profile(preset, settings).write().unwrap();
        let (row, token) = world.tenant(&format!("{preset}-{number}"), &profile).await;
        Self { world: world.clone(), row, token }
    }

    /// As [`Customer::of`], with a token that does not expire.
    pub async fn lasting(world: &Arc<World>, preset: &str, settings: &[(&str, &str)]) -> Self {
        let mut customer = Self::of(world, preset, settings).await;
        customer.token = PlainToken::generate(customer.row.code()).unwrap();
        let (number, code) = (SecretNumber::FIRST, customer.row.code());
        let lasting = |record: &mut TenantRecord| record.add(&customer.token, None);
        tokens::change_record(&world.secrets, number, code, lasting).await;
        customer
    }

    pub fn users(&self) -> Collection {
        Collection { tenant: self.row.key(), kind: Kind::User }
    }

    pub async fn send(&self, method: &str, path: &str, body: impl Into<Option<Value>>) -> Answer {
        self.world.send_as(&self.token, method, path, body).await
    }

    /// A request that the test has built itself.
    pub async fn raw(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let request =
            headers.iter().fold(Request::builder().uri(path), |request, (name, value)| {
                request.header(*name, *value)
            });
        self.world.raw(request.body(Bytes::new()).unwrap()).await
    }

    pub async fn post(&self, user: Value) -> Answer {
        self.send("POST", "/Users", user).await
    }

    pub async fn create(&self, user: Value) -> Value {
        let answer = self.post(user).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body
    }

    pub async fn get(&self, user: &Value) -> Answer {
        self.send("GET", &user_path(user), None).await
    }

    pub async fn delete(&self, user: &Value) -> Answer {
        self.send("DELETE", &user_path(user), None).await
    }

    pub async fn put(&self, user: &Value, body: Value) -> Answer {
        self.send("PUT", &user_path(user), body).await
    }

    pub async fn patch(&self, user: &Value, operations: Value) -> Answer {
        self.send("PATCH", &user_path(user), handles::patch(operations)).await
    }

    pub async fn set(&self, user: &Value, path: &str, value: Value) -> Answer {
        self.patch(user, json!([{ "op": "replace", "path": path, "value": value }])).await
    }

    pub async fn activate(&self, user: &Value, active: bool) -> Answer {
        self.set(user, "active", active.into()).await
    }

    pub async fn find(&self, filter: &str) -> Vec<Value> {
        let answer = self.send("GET", &format!("/Users?filter={}", encode(filter)), None).await;
        assert_eq!(answer.status, 200, "{filter}: {}", answer.body);
        let found = answer.body["Resources"].as_array().unwrap().clone();
        assert_eq!(answer.body["totalResults"], found.len());
        found
    }

    /// How many users the identity provider sees. Each kind of list says the same.
    pub async fn total(&self) -> usize {
        let answer = self.send("GET", "/Users?count=200", None).await;
        let listed = answer.body["Resources"].as_array().unwrap().len();
        let total = usize::try_from(answer.body["totalResults"].as_u64().unwrap()).unwrap();
        assert_eq!((answer.status.as_u16(), listed), (200, total.min(200)));
        let counted = self.send("GET", "/Users?count=0", None).await;
        assert_eq!(counted.body["totalResults"], total);
        total
    }

    /// Imports existing users of the product.
    pub async fn import(&self, people: &[Value]) -> Report {
        self.imported(people, Mode::Store).await
    }

    pub async fn imported(&self, people: &[Value], mode: Mode) -> Report {
        self.world.import(&self.row, people, mode).await
    }

    /// Gives the tenant another profile, which the service learns of in a minute.
    pub async fn change(&mut self, profile: &Profile) {
        let (store, users) = (&self.world.store, self.users());
        let bounds = profile.bounds(&Profile::read(&self.row.profile).unwrap());
        assert!(
            store.set_profile(&self.row, &profile.write().unwrap(), bounds, None).await.unwrap()
        );
        self.world.clock.advance(61);
        store.count_seats(&users).await.unwrap();
        self.row = store.tenant(self.row.code()).await.unwrap().unwrap();
    }

    /// The row of a user, whatever its state.
    pub async fn stored(&self, user: &Value) -> Option<Row> {
        let (partition, id) = (format!("{}#U", self.row.code()), id(user));
        let rows = self.world.rows().await;
        rows.into_iter()
            .find(|row| row.p() == partition && !row.s().contains('!') && row.about(row.s()) == id)
    }

    /// What the operator does to a user, by the rules of the service.
    async fn operator<T>(
        &self,
        work: impl AsyncFnOnce(&Directory, Call<'_>, &ServedType) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let world = &self.world;
        let tenants = Tenants::new(world.store.clone(), world.clock.clock(), &Additions::default());
        let tenant = tenants.get(self.row.code()).await?.unwrap();
        let days = |days: u64| Duration::from_secs(days * 24 * 60 * 60);
        let directory =
            Directory::new(world.store.clone(), world.clock.clock(), days(90), days(365));
        let until = Instant::now() + Duration::from_secs(10);
        let reads = &RequestReads::default();
        let call = Call {
            tenant: &tenant,
            actor: "operator",
            request_id: "test",
            base_url: BASE_URL,
            deadline: until,
            soft_deadline: until,
            reads,
        };
        work(&directory, call, tenant.types.iter().find(|of| of.kind == Kind::User).unwrap()).await
    }

    /// Restores a deleted user.
    pub async fn restore(&self, user: &Value) -> Result<(), Error> {
        let id = id(user).parse().unwrap();
        self.operator(async |directory, call, of| {
            let options = RestoreOptions::default();
            directory.restore_by_operator(call, of, &id, options).await.map(drop)
        })
        .await
    }

    /// Removes an imported user.
    pub async fn forget(&self, id: &ResourceId) -> Result<(), Error> {
        self.operator(async |directory, call, of| directory.forget(call, of, id).await).await
    }

    /// How many of the tenant's rows hold this text anywhere.
    pub async fn rows_with(&self, text: &str) -> usize {
        let code = self.row.code().as_str();
        let rows = self.world.rows().await;
        rows.iter()
            .filter(|row| row.p().starts_with(code) && format!("{row:?}").contains(text))
            .count()
    }

    /// The operations in the tenant's log, oldest first.
    pub async fn log(&self) -> Vec<String> {
        let partition = format!("{}#L", self.row.code());
        let rows = self.world.rows().await;
        let mut log: Vec<_> = rows.iter().filter(|row| row.p() == partition).collect();
        log.sort_by_key(|row| row.s().to_owned());
        log.iter().map(|row| row.text("op").unwrap().to_owned()).collect()
    }
}
