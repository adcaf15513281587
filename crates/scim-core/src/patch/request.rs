//! PATCH requests (RFC 7644, 3.5.2): every form a client may write an operation in becomes a list
//! of (operation, path, value) before anything is checked or changed.

use serde_json::{Map, Value};

use crate::error::Error;
use crate::json::member;
use crate::message::list::{self as message, PATCH_OP};
use crate::patch::apply;
use crate::patch::members::{MEMBERS, MembersPatch};
use crate::patch::path::{AttributeRef, Path, Place};
use crate::resource::attributes::Attributes;
use crate::schema::attribute::Schema;
use crate::schema::near_miss::{NearMiss, Noted};
use crate::schema::resource_type::{Dialect, ResourceType, Unknown, advice, refuse_unknown};

/// Most operations in a request.
pub const MAX_OPERATIONS: usize = 1_000;
/// Most comparisons that a request may cause: values times the comparisons in paths, summed up.
pub const MAX_WORK: usize = 64_000;

/// A PATCH request, resolved against its resource type.
#[derive(Debug, Clone)]
pub struct PatchRequest<'s> {
    changes: Vec<Change<'s>>,
    dialect: Dialect,
    /// The id in a path-less value, as some clients repeat it.
    id: Option<String>,
    noted: Noted,
}

/// One operation on one place.
#[derive(Debug, Clone)]
pub(crate) struct Change<'s> {
    pub(crate) operation: Operation,
    pub(crate) path: Path<'s>,
    /// Absent for a `remove` that names no values.
    pub(crate) value: Option<Value>,
}

impl Change<'_> {
    /// Whether it takes values away: "no value" is as good as `remove`.
    pub(crate) fn removes(&self) -> bool {
        self.operation == Operation::Remove || self.value.as_ref().is_some_and(apply::is_no_value)
    }
}

/// "add", "remove" or "replace".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Add,
    Remove,
    Replace,
}

impl<'s> PatchRequest<'s> {
    /// Reads the body of a PATCH request.
    ///
    /// Tolerated: `op` in any case, no `schemas` but in the strict dialect, `path` null or `""`,
    /// further members. An empty list of operations changes nothing, nor does an operation with an
    /// empty list of values to add or to remove.
    ///
    /// # Errors
    /// `invalidSyntax` without `Operations` or for an unknown `op`; `noTarget` for a `remove`
    /// without path; `invalidPath`, `invalidFilter`; `invalidValue` for an operation that lacks its
    /// value; `mutability` for a path to a read-only attribute.
    pub fn parse(
        body: &Map<String, Value>,
        resource_type: &'s ResourceType,
        dialect: Dialect,
    ) -> Result<Self, Error> {
        check_schemas(body, dialect)?;
        let operations = member(body, "Operations").and_then(Value::as_array).ok_or_else(|| {
            Error::invalid_syntax(
                "A PATCH body needs the array Operations with op, path and value.",
            )
        })?;
        if operations.len() > MAX_OPERATIONS {
            return Err(Error::new(
                crate::ErrorKind::PayloadTooLarge,
                format!("A PATCH request holds at most {MAX_OPERATIONS} operations."),
            ));
        }
        let changes = Vec::with_capacity(operations.len());
        let mut request = Self { changes, dialect, id: None, noted: Noted::default() };
        for operation in operations {
            let operation = operation.as_object().ok_or_else(|| {
                Error::invalid_syntax(
                    "Each of Operations must be an object with op, path and value.",
                )
            })?;
            request.read(operation, resource_type)?;
        }
        Ok(request)
    }

    /// Whether the request may be meant for the resource with this id: a value that names another
    /// one shows that the client has mixed them up.
    ///
    /// # Errors
    /// `mutability`: an id is never changed.
    pub fn check_id(&self, id: &str) -> Result<(), Error> {
        match &self.id {
            Some(named) if !named.eq_ignore_ascii_case(id) => Err(Error::mutability(
                "The value names the id of another resource; id is read-only.",
            )),
            _ => Ok(()),
        }
    }

    /// Takes out the operations on the members of a group, which are not stored with it.
    ///
    /// # Errors
    /// `mutability` for a path to a sub-attribute of a member, `invalidValue` for a member that
    /// names no id.
    pub fn take_members(&mut self) -> Result<MembersPatch<'s>, Error> {
        let concerns = |change: &Change<'_>| match change.path.place {
            Place::Attribute(at) => at.extension.is_none() && at.attribute.name == MEMBERS,
            Place::Extension(_) => false,
        };
        let (members, others) = std::mem::take(&mut self.changes).into_iter().partition(concerns);
        self.changes = others;
        MembersPatch::new(members, self.dialect)
    }

    /// The wire names of the top-level attributes that the operations concern.
    pub fn names(&self) -> Vec<String> {
        let places = self.changes.iter().filter_map(|change| match change.path.place {
            Place::Attribute(at) => Some(at.whole().wire()),
            Place::Extension(_) => None,
        });
        places.collect()
    }

    /// Attributes that were left out though they resemble one that a schema defines.
    pub fn ignored(&self) -> &[NearMiss] {
        &self.noted.misses
    }

    /// Whether no operation is left.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The attributes after all operations, in order; the given ones are untouched, so that a
    /// failing operation leaves no trace: "a PATCH request ... SHALL be treated as atomic".
    ///
    /// # Errors
    /// `invalidValue`, `mutability` or `noTarget`, as the operations deserve; 413 over
    /// [`MAX_WORK`].
    pub fn apply(
        &self,
        resource_type: &ResourceType,
        attributes: &Attributes,
    ) -> Result<Attributes, Error> {
        let mut patched = attributes.0.clone();
        let mut work = 0;
        for change in &self.changes {
            work += apply::cost(&patched, change);
            if work > MAX_WORK {
                return Err(Error::new(
                    crate::ErrorKind::PayloadTooLarge,
                    "The operations would compare too many values; send them in several requests.",
                ));
            }
            apply::apply(&mut patched, change, self.dialect)?;
        }
        let patched = Attributes(patched);
        resource_type.check_change(attributes, &patched).map_err(|missing| {
            // "If an attribute is removed or becomes unassigned and is defined as a required
            // attribute ..., the server SHALL return ... a "scimType" error code of "mutability"."
            match self.changes.iter().any(Change::removes) {
                true => Error::mutability(missing),
                false => Error::invalid_value(missing),
            }
        })?;
        Ok(patched)
    }

    fn read(
        &mut self,
        operation: &Map<String, Value>,
        resource_type: &'s ResourceType,
    ) -> Result<(), Error> {
        let op = member(operation, "op").and_then(Value::as_str).unwrap_or_default();
        let op = match op.to_ascii_lowercase().as_str() {
            "add" => Operation::Add,
            "remove" => Operation::Remove,
            "replace" => Operation::Replace,
            _ => {
                return Err(Error::invalid_syntax(
                    "Each operation needs op: add, remove or replace.",
                ));
            }
        };
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
        if !path.trim().is_empty() {
            return self.push(op, path, value, resource_type, true);
        }
        match (op, value) {
            (Operation::Remove, _) => {
                Err(Error::no_target("A remove operation needs a path that says what to remove."))
            }
            (_, Some(Value::Object(object))) => {
                for (name, value) in object {
                    if name.eq_ignore_ascii_case("id") {
                        self.id = value
                            .as_str()
                            .filter(|id| !id.is_empty())
                            .map(str::to_owned)
                            .or(self.id.take());
                    }
                    self.push(op, &name, Some(value), resource_type, false)?;
                }
                Ok(())
            }
            _ => Err(Error::invalid_value(
                "An operation without path needs an object of attributes as its value.",
            )),
        }
    }

    /// Adds the change of one path; `explicit` tells a path from the name of a path-less value.
    fn push(
        &mut self,
        operation: Operation,
        path: &str,
        value: Option<Value>,
        resource_type: &'s ResourceType,
        explicit: bool,
    ) -> Result<(), Error> {
        if resource_type.is_dropped(path) {
            return Ok(());
        }
        let Some(path) = self.path(path, resource_type, explicit)? else { return Ok(()) };
        match (path.place, value) {
            (Place::Attribute(at), _)
                if at.attribute.is_read_only() || at.leaf().is_read_only() =>
            {
                match explicit {
                    true => Err(Error::mutability(format!(
                        "{} is read-only; remove it from the mapping.",
                        at.wire()
                    ))),
                    false => Ok(()),
                }
            }
            (Place::Attribute(_), value) => self.keep(operation, path, value),
            (Place::Extension(extension), Some(Value::Object(object))) => {
                for (name, value) in object {
                    self.push_inside(operation, resource_type, extension, &name, value)?;
                }
                Ok(())
            }
            (Place::Extension(_), Some(value)) if names_nothing(operation, &path, &value) => Ok(()),
            (Place::Extension(_), value)
                if operation == Operation::Remove || value == Some(Value::Null) =>
            {
                self.keep(operation, path, value)
            }
            (Place::Extension(extension), _) => Err(Error::invalid_value(format!(
                "{} must be an object of its attributes.",
                extension.id
            ))),
        }
    }

    /// Where a path or a name leads; `None` if no schema defines it and the dialect passes over
    /// that.
    fn path(
        &mut self,
        text: &str,
        resource_type: &'s ResourceType,
        explicit: bool,
    ) -> Result<Option<Path<'s>>, Error> {
        let unknown = if explicit { self.dialect.unknown_path } else { self.dialect.unknown };
        let path = Path::parse(text, resource_type, self.dialect);
        // A name among others, such as "Job Title", is as unknown here as in a POST.
        let is_unknown = matches!(path, Ok(None)) || (path.is_err() && !explicit);
        if is_unknown && unknown == Unknown::Ignore {
            self.noted.note(text, || resource_type.resembled(text));
            return Ok(None);
        }
        path?.map(Some).ok_or_else(|| {
            let advice = advice(resource_type.resembled(text));
            Error::invalid_path(format!(
                "The path names an attribute that is in no schema of this resource type; {advice}"
            ))
        })
    }

    /// Adds the change of an attribute that stands in the object of an extension.
    fn push_inside(
        &mut self,
        operation: Operation,
        resource_type: &'s ResourceType,
        extension: &'s Schema,
        name: &str,
        value: Value,
    ) -> Result<(), Error> {
        let Some(attribute) = extension.attribute(name) else {
            if !name.eq_ignore_ascii_case("schemas") {
                let resembled = || resource_type.resembled(&format!("{}:{name}", extension.id));
                refuse_unknown(self.dialect, name, resembled)?;
                self.noted.note(name, resembled);
            }
            return Ok(());
        };
        let place =
            Place::Attribute(AttributeRef { extension: Some(extension), attribute, sub: None });
        self.keep(operation, Path { place, filter: None }, Some(value))
    }

    /// Keeps a change, unless it asks for nothing.
    ///
    /// # Errors
    /// `invalidValue` for an `add` of null or `""`, in the strict dialect: "add" is not "remove".
    fn keep(
        &mut self,
        operation: Operation,
        path: Path<'s>,
        value: Option<Value>,
    ) -> Result<(), Error> {
        let value = match (operation, value) {
            (Operation::Add, Some(value)) if self.dialect.strict && is_void(&value) => {
                return Err(Error::invalid_value(format!(
                    "An add operation needs a value, not null or an empty text{}; send a remove \
                    operation to take one away.",
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

/// Whether the body says by its `schemas` that it is no PATCH; in the strict dialect it must say
/// that it is one.
fn check_schemas(body: &Map<String, Value>, dialect: Dialect) -> Result<(), Error> {
    let fits = |uri: &str| match dialect.strict {
        true => uri.eq_ignore_ascii_case(PATCH_OP),
        false => uri.to_ascii_lowercase().ends_with(":patchop"),
    };
    let lacks = dialect.strict && message::schemas(body).next().is_none();
    match lacks || message::is_another(body, fits) {
        true => Err(Error::invalid_syntax(format!(
            "A PATCH body has the schema {PATCH_OP}; send that one."
        ))),
        false => Ok(()),
    }
}

/// Whether an operation names an empty list of values to add or to remove: "add" never takes away
/// (RFC 7644, 3.5.2.1), and nobody who lists nothing to remove means all of it. A filter in the
/// path says by itself what goes.
fn names_nothing(operation: Operation, path: &Path<'_>, value: &Value) -> bool {
    let is_empty_list = value.as_array().is_some_and(Vec::is_empty);
    match operation {
        Operation::Add => is_empty_list,
        Operation::Remove => is_empty_list && path.filter.is_none(),
        Operation::Replace => false,
    }
}

/// Whether a value, or a part of it, is null or an empty text.
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
