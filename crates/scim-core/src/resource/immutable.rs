//! The characteristics that need more than one value to be judged: immutable, unique, closed.

use serde_json::{Map, Value};

use crate::canonical;
use crate::error::Error;
use crate::patch::path::{AttributeRef, elements};
use crate::resource::attributes::Attributes;
use crate::schema::attribute::{Attribute, Mutability, Schema, Type};
use crate::schema::resource_type::ResourceType;

/// An attribute's value in the form in which it must be unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniqueValue {
    /// The attribute's wire name.
    pub attribute: String,
    /// The value as it is compared.
    pub form: String,
}

impl ResourceType {
    /// The attribute that names a resource among others of its type, by which clients look it up:
    /// `userName`, `displayName` of a group, or else the first unique string, if there is one.
    pub fn name_attribute(&self) -> Option<&Attribute> {
        match self.name.as_str() {
            "User" => self.schema.attribute("userName"),
            "Group" => self.schema.attribute("displayName"),
            _ => self.schema.attributes.iter().find(|attribute| {
                attribute.is_unique() && matches!(attribute.kind, Type::String | Type::Reference)
            }),
        }
    }

    /// The form in which a name is compared.
    ///
    /// # Errors
    /// `invalidValue` for a userName that cannot be compared safely.
    pub fn canonical_name(&self, name: &str) -> Result<String, Error> {
        match self.name_attribute() {
            Some(attribute) if attribute.name == "userName" => canonical::user_name(name),
            Some(attribute) => Ok(text_form(attribute, name)),
            None => Ok(name.to_owned()),
        }
    }

    /// The attributes of the schema and of its extensions, each as a whole.
    fn attributes(&self) -> impl Iterator<Item = AttributeRef<'_>> {
        let core = self.schema.attributes.iter().map(|attribute| (None, attribute));
        let extended = self.extensions.iter().flat_map(|extension| {
            let all = extension.attributes.iter();
            all.map(move |attribute| (Some(extension), attribute))
        });
        core.chain(extended).map(|(extension, attribute)| AttributeRef {
            extension,
            attribute,
            sub: None,
        })
    }

    /// The values, besides the name, that no other resource of this type may have.
    pub fn unique_values(&self, attributes: &Attributes) -> Vec<UniqueValue> {
        let name = self.name_attribute().map(|attribute| &attribute.name);
        let others = self
            .attributes()
            .filter(|at| at.extension.is_some() || Some(&at.attribute.name) != name);
        let unique = others.filter(|at| at.attribute.is_unique());
        let values = unique.filter_map(|at| {
            let form = match at.values(&attributes.0).next()? {
                Value::String(text) => text_form(at.attribute, text),
                other => other.to_string(),
            };
            Some(UniqueValue { attribute: at.wire(), form })
        });
        values.collect()
    }

    /// Refuses values outside of a closed list, but for those that a resource has already: a list
    /// that became shorter must not keep anybody from being deactivated.
    ///
    /// # Errors
    /// `invalidValue` with the legal values.
    pub(crate) fn check_closed(&self, old: &Attributes, new: &Attributes) -> Result<(), Error> {
        for whole in self.attributes() {
            let subs = whole.attribute.sub_attributes.iter().map(Some);
            for sub in std::iter::once(None).chain(subs) {
                let at = AttributeRef { sub, ..whole };
                if at.leaf().closed {
                    closed(at, &old.0, &new.0)?;
                }
            }
        }
        Ok(())
    }

    /// Holds immutable attributes against a change from `old` to `new`, and gives attributes that
    /// the client can never see back what a PUT does not mention.
    ///
    /// # Errors
    /// `mutability`: "If one or more values are already set for the attribute, the input value(s)
    /// MUST match, or HTTP status code 400 SHOULD be returned with a "scimType" error code of
    /// "mutability"." (RFC 7644, 3.5.1); `invalidValue` for a value outside of a closed list that
    /// it did not have before.
    pub fn check_immutable(
        &self,
        old: &Attributes,
        new: &mut Attributes,
        replaces: bool,
    ) -> Result<(), Error> {
        self.check_closed(old, new)?;
        check_attributes(&self.schema.attributes, &old.0, &mut new.0, replaces)?;
        for Schema { id, attributes, .. } in &self.extensions {
            let Some(before) = old.0.get(id).and_then(Value::as_object) else { continue };
            let mut after = new.0.get(id).and_then(Value::as_object).cloned().unwrap_or_default();
            check_attributes(attributes, before, &mut after, replaces)?;
            if !after.is_empty() {
                new.0.insert(id.clone(), Value::Object(after));
            }
        }
        Ok(())
    }
}

fn text_form(attribute: &Attribute, text: &str) -> String {
    if attribute.case_exact { text.to_owned() } else { text.to_lowercase() }
}

fn closed(
    at: AttributeRef<'_>,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
) -> Result<(), Error> {
    let definition = at.leaf();
    let texts = |root| at.values(root).filter_map(Value::as_str);
    let legal = |text: &str| {
        let listed =
            definition.canonical_values.iter().any(|value| definition.is_same(value, text));
        listed || texts(old).any(|value| definition.is_same(value, text))
    };
    match texts(new).all(legal) {
        true => Ok(()),
        false => Err(Error::invalid_value(format!(
            "{} must be one of: {}.",
            at.wire(),
            definition.canonical_values.join(", ")
        ))),
    }
}

fn check_attributes(
    definitions: &[Attribute],
    old: &Map<String, Value>,
    new: &mut Map<String, Value>,
    replaces: bool,
) -> Result<(), Error> {
    for definition in definitions {
        let name = &definition.name;
        let Some(before) = old.get(name) else { continue };
        match (definition.mutability, new.get(name)) {
            (Mutability::Immutable, Some(after)) if after == before => {}
            (Mutability::Immutable | Mutability::WriteOnly, None) if replaces => {
                new.insert(name.clone(), before.clone());
            }
            (Mutability::Immutable, _) => return Err(immutable(name)),
            (_, Some(after)) => unmoved(definition, before, after)?,
            (_, None) => {}
        }
    }
    Ok(())
}

/// Immutable sub-attributes of a value that stays: the only one, or the element with the same
/// `value`.
fn unmoved(definition: &Attribute, before: &Value, after: &Value) -> Result<(), Error> {
    let fixed =
        || definition.sub_attributes.iter().filter(|sub| sub.mutability == Mutability::Immutable);
    if fixed().next().is_none() {
        return Ok(());
    }
    for old in elements(Some(before)) {
        let same = |new: &&Value| {
            !definition.multi_valued
                || new.get("value").is_some_and(|v| Some(v) == old.get("value"))
        };
        let moved = |new: &Value| {
            fixed().find(|sub| old.get(&sub.name).is_some_and(|v| Some(v) != new.get(&sub.name)))
        };
        let namesakes: Vec<&Value> = elements(Some(after)).iter().filter(same).collect();
        // One of several values that are alike may stay as it was.
        if namesakes.iter().all(|new| moved(new).is_some())
            && let Some(sub) = namesakes.first().and_then(|new| moved(new))
        {
            return Err(immutable(&format!("{}.{}", definition.name, sub.name)));
        }
    }
    Ok(())
}

fn immutable(name: &str) -> Error {
    Error::mutability(format!(
        "{name} is immutable: it has a value, which cannot be changed; remove it from the mapping."
    ))
}
