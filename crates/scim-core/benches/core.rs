//! The time of the hot paths: `cargo bench -p scim-core`. `docs/FIGURES.md` lists the results.

#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use scim_core::{Dialect, Filter, PatchRequest, ResourceType, json};
use serde_json::{Map, Value, json};

const BY_USER_NAME: &str = "userName eq \"bjensen@example.com\"";
const BY_TYPE_AND_EMAIL: &str =
    "userType eq \"Employee\" and emails[type eq \"work\" and value co \"@example.com\"]";

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn user() -> Value {
    json!({
        "userName": "bjensen@example.com", "externalId": "701984",
        "displayName": "Babs Jensen", "title": "Tour Guide", "active": true,
        "name": {
            "givenName": "Barbara", "familyName": "Jensen", "formatted": "Ms. Barbara J Jensen",
        },
        "emails": [
            { "value": "bjensen@example.com", "type": "work", "primary": true },
            { "value": "babs@jensen.org", "type": "home" },
        ],
        "phoneNumbers": [
            { "value": "555-555-5555", "type": "work" },
            { "value": "555-555-4444", "type": "mobile" },
        ],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "employeeNumber": "701984", "department": "Tour Operations",
            "manager": { "value": "26118915", "displayName": "John Smith" },
        },
    })
}

fn patch() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [
            {
                "op": "Replace", "path": "emails[type eq \"work\"].value",
                "value": "barbara@example.com",
            },
            { "op": "Add", "path": "name.givenName", "value": "Barb" },
            { "op": "Replace", "path": "active", "value": "False" },
        ],
    })
}

fn filters(c: &mut Criterion) {
    let users = ResourceType::user().unwrap();
    let indexed = ["id", "userName", "externalId", "emails.value"].map(str::to_owned);
    let view = object(user());
    for (name, text) in [("filter/userName eq", BY_USER_NAME), ("filter/and", BY_TYPE_AND_EMAIL)] {
        let parse = |text| Filter::parse(text, &users, Dialect::TOLERANT).unwrap();
        c.bench_function(&format!("{name}: parse and plan"), |b| {
            b.iter(|| parse(black_box(text)).equalities(&indexed));
        });
        let filter = parse(text);
        c.bench_function(&format!("{name}: judge a user"), |b| {
            b.iter(|| filter.matches(black_box(&view)))
        });
    }
}

fn patches(c: &mut Criterion) {
    let users = ResourceType::user().unwrap();
    let stored = users.parse(object(user()), Dialect::TOLERANT).unwrap().attributes;
    let body = object(patch());
    c.bench_function("patch/three operations: parse and apply", |b| {
        b.iter(|| {
            let patch = PatchRequest::parse(black_box(&body), &users, Dialect::TOLERANT).unwrap();
            patch.apply(&users, &stored).unwrap()
        });
    });
}

fn drafts(c: &mut Criterion) {
    let users = ResourceType::user().unwrap();
    let text = user().to_string();
    c.bench_function("user: JSON to draft", |b| {
        b.iter(|| {
            let body = json::parse(black_box(text.as_bytes())).unwrap();
            users.parse(body, Dialect::TOLERANT).unwrap()
        });
    });
}

criterion_group!(all, filters, patches, drafts);
criterion_main!(all);
