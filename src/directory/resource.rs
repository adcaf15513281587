//! Resources as they are read, and as they are stored.

use scim_core::resource::Attributes;
use scim_core::{Error, Meta, Resource, ResourceId};

use super::context::{Call, Directory};
use super::lifecycle::states::{Event, State, Step};
use crate::reason::Reason;
use crate::store::{Collection, MAX_DOCUMENT_BYTES, Names, Stored};
use crate::tenant::ServedType;

impl Directory {
    /// The resource with this id, on which an event acts.
    ///
    /// # Errors
    /// 404 if the table of states says so, because the resource does not exist or the client must
    /// not see it.
    pub(super) async fn visible(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &str,
        event: Event,
    ) -> Result<Stored, Error> {
        let now = self.clock.seconds();
        let id: ResourceId = id.parse().map_err(|()| not_found(resource_type))?;
        let collection = call.collection(&resource_type.kind);
        let stored = self.store.resource(&collection, &id, now).await?;
        let is_there =
            |stored: &Stored| State::of(Some(stored.standing()), now).step(event) != Step::NotFound;
        stored.filter(is_there).ok_or_else(|| not_found(resource_type))
    }

    pub(super) fn new_resource(
        &self,
        collection: &Collection,
        names: &Names,
        attributes: Attributes,
    ) -> Result<Resource, Error> {
        let id = collection.new_id(names.name())?;
        Ok(Resource { id, meta: Meta::new(self.clock.now()), attributes })
    }

    /// The next version of a resource, with these attributes, changed now.
    pub(super) fn next_version(&self, old: &Stored, attributes: Attributes) -> Resource {
        let meta = Meta {
            last_modified: self.clock.now(),
            version: old.resource.meta.version.next(),
            ..old.resource.meta.clone()
        };
        Resource { id: old.resource.id.clone(), meta, attributes }
    }
}

/// The names in the attributes of a resource to be stored.
///
/// # Errors
/// 413 if the resource is too large; `invalidValue` as [`Names::of`] says.
pub(super) fn names_of(
    resource_type: &ServedType,
    attributes: &Attributes,
) -> Result<Names, Error> {
    let size =
        serde_json::to_string(attributes.as_object()).map_or(usize::MAX, |document| document.len());
    if size > MAX_DOCUMENT_BYTES {
        return Err(Reason::TooLarge.with(format!(
            "The {} would take more than {MAX_DOCUMENT_BYTES} bytes; map fewer attributes.",
            resource_type.definition.name
        )));
    }
    Names::of(&resource_type.definition, attributes)
}

/// 404.
pub(super) fn not_found(resource_type: &ServedType) -> Error {
    Reason::NotFound
        .with(format!("There is no {} with this id in this tenant.", resource_type.definition.name))
}

/// 503 if other requests keep changing the same resource.
pub(super) fn contended() -> Error {
    Reason::Contended.error()
}
