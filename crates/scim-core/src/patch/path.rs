//! Attribute notation and PATCH paths (RFC 7644, 3.5.2 and 3.10), resolved against a resource type.

use serde_json::{Map, Value};

use crate::error::Error;
use crate::filter::ast::Filter;
use crate::filter::parse;
use crate::schema::attribute::{Attribute, Schema};
use crate::schema::resource_type::{Dialect, ResourceType};

/// Longest PATCH path, in bytes.
pub const MAX_PATH_BYTES: usize = 1_024;

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

/// An attribute or sub-attribute by its definition.
#[derive(Debug, Clone, Copy)]
pub struct AttributeRef<'s> {
    /// The extension that defines it; `None` for core and common attributes.
    pub extension: Option<&'s Schema>,
    /// The top-level attribute.
    pub attribute: &'s Attribute,
    /// The sub-attribute, if one is meant.
    pub sub: Option<&'s Attribute>,
}

impl<'s> AttributeRef<'s> {
    /// The definition that the values at this place follow.
    pub fn leaf(&self) -> &'s Attribute {
        self.sub.unwrap_or(self.attribute)
    }

    /// The name as it stands in messages, e.g. `name.givenName`.
    pub fn wire(&self) -> String {
        let urn = self.extension.map(|extension| format!("{}:", extension.id)).unwrap_or_default();
        let sub = self.sub.map(|sub| format!(".{}", sub.name)).unwrap_or_default();
        format!("{urn}{}{sub}", self.attribute.name)
    }

    /// Whether clients may never learn the values at this place.
    pub(crate) fn is_hidden(&self) -> bool {
        self.attribute.is_hidden() || self.leaf().is_hidden()
    }

    /// Whether it is a whole attribute of the core schema, or a common one.
    pub(crate) fn is_core(&self) -> bool {
        self.extension.is_none() && self.sub.is_none()
    }

    /// The top-level attribute alone.
    pub(crate) fn whole(&self) -> Self {
        Self { sub: None, ..*self }
    }

    /// The object that holds the attribute: `root`, or the extension's object in it.
    pub(crate) fn home<'v>(&self, root: &'v Map<String, Value>) -> Option<&'v Map<String, Value>> {
        match self.extension {
            None => Some(root),
            Some(extension) => root.get(&extension.id).and_then(Value::as_object),
        }
    }

    /// The values at this place in `root`, each element of a multi-valued attribute by itself. A
    /// complex attribute without sub-attribute stands for its `value`, if it defines one.
    pub(crate) fn values<'v>(
        &self,
        root: &'v Map<String, Value>,
    ) -> impl Iterator<Item = &'v Value> {
        let sub = self.compared();
        let value = self.home(root).and_then(|home| home.get(&self.attribute.name));
        elements(value).iter().flat_map(move |element| match sub {
            None => std::slice::from_ref(element),
            Some(sub) => elements(element.get(&sub.name)),
        })
    }

    /// Whether some value in `root` does not say true here.
    pub(crate) fn lacks_true(&self, root: &Map<String, Value>) -> bool {
        let not_true =
            |object: &Map<String, Value>, name: &str| object.get(name) != Some(&Value::Bool(true));
        match self.sub {
            None => not_true(root, &self.attribute.name),
            Some(sub) => {
                let value = self.home(root).and_then(|home| home.get(&self.attribute.name));
                elements(value)
                    .iter()
                    .filter_map(Value::as_object)
                    .any(|element| not_true(element, &sub.name))
            }
        }
    }

    /// The sub-attribute that a comparison looks at.
    pub(crate) fn compared(&self) -> Option<&'s Attribute> {
        self.sub.or_else(|| self.attribute.sub_attribute("value"))
    }
}

/// The values of a multi-valued attribute, or the only one.
pub(crate) fn elements(value: Option<&Value>) -> &[Value] {
    value.map_or(&[], |value| value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice))
}

/// The target of a PATCH operation: `attrPath / valuePath [subAttr]` (RFC 7644, 3.5.2).
#[derive(Debug, Clone)]
pub struct Path<'s> {
    /// Which attribute.
    pub place: Place<'s>,
    /// Which of its values; only on attributes.
    pub filter: Option<Filter<'s>>,
}

impl<'s> Path<'s> {
    /// Reads a path.
    ///
    /// # Errors
    /// `invalidPath` if the text is no path or is longer than [`MAX_PATH_BYTES`], `invalidFilter`
    /// if its filter is none. `Ok(None)` if the path names an attribute that no schema defines.
    pub fn parse(
        text: &str,
        resource_type: &'s ResourceType,
        dialect: Dialect,
    ) -> Result<Option<Self>, Error> {
        if text.len() > MAX_PATH_BYTES {
            return Err(Error::invalid_path(format!(
                "A path holds at most {MAX_PATH_BYTES} bytes."
            )));
        }
        let text = text.trim();
        let Some((name, rest)) = text.split_once('[') else {
            check_name(text)?;
            return Ok(resource_type.resolve(text).map(|place| Self { place, filter: None }));
        };
        let name = name.trim_end();
        check_name(name)?;
        let Some((inner, after)) = rest.rsplit_once(']') else {
            return Err(Error::invalid_path("A path with [ must close its filter with ]."));
        };
        let sub = match after {
            "" => None,
            _ => Some(after.strip_prefix('.').ok_or_else(|| {
                Error::invalid_path("After ] a path may only go on with a dot and a sub-attribute.")
            })?),
        };
        if let Some(sub) = sub {
            check_name(sub)?;
        }
        let Some(Place::Attribute(mut place)) = resource_type.resolve(name) else {
            return Ok(None);
        };
        if place.sub.is_some() || place.attribute.sub_attributes.is_empty() {
            return Err(Error::invalid_path(format!(
                "{} is not a complex attribute; only those take a filter in [ ].",
                place.wire()
            )));
        }
        let filter = parse::inner(inner, resource_type, place.attribute, dialect)?;
        if let Some(sub) = sub {
            match place.attribute.sub_attribute(sub) {
                Some(sub) => place.sub = Some(sub),
                None => return Ok(None),
            }
        }
        Ok(Some(Self { place: Place::Attribute(place), filter: Some(filter) }))
    }
}

/// `[URI ":"] attrName ["." subAttr]` as characters: letters, digits, `-`, `_`, `$`, `.`, `:`.
fn check_name(name: &str) -> Result<(), Error> {
    // "attrPath = [URI ":"] ATTRNAME *1subAttr": one dot at most, but for those in the URI.
    let attribute = name.rsplit(':').next().unwrap_or(name);
    let fits = attribute.matches('.').count() <= 1
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_$.:".contains(&b));
    if fits && !name.is_empty() && !name.starts_with('.') && !name.ends_with(['.', ':']) {
        Ok(())
    } else {
        Err(Error::invalid_path(
            "The path is not an attribute path; use e.g. name.givenName or emails[type eq \
            \"work\"].value.",
        ))
    }
}
