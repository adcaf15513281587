//! How long a request may take, what it then answers and logs, and what is read before its token is
//! known.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use lambda_http::Context;
use lambda_http::lambda_runtime::LambdaEvent;
use scim_core::{Error, ErrorKind};
use scim_lambda::edge::{Deadline, gateway};
use scim_lambda::telemetry::{JsonLines, Tally};
use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::Dispatch;

use crate::support::World;
use crate::support::connectors::Fault;

/// What a thread logs, as it is logged on Lambda.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// While there is only one subscriber, `tracing` asks the one of the thread that comes to a line
/// first. A thread of another test has no subscriber, and the line would stay silent
/// after that. So there are two.
static SECOND: LazyLock<Dispatch> = LazyLock::new(|| {
    let subscriber = tracing_subscriber::fmt().with_writer(std::io::sink);
    Dispatch::new(subscriber.finish())
});

impl Log {
    fn begin() -> (Self, tracing::subscriber::DefaultGuard) {
        LazyLock::force(&SECOND);
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .event_format(JsonLines::default())
            .with_writer(move || writer.clone());
        (log, tracing::subscriber::set_default(subscriber.finish()))
    }

    /// The lines of requests.
    fn requests(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["message"] == "request").collect()
    }
}

/// The head of a request that is abandoned some time from now.
fn head(token: &str, method: &str, path: &str, left: Option<Duration>) -> Parts {
    let request = Request::builder().method(method).uri(format!("/scim/v2{path}"));
    let request = request.header("authorization", format!("Bearer {token}"));
    let (mut head, ()) =
        request.header("content-type", "application/scim+json").body(()).unwrap().into_parts();
    if let Some(left) = left {
        head.extensions.insert(Deadline(Instant::now() + left));
    }
    head
}

fn said(response: &Response<Bytes>) -> (u16, Value) {
    (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
}

/// The PATCH that deactivates a user.
fn deactivation() -> Value {
    let operation = json!({ "op": "replace", "path": "active", "value": false });
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation] })
}

#[tokio::test]
async fn a_request_that_runs_into_the_deadline_leaves_its_line() {
    let world = World::new().await;
    let user = world.user(json!({ "userName": "a" })).await;
    let path = user.path();
    // The user is read, and the write is never answered.
    world.between.set(|operation, _| (operation == "TransactWriteItems").then_some(Fault::Hang));
    let (log, _guard) = Log::begin();

    let body = Bytes::from(deactivation().to_string());
    let head = head(world.token.reveal(), "PATCH", path, Some(Duration::from_millis(400)));
    let response = world.service.call(Request::from_parts(head, body)).await;
    assert_eq!(
        (said(&response).0, &response.headers()["retry-after"]),
        (503, &"1".parse().unwrap())
    );
    let tally = *response.extensions().get::<Tally>().unwrap();
    assert!(tally.calls >= 1 && tally.read_units > 0.0, "what was done until then: {tally:?}");

    // The same behind a gateway.
    let mut event: Value =
        serde_json::from_str(include_str!("../../events/deactivate-user.json")).unwrap();
    event["rawPath"] = json!(format!("/scim/v2{path}"));
    event["headers"]["authorization"] = json!(format!("Bearer {}", world.token.reveal()));
    let mut context = Context::default();
    let soon = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_millis(1_900);
    context.deadline = soon.as_millis().try_into().unwrap();
    let reply = gateway::handle(&world.service, LambdaEvent::new(event, context)).await.unwrap();
    assert_eq!(reply["statusCode"], 503);

    let lines = log.requests();
    assert_eq!(lines.len(), 2, "{lines:?}");
    for line in lines {
        assert_eq!(
            (&line["status"], &line["method"], &line["route"]),
            (&json!(503), &json!("PATCH"), &json!("/Users/{id}"))
        );
        assert!(
            line["calls"].as_u64().unwrap() >= 1 && line["milliseconds"].as_u64().unwrap() >= 300,
            "{line}"
        );
    }
}

#[tokio::test]
async fn no_work_begins_after_the_deadline() {
    let world = World::new().await;
    let head = head(world.token.reveal(), "GET", "/Users", Some(Duration::ZERO));
    let response = world.service.call(Request::from_parts(head, Bytes::new())).await;
    assert_eq!((said(&response).0, response.extensions().get::<Tally>().unwrap().calls), (503, 0));
}

#[tokio::test]
async fn a_body_is_read_only_after_its_token_is_known() {
    let world = World::new().await;
    let asked = Arc::new(AtomicBool::new(false));
    let body = |body: Result<Bytes, Error>| {
        let asked = asked.clone();
        async move {
            asked.store(true, Ordering::SeqCst);
            body
        }
    };
    let user = Bytes::from_static(br#"{"userName":"a"}"#);
    let stranger = head("scim_nobody", "POST", "/Users", None);
    let refused = world.service.receive(stranger, body(Ok(user.clone()))).await;
    assert_eq!(
        (said(&refused).0, asked.load(Ordering::SeqCst)),
        (401, false),
        "a stranger's body is not asked for"
    );

    let known = || head(world.token.reveal(), "POST", "/Users", None);
    let slow = Error::new(ErrorKind::RequestTimeout, "The body was not complete in time.");
    let (status, error) = said(&world.service.receive(known(), body(Err(slow))).await);
    assert_eq!((status, &error["status"], error.get("scimType")), (408, &json!("408"), None));
    assert_eq!(error["detail"], "The body was not complete in time.");
    assert!(world.find("userName eq \"a\"").await.is_empty(), "nothing came of it");
    assert_eq!(world.service.receive(known(), body(Ok(user))).await.status(), 201);
}
