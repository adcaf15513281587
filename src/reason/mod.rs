//! Why requests are refused: one table of reasons, with a stable code, the cause, and what to click
//! in each identity provider. The API's answers, the log, the refusals in the table and
//! `docs/REFUSALS.md` use it.

mod clicks;
mod table;

use scim_core::{Error, ErrorKind};

pub use table::Reason;

/// The identity providers whose consoles the cures name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idp {
    /// Microsoft Entra ID.
    Entra,
    /// Okta.
    Okta,
    /// OneLogin.
    OneLogin,
    /// Google Workspace.
    Google,
    /// Any other one.
    Generic,
}

impl Idp {
    /// All of them, in the order of the cures.
    pub const ALL: [Self; 5] =
        [Self::Entra, Self::Okta, Self::OneLogin, Self::Google, Self::Generic];

    /// The identity provider that the setting `dialect.idp` names.
    pub fn of(setting: Option<&str>) -> Self {
        match setting {
            Some("entra") => Self::Entra,
            Some("okta") => Self::Okta,
            Some("onelogin") => Self::OneLogin,
            Some("google") => Self::Google,
            Some(_) | None => Self::Generic,
        }
    }

    /// Its name in a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Self::Entra => "Entra",
            Self::Okta => "Okta",
            Self::OneLogin => "OneLogin",
            Self::Google => "Google Workspace",
            Self::Generic => "the identity provider",
        }
    }
}

impl Reason {
    /// The reason of an error: that of its word, or else that of its kind.
    pub fn of(error: &Error) -> Self {
        error.reason.and_then(Self::from_code).unwrap_or_else(|| Self::of_kind(error.kind))
    }

    /// The reason with a code.
    pub fn from_code(code: &str) -> Option<Self> {
        table::TABLE.iter().find(|entry| entry.code == code).map(|entry| entry.reason)
    }

    /// All of them, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        table::TABLE.iter().map(|entry| entry.reason)
    }

    /// The stable word for logs and tools: it is never changed.
    pub fn code(self) -> &'static str {
        self.entry().map_or("internal", |entry| entry.code)
    }

    /// The HTTP status of its answers; 200 for what was dropped silently. The profile may answer
    /// `brake-on` with 429.
    pub fn status(self) -> u16 {
        let kind = self.entry().map_or(Some(ErrorKind::Internal), |entry| entry.kind);
        kind.map_or(200, |kind| kind.wire().0)
    }

    /// Why a request is refused, in one sentence for the operator.
    pub fn cause(self) -> &'static str {
        self.entry().map_or("", |entry| entry.cause)
    }

    /// What to do, and what to click in the identity provider.
    pub fn cure(self, idp: Idp) -> String {
        let click = self.click(idp).map(|click| format!(" {click}")).unwrap_or_default();
        format!("{}{click}", self.what_to_do())
    }

    /// What to do, whichever identity provider it is.
    pub fn what_to_do(self) -> &'static str {
        self.entry().map_or("", |entry| entry.cure)
    }

    /// What to click in the identity provider; `None` if that does not help.
    pub fn click(self, idp: Idp) -> Option<&'static str> {
        let clicks = Idp::ALL.into_iter().zip(self.entry()?.clicks);
        let mut clicks = clicks.filter(|(one, click)| *one == idp && !click.is_empty());
        clicks.next().map(|(_, click)| *click)
    }

    /// An error for this reason with the sentence of the table.
    pub fn error(self) -> Error {
        let sentence = self.entry().and_then(|entry| entry.sentence);
        self.with(sentence.unwrap_or_else(|| self.cause()))
    }

    /// An error for this reason with a sentence that names the details.
    pub fn with(self, detail: impl Into<String>) -> Error {
        let kind = self.entry().and_then(|entry| entry.kind).unwrap_or(ErrorKind::Internal);
        Error::new(kind, detail).because(self.code())
    }

    fn entry(self) -> Option<&'static table::Entry> {
        table::TABLE.iter().find(|entry| entry.reason == self)
    }

    /// The reason of an error without a word.
    fn of_kind(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::InvalidFilter => Self::InvalidFilter,
            ErrorKind::TooMany => Self::TooMuchWork,
            ErrorKind::Uniqueness => Self::ValueTaken,
            ErrorKind::Mutability => Self::ReadOnly,
            ErrorKind::InvalidSyntax => Self::MalformedMessage,
            ErrorKind::InvalidPath => Self::InvalidPath,
            ErrorKind::NoTarget => Self::NoTarget,
            ErrorKind::InvalidValue => Self::InvalidValue,
            ErrorKind::InvalidCursor | ErrorKind::ExpiredCursor | ErrorKind::InvalidCount => {
                Self::InvalidCursor
            }
            ErrorKind::BadRequest => Self::MalformedRequest,
            ErrorKind::Unauthorized => Self::TokenRefused,
            ErrorKind::Forbidden => Self::OperationOff,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::MethodNotAllowed => Self::MethodNotAllowed,
            ErrorKind::RequestTimeout => Self::BodyTooSlow,
            ErrorKind::Conflict => Self::ReferenceUnresolved,
            ErrorKind::PreconditionFailed => Self::StaleVersion,
            ErrorKind::TooManyRequests => Self::BrakeOn,
            ErrorKind::PayloadTooLarge => Self::TooLarge,
            ErrorKind::UnsupportedMediaType => Self::NotJson,
            ErrorKind::Internal => Self::Internal,
            ErrorKind::NotImplemented => Self::NotImplemented,
            ErrorKind::Unavailable => Self::DatabaseUnavailable,
        }
    }
}
