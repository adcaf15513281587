//! How many resources a collection has, and where: 64 counter rows, each with 128 buckets, so that
//! the k-th resource is found without reading those before it.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use scim_core::ResourceId;

use super::kind::RowKind;
use super::role::{Role, Transaction};
use crate::store::engine::error::StoreError;
use crate::store::engine::item::{Item, Key};
use crate::store::engine::ranges::{KeyRange, LAST};
use crate::store::model::collection::Collection;

/// Counter rows of a collection, by the first six bits of a sort key.
const ROWS: usize = 64;
/// Buckets in a row, by the next seven bits.
const BUCKETS: usize = 128;
/// Bits of a sort key that name its row and its bucket.
const BITS: u32 = 13;
/// Buckets in one number of a row, which DynamoDB stores with 38 digits. Reading 15 attributes
/// instead of 128 takes a fraction of the time.
const PACKED: usize = 9;
/// Digits of a bucket: enough for some seventy million resources of a type in a tenant.
const DIGITS: usize = 4;

/// Live resources of a counter row.
pub(crate) const LIVE: &str = "n";
/// Active resources of a counter row.
pub(crate) const ACTIVE: &str = "a";

/// The prefix of the sort keys of the counters of types other than users and groups.
pub(crate) const OTHERS: &str = "Z#";

/// The name of the resource type whose counters these are.
pub(crate) fn type_name(row: &Item) -> Option<&str> {
    Some(row.s().strip_prefix(OTHERS)?.rsplit_once('#')?.0)
}

/// The changes in the numbers of live and of active resources at this id.
pub(crate) type Change<'r> = (&'r ResourceId, i64, i64);

/// Adds to the counters, in the transaction that changes the resources.
pub(crate) fn add<'r>(
    transaction: &mut Transaction,
    collection: &Collection,
    changes: impl IntoIterator<Item = Change<'r>>,
) -> Result<(), StoreError> {
    let mut rows: BTreeMap<usize, BTreeMap<String, i128>> = BTreeMap::new();
    for (id, live, active) in changes {
        let (row, bucket) = place(&collection.key(id));
        let (packed, weight) = (format!("b{:x}", bucket / PACKED), weight(bucket % PACKED));
        let (live, active) = (i128::from(live), i128::from(active));
        for (name, more) in
            [(LIVE.to_owned(), live), (ACTIVE.to_owned(), active), (packed, live * weight)]
        {
            if more != 0 {
                *rows.entry(row).or_default().entry(name).or_default() += more;
            }
        }
    }
    for (row, sums) in rows {
        let s = format!("{}{row:02x}", collection.counters());
        let row = RowKind::Counters.row(Key::new(collection.tenant.counters(), s));
        let more = sums.into_iter().map(|(name, n)| (name, AttributeValue::N(n.to_string())));
        transaction.add(Role::Other, row, more, &[], None)?;
    }
    Ok(())
}

/// What one more resource in a bucket adds to the number that the bucket is packed into.
fn weight(place: usize) -> i128 {
    (0..place * DIGITS).fold(1, |weight, _| weight * 10)
}

/// The buckets in a number, in their order.
fn unpacked(number: &str) -> Result<impl Iterator<Item = usize>, StoreError> {
    if !number.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(StoreError::broken("a counter is not a number"));
    }
    let buckets = number.as_bytes().rchunks(DIGITS);
    Ok(buckets.map(|digits| {
        digits.iter().fold(0, |bucket, digit| bucket * 10 + usize::from(digit - b'0'))
    }))
}

/// The counter row of a resource.
pub(crate) fn row(collection: &Collection, id: &ResourceId) -> usize {
    place(&collection.key(id)).0
}

/// The bucket of a sort key, numbered across all rows.
fn bucket(key: &str) -> usize {
    let digits =
        key.bytes().take(4).map(|digit| char::from(digit).to_digit(16).unwrap_or_default());
    let prefix = digits.fold(0, |prefix, digit| prefix << 4 | digit);
    (prefix >> (16 - BITS)) as usize
}

/// The first sort key of a bucket; its last digit also covers the next seven.
fn first_key(bucket: usize) -> String {
    format!("{:04x}", bucket << (16 - BITS))
}

/// The counter row and its bucket.
fn place(key: &str) -> (usize, usize) {
    let bucket = bucket(key);
    (bucket / BUCKETS, bucket % BUCKETS)
}

/// The live resources of a collection by the first thirteen bits of their sort keys.
#[derive(Debug)]
pub(crate) struct Counters(Vec<usize>);

/// Where reading begins, so that few resources are read unnecessarily.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// At a key, with `skip` resources before the one that is wanted.
    Behind { from: String, skip: usize },
    /// In the middle of a bucket.
    Within(Within),
}

/// A place in the middle of a bucket, by an estimate. The number of resources from there to the
/// bucket's end shows which of them was read first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Within {
    /// The key at which reading begins.
    pub(crate) from: String,
    /// The keys of the bucket.
    pub(crate) bucket: KeyRange,
    /// How many resources the bucket has.
    pub(crate) size: usize,
    /// Which of them is wanted, from 0.
    pub(crate) offset: usize,
    /// How many resources are to be read.
    pub(crate) likely: usize,
}

impl Counters {
    pub(crate) fn total(&self) -> usize {
        self.0.iter().sum()
    }

    /// Leaves out resources that have expired but are still counted.
    fn without(mut self, collection: &Collection, overdue: &[ResourceId]) -> Self {
        for id in overdue {
            if let Some(size) = self.0.get_mut(bucket(&collection.key(id))) {
                *size = size.saturating_sub(1);
            }
        }
        self
    }

    /// Where to begin to read `count` resources from the one at `index` (from 0) on; `None` after
    /// the last one.
    pub(crate) fn locate(&self, index: usize, count: usize) -> Option<Start> {
        let mut before = 0;
        let (bucket, size) = self.0.iter().copied().enumerate().find(|(_, size)| {
            before += size;
            before > index
        })?;
        let offset = index - (before - size);
        let from_front = offset + count;
        let key = first_key(bucket);
        // About three and a half standard deviations of the place of the one at `offset` among
        // `size` evenly spread keys. Reading begins that much before it, and may find twice as many
        // there.
        let margin = (11 * offset * (size - offset) / size).isqrt() + 2;
        let likely = count.max(size - offset) + 2 * margin;
        if offset <= margin || from_front <= likely {
            return Some(Start::Behind { from: key, skip: offset });
        }
        // The first eight digits of a sort key, of which the bucket takes a part.
        let width = 1 << (32 - BITS);
        let from = format!("{:08x}", bucket * width + (offset - margin) * width / size);
        let to = if bucket + 1 < ROWS * BUCKETS { first_key(bucket + 1) } else { LAST.to_owned() };
        let bucket = KeyRange { from: key, to };
        Some(Start::Within(Within { from, bucket, size, offset, likely }))
    }

    /// The key to continue reading from, if resources follow the sort key `last`: that one, or the
    /// first key of the next bucket that is not empty.
    pub(crate) fn next(&self, last: &str) -> Option<String> {
        let here = bucket(last);
        let (next, _) = self.0.iter().enumerate().skip(here).find(|(_, size)| **size > 0)?;
        Some(if next == here { last.to_owned() } else { first_key(next) })
    }

    /// The key ranges in which the next resources are, each of about `piece` of them and `max` in
    /// all, but at least those of one bucket: from the first bucket on, or from that of the key
    /// `after`. Also the key after the last range, if there are resources after it.
    pub(crate) fn split(
        &self,
        after: Option<&str>,
        piece: usize,
        max: usize,
    ) -> (Vec<KeyRange>, Option<String>) {
        let first = after.map(bucket).unwrap_or_default();
        let mut ranges = Vec::new();
        let (mut from, mut held, mut taken) = (after.map(str::to_owned), 0, 0);
        for (bucket, size) in self.0.iter().enumerate().skip(first) {
            let cut = first_key(bucket);
            let enough = taken + held > 0 && taken + held + size > max;
            if enough || held > 0 && held + size > piece {
                let start = from.replace(cut.clone()).unwrap_or_else(|| KeyRange::all().from);
                ranges.push(KeyRange { from: start, to: cut.clone() });
                taken += held;
                held = 0;
                if enough {
                    return (ranges, Some(cut));
                }
            }
            held += size;
        }
        let from = from.unwrap_or_else(|| KeyRange::all().from);
        ranges.push(KeyRange { from, to: LAST.to_owned() });
        (ranges, None)
    }
}

/// The counters of a collection from their rows, without the resources that have expired but are
/// still counted.
pub(crate) fn read(
    collection: &Collection,
    rows: &[Item],
    overdue: &[ResourceId],
) -> Result<Counters, StoreError> {
    let mut buckets = vec![0; ROWS * BUCKETS];
    let prefix = collection.counters();
    for item in rows {
        let Some(row) = hexadecimal(item.s().get(prefix.len()..)) else { continue };
        for (name, value) in &item.0 {
            if let (Some(packed), Ok(number)) = (hexadecimal(name.strip_prefix('b')), value.as_n())
            {
                let slots = buckets
                    .iter_mut()
                    .skip(row * BUCKETS + packed * PACKED)
                    .take(BUCKETS.saturating_sub(packed * PACKED));
                slots.zip(unpacked(number)?).for_each(|(slot, bucket)| *slot = bucket);
            }
        }
    }
    Ok(Counters(buckets).without(collection, overdue))
}

fn hexadecimal(digits: Option<&str>) -> Option<usize> {
    usize::from_str_radix(digits?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(sizes: &[(&str, usize)]) -> Counters {
        let mut buckets = vec![0; ROWS * BUCKETS];
        for (key, size) in sizes {
            buckets[bucket(key)] = *size;
        }
        Counters(buckets)
    }

    #[test]
    fn the_kth_resource_is_found_in_its_bucket() {
        let counters = counters(&[("0000", 2), ("07f0", 3), ("fff8", 1)]);
        assert_eq!(counters.total(), 6);
        for (index, from, skip) in [
            (0, "0000", 0),
            (1, "0000", 1),
            (2, "07f0", 0),
            (3, "07f0", 1),
            (4, "07f0", 2),
            (5, "fff8", 0),
        ] {
            assert_eq!(
                counters.locate(index, 100),
                Some(Start::Behind { from: from.into(), skip })
            );
        }
        assert_eq!(counters.locate(6, 100), None);
    }

    #[test]
    fn far_into_a_large_bucket_reading_begins_shortly_before() {
        let counters = counters(&[("0000", 10), ("0008", 250)]);
        let Some(Start::Within(Within { from, bucket, size, offset, likely })) =
            counters.locate(210, 100)
        else {
            panic!()
        };
        assert_eq!(
            (bucket.from.as_str(), bucket.to.as_str(), size, offset),
            ("0008", "0010", 250, 200)
        );
        assert!("000d" < from.as_str() && from.as_str() < "000e", "{from}");
        assert!(likely < 180, "{likely}");
        assert_eq!(counters.locate(60, 100), Some(Start::Behind { from: "0008".into(), skip: 50 }));
    }

    #[test]
    fn pieces_follow_each_other_until_enough_is_taken() {
        let counters = counters(&[("0000", 3), ("0008", 3), ("0100", 3), ("0108", 9), ("fff8", 1)]);
        let range = |from: &str, to: &str| KeyRange { from: from.into(), to: to.into() };
        let (all, more) = counters.split(None, 6, 100);
        assert_eq!(
            all,
            [range("-", "0100"), range("0100", "0108"), range("0108", "0110"), range("0110", "~")]
        );
        assert_eq!(more, None);
        assert_eq!(
            counters.split(None, 6, 9),
            (vec![range("-", "0100"), range("0100", "0108")], Some("0108".into()))
        );
        assert_eq!(
            counters.split(Some("0108"), 6, 9),
            (vec![range("0108", "0110"), range("0110", "fff8")], Some("fff8".into()))
        );
        assert_eq!(
            counters.split(Some("0101-x!g"), 6, 2).0,
            [range("0101-x!g", "0108")],
            "at least one bucket"
        );
        assert_eq!(counters.split(None, 100, 4), (vec![range("-", "0008")], Some("0008".into())));
    }

    #[test]
    fn empty_buckets_are_passed_over() {
        let counters = counters(&[("0008", 3), ("0100", 3)]);
        let next =
            ["-", "0000aa", "0009-x", "0010", "0100", "0108"].map(|last| counters.next(last));
        let next: Vec<Option<&str>> = next.iter().map(Option::as_deref).collect();
        assert_eq!(
            next,
            [Some("0008"), Some("0008"), Some("0009-x"), Some("0100"), Some("0100"), None]
        );
    }

    #[test]
    fn buckets_share_a_number() {
        let sizes = [5, 0, 9_999, 1, 0, 244, 7, 0, 9_999];
        let number: i128 = sizes.iter().enumerate().map(|(place, n)| n * weight(place)).sum();
        let unpacked_sizes: Vec<usize> = unpacked(&number.to_string()).unwrap().collect();
        assert_eq!(unpacked_sizes, sizes.map(|size| usize::try_from(size).unwrap()));
        assert!(number.to_string().len() <= 38, "as many digits as DynamoDB keeps");
        assert!(unpacked("-1").is_err(), "a negative number is an error, not an empty bucket");
    }

    #[test]
    fn an_id_counts_in_the_row_of_its_first_six_bits_and_the_bucket_of_the_next_seven() {
        assert_eq!(place("ffff0000-0000-8000-8000-000000000000"), (63, 127));
        assert_eq!(place("04180000-0000-8000-8000-000000000000"), (1, 3));
        assert_eq!(
            (bucket("0417ffff"), first_key(131), first_key(bucket("0417"))),
            (130, "0418".into(), "0410".into())
        );
    }
}
