//! The position of a resource in the order of a query.

use std::cmp::Ordering;

use scim_core::SortKey;

use crate::store::Listed;

/// Positions are ordered by the sort key, if the query sorts; then by the resource type, then by
/// the key of the row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Position {
    /// What the query sorts by.
    pub(super) sort_key: Option<SortKey>,
    /// The index of the resource type, if several are queried.
    pub(super) scope: usize,
    /// The key of the row, or a text that sorts between two.
    pub(super) key: String,
}

impl Position {
    /// The position of a row in the order of keys.
    pub(super) fn of_key(scope: usize, key: String) -> Self {
        Self { sort_key: None, scope, key }
    }
}

/// A borrowed position.
#[derive(Debug, Clone, Copy)]
pub(super) struct PositionRef<'a> {
    pub(super) sort_key: Option<&'a SortKey>,
    pub(super) scope: usize,
    pub(super) key: &'a str,
}

impl PositionRef<'_> {
    pub(super) fn compare(self, other: PositionRef<'_>, descending: bool) -> Ordering {
        let by_sort_key = match (self.sort_key, other.sort_key) {
            (Some(one), Some(other)) if descending => other.compare(one),
            (Some(one), Some(other)) => one.compare(other),
            (None, _) | (_, None) => Ordering::Equal,
        };
        by_sort_key.then(self.scope.cmp(&other.scope)).then_with(|| self.key.cmp(other.key))
    }
}

/// A resource that matches.
#[derive(Debug)]
pub(super) struct Hit {
    /// The index of its scope.
    pub(super) scope: usize,
    /// What the query sorts it by.
    pub(super) sort_key: Option<SortKey>,
    pub(super) row: Listed,
}

impl Hit {
    pub(super) fn position(&self) -> Position {
        Position { sort_key: self.sort_key.clone(), scope: self.scope, key: self.row.key.clone() }
    }

    pub(super) fn borrowed(&self) -> PositionRef<'_> {
        PositionRef { sort_key: self.sort_key.as_ref(), scope: self.scope, key: &self.row.key }
    }
}
