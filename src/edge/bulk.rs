//! Bulk (RFC 7644, 3.7): each operation is done as the request that it stands for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use scim_core::bulk::{BulkOperation, BulkRequest, BulkResponse, BulkResult};
use scim_core::message::ErrorMessage;
use scim_core::{Error, ErrorKind};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::route::{BASE_PATH, Route};
use super::service::Service;
use super::{request, response};
use crate::budget::{self, MAX_CALLS, MAX_READ_UNITS};
use crate::directory::{Call, Origin, RequestReads};

/// How long operations are begun: what the gateway allows, less what the last of them may take.
const BEGUN_FOR: Duration = Duration::from_secs(15);
/// When the answer is given, whatever becomes of the last operation: one that comes too late would
/// lose all results.
const ANSWERED_AFTER: Duration = Duration::from_secs(20);
/// DynamoDB calls and read units that an operation may take. Those that the request has not left
/// are not begun.
const CALLS_OF_AN_OPERATION: usize = 150;
const UNITS_OF_AN_OPERATION: usize = 700;

/// A bulk request under way.
struct Job {
    operations: Vec<BulkOperation>,
    /// The ids of what was created, by bulkId.
    ids: BTreeMap<String, String>,
    /// The indices of the operations that created a resource. A user who was restored or adopted
    /// existed before.
    created: BTreeSet<usize>,
    results: Vec<Option<BulkResult>>,
    errors: usize,
}

impl Service {
    pub(super) async fn bulk(
        &self,
        request: &Request<Bytes>,
        call: Call<'_>,
    ) -> Result<Response<Bytes>, Error> {
        let bulk = BulkRequest::parse(&request::body(request)?)?;
        let order = bulk.order();
        let clock = Clock::start(call.answer_by());
        let most = bulk.fail_on_errors.unwrap_or(usize::MAX);
        let results = vec![None; bulk.operations.len()];
        let mut job = Job {
            operations: bulk.operations,
            ids: BTreeMap::new(),
            created: BTreeSet::new(),
            results,
            errors: 0,
        };
        let mut late = Vec::new();
        for index in order {
            // "the number of errors that the service provider will accept before the operation is
            // terminated"
            if job.errors >= most {
                break;
            }
            let postponed = if clock.is_late() { job.put_off(index) } else { job.prepare(index) };
            self.process(&mut job, index, clock, call).await;
            late.extend(postponed.map(|patch| (index, patch)));
        }
        for (index, patch) in late {
            self.complete(&mut job, index, patch, clock, call).await;
        }
        let results = job.results.into_iter().flatten().collect();
        Ok(response::json(StatusCode::OK, &BulkResponse::new(results)))
    }

    async fn process(&self, job: &mut Job, index: usize, clock: Clock, call: Call<'_>) {
        let Some(operation) = job.operations.get(index) else { return };
        let response = match &operation.fault {
            Some(fault) => response::error(fault),
            None => self.single(&operation.method, operation, &operation.data, clock, call).await,
        };
        let result = result(operation, &response, call);
        if operation.method == "POST"
            && let (Some(bulk_id), Some(id)) = (&operation.bulk_id, id_of(&result))
        {
            job.ids.insert(bulk_id.clone(), id.to_owned());
        }
        if response.extensions().get() == Some(&Origin::Created) {
            job.created.insert(index);
        }
        job.errors += usize::from(response.status().as_u16() >= 400);
        job.keep(index, result);
    }

    /// Adds the references that waited for others of their circle. If these cannot be had, the
    /// resource is removed again and its creation has failed.
    async fn complete(
        &self,
        job: &mut Job,
        index: usize,
        patch: Value,
        clock: Clock,
        call: Call<'_>,
    ) {
        let Some(operation) = job.operations.get(index) else { return };
        let Some(Some(created)) = job.results.get(index).cloned() else { return };
        let Some(id) = id_of(&created) else { return };
        let mut later = BulkOperation {
            path: format!("{}/{id}", operation.path.trim_end_matches('/')),
            data: patch,
            version: None,
            ..operation.clone()
        };
        later.resolve(&job.ids);
        let response = match (later.references().is_empty(), clock.is_late()) {
            (false, _) => response::error(&unresolved()),
            (true, true) => response::error(&not_begun()),
            (true, false) => self.single("PATCH", &later, &later.data, clock, call).await,
        };
        let done = match response.status().is_success() {
            true => {
                BulkResult { version: text(&response, header::ETAG).or(created.version), ..created }
            }
            false => {
                // A user who was restored or adopted existed before, and stays.
                if job.created.contains(&index) {
                    self.undo_create(&later.path, clock, call).await;
                }
                job.errors += 1;
                result(operation, &response, call)
            }
        };
        job.keep(index, done);
    }

    /// Removes what this request has created. If that fails it stays, and its operation has failed
    /// all the same.
    async fn undo_create(&self, path: &str, clock: Clock, call: Call<'_>) {
        let Some(Route::Resource(endpoint, id)) = route(path) else { return };
        let Some(resource_type) = call.tenant.types.at(&endpoint) else { return };
        let withdrawn = timeout_at(
            clock.answer_at,
            Box::pin(self.directory.undo_create(call, resource_type, &id)),
        )
        .await;
        if let Err(error) = withdrawn.unwrap_or_else(|_| Err(took_too_long())) {
            tracing::warn!(%error, %id, "what a bulk request created could not be removed again");
        }
    }

    /// The answer to an operation as a request of its own.
    async fn single(
        &self,
        method: &str,
        operation: &BulkOperation,
        data: &Value,
        clock: Clock,
        call: Call<'_>,
    ) -> Response<Bytes> {
        let route = route(&operation.path);
        // The members of a group are no part of a result.
        let uri = format!("{}?excludedAttributes=members", under_root(&operation.path));
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(version) = &operation.version {
            request = request.header(header::IF_MATCH, version);
        }
        let body = if data.is_null() { Bytes::new() } else { data.to_string().into() };
        // What the operations before have read may have changed since, by themselves.
        let reads = RequestReads::default();
        let call = Call { reads: &reads, ..call };
        let alone = budget::left().suffices(MAX_CALLS as usize / 2, MAX_READ_UNITS as usize / 2);
        match (request.body(body), route) {
            (Ok(request), Some(route)) => {
                // The future is one of those that lead here, so it is boxed.
                let answered =
                    timeout_at(clock.answer_at, Box::pin(self.act(&request, Some(&route), call)))
                        .await;
                let response = answered.unwrap_or_else(|_| response::error(&took_too_long()));
                // An operation that finds too little left would not have, alone.
                if is_too_many(&response) && !alone {
                    response::error(&not_begun())
                } else {
                    response
                }
            }
            _ => response::error(&Error::invalid_path(
                "The path of an operation is that of a resource type or a resource, such as \
                /Users or /Users/2819c223.",
            )),
        }
    }
}

impl Job {
    fn keep(&mut self, index: usize, result: BulkResult) {
        if let Some(slot) = self.results.get_mut(index) {
            *slot = Some(result);
        }
    }

    /// Gives an operation that is not tried any more its fault.
    fn put_off(&mut self, index: usize) -> Option<Value> {
        if let Some(operation) = self.operations.get_mut(index) {
            operation.fault.get_or_insert_with(not_begun);
        }
        None
    }

    /// Resolves an operation's references. Those that cannot be resolved yet are taken out, and
    /// returned as a PATCH request; those that never will be are a fault.
    fn prepare(&mut self, index: usize) -> Option<Value> {
        let Self { operations, ids, results, .. } = self;
        let waits = |bulk_id: &String| {
            let mut creating = operations.iter().zip(results.iter());
            creating.any(|(other, result)| {
                let creates = other.method == "POST" && other.fault.is_none();
                creates && other.bulk_id.as_ref() == Some(bulk_id) && result.is_none()
            })
        };
        let references = operations.get(index)?.references();
        let open: BTreeSet<String> =
            references.into_iter().filter(|bulk_id| !ids.contains_key(bulk_id)).collect();
        let lost = open.iter().any(|bulk_id| !waits(bulk_id));
        let operation = operations.get_mut(index)?;
        if lost {
            operation.fault = operation.fault.take().or_else(|| Some(unresolved()));
            return None;
        }
        operation.resolve(ids);
        (!open.is_empty()).then(|| operation.postpone(&open))
    }
}

/// What ends a bulk request before its last operation.
#[derive(Debug, Clone, Copy)]
struct Clock {
    begun: Instant,
    /// When the answer is given.
    answer_at: Instant,
}

impl Clock {
    fn start(at_the_latest: Instant) -> Self {
        let begun = Instant::now();
        Self { begun, answer_at: (begun + ANSWERED_AFTER).min(at_the_latest) }
    }

    /// Whether no more operations are begun.
    fn is_late(self) -> bool {
        self.begun.elapsed() > BEGUN_FOR
            || !budget::left().suffices(CALLS_OF_AN_OPERATION, UNITS_OF_AN_OPERATION)
    }
}

fn not_begun() -> Error {
    Error::unavailable("The request has done much already; send this operation again.")
}

fn took_too_long() -> Error {
    Error::unavailable(
        "The operation took too long, and whether it was done is not known; send it again.",
    )
}

/// Whether a request was answered with `tooMany`.
fn is_too_many(response: &Response<Bytes>) -> bool {
    let body = || serde_json::from_slice::<Value>(response.body()).unwrap_or_default();
    response.status() == StatusCode::BAD_REQUEST
        && body().get("scimType").is_some_and(|word| word == "tooMany")
}

/// The path of an operation, below the root.
fn under_root(path: &str) -> String {
    format!("{BASE_PATH}/{}", path.trim_start_matches('/'))
}

/// Where an operation leads: to a resource type or a resource.
fn route(path: &str) -> Option<Route> {
    Route::of(&under_root(path), None)
        .filter(|route| matches!(route, Route::Resources(_) | Route::Resource(..)))
}

fn unresolved() -> Error {
    Error::new(
        ErrorKind::Conflict,
        "A bulkId in this operation stands for no resource that this request has created; see the \
        other results.",
    )
}

fn result(operation: &BulkOperation, response: &Response<Bytes>, call: Call<'_>) -> BulkResult {
    let failed = response.status().as_u16() >= 400;
    // "A "location" attribute that includes the resource's endpoint MUST be returned for all
    // operations except for failed POST operations (which have no location)."
    let location = match operation.method.as_str() {
        "POST" if failed => None,
        "POST" => text(response, header::LOCATION),
        _ => Some(format!("{}/{}", call.base_url, operation.path.trim_start_matches('/'))),
    };
    let body = || {
        let fault = || {
            serde_json::to_value(ErrorMessage::from(&Error::internal(
                "The answer could not be read.",
            )))
        };
        serde_json::from_slice(response.body()).or_else(|_| fault()).ok()
    };
    BulkResult {
        method: operation.method.clone(),
        location,
        bulk_id: operation.bulk_id.clone(),
        version: text(response, header::ETAG),
        status: response.status().as_u16().to_string(),
        response: failed.then(body).flatten(),
    }
}

/// The id of the resource that a result tells of.
fn id_of(result: &BulkResult) -> Option<&str> {
    result.location.as_deref()?.rsplit('/').next()
}

fn text(response: &Response<Bytes>, name: header::HeaderName) -> Option<String> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}
