//! The service: it authenticates a request, finds its route and ensures an answer in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::request::Parts;
use http::{Method, Request, Response, header};
use scim_core::schema::registry::SchemaError;
use scim_core::{Error, ErrorKind, Schema, discovery};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::dropped::StandardNames;
use super::line::{Arrival, ColdStart, Learned, RequestLine};
use super::refusals::Refusals;
use super::refused::Refused;
use super::request_id::RequestId;
use super::route::{BASE_PATH, Route};
use super::{refused, response};
use crate::auth::secrets_manager::Secrets;
use crate::auth::{Caller, Verifier};
use crate::budget::{self, Limits};
use crate::clock::Clock;
use crate::directory::{Call, Directory, RequestReads};
use crate::events::Events;
use crate::operator::{Deployment, Operator};
use crate::reason::Reason;
use crate::settings::Settings;
use crate::store::Store;
use crate::telemetry::{self, LeftOut};
use crate::tenant::{ServedType, Tenant, Tenants};

/// How long a deletion removes memberships. Another request can continue the work; the function has
/// 25 s.
const FINISHING_FOR: Duration = Duration::from_secs(10);
/// What the log would call the request of a watch, if it changed anything.
const WATCH: &str = "watch";

/// The SCIM service.
#[derive(Debug)]
pub struct Service {
    verifier: Verifier,
    pub(super) directory: Directory,
    pub(super) discovery_schemas: Vec<Schema>,
    base_url: Option<String>,
    events: Events,
    clock: Clock,
    refusals: Refusals,
    names: StandardNames,
    pub(super) operator: Operator,
    /// Whether it was invoked before.
    warm: AtomicBool,
}

impl Service {
    /// The service of a table and the token secrets of its stack.
    ///
    /// # Errors
    /// Never, while the schema files are well formed.
    pub fn new(
        store: Store,
        secrets: Secrets,
        settings: &Settings,
        clock: Clock,
    ) -> Result<Self, SchemaError> {
        let tenants = Arc::new(Tenants::new(store.clone(), clock.clone(), &settings.additions));
        let (base_url, events) = (settings.base_url.clone(), settings.events.clone());
        let deployment = Deployment {
            base_url: base_url.clone(),
            base_path: BASE_PATH,
            retention: settings.retention,
            audit_retention: settings.audit_retention,
        };
        let (secret, time) = (secrets.clone(), clock.clone());
        let operator = Operator::new(store.clone(), secret, time, deployment, WATCH);
        Ok(Self {
            operator,
            warm: AtomicBool::new(false),
            events: Events::new(tenants.clone(), base_url, events),
            verifier: Verifier::new(secrets, tenants, clock.clone()),
            names: StandardNames::new(),
            refusals: Refusals::new(store.clone(), clock.clone()),
            clock: clock.clone(),
            directory: Directory::new(store, clock, settings.retention, settings.audit_retention),
            discovery_schemas: discovery::discovery_schemas()?,
            base_url: settings.base_url.clone(),
        })
    }

    /// The events of records of the table's stream, in the form in which Lambda gets them: at most
    /// one for each, in their order. The records are read, and nothing is written.
    ///
    /// # Errors
    /// 503 if the table does not answer. Send the same records again later.
    pub async fn events(&self, records: Vec<Value>) -> Result<Vec<Value>, Error> {
        let began = std::time::Instant::now();
        let count = records.len();
        let work = Box::pin(self.events.of_records(records));
        let (events, tally) = budget::counted(Limits::REQUEST, work).await;
        tracing::info!(
            records = count,
            events = events.as_ref().map_or(0, Vec::len),
            failed = events.is_err(),
            milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            calls = tally.calls,
            read_units = tally.read_units,
            "events"
        );
        events
    }

    /// Notes that the process is invoked.
    pub(super) fn begin(&self) -> ColdStart {
        ColdStart(!self.warm.swap(true, Ordering::Relaxed))
    }

    /// Answers a request whose URI holds the path as the client encoded it.
    ///
    /// The extensions of the answer hold the [`crate::telemetry::Tally`] and the [`RequestLine`] of
    /// the request. Every failure is answered with a SCIM error.
    pub async fn call(&self, request: Request<Bytes>) -> Response<Bytes> {
        let (head, body) = request.into_parts();
        self.receive(head, std::future::ready(Ok(body))).await
    }

    /// Like [`Service::call`], for a request whose body is still to come. `body` reads it, and is
    /// polled only after the token is accepted, so that an unknown client's body costs nothing. If
    /// it fails, its error is the answer.
    pub async fn receive(
        &self,
        mut head: Parts,
        body: impl Future<Output = Result<Bytes, Error>>,
    ) -> Response<Bytes> {
        let cold_start = head.extensions.get().copied();
        let arrival = Arrival::of(&mut head, cold_start.unwrap_or_else(|| self.begin()));
        let route = Route::of(head.uri.path(), None);
        let mut learned = Learned { route, ..Learned::default() };
        let answer = Box::pin(self.answer(head, body, arrival.deadline, &mut learned));
        let counted = budget::counted(Limits::REQUEST, in_time(arrival.deadline, answer));
        let ((mut response, tally), left_out) = telemetry::noting(counted).await;
        let line = RequestLine::of(&arrival, &learned, &response, (tally, &left_out));
        line.log();
        response.extensions_mut().insert(tally);
        response.extensions_mut().insert(line);
        Box::pin(self.keep_refusals(&arrival, &learned, &mut response, &left_out)).await;
        arrival.id.stamp(response)
    }

    /// Keeps what was refused for the operator, if the caller is known. Nothing that a stranger
    /// sends causes a write.
    async fn keep_refusals(
        &self,
        arrival: &Arrival,
        learned: &Learned,
        response: &mut Response<Bytes>,
        left_out: &LeftOut,
    ) {
        let Some(Caller { tenant, key_id }) = &learned.caller else { return };
        let (key, now) = (tenant.key(), self.clock.seconds());
        let refused = refused::all(&arrival.method, learned, response, &key);
        let (id, key_id) = (arrival.id.as_str(), key_id.as_str());
        let entry = |one: Refused| one.entry(&self.names, id, key_id, now);
        let entries = refused.into_iter().map(entry).collect();
        let names = self.names.of(left_out).into_iter();
        let (method, route) = (&arrival.method, learned.route.as_ref());
        let dropped = names.map(|name| entry(refused::dropped(name, method, route)));
        self.refusals.note(&key, entries, dropped.collect()).await;
    }

    /// Writes the refusals that wait for the next request of their tenants. A server that runs on
    /// calls it now and then, and before it ends.
    pub async fn flush_refusals(&self) {
        self.refusals.flush().await;
    }

    /// The answer. If the deadline passes, `learned` still contains what was known until then.
    async fn answer(
        &self,
        head: Parts,
        body: impl Future<Output = Result<Bytes, Error>>,
        deadline: Instant,
        learned: &mut Learned,
    ) -> Response<Bytes> {
        // Authenticate first, on every path, so that nothing is learned without a token.
        let caller = match Box::pin(self.authenticate(&head, &mut learned.tenant)).await {
            Ok(caller) => caller,
            Err(error) => return response::error(&error),
        };
        learned.route = Route::of(head.uri.path(), caller.tenant.base_path());
        learned.caller = Some(caller.clone());
        if !caller.tenant.is_enabled() {
            return response::error(&Reason::TenantOff.error());
        }
        learned.body = match body.await {
            Ok(body) => body,
            Err(error) => return response::error(&error),
        };
        let request = Request::from_parts(head, learned.body.clone());
        let route = learned.route.as_ref();
        let work = Box::pin(self.answer_caller(&caller, &request, deadline, route));
        // What the errand takes is not the request's own work.
        let errand = budget::counted(Limits::REQUEST, self.verifier.note_use(&caller));
        let response = beside(Box::pin(errand), work).await;
        if response.status().is_success() {
            Box::pin(self.verifier.connect(&caller)).await;
        }
        response
    }

    async fn authenticate(
        &self,
        head: &Parts,
        named: &mut Option<Arc<Tenant>>,
    ) -> Result<Caller, Error> {
        let tokens =
            head.headers.get_all(header::AUTHORIZATION).iter().map(header::HeaderValue::as_bytes);
        let host =
            head.headers.get(header::HOST).and_then(|host| host.to_str().ok()).or(head.uri.host());
        self.verifier.verify(tokens, host, named).await
    }

    /// The answer to an authenticated request, after a share of the work that earlier requests
    /// left.
    async fn answer_caller(
        &self,
        caller: &Caller,
        request: &Request<Bytes>,
        deadline: Instant,
        route: Option<&Route>,
    ) -> Response<Bytes> {
        let request_id = request.extensions().get().cloned().unwrap_or_else(RequestId::default);
        let base_url = caller.tenant.base_url(self.base_url.as_deref().unwrap_or(BASE_PATH));
        let call = Call {
            tenant: &caller.tenant,
            actor: caller.key_id.as_str(),
            request_id: request_id.as_str(),
            base_url: &base_url,
            deadline,
            soft_deadline: deadline.min(Instant::now() + FINISHING_FOR),
            reads: &RequestReads::default(),
        };
        // Each of these futures is large. Boxing keeps them from being on the stack together.
        Box::pin(self.directory.tidy(call, request.method() != Method::GET)).await;
        Box::pin(self.act(request, route, call)).await
    }

    /// Does what an authenticated request asks for.
    pub(super) async fn act(
        &self,
        request: &Request<Bytes>,
        route: Option<&Route>,
        call: Call<'_>,
    ) -> Response<Bytes> {
        let is_served = |route: &&Route| {
            route.endpoint().is_none_or(|endpoint| call.tenant.types.at(endpoint).is_some())
        };
        let Some(route) = route.filter(is_served) else {
            return response::error(&no_such_endpoint(call));
        };
        if !route.methods().contains(request.method()) {
            return response::method_not_allowed(&route.allow());
        }
        let before = budget::commits();
        let answered = self.dispatch(request, route, call).await;
        answered.unwrap_or_else(|error| {
            response::error(&client_error(error, budget::commits() > before))
        })
    }

    async fn dispatch(
        &self,
        request: &Request<Bytes>,
        route: &Route,
        call: Call<'_>,
    ) -> Result<Response<Bytes>, Error> {
        match route {
            Route::Resources(endpoint) => {
                self.collection(request, served(endpoint, call)?, call).await
            }
            Route::Resource(endpoint, id) => {
                self.one(request, served(endpoint, call)?, id, call).await
            }
            Route::SearchIn(endpoint) => {
                self.search(request, std::iter::once(served(endpoint, call)?), call).await
            }
            Route::Search => self.search(request, call.tenant.types.iter(), call).await,
            Route::Bulk => self.bulk(request, call).await,
            Route::Me => Err(Reason::NotImplemented
                .with("A token identifies an identity provider, not a user; use /Users.")),
            Route::Discovery(document) => self.discover(request, document, call),
        }
    }
}

/// What `work` results in, while `errand` runs beside it. An errand that takes longer is dropped.
async fn beside<T, E>(
    errand: impl Future<Output = E> + Unpin,
    work: impl Future<Output = T> + Unpin,
) -> T {
    match select(errand, work).await {
        Either::Left((_, work)) => work.await,
        Either::Right((done, _)) => done,
    }
}

/// The resource type that is served under a name.
fn served<'c>(endpoint: &str, call: Call<'c>) -> Result<&'c ServedType, Error> {
    call.tenant.types.at(endpoint).ok_or_else(|| no_such_endpoint(call))
}

fn no_such_endpoint(call: Call<'_>) -> Error {
    let path = call.tenant.base_path().unwrap_or(BASE_PATH);
    Reason::EndpointUnknown.with(format!("There is no such endpoint; the base URL ends in {path}."))
}

/// The error that the client gets. A 500, or a 4xx for too much work, means that nothing was done
/// and that sending the request again does not help. So neither may follow a write that took
/// effect: in that case only the rest of the work failed, or the answer.
fn client_error(error: Error, wrote: bool) -> Error {
    match error.kind {
        ErrorKind::Internal | ErrorKind::TooMany | ErrorKind::PayloadTooLarge if wrote => {
            Reason::ResultUnknown.error()
        }
        _ => error,
    }
}

/// The answer, or a 503 after the deadline. This must run inside the code that counts and logs, so
/// that a request that took too long has a log line too.
async fn in_time(
    deadline: Instant,
    answer: impl Future<Output = Response<Bytes>>,
) -> Response<Bytes> {
    // Work that cannot be answered in time does not begin. `timeout_at` alone would begin it.
    let answered =
        if Instant::now() < deadline { timeout_at(deadline, answer).await.ok() } else { None };
    answered.unwrap_or_else(|| response::error(&Reason::TookTooLong.error()))
}
