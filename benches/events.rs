//! The CPU time of an event for each record of the table's stream, beside that of a user in a page
//! of 100, which is not longer than a third of it.
//!
//! `cargo bench --bench events` measures both in turn, in one run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod tenant;

use std::time::Duration;

use scim_lambda::clock::Clock;
use scim_lambda::tenant::Profile;
use serde_json::{Value, json};

use tenant::{Tenant, cpu};

/// How many times each is measured.
const TIMES: usize = 500;
/// Records in a batch of the Pipe.
const BATCH: usize = 10;

/// A record of the stream in which a user's title changes: the row has the document that the
/// tenant's users have.
fn record(code: &str, user: &Value, n: usize) -> Value {
    let id = user["id"].as_str().unwrap();
    let image = |title: &str, version: usize| {
        let mut document = user.clone();
        let members = document.as_object_mut().unwrap();
        ["id", "meta", "schemas"].iter().for_each(|name| drop(members.remove(*name)));
        members.insert("title".into(), json!(title));
        json!({
            "p": { "S": format!("{code}#U") }, "s": { "S": id }, "k": { "S": "U" },
            "f": { "N": "1" }, "d": { "S": document.to_string() },
            "un": { "S": user["userName"] }, "uk": { "S": "0".repeat(46) },
            "e": { "S": user["externalId"] }, "es": { "S": "0".repeat(32) },
            "v": { "N": version.to_string() }, "c": { "N": "1800000000000" },
            "m": { "N": "1800000000000" }, "a": { "BOOL": true }, "st": { "S": "live" },
            "ev": { "S": "patch" }, "ac": { "S": "k7f2" }, "rq": { "S": "0".repeat(36) },
        })
    };
    json!({
        "eventID": "1", "eventName": "MODIFY", "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": { "p": { "S": format!("{code}#U") }, "s": { "S": id } },
            "OldImage": image("before", n), "NewImage": image("after", n + 1),
            "SequenceNumber": (1_000_000 + n).to_string(),
            "ApproximateCreationDateTime": 1_800_000_000,
        },
    })
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let profile = Profile::preset("default", None).unwrap();
    let tenant = Tenant::new("events", &profile, Clock::system()).await;
    tenant.seed.users(1_000, |_| {}).await.unwrap();
    let page = tenant.request("GET", "/Users?count=100", None);
    let answer = Box::pin(tenant.service.call(page)).await;
    let page: Value = serde_json::from_slice(answer.body()).unwrap();
    let users = page["Resources"].as_array().unwrap();
    let (mut of_page, mut of_batch) = (Vec::new(), Vec::new());
    for n in 0..TIMES {
        let request = tenant.request("GET", "/Users?count=100", None);
        let (begun, engine) = (cpu(), tenant.surroundings.engine_time());
        assert_eq!(Box::pin(tenant.service.call(request)).await.status(), 200);
        let engine = tenant.surroundings.engine_time() - engine;
        of_page.push((cpu() - begun).saturating_sub(engine));

        // The Lambda runtime reads the batch and writes the answer, so both count.
        let records =
            users.iter().take(BATCH).map(|user| record(tenant.row.code().as_str(), user, n));
        let batch = Value::Array(records.collect()).to_string();
        let begun = cpu();
        let records: Vec<Value> = serde_json::from_str(&batch).unwrap();
        let events = tenant.service.events(records).await.unwrap();
        assert!(serde_json::to_string(&events).unwrap().len() > 100);
        of_batch.push(cpu() - begun);
        assert!(events.len() == BATCH && events[0]["type"] == "user.updated");
    }
    let user = median(of_page) / 100;
    let event = median(of_batch) / u32::try_from(BATCH).unwrap();
    let times = event.as_secs_f64() / user.as_secs_f64();
    println!("a user in a page of 100: {user:.1?}");
    println!("an event:                {event:.1?}, {times:.2} times as long");
}
