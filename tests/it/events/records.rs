//! Records that cannot be read stop no other record, and an outage stops all of them.

use scim_core::ErrorKind;
use serde_json::{Value, json};

use crate::support::World;
use crate::support::connectors::{Between, Fault};
use crate::support::stream::StreamReader;

/// The record of a new user.
async fn record(world: &World) -> Value {
    let stream = StreamReader::on(&world.local.engine);
    world.create(json!({ "userName": "ada@example.com" })).await;
    let is_user = |record: &Value| record["dynamodb"]["NewImage"]["k"]["S"] == "U";
    stream.records().into_iter().find(is_user).unwrap()
}

#[tokio::test]
async fn a_record_that_cannot_be_read_stops_no_other() {
    let world = World::new().await;
    let good = record(&world).await;
    let spoil = |path: &str, value: Value| {
        let mut record = good.clone();
        *record.pointer_mut(path).unwrap() = value;
        record
    };
    let records = vec![
        good.clone(),
        spoil("/dynamodb/NewImage/d/S", json!("{")),
        spoil("/dynamodb/NewImage/f/N", json!("99")),
        spoil("/dynamodb/NewImage/v", json!("one")),
        spoil("/dynamodb/Keys/p/S", json!("nobody12#U")),
        spoil("/dynamodb/Keys/p/S", json!("zzz")),
        spoil("/dynamodb/SequenceNumber", json!(7)),
        json!("not a record"),
        good.clone(),
    ];
    let count = records.len();
    let events = world.service.events(records).await.unwrap();
    assert_eq!(events.len(), count);
    let types: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert!(types[1..count - 1].iter().all(|name| *name == "record.unshaped"), "{types:?}");
    assert_eq!((types[0], &events[0]), ("user.provisioned", &events[count - 1]));
    let key = &good["dynamodb"]["Keys"];
    let named = json!({ "p": key["p"]["S"], "s": key["s"]["S"] });
    assert_eq!((&events[1]["data"]["key"], &events[1]["data"]["kind"]), (&named, &json!("U")));
    assert!(!events[1].to_string().contains("ada"), "{}", events[1]);
    assert!(events[2]["data"]["reason"].as_str().unwrap().contains("newer release"));
}

#[tokio::test]
async fn an_outage_fails_the_whole_batch_and_is_over_when_the_table_answers() {
    let world = World::hasty(Between::default()).await;
    let (row, _) = world.tenant("other", "default").await;
    let mut record = record(&world).await;
    let partition = format!("{}#U", row.code());
    record["dynamodb"]["Keys"]["p"]["S"] = json!(partition);
    world.between.set(|_, _| Some(Fault::Refuse(500, "InternalServerError")));
    let error = world.service.events(vec![record.clone()]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    world.between.clear();
    let events = world.service.events(vec![record]).await.unwrap();
    assert_eq!(events[0]["tenant"]["name"], "other");
}
