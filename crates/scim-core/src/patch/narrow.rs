//! A resource type cut to the attributes that a service provider has a use for: what is not kept is
//! in no schema, so that discovery, filters and messages agree.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::Error;
use crate::patch::path::{Path, Place};
use crate::resource::attributes::Attributes;
use crate::schema::attribute::{Attribute, Schema};
use crate::schema::resource_type::{Dialect, ResourceType};

/// What is kept of an attribute: `None` for all of it, else these sub-attributes.
type Kept = BTreeMap<(Option<String>, String), Option<Vec<String>>>;

impl ResourceType {
    /// Cuts the schemas to the attributes of these paths, such as `title`, `name.givenName` or
    /// `phoneNumbers[type eq "work"].value`, the name attribute, `active`, and `password`, which is
    /// dropped in any case. Extensions of which nothing is kept are gone. Which values of a
    /// multi-valued attribute are kept [`ResourceType::retain`] says.
    ///
    /// # Errors
    /// `invalidPath` for a path that names no attribute.
    pub fn keep(&mut self, paths: &[String]) -> Result<(), Error> {
        let mut kept = Kept::new();
        for text in paths {
            let path = self.kept_path(text)?;
            let (extension, name, subs) = match path.place {
                Place::Extension(extension) => {
                    for attribute in &extension.attributes {
                        kept.insert((Some(extension.id.clone()), attribute.name.clone()), None);
                    }
                    continue;
                }
                Place::Attribute(at) => {
                    let filter = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
                    let filter =
                        filter.map(|(filter, _)| filter.to_ascii_lowercase()).unwrap_or_default();
                    let words: Vec<&str> = filter
                        .split(|c: char| !c.is_ascii_alphanumeric() && !"-_$".contains(c))
                        .collect();
                    let in_filter = at.attribute.sub_attributes.iter();
                    let in_filter = in_filter
                        .filter(|sub| words.contains(&sub.name.to_ascii_lowercase().as_str()));
                    let subs = at.sub.map(|sub| {
                        std::iter::once(sub)
                            .chain(in_filter)
                            .map(|sub| sub.name.clone())
                            .collect::<Vec<_>>()
                    });
                    (
                        at.extension.map(|extension| extension.id.clone()),
                        at.attribute.name.clone(),
                        subs,
                    )
                }
            };
            match (kept.entry((extension, name)).or_insert_with(|| Some(Vec::new())), subs) {
                (Some(all), Some(subs)) => all.extend(subs),
                (slot, _) => *slot = None,
            }
        }
        let own = [
            "active".to_owned(),
            self.name_attribute().map(|name| name.name.clone()).unwrap_or_default(),
        ];
        let own = own.into_iter().chain(self.dropped.iter().cloned());
        own.for_each(|name| drop(kept.insert((None, name), None)));
        cut(&mut self.schema, None, &kept);
        for extension in &mut self.extensions {
            let id = extension.id.clone();
            cut(extension, Some(id), &kept);
        }
        self.extensions.retain(|extension| !extension.attributes.is_empty());
        Ok(())
    }

    fn kept_path(&self, text: &str) -> Result<Path<'_>, Error> {
        Path::parse(text, self, Dialect::STRICT)?.ok_or_else(|| {
            Error::invalid_path(format!("{text} names no attribute of a {}.", self.name))
        })
    }

    /// Makes the attribute of a path required, with a sentence that tells what to map to it. Of one
    /// that has a `value`, such as `emails`, at least one must be there.
    ///
    /// # Errors
    /// `invalidPath` for a path that names no attribute, or one that clients cannot write.
    pub fn require(&mut self, path: &str, advice: String) -> Result<(), Error> {
        let parsed = self.kept_path(path)?;
        let (Place::Attribute(at), None) = (parsed.place, parsed.filter) else {
            return Err(Error::invalid_path(format!(
                "{path} cannot be required; name an attribute or a sub-attribute, without a \
                filter."
            )));
        };
        let (extension, name) =
            (at.extension.map(|extension| extension.id.clone()), at.attribute.name.clone());
        let is_dropped = self.is_dropped(&name);
        let sub = at.sub.map(|sub| sub.name.clone());
        let schema = match &extension {
            None => Some(&mut self.schema),
            Some(id) => self.extensions.iter_mut().find(|known| known.id == *id),
        };
        let mut attributes = schema.into_iter().flat_map(|schema| &mut schema.attributes);
        let attribute = attributes
            .find(|attribute| attribute.name == name && !attribute.is_read_only() && !is_dropped);
        let own = || {
            Error::invalid_path(format!(
                "{path} is the service provider's own, or always there or not."
            ))
        };
        let attribute = attribute.ok_or_else(own)?;
        if let Some(sub) = sub {
            let sub = attribute
                .sub_attributes
                .iter_mut()
                .find(|known| known.name == sub && !known.is_read_only());
            demand(sub.ok_or_else(own)?, &advice);
        }
        demand(attribute, &advice);
        if let Some(id) = extension.filter(|id| !self.required_extensions.contains(id)) {
            self.required_extensions.push(id);
        }
        Ok(())
    }

    /// Leaves of the multi-valued attributes only the values that pass the filter of one of
    /// `paths`, where the paths of that attribute have filters.
    ///
    /// # Errors
    /// As [`ResourceType::keep`], which was called with the same paths.
    pub fn retain(&self, paths: &[String], attributes: &mut Attributes) -> Result<(), Error> {
        let mut filters = BTreeMap::new();
        for text in paths.iter().filter(|text| text.contains('[')) {
            let path = self.kept_path(text)?;
            if let (Place::Attribute(at), Some(filter)) = (path.place, path.filter) {
                filters
                    .entry((at.extension.map(|e| &e.id), &at.attribute.name))
                    .or_insert_with(Vec::new)
                    .push(filter);
            }
        }
        for ((extension, name), filters) in filters {
            let home = match extension {
                None => Some(&mut attributes.0),
                Some(id) => attributes.0.get_mut(id).and_then(Value::as_object_mut),
            };
            let Some(home) = home else { continue };
            let Some(values) = home.get_mut(name).and_then(Value::as_array_mut) else { continue };
            values.retain(|value| {
                value
                    .as_object()
                    .is_some_and(|value| filters.iter().any(|filter| filter.matches(value)))
            });
            if values.is_empty() {
                home.shift_remove(name);
            }
        }
        Ok(())
    }
}

fn demand(attribute: &mut Attribute, advice: &str) {
    if !attribute.required {
        attribute.required = true;
        attribute.advice = Some(advice.to_owned());
    }
}

fn cut(schema: &mut Schema, extension: Option<String>, kept: &Kept) {
    schema.attributes.retain_mut(|attribute| {
        match kept.get(&(extension.clone(), attribute.name.clone())) {
            None => attribute.is_read_only(),
            Some(None) => true,
            Some(Some(subs)) => {
                attribute.sub_attributes.retain(|sub| subs.contains(&sub.name));
                true
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_kept_is_in_no_schema() {
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
                { "type": "work", "value": "1", "display": "x", "primary": true }, { "type": "home", "value": "2" },
            ],
            "addresses": [{ "type": "home", "country": "DE" }],
        });
        let mut attributes =
            user.parse(body.as_object().unwrap().clone(), Dialect::TOLERANT).unwrap().attributes;
        user.retain(&paths, &mut attributes).unwrap();
        assert_eq!(
            Value::Object(attributes.as_object().clone()),
            json!({ "userName": "a", "name": { "givenName": "c" }, "phoneNumbers": [{ "type": "work", "value": "1" }] })
        );
        assert!(user.keep(&["nobody".to_owned()]).is_err());
    }

    #[test]
    fn a_required_sub_attribute_requires_its_attribute_and_says_what_to_map() {
        let mut user = ResourceType::user().unwrap();
        user.require("name.familyName", "In Okta, map user.lastName to it.".into()).unwrap();
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
        user.require(&format!("{urn}:department"), "Map it.".into()).unwrap();
        let body = json!({ "userName": "a", "name": { "familyName": "b" } });
        assert!(user.parse(body.as_object().unwrap().clone(), Dialect::TOLERANT).is_err());
        assert!(user.require("shoeSize", String::new()).is_err());
        assert!(user.require("emails[type eq \"work\"].value", String::new()).is_err());
        for path in [urn, "externalId", "groups", "password"] {
            assert!(user.require(path, String::new()).is_err(), "{path}");
        }
    }
}
