//! The table of attributes: what a tenant's profile keeps of a user, and where it comes from.

use anyhow::Context;
use scim_core::schema::{Attribute, AttributeRef, Place, Type};
use scim_core::{Additions, Attributes};
use scim_lambda::tenant::profile::{ServedType, ServedTypes, UnknownAttributes, UnknownPaths};
use serde_json::{Map, Value, json};

use super::facts::Facts;
use super::source::Choice;
use super::text::{code, codes, table};

/// The order of the common attributes; the others follow.
const ORDER: [&str; 8] = [
    "userName",
    "externalId",
    "active",
    "name.givenName",
    "name.familyName",
    "displayName",
    "emails[type eq \"work\"].value",
    "title",
];

/// The attribute that stands for all email addresses.
const EMAILS: &str = "emails";

/// The users of a tenant, as its profile has them.
pub(super) struct Mapping<'g> {
    facts: &'g Facts,
    types: ServedTypes,
    name: &'static str,
    sources: Vec<(String, String)>,
}

impl<'g> Mapping<'g> {
    pub(super) fn new(facts: &'g Facts, choice: Choice) -> anyhow::Result<Self> {
        let types = ServedTypes::new(&facts.profile, &Additions::default())?;
        Ok(Self { facts, types, name: choice.guide.name, sources: choice.sources()? })
    }

    fn users(&self) -> anyhow::Result<&ServedType> {
        self.types.at("Users").context("the profile has no users")
    }

    /// The table, and what becomes of other attributes.
    pub(super) fn text(&self) -> anyhow::Result<String> {
        let users = self.users()?;
        let paths = self.paths(users);
        let rows = paths.iter().filter_map(|path| self.row(users, path));
        let header = [
            format!("in {} (SCIM)", self.facts.product()),
            format!("from {}", self.name),
            "required".to_owned(),
            "values".to_owned(),
        ];
        let table = table(&header.each_ref().map(String::as_str), rows);
        let others = [Some(self.others()), self.unmapped(users)].into_iter().flatten();
        Ok(format!("{table}\n\n{}", others.collect::<Vec<_>>().join("\n")))
    }

    /// The paths of the rows.
    fn paths(&self, users: &ServedType) -> Vec<String> {
        let policy = &self.facts.profile.attributes;
        let mut paths: Vec<String> =
            ["userName", "externalId", "active"].map(str::to_owned).to_vec();
        let mut add = |path: &str| {
            let is_there = paths.iter().any(|known| covers(path, known));
            if !is_there && is_kept(users, path) {
                paths.push(path.to_owned());
            }
        };
        // The path of all email addresses is for error messages, and only if no other is there.
        let (rest, all): (Vec<&str>, Vec<&str>) =
            self.sources.iter().map(|(path, _)| path.as_str()).partition(|path| *path != EMAILS);
        rest.into_iter().chain(all).for_each(&mut add);
        policy.required.iter().for_each(|path| add(path));
        for overlay in &policy.overlay {
            let prefix = overlay.schema.as_ref().map(|id| format!("{id}:")).unwrap_or_default();
            add(&format!("{prefix}{}", overlay.attribute.name));
        }
        for extension in &policy.extensions {
            for attribute in &extension.attributes {
                add(&format!("{}:{}", extension.id, attribute.name));
            }
        }
        policy.kept.iter().for_each(|path| add(path));
        let place = |path: &String| ORDER.iter().position(|known| known == path);
        paths.sort_by_key(|path| place(path).unwrap_or(ORDER.len()));
        paths
    }

    /// The row of a path.
    fn row(&self, users: &ServedType, path: &str) -> Option<Vec<String>> {
        let Some(place) = attribute(users, path) else {
            // A kept extension, none of whose attributes has a source.
            let source = "choose fields for its attributes".to_owned();
            return Some(vec![code(path), source, "no".to_owned(), "one".to_owned()]);
        };
        let source = self.sources.iter().find(|(known, _)| known == path);
        let any = match path {
            "externalId" => "choose a field that never changes",
            _ => "choose a field",
        };
        let mut source = source.map_or(any.to_owned(), |(_, source)| source.clone());
        let leaf = place.leaf();
        if leaf.closed {
            let values = codes(leaf.canonical_values.iter().map(String::as_str));
            source = format!("{source}; one of {values}");
        }
        let is_required = self.is_required(place, path);
        let required = if is_required { "yes" } else { "no" };
        let is_list = place.attribute.multi_valued && !path.contains('[');
        let values = if is_list { "several" } else { "one" };
        Some(vec![code(path), source, required.to_owned(), values.to_owned()])
    }

    fn is_required(&self, place: AttributeRef<'_>, path: &str) -> bool {
        let mut required = self.facts.profile.attributes.required.iter();
        let is_needed = place.sub.is_none_or(|sub| sub.required || sub.name == "value");
        (place.attribute.required && is_needed) || required.any(|required| covers(required, path))
    }

    /// What happens to attributes outside of the table.
    fn others(&self) -> String {
        let policy = &self.facts.profile.attributes;
        let refused = (
            policy.unknown == UnknownAttributes::Refuse,
            policy.unknown_patch_path == UnknownPaths::Refuse,
        );
        let what = match refused {
            (false, false) => "left out silently",
            (false, true) => "left out of POST and PUT, and refused (400) in PATCH",
            (true, false) => "refused (400) in POST and PUT, and left out of PATCH",
            (true, true) => "refused (400)",
        };
        if policy.kept.is_empty() {
            let product = self.facts.product_first();
            format!(
                "{product} keeps the other attributes of SCIM's users too.\nAttributes that SCIM \
                 does not have are {what}."
            )
        } else {
            format!("All other attributes are {what}.")
        }
    }

    /// The mappings to remove.
    fn unmapped(&self, users: &ServedType) -> Option<String> {
        let paths = self.sources.iter().map(|(path, _)| path.as_str());
        let gone: Vec<&str> =
            paths.filter(|path| *path != EMAILS && !is_kept(users, path)).collect();
        if gone.is_empty() {
            return None;
        }
        let (names, product) = (codes(gone), self.facts.product());
        Some(format!("Remove mappings to {names}: {product} does not use what you send for them."))
    }
}

/// Whether a path is the other one, or contains it. Filters do not count.
fn covers(path: &str, other: &str) -> bool {
    let (path, other) = (without_filter(path), without_filter(other));
    let rest = other.strip_prefix(path.as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', ':']))
        || path.strip_suffix(".value").is_some_and(|whole| whole == other)
}

/// A path without its filter: `emails.value` of `emails[type eq "work"].value`.
fn without_filter(path: &str) -> String {
    match (path.split_once('['), path.split_once(']')) {
        (Some((before, _)), Some((_, after))) => format!("{before}{after}"),
        _ => path.to_owned(),
    }
}

/// The definition of what a path names; `None` if it names no attribute.
fn attribute<'s>(users: &'s ServedType, path: &str) -> Option<AttributeRef<'s>> {
    match users.definition.resolve(&without_filter(path))? {
        Place::Attribute(place) => Some(place),
        Place::Extension(_) => None,
    }
}

/// Whether a value that a client sends at a path is kept.
pub(super) fn is_kept(users: &ServedType, path: &str) -> bool {
    let Some(place) = attribute(users, path) else {
        return matches!(users.definition.resolve(path), Some(Place::Extension(_)));
    };
    let is_written = |attribute: &Attribute| {
        !attribute.derived && !attribute.is_read_only() && !attribute.is_hidden()
    };
    if !is_written(place.attribute) || !is_written(place.leaf()) {
        return false;
    }
    let mut sample = Attributes::from_stored(sample(place, path));
    users.shape(&mut sample).is_ok() && has_value(&Value::Object(sample.as_object().clone()))
}

/// A user with nothing but a value at a path.
fn sample(place: AttributeRef<'_>, path: &str) -> Map<String, Value> {
    let leaf = place.leaf();
    let value = match leaf.kind {
        Type::Boolean => json!(true),
        Type::Complex => json!({ "value": "x" }),
        _ => json!(leaf.canonical_values.first().map_or("x", String::as_str)),
    };
    let value = place.sub.map_or(value.clone(), |sub| json!({ &sub.name: value }));
    let value = if place.attribute.multi_valued {
        let mut element = if value.is_object() { value } else { json!({ "value": value }) };
        let filter = path.split_once("[type eq \"").and_then(|(_, rest)| rest.split_once('"'));
        if let (Some((kind, _)), Some(element)) = (filter, element.as_object_mut()) {
            element.insert("type".to_owned(), json!(kind));
        }
        json!([element])
    } else {
        value
    };
    let mut user = Map::from_iter([(place.attribute.name.clone(), value)]);
    if let Some(extension) = place.extension {
        user = Map::from_iter([(extension.id.clone(), Value::Object(user))]);
    }
    user
}

/// Whether there is a value anywhere.
fn has_value(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.values().any(has_value),
        Value::Array(values) => values.iter().any(has_value),
        Value::Null => false,
        _ => true,
    }
}
