#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::PathBuf;

use serde_json::json;

use super::*;

/// A database in a file, which is removed at the end.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("scim-changes-{name}-{}", std::process::id()));
        let file = Self(path);
        file.remove();
        file
    }

    fn remove(&self) {
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", self.0.display()));
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.remove();
    }
}

fn call(engine: &Engine, operation: &str, body: &Value) -> Value {
    let (status, answer) = engine.call(operation, &body.to_string());
    assert_eq!(status, 200, "{answer}");
    serde_json::from_str(&answer).unwrap()
}

fn create_table(engine: &Engine) {
    let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
    let text = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
    let table = json!({
        "TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [key("p", "HASH"), key("s", "RANGE")],
        "AttributeDefinitions": [text("p"), text("s")],
    });
    call(engine, "CreateTable", &table);
    let expires = json!({ "Enabled": true, "AttributeName": "x" });
    call(
        engine,
        "UpdateTimeToLive",
        &json!({ "TableName": TABLE, "TimeToLiveSpecification": expires }),
    );
}

fn memory() -> (Engine, Changes) {
    let engine = Engine::memory().unwrap();
    create_table(&engine);
    let changes = Changes::of(&engine).unwrap();
    changes.keep("UG").unwrap();
    (engine, changes)
}

fn put(engine: &Engine, kind: &str, s: &str, v: usize) {
    let item = json!({ "p": { "S": "t#U" }, "s": { "S": s }, "k": { "S": kind }, "v": { "N": v.to_string() } });
    let action = json!({ "Put": { "TableName": TABLE, "Item": item } });
    call(engine, "TransactWriteItems", &json!({ "TransactItems": [action] }));
}

fn delete(engine: &Engine, s: &str) {
    let key = json!({ "p": { "S": "t#U" }, "s": { "S": s } });
    call(engine, "DeleteItem", &json!({ "TableName": TABLE, "Key": key }));
}

/// Name, sort key, old and new version of all records that are kept.
fn kept(changes: &Changes) -> Vec<(String, String, Value, Value)> {
    let batch = changes.after(changes.delivered().unwrap(), 1_000).unwrap();
    let told = |record: Value| {
        let change = &record["dynamodb"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let version = |image: &str| change[image]["v"]["N"].clone();
        let name = text(&record["eventName"]);
        (name, text(&change["Keys"]["s"]["S"]), version("OldImage"), version("NewImage"))
    };
    batch.records.into_iter().map(told).collect()
}

fn change(name: &str, s: &str, old: Value, new: Value) -> (String, String, Value, Value) {
    (name.into(), s.into(), old, new)
}

#[test]
fn changes_of_the_named_kinds_are_read_in_order_with_both_images() {
    let (engine, changes) = memory();
    put(&engine, "U", "a", 1);
    put(&engine, "L", "log", 1);
    put(&engine, "U", "a", 2);
    put(&engine, "U", "a", 2);
    delete(&engine, "log");
    delete(&engine, "a");
    let expected = [
        change("INSERT", "a", Value::Null, json!("1")),
        change("MODIFY", "a", json!("1"), json!("2")),
        change("REMOVE", "a", json!("2"), Value::Null),
    ];
    assert_eq!(kept(&changes), expected);
}

#[test]
fn a_record_has_lambdas_form() {
    let (engine, changes) = memory();
    put(&engine, "U", "a", 1);
    let record = &changes.after(changes.delivered().unwrap(), 1).unwrap().records[0];
    assert_eq!(record["eventSource"], "aws:dynamodb");
    assert_eq!(record["eventID"].as_str().unwrap().len(), 32);
    assert_eq!(record.get("userIdentity"), None);
    let change = &record["dynamodb"];
    assert_eq!(change["Keys"], json!({ "p": { "S": "t#U" }, "s": { "S": "a" } }));
    assert_eq!(change["NewImage"]["k"], json!({ "S": "U" }));
    let number = change["SequenceNumber"].as_str().unwrap();
    assert_eq!(number.len(), 21);
    assert_eq!(
        Position::of_sequence_number(&format!("{number:0>40}")),
        Some(changes.newest().unwrap())
    );
    assert!(change["ApproximateCreationDateTime"].as_i64().unwrap() > 1_700_000_000);
}

#[test]
fn a_refused_transaction_leaves_no_change() {
    let (engine, changes) = memory();
    put(&engine, "U", "a", 1);
    let item = json!({ "p": { "S": "t#U" }, "s": { "S": "a" }, "k": { "S": "U" } });
    let refused = json!({ "Put": { "TableName": TABLE, "Item": item,
        "ConditionExpression": "attribute_not_exists(p)" } });
    let first = json!({ "Put": { "TableName": TABLE,
        "Item": { "p": { "S": "t#U" }, "s": { "S": "b" }, "k": { "S": "U" } } } });
    let body = json!({ "TransactItems": [first, refused] }).to_string();
    assert_eq!(engine.call("TransactWriteItems", &body).0, 400);
    assert_eq!(kept(&changes).len(), 1);
}

#[test]
fn rows_that_expire_are_removed_by_the_service_and_others_are_not() {
    let (engine, changes) = memory();
    let item = |s: &str, kind: &str| json!({ "p": { "S": "t#U" }, "s": { "S": s }, "k": { "S": kind }, "x": { "N": "1" } });
    for (s, kind) in [("a", "U"), ("b", "L"), ("c", "G")] {
        call(&engine, "PutItem", &json!({ "TableName": TABLE, "Item": item(s, kind) }));
    }
    put(&engine, "U", "d", 1);
    delete(&engine, "d");
    changes.deliver(changes.newest().unwrap()).unwrap();
    assert_eq!(engine.sweep().unwrap(), 3);
    delete(&engine, "nobody");
    put(&engine, "U", "e", 1);
    delete(&engine, "e");
    let records = changes.after(changes.delivered().unwrap(), 10).unwrap().records;
    let by = |record: &Value| record["userIdentity"]["principalId"].clone();
    let (service, other) = (json!("dynamodb.amazonaws.com"), Value::Null);
    assert_eq!(
        records.iter().map(by).collect::<Vec<_>>(),
        [&service, &service, &other, &other].map(Clone::clone)
    );
}

#[test]
fn delivered_changes_are_removed_and_numbers_go_on() {
    let (engine, changes) = memory();
    for n in 0..5 {
        put(&engine, "U", &n.to_string(), 1);
    }
    let batch = changes.after(changes.delivered().unwrap(), 3).unwrap();
    assert_eq!(batch.records.len(), 3);
    changes.deliver(batch.end).unwrap();
    assert_eq!((changes.waiting().unwrap(), changes.delivered().unwrap()), (2, batch.end));
    let all = changes.newest().unwrap();
    changes.deliver(all).unwrap();
    changes.deliver(batch.end).unwrap();
    assert_eq!((changes.waiting().unwrap(), changes.delivered().unwrap()), (0, all));
    put(&engine, "U", "later", 1);
    assert!(changes.newest().unwrap() > all);
    assert_eq!(changes.forget().unwrap(), 1);
    put(&engine, "U", "unseen", 1);
    assert!(!changes.are_kept().unwrap());
    let before = changes.newest().unwrap();
    changes.keep("U").unwrap();
    assert_eq!(changes.waiting().unwrap(), 0);
    put(&engine, "U", "seen", 1);
    assert!(changes.newest().unwrap() > before);
    assert_eq!(kept(&changes).len(), 1);
}

#[test]
fn the_newest_delivered_changes_stay_for_a_late_reader() {
    let (engine, changes) = memory();
    (0..20).for_each(|n| put(&engine, "U", &n.to_string(), 1));
    let newest = changes.newest().unwrap();
    changes.alone(|connection| deliver(connection, newest.0, 5)).unwrap();
    assert_eq!(newest.since(changes.oldest().unwrap()), 5);
    assert_eq!(changes.after(newest.back(3), 10).unwrap().records.len(), 3);
    assert_eq!(changes.after(newest.back(20), 10).unwrap().records.len(), 5);
    assert_eq!(Position::of_sequence_number(&newest.sequence_number()), Some(newest));
    put(&engine, "U", "later", 1);
    changes.alone(|connection| deliver(connection, newest.0, 1)).unwrap();
    assert_eq!((kept(&changes).len(), changes.waiting().unwrap()), (1, 1));
}

#[test]
fn changes_wait_in_the_file_for_the_next_process() {
    let file = File::new("restart");
    let engine = Engine::open(&file.0).unwrap();
    create_table(&engine);
    Changes::of(&engine).unwrap().keep("U").unwrap();
    drop(engine);
    // Another subcommand, which does not read the changes.
    let engine = Engine::open(&file.0).unwrap();
    put(&engine, "U", "a", 1);
    drop(engine);
    let engine = Engine::open(&file.0).unwrap();
    let changes = Changes::of(&engine).unwrap();
    assert!(changes.are_kept().unwrap());
    assert_eq!(kept(&changes), [change("INSERT", "a", Value::Null, json!("1"))]);
}

#[test]
fn what_an_ended_process_has_left_half_done_is_forgotten() {
    let file = File::new("half-done");
    let engine = Engine::open(&file.0).unwrap();
    create_table(&engine);
    let changes = Changes::of(&engine).unwrap();
    changes.keep("U").unwrap();
    put(&engine, "U", "a", 1);
    // It ended during a sweep, and when it had removed one of the triggers.
    let stream = json!({ "StreamEnabled": true, "StreamViewType": "KEYS_ONLY" });
    call(&engine, "UpdateTable", &json!({ "TableName": TABLE, "StreamSpecification": stream }));
    changes.alone(|connection| connection.execute_batch("DROP TRIGGER _scim_removed")).unwrap();
    assert_eq!(changes.forget().unwrap(), 1);
    let table = call(&engine, "DescribeTable", &json!({ "TableName": TABLE }));
    assert_ne!(table["Table"]["StreamSpecification"]["StreamEnabled"], true, "{table}");
    put(&engine, "U", "b", 1);
    changes.keep("U").unwrap();
    assert_eq!(kept(&changes), [], "no trigger was left");
}

#[test]
fn writers_and_a_reader_do_not_disturb_each_other() {
    let (engine, changes) = memory();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let engine = &engine;
            scope.spawn(move || {
                for n in 0..200 {
                    put(engine, "U", &format!("{writer}-{n}"), n);
                }
            });
        }
        let sweeping = engine.clone();
        scope.spawn(move || {
            (0..20).for_each(|_| {
                sweeping.sweep().unwrap();
            })
        });
        let mut read = 0;
        while read < 800 {
            let batch = changes.after(changes.delivered().unwrap(), 50).unwrap();
            read += batch.records.len();
            changes.deliver(batch.end).unwrap();
        }
    });
    assert_eq!(changes.waiting().unwrap(), 0);
}

#[test]
fn a_reader_is_told_of_writes() {
    let (engine, changes) = memory();
    let mut written = changes.written();
    assert!(!written.has_changed().unwrap());
    call(
        &engine,
        "GetItem",
        &json!({ "TableName": TABLE, "Key": { "p": { "S": "t#U" }, "s": { "S": "a" } } }),
    );
    assert!(!written.has_changed().unwrap());
    put(&engine, "U", "a", 1);
    assert!(written.has_changed().unwrap());
    written.mark_unchanged();
    assert_eq!(engine.sweep().unwrap(), 0);
}
