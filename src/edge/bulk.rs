//! Bulk (RFC 7644, 3.7): each operation is answered like the request that it stands for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use scim_core::Error;
use scim_core::bulk::{BulkOperation, BulkRequest, BulkResponse, BulkResult};
use scim_core::message::ErrorMessage;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::line::Operations;
use super::refused::{Asked, Refused};
use super::route::{BASE_PATH, Route};
use super::service::Service;
use super::{request, response};
use crate::budget::{self, MAX_CALLS, MAX_READ_UNITS};
use crate::directory::{Call, Origin, RequestReads};
use crate::reason::Reason;

/// How long new operations may begin: the time that the gateway allows, less the time that the last
/// operation can take.
const BEGIN_FOR: Duration = Duration::from_secs(15);
/// How long after its start a bulk request is answered, even if the last operation has not ended. A
/// late answer would lose all results.
const ANSWER_AFTER: Duration = Duration::from_secs(20);
/// DynamoDB calls that an operation can take. If fewer are left, the operation does not begin.
const CALLS_OF_AN_OPERATION: usize = 150;
/// Read units that an operation can take. If fewer are left, the operation does not begin.
const UNITS_OF_AN_OPERATION: usize = 700;

/// A bulk request that is being answered.
struct Job {
    operations: Vec<BulkOperation>,
    /// The ids of created resources, by bulkId.
    ids: BTreeMap<String, String>,
    /// The indices of the operations that created a resource. A user who was restored or adopted
    /// existed before.
    created: BTreeSet<usize>,
    results: Vec<Option<BulkResult>>,
    errors: usize,
    refused: Vec<Refused>,
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
        let max_errors = bulk.fail_on_errors.unwrap_or(usize::MAX);
        let results = vec![None; bulk.operations.len()];
        let mut job = Job {
            operations: bulk.operations,
            ids: BTreeMap::new(),
            created: BTreeSet::new(),
            results,
            errors: 0,
            refused: Vec::new(),
        };
        let mut late = Vec::new();
        for index in order {
            // "the number of errors that the service provider will accept before the operation is
            // terminated"
            if job.errors >= max_errors {
                break;
            }
            let postponed = if clock.is_late() { job.give_up(index) } else { job.prepare(index) };
            self.process(&mut job, index, clock, call).await;
            late.extend(postponed.map(|patch| (index, patch)));
        }
        for (index, patch) in late {
            self.complete(&mut job, index, patch, clock, call).await;
        }
        let operations = Operations { count: job.results.len(), failed: job.errors };
        let results = job.results.into_iter().flatten().collect();
        let mut response = response::json(StatusCode::OK, &BulkResponse::new(results));
        response.extensions_mut().insert(operations);
        response.extensions_mut().insert(job.refused);
        Ok(response)
    }

    async fn process(&self, job: &mut Job, index: usize, clock: Clock, call: Call<'_>) {
        let Some(operation) = job.operations.get(index) else { return };
        let response = match &operation.fault {
            Some(fault) => response::error(fault),
            None => self.single(operation, clock, call).await,
        };
        let result = result(operation, &response, call);
        if let (Some(bulk_id), Some(id)) = (operation.created(), id_of(&result)) {
            job.ids.insert(bulk_id.to_owned(), id.to_owned());
        }
        if response.extensions().get() == Some(&Origin::Created) {
            job.created.insert(index);
        }
        job.errors += usize::from(response.status().as_u16() >= 400);
        job.refused.extend(refused(operation, &response, call));
        job.keep(index, result);
    }

    /// Adds the references that waited for other resources of their circle. If these do not exist,
    /// the resource is removed again and its creation has failed.
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
        let mut later = later_patch(operation, id, patch);
        later.resolve(&job.ids);
        let response = if !later.references().is_empty() {
            response::error(&unresolved())
        } else if clock.is_late() {
            response::error(&not_begun())
        } else {
            self.single(&later, clock, call).await
        };
        if response.status().is_success() {
            let version = text(&response, header::ETAG).or(created.version);
            job.keep(index, BulkResult { version, ..created });
            return;
        }
        // A user who was restored or adopted existed before, and stays.
        if job.created.contains(&index) {
            self.undo_create(&later.path, clock, call).await;
        }
        job.errors += 1;
        job.refused.extend(refused(operation, &response, call));
        let failed = result(operation, &response, call);
        job.keep(index, failed);
    }

    /// Removes a resource that this request has created. If that fails, the resource stays; its
    /// operation has failed either way.
    async fn undo_create(&self, path: &str, clock: Clock, call: Call<'_>) {
        let Some(Route::Resource(endpoint, id)) = route(path) else { return };
        let Some(resource_type) = call.tenant.types.at(&endpoint) else { return };
        let undo = Box::pin(self.directory.undo_create(call, resource_type, &id));
        let undone = timeout_at(clock.answer_at, undo).await;
        if let Err(error) = undone.unwrap_or_else(|_| Err(took_too_long())) {
            tracing::warn!(%error, %id, "a resource that a bulk request created was not removed");
        }
    }

    /// The answer to an operation that is treated as a separate request.
    async fn single(
        &self,
        operation: &BulkOperation,
        clock: Clock,
        call: Call<'_>,
    ) -> Response<Bytes> {
        let request = request_of(operation);
        let (Some(request), Some(route)) = (request, route(&operation.path)) else {
            return response::error(&Error::invalid_path(
                "The path of an operation must be that of a resource type or a resource, such as \
                /Users or /Users/2819c223.",
            ));
        };
        // Earlier operations may have changed the resources that they read.
        let reads = RequestReads::default();
        let call = Call { reads: &reads, ..call };
        let plenty = budget::left().suffices(MAX_CALLS as usize / 2, MAX_READ_UNITS as usize / 2);
        // This future contains itself, so it is boxed.
        let answer = Box::pin(self.act(&request, Some(&route), call));
        let answered = timeout_at(clock.answer_at, answer).await;
        let response = answered.unwrap_or_else(|_| response::error(&took_too_long()));
        // On its own, the operation would have had enough budget.
        if is_too_many(&response) && !plenty { response::error(&not_begun()) } else { response }
    }
}

impl Job {
    fn keep(&mut self, index: usize, result: BulkResult) {
        if let Some(slot) = self.results.get_mut(index) {
            *slot = Some(result);
        }
    }

    /// Sets the fault of an operation that does not begin.
    fn give_up(&mut self, index: usize) -> Option<Value> {
        if let Some(operation) = self.operations.get_mut(index) {
            operation.fault.get_or_insert_with(not_begun);
        }
        None
    }

    /// Resolves the references of an operation. References that cannot be resolved yet are removed
    /// from it and returned as a PATCH request. A reference that will never be resolved is a fault.
    fn prepare(&mut self, index: usize) -> Option<Value> {
        let Self { operations, ids, results, .. } = self;
        let waits = |bulk_id: &String| {
            let mut creating = operations.iter().zip(results.iter());
            creating.any(|(other, result)| other.created() == Some(bulk_id) && result.is_none())
        };
        let references = operations.get(index)?.references();
        let open: BTreeSet<String> =
            references.into_iter().filter(|bulk_id| !ids.contains_key(bulk_id)).collect();
        let lost = open.iter().any(|bulk_id| !waits(bulk_id));
        let operation = operations.get_mut(index)?;
        if lost {
            operation.fault.get_or_insert_with(unresolved);
            return None;
        }
        operation.resolve(ids);
        (!open.is_empty()).then(|| operation.postpone(&open))
    }
}

/// The times at which a bulk request ends before its last operation.
#[derive(Debug, Clone, Copy)]
struct Clock {
    began: Instant,
    /// When the answer is sent.
    answer_at: Instant,
}

impl Clock {
    fn start(latest: Instant) -> Self {
        let began = Instant::now();
        Self { began, answer_at: (began + ANSWER_AFTER).min(latest) }
    }

    /// Whether it is too late to begin another operation.
    fn is_late(self) -> bool {
        self.began.elapsed() > BEGIN_FOR
            || !budget::left().suffices(CALLS_OF_AN_OPERATION, UNITS_OF_AN_OPERATION)
    }
}

fn not_begun() -> Error {
    Reason::NotBegun.error()
}

fn took_too_long() -> Error {
    Reason::TookTooLong.with(
        "The operation took too long, and it is not known whether it was done; send it again.",
    )
}

/// Whether a request was answered with `tooMany`.
fn is_too_many(response: &Response<Bytes>) -> bool {
    let body = || serde_json::from_slice::<Value>(response.body()).unwrap_or_default();
    response.status() == StatusCode::BAD_REQUEST
        && body().get("scimType").is_some_and(|word| word == "tooMany")
}

/// An operation as a request; `None` if HTTP cannot represent it.
fn request_of(operation: &BulkOperation) -> Option<Request<Bytes>> {
    let BulkOperation { method, data, .. } = operation;
    // A result does not show the members of a group.
    let uri = format!("{}?excludedAttributes=members", under_root(&operation.path));
    let mut request = Request::builder().method(method.as_str()).uri(uri);
    if let Some(version) = &operation.version {
        request = request.header(header::IF_MATCH, version);
    }
    let body = if data.is_null() { Bytes::new() } else { data.to_string().into() };
    request.body(body).ok()
}

/// The path of an operation under the base path.
fn under_root(path: &str) -> String {
    format!("{BASE_PATH}/{}", path.trim_start_matches('/'))
}

/// The route of an operation: to a resource type or a resource.
fn route(path: &str) -> Option<Route> {
    Route::of(&under_root(path), None)
        .filter(|route| matches!(route, Route::Resources(_) | Route::Resource(..)))
}

fn unresolved() -> Error {
    Reason::ReferenceUnresolved.error()
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

/// The operation that adds references to the resource that another one has created.
fn later_patch(operation: &BulkOperation, id: &str, patch: Value) -> BulkOperation {
    BulkOperation {
        method: "PATCH".into(),
        bulk_id: None,
        version: None,
        path: format!("{}/{id}", operation.path.trim_end_matches('/')),
        data: patch,
        fault: None,
    }
}

/// What is kept of an operation if it was refused.
fn refused(
    operation: &BulkOperation,
    response: &Response<Bytes>,
    call: Call<'_>,
) -> Option<Refused> {
    response.extensions().get::<Error>()?;
    let (route, request) = (route(&operation.path), request_of(operation)?);
    let asked = Asked { method: request.method(), route: route.as_ref(), body: request.body() };
    Refused::of(asked, response, &call.tenant.key())
}

/// The id of the resource of a result.
fn id_of(result: &BulkResult) -> Option<&str> {
    result.location.as_deref()?.rsplit('/').next()
}

fn text(response: &Response<Bytes>, name: header::HeaderName) -> Option<String> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}
