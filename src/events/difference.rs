//! What changed in a resource, and what GET would answer about it.

use scim_core::Projection;
use serde_json::{Map, Value};

use crate::store::Stored;
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
    pub(super) fn show(&self, stored: &Stored) -> Map<String, Value> {
        let definition = &self.resource_type.definition;
        let projection = Projection::new(&[], &[], definition);
        let base_url = self.base_url.unwrap_or_default();
        let shown = definition.represent(stored.resource.clone(), &projection, base_url);
        let mut shown = shown.into_object();
        if let Some(Value::Object(meta)) = shown.get_mut("meta") {
            if self.base_url.is_none() {
                meta.remove("location");
            }
            if self.resource_type.kind == crate::store::Kind::Group {
                meta.remove("version");
            }
        }
        shown
    }

    /// What changed between two states of a resource; `shown` is the later one as GET answers it.
    /// Attributes that are never returned are not among it.
    pub(super) fn difference(
        &self,
        before: &Stored,
        after: &Stored,
        shown: &Map<String, Value>,
    ) -> Difference {
        let changed = before.resource.attributes.changed(&after.resource.attributes);
        if changed.is_empty() {
            return Difference::default();
        }
        let earlier = self.show(before);
        let mut difference = Difference::default();
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

/// The value of a top-level attribute, or of an extension attribute `urn:...:name`.
fn attribute<'r>(resource: &'r Map<String, Value>, name: &str) -> Option<&'r Value> {
    match name.rsplit_once(':') {
        Some((extension, name)) => resource.get(extension)?.get(name),
        None => resource.get(name),
    }
}
