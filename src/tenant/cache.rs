//! A bounded map that keeps the entries that are in use.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem;

/// A map with a bounded number of entries. Those that were used recently stay: when the younger
/// half is full, the older half is dropped, and the younger one takes its place.
#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    half: usize,
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Eq + Hash + Clone, V> Cache<K, V> {
    /// An empty map of at most `capacity` entries, but at least two.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { half: (capacity / 2).max(1), young: HashMap::new(), old: HashMap::new() }
    }

    /// The value of a key. This counts as a use.
    pub(crate) fn get(&mut self, key: &K) -> Option<&V> {
        self.get_mut(key).map(|value| &*value)
    }

    /// The value of a key, to be changed. This counts as a use.
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        if let Some(value) = self.old.remove(key) {
            self.insert(key.clone(), value);
        }
        self.young.get_mut(key)
    }

    /// Drops the entries for which this is false.
    pub(crate) fn retain(&mut self, mut is_kept: impl FnMut(&V) -> bool) {
        self.young.retain(|_, value| is_kept(value));
        self.old.retain(|_, value| is_kept(value));
    }

    /// All values, in no order. This counts as no use.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.young.values().chain(self.old.values())
    }

    /// Keeps a value.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.old.remove(&key);
        if self.young.len() >= self.half && !self.young.contains_key(&key) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn used_entries_stay_and_the_others_are_bounded() {
        let mut cache = Cache::with_capacity(10);
        cache.insert("used".to_owned(), 0);
        for n in 1..=1_000 {
            cache.insert(format!("{n}"), n);
            assert_eq!(cache.get(&"used".to_owned()), Some(&0), "after {n}");
            assert!(cache.young.len() + cache.old.len() <= 10);
        }
        assert_eq!(cache.get(&"1".to_owned()), None);
        assert_eq!(cache.get(&"1000".to_owned()), Some(&1_000));
    }

    #[test]
    fn entries_can_be_dropped_by_their_values() {
        let mut cache = Cache::with_capacity(4);
        (1..=4).for_each(|n| cache.insert(n, n));
        cache.retain(|n| n % 2 == 0);
        assert_eq!([1, 2, 3, 4].map(|n| cache.get(&n).copied()), [None, Some(2), None, Some(4)]);
    }

    #[test]
    fn a_value_is_replaced_wherever_it_is() {
        let mut cache = Cache::with_capacity(4);
        for (key, value) in [(1, 1), (2, 2), (3, 3), (1, 10), (3, 30)] {
            cache.insert(key, value);
        }
        assert_eq!([1, 2, 3].map(|key| cache.get(&key).copied()), [Some(10), Some(2), Some(30)]);
    }
}
