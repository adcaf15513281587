//! The columns of a table of users.

use scim_core::filter::{Sort, SortKey};
use scim_core::patch::Path;
use scim_core::schema::{Place, Type};
use scim_core::{Dialect, ResourceId, ResourceType};
use serde_json::{Map, Value};

use crate::operator::error::OperatorError;

/// The path of the address that most products keep.
const PRIMARY_EMAIL: &str = "emails[primary eq true].value";

/// The columns that can be the key, the best first.
const KEYS: [&str; 3] = ["id", "externalId", "userName"];
const STATE: &str = "state";
const ACTIVE: &str = "active";

/// What the columns hold.
pub(super) struct Columns<'s> {
    /// The number of the key's column, and its name.
    pub(super) key: usize,
    key_name: &'static str,
    key_order: Option<Sort<'s>>,
    pub(super) state: Option<usize>,
    pub(super) active: Option<usize>,
    /// The columns of attributes, with their numbers.
    pub(super) attributes: Vec<(usize, Column<'s>)>,
    /// How many there are.
    pub(super) number: usize,
}

/// A column of an attribute's values.
pub(super) struct Column<'s> {
    /// Its name in the spelling of the schema.
    pub(super) name: String,
    path: Path<'s>,
    order: Sort<'s>,
    kind: Type,
}

fn bad(why: String) -> OperatorError {
    OperatorError::BadTable(why)
}

impl<'s> Columns<'s> {
    /// Reads the names of the columns.
    pub(super) fn read(names: &[String], users: &'s ResourceType) -> Result<Self, OperatorError> {
        let place = |wanted: &str| names.iter().position(|name| name.eq_ignore_ascii_case(wanted));
        let Some((key_name, key)) = KEYS.iter().find_map(|name| Some((*name, place(name)?))) else {
            return Err(bad(
                "line 1 must name the columns, one of them id, externalId or userName, \
                with commas, semicolons or tabs between them"
                    .to_owned(),
            ));
        };
        let (state, active) = (place(STATE), place(ACTIVE));
        let mut attributes: Vec<(usize, Column<'s>)> = Vec::new();
        for (index, name) in names.iter().enumerate() {
            if [Some(key), state, active].contains(&Some(index)) {
                continue;
            }
            let column = Column::read(index + 1, name, users)?;
            let same = attributes.iter().find(|(_, other)| other.name == column.name);
            let twice = [key_name, STATE, ACTIVE].iter().any(|own| own.eq_ignore_ascii_case(name));
            if twice || same.is_some() {
                return Err(bad(format!("line 1 names {name} twice; remove one of the columns")));
            }
            attributes.push((index, column));
        }
        let key_order = (key_name != "id").then(|| Sort::new(key_name, users)).flatten();
        let number = names.len();
        Ok(Self { key, key_name, key_order, state, active, attributes, number })
    }

    /// The name of the key's column.
    pub(super) fn key_name(&self) -> &'static str {
        self.key_name
    }

    /// The key of a user, as keys are compared; `None` if it has no value.
    pub(super) fn key_of(&self, user: &Map<String, Value>) -> Option<String> {
        self.folded(user.get(self.key_name)?.as_str()?)
    }

    /// A key as keys are compared; `None` for an empty one.
    pub(super) fn folded(&self, key: &str) -> Option<String> {
        let folded = match &self.key_order {
            None => key.to_ascii_lowercase(),
            Some(order) => {
                let view = Map::from_iter([(self.key_name.to_owned(), Value::from(key))]);
                match order.key(&view) {
                    SortKey::Text(text) => text,
                    _ => key.to_owned(),
                }
            }
        };
        Some(folded).filter(|key| !key.is_empty())
    }

    /// The id in a cell of the key's column.
    pub(super) fn id(&self, key: &str) -> Option<ResourceId> {
        if self.key_name == "id" { key.parse().ok() } else { None }
    }
}

impl<'s> Column<'s> {
    fn read(number: usize, name: &str, users: &'s ResourceType) -> Result<Self, OperatorError> {
        let what = |why: &str| bad(format!("column {number} ({name}) in line 1 {why}"));
        if name.is_empty() {
            return Err(bad(format!("column {number} has no name; name it or remove it")));
        }
        let path = Path::parse(name, users, Dialect::TOLERANT)
            .map_err(|error| what(&format!("is not a SCIM path: {error}")))?
            .ok_or_else(|| match likely(name, users) {
                Some(path) => what(&format!(
                    "is not an attribute of the tenant's users; write {path}, or remove it"
                )),
                None => what("is not an attribute of the tenant's users; remove it"),
            })?;
        let Place::Attribute(place) = path.place else {
            return Err(what("is a whole extension; name one of its attributes after a colon"));
        };
        let order = Sort::new(&place.path(), users)
            .ok_or_else(|| what("is never shown, so it cannot be compared; remove it"))?;
        let leaf = place.leaf();
        if leaf.kind == Type::Complex {
            return Err(what("has several parts; name one, such as name.givenName"));
        }
        let many = place.attribute.multi_valued && path.filter.is_none();
        if many || place.sub.is_some_and(|sub| sub.multi_valued) {
            return Err(what(
                "can have several values; name one, such as emails[primary eq true].value",
            ));
        }
        Ok(Self { name: path.to_string(), kind: leaf.kind, order, path })
    }

    /// The value that a user has, if any.
    pub(super) fn value_of<'u>(&self, user: &'u Map<String, Value>) -> Option<&'u Value> {
        let Place::Attribute(place) = self.path.place else { return None };
        let home = match place.extension {
            None => user,
            Some(extension) => user.get(&extension.id)?.as_object()?,
        };
        let value = home.get(&place.attribute.name)?;
        let elements = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        let selects = |element: &&Value| match (&self.path.filter, element.as_object()) {
            (None, _) => true,
            (Some(filter), Some(element)) => filter.matches(element),
            (Some(_), None) => false,
        };
        let element = elements.iter().find(selects)?;
        place.sub.map_or(Some(element), |sub| element.get(&sub.name))
    }

    /// The value that a cell means; `None` for an empty cell.
    ///
    /// # Errors
    /// The forms that a value of the attribute can have.
    pub(super) fn value_in(&self, cell: &str) -> Result<Option<Value>, &'static str> {
        if cell.is_empty() {
            return Ok(None);
        }
        Ok(Some(match self.kind {
            Type::Boolean => flag(cell).ok_or("true or false")?.into(),
            Type::Integer | Type::Decimal => {
                let number = serde_json::from_str(cell).ok().filter(Value::is_number);
                number.ok_or("a number")?
            }
            _ => cell.into(),
        }))
    }

    /// Whether two values are the same, as SCIM compares values of the attribute.
    pub(super) fn is_same(&self, one: Option<&Value>, other: Option<&Value>) -> bool {
        self.key(one) == self.key(other)
    }

    fn key(&self, value: Option<&Value>) -> SortKey {
        let (Place::Attribute(place), Some(value)) = (self.path.place, value) else {
            return SortKey::Absent;
        };
        let object = |name: &str, value: Value| Map::from_iter([(name.to_owned(), value)]);
        let value = match place.sub {
            None => value.clone(),
            Some(sub) => object(&sub.name, value.clone()).into(),
        };
        let home = object(&place.attribute.name, value);
        match place.extension {
            None => self.order.key(&home),
            Some(extension) => self.order.key(&object(&extension.id, home.into())),
        }
    }
}

/// The path that a database's name for a column most likely means, such as `userName` for
/// `user_name`.
fn likely(name: &str, users: &ResourceType) -> Option<String> {
    let mut camel = String::new();
    for part in name.split(['_', '-', ' ']) {
        let (first, rest) = part.split_at_checked(1).unwrap_or((part, ""));
        camel.push_str(&if camel.is_empty() { first.to_lowercase() } else { first.to_uppercase() });
        camel.push_str(rest);
    }
    let candidates = [camel.clone(), format!("name.{camel}"), PRIMARY_EMAIL.to_owned()];
    let is_known = |path: &String| {
        let is_email = path == PRIMARY_EMAIL;
        (!is_email || camel.to_lowercase().contains("mail"))
            && Path::parse(path, users, Dialect::TOLERANT).is_ok_and(|path| path.is_some())
    };
    candidates.into_iter().find(is_known)
}

/// Whether a cell says yes or no, in the forms in which databases write it.
pub(super) fn flag(cell: &str) -> Option<bool> {
    let is_any = |words: &[&str]| words.iter().any(|word| cell.eq_ignore_ascii_case(word));
    match (is_any(&["true", "t", "1", "yes"]), is_any(&["false", "f", "0", "no"])) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}
