//! Discovery (RFC 7644, 4): what this tenant's service provider can do.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use scim_core::discovery::Features;
use scim_core::message::ListResponse;
use scim_core::{Error, ErrorKind, discovery};

use super::route::Route;
use super::{Service, request, response};
use crate::directory::Call;
use crate::tenant::Profile;
use crate::tenant::profile::Header;

impl Service {
    pub(super) fn discover(
        &self,
        request: &Request<Bytes>,
        route: &Route,
        call: Call<'_>,
    ) -> Result<Response<Bytes>, Error> {
        // "Query parameters described in Section 3.4.2, such as filtering, sorting, and pagination,
        // SHALL be ignored."
        if request::has_filter(request) {
            // "If a "filter" is provided, the service provider SHOULD respond with HTTP status code
            // 403 (Forbidden) to ensure that clients cannot incorrectly assume that any matching
            // conditions specified in a filter are true." (RFC 7644, 4)
            return Err(Error::new(
                ErrorKind::Forbidden,
                "The discovery endpoints take no filter; fetch them whole.",
            ));
        }
        let types = || {
            call.tenant
                .types
                .iter()
                .filter(|resource_type| call.tenant.serves(resource_type))
                .map(|resource_type| &resource_type.definition)
        };
        let schemas = || {
            let own = types().flat_map(|resource_type| {
                std::iter::once(&resource_type.schema).chain(&resource_type.extensions)
            });
            let mut seen = BTreeSet::new();
            // An extension may be one of several types.
            own.chain(&self.discovery_schemas).filter(move |schema| seen.insert(&schema.id))
        };
        let document = match route {
            Route::ServiceProviderConfig => {
                discovery::service_provider_config(call.base_url, announced(&call.tenant.profile))
            }
            Route::ResourceTypes => list(
                types().map(|resource_type| discovery::resource_type(resource_type, call.base_url)),
            ),
            Route::Schemas => {
                list(schemas().map(|schema| discovery::schema(schema, call.base_url)))
            }
            Route::ResourceType(name) => {
                let resource_type =
                    types().find(|resource_type| resource_type.name.eq_ignore_ascii_case(name));
                let resource_type = resource_type
                    .ok_or_else(|| Error::not_found("There is no such resource type."))?;
                discovery::resource_type(resource_type, call.base_url)
            }
            Route::Schema(id) => {
                let schema = schemas().find(|schema| schema.id.eq_ignore_ascii_case(id));
                let schema = schema.ok_or_else(|| Error::not_found("There is no such schema."))?;
                discovery::schema(schema, call.base_url)
            }
            _ => return Err(Error::not_found("There is no such endpoint.")),
        };
        let response = response::json(StatusCode::OK, &document);
        Ok(match document.pointer("/meta/location").and_then(serde_json::Value::as_str) {
            Some(location) => response::with(response, header::CONTENT_LOCATION, location),
            None => response,
        })
    }
}

fn announced(profile: &Profile) -> Features {
    Features {
        bare_token: profile.dialect.header == Header::Verbatim,
        pagination: profile.discovery.pagination.is_on(),
        etag: profile.discovery.etag.is_on(),
    }
}

fn list(resources: impl Iterator<Item = serde_json::Value>) -> serde_json::Value {
    let resources: Vec<_> = resources.collect();
    serde_json::to_value(ListResponse::new(Some(resources.len()), 1, resources)).unwrap_or_default()
}
