//! A table of the product's users.

/// A table of users that the product has: a line of names, and lines of as many cells.
///
/// The first of `id`, `externalId` and `userName` among the names is the key. `state` holds words
/// of the events' `state`, and `active` whether the user is active. All other names are SCIM paths
/// of single values.
#[derive(Debug, Clone, Default)]
pub struct DriftTable {
    /// The names of the columns.
    pub names: Vec<String>,
    /// The users.
    pub rows: Vec<DriftRow>,
}

/// A user of the product.
#[derive(Debug, Clone)]
pub struct DriftRow {
    /// Its line in the file, from 1.
    pub line: usize,
    /// Its cells; an empty one means that the product has no value.
    pub cells: Vec<String>,
}
