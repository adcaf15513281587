//! One write: a `TransactWriteItems` that is either committed, refused by its conditions, or tried
//! again, because the SDK does not retry conflicts.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Delete, Put, ReturnConsumedCapacity,
    ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem, Update,
};
use tokio::time::{Instant, sleep};

use super::item::{Item, Row};
use super::{Store, StoreError};
use crate::budget;

/// How long cancelled transactions are retried before the client is asked to come back.
const RETRY_FOR: Duration = Duration::from_secs(4);

/// The pauses between two tries: drawn evenly between `least` and an upper bound, which doubles
/// from `first` to `most`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pauses {
    least: Duration,
    first: Duration,
    most: Duration,
}

/// Another transaction holds a row, which takes it milliseconds.
const CONFLICT: Pauses = Pauses {
    least: Duration::ZERO,
    first: Duration::from_millis(10),
    most: Duration::from_millis(320),
};
/// A partition has no units left, and gets them back by the second: sooner tries only take more of
/// them.
const THROTTLE: Pauses = Pauses {
    least: Duration::from_millis(100),
    first: Duration::from_millis(200),
    most: Duration::from_secs(2),
};

impl Pauses {
    /// The pause before a try, the first of which has the number 1.
    fn before(self, again: u32) -> Duration {
        let bound = self.first.saturating_mul(1 << again.saturating_sub(1).min(16)).min(self.most);
        self.least + jitter(bound.saturating_sub(self.least))
    }
}

/// What a row of a transaction is, so that a refusal can be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The resource's own row.
    Resource,
    Claim,
    ExternalId,
    /// A further unique value, by its index.
    Unique(usize),
    /// A head of a group.
    Head,
    /// A member's row, by the index of the move.
    Moved(usize),
    /// The row of somebody who becomes a member, by the index of the move.
    Alive(usize),
    /// What says that a group is being created.
    Creating,
    /// The row of somebody who leaves all groups.
    Gone,
    Seats,
    Brake,
    Other,
}

/// What became of a transaction.
#[derive(Debug)]
pub(super) enum TransactionResult {
    Committed,
    /// Nothing was written; these rows failed their conditions, shown as they are.
    Refused(Vec<(Role, Option<Item>)>),
}

/// The values of an expression, `":name"` to value.
pub(super) type Values = Vec<(&'static str, AttributeValue)>;

/// A condition on the row as it is before the write.
#[derive(Debug, Clone)]
pub(super) struct Condition(pub(super) &'static str, pub(super) Values);

#[derive(Debug)]
pub(super) struct Transaction {
    table: Arc<str>,
    roles: Vec<Role>,
    actions: Vec<TransactWriteItem>,
}

impl Transaction {
    /// An empty transaction on the store's table.
    pub(super) fn on(store: &Store) -> Self {
        Self { table: store.table.clone(), roles: Vec::new(), actions: Vec::new() }
    }

    pub(super) fn put(
        &mut self,
        role: Role,
        row: Row,
        condition: Option<Condition>,
    ) -> Result<(), StoreError> {
        let (expression, values) = parts(condition);
        let put = Put::builder()
            .table_name(&*self.table)
            .set_item(Some(row.0))
            .set_condition_expression(expression)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()
            .map_err(|error| StoreError::broken(error.to_string()))?;
        self.push(role, TransactWriteItem::builder().put(put).build());
        Ok(())
    }

    /// An update of one row; `condition` may use the values of the update.
    pub(super) fn update(
        &mut self,
        role: Role,
        key: Row,
        expression: &str,
        values: impl IntoIterator<Item = (impl Into<String>, AttributeValue)>,
        condition: Option<&'static str>,
    ) -> Result<(), StoreError> {
        let update = Update::builder()
            .table_name(&*self.table)
            .set_key(Some(key.0))
            .update_expression(expression)
            .set_expression_attribute_values(named(values))
            .set_condition_expression(condition.map(str::to_owned))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()
            .map_err(|error| StoreError::broken(error.to_string()))?;
        self.push(role, TransactWriteItem::builder().update(update).build());
        Ok(())
    }

    pub(super) fn delete(
        &mut self,
        role: Role,
        key: Row,
        condition: Option<Condition>,
    ) -> Result<(), StoreError> {
        let (expression, values) = parts(condition);
        let delete = Delete::builder()
            .table_name(&*self.table)
            .set_key(Some(key.0))
            .set_condition_expression(expression)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()
            .map_err(|error| StoreError::broken(error.to_string()))?;
        self.push(role, TransactWriteItem::builder().delete(delete).build());
        Ok(())
    }

    /// A condition on a row that is not written.
    pub(super) fn check(
        &mut self,
        role: Role,
        key: Row,
        condition: Condition,
    ) -> Result<(), StoreError> {
        let Condition(expression, values) = condition;
        let check = ConditionCheck::builder()
            .table_name(&*self.table)
            .set_key(Some(key.0))
            .condition_expression(expression)
            .set_expression_attribute_values(named(values))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()
            .map_err(|error| StoreError::broken(error.to_string()))?;
        self.push(role, TransactWriteItem::builder().condition_check(check).build());
        Ok(())
    }

    /// How many actions it has.
    pub(super) fn len(&self) -> usize {
        self.actions.len()
    }

    fn push(&mut self, role: Role, action: TransactWriteItem) {
        self.roles.push(role);
        self.actions.push(action);
    }

    /// Sends the transaction until it is committed or refused.
    ///
    /// All tries carry one `ClientRequestToken`, so that a try whose answer was lost is not run
    /// twice. Conflicts with other transactions are waited out with full jitter, and throttles with
    /// longer pauses.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if DynamoDB does not answer, or cancels for [`RETRY_FOR`];
    /// whether anything was written is then unknown in the first case.
    pub(super) async fn commit(self, store: &Store) -> Result<TransactionResult, StoreError> {
        let token = uuid::Uuid::now_v7().to_string();
        let begun = Instant::now();
        for again in 1.. {
            budget::writes();
            let sent = store
                .client
                .transact_write_items()
                .client_request_token(&token)
                .set_transact_items(Some(self.actions.clone()))
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send();
            let error = match Box::pin(sent).await {
                Ok(answer) => {
                    let used = answer
                        .consumed_capacity()
                        .iter()
                        .filter_map(|used| used.capacity_units())
                        .sum();
                    budget::committed(used);
                    return Ok(TransactionResult::Committed);
                }
                Err(error) => error,
            };
            let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
                error.as_service_error()
            else {
                return Err(unavailable(error));
            };
            match verdict(&self.roles, cancelled.cancellation_reasons()) {
                Verdict::Refused(rows) => return Ok(TransactionResult::Refused(rows)),
                Verdict::Broken(why) => return Err(StoreError::Broken(why)),
                Verdict::Again(pauses) if begun.elapsed() < RETRY_FOR && budget::may_write() => {
                    sleep(pauses.before(again)).await;
                }
                Verdict::Again(_) => break,
            }
        }
        Err(StoreError::Unavailable("DynamoDB keeps cancelling the transaction".into()))
    }
}

enum Verdict {
    Refused(Vec<(Role, Option<Item>)>),
    /// Nothing was written, and the same transaction may succeed after a pause.
    Again(Pauses),
    Broken(String),
}

fn verdict(roles: &[Role], reasons: &[CancellationReason]) -> Verdict {
    let mut refused = Vec::new();
    let mut pauses = CONFLICT;
    for (role, reason) in roles.iter().zip(reasons) {
        match reason.code() {
            Some("ConditionalCheckFailed") => refused.push((*role, reason.item.clone().map(Item))),
            Some("ValidationError" | "ItemCollectionSizeLimitExceeded") => {
                return Verdict::Broken(reason.message().unwrap_or("a row was refused").to_owned());
            }
            Some("ThrottlingError" | "ProvisionedThroughputExceeded") => pauses = THROTTLE,
            // None, TransactionConflict
            _ => {}
        }
    }
    if refused.is_empty() { Verdict::Again(pauses) } else { Verdict::Refused(refused) }
}

fn parts(
    condition: Option<Condition>,
) -> (Option<String>, Option<HashMap<String, AttributeValue>>) {
    let Some(Condition(expression, values)) = condition else { return (None, None) };
    (Some(expression.to_owned()), named(values))
}

/// The values of an expression; DynamoDB takes no empty map of them.
fn named(
    values: impl IntoIterator<Item = (impl Into<String>, AttributeValue)>,
) -> Option<HashMap<String, AttributeValue>> {
    let values: HashMap<_, _> =
        values.into_iter().map(|(name, value)| (name.into(), value)).collect();
    (!values.is_empty()).then_some(values)
}

/// A pause drawn evenly from zero to `most`.
pub(super) fn jitter(most: Duration) -> Duration {
    let random = crate::random::bytes::<4>().map(u32::from_le_bytes).unwrap_or(u32::MAX / 2);
    most.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

/// An SDK error as this room's error; the SDK's words go to the log, never to a client.
pub(super) fn unavailable<E, R>(error: SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let words = crate::telemetry::causes(&error);
    match error.code() {
        Some("ResourceNotFoundException" | "ValidationException") => StoreError::Broken(words),
        // A role or a key that somebody switched off can be switched on again, and the same request
        // succeeds then. DynamoDB says AccessDeniedException for its table's KMS key too ("KMS key
        // access denied error").
        Some(code) if code == "AccessDeniedException" || code.starts_with("KMS") => {
            tracing::error!(error = %words, "DynamoDB refuses access: look at the function's role \
                and the table's key");
            StoreError::Unavailable(words)
        }
        _ => StoreError::Unavailable(words),
    }
}

/// A string as an expression's value.
pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A version as an expression's value.
pub(super) fn version(version: u64) -> AttributeValue {
    number(i64::try_from(version).unwrap_or(i64::MAX))
}

/// A number as an expression's value.
pub(super) fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throttles_are_waited_out_for_a_tenth_of_a_second_to_two() {
        let reason = |code: &str| CancellationReason::builder().code(code).build();
        let again = |codes: &[&str]| {
            let reasons: Vec<_> = codes.iter().map(|code| reason(code)).collect();
            match verdict(&vec![Role::Other; codes.len()], &reasons) {
                Verdict::Again(pauses) => pauses,
                Verdict::Refused(_) | Verdict::Broken(_) => panic!("{codes:?} may succeed later"),
            }
        };
        for throttle in ["ThrottlingError", "ProvisionedThroughputExceeded"] {
            assert_eq!(again(&["None", throttle, "TransactionConflict"]), THROTTLE);
        }
        assert_eq!(again(&["None", "TransactionConflict"]), CONFLICT);
        for try_ in 1..40 {
            let pause = THROTTLE.before(try_);
            assert!(
                pause >= Duration::from_millis(100) && pause <= Duration::from_secs(2),
                "{try_}: {pause:?}"
            );
            assert!(CONFLICT.before(try_) <= Duration::from_millis(320));
        }
    }
}
