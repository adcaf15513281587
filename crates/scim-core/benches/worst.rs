//! The time that the worst known messages of 64 KiB take, and those of half the size:
//! `cargo bench -p scim-core --bench worst` prints both times and their ratio. The ratio is 2 if
//! the time is linear.

#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use scim_core::bulk::BulkRequest;
use scim_core::patch::Path;
use scim_core::{
    Attributes, Dialect, Filter, PatchRequest, ResourceType, canonical, json, members,
};
use serde_json::{Map, Value, json};

const KIB: usize = 1_024;

/// A name, and the work that is done on a message of a number of bytes.
type Case<'a> = (&'a str, Box<dyn Fn(usize) + 'a>);

/// The shortest of ten runs.
fn time(run: &dyn Fn(usize), bytes: usize) -> Duration {
    let once = |_| {
        let start = Instant::now();
        run(bytes);
        start.elapsed()
    };
    (0..10).map(once).min().unwrap_or_default()
}

/// A text of about `bytes` that repeats `text` between two others.
fn repeated(before: &str, text: &str, after: &str, bytes: usize) -> String {
    let count = bytes.saturating_sub(before.len() + after.len()) / text.len();
    format!("{before}{}{after}", text.repeat(count))
}

fn body(text: &str) -> Option<Map<String, Value>> {
    json::parse(text.as_bytes()).ok()
}

fn texts(users: &ResourceType) -> Vec<Case<'_>> {
    let filter = |text: String| drop(black_box(Filter::parse(&text, users, Dialect::TOLERANT)));
    vec![
        ("filter: parentheses", Box::new(move |n| filter(repeated("", "(", "", n)))),
        ("filter: terms", Box::new(move |n| filter(repeated("id pr", " or id pr", "", n)))),
        (
            "filter: one long string",
            Box::new(move |n| filter(repeated("title co \"", "\u{130}", "\"", n))),
        ),
        ("filter: 8 KiB of not", Box::new(move |n| filter(repeated("", "not (", "", n / 8)))),
        (
            "filter: 8 KiB of one name",
            Box::new(move |n| filter(repeated("", "a.b:", " pr", n / 8))),
        ),
        (
            "path: brackets",
            Box::new(|n| {
                let path = repeated("emails", "[", "", n);
                drop(black_box(Path::parse(&path, users, Dialect::STRICT)));
            }),
        ),
        (
            "userName",
            Box::new(|n| drop(black_box(canonical::user_name(&repeated("", "\u{fb03}", "", n))))),
        ),
    ]
}

fn documents() -> Vec<Case<'static>> {
    let parse = |text: String| drop(black_box(body(&text)));
    vec![
        ("JSON: arrays in arrays", Box::new(move |n| parse(repeated("{\"a\":", "[", "", n)))),
        ("JSON: numbers", Box::new(move |n| parse(repeated("{\"a\":[1", ",1", "]}", n)))),
        (
            "JSON: one long string",
            Box::new(move |n| parse(repeated("{\"a\":\"", "\\u0041", "\"}", n))),
        ),
    ]
}

fn resources<'a>(users: &'a ResourceType, groups: &'a ResourceType) -> Vec<Case<'a>> {
    let draft = |text: String, resource_type: &ResourceType| {
        body(&text).and_then(|body| resource_type.parse(body, Dialect::TOLERANT).ok())
    };
    vec![
        (
            "user: e-mails",
            Box::new(move |n| {
                let before = "{\"userName\":\"a\",\"emails\":[\"b\"";
                let text = repeated(before, ",{\"value\":\"x\"}", "]}", n);
                drop(black_box(draft(text, users)));
            }),
        ),
        (
            "group: members",
            Box::new(move |n| {
                let before = "{\"displayName\":\"a\",\"members\":[\"b\"";
                let text = repeated(before, ",{\"value\":\"2819c223\"}", "]}", n);
                let draft = draft(text, groups);
                drop(black_box(draft.map(|mut draft| members::take(&mut draft.attributes))));
            }),
        ),
    ]
}

/// A user with the most e-mail addresses that it can have.
fn many_emails(users: &ResourceType) -> Attributes {
    let emails: Value = (0..200).map(|i| json!({ "value": format!("{i}@example.com") })).collect();
    let user = json!({ "userName": "a", "emails": emails });
    users.parse(user.as_object().unwrap().clone(), Dialect::TOLERANT).unwrap().attributes
}

fn patches<'a>(users: &'a ResourceType, stored: &'a Attributes) -> Vec<Case<'a>> {
    let patch = |text: String| {
        let Some(body) = body(&text) else { return };
        let patch = PatchRequest::parse(&body, users, Dialect::TOLERANT);
        drop(black_box(patch.map(|patch| patch.apply(users, stored))));
    };
    let title = "{\"Operations\":[{\"op\":\"add\",\"path\":\"title\",\"value\":\"x\"}";
    vec![
        (
            "PATCH: names of no schema",
            Box::new(move |n| {
                let names: String = (0..100).map(|i| format!("\"titles{i}\":1,")).collect();
                let operation = format!(",{{\"op\":\"add\",\"value\":{{{names}\"title2\":1}}}}");
                let before = "{\"Operations\":[{\"op\":\"add\",\"value\":{}}";
                patch(repeated(before, &operation, "]}", n));
            }),
        ),
        (
            "PATCH: operations",
            Box::new(move |n| {
                let operation = ",{\"op\":\"add\",\"path\":\"title\",\"value\":\"x\"}";
                patch(repeated(title, operation, "]}", n));
            }),
        ),
        (
            "PATCH: filters over 200 values",
            Box::new(move |n| {
                let operation = ",{\"op\":\"replace\",\
                    \"path\":\"emails[value eq \\\"1@example.com\\\"].type\",\"value\":\"x\"}";
                patch(repeated(title, operation, "]}", n));
            }),
        ),
        (
            "PATCH: one value of many",
            Box::new(move |n| {
                let before =
                    "{\"Operations\":[{\"op\":\"remove\",\"path\":\"emails\",\"value\":[\"x\"";
                patch(repeated(before, ",{\"value\":\"x\"}", "]}]}", n));
            }),
        ),
    ]
}

/// A bulk request in which each operation refers to the next one.
fn chain(operations: usize) {
    let operation = |i: usize| {
        json!({
            "method": "POST", "path": "/Groups", "bulkId": i.to_string(),
            "data": { "members": [{ "value": format!("bulkId:{}", i + 1) }] },
        })
    };
    let operations: Vec<Value> = (0..operations).map(operation).collect();
    let body = json!({ "Operations": operations });
    drop(black_box(BulkRequest::parse(body.as_object().unwrap()).map(|bulk| bulk.order())));
}

fn main() {
    let users = ResourceType::user().unwrap();
    let groups = ResourceType::group().unwrap();
    let stored = many_emails(&users);
    let mut cases = texts(&users);
    cases.extend(documents());
    cases.extend(resources(&users, &groups));
    cases.extend(patches(&users, &stored));
    cases.push(("bulk: references in a chain", Box::new(|n| chain(n / 140))));
    println!("{:<34} {:>10} {:>10} {:>6}", "worst case", "32 KiB", "64 KiB", "ratio");
    for (name, run) in cases {
        let (half, whole) = (time(&run, 32 * KIB), time(&run, 64 * KIB));
        let ratio = whole.as_secs_f64() / half.as_secs_f64().max(1e-9);
        println!("{name:<34} {half:>10.1?} {whole:>10.1?} {ratio:>6.1}");
    }
}
