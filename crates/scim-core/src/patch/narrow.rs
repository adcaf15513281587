//! Narrows a resource type to the attributes that a service provider uses. An attribute that is not
//! kept is in no schema, so discovery, filters and messages agree about it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::Error;
use crate::filter::ast::Filter;
use crate::patch::path::Path;
use crate::resource::attributes::Attributes;
use crate::schema::attribute::{Attribute, Schema};
use crate::schema::dialect::Dialect;
use crate::schema::place::{AttributeRef, Place};
use crate::schema::resource_type::ResourceType;

/// The URI of the extension that defines an attribute, and the name of the attribute.
type Name = (Option<String>, String);

/// The attributes to keep.
#[derive(Default)]
struct Selection(BTreeMap<Name, Part>);

/// The part of an attribute to keep.
enum Part {
    Whole,
    Subs(Vec<String>),
}

impl Selection {
    fn add(&mut self, name: Name, part: Part) {
        let slot = self.0.entry(name).or_insert_with(|| Part::Subs(Vec::new()));
        match (slot, part) {
            (Part::Subs(known), Part::Subs(more)) => known.extend(more),
            (slot, _) => *slot = Part::Whole,
        }
    }

    /// Removes the attributes and sub-attributes that are not kept. Read-only attributes stay.
    fn narrow(&self, schema: &mut Schema, extension: Option<&str>) {
        schema.attributes.retain_mut(|attribute| {
            match self.0.get(&(extension.map(str::to_owned), attribute.name.clone())) {
                None => attribute.is_read_only(),
                Some(Part::Whole) => true,
                Some(Part::Subs(subs)) => {
                    attribute.sub_attributes.retain(|sub| subs.contains(&sub.name));
                    true
                }
            }
        });
    }
}

impl ResourceType {
    /// Narrows the schemas to the attributes of these paths, such as `title`, `name.givenName` or
    /// `phoneNumbers[type eq "work"].value`. The name attribute, `active` and `password` are always
    /// kept; `password` is always dropped from messages. An extension without attributes is
    /// removed. [`ResourceType::retain`] applies the filters of the paths to values.
    ///
    /// # Errors
    /// `invalidPath` for a path that does not name an attribute.
    pub fn keep(&mut self, paths: &[String]) -> Result<(), Error> {
        let mut selection = Selection::default();
        for text in paths {
            match self.own_path(text)?.place {
                Place::Extension(extension) => {
                    for attribute in &extension.attributes {
                        selection
                            .add(name(AttributeRef::new(Some(extension), attribute)), Part::Whole);
                    }
                }
                Place::Attribute(place) => selection.add(name(place), part(place, text)),
            }
        }
        let named = self.name_attribute().map(|attribute| attribute.name.clone());
        let always = named.into_iter().chain(["active".to_owned()]).chain(self.dropped.clone());
        always.for_each(|name| selection.add((None, name), Part::Whole));
        selection.narrow(&mut self.schema, None);
        for extension in &mut self.extensions {
            let id = extension.id.clone();
            selection.narrow(extension, Some(&id));
        }
        self.extensions.retain(|extension| !extension.attributes.is_empty());
        Ok(())
    }

    /// Reads a path, which must name an attribute of this type.
    fn own_path(&self, text: &str) -> Result<Path<'_>, Error> {
        Path::parse(text, self, Dialect::STRICT)?.ok_or_else(|| {
            Error::invalid_path(format!("{text} is not an attribute of a {}.", self.name))
        })
    }

    /// Makes the attribute of a path required. `advice` is a sentence that says what to map to it.
    /// An attribute that has a `value`, such as `emails`, needs at least one.
    ///
    /// # Errors
    /// `invalidPath` for a path that does not name an attribute, or names one that clients cannot
    /// write.
    pub fn require(&mut self, path: &str, advice: &str) -> Result<(), Error> {
        let parsed = self.own_path(path)?;
        let (Place::Attribute(place), None) = (parsed.place, parsed.filter) else {
            return Err(Error::invalid_path(format!(
                "{path} cannot be required; name an attribute or a sub-attribute, without a \
                filter."
            )));
        };
        let (extension, name) = name(place);
        let sub = place.sub.map(|sub| sub.name.clone());
        if self.is_dropped(&name) || !self.demand(&extension, &name, sub.as_deref(), advice) {
            return Err(Error::invalid_path(format!(
                "{path} cannot be required: it is managed by the service provider, or it is a \
                common attribute."
            )));
        }
        if let Some(id) = extension.filter(|id| !self.required_extensions.contains(id)) {
            self.required_extensions.push(id);
        }
        Ok(())
    }

    /// Makes an attribute and its sub-attribute required; `false` if clients cannot write it.
    fn demand(
        &mut self,
        extension: &Option<String>,
        name: &str,
        sub: Option<&str>,
        advice: &str,
    ) -> bool {
        let schema = match extension {
            None => Some(&mut self.schema),
            Some(id) => self.extensions.iter_mut().find(|known| known.id == *id),
        };
        let attribute = schema.and_then(|schema| writable(&mut schema.attributes, name));
        let Some(attribute) = attribute else { return false };
        if let Some(sub) = sub {
            let Some(sub) = writable(&mut attribute.sub_attributes, sub) else { return false };
            demand(sub, advice);
        }
        demand(attribute, advice);
        true
    }

    /// Removes the values of multi-valued attributes that match none of the filters that `paths`
    /// has for their attribute. Attributes without filters keep all of their values.
    ///
    /// # Errors
    /// The same as those of [`ResourceType::keep`], which was called with the same paths.
    pub fn retain(&self, paths: &[String], attributes: &mut Attributes) -> Result<(), Error> {
        let mut filters = BTreeMap::new();
        for text in paths.iter().filter(|text| text.contains('[')) {
            let path = self.own_path(text)?;
            if let (Place::Attribute(place), Some(filter)) = (path.place, path.filter) {
                filters.entry(name(place)).or_insert_with(Vec::new).push(filter);
            }
        }
        for ((extension, name), filters) in filters {
            retain_values(attributes, extension.as_deref(), &name, &filters);
        }
        Ok(())
    }
}

fn name(place: AttributeRef<'_>) -> Name {
    (place.extension.map(|extension| extension.id.clone()), place.attribute.name.clone())
}

/// The part of an attribute that the text of its path keeps: either all of it, or a sub-attribute
/// and the sub-attributes in the filter.
fn part(place: AttributeRef<'_>, text: &str) -> Part {
    let Some(sub) = place.sub else { return Part::Whole };
    let filter = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    let filter = filter.map(|(filter, _)| filter.to_ascii_lowercase()).unwrap_or_default();
    let words: Vec<&str> =
        filter.split(|c: char| !c.is_ascii_alphanumeric() && !"-_$".contains(c)).collect();
    let is_in_filter = |sub: &&Attribute| words.contains(&sub.name.to_ascii_lowercase().as_str());
    let in_filter = place.attribute.sub_attributes.iter().filter(is_in_filter);
    Part::Subs(std::iter::once(sub).chain(in_filter).map(|sub| sub.name.clone()).collect())
}

fn writable<'a>(attributes: &'a mut [Attribute], name: &str) -> Option<&'a mut Attribute> {
    attributes.iter_mut().find(|attribute| attribute.name == name && !attribute.is_read_only())
}

fn demand(attribute: &mut Attribute, advice: &str) {
    if !attribute.required {
        attribute.required = true;
        attribute.advice = Some(advice.to_owned());
    }
}

fn retain_values(
    attributes: &mut Attributes,
    extension: Option<&str>,
    name: &str,
    filters: &[Filter<'_>],
) {
    let home = match extension {
        None => Some(&mut attributes.0),
        Some(id) => attributes.0.get_mut(id).and_then(Value::as_object_mut),
    };
    let Some(home) = home else { return };
    let Some(values) = home.get_mut(name).and_then(Value::as_array_mut) else { return };
    values.retain(|value| {
        let object = value.as_object();
        object.is_some_and(|object| filters.iter().any(|filter| filter.matches(object)))
    });
    if values.is_empty() {
        home.shift_remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_attribute_that_is_not_kept_is_in_no_schema() {
        let mut user = ResourceType::user().unwrap();
        let paths = [
            "name.givenName",
            "title",
            "phoneNumbers[type eq \"work\"].value",
            "addresses[type eq \"work\"]",
        ];
        let paths = paths.map(str::to_owned);
        user.keep(&paths).unwrap();
        let names: Vec<&str> =
            user.schema.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "userName",
                "name",
                "title",
                "active",
                "password",
                "phoneNumbers",
                "addresses",
                "groups"
            ]
        );
        assert!(user.extensions.is_empty() && user.resolve("name.familyName").is_none());
        let body = json!({
            "userName": "a", "nickName": "b", "name": { "givenName": "c", "familyName": "d" },
            "phoneNumbers": [
                { "type": "work", "value": "1", "display": "x", "primary": true },
                { "type": "home", "value": "2" },
            ],
            "addresses": [{ "type": "home", "country": "DE" }],
        });
        let mut attributes =
            user.parse(body.as_object().unwrap().clone(), Dialect::TOLERANT).unwrap().attributes;
        user.retain(&paths, &mut attributes).unwrap();
        assert_eq!(
            Value::Object(attributes.as_object().clone()),
            json!({
                "userName": "a", "name": { "givenName": "c" },
                "phoneNumbers": [{ "type": "work", "value": "1" }],
            })
        );
        assert!(user.keep(&["unknown".to_owned()]).is_err());
    }

    #[test]
    fn a_required_sub_attribute_makes_its_attribute_required_and_says_what_to_map() {
        let mut user = ResourceType::user().unwrap();
        user.require("name.familyName", "In Okta, map user.lastName to it.").unwrap();
        for body in
            [json!({ "userName": "a" }), json!({ "userName": "a", "name": { "givenName": "b" } })]
        {
            let refused =
                user.parse(body.as_object().unwrap().clone(), Dialect::TOLERANT).unwrap_err();
            assert!(
                refused.detail.contains("name") && refused.detail.contains("map user.lastName"),
                "{refused}"
            );
        }
        let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        user.require(&format!("{urn}:department"), "Map it.").unwrap();
        let body = json!({ "userName": "a", "name": { "familyName": "b" } });
        assert!(user.parse(body.as_object().unwrap().clone(), Dialect::TOLERANT).is_err());
        assert!(user.require("shoeSize", "").is_err());
        assert!(user.require("emails[type eq \"work\"].value", "").is_err());
        for path in [urn, "externalId", "groups", "password"] {
            assert!(user.require(path, "").is_err(), "{path}");
        }
    }
}
