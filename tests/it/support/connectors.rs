//! What may come between the SDK and the engine: faults, and conflicts, which the engine does not
//! know.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use serde_json::{Value, json};

/// What happens to one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The service answers with this error and does nothing.
    Refuse(u16, &'static str),
    /// The connection breaks before the service sees the request.
    BreakBefore,
    /// The service does its work, and the connection breaks before its answer arrives.
    BreakAfter,
    /// A transaction is cancelled, because others want its items.
    Conflict,
    /// A transaction is cancelled, because the table has no units left.
    Throttle,
    /// Others go first, up to this many steps of theirs.
    Yield(usize),
    /// The service takes its time, in milliseconds.
    Slow(u64),
    /// The service never answers.
    Hang,
    /// The service answers nonsense.
    Garbage,
}

type Rule = dyn Fn(&str, &Value) -> Option<Fault> + Send + Sync;

/// Decides what happens to each call; nothing, by default.
#[derive(Clone, Default)]
pub struct Between {
    rule: Arc<Mutex<Option<Arc<Rule>>>>,
    /// How long a transaction holds its rows. Without it, transactions never conflict.
    holds: Option<Duration>,
    in_flight: Arc<Mutex<HashSet<String>>>,
    calls: Arc<Mutex<Vec<String>>>,
    pub cancelled: Arc<AtomicUsize>,
}

impl std::fmt::Debug for Between {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Between")
    }
}

impl Between {
    /// Overlapping transactions are cancelled, as DynamoDB does.
    pub fn conflicts() -> Self {
        Self::conflicts_of(2)
    }

    /// As [`Between::conflicts`]; each transaction takes this many milliseconds.
    pub fn conflicts_of(milliseconds: u64) -> Self {
        Self { holds: Some(Duration::from_millis(milliseconds)), ..Self::default() }
    }

    /// From now on, calls get the fault that `rule` chooses by operation and request.
    pub fn set(&self, rule: impl Fn(&str, &Value) -> Option<Fault> + Send + Sync + 'static) {
        *self.rule.lock().unwrap() = Some(Arc::new(rule));
    }

    /// The next call of `operation` gets `fault`; those after it pass.
    pub fn once(&self, operation: &'static str, fault: Fault) {
        let left = AtomicUsize::new(1);
        self.set(move |called, _| {
            let hit = called == operation && left.swap(0, Ordering::SeqCst) == 1;
            hit.then(|| fault.clone())
        });
    }

    /// From now on, calls pass.
    pub fn clear(&self) {
        *self.rule.lock().unwrap() = None;
    }

    /// How often an operation was called.
    pub fn count(&self, operation: &str) -> usize {
        self.calls.lock().unwrap().iter().filter(|called| *called == operation).count()
    }

    /// A client whose calls pass through here on their way to `inner`.
    pub fn around(self, inner: SharedHttpConnector) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(Gate { between: self, inner });
        http_client_fn(move |_, _| connector.clone())
    }
}

#[derive(Debug, Clone)]
struct Gate {
    between: Between,
    inner: SharedHttpConnector,
}

impl HttpConnector for Gate {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let gate = self.clone();
        HttpConnectorFuture::new(async move { gate.pass(request).await })
    }
}

impl Gate {
    async fn pass(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation =
            target.rsplit_once('.').map(|(_, operation)| operation).unwrap_or_default().to_owned();
        let body: Value =
            serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
        self.between.calls.lock().unwrap().push(operation.clone());
        let rule = self.between.rule.lock().unwrap().clone();
        let broken = || ConnectorError::io("the connection broke".into());
        match rule.and_then(|rule| rule(&operation, &body)) {
            None => match self.between.holds {
                Some(time) if operation == "TransactWriteItems" => {
                    self.conflicting(request, &body, time).await
                }
                _ => self.inner.call(request).await,
            },
            Some(Fault::Refuse(status, kind)) => {
                Ok(answer(status, &json!({ "__type": kind, "message": "as told" })))
            }
            Some(Fault::Conflict) => {
                let actions = body["TransactItems"].as_array().map_or(0, Vec::len);
                Ok(cancelled("TransactionConflict", &vec![true; actions]))
            }
            Some(Fault::Throttle) => {
                let actions = body["TransactItems"].as_array().map_or(0, Vec::len);
                Ok(cancelled("ThrottlingError", &vec![true; actions]))
            }
            Some(Fault::Garbage) => Ok(HttpResponse::new(200.try_into().unwrap(), "<html>".into())),
            Some(Fault::Slow(milliseconds)) => {
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                self.inner.call(request).await
            }
            Some(Fault::Yield(steps)) => {
                for _ in 0..steps {
                    tokio::task::yield_now().await;
                }
                self.inner.call(request).await
            }
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::BreakBefore) => Err(broken()),
            Some(Fault::BreakAfter) => {
                self.inner.call(request).await?;
                Err(broken())
            }
        }
    }

    /// Holds the transaction's items for a moment; another one that wants any of them meanwhile is
    /// cancelled.
    async fn conflicting(
        &self,
        request: HttpRequest,
        body: &Value,
        time: Duration,
    ) -> Result<HttpResponse, ConnectorError> {
        let actions = body["TransactItems"].as_array().unwrap();
        let keys: Vec<String> = actions.iter().map(item_key).collect();
        let taken: Vec<bool> = {
            let mut in_flight = self.between.in_flight.lock().unwrap();
            let taken: Vec<bool> = keys.iter().map(|key| in_flight.contains(key)).collect();
            if !taken.contains(&true) {
                in_flight.extend(keys.iter().cloned());
            }
            taken
        };
        if taken.contains(&true) {
            self.between.cancelled.fetch_add(1, Ordering::SeqCst);
            return Ok(cancelled("TransactionConflict", &taken));
        }
        tokio::time::sleep(time).await;
        let response = self.inner.call(request).await;
        self.between.in_flight.lock().unwrap().retain(|key| !keys.contains(key));
        response
    }
}

fn cancelled(code: &str, taken: &[bool]) -> HttpResponse {
    let reason = |taken: &bool| json!({ "Code": if *taken { code } else { "None" } });
    answer(
        400,
        &json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled",
            "CancellationReasons": taken.iter().map(reason).collect::<Vec<_>>(),
        }),
    )
}

/// Which row an action of a transaction touches.
fn item_key(action: &Value) -> String {
    let (_, action) = action.as_object().unwrap().iter().next().unwrap();
    let row = action.get("Item").or(action.get("Key")).unwrap();
    format!("{}|{}", row["p"]["S"], row["s"]["S"])
}

fn answer(status: u16, body: &Value) -> HttpResponse {
    HttpResponse::new(status.try_into().unwrap(), body.to_string().into())
}
