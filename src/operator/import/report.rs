//! What an import did, or would do, record by record.

use std::collections::BTreeSet;

use scim_core::ResourceId;

use crate::directory::candidates::Key;

/// What an import does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Users are stored.
    Store,
    /// Nothing is stored: the report says what would be.
    DryRun,
}

/// What becomes of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordOutcome {
    /// It is stored, or would be.
    Imported,
    /// An earlier run stored it under this id.
    Known(ResourceId),
    /// The identity provider has provisioned this user already.
    Provisioned {
        /// The user's id.
        id: ResourceId,
        /// The key that it shares with the record.
        by: Key,
    },
    /// Another user has one of its names, or it is unclear which user it is.
    Conflict(Conflict),
    /// It is not a valid user.
    Invalid(String),
}

impl From<Conflict> for RecordOutcome {
    fn from(conflict: Conflict) -> Self {
        Self::Conflict(conflict)
    }
}

/// Why a record conflicts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Another record has the same key.
    #[error("line {line} has the same {}; it is unclear which user is meant", match key {
        Key::VerifiedEmail => "e-mail",
        key => key.as_str(),
    })]
    SameInFile {
        /// The other record's line.
        line: usize,
        /// The key.
        key: Key,
    },
    /// The user was imported before, under another id than the record's.
    #[error("it was imported before under the id {0}")]
    ImportedUnder(ResourceId),
    /// Another imported user has the record's externalId or e-mail address.
    #[error("the imported user {0} has the same externalId or e-mail under another userName")]
    ImportedNamesake(ResourceId),
    /// A provisioned user shares a key that does not prove that it is the same user.
    #[error(
        "the identity provider has already provisioned {id} with the same {key}, which may be \
         another user"
    )]
    ProvisionedNamesake {
        /// The provisioned user.
        id: ResourceId,
        /// The key.
        key: Key,
    },
    /// Two provisioned users share a key with the record.
    #[error(
        "the identity provider has provisioned {one} with the same {one_key} and {other} with the \
         same {other_key}; it is unclear which user is meant"
    )]
    TwoProvisioned {
        /// A provisioned user.
        one: ResourceId,
        /// The key that it shares.
        one_key: Key,
        /// Another one.
        other: ResourceId,
        /// The key that this one shares.
        other_key: Key,
    },
    /// A deleted user has the record's userName or externalId, and can be restored.
    #[error("the identity provider has deleted {0} with the same userName or externalId")]
    Deleted(ResourceId),
    /// A user of another userName has the record's id.
    #[error("a user with another userName has this id already")]
    IdTaken,
    /// A group names the record's id: the user would be a member that no one has added.
    #[error("a group names this id as a member, or did until its deletion is finished")]
    IdInGroup,
    /// Another user took one of the names while the import ran.
    #[error("another user has one of its names, or had until it was deleted")]
    NameTaken,
}

/// A record in the report.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its line in the file, from 1.
    pub number: usize,
    /// Its userName as the record has it.
    pub user_name: String,
    /// The id that it has, or would have.
    pub id: Option<ResourceId>,
    /// The outcome for it.
    pub outcome: RecordOutcome,
    /// The keys by which a POST would adopt it, the best first. Empty if the tenant's profile does
    /// not adopt imported users.
    pub links_on: Vec<Key>,
}

impl Line {
    pub(super) fn new(number: usize, user_name: String) -> Self {
        let (id, links_on) = (None, Vec::new());
        Self { number, user_name, id, outcome: RecordOutcome::Imported, links_on }
    }

    /// Whether the record was not imported, now or before.
    pub fn is_fault(&self) -> bool {
        matches!(self.outcome, RecordOutcome::Conflict(_) | RecordOutcome::Invalid(_))
    }
}

/// The outcome for all records.
#[derive(Debug, Clone)]
pub struct Report {
    /// Whether users were stored.
    pub mode: Mode,
    /// Whether a POST adopts imported users in this tenant.
    pub links: bool,
    /// Attributes in the records that the tenant does not keep.
    pub left_out: BTreeSet<String>,
    /// The records in their order.
    pub lines: Vec<Line>,
}

/// How many records have each outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// [`RecordOutcome::Imported`].
    pub imported: usize,
    /// [`RecordOutcome::Known`].
    pub known: usize,
    /// [`RecordOutcome::Provisioned`].
    pub provisioned: usize,
    /// [`RecordOutcome::Conflict`].
    pub conflicts: usize,
    /// [`RecordOutcome::Invalid`].
    pub invalid: usize,
}

impl Report {
    /// How many records were not imported.
    pub fn faults(&self) -> usize {
        self.lines.iter().filter(|line| line.is_fault()).count()
    }

    /// Whether all records were imported, now or before.
    pub fn is_clean(&self) -> bool {
        self.faults() == 0
    }

    /// How many records have each outcome.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for line in &self.lines {
            let count = match &line.outcome {
                RecordOutcome::Imported => &mut counts.imported,
                RecordOutcome::Known(_) => &mut counts.known,
                RecordOutcome::Provisioned { .. } => &mut counts.provisioned,
                RecordOutcome::Conflict(_) => &mut counts.conflicts,
                RecordOutcome::Invalid(_) => &mut counts.invalid,
            };
            *count += 1;
        }
        counts
    }
}
