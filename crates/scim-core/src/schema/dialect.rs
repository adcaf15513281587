//! How closely messages must follow the RFCs.

use crate::error::Error;
use crate::schema::near_miss::printable;

/// How closely messages must follow the RFCs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// Whether messages must follow the RFCs to the letter: string values in filters are quoted,
    /// operators have spaces around them, a removal finds something to remove, values have the
    /// types of the schema, and `schemas` names the schemas.
    pub strict: bool,
    /// What happens to an attribute that no schema defines. The error is `invalidSyntax`.
    pub unknown: Unknown,
    /// What happens to the path of a PATCH operation that no schema defines. The error is
    /// `invalidPath`.
    pub unknown_path: Unknown,
    /// Whether a PATCH `replace` creates the value that its filter does not find. If not, the
    /// error is `noTarget`.
    pub replace_creates: bool,
}

/// What happens to a name that no schema defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// It is ignored silently.
    Ignore,
    /// The message is refused.
    Refuse,
}

impl Default for Dialect {
    fn default() -> Self {
        Self::TOLERANT
    }
}

impl Dialect {
    /// Accepts the forms that identity providers send.
    pub const TOLERANT: Self = Self {
        strict: false,
        unknown: Unknown::Ignore,
        unknown_path: Unknown::Refuse,
        replace_creates: true,
    };
    /// Follows the RFCs to the letter.
    pub const STRICT: Self = Self {
        strict: true,
        unknown: Unknown::Refuse,
        unknown_path: Unknown::Refuse,
        replace_creates: false,
    };

    /// Decides about an attribute that no schema defines. `resembled` finds one with a similar
    /// name.
    pub(crate) fn check_unknown<'k>(
        self,
        name: &str,
        resembled: impl FnOnce() -> Option<&'k str>,
    ) -> Result<(), Error> {
        match self.unknown {
            Unknown::Ignore => Ok(()),
            Unknown::Refuse => Err(Error::invalid_syntax(format!(
                "No schema of this resource type defines the attribute {}; {}",
                printable(name),
                advice(resembled())
            ))
            .because("unknown-attribute")
            .at(printable(name))),
        }
    }
}

/// What to do about a name that no schema defines.
pub(crate) fn advice(resembled: Option<&str>) -> String {
    match resembled {
        Some(known) => format!("did you mean {known}?"),
        None => "remove it from the mapping.".to_owned(),
    }
}
