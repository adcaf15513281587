//! Parts of a partition that are read side by side. Ids begin with a keyed hash, so they spread evenly
//! over their first digits.

use super::keys::{FIRST, LAST};

/// How the first digits of ids are cut into at most sixteen parts.
const DIGITS: &str = "0123456789abcdef";

/// The sort keys from one to another, both included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    pub(super) from: String,
    pub(super) to: String,
}

impl KeyRange {
    /// All ids.
    pub(super) fn all() -> Self {
        Self { from: FIRST.to_owned(), to: LAST.to_owned() }
    }

    /// The keys from `from` on.
    pub(super) fn from(from: impl Into<String>) -> Self {
        Self { from: from.into(), to: LAST.to_owned() }
    }

    /// All ids in `parts` parts of about equal size, at least one and at most sixteen.
    pub(super) fn parts(parts: usize) -> Vec<Self> {
        let parts = parts.clamp(1, DIGITS.len());
        let mut cuts: Vec<&str> = (1..parts).filter_map(|part| DIGITS.get(part * DIGITS.len() / parts..)).collect();
        cuts.iter_mut().for_each(|cut| *cut = cut.get(..1).unwrap_or(LAST));
        let from = std::iter::once(FIRST).chain(cuts.iter().copied());
        let to = cuts.iter().copied().chain(std::iter::once(LAST));
        // No id is a single digit, so that a cut belongs to nobody.
        from.zip(to).map(|(from, to)| Self { from: from.to_owned(), to: to.to_owned() }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_hold_all_ids_and_share_none() {
        for parts in [0, 1, 2, 3, 4, 16, 99] {
            let ranges = KeyRange::parts(parts);
            assert_eq!(ranges.len(), parts.clamp(1, 16));
            assert_eq!((ranges[0].from.as_str(), ranges[ranges.len() - 1].to.as_str()), (FIRST, LAST));
            assert!(ranges.windows(2).all(|pair| pair[0].to == pair[1].from && pair[0].from < pair[1].from));
        }
        assert_eq!(KeyRange::parts(4)[1], KeyRange { from: "4".into(), to: "8".into() });
    }
}
