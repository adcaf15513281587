//! What the worst messages of 64 KiB cost, and of half that size: `cargo bench -p scim-core --bench
//! worst` prints both times and their ratio, which is 2 where time is linear.

#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use scim_core::bulk::BulkRequest;
use scim_core::patch::Path;
use scim_core::{Dialect, Filter, PatchRequest, ResourceType, canonical, json};
use serde_json::{Value, json};

const KIB: usize = 1_024;

/// A name, and what is done with so many bytes.
type Case<'a> = (&'a str, Box<dyn Fn(usize) + 'a>);

/// The best of ten runs.
fn time(run: &dyn Fn(usize), bytes: usize) -> Duration {
    let once = |_| {
        let began = Instant::now();
        run(bytes);
        began.elapsed()
    };
    (0..10).map(once).min().unwrap_or_default()
}

/// `bytes` of a text that is repeated, between two others.
fn repeated(before: &str, text: &str, after: &str, bytes: usize) -> String {
    format!(
        "{before}{}{after}",
        text.repeat((bytes.saturating_sub(before.len() + after.len())) / text.len())
    )
}

fn main() {
    let users = ResourceType::user().unwrap();
    let groups = ResourceType::group().unwrap();
    let (users, groups) = (&users, &groups);
    let filter = |text: String| drop(black_box(Filter::parse(&text, users, Dialect::TOLERANT)));
    let body = |text: String| json::parse(text.as_bytes());
    let emails = |n: usize| {
        (0..n).map(|i| json!({ "value": format!("{i}@example.com") })).collect::<Value>()
    };
    let stored = users.parse(
        json!({ "userName": "a", "emails": emails(200) }).as_object().unwrap().clone(),
        Dialect::TOLERANT,
    );
    let stored = stored.unwrap().attributes;
    let patch = |text: String| {
        let Ok(body) = body(text) else { return };
        let patch = PatchRequest::parse(&body, users, Dialect::TOLERANT);
        drop(black_box(patch.map(|patch| patch.apply(users, &stored))));
    };
    let cases: Vec<Case<'_>> = vec![
        ("filter: parentheses", Box::new(|n| filter(repeated("", "(", "", n)))),
        ("filter: terms", Box::new(|n| filter(repeated("id pr", " or id pr", "", n)))),
        (
            "filter: one long string",
            Box::new(|n| filter(repeated("title co \"", "\u{130}", "\"", n))),
        ),
        ("filter: 8 KiB of not", Box::new(|n| filter(repeated("", "not (", "", n / 8)))),
        ("filter: 8 KiB of one name", Box::new(|n| filter(repeated("", "a.b:", " pr", n / 8)))),
        (
            "path: brackets",
            Box::new(|n| {
                drop(black_box(Path::parse(
                    &repeated("emails", "[", "", n),
                    users,
                    Dialect::STRICT,
                )))
            }),
        ),
        (
            "userName",
            Box::new(|n| drop(black_box(canonical::user_name(&repeated("", "\u{fb03}", "", n))))),
        ),
        (
            "JSON: arrays in arrays",
            Box::new(|n| drop(black_box(body(repeated("{\"a\":", "[", "", n))))),
        ),
        (
            "JSON: numbers",
            Box::new(|n| drop(black_box(body(repeated("{\"a\":[1", ",1", "]}", n))))),
        ),
        (
            "JSON: one long string",
            Box::new(|n| drop(black_box(body(repeated("{\"a\":\"", "\\u0041", "\"}", n))))),
        ),
        (
            "user: e-mails",
            Box::new(|n| {
                let text = repeated(
                    "{\"userName\":\"a\",\"emails\":[\"b\"",
                    ",{\"value\":\"x\"}",
                    "]}",
                    n,
                );
                drop(black_box(body(text).map(|body| users.parse(body, Dialect::TOLERANT))));
            }),
        ),
        (
            "group: members",
            Box::new(|n| {
                let text = repeated(
                    "{\"displayName\":\"a\",\"members\":[\"b\"",
                    ",{\"value\":\"2819c223\"}",
                    "]}",
                    n,
                );
                let draft = body(text).and_then(|body| groups.parse(body, Dialect::TOLERANT));
                drop(black_box(
                    draft.map(|mut draft| scim_core::members::take(&mut draft.attributes)),
                ));
            }),
        ),
        (
            "PATCH: names of no schema",
            Box::new(|n| {
                let names: String = (0..100).map(|i| format!("\"titles{i}\":1,")).collect();
                let operation = format!(",{{\"op\":\"add\",\"value\":{{{names}\"title2\":1}}}}");
                patch(repeated(
                    "{\"Operations\":[{\"op\":\"add\",\"value\":{}}",
                    &operation,
                    "]}",
                    n,
                ));
            }),
        ),
        (
            "PATCH: operations",
            Box::new(|n| {
                let operation = ",{\"op\":\"add\",\"path\":\"title\",\"value\":\"x\"}";
                patch(repeated(
                    "{\"Operations\":[{\"op\":\"add\",\"path\":\"title\",\"value\":\"x\"}",
                    operation,
                    "]}",
                    n,
                ));
            }),
        ),
        (
            "PATCH: filters over 200 values",
            Box::new(|n| {
                let operation = ",{\"op\":\"replace\",\"path\":\"emails[value eq \\\"1@example.com\\\"].type\",\"value\":\"x\"}";
                patch(repeated(
                    "{\"Operations\":[{\"op\":\"add\",\"path\":\"title\",\"value\":\"x\"}",
                    operation,
                    "]}",
                    n,
                ));
            }),
        ),
        (
            "PATCH: one value of many",
            Box::new(|n| {
                patch(repeated(
                    "{\"Operations\":[{\"op\":\"remove\",\"path\":\"emails\",\"value\":[\"x\"",
                    ",{\"value\":\"x\"}",
                    "]}]}",
                    n,
                ));
            }),
        ),
        (
            "bulk: references in a chain",
            Box::new(|n| {
                let operations: Vec<Value> = (0..n / 140).map(|i| json!({
                "method": "POST", "path": "/Groups", "bulkId": i.to_string(), "data": { "members": [{ "value": format!("bulkId:{}", i + 1) }] },
            })).collect();
                let body = json!({ "Operations": operations });
                drop(black_box(
                    BulkRequest::parse(body.as_object().unwrap()).map(|bulk| bulk.order()),
                ));
            }),
        ),
    ];
    println!("{:<34} {:>10} {:>10} {:>6}", "worst case", "32 KiB", "64 KiB", "ratio");
    for (name, run) in cases {
        let (half, whole) = (time(&run, 32 * KIB), time(&run, 64 * KIB));
        let ratio = whole.as_secs_f64() / half.as_secs_f64().max(1e-9);
        println!("{name:<34} {half:>10.1?} {whole:>10.1?} {ratio:>6.1}");
    }
}
