//! What is kept of a refused request: why, and about whom, but no value that the client sent.

use bytes::Bytes;
use http::{Method, Response};
use scim_core::{Error, ErrorKind, ResourceId};
use serde_json::Value;

use super::dropped::StandardNames;
use super::line::{Learned, template};
use super::route::Route;
use crate::reason::Reason;
use crate::store::{RefusedRequest, TenantKey, is_made};

/// The attributes of a body that tell whom or what it is about.
const NAMES: [&str; 3] = ["userName", "externalId", "displayName"];

/// A request, or an operation of a bulk request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'r> {
    pub(super) method: &'r Method,
    pub(super) route: Option<&'r Route>,
    pub(super) body: &'r Bytes,
}

/// A request, or an operation of a bulk request, that was refused, or an attribute that was left out.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    method: Method,
    route: String,
    error: Error,
    about: Vec<String>,
}

impl Refused {
    /// What is kept of an answer; `None` if it is not a refusal, or one that nobody misses: a read
    /// of a resource that does not exist is how identity providers ask whether it does.
    pub(super) fn of(
        asked: Asked<'_>,
        response: &Response<Bytes>,
        tenant: &TenantKey,
    ) -> Option<Self> {
        let error = response.extensions().get::<Error>()?;
        let asks = *asked.method == Method::GET && matches!(asked.route, Some(Route::Resource(..)));
        let is_usual = error.kind == ErrorKind::NotFound && asks;
        if is_usual || error.kind == ErrorKind::Unauthorized {
            return None;
        }
        Some(Self {
            method: asked.method.clone(),
            route: template(asked.route),
            about: about(asked, tenant),
            error: error.clone(),
        })
    }

    /// The entry in the table.
    pub(super) fn entry(
        self,
        names: &StandardNames,
        request: &str,
        key: &str,
        now: i64,
    ) -> RefusedRequest {
        let Self { method, route, mut error, about } = self;
        let reason = Reason::of(&error);
        let is_refused = reason != Reason::AttributeDropped;
        if reason == Reason::UnknownAttribute {
            // The sentence has what the client wrote in place of a name.
            error.attribute = error.attribute.map(|sent| names.known(&sent));
            error.detail = reason.cause().to_owned();
        }
        RefusedRequest {
            code: reason.code().to_owned(),
            status: if is_refused { error.kind.wire().0 } else { reason.status() },
            method: method.to_string(),
            route,
            detail: error.detail,
            attribute: error.attribute,
            about,
            request: request.to_owned(),
            key: key.to_owned(),
            count: 1,
            first: now,
            last: now,
        }
    }
}

/// An attribute that was left out of a message, under the name that may be kept.
pub(super) fn dropped(name: String, method: &Method, route: Option<&Route>) -> Refused {
    let detail = format!("{name} was left out, because the profile's schema does not have it.");
    Refused {
        method: method.clone(),
        route: template(route),
        error: Reason::AttributeDropped.with(detail).at(name),
        about: Vec::new(),
    }
}

/// The refusals of a request: itself, or the operations of it that failed.
pub(super) fn all(
    method: &Method,
    learned: &Learned,
    response: &mut Response<Bytes>,
    tenant: &TenantKey,
) -> Vec<Refused> {
    if let Some(operations) = response.extensions_mut().remove::<Vec<Refused>>() {
        return operations;
    }
    let asked = Asked { method, route: learned.route.as_ref(), body: &learned.body };
    Refused::of(asked, response, tenant).into_iter().collect()
}

/// The id in the path, or else the marks of the names in the body. What is in a path may be a name
/// too, unless it has the form of the ids that this service makes.
fn about(asked: Asked<'_>, tenant: &TenantKey) -> Vec<String> {
    if let Some(Route::Resource(_, id)) = asked.route {
        let id = id.parse::<ResourceId>().ok();
        let mark = |id: ResourceId| {
            let folded = id.folded().to_string();
            if is_made(&folded) { folded } else { tenant.mark(id.as_str()) }
        };
        return id.map(mark).into_iter().collect();
    }
    let Ok(Value::Object(body)) = serde_json::from_slice(asked.body) else { return Vec::new() };
    let of = |wanted: &str| {
        let mut values = body.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        values.find_map(|(_, value)| value.as_str().filter(|text| !text.trim().is_empty()))
    };
    let mut marks: Vec<String> =
        NAMES.into_iter().filter_map(of).map(|name| tenant.mark(name)).collect();
    marks.sort_unstable();
    marks.dedup();
    marks
}
