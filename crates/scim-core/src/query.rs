//! The parameters of a query (RFC 7644, 3.4.2).

use crate::error::Error;

/// Most resources in one page; "ask for more" is not an error, `itemsPerPage` tells.
pub const MAX_COUNT: usize = 200;
/// How many resources a page has if the client does not say.
pub const DEFAULT_COUNT: usize = 100;

/// What a client asks of a list, or of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The filter's text.
    pub filter: Option<String>,
    /// "The 1-based index of the first query result."
    pub start_index: usize,
    /// How many resources to return at most, at most [`MAX_COUNT`].
    pub count: usize,
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
            count: DEFAULT_COUNT,
            attributes: Vec::new(),
            excluded_attributes: Vec::new(),
        }
    }
}

impl Query {
    /// Reads decoded query parameters; unknown ones are ignored, repeated lists add up.
    ///
    /// # Errors
    /// `invalidValue` if `startIndex` or `count` is no integer, `invalidFilter` if there are two
    /// filters.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, Error> {
        let mut query = Self::default();
        for (name, value) in pairs {
            match name.to_ascii_lowercase().as_str() {
                "filter" if value.trim().is_empty() => {}
                "filter" if query.filter.is_some() => {
                    return Err(Error::invalid_filter("The query has two filters; join them with and."));
                }
                "filter" => query.filter = Some(value),
                // "A value less than 1 SHALL be interpreted as 1."
                "startindex" => query.start_index = integer("startIndex", &value)?.unwrap_or(1).max(1),
                // "A negative value SHALL be interpreted as "0"."
                "count" => query.count = integer("count", &value)?.unwrap_or(DEFAULT_COUNT).min(MAX_COUNT),
                "attributes" => query.attributes.extend(names(&value)),
                "excludedattributes" => query.excluded_attributes.extend(names(&value)),
                _ => {}
            }
        }
        Ok(query)
    }
}

/// An integer, negative ones as 0; `None` for an empty value.
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
    Ok(Some(digits.parse().unwrap_or(usize::MAX)))
}

fn names(list: &str) -> impl Iterator<Item = String> {
    list.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())
}
