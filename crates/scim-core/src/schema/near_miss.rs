//! Names that are nearly right: one letter off, or plural where the schema has the singular.

/// The maximum number of near misses that are kept of one message.
const MAX_NOTED: usize = 10;
/// The maximum number of unknown names that are kept of one message.
const MAX_UNKNOWN: usize = 20;
/// The maximum number of unknown names of one message that are compared: more than any mapping has.
const MAX_COMPARED: usize = 200;
/// The maximum number of bytes of a client's name that are repeated.
const MAX_SHOWN_BYTES: usize = 80;
/// The minimum length of a name that is compared: a shorter one resembles too many others.
const MIN_NAME_BYTES: usize = 3;

/// An attribute of a message that was ignored because no schema defines it, although its name is
/// similar to one that a schema defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearMiss {
    /// The name that the client wrote, reduced to printable ASCII.
    pub sent: String,
    /// The similar name that a schema defines.
    pub known: String,
}

/// The unknown names of one message, and the near misses among them.
#[derive(Debug, Clone, Default)]
pub(crate) struct NearMisses {
    pub(crate) misses: Vec<NearMiss>,
    /// The first unknown names, reduced to printable ASCII.
    pub(crate) unknown: Vec<String>,
    /// The number of names that were compared.
    compared: usize,
}

impl NearMisses {
    /// Keeps an unknown name, and the known one that it resembles, within the limits of this module.
    pub(crate) fn note<'k>(&mut self, sent: &str, resembled: impl FnOnce() -> Option<&'k str>) {
        if self.compared == MAX_COMPARED {
            return;
        }
        self.compared += 1;
        if self.unknown.len() < MAX_UNKNOWN {
            self.unknown.push(printable(sent));
        }
        let Some(known) = resembled() else { return };
        let miss = NearMiss { sent: printable(sent), known: known.to_owned() };
        if self.misses.len() < MAX_NOTED && !self.misses.contains(&miss) {
            self.misses.push(miss);
        }
    }
}

/// A client's name in a form that is safe in a sentence or a log.
pub(crate) fn printable(name: &str) -> String {
    name.chars().filter(char::is_ascii_graphic).take(MAX_SHOWN_BYTES).collect()
}

/// The first of `known` that `name` resembles.
pub(crate) fn nearest<'k>(name: &str, mut known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    known.find(|known| known.len() >= MIN_NAME_BYTES && is_near(name.as_bytes(), known.as_bytes()))
}

fn is_near(one: &[u8], other: &[u8]) -> bool {
    // A message may have many names. Comparing the lengths first is cheap and decides most cases.
    one.len().abs_diff(other.len()) <= 2
        && (is_one_letter_off(one, other) || is_plural(one, other) || is_plural(other, one))
}

/// Whether adding, removing or replacing one letter turns one name into the other, ignoring case.
fn is_one_letter_off(one: &[u8], other: &[u8]) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    if long.len() - short.len() > 1 {
        return false;
    }
    let same = |(a, b): &(&u8, &u8)| a.eq_ignore_ascii_case(b);
    let front = short.iter().zip(long).take_while(same).count();
    let back = short.iter().rev().zip(long.iter().rev()).take_while(same).count();
    front + back + 1 >= long.len()
}

/// Whether `plural` is a plural of `name` that adds more than one letter, such as `addresses` or
/// `entries`.
fn is_plural(plural: &[u8], name: &[u8]) -> bool {
    let same = |one: Option<&[u8]>, other: Option<&[u8]>| {
        one.zip(other).is_some_and(|(one, other)| one.eq_ignore_ascii_case(other))
    };
    same(stem(plural, b"es"), Some(name)) || same(stem(plural, b"ies"), stem(name, b"y"))
}

/// The part of a name before the given ending.
fn stem<'n>(name: &'n [u8], end: &[u8]) -> Option<&'n [u8]> {
    let (stem, found) = name.split_at_checked(name.len().checked_sub(end.len())?)?;
    found.eq_ignore_ascii_case(end).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_resembles_one_that_differs_by_a_letter_or_in_number() {
        for (sent, known) in [
            ("roles", Some("role")),
            ("Rolle", Some("role")),
            ("rule", Some("role")),
            ("ole", Some("role")),
            ("role1", Some("role")),
            ("address", Some("addresses")),
            ("entry", Some("entries")),
            ("policies", Some("policy")),
            ("rolls", None),
            ("roleName", None),
            ("elor", None),
            ("d", None),
            ("", None),
        ] {
            assert_eq!(
                nearest(sent, ["id", "role", "addresses", "entries", "policy"].into_iter()),
                known,
                "{sent}"
            );
        }
    }

    #[test]
    fn near_misses_are_kept_once_and_in_printable_letters() {
        let mut near_misses = NearMisses::default();
        near_misses.note("ro le\u{202e}s", || Some("role"));
        near_misses.note("roles", || Some("role"));
        near_misses.note("shoes", || None);
        assert_eq!(near_misses.misses, [NearMiss { sent: "roles".into(), known: "role".into() }]);
        (0..50).for_each(|n| near_misses.note(&format!("role{n}"), || Some("role")));
        assert_eq!(near_misses.misses.len(), MAX_NOTED);
        let mut compared = 0;
        (0..1_000).for_each(|_| {
            near_misses.note("x", || {
                compared += 1;
                None
            });
        });
        assert_eq!(compared, MAX_COMPARED - 53, "the cost of a message with many names is bounded");
    }
}
