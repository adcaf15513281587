//! A page in the making: what matches is judged in the order of the query, all of it is counted, some
//! is kept.

use std::cmp::Ordering;

use scim_core::SortKey;
use scim_core::sort::compare;

use super::cursor::Cursor;
use crate::store::{Listed, PageRoom};

/// Where a page begins.
#[derive(Debug)]
pub(super) enum Start {
    /// Behind so many matching resources.
    Index(usize),
    /// At the first one, walking by cursor.
    First,
    After(Cursor),
}

/// A resource that matches.
#[derive(Debug)]
pub(super) struct Hit {
    /// The index of the scope that it is of.
    pub(super) scope: usize,
    /// Its key, where the query sorts.
    pub(super) key: Option<SortKey>,
    pub(super) resource: Listed,
}

/// The place of a resource in the order of a query.
pub(super) type Position = (Option<SortKey>, usize, String);

impl Hit {
    pub(super) fn place(&self) -> Position {
        (self.key.clone(), self.scope, self.resource.key.clone())
    }

    pub(super) fn compare(&self, other: &Hit, descending: bool) -> Ordering {
        order(&self.place(), &other.place(), descending)
    }
}

fn order(a: &Position, b: &Position, descending: bool) -> Ordering {
    let by_key = match (&a.0, &b.0) {
        (Some(a), Some(b)) => compare(a, b, descending),
        _ => Ordering::Equal,
    };
    by_key.then(a.1.cmp(&b.1)).then_with(|| a.2.cmp(&b.2))
}

#[derive(Debug)]
pub(super) struct Page {
    pub(super) start: Start,
    pub(super) count: usize,
    descending: bool,
    /// How many matching resources were judged.
    pub(super) judged: usize,
    /// How many match in all, as far as that is known.
    pub(super) total: Option<usize>,
    pub(super) hits: Vec<Hit>,
    room: PageRoom,
    /// Whether resources follow the page. Then nothing more is kept: pages have no holes.
    pub(super) more: bool,
    /// Where to go on if resources are left that were not looked at.
    pub(super) resume: Option<Position>,
}

impl Page {
    pub(super) fn new(start: Start, count: usize, descending: bool) -> Self {
        let room = PageRoom::default();
        Self { start, count, descending, judged: 0, total: None, hits: Vec::new(), room, more: false, resume: None }
    }

    /// Counts a matching resource, and keeps it if the page has begun and has room.
    pub(super) fn judge(&mut self, hit: Hit) {
        self.judged += 1;
        let begun = match &self.start {
            Start::Index(skip) => self.judged > *skip,
            Start::First => true,
            Start::After(cursor) => order(&hit.place(), &cursor.place(), self.descending).is_gt(),
        };
        if begun {
            self.keep(hit);
        }
    }

    /// Keeps a resource of the page, if there is room.
    pub(super) fn keep(&mut self, hit: Hit) {
        if self.more || self.hits.len() == self.count || !self.room.takes(hit.resource.bytes) {
            self.more = true;
            return;
        }
        self.hits.push(hit);
    }
}
