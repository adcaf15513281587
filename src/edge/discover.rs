//! Discovery (RFC 7644, 4): what this tenant's service provider can do.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use scim_core::discovery::Features;
use scim_core::message::ListResponse;
use scim_core::{Error, ResourceType, Schema, discovery};
use serde_json::Value;

use super::route::Document;
use super::service::Service;
use super::{request, response};
use crate::directory::Call;
use crate::reason::Reason;
use crate::tenant::Profile;
use crate::tenant::profile::Header;

impl Service {
    pub(super) fn discover(
        &self,
        request: &Request<Bytes>,
        document: &Document,
        call: Call<'_>,
    ) -> Result<Response<Bytes>, Error> {
        // "Query parameters described in Section 3.4.2, such as filtering, sorting, and pagination,
        // SHALL be ignored."
        if request::has_filter(request) {
            // "If a "filter" is provided, the service provider SHOULD respond with HTTP status code
            // 403 (Forbidden) to ensure that clients cannot incorrectly assume that any matching
            // conditions specified in a filter are true." (RFC 7644, 4)
            return Err(Reason::FilterNotSupported.error());
        }
        let document = self.document(document, call)?;
        let response = response::json(StatusCode::OK, &document);
        Ok(match document.pointer("/meta/location").and_then(Value::as_str) {
            Some(location) => response::with(response, header::CONTENT_LOCATION, location),
            None => response,
        })
    }

    fn document(&self, document: &Document, call: Call<'_>) -> Result<Value, Error> {
        let config = || announced(&call.tenant.profile);
        let resource_type = |definition| discovery::resource_type(definition, call.base_url);
        let schema = |schema| discovery::schema(schema, call.base_url);
        match document {
            Document::ServiceProviderConfig => {
                Ok(discovery::service_provider_config(call.base_url, config()))
            }
            Document::ResourceTypes => Ok(list(definitions(call).map(resource_type))),
            Document::Schemas => Ok(list(self.schemas(call).map(schema))),
            Document::ResourceType(name) => definitions(call)
                .find(|definition| definition.name.eq_ignore_ascii_case(name))
                .map(resource_type)
                .ok_or_else(|| Error::not_found("There is no such resource type.")),
            Document::Schema(id) => self
                .schemas(call)
                .find(|schema| schema.id.eq_ignore_ascii_case(id))
                .map(schema)
                .ok_or_else(|| Error::not_found("There is no such schema.")),
        }
    }

    /// The schemas of the tenant's resource types and of discovery, each once: an extension may
    /// belong to several types.
    fn schemas<'s>(&'s self, call: Call<'s>) -> impl Iterator<Item = &'s Schema> {
        let own = definitions(call).flat_map(|definition| {
            std::iter::once(&definition.schema).chain(&definition.extensions)
        });
        let mut seen = BTreeSet::new();
        own.chain(&self.discovery_schemas).filter(move |schema| seen.insert(&schema.id))
    }
}

/// The resource types that the tenant serves.
fn definitions(call: Call<'_>) -> impl Iterator<Item = &ResourceType> {
    let types = call.tenant.types.iter();
    types
        .filter(move |resource_type| call.tenant.serves(resource_type))
        .map(|resource_type| &resource_type.definition)
}

fn announced(profile: &Profile) -> Features {
    Features {
        bare_token: profile.dialect.header == Header::Verbatim,
        pagination: profile.discovery.pagination.is_on(),
        etag: profile.discovery.etag.is_on(),
    }
}

fn list(resources: impl Iterator<Item = Value>) -> Value {
    let resources: Vec<_> = resources.collect();
    serde_json::to_value(ListResponse::new(Some(resources.len()), 1, resources)).unwrap_or_default()
}
