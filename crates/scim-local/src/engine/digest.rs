//! A digest of a JSON text that does not depend on the order of its objects' members.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// 64 bits that tell two JSON values apart. Nothing is kept of the text while it is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Digest(u64);

impl Digest {
    fn of(kind: u8, value: impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        (kind, value).hash(&mut hasher);
        Self(hasher.finish())
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Digest;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Digest, E> {
        Ok(Digest::of(0, ()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Digest, E> {
        Ok(Digest::of(1, value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Digest, E> {
        Ok(Digest::of(2, value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Digest, E> {
        Ok(Digest::of(3, value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Digest, E> {
        Ok(Digest::of(4, value.to_bits()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Digest, E> {
        Ok(Digest::of(5, value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Digest, A::Error> {
        let mut all = Digest::of(6, ());
        while let Some(element) = elements.next_element::<Digest>()? {
            all = Digest::of(6, (all, element));
        }
        Ok(all)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Digest, A::Error> {
        let mut sum = 0_u64;
        while let Some(member) = members.next_entry::<Digest, Digest>()? {
            sum = sum.wrapping_add(Digest::of(7, member).0);
        }
        Ok(Digest::of(8, sum))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn digest(text: &str) -> Digest {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_order_of_members_and_spaces_do_not_matter() {
        let one = digest(r#"{"a": {"S": "x"}, "b": [1, true, null, -1.5]}"#);
        assert_eq!(one, digest(r#"{"b":[1,true,null,-1.5],"a":{"S":"\u0078"}}"#));
    }

    #[test]
    fn different_values_have_different_digests() {
        let texts = [
            "{}",
            "[]",
            "null",
            "\"\"",
            "0",
            "1",
            "-1",
            "[[]]",
            "[{}]",
            r#"["a","b"]"#,
            r#"["b","a"]"#,
            r#"{"a":"b"}"#,
            r#"{"b":"a"}"#,
            r#"{"a":{"b":"c"}}"#,
            r#"{"a":"b","c":"d"}"#,
            r#"{"a":"d","c":"b"}"#,
            r#"["ab"]"#,
            "true",
            "false",
            "\"1\"",
        ];
        let all: std::collections::HashSet<_> = texts.into_iter().map(digest).collect();
        assert_eq!(all.len(), texts.len());
    }
}
