//! Names that are nearly right: one letter off, or in the plural where the schema has the singular.

/// Most near misses that are kept of one message.
const MAX_NOTED: usize = 10;
/// Most unknown names of one message that are compared: more than any mapping has.
const MAX_COMPARED: usize = 200;
/// Longest name that is repeated, in bytes.
const MAX_SHOWN_BYTES: usize = 80;
/// Names shorter than this resemble too many others.
const MIN_NAME_BYTES: usize = 3;

/// An attribute of a message that was left out because no schema defines it, though it resembles
/// one that a schema does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearMiss {
    /// The name as the client wrote it, cut to printable ASCII.
    pub sent: String,
    /// The attribute that it resembles.
    pub known: String,
}

/// The near misses of one message.
#[derive(Debug, Clone, Default)]
pub(crate) struct Noted {
    pub(crate) misses: Vec<NearMiss>,
    compared: usize,
}

impl Noted {
    /// Keeps a name that resembles a known one, each pair once, while there are few.
    pub(crate) fn note<'k>(&mut self, sent: &str, resembled: impl FnOnce() -> Option<&'k str>) {
        if self.compared == MAX_COMPARED {
            return;
        }
        self.compared += 1;
        let Some(known) = resembled() else { return };
        let miss = NearMiss { sent: printable(sent), known: known.to_owned() };
        if self.misses.len() < MAX_NOTED && !self.misses.contains(&miss) {
            self.misses.push(miss);
        }
    }
}

/// A client's name as it may stand in a sentence or a log.
pub(crate) fn printable(name: &str) -> String {
    name.chars().filter(char::is_ascii_graphic).take(MAX_SHOWN_BYTES).collect()
}

/// The first of `known` that `name` resembles.
pub(crate) fn nearest<'k>(name: &str, mut known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    known.find(|known| known.len() >= MIN_NAME_BYTES && is_near(name.as_bytes(), known.as_bytes()))
}

fn is_near(one: &[u8], other: &[u8]) -> bool {
    // Most names are told apart by their lengths; a message may have very many.
    one.len().abs_diff(other.len()) <= 2
        && (is_one_letter_off(one, other) || is_plural(one, other) || is_plural(other, one))
}

/// Whether one letter more, less or instead makes one name the other, in any case.
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

/// Whether `plural` is the plural of `name` in more than one letter, such as `addresses` or
/// `entries`.
fn is_plural(plural: &[u8], name: &[u8]) -> bool {
    let same = |one: Option<&[u8]>, other: Option<&[u8]>| {
        one.zip(other).is_some_and(|(one, other)| one.eq_ignore_ascii_case(other))
    };
    same(stem(plural, b"es"), Some(name)) || same(stem(plural, b"ies"), stem(name, b"y"))
}

/// What stands before an ending.
fn stem<'n>(name: &'n [u8], end: &[u8]) -> Option<&'n [u8]> {
    let (stem, found) = name.split_at_checked(name.len().checked_sub(end.len())?)?;
    found.eq_ignore_ascii_case(end).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_resembles_one_that_is_a_letter_or_a_number_away() {
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
    fn a_few_are_noted_once_and_in_printable_letters() {
        let mut noted = Noted::default();
        noted.note("ro le\u{202e}s", || Some("role"));
        noted.note("roles", || Some("role"));
        noted.note("shoes", || None);
        assert_eq!(noted.misses, [NearMiss { sent: "roles".into(), known: "role".into() }]);
        (0..50).for_each(|n| noted.note(&format!("role{n}"), || Some("role")));
        assert_eq!(noted.misses.len(), MAX_NOTED);
        let mut asked = 0;
        (0..1_000).for_each(|_| {
            noted.note("x", || {
                asked += 1;
                None
            });
        });
        assert_eq!(asked, MAX_COMPARED - 53, "a message of very many names costs no more");
    }
}
