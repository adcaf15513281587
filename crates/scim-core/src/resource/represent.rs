//! Turns a stored resource into what a client may see of it.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::resource::attributes::Attributes;
use crate::resource::identity::Resource;
use crate::resource::projection::Projection;
use crate::schema::resource_type::ResourceType;
use crate::value::date_time;

/// A resource as a client may see it: `returned` and the projection of the request are applied.
/// This is the only form of a resource that can be sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Representation(Map<String, Value>);

impl Representation {
    /// The JSON object to send.
    pub fn as_object(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The JSON object to send, to be kept.
    pub fn into_object(self) -> Map<String, Value> {
        self.0
    }
}

impl ResourceType {
    /// All attributes of a resource, including `meta` and `schemas`: what filters look at.
    /// `base_url` has no trailing slash.
    pub fn into_view(&self, resource: Resource, base_url: &str) -> Map<String, Value> {
        let location = self.location(&resource, base_url);
        let Resource { id, meta, attributes: Attributes(attributes) } = resource;
        let mut schemas = vec![json!(self.schema.id)];
        let present =
            self.extensions.iter().filter(|extension| attributes.contains_key(&extension.id));
        schemas.extend(present.map(|extension| json!(extension.id)));
        let mut view = Map::with_capacity(attributes.len() + 3);
        view.insert("schemas".into(), schemas.into());
        view.insert("id".into(), id.as_str().into());
        view.extend(attributes);
        view.insert(
            "meta".into(),
            json!({
                "resourceType": self.name,
                "created": date_time(meta.created),
                "lastModified": date_time(meta.last_modified),
                "location": location,
                "version": meta.version.to_string(),
            }),
        );
        view
    }

    /// "The URI of the resource being returned" (RFC 7643, 3.1).
    pub fn location(&self, resource: &Resource, base_url: &str) -> String {
        format!("{base_url}{}/{}", self.endpoint, resource.id)
    }

    /// The resource as a client may see it.
    pub fn represent(
        &self,
        resource: Resource,
        projection: &Projection<'_>,
        base_url: &str,
    ) -> Representation {
        Representation(projection.apply(self, self.into_view(resource, base_url)))
    }
}
