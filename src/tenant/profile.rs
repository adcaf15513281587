//! Profiles: every policy in which products and identity providers differ, as plain data.

use scim_core::Dialect;

/// How the service behaves for one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The name it is chosen by.
    pub name: &'static str,
    /// How closely messages must follow the RFCs.
    pub dialect: Dialect,
}

impl Profile {
    /// The profiles that `tenant create --profile` offers.
    pub const ALL: [Self; 2] =
        [Self { name: "default", dialect: Dialect::Tolerant }, Self { name: "strict", dialect: Dialect::Strict }];

    /// The profile of this name; the default one if a newer version wrote a name that this one does
    /// not know.
    pub fn named(name: &str) -> Self {
        let [default, ..] = Self::ALL;
        Self::ALL.into_iter().find(|profile| profile.name == name).unwrap_or(default)
    }
}
