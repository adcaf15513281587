//! Turns the operations of a PATCH request, in every form that clients use, into a list of changes.

use serde_json::{Map, Value};

use crate::error::Error;
use crate::json::member;
use crate::patch::change::{Change, Operation, names_nothing};
use crate::patch::path::Path;
use crate::schema::attribute::Schema;
use crate::schema::dialect::{Dialect, Unknown, advice};
use crate::schema::near_miss::NearMisses;
use crate::schema::place::{AttributeRef, Place};
use crate::schema::resource_type::ResourceType;

/// Reads the operations of one request.
pub(super) struct Reader<'s> {
    resource_type: &'s ResourceType,
    dialect: Dialect,
    pub(super) changes: Vec<Change<'s>>,
    /// The `id` in the value of an operation without a path.
    pub(super) id: Option<String>,
    pub(super) near_misses: NearMisses,
}

/// Where the name of an attribute was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// In `path`.
    Path,
    /// In the value of an operation without a path, which is an object of attributes.
    Value,
}

impl<'s> Reader<'s> {
    pub(super) fn new(resource_type: &'s ResourceType, dialect: Dialect) -> Self {
        let near_misses = NearMisses::default();
        Self { resource_type, dialect, changes: Vec::new(), id: None, near_misses }
    }

    pub(super) fn read(&mut self, operation: &Map<String, Value>) -> Result<(), Error> {
        let op = member(operation, "op").and_then(Value::as_str).and_then(Operation::parse);
        let op = op.ok_or_else(|| {
            Error::invalid_syntax("Each operation needs op: add, remove or replace.")
        })?;
        let value = member(operation, "value").cloned();
        let path = match member(operation, "path") {
            None | Some(Value::Null) => "",
            Some(Value::String(path)) => path.as_str(),
            Some(_) => return Err(Error::invalid_path("path must be a string.")),
        };
        if op != Operation::Remove && value.is_none() {
            return Err(Error::invalid_value(
                "An add or replace operation needs a value; send null to remove one.",
            ));
        }
        if path.trim().is_empty() {
            return self.read_without_path(op, value);
        }
        self.push(op, path, value, Source::Path)
    }

    /// Reads an operation whose value is an object of attributes.
    fn read_without_path(&mut self, op: Operation, value: Option<Value>) -> Result<(), Error> {
        match (op, value) {
            (Operation::Remove, _) => {
                Err(Error::no_target("A remove operation needs a path that says what to remove."))
            }
            (Operation::Add | Operation::Replace, Some(Value::Object(object))) => {
                for (name, value) in object {
                    if name.eq_ignore_ascii_case("id") {
                        let id = value.as_str().filter(|id| !id.is_empty());
                        self.id = id.map(str::to_owned).or(self.id.take());
                    }
                    self.push(op, &name, Some(value), Source::Value)?;
                }
                Ok(())
            }
            (Operation::Add | Operation::Replace, _) => Err(Error::invalid_value(
                "An operation without a path needs an object of attributes as its value.",
            )),
        }
    }

    /// Adds the changes for one path or name.
    fn push(
        &mut self,
        operation: Operation,
        path: &str,
        value: Option<Value>,
        source: Source,
    ) -> Result<(), Error> {
        if self.resource_type.is_dropped(path) {
            return Ok(());
        }
        let Some(path) = self.path(path, source)? else { return Ok(()) };
        match path.place {
            Place::Extension(extension) => self.push_extension(operation, extension, path, value),
            Place::Attribute(place) if !place.is_read_only() => self.keep(operation, path, value),
            Place::Attribute(place) => match source {
                Source::Path => Err(Error::mutability(format!(
                    "{} is read-only; remove it from the mapping.",
                    place.path()
                ))
                .at(place.path())),
                Source::Value => Ok(()),
            },
        }
    }

    /// Adds the changes for the attributes of an extension, or the removal of the extension.
    fn push_extension(
        &mut self,
        operation: Operation,
        extension: &'s Schema,
        path: Path<'s>,
        value: Option<Value>,
    ) -> Result<(), Error> {
        match value {
            Some(Value::Object(object)) => {
                for (name, value) in object {
                    self.push_inside(operation, extension, &name, value)?;
                }
                Ok(())
            }
            Some(value) if names_nothing(operation, &path, &value) => Ok(()),
            value if operation == Operation::Remove || value == Some(Value::Null) => {
                self.keep(operation, path, value)
            }
            _ => Err(Error::invalid_value(format!(
                "{} must be an object with its attributes.",
                extension.id
            ))
            .because("wrong-type")
            .at(&extension.id)),
        }
    }

    /// Adds the change for an attribute in the object of an extension.
    fn push_inside(
        &mut self,
        operation: Operation,
        extension: &'s Schema,
        name: &str,
        value: Value,
    ) -> Result<(), Error> {
        let Some(attribute) = extension.attribute(name) else {
            if !name.eq_ignore_ascii_case("schemas") {
                let path = format!("{}:{name}", extension.id);
                let resembled = || self.resource_type.resembled(&path);
                self.dialect.check_unknown(name, resembled)?;
                self.near_misses.note(name, resembled);
            }
            return Ok(());
        };
        let place = Place::Attribute(AttributeRef::new(Some(extension), attribute));
        self.keep(operation, Path { place, filter: None }, Some(value))
    }

    /// Resolves a path or a name; `None` if no schema defines it and the dialect ignores that.
    fn path(&mut self, text: &str, source: Source) -> Result<Option<Path<'s>>, Error> {
        let unknown = match source {
            Source::Path => self.dialect.unknown_path,
            Source::Value => self.dialect.unknown,
        };
        let path = Path::parse(text, self.resource_type, self.dialect);
        // A name such as "Job Title" is not a valid path, but in a value it is just an unknown
        // name, as in a POST.
        let is_unknown = matches!(path, Ok(None)) || (path.is_err() && source == Source::Value);
        if is_unknown && unknown == Unknown::Ignore {
            self.near_misses.note(text, || self.resource_type.resembled(text));
            return Ok(None);
        }
        path?.map(Some).ok_or_else(|| {
            let advice = advice(self.resource_type.resembled(text));
            Error::invalid_path(format!(
                "The path names an attribute that no schema of this resource type defines; {advice}"
            ))
            .because("unknown-attribute")
        })
    }

    /// Adds a change, unless it asks for nothing.
    ///
    /// # Errors
    /// `invalidValue` in the strict dialect for an `add` of null or `""`: "add" is not "remove".
    fn keep(
        &mut self,
        operation: Operation,
        path: Path<'s>,
        value: Option<Value>,
    ) -> Result<(), Error> {
        let value = match (operation, value) {
            (Operation::Add, Some(value)) if self.dialect.strict && is_void(&value) => {
                return Err(Error::invalid_value(format!(
                    "An add operation needs a value, not null or an empty string{}; send a remove \
                    operation to take a value away.",
                    if value.is_object() { " in it" } else { "" }
                )));
            }
            (Operation::Add, Some(value)) => Some(without_empty_lists(value)),
            (Operation::Remove | Operation::Replace, value) => value,
            (Operation::Add, None) => None,
        };
        if !value.as_ref().is_some_and(|value| names_nothing(operation, &path, value)) {
            self.changes.push(Change { operation, path, value });
        }
        Ok(())
    }
}

/// Whether a value, or a member of it, is null or an empty string.
fn is_void(value: &Value) -> bool {
    let void = |value: &Value| value.is_null() || value.as_str() == Some("");
    void(value) || value.as_object().is_some_and(|object| object.values().any(void))
}

/// A value to add, without the empty lists in it, which add nothing.
fn without_empty_lists(mut value: Value) -> Value {
    if let Some(object) = value.as_object_mut() {
        object.retain(|_, value| !value.as_array().is_some_and(Vec::is_empty));
    }
    value
}
