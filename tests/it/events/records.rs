//! Records that cannot be read stop no other record, and an outage stops all of them.

use std::sync::atomic::{AtomicUsize, Ordering};

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

/// A fault of one read must not turn an event into `record.unshaped`.
#[tokio::test]
async fn one_fault_fails_the_batch_too() {
    let world = World::hasty(Between::default()).await;
    let (row, _) = world.tenant("other", "default").await;
    let mut record = record(&world).await;
    record["dynamodb"]["Keys"]["p"]["S"] = json!(format!("{}#U", row.code()));
    for refusal in [(500, "InternalServerError"), (400, "ResourceNotFoundException")] {
        // Each of the SDK's tries fails; a read after that would not.
        let tries = AtomicUsize::new(0);
        let (status, code) = refusal;
        world.between.set(move |_, _| {
            (tries.fetch_add(1, Ordering::SeqCst) < 3).then_some(Fault::Refuse(status, code))
        });
        let events = world.service.events(vec![record.clone()]).await;
        assert!(events.is_err() || events.unwrap()[0]["type"] == "user.provisioned", "{code}");
    }
    world.between.clear();
}

/// A tenant that is remembered may lack a type that the operator has given it since.
#[tokio::test]
async fn a_new_resource_type_is_known_at_once() {
    let world = World::new().await;
    let (row, _) = world.tenant("acme2", "default").await;
    let mut first = record(&world).await;
    let code = row.code().as_str();
    first["dynamodb"]["Keys"]["p"]["S"] = json!(format!("{code}#U"));
    assert_eq!(world.service.events(vec![first.clone()]).await.unwrap().len(), 1);
    let unknown = json!(format!("{code}#Z#Device"));
    first["dynamodb"]["Keys"]["p"]["S"] = unknown;
    first["dynamodb"]["NewImage"]["k"]["S"] = json!("Z");
    let reads = world.between.count("Query");
    let events = world.service.events(vec![first]).await.unwrap();
    assert_eq!(events[0]["type"], "record.unshaped");
    assert_eq!(world.between.count("Query"), reads + 1, "the tenant was read again");
}
