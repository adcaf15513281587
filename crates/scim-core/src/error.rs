//! Errors that a client can be told about (RFC 7644, 3.12).

/// An error that a client can be told about.
///
/// `detail` is written for the administrator of the identity provider: it names the attribute by
/// its path in the message and says what to do. It never repeats a value that the client sent, and
/// never contains a message of the backend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Error {
    /// Decides the HTTP status and the `scimType` of the answer.
    pub kind: ErrorKind,
    /// "A detailed human-readable message." (RFC 7644, 3.12)
    pub detail: String,
    /// A stable word for the cause, for logs and tools; `None` if the kind says all. It is not
    /// sent.
    pub reason: Option<&'static str>,
    /// The path of the attribute that the error is about. It is not sent.
    pub attribute: Option<String>,
}

impl Error {
    /// An error with the sentence that the client sees.
    pub fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), reason: None, attribute: None }
    }

    /// The error with a stable word for its cause.
    #[must_use]
    pub fn because(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }

    /// The error with the path of the attribute that it is about.
    #[must_use]
    pub fn at(self, attribute: impl Into<String>) -> Self {
        Self { attribute: Some(attribute.into()), ..self }
    }
}

macro_rules! shorthand {
    ($($name:ident => $kind:ident),* $(,)?) => {
        impl Error {
            $(
                #[doc = concat!("[`ErrorKind::", stringify!($kind), "`] with its sentence.")]
                pub fn $name(detail: impl Into<String>) -> Self {
                    Self::new(ErrorKind::$kind, detail)
                }
            )*
        }
    };
}

shorthand! {
    invalid_filter => InvalidFilter,
    invalid_syntax => InvalidSyntax,
    invalid_path => InvalidPath,
    invalid_value => InvalidValue,
    mutability => Mutability,
    no_target => NoTarget,
    uniqueness => Uniqueness,
    not_found => NotFound,
    unavailable => Unavailable,
    internal => Internal,
}

/// The errors of RFC 7644 section 3.12, tables 8 and 9, those of RFC 9865, and the other statuses
/// that an HTTP API needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// "The specified filter syntax was invalid ..., or the specified attribute and filter
    /// comparison combination is not supported."
    InvalidFilter,
    /// "The specified filter yields many more results than the server is willing to calculate or
    /// process."
    TooMany,
    /// "One or more of the attribute values are already in use or are reserved."
    Uniqueness,
    /// "The attempted modification is not compatible with the target attribute's mutability or
    /// current state".
    Mutability,
    /// "The request body message structure was invalid or did not conform to the request schema."
    InvalidSyntax,
    /// "The "path" attribute was invalid or malformed".
    InvalidPath,
    /// "The specified "path" did not yield an attribute or attribute value that could be operated
    /// on."
    NoTarget,
    /// "A required value was missing, or the value specified was not compatible with the operation
    /// or attribute type ..., or resource schema".
    InvalidValue,
    /// "Cursor value is invalid." (RFC 9865, 2.1)
    InvalidCursor,
    /// "Cursor has expired." (RFC 9865, 2.1)
    ExpiredCursor,
    /// "Count value is invalid.  Count value must be between 0 and service provider's maxPageSize
    /// and must be equal to the count value of the initial query." (RFC 9865, 2.1)
    InvalidCount,
    /// A request that is malformed as HTTP, or that the gateway cannot transport.
    BadRequest,
    /// "Authorization failure. The authorization header is invalid or missing."
    Unauthorized,
    /// "Operation is not permitted based on the supplied authorization."
    Forbidden,
    /// "Specified resource (e.g., User) or endpoint does not exist."
    NotFound,
    /// The endpoint exists, but does not support the method.
    MethodNotAllowed,
    /// "The server did not receive a complete request message within the time that it was prepared
    /// to wait." (RFC 9110, 15.5.9)
    RequestTimeout,
    /// "The specified version number does not match the resource's latest version number, or a
    /// service provider refused to create a new, duplicate resource"; also bulk references that
    /// cannot be resolved.
    Conflict,
    /// "Failed to update. Resource has changed on the server."
    PreconditionFailed,
    /// "the user has sent too many requests in a given amount of time" (RFC 6585, 4);
    /// `Retry-After` says how long to wait.
    TooManyRequests,
    /// The message is larger than the service provider accepts.
    PayloadTooLarge,
    /// The `Content-Type` of the body is not JSON.
    UnsupportedMediaType,
    /// "An internal error.": a bug, which must be logged with its causes and raise an alarm.
    Internal,
    /// "Service provider does not support the request operation".
    NotImplemented,
    /// A dependency is out of reach. The client should send the same request again.
    Unavailable,
}

impl ErrorKind {
    /// The HTTP status and the `scimType` of the answer.
    pub const fn wire(self) -> (u16, Option<&'static str>) {
        match self {
            Self::InvalidFilter => (400, Some("invalidFilter")),
            Self::TooMany => (400, Some("tooMany")),
            Self::Uniqueness => (409, Some("uniqueness")),
            Self::Mutability => (400, Some("mutability")),
            Self::InvalidSyntax => (400, Some("invalidSyntax")),
            Self::InvalidPath => (400, Some("invalidPath")),
            Self::NoTarget => (400, Some("noTarget")),
            Self::InvalidValue => (400, Some("invalidValue")),
            Self::InvalidCursor => (400, Some("invalidCursor")),
            Self::ExpiredCursor => (400, Some("expiredCursor")),
            Self::InvalidCount => (400, Some("invalidCount")),
            Self::BadRequest => (400, None),
            Self::Unauthorized => (401, None),
            Self::Forbidden => (403, None),
            Self::NotFound => (404, None),
            Self::MethodNotAllowed => (405, None),
            Self::RequestTimeout => (408, None),
            Self::Conflict => (409, None),
            Self::PreconditionFailed => (412, None),
            Self::PayloadTooLarge => (413, None),
            Self::UnsupportedMediaType => (415, None),
            Self::TooManyRequests => (429, None),
            Self::Internal => (500, None),
            Self::NotImplemented => (501, None),
            Self::Unavailable => (503, None),
        }
    }
}
