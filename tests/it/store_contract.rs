//! What the store promises, on any engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_config::SdkConfig;
use scim_lambda::Service;
use scim_lambda::auth::records::TokenRecord;
use scim_lambda::auth::secrets_manager::{Secrets, StoredRecords};
use scim_lambda::auth::token::PlainToken;
use scim_lambda::clock::Clock;
use scim_lambda::settings::Settings;
use scim_lambda::store::TenantCode;
use scim_lambda::store::TenantRow;
use scim_lambda::store::{self, Store};
use scim_local::engine::Engine;
use scim_local::secrets::Vault;
use scim_local::{Local, TABLE};
use serde_json::{Value, json};
use time::OffsetDateTime;

/// A service on an engine that only its SDK configuration names.
struct Client {
    service: Arc<Service>,
    token: String,
}

impl Client {
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

/// Walks through a user's life; whatever engine is below, the answers are the same.
pub async fn contract(sdk: &SdkConfig, table: &str) {
    let dynamodb = aws_sdk_dynamodb::Client::from_conf(store::timeouts(sdk.into()).build());
    store::table::create(&dynamodb, table).await.unwrap();
    store::table::create(&dynamodb, table).await.expect("making the table again is no error");
    let store = Store::new(dynamodb, table);
    let local = Local { engine: Engine::memory().unwrap(), secrets: Vault::memory() };
    let secrets =
        Secrets::new(aws_sdk_secretsmanager::Client::new(&local.sdk_config()), "contract");
    let seconds = Arc::new(AtomicI64::new(1_800_000_000));
    let ticking = seconds.clone();
    let clock = Clock::driven(move || {
        OffsetDateTime::from_unix_timestamp(ticking.load(Ordering::SeqCst)).unwrap()
    });
    // The table may be one that has been used before.
    let tenants = store.tenants().await.unwrap().len();
    let name = format!("contract-{}", TenantCode::generate().unwrap());
    let tenant = TenantRow::generate(&name, "default", clock.seconds()).unwrap();
    assert!(store.create_tenant(&tenant, None).await.unwrap());
    assert!(
        !store
            .create_tenant(&TenantRow::generate(&name, "default", 0).unwrap(), None)
            .await
            .unwrap()
    );
    let found = store.tenant_by_name(&name).await.unwrap().unwrap();
    assert_eq!((found.code(), store.tenants().await.unwrap().len()), (tenant.code(), tenants + 1));
    let token = PlainToken::generate(tenant.code()).unwrap();
    secrets
        .put(
            tenant.code(),
            &name,
            &StoredRecords::default(),
            &[TokenRecord::of(&token, clock.seconds(), None)],
        )
        .await
        .unwrap();
    let settings = Settings::new(table, "contract");
    let service = Arc::new(Service::new(store, secrets, &settings, clock).unwrap());
    let client = Client { service, token: token.reveal().to_owned() };

    let body = |name: &str, id: &str| {
        Some(
            json!({ "userName": name, "externalId": id, "emails": [{ "value": "e@example.com" }] }),
        )
    };
    let (status, first) = client.send("POST", "/Users", body("a@example.com", "1")).await;
    assert_eq!(status, 201, "{first}");
    let path = format!("/Users/{}", first["id"].as_str().unwrap());
    assert_eq!(client.send("POST", "/Users", body("A@example.com", "2")).await.0, 409);
    let (status, second) = client.send("POST", "/Users", body("b@example.com", "1")).await;
    assert_eq!(status, 201, "an externalId may have two owners: {second}");
    let find = async |filter: &str| {
        let (status, found) = client
            .send("GET", &format!("/Users?filter={}", crate::support::encode(filter)), None)
            .await;
        assert_eq!(status, 200, "{found}");
        found["Resources"].as_array().unwrap().len()
    };
    assert_eq!(find("externalId eq \"1\"").await, 2);
    assert_eq!(find("emails.value eq \"E@example.com\"").await, 2);
    assert_eq!(find("userName eq \"B@EXAMPLE.com\"").await, 1);
    let rename = json!({ "Operations": [{ "op": "replace", "value": { "userName": "c@example.com", "active": false } }] });
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
    seconds.fetch_add(24 * 60 * 60, Ordering::SeqCst);
    let (status, back) = client.send("POST", "/Users", body("c@example.com", "1")).await;
    assert_eq!(status, 201, "{back}");
    let (_, list) = client.send("GET", "/Users", None).await;
    assert_eq!(list["totalResults"], 2, "{list}");
    assert_eq!(back["id"], first["id"]);
    many(&client).await;
    groups(&client, [&first, &second].map(|user| user["id"].as_str().unwrap())).await;
}

/// And through a tenant of more users than a page holds: pages, walks and filters over key ranges.
async fn many(client: &Client) {
    let mut sorted = Vec::new();
    for n in 0..50 {
        let user = json!({ "userName": format!("user0{n}"), "displayName": "Barbara Jensen" });
        sorted.push(
            client.send("POST", "/Users", Some(user)).await.1["id"].as_str().unwrap().to_owned(),
        );
    }
    sorted.sort_unstable();
    let of_seed = |pages: &[Value]| -> Vec<String> {
        let people = crate::support::all(pages, "userName")
            .into_iter()
            .zip(crate::support::all(pages, "id"));
        people.filter(|(name, _)| name.starts_with("user0")).map(|(_, id)| id).collect()
    };
    for filter in ["", "&filter=displayName%20co%20%22Jensen%22"] {
        let walked = crate::support::walk(async |cursor| {
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

/// And through a group's.
async fn groups(client: &Client, [a, b]: [&str; 2]) {
    let members = |op: &str, id: &str| {
        Some(json!({ "Operations": [{ "op": op, "path": "members", "value": [{ "value": id }] }] }))
    };
    let body = json!({ "displayName": "Staff", "externalId": "s", "members": [{ "value": a }] });
    let (status, staff) = client.send("POST", "/Groups", Some(body)).await;
    assert_eq!(status, 201, "{staff}");
    let path = format!("/Groups/{}", staff["id"].as_str().unwrap());
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
    let (status, now) =
        client.send("PATCH", &path, members("add", inner["id"].as_str().unwrap())).await;
    assert_eq!((status, now["members"].as_array().unwrap().len()), (200, 3), "{now}");
    for _ in 0..2 {
        let (status, now) = client.send("PATCH", &path, members("remove", b)).await;
        assert_eq!((status, now["members"].as_array().unwrap().len()), (200, 2));
    }
    let (_, found) = client
        .send(
            "GET",
            &format!("/Groups?filter={}", crate::support::encode(&format!("members eq \"{a}\""))),
            None,
        )
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

#[tokio::test]
async fn the_contract_holds_on_the_embedded_engine() {
    let local = Local { engine: Engine::memory().unwrap(), secrets: Vault::memory() };
    contract(&local.sdk_config(), TABLE).await;
}
