//! The parameters of a query (RFC 7644, 3.4.2).

use std::time::Duration;

use serde_json::{Map, Value};

use crate::error::Error;

/// The maximum number of resources in one page. A client that asks for more gets this many;
/// `itemsPerPage` says so.
pub const MAX_COUNT: usize = 200;
/// The maximum number of resources in one page if the client does not send `count`.
pub const DEFAULT_COUNT: usize = 100;

/// The maximum number of names in `attributes` or `excludedAttributes`: more than all schemas of a
/// resource type define.
pub const MAX_NAMES: usize = 500;

/// The largest body of a request, in bytes: `bulk.maxPayloadSize`. The limit is the same for all
/// requests.
pub const MAX_BODY_BYTES: usize = 1_024 * 1_024;
/// How long a cursor can be used.
pub const CURSOR_TIMEOUT: Duration = Duration::from_secs(3_600);

/// What a client wants to see of a list, or of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The filter's text.
    pub filter: Option<String>,
    /// "The 1-based index of the first query result."
    pub start_index: usize,
    /// The maximum number of resources to return, if the client says so. It is never more than
    /// [`MAX_COUNT`].
    pub count: Option<usize>,
    /// The attribute to sort by.
    pub sort_by: Option<String>,
    /// "descending" instead of "ascending".
    pub descending: bool,
    /// The cursor (RFC 9865). An empty one asks for the first page.
    pub cursor: Option<String>,
    /// "The names of resource attributes to return in the response, overriding the set of
    /// attributes that would be returned by default."
    pub attributes: Vec<String>,
    /// "The names of resource attributes to be removed from the default set of attributes to
    /// return."
    pub excluded_attributes: Vec<String>,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            filter: None,
            start_index: 1,
            count: None,
            sort_by: None,
            descending: false,
            cursor: None,
            attributes: Vec::new(),
            excluded_attributes: Vec::new(),
        }
    }
}

impl Query {
    /// Reads decoded query parameters. Unknown ones are ignored, and repeated lists are joined.
    ///
    /// # Errors
    /// * `invalidValue` if `startIndex` or `count` is not an integer, if `sortOrder` is unknown, or
    ///   if a list has more than [`MAX_NAMES`] names.
    /// * `invalidFilter` if there are two filters.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, Error> {
        let mut query = Self::default();
        for (name, value) in pairs {
            match name.to_ascii_lowercase().as_str() {
                "filter" if query.filter.is_some() && !value.trim().is_empty() => {
                    return Err(Error::invalid_filter(
                        "The query has two filters; join them with and.",
                    ));
                }
                "attributes" => query.attributes.extend(names(&value)),
                "excludedattributes" => query.excluded_attributes.extend(names(&value)),
                name => query.set(name, value)?,
            }
        }
        query.check_names()
    }

    /// Reads the body of a `/.search` request (RFC 7644, 3.4.3).
    ///
    /// # Errors
    /// The same as those of [`Query::from_pairs`]; `invalidSyntax` for a member of the wrong type.
    pub fn from_message(body: &Map<String, Value>) -> Result<Self, Error> {
        let mut query = Self::default();
        for (name, value) in body {
            let lower = name.to_ascii_lowercase();
            match (lower.as_str(), value) {
                ("schemas", _) | (_, Value::Null) => {}
                (list @ ("attributes" | "excludedattributes"), Value::Array(items)) => {
                    let items: Option<Vec<String>> =
                        items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
                    *query.list(list) = items.ok_or_else(|| wrong_type(name))?;
                }
                (list @ ("attributes" | "excludedattributes"), Value::String(text)) => {
                    *query.list(list) = names(text).collect()
                }
                (other, Value::String(text)) => query.set(other, text.clone())?,
                (other @ ("startindex" | "count"), Value::Number(number)) => {
                    query.set(other, number.to_string())?
                }
                (
                    "startindex" | "count" | "filter" | "sortby" | "sortorder" | "cursor"
                    | "attributes" | "excludedattributes",
                    _,
                ) => return Err(wrong_type(name)),
                _ => {}
            }
        }
        query.check_names()
    }

    fn check_names(self) -> Result<Self, Error> {
        for (name, list) in
            [("attributes", &self.attributes), ("excludedAttributes", &self.excluded_attributes)]
        {
            if list.len() > MAX_NAMES {
                return Err(Error::invalid_value(format!(
                    "{name} can have at most {MAX_NAMES} names; name each attribute only once."
                )));
            }
        }
        Ok(self)
    }

    /// The list of names that a parameter, in lower case, sets.
    fn list(&mut self, parameter: &str) -> &mut Vec<String> {
        if parameter == "attributes" { &mut self.attributes } else { &mut self.excluded_attributes }
    }

    /// The maximum number of resources in the page.
    pub fn page_size(&self) -> usize {
        self.count.unwrap_or(DEFAULT_COUNT)
    }

    /// Sets a parameter, whose name is in lower case.
    fn set(&mut self, name: &str, value: String) -> Result<(), Error> {
        match name {
            "filter" if value.trim().is_empty() => {}
            "filter" => self.filter = Some(value),
            // "A value less than 1 SHALL be interpreted as 1."
            "startindex" => self.start_index = integer("startIndex", &value)?.unwrap_or(1).max(1),
            // "A negative value SHALL be interpreted as "0"."
            "count" => self.count = integer("count", &value)?.map(|count| count.min(MAX_COUNT)),
            "sortby" if value.trim().is_empty() => {}
            "sortby" => self.sort_by = Some(value.trim().to_owned()),
            "sortorder" => {
                self.descending = match value.trim().to_ascii_lowercase().as_str() {
                    "" | "ascending" => false,
                    "descending" => true,
                    _ => {
                        return Err(Error::invalid_value(
                            "sortOrder must be ascending or descending.",
                        ));
                    }
                }
            }
            "cursor" => self.cursor = Some(value.trim().to_owned()),
            _ => {}
        }
        Ok(())
    }
}

/// Reads an integer; `None` for an empty value. A negative number becomes 0, and a number that is
/// too large becomes the largest one that all clients can read.
fn integer(name: &str, value: &str) -> Result<Option<usize>, Error> {
    let value = value.trim();
    if value.is_empty() {
        return Ok(None);
    }
    let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Error::invalid_value(format!("{name} must be an integer.")));
    }
    if value.starts_with('-') {
        return Ok(Some(0));
    }
    let max = i32::MAX.unsigned_abs() as usize;
    Ok(Some(digits.parse().map_or(max, |number: usize| number.min(max))))
}

fn wrong_type(name: &str) -> Error {
    Error::invalid_syntax(format!("The member {name} of the search request has the wrong type."))
}

/// The names in a comma-separated list.
fn names(list: &str) -> impl Iterator<Item = String> {
    list.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())
}
