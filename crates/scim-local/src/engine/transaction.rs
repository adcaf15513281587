//! `TransactWriteItems`, with the tokens of [`super::tokens`].

use std::collections::BTreeMap;

use dynoxide::{Database, DynoxideError, Result};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::digest::Digest;
use super::operations;
use super::tokens::{Claim, Tokens};

/// DynamoDB's maximum, in characters. The engine refuses longer ones.
const MAX_TOKEN_LENGTH: usize = 36;
/// The read units of one row of a replay, for rows of up to 4 KB.
const REPLAY_UNITS: f64 = 2.0;

/// What matters here of a request's body.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Head {
    client_request_token: Option<String>,
    #[serde(default)]
    transact_items: Digest,
}

/// What a replay's answer depends on.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Replayed {
    transact_items: Vec<BTreeMap<String, Map<String, Value>>>,
    return_consumed_capacity: Option<String>,
}

/// Answers a request. One whose token and items were sent before, and succeeded, writes nothing.
pub(super) fn call(database: &Database, tokens: &Tokens, body: &str) -> Result<String> {
    let head = serde_json::from_str::<Head>(body).ok();
    let items = head.as_ref().map(|head| head.transact_items).unwrap_or_default();
    let token = head.and_then(|head| head.client_request_token);
    let Some(token) = token.filter(|token| token.len() <= MAX_TOKEN_LENGTH) else {
        return operations::transact_write(database, body, Some);
    };
    match tokens.claim(&token, items) {
        Claim::Ours(running) => {
            let answer = operations::transact_write(database, body, |_| None)?;
            running.succeed();
            Ok(answer)
        }
        Claim::Replay => Ok(replay(body).to_string()),
        Claim::Mismatch => Err(DynoxideError::IdempotentParameterMismatchException(
            "An error occurred (IdempotentParameterMismatchException)".to_owned(),
        )),
    }
}

/// The answer to a replay. "Subsequent calls return the number of read capacity units consumed in
/// reading the item."
fn replay(body: &str) -> Value {
    let Ok(request) = serde_json::from_str::<Replayed>(body) else { return json!({}) };
    if !matches!(request.return_consumed_capacity.as_deref(), Some("TOTAL" | "INDEXES")) {
        return json!({});
    }
    let mut units: BTreeMap<&str, f64> = BTreeMap::new();
    for action in request.transact_items.iter().flat_map(BTreeMap::values) {
        let table = action.get("TableName").and_then(Value::as_str).unwrap_or_default();
        *units.entry(table).or_default() += REPLAY_UNITS;
    }
    let tables = units.into_iter().map(|(table, units)| {
        json!({ "TableName": table, "CapacityUnits": units, "ReadCapacityUnits": units })
    });
    json!({ "ConsumedCapacity": tables.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use crate::engine::Engine;

    fn engine() -> Engine {
        let engine = Engine::memory().unwrap();
        let table = json!({
            "TableName": "scim", "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{ "AttributeName": "p", "KeyType": "HASH" }],
            "AttributeDefinitions": [{ "AttributeName": "p", "AttributeType": "S" }],
        });
        assert_eq!(engine.call("CreateTable", &table.to_string()).0, 200);
        engine
    }

    /// Adds one to a counter in a transaction with a token.
    fn add(engine: &Engine, token: &str, row: &str, condition: &str) -> (u16, Value) {
        let mut update = json!({
            "TableName": "scim", "Key": { "p": { "S": row } }, "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": { ":one": { "N": "1" } },
        });
        if !condition.is_empty() {
            update["ConditionExpression"] = condition.into();
        }
        let body = json!({
            "ClientRequestToken": token, "ReturnConsumedCapacity": "TOTAL",
            "TransactItems": [{ "Update": update }],
        });
        let (status, answer) = engine.call("TransactWriteItems", &body.to_string());
        (status.as_u16(), serde_json::from_str(&answer).unwrap())
    }

    fn count(engine: &Engine, row: &str) -> Value {
        let get = json!({ "TableName": "scim", "Key": { "p": { "S": row } } });
        let answer = engine.call("GetItem", &get.to_string()).1;
        serde_json::from_str::<Value>(&answer).unwrap()["Item"]["n"]["N"].take()
    }

    #[test]
    fn a_replay_writes_nothing_and_consumes_read_units() {
        let engine = engine();
        let (status, first) = add(&engine, "token", "a", "");
        assert_eq!(
            (status, &first["ConsumedCapacity"][0]["WriteCapacityUnits"]),
            (200, &json!(2.0))
        );
        let (status, second) = add(&engine, "token", "a", "");
        let units =
            json!([{ "TableName": "scim", "CapacityUnits": 2.0, "ReadCapacityUnits": 2.0 }]);
        assert_eq!((status, &second["ConsumedCapacity"]), (200, &units));
        assert_eq!(count(&engine, "a"), "1");
        add(&engine, "another token", "a", "");
        assert_eq!(count(&engine, "a"), "2");
    }

    #[test]
    fn a_token_with_other_items_is_refused_with_dynamodbs_error() {
        let engine = engine();
        add(&engine, "token", "a", "");
        let (status, answer) = add(&engine, "token", "b", "");
        let kind = answer["__type"].as_str().unwrap();
        assert_eq!((status, kind.ends_with("#IdempotentParameterMismatchException")), (400, true));
        assert_eq!(count(&engine, "b"), Value::Null);
    }

    #[test]
    fn a_refused_transaction_runs_again() {
        let engine = engine();
        assert_eq!(add(&engine, "token", "a", "n = :one").0, 400);
        assert_eq!(add(&engine, "token", "a", "attribute_not_exists(n)").0, 200);
    }

    #[test]
    fn the_engine_refuses_a_token_that_is_too_long() {
        let (status, answer) = add(&engine(), &"t".repeat(37), "a", "");
        let said = answer["message"].as_str().unwrap();
        assert_eq!((status, said.contains("clientRequestToken")), (400, true), "{said}");
    }

    #[test]
    fn two_calls_at_once_run_once() {
        let engine = engine();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(add(&engine, "token", "a", "").0, 200));
            }
        });
        assert_eq!(count(&engine, "a"), "1");
    }
}
