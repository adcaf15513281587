//! The facts of a change that are logged.

use std::time::Duration;

/// The actor of what the operator does.
pub const OPERATOR: &str = "operator";
/// The actor of what happens because a time has come.
pub const EXPIRY: &str = "expiry";

/// A kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the protocol's")]
pub enum Operation {
    Create,
    Replace,
    Patch,
    Delete,
    Restore,
    /// An existing user of the product is imported, without the identity provider's involvement.
    Import,
    /// The identity provider provisions an imported user.
    Link,
    /// A user who was suspended with expiry is erased.
    Expire,
    /// The brake stops deactivations.
    Brake,
    /// The operator allows deactivations again.
    Lift,
    /// The operator has the product told what the directory holds.
    Resync,
    /// The operator switches SCIM on for a tenant.
    Enable,
    /// The operator switches SCIM off for a tenant.
    Disable,
    /// The operator changes a tenant's profile.
    Profile,
    /// The operator exports users.
    Export,
    /// The operator mints a token.
    Mint,
    /// The operator has a token shown again.
    Reveal,
    /// The operator revokes a token.
    Revoke,
    /// A token gets an earlier end, because another one replaces it.
    Rotate,
    /// The operator moves a tenant's tokens to another secret.
    Move,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::Create,
        Self::Replace,
        Self::Patch,
        Self::Delete,
        Self::Restore,
        Self::Import,
        Self::Link,
        Self::Expire,
        Self::Brake,
        Self::Lift,
        Self::Resync,
        Self::Enable,
        Self::Disable,
        Self::Profile,
        Self::Export,
        Self::Mint,
        Self::Reveal,
        Self::Revoke,
        Self::Rotate,
        Self::Move,
    ];

    /// The words of all of them.
    pub fn words() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(Self::as_str)
    }

    /// The operation of a word; `None` for a word that this release does not know.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.as_str() == word)
    }

    /// The word in the `ev` of a row and in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::Restore => "restore",
            Self::Import => "import",
            Self::Link => "link",
            Self::Expire => "expire",
            Self::Brake => "brake",
            Self::Lift => "lift",
            Self::Resync => "resync",
            Self::Enable => "enable",
            Self::Disable => "disable",
            Self::Profile => "profile",
            Self::Export => "export",
            Self::Mint => "mint",
            Self::Reveal => "reveal",
            Self::Revoke => "revoke",
            Self::Rotate => "rotate",
            Self::Move => "move",
        }
    }
}

/// What an event says about a change in addition to its kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Detail {
    /// The attribute by which an imported user was recognised.
    pub matched_on: Option<&'static str>,
    /// Whether the user is inactive because no seat was left.
    pub no_seat: bool,
}

impl Detail {
    /// The attributes by which an imported user is recognised.
    pub const LINK_KEYS: [&'static str; 3] = ["externalId", "userName", "email"];
    /// The word for a user without a seat.
    const NO_SEAT: &'static str = "noSeat";

    /// The words after the operation in the `ev` of a row.
    pub(in crate::store) fn words(self) -> impl Iterator<Item = &'static str> {
        self.matched_on.into_iter().chain(self.no_seat.then_some(Self::NO_SEAT))
    }

    /// The detail of these words. Those that this release does not know are passed over.
    pub(in crate::store) fn of<'w>(words: impl Iterator<Item = &'w str>) -> Self {
        words.fold(Self::default(), |detail, word| {
            let key = Self::LINK_KEYS.into_iter().find(|key| *key == word);
            let no_seat = detail.no_seat || word == Self::NO_SEAT;
            Self { matched_on: key.or(detail.matched_on), no_seat }
        })
    }
}

/// The actor, the request and the time of a change, for the log row and the changed row.
#[derive(Debug, Clone)]
pub struct Audit {
    /// The kind of change.
    pub operation: Operation,
    /// What more there is to say about it.
    pub detail: Detail,
    /// A token's id, `operator`, or `expiry`.
    pub actor: String,
    /// The id of the request.
    pub request_id: String,
    /// The time of the change, in seconds since 1970.
    pub now: i64,
    /// The same in milliseconds.
    pub milliseconds: i64,
    /// When the log row may be removed, in seconds since 1970.
    pub log_expires: i64,
}

impl Audit {
    /// A change at this time, in milliseconds since 1970; the log keeps it for `retention`.
    pub fn new(
        operation: Operation,
        actor: &str,
        request_id: &str,
        milliseconds: i64,
        retention: Duration,
    ) -> Self {
        let now = milliseconds / 1_000;
        let retention = i64::try_from(retention.as_secs()).unwrap_or(i64::MAX);
        Self {
            operation,
            detail: Detail::default(),
            actor: actor.to_owned(),
            request_id: request_id.to_owned(),
            now,
            milliseconds,
            log_expires: now.saturating_add(retention),
        }
    }

    /// The same with a detail.
    #[must_use]
    pub fn with(self, detail: Detail) -> Self {
        Self { detail, ..self }
    }
}
