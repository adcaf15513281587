//! The number of a secret that tenants share.

use std::fmt;

/// The number of a secret that tenants share. A tenant moves only to a secret with a greater
/// number than that of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretNumber(u32);

impl SecretNumber {
    /// The first secret of a stack.
    pub const FIRST: Self = Self(1);

    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The number as a row's number.
    pub(in crate::store) fn get(self) -> i64 {
        self.0.into()
    }

    /// Reads a row's number.
    pub(in crate::store) fn read(number: i64) -> Option<Self> {
        u32::try_from(number).ok().filter(|number| *number >= Self::FIRST.0).map(Self)
    }
}

impl fmt::Display for SecretNumber {
    /// At least three digits, as in the names of secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_at_one_and_have_three_digits_or_more() {
        assert_eq!(SecretNumber::FIRST.to_string(), "001");
        assert_eq!(SecretNumber(999).next().to_string(), "1000");
        assert_eq!([-1, 0, 1].map(SecretNumber::read), [None, None, Some(SecretNumber::FIRST)]);
    }
}
