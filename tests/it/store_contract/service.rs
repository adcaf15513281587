//! The service over the store: its answers are the same on every engine.

use scim_lambda::Service;
use scim_lambda::auth::secrets_manager::Secrets;
use scim_lambda::settings::Settings;
use scim_local::Local;
use scim_local::engine::Engine;
use scim_local::secrets::Vault;
use serde_json::{Value, json};

use super::table::Table;
use crate::support::handles::{group_path, id, patch, user_path};
use crate::support::tokens::first_token;
use crate::support::{DAY, all, encode, walk};

/// A service over the table, and a token of its tenant. The secrets are local.
struct Client {
    service: Service,
    token: String,
}

impl Client {
    async fn new(table: &Table) -> Self {
        let local = Local { engine: Engine::memory().unwrap(), secrets: Vault::memory() };
        let client = aws_sdk_secretsmanager::Client::new(&local.sdk_config());
        let (secrets, tenant) = (Secrets::new(client, "contract"), &table.tenant);
        let token = first_token(&table.store, &secrets, tenant.code(), None).await;
        let settings = Settings::new(&table.name, "contract");
        let clock = table.clock.clock();
        let service = Service::new(table.store.clone(), secrets, &settings, clock).unwrap();
        Self { service, token: token.reveal().to_owned() }
    }

    async fn send(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("/scim/v2{path}"))
            .header("authorization", format!("Bearer {}", self.token))
            .body(body.map(|body| body.to_string().into()).unwrap_or_default())
            .unwrap();
        let response = self.service.call(request).await;
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or_default())
    }
}

/// Through the life of a user.
pub async fn the_service_gives_the_same_answers_about_users(table: &Table) {
    let client = Client::new(table).await;
    let body = |name: &str, id: &str| {
        Some(
            json!({ "userName": name, "externalId": id, "emails": [{ "value": "e@example.com" }] }),
        )
    };
    let (status, first) = client.send("POST", "/Users", body("a@example.com", "1")).await;
    assert_eq!(status, 201, "{first}");
    let path = user_path(&first);
    assert_eq!(client.send("POST", "/Users", body("A@example.com", "2")).await.0, 409);
    let (status, second) = client.send("POST", "/Users", body("b@example.com", "1")).await;
    assert_eq!(status, 201, "an externalId may have two owners: {second}");
    let find = async |filter: &str| {
        let (status, found) =
            client.send("GET", &format!("/Users?filter={}", encode(filter)), None).await;
        assert_eq!(status, 200, "{found}");
        found["Resources"].as_array().unwrap().len()
    };
    assert_eq!(find("externalId eq \"1\"").await, 2);
    assert_eq!(find("emails.value eq \"E@example.com\"").await, 2);
    assert_eq!(find("userName eq \"B@EXAMPLE.com\"").await, 1);
    let value = json!({ "userName": "c@example.com", "active": false });
    let rename = patch(json!([{ "op": "replace", "value": value }]));
    let (status, renamed) = client.send("PATCH", &path, Some(rename)).await;
    assert_eq!((status, &renamed["meta"]["version"]), (200, &json!("W/\"2\"")), "{renamed}");
    assert_eq!(
        (find("userName eq \"a@example.com\"").await, find("userName eq \"c@example.com\"").await),
        (0, 1)
    );
    assert_eq!(client.send("PUT", &path, body("b@example.com", "1")).await.0, 409);
    let (_, list) = client.send("GET", "/Users?startIndex=2&count=1", None).await;
    assert_eq!((&list["totalResults"], &list["itemsPerPage"]), (&json!(2), &json!(1)));
    assert_eq!(client.send("DELETE", &path, None).await.0, 204);
    assert_eq!(client.send("GET", &path, None).await.0, 404);
    table.clock.advance(DAY);
    let (status, back) = client.send("POST", "/Users", body("c@example.com", "1")).await;
    assert_eq!(status, 201, "{back}");
    let (_, list) = client.send("GET", "/Users", None).await;
    assert_eq!(list["totalResults"], 2, "{list}");
    assert_eq!(back["id"], first["id"]);
}

/// Through a tenant of more users than a page holds: pages, walks and filters over key ranges.
pub async fn the_service_gives_the_same_pages(table: &Table) {
    let client = Client::new(table).await;
    let mut sorted = Vec::new();
    for n in 0..50 {
        let user = json!({ "userName": format!("user0{n}"), "displayName": "Barbara Jensen" });
        sorted.push(
            client.send("POST", "/Users", Some(user)).await.1["id"].as_str().unwrap().to_owned(),
        );
    }
    sorted.sort_unstable();
    let of_seed = |pages: &[Value]| -> Vec<String> {
        let people = all(pages, "userName").into_iter().zip(all(pages, "id"));
        people.filter(|(name, _)| name.starts_with("user0")).map(|(_, id)| id).collect()
    };
    for filter in ["", "&filter=displayName%20co%20%22Jensen%22"] {
        let walked = walk(async |cursor| {
            client.send("GET", &format!("/Users?count=15&cursor={cursor}{filter}"), None).await.1
        });
        let mut paged = Vec::new();
        for start in (1..=52).step_by(15) {
            let path = format!("/Users?count=15&startIndex={start}{filter}");
            paged.push(client.send("GET", &path, None).await.1);
        }
        assert_eq!(
            (of_seed(&walked.await), of_seed(&paged)),
            (sorted.clone(), sorted.clone()),
            "{filter}"
        );
    }
}

/// Through the life of a group.
pub async fn the_service_gives_the_same_answers_about_groups(table: &Table) {
    let client = Client::new(table).await;
    let user = async |name: &str| {
        let (status, user) = client.send("POST", "/Users", Some(json!({ "userName": name }))).await;
        assert_eq!(status, 201, "{user}");
        id(&user).to_owned()
    };
    let (a, b) = (user("a@example.com").await, user("b@example.com").await);
    let (a, b) = (a.as_str(), b.as_str());
    let members = |op: &str, id: &str| {
        Some(json!({ "Operations": [{ "op": op, "path": "members", "value": [{ "value": id }] }] }))
    };
    let body = json!({ "displayName": "Staff", "externalId": "s", "members": [{ "value": a }] });
    let (status, staff) = client.send("POST", "/Groups", Some(body)).await;
    assert_eq!(status, 201, "{staff}");
    let path = group_path(&staff);
    assert_eq!(
        client.send("POST", "/Groups", Some(json!({ "displayName": "STAFF" }))).await.0,
        409
    );
    for _ in 0..2 {
        let (status, now) = client.send("PATCH", &path, members("add", b)).await;
        assert_eq!(
            (status, &now["meta"]["version"], now["members"].as_array().unwrap().len()),
            (200, &json!("W/\"2\""), 2)
        );
    }
    assert_eq!(client.send("PATCH", &path, members("add", "nobody")).await.0, 400);
    let inner = client.send("POST", "/Groups", Some(json!({ "displayName": "Crew" }))).await.1;
    let (status, now) = client.send("PATCH", &path, members("add", id(&inner))).await;
    assert_eq!((status, now["members"].as_array().unwrap().len()), (200, 3), "{now}");
    for _ in 0..2 {
        let (status, now) = client.send("PATCH", &path, members("remove", b)).await;
        assert_eq!((status, now["members"].as_array().unwrap().len()), (200, 2));
    }
    let (_, found) = client
        .send("GET", &format!("/Groups?filter={}", encode(&format!("members eq \"{a}\""))), None)
        .await;
    assert_eq!(found["totalResults"], 1, "{found}");
    let (_, page) = client.send("GET", "/Groups?count=1&cursor", None).await;
    assert_eq!((&page["totalResults"], page["nextCursor"].is_string()), (&json!(2), true));
    assert_eq!(client.send("DELETE", &format!("/Users/{a}"), None).await.0, 204);
    let (_, now) = client.send("GET", &path, None).await;
    assert_eq!(now["members"].as_array().unwrap().len(), 1, "{now}");
    assert_eq!(client.send("DELETE", &path, None).await.0, 204);
    assert_eq!(client.send("DELETE", &path, None).await.0, 404);
    assert_eq!(client.send("GET", "/Groups", None).await.1["totalResults"], 1);
}
