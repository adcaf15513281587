//! The edge: `http::Request<Bytes>` in, `http::Response<Bytes>` out, the same in Lambda and on a
//! laptop.

pub mod gateway;
mod request;
mod response;
mod route;

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use scim_core::message::ListResponse;
use scim_core::{Error, ErrorKind, PatchRequest, Projection, Query, Resource, Schema, discovery};

use crate::auth::Verifier;
use crate::auth::secrets_manager::Secrets;
use crate::clock::Clock;
use crate::directory::{Call, Directory, Precondition};
use crate::settings::Settings;
use crate::store::Store;
use crate::telemetry;
use crate::tenant::Tenants;
pub use request::{MAX_BODY_BYTES, RequestId};
pub use route::BASE_PATH;
use route::Route;

/// The SCIM service.
#[derive(Debug)]
pub struct Service {
    verifier: Verifier,
    directory: Directory,
    discovery_schemas: Vec<Schema>,
    base_url: Option<String>,
}

impl Service {
    /// The service over a table and the token secrets of its stack.
    ///
    /// # Errors
    /// Never, while the schema files are well formed.
    pub fn new(store: Store, secrets: Secrets, settings: &Settings, clock: Clock) -> Result<Self, serde_json::Error> {
        let tenants = Arc::new(Tenants::new(store.clone(), clock.clone()));
        Ok(Self {
            verifier: Verifier::new(secrets, tenants, clock.clone()),
            directory: Directory::new(store, clock, settings.retention, settings.audit_retention)?,
            discovery_schemas: discovery::own_schemas()?,
            base_url: settings.base_url.clone(),
        })
    }

    /// Answers a request whose URI holds the path as the client encoded it.
    ///
    /// The answer's extensions hold the [`telemetry::Tally`] of the request. Every failure is an
    /// answer: a SCIM error.
    pub async fn call(&self, request: Request<Bytes>) -> Response<Bytes> {
        let began = std::time::Instant::now();
        let route = Route::of(request.uri().path());
        let (mut response, tally) = telemetry::counted(self.answer(&request, route.as_ref())).await;
        tracing::info!(
            method = %request.method(),
            route = route.as_ref().map_or("unknown", Route::template),
            status = response.status().as_u16(),
            milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            calls = tally.calls,
            read_units = tally.read_units,
            write_units = tally.write_units,
            "request"
        );
        response.extensions_mut().insert(tally);
        response
    }

    async fn answer(&self, request: &Request<Bytes>, route: Option<&Route>) -> Response<Bytes> {
        // Who asks comes first, on every path: nothing is learned without a token.
        let headers = request.headers().get_all(header::AUTHORIZATION);
        let caller = match self.verifier.verify(headers.iter().map(header::HeaderValue::as_bytes)).await {
            Ok(caller) => caller,
            Err(error) => return response::error(&error),
        };
        let Some(route) = route else {
            return response::error(&Error::not_found(format!(
                "There is no such endpoint; the base URL ends in {BASE_PATH}."
            )));
        };
        if !route.allows(request.method()) {
            let error =
                Error::new(ErrorKind::MethodNotAllowed, format!("This endpoint answers {} only.", route.allow()));
            return response::with(response::error(&error), header::ALLOW, route.allow());
        }
        let made;
        let request_id = match request.extensions().get::<RequestId>() {
            Some(RequestId(id)) => id.as_str(),
            None => {
                made = uuid::Uuid::now_v7().to_string();
                made.as_str()
            }
        };
        let call = Call { tenant: &caller.tenant, by: caller.key_id.as_str(), request: request_id };
        let base_url = caller.tenant.base_url().or(self.base_url.as_deref()).unwrap_or(BASE_PATH);
        self.act(request, route, call, base_url).await.unwrap_or_else(|error| response::error(&error))
    }

    async fn act(
        &self,
        request: &Request<Bytes>,
        route: &Route,
        call: Call<'_>,
        base_url: &str,
    ) -> Result<Response<Bytes>, Error> {
        match route {
            Route::Users if request.method() == Method::POST => {
                let projection = self.projection(request)?;
                let draft = self.directory.users.parse(request::body(request)?, call.tenant.profile.dialect)?;
                let user = self.directory.create(call, draft).await?;
                Ok(self.user(StatusCode::CREATED, &user, &projection, base_url))
            }
            Route::Users => self.query(&request::query(request)?, call, base_url).await,
            Route::SearchUsers | Route::Search => {
                let query = Query::from_message(&request::body(request)?)?;
                self.query(&query, call, base_url).await
            }
            Route::Me => Err(Error::new(
                ErrorKind::NotImplemented,
                "A token stands for an identity provider, not for a user; use /Users.",
            )),
            Route::User(id) => self.one_user(request, id, call, base_url).await,
            Route::Groups | Route::Group(_) | Route::SearchGroups => self.no_groups(request, route, call),
            _ => self.discover(request, route, base_url),
        }
    }

    async fn one_user(
        &self,
        request: &Request<Bytes>,
        id: &str,
        call: Call<'_>,
        base_url: &str,
    ) -> Result<Response<Bytes>, Error> {
        let (users, dialect) = (&self.directory.users, call.tenant.profile.dialect);
        let projection = self.projection(request)?;
        let known = request::precondition(request, header::IF_MATCH);
        let user = match request.method().as_str() {
            "GET" => {
                let user = self.directory.retrieve(call, id).await?;
                let seen = request::precondition(request, header::IF_NONE_MATCH);
                if seen != Precondition::None && seen.matches(user.meta.version) {
                    return Ok(response::not_modified(user.meta.version));
                }
                user
            }
            "PUT" => {
                let draft = users.parse(request::body(request)?, dialect)?;
                self.directory.replace(call, id, draft, &known).await?
            }
            "PATCH" => {
                let body = request::body(request)?;
                let patch = PatchRequest::parse(&body, users, dialect)?;
                self.directory.patch(call, id, &patch, &known).await?
            }
            _ => {
                self.directory.delete(call, id, &known).await?;
                return Ok(response::no_content());
            }
        };
        Ok(self.user(StatusCode::OK, &user, &projection, base_url))
    }

    async fn query(&self, query: &Query, call: Call<'_>, base_url: &str) -> Result<Response<Bytes>, Error> {
        let users = &self.directory.users;
        let projection = Projection::new(&query.attributes, &query.excluded_attributes, users);
        let found = self.directory.query(call, query, base_url).await?;
        let page = found.users.iter().map(|user| users.represent(user, &projection, base_url)).collect();
        let list = match query.cursor {
            None => ListResponse::new(found.total, query.start_index, page),
            Some(_) => ListResponse::of_cursor(found.total, found.next_cursor, page),
        };
        Ok(response::json(StatusCode::OK, &list))
    }

    /// Groups come with a later version: none exist, and identity providers that look for one find
    /// none.
    fn no_groups(&self, request: &Request<Bytes>, route: &Route, call: Call<'_>) -> Result<Response<Bytes>, Error> {
        match (request.method(), route) {
            (&Method::GET, Route::Groups) | (_, Route::SearchGroups) => {
                let query = match route {
                    Route::Groups => request::query(request)?,
                    _ => Query::from_message(&request::body(request)?)?,
                };
                if let Some(filter) = &query.filter {
                    scim_core::Filter::parse(filter, &self.directory.groups, call.tenant.profile.dialect)?;
                }
                Ok(response::json(StatusCode::OK, &ListResponse::<()>::new(0, query.start_index, Vec::new())))
            }
            (&Method::POST, _) => {
                Err(Error::new(ErrorKind::NotImplemented, "Groups are not supported yet; provision users only."))
            }
            _ => Err(Error::not_found("There is no group with this id in this tenant.")),
        }
    }

    fn discover(&self, request: &Request<Bytes>, route: &Route, base_url: &str) -> Result<Response<Bytes>, Error> {
        if request::query(request)?.filter.is_some() {
            // "If a "filter" is provided, the service provider SHOULD respond with HTTP status code 403
            // (Forbidden) to ensure that clients cannot incorrectly assume that any matching conditions
            // specified in a filter are true." (RFC 7644, 4)
            return Err(Error::new(ErrorKind::Forbidden, "The discovery endpoints take no filter; fetch them whole."));
        }
        let types = [&self.directory.users, &self.directory.groups];
        let schemas = || {
            let own = types.iter().flat_map(|of| std::iter::once(&of.schema).chain(&of.extensions));
            own.chain(&self.discovery_schemas)
        };
        let document = match route {
            Route::ServiceProviderConfig => discovery::service_provider_config(base_url),
            Route::ResourceTypes => list(types.iter().map(|of| discovery::resource_type(of, base_url))),
            Route::Schemas => list(schemas().map(|schema| discovery::schema(schema, base_url))),
            Route::ResourceType(name) => {
                let of = types.iter().find(|of| of.name.eq_ignore_ascii_case(name));
                let of = of.ok_or_else(|| Error::not_found("There is no such resource type."))?;
                discovery::resource_type(of, base_url)
            }
            Route::Schema(id) => {
                let schema = schemas().find(|schema| schema.id.eq_ignore_ascii_case(id));
                let schema = schema.ok_or_else(|| Error::not_found("There is no such schema."))?;
                discovery::schema(schema, base_url)
            }
            _ => return Err(Error::not_found("There is no such endpoint.")),
        };
        Ok(response::json(StatusCode::OK, &document))
    }

    fn projection(&self, request: &Request<Bytes>) -> Result<Projection<'_>, Error> {
        let query = request::query(request)?;
        Ok(Projection::new(&query.attributes, &query.excluded_attributes, &self.directory.users))
    }

    fn user(
        &self,
        status: StatusCode,
        user: &Resource,
        projection: &Projection<'_>,
        base_url: &str,
    ) -> Response<Bytes> {
        let users = &self.directory.users;
        let response = response::json(status, &users.represent(user, projection, base_url));
        let response = response::with(response, header::ETAG, &user.meta.version.to_string());
        response::with(response, header::LOCATION, &users.location(user, base_url))
    }
}

fn list(resources: impl Iterator<Item = serde_json::Value>) -> serde_json::Value {
    let resources: Vec<_> = resources.collect();
    serde_json::to_value(ListResponse::new(resources.len(), 1, resources)).unwrap_or_default()
}
