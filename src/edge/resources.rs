//! Resources: create, retrieve, query, replace, patch, delete.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use scim_core::message::ListResponse;
use scim_core::{Error, ErrorKind, PatchRequest, Projection, Query};

use super::route::Route;
use super::{Service, request, response};
use crate::directory::limits::MAX_MEMBERS_SHOWN;
use crate::directory::{Call, Creation, Expanded, Precondition, Scope, View};
use crate::store::Kind;
use crate::telemetry;
use crate::tenant::ServedType;
use crate::tenant::profile::GroupPatch;

/// Most members that the answer to a PATCH shows: of a larger group it is 204, as Entra prefers.
const FEW_MEMBERS: usize = 100;

impl Service {
    pub(super) async fn serve(
        &self,
        request: &Request<Bytes>,
        route: &Route,
        call: Call<'_>,
    ) -> Result<Response<Bytes>, Error> {
        let resource_type = route.endpoint().and_then(|endpoint| call.tenant.types.at(endpoint));
        if let Some(resource_type) =
            resource_type.filter(|resource_type| !call.tenant.serves(resource_type))
        {
            return self.without(request, route, resource_type, call).await;
        }
        match (route, resource_type) {
            (Route::Resource(_, id), Some(resource_type)) => {
                self.one(request, id, resource_type, call).await
            }
            (Route::Resources(_), Some(resource_type)) if request.method() == Method::POST => {
                self.create(request, resource_type, call).await
            }
            (Route::Resources(_), Some(resource_type)) => {
                self.list(&request::query(request)?, &[resource_type], call).await
            }
            (_, Some(resource_type)) => {
                self.list(&Query::from_message(&request::body(request)?)?, &[resource_type], call)
                    .await
            }
            (_, None) => {
                let all: Vec<&ServedType> = call
                    .tenant
                    .types
                    .iter()
                    .filter(|resource_type| call.tenant.serves(resource_type))
                    .collect();
                self.list(&Query::from_message(&request::body(request)?)?, &all, call).await
            }
        }
    }

    /// Resources of a type that is switched off: there are none, and none can be made. Entra's test
    /// of a connection asks for groups and takes a 404 for another kind of server.
    async fn without(
        &self,
        request: &Request<Bytes>,
        route: &Route,
        resource_type: &ServedType,
        call: Call<'_>,
    ) -> Result<Response<Bytes>, Error> {
        match (route, request.method()) {
            (Route::Resources(_), &Method::GET) => {
                self.list(&request::query(request)?, &[], call).await
            }
            (Route::SearchIn(_), _) => {
                self.list(&Query::from_message(&request::body(request)?)?, &[], call).await
            }
            (_, &Method::GET) => Err(Error::not_found(format!(
                "There is no {} in this tenant.",
                resource_type.definition.name
            ))),
            _ => Err(Error::new(
                ErrorKind::Forbidden,
                format!(
                    "This service provider has no {}; switch their provisioning off in the \
                    identity provider, and assign users.",
                    resource_type.definition.endpoint.trim_start_matches('/')
                ),
            )),
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
        telemetry::ignored(&draft.ignored);
        let projection = projection.asserting(draft.attributes.names());
        let view = View { projection: &projection, members: MAX_MEMBERS_SHOWN };
        let Creation { origin, expanded } =
            Box::pin(self.directory.create(call, resource_type, draft, view)).await?;
        let mut response = answer(StatusCode::CREATED, resource_type, expanded, &projection, call);
        // A bulk request may have to undo a creation.
        response.extensions_mut().insert(origin);
        Ok(response)
    }

    async fn one(
        &self,
        request: &Request<Bytes>,
        id: &str,
        resource_type: &ServedType,
        call: Call<'_>,
    ) -> Result<Response<Bytes>, Error> {
        let dialect = call.tenant.profile.dialect();
        let projection = projection(request, resource_type)?;
        let known = request::precondition(request, header::IF_MATCH);
        let (shown, projection) = match request.method().as_str() {
            "GET" => {
                let view = View { projection: &projection, members: MAX_MEMBERS_SHOWN };
                let shown = self.directory.retrieve(call, resource_type, id, view).await?;
                let seen = request::precondition(request, header::IF_NONE_MATCH);
                let version = shown.resource.meta.version;
                let same = seen != Precondition::None && seen.matches(version);
                if same
                    && !self.directory.may_have_changed(call, resource_type, &projection).await?
                {
                    let location =
                        resource_type.definition.location(&shown.resource, call.base_url);
                    return Ok(response::not_modified(version, &location));
                }
                (shown.require_members()?, projection)
            }
            "PUT" => {
                let draft =
                    resource_type.definition.parse_replacement(request::body(request)?, dialect)?;
                telemetry::ignored(&draft.ignored);
                let projection = projection.asserting(draft.attributes.names());
                let view = View { projection: &projection, members: MAX_MEMBERS_SHOWN };
                (
                    Box::pin(self.directory.replace(call, resource_type, id, draft, &known, view))
                        .await?,
                    projection,
                )
            }
            "PATCH" => {
                let body = request::body(request)?;
                let patch = PatchRequest::parse(&body, &resource_type.definition, dialect)?;
                telemetry::ignored(patch.ignored());
                // "The server MUST return a 200 OK if the "attributes" parameter is specified in
                // the request." (RFC 7644, 3.5.2)
                let members =
                    if projection.is_explicit() { MAX_MEMBERS_SHOWN } else { FEW_MEMBERS };
                let bare = resource_type.kind == Kind::Group
                    && call.tenant.profile.dialect.group_patch == GroupPatch::NoContent
                    && !projection.is_explicit();
                let projection = projection.asserting(patch.names());
                let view = View { projection: &projection, members };
                let shown =
                    Box::pin(self.directory.patch(call, resource_type, id, patch, &known, view))
                        .await?;
                (Expanded { cut: shown.cut || bare, ..shown }, projection)
            }
            _ => {
                Box::pin(self.directory.delete(call, resource_type, id, &known)).await?;
                return Ok(response::no_content());
            }
        };
        Ok(answer(StatusCode::OK, resource_type, shown, &projection, call))
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

fn projection<'s>(
    request: &Request<Bytes>,
    resource_type: &'s ServedType,
) -> Result<Projection<'s>, Error> {
    let query = request::query(request)?;
    Ok(Projection::new(&query.attributes, &query.excluded_attributes, &resource_type.definition))
}

/// A resource as an answer, or 204 if its members were cut: "the server MAY return HTTP status code
/// 200 (OK) and a copy of the modified resource or ... a HTTP status 204 (No Content)" (RFC 7644,
/// 3.5.2).
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
    let response = match cut {
        true => response::no_content(),
        // meta.location: "This value MUST be the same as the "Content-Location" HTTP response
        // header" (RFC 7643, 3.1).
        false => response::with(
            response::json(
                status,
                &resource_type.definition.represent(resource, projection, call.base_url),
            ),
            header::CONTENT_LOCATION,
            &location,
        ),
    };
    let response = response::with(response, header::ETAG, &version.to_string());
    response::with(response, header::LOCATION, &location)
}
