//! Every call of AWS that the function's requests make. `tests/vectors/calls-of-function.json` holds
//! the actions of IAM that they need; `SCIM_WRITE_DOCS=1` writes it, and `tests/deploy_rules.py`
//! compares it with the role in the template. `crates/scimctl/tests/aws/calls.rs` does the same for
//! the tool.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::support::events::{answer, event};
use crate::support::{DAY, World};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/calls-of-function.json");

/// A filter that is answered by reading several rows at once.
const MANY: &str = "/Users?filter=emails.value%20eq%20%22team@example.com%22";

/// The actions of IAM that a call needs. Each action of a transaction needs the right of the same
/// action alone.
fn rights(operation: &str, body: &Value) -> Vec<String> {
    match operation {
        "GetSecretValue" => {
            let kind = body["SecretId"].as_str().unwrap().split('/').nth(2).unwrap().to_owned();
            vec![format!("secretsmanager:GetSecretValue on {kind}")]
        }
        "TransactWriteItems" => {
            let actions = body["TransactItems"].as_array().unwrap().iter();
            let names = actions.flat_map(|action| action.as_object().unwrap().keys());
            let name = |name: &String| match name.as_str() {
                "ConditionCheck" => "dynamodb:ConditionCheckItem on table".to_owned(),
                name => format!("dynamodb:{name}Item on table"),
            };
            names.map(name).collect()
        }
        operation => vec![format!("dynamodb:{operation} on table")],
    }
}

/// A user who shares an address with others.
fn user(name: &str) -> Value {
    json!({ "userName": name, "emails": [{ "value": "team@example.com" }] })
}

/// A function whose calls are recorded.
struct Recorded {
    world: World,
    needs: Arc<Mutex<BTreeSet<String>>>,
    requests: BTreeMap<String, BTreeSet<String>>,
}

impl Recorded {
    async fn new() -> Self {
        let world = World::new().await;
        let needs: Arc<Mutex<BTreeSet<String>>> = Arc::default();
        let noted = needs.clone();
        world.between.set(move |operation, body| {
            noted.lock().unwrap().extend(rights(operation, body));
            None
        });
        Self { world, needs, requests: BTreeMap::new() }
    }

    /// Sends a request, and returns the id in its answer.
    async fn send(&mut self, name: &str, path: &str, body: impl Into<Option<Value>>) -> String {
        let method = name.split(' ').next().unwrap();
        let answer = self.world.send(method, path, body).await;
        assert!(answer.status.is_success(), "{name}: {}", answer.body);
        let needs = std::mem::take(&mut *self.needs.lock().unwrap());
        self.requests.entry(name.to_owned()).or_default().extend(needs);
        answer.body["id"].as_str().unwrap_or_default().to_owned()
    }

    /// Has the function handle an event that is not a request.
    async fn handle(&mut self, name: &str, event: Value) -> Value {
        let answer = answer(&self.world, event).await.unwrap();
        let needs = std::mem::take(&mut *self.needs.lock().unwrap());
        self.requests.entry(name.to_owned()).or_default().extend(needs);
        answer
    }

    /// What the function does without a request.
    async fn work(&mut self) {
        let watched = self.handle("watch", json!({ "scim": "watch" })).await;
        assert_eq!(watched["tenants"], 1, "{watched}");
        let batch = event(&self.world, "stream-user-created", "");
        let events = self.handle("stream", batch).await;
        assert_eq!(events[0]["type"], "user.provisioned", "{events}");
    }

    /// A day in the life of a tenant.
    async fn live(&mut self) {
        let ann = self.send("POST /Users", "/Users", user("ann")).await;
        let bob = self.send("POST /Users", "/Users", user("bob")).await;
        let (ann, bob) = (format!("/Users/{ann}"), format!("/Users/{bob}"));
        let member = |path: &str| json!({ "value": path.rsplit('/').next().unwrap() });
        let crew = json!({ "displayName": "crew", "members": [member(&ann), member(&bob)] });
        let crew = format!("/Groups/{}", self.send("POST /Groups", "/Groups", crew).await);
        let operations = |operation: Value| json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation] });
        let off = operations(json!({ "op": "replace", "path": "active", "value": false }));
        self.send("PATCH /Users/{id}", &bob, off).await;
        self.send("PUT /Users/{id}", &ann, user("anne")).await;
        let remove = json!({ "op": "remove", "path": format!("members[value eq {}]", member(&bob)["value"]) });
        self.send("PATCH /Groups/{id}", &crew, operations(remove)).await;
        self.send("GET /Users/{id}", &ann, None).await;
        self.send("GET /Groups/{id}", &crew, None).await;
        for path in
            ["/Users", "/Users?filter=userName%20eq%20%22anne%22", "/Users?attributes=groups", MANY]
        {
            self.send("GET /Users", path, None).await;
        }
        self.send("GET /Groups", "/Groups?filter=members.value%20eq%20%22x%22", None).await;
        self.send("POST /.search", "/.search", json!({ "filter": "displayName eq \"crew\"" }))
            .await;
        let create = json!({ "method": "POST", "path": "/Users", "bulkId": "1", "data": { "userName": "carl" } });
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"];
        self.send("POST /Bulk", "/Bulk", json!({ "schemas": schemas, "Operations": [create] }))
            .await;
        for path in ["ServiceProviderConfig", "ResourceTypes", "Schemas"] {
            self.send(&format!("GET /{path}"), &format!("/{path}"), None).await;
        }
        self.send("DELETE /Users/{id}", &ann, None).await;
        self.send("DELETE /Groups/{id}", &crew, None).await;
        // What expires is erased by the next request, which also looks the token up again.
        self.world.clock.advance(91 * DAY);
        self.send("GET /Users", "/Users", None).await;
    }
}

#[tokio::test]
async fn the_functions_role_needs_the_rights_that_are_recorded() {
    let mut recorded = Recorded::new().await;
    recorded.live().await;
    recorded.work().await;
    let requests = recorded.requests;
    let all = requests.values().flatten();
    let role: BTreeSet<&str> = all.map(|right| right.split(' ').next().unwrap()).collect();
    assert!(requests.values().flatten().all(|right| !right.ends_with(" on kept")));
    let written = json!({ "roles": { "ScimRole": role }, "requests": requests });
    let text = format!("{}\n", serde_json::to_string_pretty(&written).unwrap());
    if std::env::var_os("SCIM_WRITE_DOCS").is_some() {
        std::fs::write(FILE, &text).unwrap();
    }
    let known = std::fs::read_to_string(FILE).unwrap_or_default();
    assert_eq!(known, text, "SCIM_WRITE_DOCS=1 writes the file; then see template.yaml");
}
