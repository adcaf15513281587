//! The stream of a world's table, and the events that follow from its records.

use std::sync::Mutex;

use scim_local::TABLE;
use scim_local::engine::Engine;
use serde_json::{Value, json};

use super::World;
use crate::events::schemas;

/// Reads the records of a table's stream, each once.
#[derive(Debug)]
pub struct StreamReader {
    engine: Engine,
    iterator: Mutex<String>,
}

impl StreamReader {
    /// Switches the stream of the table on, and reads from there.
    pub fn on(engine: &Engine) -> Self {
        let stream = json!({ "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" });
        let update = json!({ "TableName": TABLE, "StreamSpecification": stream });
        call(engine, "UpdateTable", &update);
        let streams = call(engine, "ListStreams", &json!({ "TableName": TABLE }));
        let arn = &streams["Streams"][0]["StreamArn"];
        let described = call(engine, "DescribeStream", &json!({ "StreamArn": arn }));
        let shard = &described["StreamDescription"]["Shards"][0]["ShardId"];
        let from =
            json!({ "StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON" });
        let iterator = call(engine, "GetShardIterator", &from)["ShardIterator"].clone();
        let iterator = Mutex::new(iterator.as_str().unwrap().to_owned());
        Self { engine: engine.clone(), iterator }
    }

    /// The records since the last call.
    pub fn records(&self) -> Vec<Value> {
        let (mut all, mut iterator) = (Vec::new(), self.iterator.lock().unwrap());
        loop {
            let answer = call(&self.engine, "GetRecords", &json!({ "ShardIterator": *iterator }));
            let records = answer["Records"].as_array().unwrap();
            *iterator = answer["NextShardIterator"].as_str().unwrap().to_owned();
            if records.is_empty() {
                return all;
            }
            all.extend(records.iter().cloned());
        }
    }

    /// The events since the last call, made in batches of ten, as the Pipe sends the records.
    pub async fn events(&self, world: &World) -> Vec<Value> {
        let mut events = Vec::new();
        for batch in self.records().chunks(10) {
            let made = world.service.events(batch.to_vec()).await.unwrap();
            assert!(made.len() <= batch.len());
            made.iter().for_each(schemas::check);
            events.extend(made);
        }
        events
    }
}

fn call(engine: &Engine, operation: &str, body: &Value) -> Value {
    let (status, answer) = engine.call(operation, &body.to_string());
    assert_eq!(status, 200, "{operation}: {answer}");
    serde_json::from_str(&answer).unwrap()
}
