//! A customer whose table has a row of every kind.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use scim_lambda::operator::import::Mode;
use scim_lambda::operator::tokens::Lifetime;
use scim_lambda::store::{Operation, Resync, ResyncScope};
use serde_json::{Value, json};

use crate::support::World;
use crate::support::connectors::Fault;
use crate::support::customer::Customer;
use crate::support::handles::{Row, group_path};
use crate::support::stream::StreamReader;

/// The id of a user whom the product had before.
pub const PRODUCT_ID: &str = "usr.of-the-product";

/// The settings that make rows of limits, of further unique values, and of users who are due.
fn settings() -> Vec<(&'static str, String)> {
    let overlay = json!([{ "name": "badge", "type": "string", "uniqueness": "server" }]);
    vec![
        ("attributes.overlay", overlay.to_string()),
        ("seats.limit", "50".to_owned()),
        ("brake.deactivations", "20".to_owned()),
        ("deprovision.on_inactive", "suspend_with_expiry".to_owned()),
        ("create.existing", "link".to_owned()),
    ]
}

/// The customer, and what is in its directory.
pub struct Scene {
    pub customer: Customer,
    /// A visible user of all kinds of names, in the group.
    pub ada: Value,
    /// A visible user in no group.
    pub bob: Value,
    /// A user who expires while visible.
    pub eve: Value,
    /// A group of the first two.
    pub group: Value,
    /// The records of all that was written.
    pub stream: StreamReader,
}

impl Scene {
    pub async fn new() -> Self {
        let world = Arc::new(World::serving("test-resource").await);
        let stream = StreamReader::on(&world.local.engine);
        let settings = settings();
        let settings: Vec<_> =
            settings.iter().map(|(path, value)| (*path, value.as_str())).collect();
        let customer = Customer::of(&world, "default", &settings).await;
        let person = |name: &str| {
            json!({
                "userName": format!("{name}@example.com"), "externalId": name, "active": true,
                "badge": format!("b-{name}"), "emails": [{ "value": format!("{name}@home.example") }],
            })
        };
        let ada = customer.create(person("ada")).await;
        let bob = customer.create(person("bob")).await;
        let eve = customer.create(person("eve")).await;
        assert_eq!(customer.activate(&eve, false).await.status, 200);
        customer
            .post(json!({ "externalId": "nameless" }))
            .await
            .is_error(400, Some("invalidValue"));
        let imported =
            json!({ "id": PRODUCT_ID, "userName": "imp@example.com", "externalId": "imp" });
        world.import(&customer.row, &[imported], Mode::Store).await;
        let members = json!([{ "value": ada["id"] }, { "value": bob["id"] }]);
        let group = json!({ "displayName": "Staff", "externalId": "s", "members": members });
        let group = customer.send("POST", "/Groups", group).await;
        assert_eq!(group.status, 201, "{}", group.body);
        let operator = world.operator();
        operator.issue_token(&customer.row, Lifetime::Profile, None).await.unwrap();
        operator.move_tokens(&customer.row).await.unwrap();
        Self { customer, ada, bob, eve, group: group.body, stream }
    }

    pub fn world(&self) -> &World {
        &self.customer.world
    }

    pub fn group_path(&self) -> String {
        group_path(&self.group)
    }

    /// Makes a resync that stored its position and was interrupted, and one that finished.
    pub async fn resync(&self) {
        let operator = self.world().patient_operator();
        operator.resync(&self.customer.row, &ResyncScope::All, |_| {}).await.unwrap();
        let resyncs = self.world().store.resyncs(&self.customer.row.key()).await.unwrap();
        let interrupted = Resync {
            id: uuid::Uuid::now_v7().to_string(),
            position: Some("{}".to_owned()),
            finished: None,
            ..resyncs[0].clone()
        };
        let (store, key) = (&self.world().store, self.customer.row.key());
        let audit = self.world().audit(Operation::Resync);
        assert!(store.begin_resync(&key, &interrupted, &audit).await.unwrap());
        assert!(store.save_resync(&key, &interrupted).await.unwrap());
    }

    /// Deletes a group whose members' rows stay, since all later writes fail.
    pub async fn leave_unfinished(&self) {
        let members = json!([{ "value": self.ada["id"] }]);
        let group = json!({ "displayName": "Leaving", "members": members });
        let group = self.customer.send("POST", "/Groups", group).await.body;
        let between = self.world().between.clone();
        let last = between.count("TransactWriteItems") + 1;
        self.world().between.set(move |called, _| {
            let broken =
                called == "TransactWriteItems" && between.count("TransactWriteItems") > last;
            broken.then_some(Fault::Refuse(500, "InternalServerError"))
        });
        let deleted = self.customer.send("DELETE", &group_path(&group), None).await;
        assert_eq!(deleted.status, 204, "{}", deleted.body);
        self.world().between.clear();
    }

    /// The rows of the customer, of its name, and of the newest secret.
    pub async fn rows(&self) -> Vec<Row> {
        let code = self.customer.row.code().as_str();
        let own = |row: &Row| {
            row.p().starts_with(code) || row.text("t") == Some(code) || row.s() == "secrets"
        };
        self.world().rows().await.into_iter().filter(own).collect()
    }

    /// Those of the rows that are not refusals.
    pub async fn rows_of_its_directory(&self) -> Vec<Row> {
        self.rows().await.into_iter().filter(|row| row.kind() != "F").collect()
    }

    /// Sets an attribute of a row, past the service.
    pub async fn mark(&self, row: &Row, name: &str, value: AttributeValue) {
        let client = aws_sdk_dynamodb::Client::new(&self.world().local.sdk_config());
        let update = client.update_item().table_name(scim_local::TABLE);
        let update = update.key("p", row.0["p"].clone()).key("s", row.0["s"].clone());
        let update = update.update_expression(format!("SET {name} = :value"));
        update.expression_attribute_values(":value", value).send().await.unwrap();
    }
}
