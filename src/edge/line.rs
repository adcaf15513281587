//! The line of a request in the log: what was asked, by whose credential, and why it was refused. It
//! has no personal data, no id of a resource and no query.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response};
use scim_core::Error;
use tokio::time::Instant;

use super::request::{Deadline, TIMEOUT};
use super::request_id::{Ids, Invocation, RequestId};
use super::route::Route;
use crate::auth::Caller;
use crate::reason::Reason;
use crate::telemetry::{LeftOut, Tally};
use crate::tenant::Tenant;

/// Whether a request is the first that this process was invoked for; an extension of the request.
#[derive(Debug, Clone, Copy)]
pub(super) struct ColdStart(pub(super) bool);

/// What is known of a request before it is answered.
#[derive(Debug)]
pub(super) struct Arrival {
    began: std::time::Instant,
    pub(super) id: RequestId,
    invocation: Option<Invocation>,
    pub(super) method: Method,
    pub(super) deadline: Instant,
    cold_start: bool,
}

impl Arrival {
    pub(super) fn of(head: &mut Parts, ColdStart(cold_start): ColdStart) -> Self {
        let deadline = head.extensions.get().map(|Deadline(at)| *at);
        Self {
            began: std::time::Instant::now(),
            id: RequestId::ensure(head),
            invocation: head.extensions.get().cloned(),
            method: head.method.clone(),
            deadline: deadline.unwrap_or_else(|| Instant::now() + TIMEOUT),
            cold_start,
        }
    }
}

/// What is learned about a request on the way to its answer. It outlives that way, which ends early
/// at the deadline.
#[derive(Debug, Default)]
pub(super) struct Learned {
    pub(super) route: Option<Route>,
    /// The tenant that the token names, even if the token is refused.
    pub(super) tenant: Option<Arc<Tenant>>,
    /// The caller, once the token is accepted.
    pub(super) caller: Option<Caller>,
    pub(super) body: Bytes,
}

/// How many operations a bulk request had, and how many of them failed; an extension of its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operations {
    pub(super) count: usize,
    pub(super) failed: usize,
}

/// What the log says about a request; an extension of its answer.
#[derive(Debug, Clone)]
pub struct RequestLine {
    /// The id of the request, which its answer has as `x-request-id`.
    pub request: String,
    /// Lambda's id of the invocation, if it is another one.
    pub invocation: Option<String>,
    /// The code of the tenant, if the token names one that exists.
    pub tenant: Option<String>,
    /// The operator's name for that tenant. The log does not have it.
    pub tenant_name: Option<String>,
    /// The key id of an accepted token.
    pub key: Option<String>,
    /// The method.
    pub method: Method,
    /// The endpoint, without ids.
    pub route: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The `scimType` of an error.
    pub scim_type: Option<&'static str>,
    /// Why the request was refused.
    pub reason: Option<Reason>,
    /// The sentence of the answer. The log does not have it.
    pub detail: Option<String>,
    /// How long the answer took.
    pub milliseconds: u64,
    /// The DynamoDB work of the request.
    pub tally: Tally,
    /// What the request left out although it resembles an attribute.
    pub ignored: Option<String>,
    /// Whether this process was not invoked before, for a request or for anything else.
    pub cold_start: bool,
    /// How many operations a bulk request had.
    pub operations: Option<usize>,
    /// How many of them failed.
    pub failed_operations: Option<usize>,
}

impl RequestLine {
    pub(super) fn of(
        arrival: &Arrival,
        learned: &Learned,
        response: &Response<Bytes>,
        (tally, left_out): (Tally, &LeftOut),
    ) -> Self {
        let error = response.extensions().get::<Error>();
        let bulk = response.extensions().get::<Operations>();
        let tenant = learned.tenant.as_ref();
        Self {
            request: arrival.id.as_str().to_owned(),
            invocation: arrival.invocation.as_ref().map(|Invocation(id)| id.clone()),
            tenant: tenant.map(|tenant| tenant.code().to_string()),
            tenant_name: tenant.map(|tenant| tenant.name().to_owned()),
            key: learned.caller.as_ref().map(|caller| caller.key_id.as_str().to_owned()),
            method: arrival.method.clone(),
            route: template(learned.route.as_ref()),
            status: response.status().as_u16(),
            scim_type: error.and_then(|error| error.kind.wire().1),
            reason: error.map(Reason::of),
            detail: error.map(|error| error.detail.clone()),
            milliseconds: u64::try_from(arrival.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            tally,
            ignored: left_out.ignored(),
            cold_start: arrival.cold_start,
            operations: bulk.map(|bulk| bulk.count),
            failed_operations: bulk.map(|bulk| bulk.failed),
        }
    }

    /// Writes the line.
    pub(super) fn log(&self) {
        let Self { tally, .. } = self;
        tracing::info!(
            request = self.request,
            invocation = self.invocation,
            tenant = self.tenant,
            key = self.key,
            method = known(&self.method),
            route = self.route,
            status = self.status,
            class = class(self.status),
            scim_type = self.scim_type,
            reason = self.reason.map(Reason::code),
            milliseconds = self.milliseconds,
            calls = tally.calls,
            failed_calls = tally.failed_calls,
            conflicts = some(tally.conflicts),
            throttles = some(tally.throttles),
            retries = some(tally.retries()),
            cold_start = some(u32::from(self.cold_start)),
            read_units = tally.read_units,
            write_units = tally.write_units,
            ignored = self.ignored,
            operations = self.operations,
            failed_operations = self.failed_operations,
            "request"
        );
    }
}

/// Writes the line of an event that could not be made into a request.
pub(super) fn log_unread(ids: &Ids, error: &Error) {
    let (status, scim_type) = error.kind.wire();
    tracing::info!(
        request = ids.request.as_str(),
        invocation = ids.invocation.as_ref().map(|Invocation(id)| id.as_str()),
        route = template(None),
        status,
        class = class(status),
        scim_type,
        reason = Reason::of(error).code(),
        "request"
    );
}

/// The method as the log names it. A client can invent any number of others.
fn known(method: &Method) -> &str {
    const KNOWN: [Method; 7] = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    if KNOWN.contains(method) { method.as_str() } else { "other" }
}

/// A number that the line has unless it is zero.
fn some(number: u32) -> Option<u32> {
    (number > 0).then_some(number)
}

/// The class of a status, such as `2xx`.
fn class(status: u16) -> &'static str {
    match status / 100 {
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

/// The endpoint as logs name it.
pub(super) fn template(route: Option<&Route>) -> String {
    route.map_or_else(|| "unknown".into(), Route::template)
}
