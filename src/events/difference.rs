//! What changed in a resource, and what GET would answer about it.

use scim_core::resource::Attributes;
use scim_core::{Projection, Resource};
use serde_json::{Map, Value};

use crate::store::Kind;
use crate::tenant::ServedType;

/// The attributes that changed, and the values that they had.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Difference {
    /// Their names; those of extension attributes are `urn:...:name`.
    pub(super) changed: Vec<String>,
    /// The previous value of each; null if it had none.
    pub(super) previous: Map<String, Value>,
}

/// Shows resources of one type as GET would answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'t> {
    pub(super) resource_type: &'t ServedType,
    /// The base URL of locations, if it is known here.
    pub(super) base_url: Option<&'t str>,
}

impl View<'_> {
    /// A resource as GET would answer. Members of groups are not read, so a group is shown without
    /// them, and without a version of the whole.
    pub(super) fn show(&self, resource: Resource) -> Map<String, Value> {
        let definition = &self.resource_type.definition;
        let projection = Projection::new(&[], &[], definition);
        let base_url = self.base_url.unwrap_or_default();
        let mut shown = definition.represent(resource, &projection, base_url).into_object();
        if let Some(Value::Object(meta)) = shown.get_mut("meta") {
            if self.base_url.is_none() {
                meta.shift_remove("location");
            }
            if self.resource_type.kind == Kind::Group {
                meta.shift_remove("version");
            }
        }
        shown
    }

    /// What the change of these attributes of a resource means for clients: those that are never
    /// returned are left out. `shown` is the later state as GET answers it.
    pub(super) fn difference(
        &self,
        changed: Vec<String>,
        before: Resource,
        shown: &Map<String, Value>,
    ) -> Difference {
        let mut difference = Difference::default();
        if changed.is_empty() {
            return difference;
        }
        let attributes = only(&changed, &before.attributes);
        let earlier = self.show(Resource { attributes, ..before });
        for name in changed {
            let (old, new) = (attribute(&earlier, &name), attribute(shown, &name));
            if old.is_some() || new.is_some() {
                let old = old.cloned().unwrap_or_default();
                difference.previous.insert(name.clone(), old);
                difference.changed.push(name);
            }
        }
        difference
    }
}

/// These attributes, each with the whole of its extension.
fn only(names: &[String], attributes: &Attributes) -> Attributes {
    let is_named = |top: &str| {
        names.iter().any(|name| {
            let extension = name.rsplit_once(':').map(|(extension, _)| extension);
            name == top || extension == Some(top)
        })
    };
    let named = attributes.as_object().iter().filter(|(top, _)| is_named(top));
    Attributes::from_stored(named.map(|(top, value)| (top.clone(), value.clone())).collect())
}

/// The value of a top-level attribute, or of an extension attribute `urn:...:name`.
fn attribute<'r>(resource: &'r Map<String, Value>, name: &str) -> Option<&'r Value> {
    match name.rsplit_once(':') {
        Some((extension, name)) => resource.get(extension)?.get(name),
        None => resource.get(name),
    }
}
