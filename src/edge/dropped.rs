//! The names of attributes that were left out of messages, as far as they may be kept: a client may
//! have written anything in place of a name.

use std::sync::LazyLock;

use scim_core::ResourceType;

use crate::telemetry::LeftOut;

/// What stands for all names that no schema of SCIM has.
const OTHER: &str = "other";

/// The names that the schemas of users and groups define, in whatever profile. The schemas are read
/// once a message has other names.
#[derive(Debug)]
pub(super) struct StandardNames(LazyLock<Vec<ResourceType>>);

impl StandardNames {
    pub(super) const fn new() -> Self {
        Self(LazyLock::new(|| {
            [ResourceType::user(), ResourceType::group()].into_iter().flatten().collect()
        }))
    }

    /// The names of what was left out, each once: those of the standard in its spelling, near misses
    /// with the name that they resemble, and `other` for the rest.
    pub(super) fn of(&self, left_out: &LeftOut) -> Vec<String> {
        let mut names: Vec<String> =
            left_out.unknown.iter().map(|name| self.name(name, &left_out.near_misses)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn name(&self, name: &str, near_misses: &[String]) -> String {
        let sent = format!("{name} (");
        if let Some(miss) = near_misses.iter().find(|miss| miss.starts_with(&sent)) {
            return miss.clone();
        }
        self.known(name)
    }

    /// A name of the standard in its spelling, or `other`.
    pub(super) fn known(&self, name: &str) -> String {
        let mut paths = self.0.iter().filter_map(|resource_type| resource_type.path_of(name));
        paths.next().unwrap_or_else(|| OTHER.to_owned())
    }
}
