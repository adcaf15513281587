//! Resources: create, retrieve, query, replace, patch, delete.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use scim_core::message::ListResponse;
use scim_core::{Error, PatchRequest, Projection, Query};

use super::service::Service;
use super::{request, response};
use crate::directory::limits::MAX_MEMBERS_SHOWN;
use crate::directory::{Call, Creation, Expanded, Precondition, Scope, View};
use crate::reason::Reason;
use crate::store::Kind;
use crate::telemetry;
use crate::tenant::ServedType;
use crate::tenant::profile::GroupPatch;

/// Maximum number of members that the answer to a PATCH shows. For a larger group the answer is
/// 204, as Entra prefers.
const FEW_MEMBERS: usize = 100;

/// The resource that a request names, and what the request asks for.
struct Target<'r> {
    resource_type: &'r ServedType,
    id: &'r str,
    projection: Projection<'r>,
    /// `If-Match`.
    precondition: Precondition,
}

impl Service {
    /// All resources of a type: query and create.
    ///
    /// If the type is switched off, the answer to a query is an empty list. Entra's connection test
    /// asks for groups, and treats a 404 as a sign of a different kind of server.
    pub(super) async fn collection(
        &self,
        request: &Request<Bytes>,
        resource_type: &ServedType,
        call: Call<'_>,
    ) -> Result<Response<Bytes>, Error> {
        let served = call.tenant.serves(resource_type);
        match *request.method() {
            Method::GET => {
                let types = served.then_some(resource_type);
                self.list(&request::query(request)?, types.as_slice(), call).await
            }
            Method::POST if served => self.create(request, resource_type, call).await,
            Method::POST => Err(switched_off(resource_type)),
            _ => Err(method_not_allowed()),
        }
    }

    /// Queries with POST, over the given types that are served.
    pub(super) async fn search<'t>(
        &self,
        request: &Request<Bytes>,
        types: impl Iterator<Item = &'t ServedType>,
        call: Call<'_>,
    ) -> Result<Response<Bytes>, Error> {
        let types: Vec<&ServedType> = types.filter(|one| call.tenant.serves(one)).collect();
        self.list(&Query::from_message(&request::body(request)?)?, &types, call).await
    }

    /// One resource: retrieve, replace, patch and delete.
    pub(super) async fn one(
        &self,
        request: &Request<Bytes>,
        resource_type: &ServedType,
        id: &str,
        call: Call<'_>,
    ) -> Result<Response<Bytes>, Error> {
        if !call.tenant.serves(resource_type) {
            return Err(match *request.method() {
                Method::GET => none_in_tenant(resource_type),
                Method::PUT | Method::PATCH | Method::DELETE => switched_off(resource_type),
                _ => method_not_allowed(),
            });
        }
        let target = Target {
            resource_type,
            id,
            projection: projection(request, resource_type)?,
            precondition: request::precondition(request, header::IF_MATCH),
        };
        match *request.method() {
            Method::GET => self.retrieve(request, target, call).await,
            Method::PUT => self.replace(request, target, call).await,
            Method::PATCH => self.patch(request, target, call).await,
            Method::DELETE => self.delete(target, call).await,
            _ => Err(method_not_allowed()),
        }
    }

    async fn create(
        &self,
        request: &Request<Bytes>,
        resource_type: &ServedType,
        call: Call<'_>,
    ) -> Result<Response<Bytes>, Error> {
        let projection = projection(request, resource_type)?;
        let draft = resource_type
            .definition
            .parse(request::body(request)?, call.tenant.profile.dialect())?;
        telemetry::left_out(&draft.ignored, &draft.unknown);
        let projection = projection.asserting(draft.attributes.names());
        let view = View { projection: &projection, members: MAX_MEMBERS_SHOWN };
        let Creation { origin, expanded } =
            Box::pin(self.directory.create(call, resource_type, draft, view)).await?;
        let mut response = answer(StatusCode::CREATED, resource_type, expanded, &projection, call);
        // A bulk request may have to undo a create.
        response.extensions_mut().insert(origin);
        Ok(response)
    }

    async fn retrieve(
        &self,
        request: &Request<Bytes>,
        target: Target<'_>,
        call: Call<'_>,
    ) -> Result<Response<Bytes>, Error> {
        let Target { resource_type, id, projection, .. } = target;
        let view = View { projection: &projection, members: MAX_MEMBERS_SHOWN };
        let shown = self.directory.retrieve(call, resource_type, id, view).await?;
        let seen = request::precondition(request, header::IF_NONE_MATCH);
        let version = shown.resource.meta.version;
        let same = seen != Precondition::None && seen.matches(version);
        if same && !self.directory.may_have_changed(call, resource_type, &projection).await? {
            let location = resource_type.definition.location(&shown.resource, call.base_url);
            return Ok(response::not_modified(version, &location));
        }
        let shown = shown.require_members()?;
        Ok(answer(StatusCode::OK, resource_type, shown, &projection, call))
    }

    async fn replace(
        &self,
        request: &Request<Bytes>,
        target: Target<'_>,
        call: Call<'_>,
    ) -> Result<Response<Bytes>, Error> {
        let Target { resource_type, id, projection, precondition } = target;
        let draft = resource_type
            .definition
            .parse_replacement(request::body(request)?, call.tenant.profile.dialect())?;
        telemetry::left_out(&draft.ignored, &draft.unknown);
        let projection = projection.asserting(draft.attributes.names());
        let view = View { projection: &projection, members: MAX_MEMBERS_SHOWN };
        let replaced = self.directory.replace(call, resource_type, id, draft, &precondition, view);
        let shown = Box::pin(replaced).await?;
        Ok(answer(StatusCode::OK, resource_type, shown, &projection, call))
    }

    async fn patch(
        &self,
        request: &Request<Bytes>,
        target: Target<'_>,
        call: Call<'_>,
    ) -> Result<Response<Bytes>, Error> {
        let Target { resource_type, id, projection, precondition } = target;
        let profile = &call.tenant.profile;
        let body = request::body(request)?;
        let patch = PatchRequest::parse(&body, &resource_type.definition, profile.dialect())?;
        telemetry::left_out(patch.ignored(), patch.unknown());
        // "The server MUST return a 200 OK if the "attributes" parameter is specified in the
        // request." (RFC 7644, 3.5.2)
        let must_show = projection.is_explicit();
        let members = if must_show { MAX_MEMBERS_SHOWN } else { FEW_MEMBERS };
        let bare = resource_type.kind == Kind::Group
            && profile.dialect.group_patch == GroupPatch::NoContent
            && !must_show;
        let projection = projection.asserting(patch.names());
        let view = View { projection: &projection, members };
        let patched = self.directory.patch(call, resource_type, id, patch, &precondition, view);
        let shown = Box::pin(patched).await?;
        let shown = Expanded { cut: shown.cut || bare, ..shown };
        Ok(answer(StatusCode::OK, resource_type, shown, &projection, call))
    }

    async fn delete(&self, target: Target<'_>, call: Call<'_>) -> Result<Response<Bytes>, Error> {
        let Target { resource_type, id, precondition, .. } = target;
        Box::pin(self.directory.delete(call, resource_type, id, &precondition)).await?;
        Ok(response::no_content())
    }

    async fn list(
        &self,
        query: &Query,
        types: &[&ServedType],
        call: Call<'_>,
    ) -> Result<Response<Bytes>, Error> {
        let scopes: Vec<Scope<'_>> = types
            .iter()
            .map(|resource_type| {
                let projection = Projection::new(
                    &query.attributes,
                    &query.excluded_attributes,
                    &resource_type.definition,
                );
                Scope { resource_type, projection }
            })
            .collect();
        let found = Box::pin(self.directory.query(call, &scopes, query)).await?;
        let list = match query.cursor {
            None => ListResponse::new(found.total, query.start_index, found.resources),
            Some(_) => ListResponse::of_cursor(found.total, found.next_cursor, found.resources),
        };
        Ok(response::json(StatusCode::OK, &list))
    }
}

fn none_in_tenant(resource_type: &ServedType) -> Error {
    let detail = format!("There is no {} in this tenant.", resource_type.definition.name);
    Reason::NotFound.with(detail)
}

fn switched_off(resource_type: &ServedType) -> Error {
    let detail = format!(
        "This service provider has no {}; switch their provisioning off in the identity provider, \
        and assign users.",
        resource_type.definition.endpoint.trim_start_matches('/')
    );
    Reason::TypeOff.with(detail)
}

/// The route lists the methods of an endpoint, so a request with another method does not get here.
fn method_not_allowed() -> Error {
    Reason::MethodNotAllowed.with("This endpoint does not support this method.")
}

fn projection<'s>(
    request: &Request<Bytes>,
    resource_type: &'s ServedType,
) -> Result<Projection<'s>, Error> {
    let query = request::query(request)?;
    Ok(Projection::new(&query.attributes, &query.excluded_attributes, &resource_type.definition))
}

/// A resource as an answer, or 204 if its members were left out: "the server MAY return HTTP status
/// code 200 (OK) and a copy of the modified resource or ... a HTTP status 204 (No Content)" (RFC
/// 7644, 3.5.2).
fn answer(
    status: StatusCode,
    resource_type: &ServedType,
    shown: Expanded,
    projection: &Projection<'_>,
    call: Call<'_>,
) -> Response<Bytes> {
    let Expanded { resource, cut } = shown;
    let (version, location) =
        (resource.meta.version, resource_type.definition.location(&resource, call.base_url));
    let response = if cut {
        response::no_content()
    } else {
        let body = resource_type.definition.represent(resource, projection, call.base_url);
        // meta.location: "This value MUST be the same as the "Content-Location" HTTP response
        // header" (RFC 7643, 3.1).
        response::with(response::json(status, &body), header::CONTENT_LOCATION, &location)
    };
    let response = response::with(response, header::ETAG, &version.to_string());
    response::with(response, header::LOCATION, &location)
}
