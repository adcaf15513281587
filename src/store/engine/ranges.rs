//! Parts of a partition that are read in parallel. All sort keys of resources and of members begin
//! with a keyed hash, so they are spread evenly over their first digits.

/// A sort key before that of every resource: those begin with a hexadecimal digit.
pub(crate) const FIRST: &str = "-";
/// A sort key after all of them.
pub(crate) const LAST: &str = "~";

/// Maximum number of parts that ids are cut into.
pub(crate) const MAX_PARTS: usize = 16;
/// The first digits of ids.
const DIGITS: [u8; MAX_PARTS] = *b"0123456789abcdef";

/// The sort keys from one to another, inclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    pub(in crate::store) from: String,
    pub(in crate::store) to: String,
}

impl KeyRange {
    /// The first key of the range, or a text before it.
    pub fn begin(&self) -> &str {
        &self.from
    }

    /// All ids.
    pub(in crate::store) fn all() -> Self {
        Self { from: FIRST.to_owned(), to: LAST.to_owned() }
    }

    /// The keys from `from` on.
    pub(in crate::store) fn from(from: impl Into<String>) -> Self {
        Self { from: from.into(), to: LAST.to_owned() }
    }

    /// All ids in `parts` parts of about equal size, at least one and at most sixteen.
    pub(in crate::store) fn parts(parts: usize) -> Vec<Self> {
        let parts = parts.clamp(1, MAX_PARTS);
        let cuts: Vec<u8> =
            (1..parts).filter_map(|part| DIGITS.get(part * MAX_PARTS / parts).copied()).collect();
        let from = cuts.iter().map(|digit| char::from(*digit).to_string());
        // Nothing sorts between the texts that begin with the character before the digit and the
        // digit itself.
        let to = cuts.iter().map(|digit| format!("{}{LAST}", char::from(digit - 1)));
        let from = std::iter::once(FIRST.to_owned()).chain(from);
        from.zip(to.chain(std::iter::once(LAST.to_owned())))
            .map(|(from, to)| Self { from, to })
            .collect()
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
            assert_eq!(
                (ranges[0].from.as_str(), ranges[ranges.len() - 1].to.as_str()),
                (FIRST, LAST)
            );
            for key in ["0", "00", "3f", "3~", "4", "9", "9~", "a", "abc", "f", "ff", "ff~"] {
                let holding =
                    ranges.iter().filter(|range| *range.from <= *key && *key <= *range.to).count();
                assert_eq!(holding, 1, "{key} in {parts} parts");
            }
        }
        assert_eq!(KeyRange::parts(4)[1], KeyRange { from: "4".into(), to: "7~".into() });
    }
}
