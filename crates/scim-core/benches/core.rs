//! Time of the standard's hot paths: `cargo bench -p scim-core`. `docs/PERFORMANCE.md` has the
//! figures.

#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use scim_core::{Dialect, Filter, PatchRequest, ResourceType, json};
use serde_json::{Map, Value, json};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn user() -> Value {
    json!({
        "userName": "bjensen@example.com", "externalId": "701984", "displayName": "Babs Jensen", "title": "Tour Guide",
        "name": { "givenName": "Barbara", "familyName": "Jensen", "formatted": "Ms. Barbara J Jensen" }, "active": true,
        "emails": [{ "value": "bjensen@example.com", "type": "work", "primary": true }, { "value": "babs@jensen.org", "type": "home" }],
        "phoneNumbers": [{ "value": "555-555-5555", "type": "work" }, { "value": "555-555-4444", "type": "mobile" }],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "employeeNumber": "701984", "department": "Tour Operations", "manager": { "value": "26118915", "displayName": "John Smith" },
        },
    })
}

fn benches(c: &mut Criterion) {
    let users = ResourceType::user().unwrap();
    let indexed = ["id", "userName", "externalId", "emails.value"].map(str::to_owned);
    for (name, filter) in [
        ("filter/userName eq", "userName eq \"bjensen@example.com\""),
        (
            "filter/and",
            "userType eq \"Employee\" and emails[type eq \"work\" and value co \"@example.com\"]",
        ),
    ] {
        c.bench_function(&format!("{name}: parse and plan"), |b| {
            b.iter(|| {
                Filter::parse(black_box(filter), &users, Dialect::TOLERANT)
                    .unwrap()
                    .equalities(&indexed)
            });
        });
        let view = object(user());
        let parsed = Filter::parse(filter, &users, Dialect::TOLERANT).unwrap();
        c.bench_function(&format!("{name}: judge a user"), |b| {
            b.iter(|| parsed.matches(black_box(&view)))
        });
    }
    let stored = users.parse(object(user()), Dialect::TOLERANT).unwrap().attributes;
    let patch = object(
        json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [
        { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "barbara@example.com" },
        { "op": "Add", "path": "name.givenName", "value": "Barb" },
        { "op": "Replace", "path": "active", "value": "False" },
    ] }),
    );
    c.bench_function("patch/three operations: parse and apply", |b| {
        b.iter(|| {
            PatchRequest::parse(black_box(&patch), &users, Dialect::TOLERANT)
                .unwrap()
                .apply(&users, &stored)
                .unwrap()
        });
    });
    let text = user().to_string();
    c.bench_function("user: JSON to draft", |b| {
        b.iter(|| {
            users
                .parse(json::parse(black_box(text.as_bytes())).unwrap(), Dialect::TOLERANT)
                .unwrap()
        });
    });
}

criterion_group!(all, benches);
criterion_main!(all);
