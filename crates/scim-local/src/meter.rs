//! What DynamoDB would charge: every call that the SDK sends is counted and priced as it passes.
//!
//! Units are computed from the bytes of the rows by the documented rules, next to the units that
//! the engine reports:
//!
//! * A strongly consistent read takes one unit for each 4 KB, an eventually consistent one half of
//!   that. A `Query` sums the rows that it looked at and then rounds up.
//! * In a transaction each row takes two units for each KB of its larger version, before or after,
//!   even if it is only checked, or if the transaction is refused.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use serde_json::{Map, Value, json};

/// How many times a call yields to others before it is sent.
const YIELDS: usize = 4;

/// What some work cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bill {
    /// Calls that reached the engine, including those that the SDK or the store sent again.
    pub calls: u32,
    /// The longest chain of calls that waited for each other.
    pub round_trips: u32,
    /// Read capacity units.
    pub read: f64,
    /// Write capacity units, including those of refused transactions.
    pub write: f64,
    /// Read capacity units as the engine counts them.
    pub engine_read: f64,
    /// Write capacity units as the engine counts them: nothing for refused transactions.
    pub engine_write: f64,
}

/// What transactions did to the rows of one partition key.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Written {
    /// Rows that were written or checked.
    pub rows: u32,
    /// Write capacity units, including those of refused transactions.
    pub units: f64,
    /// The bytes of these rows afterwards.
    pub bytes: usize,
}

/// Counts the calls that pass through [`Meter::around`].
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    bill: Bill,
    written: BTreeMap<String, Written>,
}

impl Meter {
    /// A connector whose calls are counted on their way to `inner`.
    pub fn around(&self, inner: SharedHttpConnector) -> SharedHttpConnector {
        SharedHttpConnector::new(Metered { meter: self.clone(), inner })
    }

    /// What was counted since the last call of this function or of [`Meter::take_written`].
    pub fn take(&self) -> Bill {
        std::mem::take(&mut *self.state()).bill
    }

    /// What transactions wrote since then, by partition key.
    pub fn take_written(&self) -> BTreeMap<String, Written> {
        std::mem::take(&mut *self.state()).written
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Clone)]
struct Metered {
    meter: Meter,
    inner: SharedHttpConnector,
}

impl HttpConnector for Metered {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let metered = self.clone();
        HttpConnectorFuture::new(async move { metered.pass(request).await })
    }
}

impl Metered {
    async fn pass(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let depth = {
            let mut state = self.meter.state();
            state.bill.calls += 1;
            // This call waited for every call that has ended.
            state.bill.round_trips + 1
        };
        // The engine answers at once: first let the tasks that do not wait for this call send
        // theirs.
        for _ in 0..YIELDS {
            tokio::task::yield_now().await;
        }
        let response = self.priced(request).await;
        let mut state = self.meter.state();
        state.bill.round_trips = state.bill.round_trips.max(depth);
        response
    }

    /// Sends a request and adds its price to the bill.
    async fn priced(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit_once('.').map_or("", |(_, operation)| operation).to_owned();
        let sent = json_of(request.body().bytes());
        let rows: Vec<Value> = match operation.as_str() {
            "TransactWriteItems" => {
                array(member(&sent, "TransactItems")).iter().filter_map(row_key).collect()
            }
            _ => Vec::new(),
        };
        let before = self.sizes(&rows).await?;
        let response = self.inner.call(request).await?;
        let answer = json_of(response.body().bytes());
        let consumed = consumed_units(&answer);
        if operation == "TransactWriteItems" {
            let after = self.sizes(&rows).await?;
            for (row, (was, is)) in rows.iter().zip(before.into_iter().zip(after)) {
                self.charge_write(row, was, is);
            }
            self.meter.state().bill.engine_write += consumed;
        } else {
            let units = self.read_price(&operation, sent, answer).await?;
            self.charge_read(units, consumed);
        }
        Ok(response)
    }

    /// Charges a row of a transaction, which had and has these sizes.
    fn charge_write(&self, row: &Value, was: usize, is: usize) {
        let units = write_units(was.max(is));
        let partition = member(member(row, "p"), "S").as_str().unwrap_or_default().to_owned();
        let mut state = self.meter.state();
        state.bill.write += units;
        let written = state.written.entry(partition).or_default();
        written.rows += 1;
        written.units += units;
        written.bytes += is;
    }

    fn charge_read(&self, units: f64, engine_units: f64) {
        let bill = &mut self.meter.state().bill;
        bill.read += units;
        bill.engine_read += engine_units;
    }

    /// The read units of an operation that does not write.
    async fn read_price(
        &self,
        operation: &str,
        mut sent: Value,
        answer: Value,
    ) -> Result<f64, ConnectorError> {
        let consistent = *member(&sent, "ConsistentRead") == true;
        Ok(match operation {
            "GetItem" => read_units(item_bytes(member(&answer, "Item")), consistent),
            "Query" => {
                // "The number will also be the same whether or not you use a FilterExpression", or
                // omit attributes: every row that was looked at counts.
                let projection =
                    sent.as_object_mut().and_then(|sent| sent.remove("ProjectionExpression"));
                let whole = match projection {
                    Some(_) => self.ask("Query", &sent).await?,
                    None => answer,
                };
                let bytes = array(member(&whole, "Items")).iter().map(item_bytes).sum();
                read_units(bytes, consistent)
            }
            "BatchGetItem" => {
                // "DynamoDB rounds up the size of each item individually". A missing item takes
                // one unit.
                let table = member(member(&sent, "RequestItems"), crate::TABLE);
                let sizes = self.sizes(array(member(table, "Keys"))).await?;
                sizes.into_iter().map(|bytes| read_units(bytes, true)).sum()
            }
            _ => 0.0,
        })
    }

    /// The bytes of rows as they are now.
    async fn sizes(&self, keys: &[Value]) -> Result<Vec<usize>, ConnectorError> {
        let mut sizes = Vec::with_capacity(keys.len());
        for key in keys {
            let get = json!({ "TableName": crate::TABLE, "Key": key, "ConsistentRead": true });
            sizes.push(item_bytes(member(&self.ask("GetItem", &get).await?, "Item")));
        }
        Ok(sizes)
    }

    /// Asks the engine without counting the call.
    async fn ask(&self, operation: &str, body: &Value) -> Result<Value, ConnectorError> {
        let mut request = HttpRequest::new(body.to_string().into());
        request.headers_mut().insert("x-amz-target", format!("DynamoDB_20120810.{operation}"));
        let answer = self.inner.call(request).await?;
        Ok(json_of(answer.body().bytes()))
    }
}

fn json_of(body: Option<&[u8]>) -> Value {
    serde_json::from_slice(body.unwrap_or_default()).unwrap_or_default()
}

/// The units that the engine says a call consumed.
fn consumed_units(answer: &Value) -> f64 {
    let units = |table: &Value| member(table, "CapacityUnits").as_f64();
    match member(answer, "ConsumedCapacity") {
        Value::Array(tables) => tables.iter().filter_map(units).sum(),
        table => units(table).unwrap_or_default(),
    }
}

fn member<'v>(object: &'v Value, name: &str) -> &'v Value {
    object.get(name).unwrap_or(&Value::Null)
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The key of the row that an action of a transaction is about.
fn row_key(action: &Value) -> Option<Value> {
    let action = action.as_object()?.values().next()?;
    let row = action.get("Key").or(action.get("Item"))?;
    Some(json!({ "p": row.get("p")?, "s": row.get("s")? }))
}

/// "Strongly consistent read requests of an item up to 4 KB require one read request unit. [...]
/// Eventually consistent read requests of an item up to 4 KB require one-half read request unit."
fn read_units(bytes: usize, consistent: bool) -> f64 {
    let blocks = bytes.div_ceil(4_096).max(1) as f64;
    if consistent { blocks } else { blocks / 2.0 }
}

/// "Transactional write requests require 2 write request units to perform one write for items up to
/// 1 KB."
fn write_units(bytes: usize) -> f64 {
    bytes.div_ceil(1_024).max(1) as f64 * 2.0
}

/// "The size of an item is the sum of the lengths of its attribute names and values."
fn item_bytes(item: &Value) -> usize {
    item.as_object().map_or(0, attributes_bytes)
}

fn attributes_bytes(attributes: &Map<String, Value>) -> usize {
    attributes.iter().map(|(name, value)| name.len() + value_bytes(value)).sum()
}

/// The size of one attribute's value, in DynamoDB's JSON.
fn value_bytes(value: &Value) -> usize {
    let Some((kind, value)) = value.as_object().and_then(|value| value.iter().next()) else {
        return 0;
    };
    match kind.as_str() {
        "S" => value.as_str().map_or(0, str::len),
        // "The size of a number is approximately (length of attribute name) + (1 byte per two
        // significant digits) + (1 byte)."
        "N" => {
            let digits =
                value.as_str().unwrap_or_default().trim_start_matches('-').trim_matches('0').len();
            digits.div_ceil(2) + 1
        }
        "B" => value.as_str().map_or(0, |base64| base64.trim_end_matches('=').len() * 3 / 4),
        // "An attribute of type List or Map requires 3 bytes of overhead", and one for each
        // element.
        "L" => 3 + array(value).iter().map(|value| 1 + value_bytes(value)).sum::<usize>(),
        "M" => 3 + value.as_object().map_or(0, |map| map.len() + attributes_bytes(map)),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_as_long_as_its_names_and_values() {
        for (item, bytes) in [
            (json!({ "p": { "S": "abc" } }), 4),
            (json!({ "n": { "N": "1800" } }), 3),
            (json!({ "n": { "N": "0" } }), 2),
            (json!({ "a": { "BOOL": true } }), 2),
            (json!({ "salt": { "B": "AAAA" } }), 7),
            (json!({ "l": { "L": [{ "S": "ab" }, { "S": "c" }] } }), 9),
            (Value::Null, 0),
        ] {
            assert_eq!(item_bytes(&item), bytes, "{item}");
        }
    }

    #[test]
    fn units_are_rounded_up() {
        assert_eq!([0, 1_024, 1_025].map(write_units), [2.0, 2.0, 4.0]);
        assert_eq!([0, 4_096, 4_097].map(|bytes| read_units(bytes, true)), [1.0, 1.0, 2.0]);
        assert_eq!(read_units(4_097, false), 1.0);
    }
}
