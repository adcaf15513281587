//! A resource as it is read, and as it is to be stored.

use scim_core::resource::Attributes;
use scim_core::{Error, ErrorKind, Meta, Resource, ResourceId, Version};

use super::context::{Call, Directory};
use super::lifecycle::states::{Event, State, Step};
use crate::store::MAX_DOCUMENT_BYTES;
use crate::store::{Collection, Names, Stored};
use crate::tenant::ServedType;

impl Directory {
    /// The resource to which an event happens, if it is there for the client.
    pub(super) async fn visible(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &str,
        event: Event,
    ) -> Result<Stored, Error> {
        let now = self.clock.seconds();
        let id: ResourceId = id.parse().map_err(|()| not_found(resource_type))?;
        let stored = self.store.resource(&call.collection(&resource_type.kind), &id, now).await?;
        let there =
            |stored: &Stored| State::of(Some(stored.standing()), now).step(event) != Step::NotFound;
        stored.filter(there).ok_or_else(|| not_found(resource_type))
    }

    pub(super) fn new_resource(
        &self,
        collection: &Collection,
        names: &Names,
        attributes: &Attributes,
    ) -> Result<Resource, Error> {
        let now = self.clock.now();
        Ok(Resource {
            id: collection.new_id(names.name())?,
            meta: Meta { created: now, last_modified: now, version: Version(1) },
            attributes: attributes.clone(),
        })
    }

    /// `old` with other attributes, changed now.
    pub(super) fn next_version(&self, old: &Stored, attributes: Attributes) -> Resource {
        let meta = Meta {
            last_modified: self.clock.now(),
            version: old.resource.meta.version.next(),
            ..old.resource.meta.clone()
        };
        Resource { id: old.resource.id.clone(), meta, attributes }
    }
}

/// The names in the attributes of a resource that is to be stored, and its size.
pub(super) fn names_of(
    resource_type: &ServedType,
    attributes: &Attributes,
) -> Result<Names, Error> {
    let size =
        serde_json::to_string(attributes.as_object()).map_or(usize::MAX, |document| document.len());
    if size > MAX_DOCUMENT_BYTES {
        return Err(Error::new(
            ErrorKind::PayloadTooLarge,
            format!(
                "The {} would take more than {MAX_DOCUMENT_BYTES} bytes; map fewer attributes.",
                resource_type.definition.name
            ),
        ));
    }
    Names::of(&resource_type.definition, attributes)
}

pub(super) fn not_found(resource_type: &ServedType) -> Error {
    Error::not_found(format!(
        "There is no {} with this id in this tenant.",
        resource_type.definition.name
    ))
}
