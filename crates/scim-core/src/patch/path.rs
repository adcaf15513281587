//! The path of a PATCH operation (RFC 7644, 3.5.2 and 3.10), resolved against a resource type.

use std::fmt;

use crate::error::Error;
use crate::filter::ast::Filter;
use crate::schema::dialect::Dialect;
use crate::schema::place::Place;
use crate::schema::resource_type::ResourceType;

/// The longest path, in bytes.
pub const MAX_PATH_BYTES: usize = 1_024;

/// The target of a PATCH operation: `attrPath / valuePath [subAttr]` (RFC 7644, 3.5.2).
#[derive(Debug, Clone)]
pub struct Path<'s> {
    /// The attribute or extension.
    pub place: Place<'s>,
    /// The filter that selects values of the attribute. An extension never has one.
    pub filter: Option<Filter<'s>>,
}

impl<'s> Path<'s> {
    /// Reads a path. `Ok(None)` means that no schema defines its attribute.
    ///
    /// # Errors
    /// `invalidPath` if the text is not a path or is longer than [`MAX_PATH_BYTES`];
    /// `invalidFilter` if the text in its brackets is not a filter.
    pub fn parse(
        text: &str,
        resource_type: &'s ResourceType,
        dialect: Dialect,
    ) -> Result<Option<Self>, Error> {
        if text.len() > MAX_PATH_BYTES {
            return Err(Error::invalid_path(format!(
                "A path can have at most {MAX_PATH_BYTES} bytes."
            )));
        }
        let text = text.trim();
        if let Some((name, rest)) = text.split_once('[') {
            return Self::parse_value_path(name.trim_end(), rest, resource_type, dialect);
        }
        check_name(text)?;
        Ok(resource_type.resolve(text).map(|place| Self { place, filter: None }))
    }

    /// Reads `name[rest`.
    fn parse_value_path(
        name: &str,
        rest: &str,
        resource_type: &'s ResourceType,
        dialect: Dialect,
    ) -> Result<Option<Self>, Error> {
        check_name(name)?;
        let Some((inner, after)) = rest.rsplit_once(']') else {
            return Err(Error::invalid_path("A path with [ must close its filter with ]."));
        };
        let sub = sub_attribute(after)?;
        let Some(Place::Attribute(mut place)) = resource_type.resolve(name) else {
            return Ok(None);
        };
        if place.sub.is_some() || place.attribute.sub_attributes.is_empty() {
            return Err(Error::invalid_path(format!(
                "{} is not a complex attribute; only those can have a filter in [ ].",
                place.path()
            ))
            .at(place.path()));
        }
        let filter = Filter::parse_inner(inner, resource_type, place.attribute, dialect)?;
        if let Some(sub) = sub {
            let Some(sub) = place.attribute.sub_attribute(sub) else { return Ok(None) };
            place.sub = Some(sub);
        }
        Ok(Some(Self { place: Place::Attribute(place), filter: Some(filter) }))
    }
}

/// Prints the path in the form in which a [`Filter`] prints.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.place, &self.filter) {
            (Place::Extension(extension), _) => f.write_str(&extension.id),
            (Place::Attribute(place), None) => f.write_str(&place.path()),
            (Place::Attribute(place), Some(filter)) => {
                write!(f, "{}[{filter}]", place.whole().path())?;
                place.sub.map_or(Ok(()), |sub| write!(f, ".{}", sub.name))
            }
        }
    }
}

/// The sub-attribute that the text after `]` names.
fn sub_attribute(after: &str) -> Result<Option<&str>, Error> {
    if after.is_empty() {
        return Ok(None);
    }
    let sub = after.strip_prefix('.').ok_or_else(|| {
        Error::invalid_path("After ] a path can only continue with a dot and a sub-attribute.")
    })?;
    check_name(sub)?;
    Ok(Some(sub))
}

/// Checks the characters of `[URI ":"] attrName ["." subAttr]`. "attrPath = [URI ":"] ATTRNAME
/// *1subAttr" allows one dot at most, not counting those in the URI.
fn check_name(name: &str) -> Result<(), Error> {
    let attribute = name.rsplit(':').next().unwrap_or(name);
    let fits = attribute.matches('.').count() <= 1
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_$.:".contains(&b));
    if fits && !name.is_empty() && !name.starts_with('.') && !name.ends_with(['.', ':']) {
        Ok(())
    } else {
        Err(Error::invalid_path(
            "The path is not an attribute path; use, for example, name.givenName or emails[type eq \
            \"work\"].value.",
        ))
    }
}
