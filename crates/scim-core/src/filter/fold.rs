//! How the strings of an attribute are compared and sorted.

use std::borrow::Cow;

use crate::canonical;
use crate::schema::place::AttributeRef;

/// How the strings of an attribute are folded before they are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fold {
    /// They are not folded: `caseExact` is true.
    Exact,
    /// To lower case: `caseExact` is false.
    IgnoreCase,
    /// userName: RFC 7644 section 5.
    UserName,
}

impl Fold {
    /// The rule for an attribute.
    pub(crate) fn of(place: &AttributeRef<'_>) -> Self {
        if place.is_user_name() {
            Self::UserName
        } else if place.compared_leaf().case_exact {
            Self::Exact
        } else {
            Self::IgnoreCase
        }
    }

    /// The folded form of a text.
    pub(crate) fn apply(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Exact => text.into(),
            Self::IgnoreCase if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) => {
                text.into()
            }
            Self::IgnoreCase => text.to_lowercase().into(),
            Self::UserName => {
                canonical::user_name(text).unwrap_or_else(|_| text.to_lowercase()).into()
            }
        }
    }
}
