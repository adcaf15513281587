//! A customer to whom everything happens once, and the events that follow.

use std::sync::Arc;

use scim_core::Additions;
use scim_lambda::Service;
use scim_lambda::operator::tenants::{NewTenant, Switch};
use scim_lambda::settings::{EventBody, EventSettings, Settings};
use scim_lambda::store::ResyncScope;
use scim_local::{STACK, TABLE};
use serde_json::{Value, json};

use crate::support::customer::{Customer, profile};
use crate::support::handles::{group_path, members};
use crate::support::stream::StreamReader;
use crate::support::{BASE_URL, DAY, World};

/// The settings under which everything can happen.
pub const SETTINGS: [(&str, &str); 4] = [
    ("create.existing", "link"),
    ("seats.limit", "3"),
    ("brake.deactivations", "2"),
    ("dialect.idp", "entra"),
];

/// A customer and the reader of its table's stream.
pub struct Story {
    pub customer: Customer,
    pub stream: StreamReader,
}

impl Story {
    pub async fn new(settings: &[(&str, &str)]) -> Self {
        let world = Arc::new(World::serving("test-resource").await);
        let stream = StreamReader::on(&world.local.engine);
        let customer = Customer::of(&world, "default", settings).await;
        stream.records();
        Self { customer, stream }
    }

    pub async fn events(&self) -> Vec<Value> {
        self.stream.events(&self.customer.world).await
    }

    /// The only event since the last call.
    pub async fn event(&self) -> Value {
        let mut events = self.events().await;
        assert_eq!(events.len(), 1, "{events:#?}");
        events.remove(0)
    }
}

/// A user of this name.
pub fn person(name: &str) -> Value {
    json!({ "userName": format!("{name}@example.com"), "externalId": format!("x-{name}"), "active": true })
}

/// A service on the same table whose events hold no personal data.
pub fn with_ids_only(world: &World) -> Service {
    let mut settings = Settings::new(TABLE, STACK);
    settings.base_url = Some(BASE_URL.into());
    settings.additions = Additions::parse(
        &std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/test-resource.json"))
            .unwrap(),
        scim_lambda::store::MAX_UNIQUE_VALUES,
    )
    .unwrap();
    settings.events = EventSettings { body: EventBody::Ids, epoch: 2, region: None };
    let (store, secrets) = (world.store.clone(), world.secrets.clone());
    Service::new(store, secrets, &settings, world.clock.clock()).unwrap()
}

/// The records of a story in which each type of event happens at least once.
pub async fn records() -> (Story, Vec<Value>) {
    let story = Story::new(&SETTINGS).await;
    let customer = &story.customer;
    let world = &customer.world;
    // A life: created, changed, renamed, suspended, reactivated, deleted, restored.
    let ada = customer.create(person("ada")).await;
    assert_eq!(customer.set(&ada, "title", json!("Countess")).await.status, 200);
    assert_eq!(customer.set(&ada, "userName", json!("lovelace@example.com")).await.status, 200);
    assert_eq!(customer.activate(&ada, false).await.status, 200);
    assert_eq!(customer.activate(&ada, true).await.status, 200);
    let group = json!({ "displayName": "Staff", "members": [{ "value": ada["id"] }] });
    let group = customer.send("POST", "/Groups", group).await.body;
    assert_eq!(customer.delete(&ada).await.status, 204);
    assert_eq!(customer.post(person("ada")).await.status, 201);
    // Imported people: one is adopted, one is removed by the operator.
    let report = customer.import(&[person("bob"), person("eve")]).await;
    customer.create(person("bob")).await;
    customer.forget(report.lines[1].id.as_ref().unwrap()).await.unwrap();
    // Seats and the brake: the third user takes the last of three seats.
    let cid = customer.create(person("cid")).await;
    assert_eq!(customer.activate(&cid, false).await.status, 429);
    let operator = world.operator();
    assert!(operator.lift_brake(&customer.row).await.unwrap());
    assert_eq!(customer.activate(&cid, false).await.status, 200);
    // Groups and another type of resource.
    let path = group_path(&group);
    let joins = members("add", json!([{ "value": cid["id"] }]));
    assert!(customer.send("PATCH", &path, joins).await.status.is_success());
    let extension = "urn:ietf:params:scim:schemas:extension:test:2.0:TestResource";
    let test = json!({
        "schemas": ["urn:ietf:params:scim:schemas:test:2.0:TestResource", extension],
        "identifier": "r1", extension: { "extStringAttr": "x", "extRequired": "x" },
    });
    let test = customer.send("POST", "/TestResources", test).await.body;
    let path = format!("/TestResources/{}", test["id"].as_str().unwrap());
    let change = crate::support::handles::set("caseExactString", "y");
    let changed = customer.send("PATCH", &path, change).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    // A resync shows all that there is.
    let patient = world.patient_operator();
    patient.resync(&customer.row, &ResyncScope::All, |_| {}).await.unwrap();
    assert_eq!(customer.send("DELETE", &path, None).await.status, 204);
    let path = group_path(&group);
    let renamed = json!({ "displayName": "Crew" });
    assert_eq!(customer.send("PUT", &path, renamed).await.status, 200);
    assert_eq!(customer.send("DELETE", &path, None).await.status, 204);
    // The operator's switches.
    operator.switch_tenant(&customer.row, Switch::Off).await.unwrap();
    operator.switch_tenant(&customer.row, Switch::On).await.unwrap();
    let mut changed = customer.clone();
    changed.change(&profile("default", &SETTINGS[..2])).await;
    let new = NewTenant {
        name: "globex".into(),
        customer: Some("cus_81".into()),
        ..NewTenant::default()
    };
    let created = operator.create_tenant(new).await.unwrap();
    let token = &created.token.token;
    assert_eq!(world.send_as(token, "GET", "/Users?count=0", None).await.status, 200);
    // The end of a retention, as TTL does it.
    assert_eq!(customer.delete(&cid).await.status, 204);
    world.clock.advance(91 * DAY);
    world.local.engine.sweep().unwrap();
    let mut records = story.stream.records();
    records.extend(deletion_of_a_tenant(&records));
    records.push(unreadable(&records[0]));
    (story, records)
}

/// A record whose row only a newer release can read.
fn unreadable(record: &Value) -> Value {
    let mut record = record.clone();
    record["dynamodb"]["NewImage"]["f"]["N"] = json!("2");
    record["dynamodb"]["SequenceNumber"] = json!("8".repeat(21));
    record
}

/// The record of a tenant's deletion, which no use case makes yet: its creation, turned round.
fn deletion_of_a_tenant(records: &[Value]) -> Option<Value> {
    let is_tenant = |record: &&Value| record["dynamodb"]["NewImage"]["k"]["S"] == "T";
    let mut record = records.iter().find(is_tenant)?.clone();
    let image = record["dynamodb"].as_object_mut()?.remove("NewImage")?;
    record["dynamodb"].as_object_mut()?.insert("OldImage".into(), image);
    record["eventName"] = json!("REMOVE");
    record["dynamodb"]["SequenceNumber"] = json!("9".repeat(21));
    Some(record)
}
