//! What a command works with, for sentences about what AWS refuses.

/// What a command works with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Setup {
    /// The profile of the AWS configuration.
    pub(super) profile: String,
    /// Whether the credentials are keys in the environment, and not the profile's.
    pub(super) has_keys: bool,
    pub(super) region: String,
    /// Whether the operator names the table, and not the stack.
    pub(super) names_table: bool,
}
