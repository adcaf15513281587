//! The kind of each row, in its attribute `k`.

use crate::store::engine::item::{Key, Row};
use crate::store::model::collection::Kind;

/// What a row is. A consumer of the table's stream goes by this letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowKind {
    User,
    Group,
    /// A resource of another type.
    Other,
    Claim,
    Head,
    Member,
    Membership,
    /// Memberships that ended because a user was deleted.
    Past,
    ExternalId,
    UniqueValue,
    Email,
    Due,
    Counters,
    Seats,
    Brake,
    Log,
    Tenant,
    TenantName,
    Token,
    NewestSecret,
    Unfinished,
    Resync,
    Refusals,
}

impl From<&Kind> for RowKind {
    fn from(kind: &Kind) -> Self {
        match kind {
            Kind::User => Self::User,
            Kind::Group => Self::Group,
            Kind::Other(_) => Self::Other,
        }
    }
}

impl RowKind {
    const ALL: [Self; 23] = [
        Self::User,
        Self::Group,
        Self::Other,
        Self::Claim,
        Self::Head,
        Self::Member,
        Self::Membership,
        Self::Past,
        Self::ExternalId,
        Self::UniqueValue,
        Self::Email,
        Self::Due,
        Self::Counters,
        Self::Seats,
        Self::Brake,
        Self::Log,
        Self::Tenant,
        Self::TenantName,
        Self::Token,
        Self::NewestSecret,
        Self::Unfinished,
        Self::Resync,
        Self::Refusals,
    ];

    /// The kind of a letter; `None` for a letter that this release does not know.
    pub(crate) fn of(letter: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.letter() == letter)
    }

    /// A row of this kind without attributes of its own.
    pub(crate) fn row(self, key: Key) -> Row {
        Row::new(self.letter(), key)
    }

    /// The letter in the row's `k`. Where a partition has rows of one kind, it is the letter of the
    /// partition.
    fn letter(self) -> &'static str {
        match self {
            Self::User => "U",
            Self::Group => "G",
            Self::Other => "Z",
            Self::Claim => "K",
            Self::Head => "H",
            Self::Member => "M",
            Self::Membership => "R",
            Self::Past => "P",
            Self::ExternalId => "X",
            Self::UniqueValue => "Q",
            Self::Email => "E",
            Self::Due => "D",
            Self::Counters => "C",
            Self::Seats => "S",
            Self::Brake => "B",
            Self::Log => "L",
            Self::Tenant => "T",
            Self::TenantName => "N",
            Self::Token => "A",
            Self::NewestSecret => "O",
            Self::Unfinished => "W",
            Self::Resync => "Y",
            Self::Refusals => "F",
        }
    }
}
