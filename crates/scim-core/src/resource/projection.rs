//! Which attributes an answer shows: `returned`, and the `attributes` and `excludedAttributes` of
//! the request (RFC 7644, 3.9).

use serde_json::{Map, Value};

use crate::schema::attribute::{Attribute, Returned, Schema};
use crate::schema::place::{AttributeRef, Place};
use crate::schema::resource_type::ResourceType;

/// What the answer to a request shows.
#[derive(Debug, Clone, Default)]
pub struct Projection<'s> {
    choice: Choice<'s>,
    /// The paths of the attributes that the client specified in a write.
    asserted: Vec<String>,
}

#[derive(Debug, Clone, Default)]
enum Choice<'s> {
    /// The default set.
    #[default]
    Default,
    /// "attributes": the minimal set and these.
    Only(Vec<Place<'s>>),
    /// "excludedAttributes": the default set without these.
    Except(Vec<Place<'s>>),
}

impl<'s> Projection<'s> {
    /// The choice that results from two lists of names. Names that no schema defines are ignored.
    /// If both lists have names, `attributes` wins.
    pub fn new(
        attributes: &[String],
        excluded: &[String],
        resource_type: &'s ResourceType,
    ) -> Self {
        let choice = match (attributes, excluded) {
            ([], []) => Choice::Default,
            ([], excluded) => Choice::Except(places(excluded, resource_type)),
            (attributes, _) => Choice::Only(places(attributes, resource_type)),
        };
        Self { choice, asserted: Vec::new() }
    }

    /// Adapts the choice to the answer to a write that specified these attributes: an attribute
    /// that is returned on request "is returned in response to any PUT, POST, or PATCH operations
    /// if the attribute was specified by the client" (RFC 7643, 7).
    #[must_use]
    pub fn asserting(self, asserted: Vec<String>) -> Self {
        Self { asserted, ..self }
    }

    /// Whether the client has named the attributes that it wants.
    pub fn is_explicit(&self) -> bool {
        matches!(self.choice, Choice::Only(_))
    }

    /// Whether an answer shows the core attribute with this name, if it has a value.
    pub fn shows(&self, resource_type: &ResourceType, name: &str) -> bool {
        match resource_type.resolve(name) {
            Some(Place::Attribute(place)) => self.show(place, Value::Bool(true)).is_some(),
            Some(Place::Extension(_)) | None => false,
        }
    }

    /// Reduces a whole resource to what this choice shows.
    pub(crate) fn apply(
        &self,
        resource_type: &ResourceType,
        view: Map<String, Value>,
    ) -> Map<String, Value> {
        let mut shown = Map::with_capacity(view.len());
        for (name, value) in view {
            let extension = resource_type.extensions.iter().find(|known| known.id == name);
            if let Some(extension) = extension {
                let inner = self.show_extension(extension, value);
                shown.extend(inner.map(|value| (name, value)));
            } else if let Some(Place::Attribute(place)) = resource_type.resolve(&name) {
                shown.extend(self.show(place, value).map(|value| (name, value)));
            }
        }
        shown
    }

    fn show_extension(&self, extension: &Schema, value: Value) -> Option<Value> {
        let Value::Object(attributes) = value else { return None };
        let mut shown = Map::new();
        for (name, value) in attributes {
            if let Some(attribute) = extension.attribute(&name) {
                let place = AttributeRef::new(Some(extension), attribute);
                shown.extend(self.show(place, value).map(|value| (name, value)));
            }
        }
        (!shown.is_empty()).then_some(Value::Object(shown))
    }

    fn show(&self, place: AttributeRef<'_>, value: Value) -> Option<Value> {
        let mention = self.mention(place);
        if !self.shows_attribute(place, &mention) {
            return None;
        }
        let keep = |sub: &Attribute| self.shows_sub_attribute(sub, &mention);
        let is_nothing = |value: &Value| value.as_object().is_some_and(Map::is_empty);
        match prune(place.attribute, value, &keep) {
            // A group without members shows the empty list, if it shows members at all.
            Value::Array(items) if items.is_empty() => Some(Value::Array(items)),
            Value::Array(mut items) => {
                items.retain(|item| !is_nothing(item));
                (!items.is_empty()).then_some(Value::Array(items))
            }
            shown => (!is_nothing(&shown)).then_some(shown),
        }
    }

    fn shows_attribute(&self, place: AttributeRef<'_>, mention: &Mention<'_>) -> bool {
        match (place.attribute.returned, &self.choice) {
            (Returned::Always, _) => true,
            (Returned::Never, _) => false,
            (_, Choice::Only(_)) => mention.whole || !mention.subs.is_empty(),
            (Returned::Request, _) => !mention.whole && self.asserted.contains(&place.path()),
            (Returned::Default, Choice::Except(_)) => !mention.whole,
            (Returned::Default, Choice::Default) => true,
        }
    }

    fn shows_sub_attribute(&self, sub: &Attribute, mention: &Mention<'_>) -> bool {
        let named = mention.subs.contains(&sub.name.as_str());
        match (sub.returned, &self.choice) {
            (Returned::Always, _) => true,
            (Returned::Never, _) => false,
            (Returned::Request, _) => named && self.is_explicit(),
            // An attribute that is shown although it was not named is shown with all of these.
            (Returned::Default, Choice::Only(_)) => {
                mention.whole || mention.subs.is_empty() || named
            }
            (Returned::Default, Choice::Except(_)) => !named,
            (Returned::Default, Choice::Default) => true,
        }
    }

    /// The part of an attribute that the request names.
    fn mention(&self, attribute: AttributeRef<'_>) -> Mention<'s> {
        let places = match &self.choice {
            Choice::Default => &[][..],
            Choice::Only(places) | Choice::Except(places) => places,
        };
        let extension = attribute.extension.map(|extension| &extension.id);
        let mut mention = Mention { whole: false, subs: Vec::new() };
        for place in places {
            match place {
                Place::Extension(schema) => mention.whole |= Some(&schema.id) == extension,
                Place::Attribute(named) => {
                    let is_same = named.extension.map(|extension| &extension.id) == extension
                        && named.attribute.name == attribute.attribute.name;
                    match named.sub {
                        _ if !is_same => {}
                        None => mention.whole = true,
                        Some(sub) => mention.subs.push(&sub.name),
                    }
                }
            }
        }
        mention
    }
}

/// The part of an attribute that the request names.
struct Mention<'s> {
    /// Whether it names the attribute itself or the extension of the attribute.
    whole: bool,
    /// The sub-attributes that it names.
    subs: Vec<&'s str>,
}

/// The places of the names, each once: every answer compares them with every attribute of every
/// resource, so repeated names must not cost anything.
fn places<'s>(names: &[String], resource_type: &'s ResourceType) -> Vec<Place<'s>> {
    let mut places: Vec<Place<'s>> = Vec::new();
    for place in names.iter().filter_map(|name| resource_type.resolve(name)) {
        if !places.iter().any(|known| known.is_same(&place)) {
            places.push(place);
        }
    }
    places
}

/// The value without the sub-attributes that must not be kept.
fn prune(attribute: &Attribute, value: Value, keep: &impl Fn(&Attribute) -> bool) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(|item| prune(attribute, item, keep)).collect(),
        Value::Object(object) if !attribute.sub_attributes.is_empty() => {
            let kept = object
                .into_iter()
                .filter(|(name, _)| attribute.sub_attribute(name).is_some_and(keep));
            Value::Object(kept.collect())
        }
        value => value,
    }
}
