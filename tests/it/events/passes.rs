//! Which records the Pipe lets through, by the kind of the row. `tests/pipe.sh` compares the
//! patterns in `template.yaml` with what is written here; `SCIM_STREAM_RECORDS` names the file.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use serde_json::{Value, json};

use super::story;
use crate::formats::scene::Scene;

/// Whether a record passes the Pipe.
pub fn passes(record: &Value) -> bool {
    let images = ["NewImage", "OldImage"].map(|name| &record["dynamodb"][name]);
    let has = |attribute: &str| images.iter().any(|image| image.get(attribute).is_some());
    match kind(record) {
        "U" | "G" | "Z" | "R" | "T" | "S" => true,
        "B" => has("tripped"),
        "Y" => record["eventName"] == "INSERT" || images[0].get("done").is_some(),
        _ => false,
    }
}

fn kind(record: &Value) -> &str {
    let images = ["NewImage", "OldImage"].map(|name| record["dynamodb"][name]["k"]["S"].as_str());
    images.into_iter().flatten().next().unwrap_or_default()
}

#[tokio::test]
async fn only_rows_that_make_events_pass_the_pipe() {
    let (told, mut records) = story::records().await;
    let world = told.customer.world.clone();
    let scene = Scene::new().await;
    scene.leave_unfinished().await;
    records.extend(scene.stream.records());
    let mut lines = Vec::new();
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for record in records {
        let (kind, change) = (kind(&record).to_owned(), record["eventName"].clone());
        let made = world.service.events(vec![record.clone()]).await.unwrap();
        assert!(made.is_empty() || passes(&record), "{made:#?}");
        seen.entry(kind.clone()).or_default().insert(change.as_str().unwrap().to_owned());
        lines.push(json!({
            "kind": kind, "change": change, "passes": passes(&record), "record": record,
            "event": made.first(),
        }));
    }
    let kinds: String = seen.keys().map(String::as_str).collect();
    assert_eq!(kinds, "ABCDEFGHKLMNOPQRSTUWXYZ", "a row of each kind was written");
    for kind in ["G", "U", "Z"] {
        assert_eq!(seen[kind].len(), 3, "{kind} was inserted, modified and removed");
    }
    if let Some(file) = std::env::var_os("SCIM_STREAM_RECORDS") {
        let mut file = std::fs::File::create(file).unwrap();
        lines.iter().for_each(|line| writeln!(file, "{line}").unwrap());
    }
}
