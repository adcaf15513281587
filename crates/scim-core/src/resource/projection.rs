//! Which attributes an answer carries: `returned` and the request's `attributes` and
//! `excludedAttributes` (RFC 7644, 3.9).

use serde_json::{Map, Value};

use crate::patch::path::{AttributeRef, Place};
use crate::schema::attribute::{Attribute, Returned};
use crate::schema::resource_type::ResourceType;

/// What the answer to one request shows.
#[derive(Debug, Clone, Default)]
pub struct Projection<'s> {
    choice: Choice<'s>,
    /// Wire names of the attributes that the client has specified in a write.
    asserted: Vec<String>,
}

#[derive(Debug, Clone, Default)]
enum Choice<'s> {
    /// The default set.
    #[default]
    Default,
    /// "attributes": the minimal set and these.
    Only(Vec<Place<'s>>),
    /// "excludedAttributes": the default set less these.
    Except(Vec<Place<'s>>),
}

impl<'s> Projection<'s> {
    /// The choice that two comma-separated lists make. Names that no schema defines select nothing;
    /// `attributes` wins over `excludedAttributes`.
    pub fn new(
        attributes: &[String],
        excluded: &[String],
        resource_type: &'s ResourceType,
    ) -> Self {
        // Each place once, however often it is named: the answer asks for each attribute of each
        // resource.
        let places = |names: &[String]| {
            let mut places: Vec<Place<'s>> = Vec::new();
            for place in names.iter().filter_map(|name| resource_type.resolve(name)) {
                if !places.iter().any(|known| known.is_same(&place)) {
                    places.push(place);
                }
            }
            places
        };
        let choice = match (attributes, excluded) {
            ([], []) => Choice::Default,
            ([], excluded) => Choice::Except(places(excluded)),
            (attributes, _) => Choice::Only(places(attributes)),
        };
        Self { choice, asserted: Vec::new() }
    }

    /// For the answer to a write that specified these attributes: one that is returned on request
    /// "is returned in response to any PUT, POST, or PATCH operations if the attribute was
    /// specified by the client" (RFC 7643, 7).
    #[must_use]
    pub fn asserting(self, asserted: Vec<String>) -> Self {
        Self { asserted, ..self }
    }

    /// Whether the client has named the attributes that it wants.
    pub fn is_explicit(&self) -> bool {
        matches!(self.choice, Choice::Only(_))
    }

    /// Whether an answer shows the core attribute of this name, if it has a value.
    pub fn shows(&self, resource_type: &ResourceType, name: &str) -> bool {
        match resource_type.resolve(name) {
            Some(Place::Attribute(place)) => self.show(place, Value::Bool(true)).is_some(),
            _ => false,
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
            if let Some(extension) =
                resource_type.extensions.iter().find(|extension| extension.id == name)
            {
                let Value::Object(nested) = value else { continue };
                let mut inside = Map::new();
                for (name, value) in nested {
                    if let Some(attribute) = extension.attribute(&name) {
                        let place =
                            AttributeRef { extension: Some(extension), attribute, sub: None };
                        inside.extend(self.show(place, value).map(|value| (name, value)));
                    }
                }
                if !inside.is_empty() {
                    shown.insert(name, Value::Object(inside));
                }
            } else if let Some(Place::Attribute(place)) = resource_type.resolve(&name) {
                shown.extend(self.show(place, value).map(|value| (name, value)));
            }
        }
        shown
    }

    fn show(&self, place: AttributeRef<'_>, value: Value) -> Option<Value> {
        let picked: Vec<Option<&str>> = self.picked(place).collect();
        let whole = picked.contains(&None);
        let keep = match (place.attribute.returned, &self.choice) {
            (Returned::Always, _) => true,
            (Returned::Never, _) => false,
            (_, Choice::Only(_)) => !picked.is_empty(),
            (Returned::Request, _) => !whole && self.asserted.contains(&place.wire()),
            (Returned::Default, Choice::Except(_)) => !whole,
            (Returned::Default, Choice::Default) => true,
        };
        if !keep {
            return None;
        }
        let keep_sub = |sub: &Attribute| {
            let named = picked.contains(&Some(sub.name.as_str()));
            match (sub.returned, &self.choice) {
                (Returned::Always, _) => true,
                (Returned::Never, _) => false,
                (Returned::Request, _) => named && self.is_explicit(),
                (Returned::Default, Choice::Only(_)) => whole || picked.is_empty() || named,
                (Returned::Default, Choice::Except(_)) => !named,
                (Returned::Default, Choice::Default) => true,
            }
        };
        let shown = prune(place.attribute, value, &keep_sub);
        let is_nothing = |value: &Value| value.as_object().is_some_and(Map::is_empty);
        match shown {
            // A group that is shown with its members and has none says so.
            Value::Array(items) if items.is_empty() => Some(Value::Array(items)),
            Value::Array(mut items) => {
                items.retain(|item| !is_nothing(item));
                (!items.is_empty()).then_some(Value::Array(items))
            }
            shown => (!is_nothing(&shown)).then_some(shown),
        }
    }

    /// The sub-attributes of `place` that the request names; `None` stands for all of it.
    fn picked(&self, place: AttributeRef<'_>) -> impl Iterator<Item = Option<&'s str>> {
        let places = match &self.choice {
            Choice::Default => &[][..],
            Choice::Only(places) | Choice::Except(places) => places,
        };
        let extension = place.extension.map(|extension| extension.id.clone());
        let name = place.attribute.name.clone();
        places.iter().filter_map(move |picked| match picked {
            Place::Extension(schema) => (Some(&schema.id) == extension.as_ref()).then_some(None),
            Place::Attribute(picked) => {
                let same = picked.extension.map(|e| &e.id) == extension.as_ref()
                    && picked.attribute.name == name;
                same.then(|| picked.sub.map(|sub| sub.name.as_str()))
            }
        })
    }
}

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
