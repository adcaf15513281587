//! One write: a `TransactWriteItems` that is committed, refused by its conditions, or tried again,
//! because the SDK does not retry conflicts.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Delete, Put, ReturnConsumedCapacity,
    ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem, Update,
};
use tokio::time::{Instant, sleep};

use super::client::Store;
use super::error::{StoreError, unavailable};
use super::item::{Item, Row, version};
use super::pause::{CONFLICT, Pauses, RETRY_FOR, THROTTLE};
use crate::budget;

/// Maximum number of actions of a transaction (DynamoDB's limit).
pub(crate) const MAX_ACTIONS: usize = 100;

/// What happened to a transaction.
#[derive(Debug)]
pub(crate) enum TransactionResult<R> {
    Committed,
    /// Nothing was written. These rows, in their present form, failed their conditions.
    Refused(Vec<(R, Option<Item>)>),
}

/// The values of an expression, `":name"` to value.
pub(crate) type Values = Vec<(&'static str, AttributeValue)>;

/// A condition on the row as it is before the write.
#[derive(Debug, Clone)]
pub(crate) struct Condition(pub(crate) &'static str, pub(crate) Values);

impl Condition {
    /// The row exists.
    pub(crate) fn exists() -> Self {
        Self("attribute_exists(p)", Vec::new())
    }

    /// The row does not exist.
    pub(crate) fn absent() -> Self {
        Self("attribute_not_exists(p)", Vec::new())
    }

    /// The row has this version.
    pub(crate) fn version(seen: u64) -> Self {
        Self("v = :seen", vec![(":seen", version(seen))])
    }
}

/// The actions of one write. Each row has a role, which tells the caller which row caused a
/// refusal.
#[derive(Debug)]
pub(crate) struct Transaction<R> {
    table: Arc<str>,
    roles: Vec<R>,
    actions: Vec<TransactWriteItem>,
}

impl<R: Copy> Transaction<R> {
    /// An empty transaction on the store's table.
    pub(crate) fn on(store: &Store) -> Self {
        Self { table: store.table.clone(), roles: Vec::new(), actions: Vec::new() }
    }

    pub(crate) fn put(
        &mut self,
        role: R,
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
            .build()?;
        self.push(role, TransactWriteItem::builder().put(put).build());
        Ok(())
    }

    /// An update of one row; `condition` may use the values of the update.
    pub(crate) fn update(
        &mut self,
        role: R,
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
            .build()?;
        self.push(role, TransactWriteItem::builder().update(update).build());
        Ok(())
    }

    pub(crate) fn delete(
        &mut self,
        role: R,
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
            .build()?;
        self.push(role, TransactWriteItem::builder().delete(delete).build());
        Ok(())
    }

    /// A condition on a row that is not written.
    pub(crate) fn check(
        &mut self,
        role: R,
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
            .build()?;
        self.push(role, TransactWriteItem::builder().condition_check(check).build());
        Ok(())
    }

    /// How many actions it has.
    pub(crate) fn len(&self) -> usize {
        self.actions.len()
    }

    fn push(&mut self, role: R, action: TransactWriteItem) {
        self.roles.push(role);
        self.actions.push(action);
    }

    /// Sends the transaction until it is committed or refused.
    ///
    /// All tries carry one `ClientRequestToken`, so that a try whose answer was lost does not run
    /// twice. After a conflict with another transaction it waits with full jitter, and after a
    /// throttle with longer pauses.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if DynamoDB does not answer, or cancels for [`RETRY_FOR`]. In
    /// the first case it is unknown whether anything was written.
    pub(crate) async fn commit(self, store: &Store) -> Result<TransactionResult<R>, StoreError> {
        let token = uuid::Uuid::now_v7().to_string();
        let begun = Instant::now();
        for attempt in 1.. {
            let Some(verdict) = self.send(store, &token).await? else {
                return Ok(TransactionResult::Committed);
            };
            match verdict {
                Verdict::Refused(rows) => return Ok(TransactionResult::Refused(rows)),
                Verdict::Broken(reason) => return Err(StoreError::Broken(reason)),
                Verdict::Again(pauses) if begun.elapsed() < RETRY_FOR && budget::may_write() => {
                    sleep(pauses.after(attempt)).await;
                }
                Verdict::Again(_) => break,
            }
        }
        Err(StoreError::Unavailable("DynamoDB keeps cancelling the transaction".into()))
    }

    /// Like [`Transaction::commit`]; `false` if it was refused.
    pub(crate) async fn try_commit(self, store: &Store) -> Result<bool, StoreError> {
        Ok(matches!(self.commit(store).await?, TransactionResult::Committed))
    }

    /// Sends the transaction once. Returns what it means if DynamoDB cancelled it.
    async fn send(&self, store: &Store, token: &str) -> Result<Option<Verdict<R>>, StoreError> {
        budget::writes();
        let call = store
            .client
            .transact_write_items()
            .client_request_token(token)
            .set_transact_items(Some(self.actions.clone()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send();
        match Box::pin(call).await {
            Ok(answer) => {
                let used = answer.consumed_capacity().iter();
                budget::committed(used.filter_map(|used| used.capacity_units()).sum());
                Ok(None)
            }
            Err(error) => match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    Ok(Some(verdict(&self.roles, cancelled.cancellation_reasons())))
                }
                _ => Err(unavailable(error)),
            },
        }
    }
}

/// What the reasons of a cancelled transaction mean.
enum Verdict<R> {
    Refused(Vec<(R, Option<Item>)>),
    /// Nothing was written, and the same transaction may succeed after a pause.
    Again(Pauses),
    Broken(String),
}

fn verdict<R: Copy>(roles: &[R], reasons: &[CancellationReason]) -> Verdict<R> {
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

/// The values of an expression. DynamoDB refuses an empty map of them.
fn named(
    values: impl IntoIterator<Item = (impl Into<String>, AttributeValue)>,
) -> Option<HashMap<String, AttributeValue>> {
    let values: HashMap<_, _> =
        values.into_iter().map(|(name, value)| (name.into(), value)).collect();
    (!values.is_empty()).then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttle_is_waited_out_longer_than_a_conflict() {
        let reason = |code: &str| CancellationReason::builder().code(code).build();
        let pauses = |codes: &[&str]| {
            let reasons: Vec<_> = codes.iter().map(|code| reason(code)).collect();
            match verdict(&vec![(); codes.len()], &reasons) {
                Verdict::Again(pauses) => pauses,
                Verdict::Refused(_) | Verdict::Broken(_) => panic!("{codes:?} may succeed later"),
            }
        };
        for throttle in ["ThrottlingError", "ProvisionedThroughputExceeded"] {
            assert_eq!(pauses(&["None", throttle, "TransactionConflict"]), THROTTLE);
        }
        assert_eq!(pauses(&["None", "TransactionConflict"]), CONFLICT);
    }
}
