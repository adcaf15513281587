//! Where resources that pass go: what matches is judged in the order of the query, all of it is
//! counted, some is kept.

use scim_core::{Error, ErrorKind, SortKey};

use super::cursor::Cursor;
use super::position::{Hit, Position};
use crate::directory::limits::MAX_SORTED_BYTES;
use crate::store::PageRoom;

/// Where a page begins.
#[derive(Debug)]
pub(super) enum Start {
    /// Behind this number of matching resources.
    Index(usize),
    /// At the first one, walking by cursor.
    First,
    After(Cursor),
}

#[derive(Debug)]
pub(super) struct Page {
    pub(super) start: Start,
    pub(super) count: usize,
    descending: bool,
    /// How many matching resources were judged.
    judged: usize,
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
        Self {
            start,
            count,
            descending,
            judged: 0,
            total: None,
            hits: Vec::new(),
            room,
            more: false,
            resume: None,
        }
    }

    /// Counts a matching resource, and keeps it if the page has begun and has room.
    fn judge(&mut self, hit: Hit) {
        self.judged += 1;
        let begun = match &self.start {
            Start::Index(skip) => self.judged > *skip,
            Start::First => true,
            Start::After(cursor) => {
                hit.borrowed().compare(cursor.position().borrowed(), self.descending).is_gt()
            }
        };
        if begun {
            self.keep(hit);
        }
    }

    /// Keeps a resource of the page, if there is room.
    pub(super) fn keep(&mut self, hit: Hit) {
        if self.more || self.hits.len() == self.count || !self.room.takes(hit.row.bytes()) {
            self.more = true;
            return;
        }
        self.hits.push(hit);
    }
}

/// Takes what passes: into the page at once, or first into a buffer that is sorted.
#[derive(Debug)]
pub(super) struct Sink {
    pub(super) page: Page,
    /// Resources that wait for being sorted, if the query sorts.
    waiting: Option<Vec<Hit>>,
    /// Bytes of those.
    bytes: usize,
    /// How many resources may still be looked at.
    pub(super) left: usize,
    /// Whether all resources were looked at that the query asks for.
    pub(super) whole: bool,
    /// Whether all that match are counted, more than the page shows.
    pub(super) counts: bool,
    /// Whether a resource type was looked at to its end in this request.
    pub(super) advanced: bool,
}

impl Sink {
    pub(super) fn new(page: Page, sorts: bool, left: usize) -> Self {
        // Only the first request of a walk counts, if it looks at all resources.
        let counts = sorts || !matches!(page.start, Start::After(_));
        Self {
            page,
            waiting: sorts.then(Vec::new),
            bytes: 0,
            left,
            whole: true,
            counts,
            advanced: false,
        }
    }

    pub(super) fn sorts(&self) -> bool {
        self.waiting.is_some()
    }

    /// Whether resources may be left for another request.
    pub(super) fn walks(&self) -> bool {
        self.waiting.is_none() && !matches!(self.page.start, Start::Index(_))
    }

    /// Whether the page shows something already.
    pub(super) fn has_found(&self) -> bool {
        !self.page.hits.is_empty()
    }

    /// Whether the page is full, and nothing else is asked for.
    pub(super) fn is_full(&self) -> bool {
        self.page.more && !self.counts
    }

    /// # Errors
    /// `tooMany` if the resources are too large to be sorted.
    pub(super) fn take(&mut self, hit: Hit) -> Result<(), Error> {
        let Some(waiting) = &mut self.waiting else {
            self.page.judge(hit);
            return Ok(());
        };
        let sort_key = match &hit.sort_key {
            Some(SortKey::Text(text)) => text.len(),
            _ => 0,
        };
        self.bytes += hit.row.bytes() + sort_key;
        if self.bytes > MAX_SORTED_BYTES {
            return Err(Error::new(
                ErrorKind::TooMany,
                "The resources are too large to be sorted; omit sortBy.",
            ));
        }
        waiting.push(hit);
        Ok(())
    }

    /// The page, when everything was taken.
    pub(super) fn finish(self, descending: bool) -> Page {
        let Self { mut page, waiting, whole, .. } = self;
        let sorts = waiting.is_some();
        let mut waiting = waiting.unwrap_or_default();
        waiting.sort_by(|one, other| one.borrowed().compare(other.borrowed(), descending));
        waiting.into_iter().for_each(|hit| page.judge(hit));
        page.total = match &page.start {
            Start::After(cursor) if !sorts => cursor.total,
            _ => whole.then_some(page.judged),
        };
        page
    }
}
