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
use super::format::KNOWN_FORMAT;
use super::item::{Item, Key, Row, number, text, version};
use super::pause::{CONFLICT, Pauses, RETRY_FOR, THROTTLE};
use crate::budget;

/// Maximum number of actions of a transaction (DynamoDB's limit).
pub(crate) const MAX_ACTIONS: usize = 100;

/// This release can read the row, or the row does not exist.
const READABLE: &str = "attribute_not_exists(f) OR f <= :known";

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

    /// Writes a whole row. What the row held before is lost, so the row must be new, or pass to
    /// another owner.
    pub(crate) fn put(
        &mut self,
        role: R,
        row: Row,
        condition: Option<Condition>,
    ) -> Result<(), StoreError> {
        let Expression { text, values } = guarded(condition);
        let put = Put::builder()
            .table_name(&*self.table)
            .set_item(Some(row.into_map()))
            .condition_expression(text)
            .set_expression_attribute_values(Some(values))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()?;
        self.push(role, TransactWriteItem::builder().put(put).build());
        Ok(())
    }

    /// Writes the attributes of a row that may exist, and removes those of `optional` that it does
    /// not have. The row keeps all others: a newer release may have added them.
    pub(crate) fn set(
        &mut self,
        role: R,
        row: Row,
        optional: &[&str],
        condition: Option<Condition>,
    ) -> Result<(), StoreError> {
        let Row { key, attributes } = row;
        let absent: Vec<&str> =
            optional.iter().copied().filter(|name| !attributes.contains_key(*name)).collect();
        let set: Vec<String> = attributes.keys().map(|name| format!("{name} = :{name}")).collect();
        let mut update = format!("SET {}", set.join(", "));
        if !absent.is_empty() {
            update = format!("{update} REMOVE {}", absent.join(", "));
        }
        let values = attributes.into_iter().map(|(name, value)| (format!(":{name}"), value));
        self.update_if(role, key, update, values, condition)
    }

    /// Adds to numbers of a row, which begins with them if it does not exist, and sets `stamps`.
    pub(crate) fn add(
        &mut self,
        role: R,
        row: Row,
        numbers: impl IntoIterator<Item = (String, AttributeValue)>,
        stamps: &[(&str, &str)],
        condition: Option<Condition>,
    ) -> Result<(), StoreError> {
        let Row { key, attributes } = row;
        let numbers: Vec<(String, AttributeValue)> = numbers.into_iter().collect();
        let terms: Vec<String> =
            numbers.iter().map(|(name, _)| format!("{name} :{name}")).collect();
        // A row that exists stays in its format, since most of it is not written.
        let once = |name: &String| format!("{name} = if_not_exists({name}, :{name})");
        let stamped = stamps.iter().map(|(name, _)| format!("{name} = :{name}"));
        let set: Vec<String> = attributes.keys().map(once).chain(stamped).collect();
        let update = format!("ADD {} SET {}", terms.join(", "), set.join(", "));
        let stamps = stamps.iter().map(|(name, value)| ((*name).to_owned(), text(*value)));
        let values = numbers.into_iter().chain(attributes).chain(stamps);
        let values = values.map(|(name, value)| (format!(":{name}"), value));
        self.update_if(role, key, update, values, condition)
    }

    /// Changes some attributes of a row that exists, which `condition` must require. The condition
    /// may use the values of the update.
    pub(crate) fn update(
        &mut self,
        role: R,
        key: Key,
        update: &str,
        values: impl IntoIterator<Item = (&'static str, AttributeValue)>,
        condition: &'static str,
    ) -> Result<(), StoreError> {
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value));
        self.update_if(role, key, update.to_owned(), values, Some(Condition(condition, Vec::new())))
    }

    fn update_if(
        &mut self,
        role: R,
        key: Key,
        update: String,
        values: impl IntoIterator<Item = (String, AttributeValue)>,
        condition: Option<Condition>,
    ) -> Result<(), StoreError> {
        let Expression { text, values: mut all } = guarded(condition);
        for (name, value) in values {
            if all.insert(name, value).is_some() {
                return Err(StoreError::broken("an attribute is named like a value"));
            }
        }
        let update = Update::builder()
            .table_name(&*self.table)
            .set_key(Some(key.into_map()))
            .update_expression(update)
            .set_expression_attribute_values(Some(all))
            .condition_expression(text)
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()?;
        self.push(role, TransactWriteItem::builder().update(update).build());
        Ok(())
    }

    pub(crate) fn delete(
        &mut self,
        role: R,
        key: Key,
        condition: Option<Condition>,
    ) -> Result<(), StoreError> {
        let Expression { text, values } = guarded(condition);
        let delete = Delete::builder()
            .table_name(&*self.table)
            .set_key(Some(key.into_map()))
            .condition_expression(text)
            .set_expression_attribute_values(Some(values))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()?;
        self.push(role, TransactWriteItem::builder().delete(delete).build());
        Ok(())
    }

    /// A condition on a row that is not written.
    pub(crate) fn check(
        &mut self,
        role: R,
        key: Key,
        condition: Condition,
    ) -> Result<(), StoreError> {
        let Expression { text, values } = guarded(Some(condition));
        let check = ConditionCheck::builder()
            .table_name(&*self.table)
            .set_key(Some(key.into_map()))
            .condition_expression(text)
            .set_expression_attribute_values(Some(values))
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
    /// the first case it is unknown whether anything was written. [`StoreError::Throttled`] if it
    /// throttles for that long.
    pub(crate) async fn commit(self, store: &Store) -> Result<TransactionResult<R>, StoreError> {
        let token = uuid::Uuid::now_v7().to_string();
        let begun = Instant::now();
        for attempt in 1.. {
            let Some(verdict) = self.send(store, &token).await? else {
                return Ok(TransactionResult::Committed);
            };
            if let Verdict::Again(pauses) = &verdict {
                budget::failed();
                if *pauses == THROTTLE { budget::throttled() } else { budget::conflicted() }
            }
            match verdict {
                Verdict::Refused(rows) => return Ok(TransactionResult::Refused(rows)),
                Verdict::Again(pauses) if begun.elapsed() < RETRY_FOR && budget::may_write() => {
                    sleep(pauses.after(attempt)).await;
                }
                Verdict::Again(THROTTLE) => {
                    return Err(StoreError::Throttled("the transaction is cancelled again".into()));
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
                    verdict(&self.roles, cancelled.cancellation_reasons()).map(Some)
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
}

/// # Errors
/// [`StoreError::Broken`] for a row that can never be written, and [`StoreError::NewerFormat`] for
/// one that a newer release has written.
fn verdict<R: Copy>(roles: &[R], reasons: &[CancellationReason]) -> Result<Verdict<R>, StoreError> {
    let mut refused = Vec::new();
    let mut pauses = CONFLICT;
    for (role, reason) in roles.iter().zip(reasons) {
        match reason.code() {
            Some("ConditionalCheckFailed") => {
                refused.push((*role, reason.item.clone().map(Item::read).transpose()?));
            }
            Some("ValidationError" | "ItemCollectionSizeLimitExceeded") => {
                return Err(StoreError::broken(reason.message().unwrap_or("a row was refused")));
            }
            Some("ThrottlingError" | "ProvisionedThroughputExceeded") => pauses = THROTTLE,
            // None, TransactionConflict
            _ => {}
        }
    }
    Ok(if refused.is_empty() { Verdict::Again(pauses) } else { Verdict::Refused(refused) })
}

/// A condition with its values.
struct Expression {
    text: String,
    values: HashMap<String, AttributeValue>,
}

/// A condition, together with [`READABLE`].
fn guarded(condition: Option<Condition>) -> Expression {
    let Condition(text, values) = condition.unwrap_or(Condition("", Vec::new()));
    let text =
        if text.is_empty() { READABLE.to_owned() } else { format!("({text}) AND ({READABLE})") };
    let values = values.into_iter().map(|(name, value)| (name.to_owned(), value));
    let known = (":known".to_owned(), number(KNOWN_FORMAT));
    Expression { text, values: values.chain([known]).collect() }
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
                Ok(Verdict::Again(pauses)) => pauses,
                _ => panic!("{codes:?} may succeed later"),
            }
        };
        for throttle in ["ThrottlingError", "ProvisionedThroughputExceeded"] {
            assert_eq!(pauses(&["None", throttle, "TransactionConflict"]), THROTTLE);
        }
        assert_eq!(pauses(&["None", "TransactionConflict"]), CONFLICT);
    }
}
