//! How a table differs from the directory.

use scim_core::ResourceId;
use serde_json::Value;

/// A difference of one user.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The user's key, as keys are compared; its id if it has no value for the key.
    pub key: String,
    /// The user's id; `None` for a user who is not in the directory, unless the key is the id.
    pub id: Option<ResourceId>,
    /// Its userName in the directory; empty if it is not there.
    pub name: String,
    /// Its line in the table; `None` if it is not there.
    pub line: Option<usize>,
    /// What differs.
    pub what: What,
}

/// What differs.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// The user is in the directory, in this state, and not in the table.
    Missing(&'static str),
    /// The user is in the table and not in the directory.
    Surplus,
    /// The states differ.
    State {
        /// The state in the table; `active`, `inactive` or `present` if it does not name one.
        file: &'static str,
        /// The state in the directory.
        directory: &'static str,
    },
    /// The values of an attribute differ.
    Attribute {
        /// The attribute's path.
        path: String,
        /// The value in the table, if it has one.
        file: Option<Value>,
        /// The value in the directory, if it has one.
        directory: Option<Value>,
    },
}

impl What {
    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Missing(_) => "missing",
            Self::Surplus => "surplus",
            Self::State { .. } => "state",
            Self::Attribute { .. } => "attribute",
        }
    }

    fn path(&self) -> &str {
        if let Self::Attribute { path, .. } = self { path } else { "" }
    }
}

/// The differences between a table and the directory.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftReport {
    /// The name of the key's column.
    pub key: &'static str,
    /// Users of the directory that were compared, in whatever state.
    pub users: usize,
    /// Those of them that the table may lack: deleted, unmanaged and expired ones.
    pub hidden: usize,
    /// Users of the table.
    pub rows: usize,
    /// The differences, in the order of the keys.
    pub differences: Vec<Difference>,
}

/// How many differences there are of each sort.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the sorts")]
pub struct DriftCounts {
    pub missing: usize,
    pub surplus: usize,
    pub state: usize,
    pub attribute: usize,
}

impl DriftReport {
    pub(super) fn new(key: &'static str) -> Self {
        Self { key, users: 0, hidden: 0, rows: 0, differences: Vec::new() }
    }

    pub(super) fn sort(&mut self) {
        let order = |difference: &Difference| {
            let Difference { key, name, what, .. } = difference;
            (key.clone(), what.word(), what.path().to_owned(), name.clone())
        };
        self.differences.sort_by_cached_key(order);
    }

    /// How many differences there are of each sort.
    pub fn counts(&self) -> DriftCounts {
        let mut counts = DriftCounts::default();
        for difference in &self.differences {
            match difference.what {
                What::Missing(_) => counts.missing += 1,
                What::Surplus => counts.surplus += 1,
                What::State { .. } => counts.state += 1,
                What::Attribute { .. } => counts.attribute += 1,
            }
        }
        counts
    }

    /// The ids of the users who differ, each once. A user who is not in the directory has one only
    /// if the key is the id.
    pub fn ids(&self) -> Vec<ResourceId> {
        let mut ids: Vec<_> =
            self.differences.iter().filter_map(|found| found.id.clone()).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// How many of the users who differ have no id here.
    pub fn without_id(&self) -> usize {
        self.differences.iter().filter(|found| found.id.is_none()).count()
    }
}
