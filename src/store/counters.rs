//! How many resources there are, and where: 64 counter rows a collection, each with 64 buckets, so
//! that the k-th resource is found without reading the k-1 before.

use super::item::Row;
use super::keys::Collection;
use super::transaction::{Role, Transaction, number};
use super::{Store, StoreError};
use scim_core::ResourceId;

/// Buckets in a counter row.
const BUCKETS: usize = 64;

/// Adds to the counters of the resource's id in its own transaction.
pub(super) fn add(
    transaction: &mut Transaction,
    at: &Collection,
    id: &ResourceId,
    live: i64,
    active: i64,
) -> Result<(), StoreError> {
    if live == 0 && active == 0 {
        return Ok(());
    }
    let (row, bucket) = place(id);
    let key = Row::new(&at.tenant.counters(), &format!("{}{row:02x}", at.counters()));
    let expression = format!("ADD n :live, a :active, b{bucket:02x} :live");
    transaction.update(Role::Other, key, &expression, vec![(":live", number(live)), (":active", number(active))], None)
}

/// The counter row and its bucket: the upper and the lower six of an id's first twelve bits.
fn place(id: &ResourceId) -> (usize, usize) {
    let prefix = id.as_str().get(..3).and_then(|hex| usize::from_str_radix(hex, 16).ok()).unwrap_or_default();
    (prefix / BUCKETS, prefix % BUCKETS)
}

/// The live resources of a collection by the first three hex digits of their ids.
#[derive(Debug)]
pub(super) struct Counters(Vec<u64>);

impl Counters {
    pub(super) fn total(&self) -> usize {
        usize::try_from(self.0.iter().sum::<u64>()).unwrap_or(usize::MAX)
    }

    /// Where the resource at `index` (from 0) is: the first sort key of its bucket, and how many live
    /// ones of that bucket come before it.
    pub(super) fn locate(&self, index: usize) -> (String, usize) {
        let mut before = 0;
        for (prefix, live) in self.0.iter().enumerate() {
            let live = usize::try_from(*live).unwrap_or(usize::MAX);
            if before + live > index {
                return (format!("{prefix:03x}"), index - before);
            }
            before += live;
        }
        ("g".to_owned(), 0)
    }
}

impl Store {
    /// All counters of a collection, strongly consistent. One call.
    pub(super) async fn counters(&self, at: &Collection) -> Result<Counters, StoreError> {
        let mut buckets = vec![0; BUCKETS * BUCKETS];
        let prefix = at.counters();
        for item in self.query_all(&at.tenant.counters(), &prefix).await? {
            let row = item.s().get(prefix.len()..).and_then(|hex| usize::from_str_radix(hex, 16).ok());
            for name in item.0.keys() {
                let bucket = name.strip_prefix('b').and_then(|hex| usize::from_str_radix(hex, 16).ok());
                if let (Some(row), Some(bucket)) = (row, bucket)
                    && let Some(slot) = buckets.get_mut(row * BUCKETS + bucket)
                {
                    *slot = item.number(name).unwrap_or_default().try_into().unwrap_or_default();
                }
            }
        }
        Ok(Counters(buckets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kth_resource_is_found_in_its_bucket() {
        let mut buckets = vec![0; BUCKETS * BUCKETS];
        (buckets[0], buckets[0x7f], buckets[0xfff]) = (2, 3, 1);
        let counters = Counters(buckets);
        assert_eq!(counters.total(), 6);
        let found: Vec<_> = (0..7).map(|index| counters.locate(index)).collect();
        let expected = [("000", 0), ("000", 1), ("07f", 0), ("07f", 1), ("07f", 2), ("fff", 0), ("g", 0)];
        assert_eq!(found, expected.map(|(key, skip)| (key.to_owned(), skip)));
    }

    #[test]
    fn an_id_counts_in_the_row_of_its_first_six_bits() {
        assert_eq!(place(&"fff00000-0000-8000-8000-000000000000".parse().unwrap()), (63, 63));
        assert_eq!(place(&"04100000-0000-8000-8000-000000000000".parse().unwrap()), (1, 1));
    }
}
