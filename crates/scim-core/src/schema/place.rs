//! The place in a resource that a name or a path stands for.

use serde_json::{Map, Value};

use crate::schema::attribute::{Attribute, Schema};
use crate::value::elements;

/// What a name stands for.
#[derive(Debug, Clone, Copy)]
pub enum Place<'s> {
    /// All attributes of a schema extension.
    Extension(&'s Schema),
    /// An attribute or a sub-attribute.
    Attribute(AttributeRef<'s>),
}

impl Place<'_> {
    /// Whether both stand for the same definition.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Extension(one), Self::Extension(other)) => std::ptr::eq(*one, *other),
            (Self::Attribute(one), Self::Attribute(other)) => {
                let same_sub = match (one.sub, other.sub) {
                    (Some(one), Some(other)) => std::ptr::eq(one, other),
                    (None, None) => true,
                    (Some(_), None) | (None, Some(_)) => false,
                };
                std::ptr::eq(one.attribute, other.attribute) && same_sub
            }
            (Self::Extension(_), Self::Attribute(_)) | (Self::Attribute(_), Self::Extension(_)) => {
                false
            }
        }
    }
}

/// A reference to the definition of an attribute or a sub-attribute.
#[derive(Debug, Clone, Copy)]
pub struct AttributeRef<'s> {
    /// The extension that defines it; `None` for core and common attributes.
    pub extension: Option<&'s Schema>,
    /// The top-level attribute.
    pub attribute: &'s Attribute,
    /// The sub-attribute, if the reference is to one.
    pub sub: Option<&'s Attribute>,
}

impl<'s> AttributeRef<'s> {
    /// A reference to a top-level attribute.
    pub(crate) fn new(extension: Option<&'s Schema>, attribute: &'s Attribute) -> Self {
        Self { extension, attribute, sub: None }
    }

    /// The definition that the values at this place follow.
    pub fn leaf(&self) -> &'s Attribute {
        self.sub.unwrap_or(self.attribute)
    }

    /// The attribute path as messages write it, such as `name.givenName`.
    pub fn path(&self) -> String {
        let urn = self.extension.map(|extension| format!("{}:", extension.id)).unwrap_or_default();
        let sub = self.sub.map(|sub| format!(".{}", sub.name)).unwrap_or_default();
        format!("{urn}{}{sub}", self.attribute.name)
    }

    /// Whether clients must never learn the values at this place.
    pub(crate) fn is_hidden(&self) -> bool {
        self.attribute.is_hidden() || self.leaf().is_hidden()
    }

    /// Whether clients cannot write the values at this place.
    pub(crate) fn is_read_only(&self) -> bool {
        self.attribute.is_read_only() || self.leaf().is_read_only()
    }

    /// Whether this is a whole attribute of the core schema, or a whole common attribute.
    pub(crate) fn is_core(&self) -> bool {
        self.extension.is_none() && self.sub.is_none()
    }

    /// Whether this is `userName` of the core schema.
    pub(crate) fn is_user_name(&self) -> bool {
        self.extension.is_none() && self.attribute.name == "userName"
    }

    /// The top-level attribute, without the sub-attribute.
    pub(crate) fn whole(&self) -> Self {
        Self { sub: None, ..*self }
    }

    /// The object that contains the attribute: `root`, or the extension's object in it.
    pub(crate) fn home<'v>(&self, root: &'v Map<String, Value>) -> Option<&'v Map<String, Value>> {
        match self.extension {
            None => Some(root),
            Some(extension) => root.get(&extension.id).and_then(Value::as_object),
        }
    }

    /// The whole value of the top-level attribute in `root`.
    pub(crate) fn value<'v>(&self, root: &'v Map<String, Value>) -> Option<&'v Value> {
        self.home(root)?.get(&self.attribute.name)
    }

    /// The values at this place in `root`, one for each element of a multi-valued attribute. A
    /// complex attribute without a sub-attribute stands for its `value`, if it defines one.
    pub(crate) fn values<'v>(
        &self,
        root: &'v Map<String, Value>,
    ) -> impl Iterator<Item = &'v Value> {
        let sub = self.compared();
        elements(self.value(root)).iter().flat_map(move |element| match sub {
            None => std::slice::from_ref(element),
            Some(sub) => elements(element.get(&sub.name)),
        })
    }

    /// Whether any value in `root` is not `true` at this place, or is absent there.
    pub(crate) fn lacks_true(&self, root: &Map<String, Value>) -> bool {
        let not_true =
            |object: &Map<String, Value>, name: &str| object.get(name) != Some(&Value::Bool(true));
        match self.sub {
            None => not_true(root, &self.attribute.name),
            Some(sub) => elements(self.value(root))
                .iter()
                .filter_map(Value::as_object)
                .any(|element| not_true(element, &sub.name)),
        }
    }

    /// The sub-attribute that a comparison looks at.
    pub(crate) fn compared(&self) -> Option<&'s Attribute> {
        self.sub.or_else(|| self.attribute.sub_attribute("value"))
    }

    /// The definition that compared values follow.
    pub(crate) fn compared_leaf(&self) -> &'s Attribute {
        self.compared().unwrap_or(self.attribute)
    }
}
