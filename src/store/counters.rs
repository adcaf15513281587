//! How many resources there are, and where: 64 counter rows a collection, each with 64 buckets, so
//! that the k-th resource is found without reading the k-1 before.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use scim_core::ResourceId;

use super::item::Row;
use super::keys::{Collection, LAST};
use super::ranges::KeyRange;
use super::transaction::{Role, Transaction};
use super::{Query, Rows, Store, StoreError};

/// Buckets in a counter row.
const BUCKETS: usize = 64;
/// Buckets in one number of a row, which DynamoDB keeps to 38 digits: eleven attributes in place of 64 are
/// read in a fraction of the time.
const PACKED: usize = 6;
/// Digits of a bucket: a tenant may have four thousand million resources of a type.
const DIGITS: usize = 6;

/// How many more live and active resources there are, by an id.
pub(super) type Change<'r> = (&'r ResourceId, i64, i64);

/// Adds to the counters, in the transaction that changes the resources.
pub(super) fn add<'r>(
    transaction: &mut Transaction,
    at: &Collection,
    changes: impl IntoIterator<Item = Change<'r>>,
) -> Result<(), StoreError> {
    let mut rows: BTreeMap<usize, BTreeMap<String, i128>> = BTreeMap::new();
    for (id, live, active) in changes {
        let (row, bucket) = place(id);
        let (packed, weight) = (format!("b{:x}", bucket / PACKED), weight(bucket % PACKED));
        let (live, active) = (i128::from(live), i128::from(active));
        for (name, more) in [("n".to_owned(), live), ("a".to_owned(), active), (packed, live * weight)] {
            if more != 0 {
                *rows.entry(row).or_default().entry(name).or_default() += more;
            }
        }
    }
    for (row, sums) in rows {
        let key = Row::new(&at.tenant.counters(), &format!("{}{row:02x}", at.counters()));
        let terms: Vec<String> = sums.keys().map(|name| format!("{name} :{name}")).collect();
        let values = sums.into_iter().map(|(name, more)| (format!(":{name}"), AttributeValue::N(more.to_string())));
        transaction.update(Role::Other, key, &format!("ADD {}", terms.join(", ")), values, None)?;
    }
    Ok(())
}

/// What one more in a bucket adds to the number that it is packed into.
fn weight(place: usize) -> i128 {
    (0..place * DIGITS).fold(1, |weight, _| weight * 10)
}

/// The buckets in a number, the first one first.
fn unpacked(number: &str) -> impl Iterator<Item = usize> {
    let mut left: u128 = number.parse().unwrap_or_default();
    (0..PACKED).map(move |_| {
        let bucket = left % weight(1).unsigned_abs();
        left /= weight(1).unsigned_abs();
        usize::try_from(bucket).unwrap_or_default()
    })
}

/// The counter row of an id.
pub(super) fn row(id: &ResourceId) -> usize {
    place(id).0
}

/// The counter row and its bucket: the upper and the lower six of an id's first twelve bits.
fn place(id: &ResourceId) -> (usize, usize) {
    let prefix = id.as_str().get(..3).and_then(|hex| usize::from_str_radix(hex, 16).ok()).unwrap_or_default();
    (prefix / BUCKETS, prefix % BUCKETS)
}

/// The live resources of a collection by the first three hex digits of their ids.
#[derive(Debug)]
pub(super) struct Counters(Vec<usize>);

/// Where to begin to read, so that few are read in vain.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// At a key, and so many resources behind it.
    Behind { from: String, skip: usize },
    /// In the middle of a bucket, by an estimate: the number of resources from here to the bucket's end
    /// tells which of its `size` this is; wanted is the one at `offset`.
    Within { from: String, bucket: String, size: usize, offset: usize, likely: usize },
}

impl Counters {
    pub(super) fn total(&self) -> usize {
        self.0.iter().sum()
    }

    /// Where to begin to read the `count` resources from the one at `index` (from 0) on; `None` behind
    /// the last one.
    pub(super) fn locate(&self, index: usize, count: usize) -> Option<Start> {
        let mut before = 0;
        let (bucket, size) = self.0.iter().copied().enumerate().find(|(_, size)| {
            before += size;
            before > index
        })?;
        let offset = index - (before - size);
        let from_front = offset + count;
        // Four standard deviations of where the one at `offset` is among `size` that fell evenly.
        let margin = 2 * size.isqrt() + 4;
        let likely = count.max(size - offset) + margin;
        let prefix = format!("{bucket:03x}");
        if offset <= margin || from_front <= likely {
            return Some(Start::Behind { from: prefix, skip: offset });
        }
        // The five digits of an id that follow the three of its bucket.
        let fraction = (offset - margin) * 0x10_0000 / size;
        Some(Start::Within { from: format!("{prefix}{fraction:05x}"), bucket: prefix, size, offset, likely })
    }

    /// The key ranges in which the next resources are, each of about `piece` of them, `most` in all or a
    /// few more: from the first bucket on, or from that of the key `after` on. With the key behind the
    /// last range, if there are resources behind it.
    pub(super) fn split(&self, after: Option<&str>, piece: usize, most: usize) -> (Vec<KeyRange>, Option<String>) {
        let first = after.and_then(|id| usize::from_str_radix(id.get(..3)?, 16).ok()).unwrap_or_default();
        let mut ranges = Vec::new();
        let (mut from, mut held, mut taken) = (after.map(str::to_owned), 0, 0);
        for (bucket, size) in self.0.iter().enumerate().skip(first) {
            let cut = format!("{bucket:03x}");
            if held > 0 && held + size > piece {
                let start = from.replace(cut.clone()).unwrap_or_else(|| KeyRange::all().from);
                ranges.push(KeyRange { from: start, to: cut.clone() });
                taken += held;
                held = 0;
                if taken + size > most {
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

impl Store {
    /// How many visible resources a collection has, strongly consistent. One call.
    ///
    /// # Errors
    /// As [`StoreError`] says.
    pub async fn count(&self, at: &Collection) -> Result<usize, StoreError> {
        let (partition, prefix) = (at.tenant.counters(), at.counters());
        let rows = Query { only: Some("n"), ..Query::of(Rows::Beginning(&partition, &prefix)) };
        let (counters, _) = self.query(rows).await?;
        let total: i64 = counters.iter().filter_map(|counter| counter.number("n")).sum();
        Ok(total.try_into().unwrap_or_default())
    }

    /// All counters of a collection, strongly consistent. One call.
    pub(super) async fn counters(&self, at: &Collection) -> Result<Counters, StoreError> {
        let mut buckets = vec![0; BUCKETS * BUCKETS];
        let prefix = at.counters();
        for item in self.query_all(&at.tenant.counters(), &prefix).await? {
            let row = item.s().get(prefix.len()..).and_then(|hex| usize::from_str_radix(hex, 16).ok());
            for (name, value) in &item.0 {
                let packed = name.strip_prefix('b').and_then(|hex| usize::from_str_radix(hex, 16).ok());
                if let (Some(row), Some(packed), Ok(number)) = (row, packed, value.as_n()) {
                    let slots = buckets
                        .iter_mut()
                        .skip(row * BUCKETS + packed * PACKED)
                        .take(BUCKETS.saturating_sub(packed * PACKED));
                    slots.zip(unpacked(number)).for_each(|(slot, bucket)| *slot = bucket);
                }
            }
        }
        Ok(Counters(buckets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(sizes: &[(usize, usize)]) -> Counters {
        let mut buckets = vec![0; BUCKETS * BUCKETS];
        for (bucket, size) in sizes {
            buckets[*bucket] = *size;
        }
        Counters(buckets)
    }

    #[test]
    fn the_kth_resource_is_found_in_its_bucket() {
        let counters = counters(&[(0, 2), (0x7f, 3), (0xfff, 1)]);
        assert_eq!(counters.total(), 6);
        for (index, from, skip) in
            [(0, "000", 0), (1, "000", 1), (2, "07f", 0), (3, "07f", 1), (4, "07f", 2), (5, "fff", 0)]
        {
            assert_eq!(counters.locate(index, 100), Some(Start::Behind { from: from.into(), skip }));
        }
        assert_eq!(counters.locate(6, 100), None);
    }

    #[test]
    fn far_into_a_large_bucket_reading_begins_shortly_before() {
        let counters = counters(&[(0, 10), (1, 250)]);
        let Some(Start::Within { from, bucket, size, offset, likely }) = counters.locate(210, 100) else { panic!() };
        assert_eq!((bucket.as_str(), size, offset), ("001", 250, 200));
        assert!("001a" < from.as_str() && from.as_str() < "001d", "{from}");
        assert!(likely < 140, "{likely}");
        assert_eq!(counters.locate(60, 100), Some(Start::Behind { from: "001".into(), skip: 50 }));
    }

    #[test]
    fn pieces_follow_each_other_until_enough_is_taken() {
        let counters = counters(&[(0, 3), (1, 3), (0x10, 3), (0x11, 9), (0xfff, 1)]);
        let range = |from: &str, to: &str| KeyRange { from: from.into(), to: to.into() };
        let (all, more) = counters.split(None, 6, 100);
        assert_eq!(all, [range("-", "010"), range("010", "011"), range("011", "fff"), range("fff", "~")]);
        assert_eq!(more, None);
        assert_eq!(counters.split(None, 6, 9), (vec![range("-", "010"), range("010", "011")], Some("011".into())));
        assert_eq!(counters.split(Some("011"), 6, 9), (vec![range("011", "fff"), range("fff", "~")], None));
        let behind = counters.split(Some("0105-x!g"), 6, 2).0;
        assert_eq!(behind, [range("0105-x!g", "011")], "at least one piece");
    }

    #[test]
    fn buckets_share_a_number() {
        let number: i128 = [5, 0, 999_999, 1, 0, 244].iter().enumerate().map(|(place, n)| n * weight(place)).sum();
        assert_eq!(unpacked(&number.to_string()).collect::<Vec<_>>(), [5, 0, 999_999, 1, 0, 244]);
        assert_eq!((weight(5) * 999_999).to_string().len(), 36, "DynamoDB keeps 38 digits");
    }

    #[test]
    fn an_id_counts_in_the_row_of_its_first_six_bits() {
        assert_eq!(place(&"fff00000-0000-8000-8000-000000000000".parse().unwrap()), (63, 63));
        assert_eq!(place(&"04100000-0000-8000-8000-000000000000".parse().unwrap()), (1, 1));
    }
}
