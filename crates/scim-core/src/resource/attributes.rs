//! The attributes of a resource, in canonical form.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The attributes that a client asserted. Names and values are in the form of the schema. They do
/// not include `id`, `meta` and `schemas`. Extension attributes are in an object under the URI of
/// their schema.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attributes(pub(crate) Map<String, Value>);

impl Attributes {
    /// Reads attributes that were stored in the form of [`Attributes::as_object`].
    pub fn from_stored(object: Map<String, Value>) -> Self {
        Self(object)
    }

    /// The attributes as the JSON object to store.
    pub fn as_object(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The value of a core attribute by its canonical name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The string value of a core attribute; `None` if it has another value or no value.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// Sets a core attribute to a value that fits its schema.
    pub fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    /// Removes an attribute. The name of an extension attribute is `urn:...:name`.
    pub fn remove(&mut self, name: &str) {
        if self.0.remove(name).is_some() {
            return;
        }
        if let Some((extension, name)) = name.rsplit_once(':')
            && let Some(Value::Object(values)) = self.0.get_mut(extension)
        {
            values.remove(name);
            if values.is_empty() {
                self.0.remove(extension);
            }
        }
    }

    /// Overwrites these attributes with those that `other` has. Extensions are merged attribute by
    /// attribute.
    pub fn overlay(&mut self, other: Attributes) {
        for (name, value) in other.0 {
            match (self.0.get_mut(&name), value) {
                (Some(Value::Object(old)), Value::Object(new)) if name.contains(':') => {
                    old.extend(new)
                }
                (_, value) => {
                    self.0.insert(name, value);
                }
            }
        }
    }

    /// The names of all top-level attributes; those of extension attributes are `urn:...:name`.
    pub fn names(&self) -> Vec<String> {
        self.changed(&Self::default())
    }

    /// The names of the top-level attributes whose values differ between the two; those of
    /// extension attributes are `urn:...:name`.
    pub fn changed(&self, other: &Attributes) -> Vec<String> {
        let (mine, theirs) = (self.flat(), other.flat());
        let mut names: Vec<String> = mine.keys().chain(theirs.keys()).cloned().collect();
        names.sort_unstable();
        names.dedup();
        names.retain(|name| mine.get(name) != theirs.get(name));
        names
    }

    /// All top-level attributes by name, with those of extensions at the same level.
    fn flat(&self) -> BTreeMap<String, &Value> {
        let mut flat = BTreeMap::new();
        for (name, value) in &self.0 {
            match value {
                Value::Object(nested) if name.contains(':') => {
                    flat.extend(nested.iter().map(|(sub, value)| (format!("{name}:{sub}"), value)));
                }
                value => {
                    flat.insert(name.clone(), value);
                }
            }
        }
        flat
    }
}
