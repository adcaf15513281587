//! Where matching resources go. They are judged in the order of the query; all of them are counted,
//! and those of the page are kept.

use scim_core::{Error, ErrorKind, SortKey};

use super::cursor::Cursor;
use super::position::{Hit, Position};
use crate::directory::limits::MAX_SORTED_BYTES;
use crate::store::PageRoom;

/// Where a page begins.
#[derive(Debug)]
pub(super) enum Start {
    /// After this many matching resources.
    Index(usize),
    /// At the first one, in a walk by cursor.
    First,
    /// Where the cursor says.
    After(Cursor),
}

#[derive(Debug)]
pub(super) struct Page {
    pub(super) start: Start,
    /// How many resources the client asked for, at most.
    pub(super) count: usize,
    descending: bool,
    /// How many matching resources were judged.
    judged: usize,
    /// How many match in total, if that is known.
    pub(super) total: Option<usize>,
    pub(super) hits: Vec<Hit>,
    room: PageRoom,
    /// Whether resources follow the page. Once this is set, nothing more is kept, so a page has no
    /// gaps.
    pub(super) more: bool,
    /// Where to continue, if some resources were not looked at.
    pub(super) resume: Option<Position>,
}

impl Page {
    pub(super) fn new(start: Start, count: usize, descending: bool) -> Self {
        Self {
            start,
            count,
            descending,
            judged: 0,
            total: None,
            hits: Vec::new(),
            room: PageRoom::default(),
            more: false,
            resume: None,
        }
    }

    /// Counts a matching resource, and keeps it if it belongs to the page and there is room.
    fn judge(&mut self, hit: Hit) {
        self.judged += 1;
        let begun = match &self.start {
            Start::Index(skip) => self.judged > *skip,
            Start::First => true,
            Start::After(cursor) => {
                hit.borrowed().compare(cursor.position(), self.descending).is_gt()
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

/// How many of the resources a request looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coverage {
    /// All of them: every match is counted, even after the page is full.
    All,
    /// As many as it takes to fill the page. The total is known from the first request of the walk.
    Page,
    /// Some of them: another request continues with the rest.
    Part,
}

/// Takes the resources that match: directly into the page, or first into a buffer that is sorted.
#[derive(Debug)]
pub(super) struct Sink {
    pub(super) page: Page,
    /// The resources that are yet to be sorted, if the query sorts.
    unsorted: Option<Vec<Hit>>,
    /// The size of these resources, in bytes.
    bytes: usize,
    /// How many resources may still be looked at.
    pub(super) left: usize,
    coverage: Coverage,
    /// Whether this request has reached the end of a resource type.
    ended_a_type: bool,
}

impl Sink {
    pub(super) fn new(page: Page, sorts: bool, left: usize) -> Self {
        // In a walk, only the first request counts, and only if it looks at all resources.
        let counts = sorts || !matches!(page.start, Start::After(_));
        Self {
            page,
            unsorted: sorts.then(Vec::new),
            bytes: 0,
            left,
            coverage: if counts { Coverage::All } else { Coverage::Page },
            ended_a_type: false,
        }
    }

    pub(super) fn sorts(&self) -> bool {
        self.unsorted.is_some()
    }

    /// Whether resources may be left for another request.
    pub(super) fn walks(&self) -> bool {
        self.unsorted.is_none() && !matches!(self.page.start, Start::Index(_))
    }

    /// Whether the page already has a resource.
    pub(super) fn has_found(&self) -> bool {
        !self.page.hits.is_empty()
    }

    /// Whether the page is full and the other matches need not be counted.
    pub(super) fn is_full(&self) -> bool {
        self.page.more && self.coverage != Coverage::All
    }

    /// Whether some resources are left for another request.
    pub(super) fn is_partial(&self) -> bool {
        self.coverage == Coverage::Part
    }

    /// Records that some resources are left for another request.
    pub(super) fn leave_rest(&mut self) {
        self.coverage = Coverage::Part;
    }

    /// Records that all resources of a type were looked at.
    pub(super) fn end_type(&mut self) {
        self.ended_a_type = true;
    }

    /// Whether this request has reached the end of a resource type.
    pub(super) fn has_ended_a_type(&self) -> bool {
        self.ended_a_type
    }

    /// How many resources the first call should read: in a walk that does not count, as many as the
    /// page holds and one more, since all of them may match.
    pub(super) fn first_read(&self) -> Option<usize> {
        (self.coverage != Coverage::All).then_some(self.page.count + 1)
    }

    /// # Errors
    /// `tooMany` if the resources are too large to be sorted.
    pub(super) fn take(&mut self, hit: Hit) -> Result<(), Error> {
        let Some(unsorted) = &mut self.unsorted else {
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
        unsorted.push(hit);
        Ok(())
    }

    /// The page, once every match has been added.
    pub(super) fn finish(self, descending: bool) -> Page {
        let Self { mut page, unsorted, coverage, .. } = self;
        let sorts = unsorted.is_some();
        let mut hits = unsorted.unwrap_or_default();
        hits.sort_by(|one, other| one.borrowed().compare(other.borrowed(), descending));
        hits.into_iter().for_each(|hit| page.judge(hit));
        page.total = match &page.start {
            Start::After(cursor) if !sorts => cursor.total,
            _ => (coverage != Coverage::Part).then_some(page.judged),
        };
        page
    }
}
