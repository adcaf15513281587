//! PATCH requests (RFC 7644, 3.5.2).

use serde_json::{Map, Value};

use crate::envelope::{self, PATCH_OP};
use crate::error::{Error, ErrorKind};
use crate::json::member;
use crate::patch::apply;
use crate::patch::change::Change;
use crate::patch::members::MembersPatch;
use crate::patch::reader::Reader;
use crate::patch::work::{MAX_WORK, cost};
use crate::resource::attributes::Attributes;
use crate::resource::member::MEMBERS;
use crate::schema::dialect::Dialect;
use crate::schema::near_miss::{NearMiss, NearMisses};
use crate::schema::place::{AttributeRef, Place};
use crate::schema::resource_type::ResourceType;

/// The maximum number of operations in a request.
pub const MAX_OPERATIONS: usize = 1_000;

/// A PATCH request, resolved against its resource type.
#[derive(Debug, Clone)]
pub struct PatchRequest<'s> {
    changes: Vec<Change<'s>>,
    dialect: Dialect,
    /// The id of the resource, which some clients repeat in a value without a path.
    id: Option<String>,
    near_misses: NearMisses,
}

impl<'s> PatchRequest<'s> {
    /// Reads the body of a PATCH request.
    ///
    /// `op` may be in upper or lower case, `path` may be null or `""`, and other members are
    /// ignored. `schemas` is optional except in the strict dialect. An empty list of operations
    /// changes nothing, and so does an operation with an empty list of values to add or to remove.
    ///
    /// # Errors
    /// * `invalidSyntax` if `Operations` is missing or an `op` is unknown.
    /// * `noTarget` for a `remove` without a path.
    /// * `invalidPath` or `invalidFilter` for a path that cannot be read.
    /// * `invalidValue` for an operation that lacks its value.
    /// * `mutability` for the path of a read-only attribute.
    /// * 413 for more than [`MAX_OPERATIONS`].
    pub fn parse(
        body: &Map<String, Value>,
        resource_type: &'s ResourceType,
        dialect: Dialect,
    ) -> Result<Self, Error> {
        check_schemas(body, dialect)?;
        let mut reader = Reader::new(resource_type, dialect);
        for operation in operations(body)? {
            let operation = operation.as_object().ok_or_else(|| {
                Error::invalid_syntax(
                    "Each element of Operations must be an object with op, path and value.",
                )
            })?;
            reader.read(operation)?;
        }
        let Reader { changes, id, near_misses, .. } = reader;
        Ok(Self { changes, dialect, id, near_misses })
    }

    /// Checks that the request is meant for the resource with this id. A value that contains
    /// another id shows that the client has confused two resources.
    ///
    /// # Errors
    /// `mutability`, because an id never changes.
    pub fn check_id(&self, id: &str) -> Result<(), Error> {
        match &self.id {
            Some(named) if !named.eq_ignore_ascii_case(id) => Err(Error::mutability(
                "The value names the id of another resource; id is read-only.",
            )
            .at("id")),
            Some(_) | None => Ok(()),
        }
    }

    /// Takes out the operations on the members of a group, which are not stored with the group.
    ///
    /// # Errors
    /// `mutability` for the path of a sub-attribute of members; `invalidValue` for a member without
    /// an id.
    pub fn take_members(&mut self) -> Result<MembersPatch<'s>, Error> {
        let concerns_members = |change: &Change<'_>| match change.path.place {
            Place::Attribute(place) => place.extension.is_none() && place.attribute.name == MEMBERS,
            Place::Extension(_) => false,
        };
        let changes = std::mem::take(&mut self.changes);
        let (members, others) = changes.into_iter().partition(concerns_members);
        self.changes = others;
        MembersPatch::new(members, self.dialect)
    }

    /// The paths of the top-level attributes that the operations concern.
    pub fn names(&self) -> Vec<String> {
        self.places().map(|place| place.whole().path()).collect()
    }

    fn places(&self) -> impl Iterator<Item = AttributeRef<'s>> {
        self.changes.iter().filter_map(|change| match change.path.place {
            Place::Attribute(place) => Some(place),
            Place::Extension(_) => None,
        })
    }

    /// Attributes that were ignored although their names resemble one that a schema defines.
    pub fn ignored(&self) -> &[NearMiss] {
        &self.near_misses.misses
    }

    /// The first twenty names that no schema defines, reduced to printable ASCII. They were ignored.
    pub fn unknown(&self) -> &[String] {
        &self.near_misses.unknown
    }

    /// Whether no operation is left.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The attributes after all operations, in order. The given attributes stay as they are, so
    /// that a request that fails has no effect: "a PATCH request ... SHALL be treated as atomic".
    ///
    /// # Errors
    /// `invalidValue`, `mutability` or `noTarget` for an operation that cannot be applied; 413 for
    /// more work than [`MAX_WORK`].
    pub fn apply(
        &self,
        resource_type: &ResourceType,
        attributes: &Attributes,
    ) -> Result<Attributes, Error> {
        let mut patched = attributes.0.clone();
        let mut work = 0;
        for change in &self.changes {
            work += cost(&patched, change);
            if work > MAX_WORK {
                return Err(Error::new(
                    ErrorKind::PayloadTooLarge,
                    "The operations would compare too many values; send them in several requests.",
                )
                .because("too-many-operations"));
            }
            apply::apply(&mut patched, change, self.dialect)?;
        }
        let patched = Attributes(patched);
        resource_type
            .check_change(attributes, &patched)
            .map_err(|missing| self.missing_error(missing))?;
        Ok(patched)
    }

    /// "If an attribute is removed or becomes unassigned and is defined as a required attribute
    /// ..., the server SHALL return ... a "scimType" error code of "mutability"."
    fn missing_error(&self, missing: Error) -> Error {
        if self.changes.iter().any(Change::removes) {
            Error { kind: ErrorKind::Mutability, ..missing }
        } else {
            missing
        }
    }
}

fn operations(body: &Map<String, Value>) -> Result<&Vec<Value>, Error> {
    let operations = member(body, "Operations").and_then(Value::as_array).ok_or_else(|| {
        Error::invalid_syntax("A PATCH body needs the array Operations with op, path and value.")
    })?;
    if operations.len() > MAX_OPERATIONS {
        return Err(Error::new(
            ErrorKind::PayloadTooLarge,
            format!("A PATCH request can have at most {MAX_OPERATIONS} operations."),
        )
        .because("too-many-operations"));
    }
    Ok(operations)
}

/// Refuses a body whose `schemas` is that of another message. In the strict dialect, `schemas` must
/// be present.
fn check_schemas(body: &Map<String, Value>, dialect: Dialect) -> Result<(), Error> {
    let fits = |uri: &str| {
        if dialect.strict {
            uri.eq_ignore_ascii_case(PATCH_OP)
        } else {
            uri.to_ascii_lowercase().ends_with(":patchop")
        }
    };
    let lacks = dialect.strict && envelope::schemas(body).next().is_none();
    if lacks || envelope::is_another(body, fits) {
        return Err(Error::invalid_syntax(format!(
            "The schemas of a PATCH body must contain {PATCH_OP}."
        )));
    }
    Ok(())
}
