//! DynamoDB's operations as its endpoint accepts them: a name and a JSON body.
//!
//! The engine has an HTTP server of its own, but that server answers any web page. So each
//! operation that it offers is called here directly. A valid request gets the same answer as there,
//! and an invalid one the same kind of error with a shorter message.

use dynoxide::actions::transact_write_items::TransactWriteItemsRequest;
use dynoxide::{Database, DynoxideError, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

/// Answers a request, or returns `None` for an unknown operation.
pub(super) fn call(db: &Database, operation: &str, body: &str) -> Option<Result<String>> {
    let answered = match operation {
        "CreateTable" => answer(body, |request| db.create_table(request)),
        "DeleteTable" => answer(body, |request| db.delete_table(request)),
        "DescribeTable" => answer(body, |request| db.describe_table(request)),
        "ListTables" => answer(body, |request| db.list_tables(request)),
        "UpdateTable" => answer(body, |request| db.update_table(request)),
        "PutItem" => answer(body, |request| db.put_item(request)),
        "GetItem" => answer(body, |request| db.get_item(request)),
        "DeleteItem" => answer(body, |request| db.delete_item(request)),
        "UpdateItem" => answer(body, |request| db.update_item(request)),
        "Query" => answer(body, |request| db.query(request)),
        "Scan" => answer(body, |request| db.scan(request)),
        "SearchVectors" => answer(body, |request| db.search_vectors(request)),
        "BatchGetItem" => answer(body, |request| db.batch_get_item(request)),
        "BatchWriteItem" => answer(body, |request| db.batch_write_item(request)),
        "TransactGetItems" => answer(body, |request| db.transact_get_items(request)),
        "ListStreams" => answer(body, |request| db.list_streams(request)),
        "DescribeStream" => answer(body, |request| db.describe_stream(request)),
        "GetShardIterator" => answer(body, |request| db.get_shard_iterator(request)),
        "GetRecords" => answer(body, |request| db.get_records(request)),
        "UpdateTimeToLive" => answer(body, |request| db.update_time_to_live(request)),
        "DescribeTimeToLive" => answer(body, |request| db.describe_time_to_live(request)),
        "ExecuteStatement" => answer(body, |request| db.execute_statement(request)),
        "ExecuteTransaction" => answer(body, |request| db.execute_transaction(request)),
        "BatchExecuteStatement" => answer(body, |request| db.batch_execute_statement(request)),
        "TagResource" => answer(body, |request| db.tag_resource(request)),
        "UntagResource" => answer(body, |request| db.untag_resource(request)),
        "ListTagsOfResource" => answer(body, |request| db.list_tags_of_resource(request)),
        _ => return None,
    };
    Some(answered.map_err(|error| sent_by(operation, error)))
}

/// Answers a `TransactWriteItems` with the token that `token` makes of the request's own.
pub(super) fn transact_write(
    db: &Database,
    body: &str,
    token: impl FnOnce(String) -> Option<String>,
) -> Result<String> {
    let answered = answer(body, |mut request: TransactWriteItemsRequest| {
        request.client_request_token = request.client_request_token.and_then(token);
        db.transact_write_items(request)
    });
    answered.map_err(|error| sent_by("TransactWriteItems", error))
}

/// Whether an operation never writes.
pub(super) fn only_reads(operation: &str) -> bool {
    let reads = ["Get", "Query", "Scan", "Search", "BatchGet", "TransactGet", "Describe", "List"];
    reads.iter().any(|read| operation.starts_with(read))
}

/// The operation of a request's `X-Amz-Target`.
pub(super) fn of_target(target: &str) -> Option<&str> {
    let prefixes = ["DynamoDB_20120810.", "DynamoDBStreams_20120810."];
    prefixes.into_iter().find_map(|prefix| target.strip_prefix(prefix))
}

fn answer<Q: DeserializeOwned, A: Serialize>(
    body: &str,
    act: impl FnOnce(Q) -> Result<A>,
) -> Result<String> {
    let answer = act(serde_json::from_str(body).map_err(|error| unreadable(&error))?)?;
    serde_json::to_string(&answer)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

/// An error as the operation sends it: some operations add to the message.
fn sent_by(operation: &str, error: DynoxideError) -> DynoxideError {
    match (operation, error) {
        ("PutItem" | "UpdateItem" | "DeleteItem", DynoxideError::EnvelopedValidation(why)) => {
            DynoxideError::ValidationException(format!("1 validation error detected: {why}"))
        }
        ("ExecuteStatement", DynoxideError::ConditionalCheckFailedException(why, Some(item))) => {
            DynoxideError::StatementConditionalCheckFailed(why, item)
        }
        (_, error) => error,
    }
}

/// Why a body cannot be read as a request. Where the engine's readers know DynamoDB's own message,
/// theirs begins with a mark.
fn unreadable(error: &serde_json::Error) -> DynoxideError {
    if matches!(error.classify(), Category::Syntax | Category::Eof) {
        // DynamoDB sends no message for a body that is not JSON.
        return DynoxideError::SerializationException(String::new());
    }
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    match text.split_once(':').unwrap_or_default() {
        ("SERIALIZATION" | "SERIALIZATION_AS_READ", why) => {
            DynoxideError::SerializationException(why.to_owned())
        }
        ("VALIDATION_REQUEST", why) => DynoxideError::EnvelopedValidation(why.to_owned()),
        ("VALIDATION" | "VALIDATION_AS_READ", why) => {
            DynoxideError::ValidationException(why.to_owned())
        }
        ("invalid type", why) if !why.starts_with(" null") => {
            DynoxideError::SerializationException(text.to_owned())
        }
        _ => DynoxideError::ValidationException(text.to_owned()),
    }
}
