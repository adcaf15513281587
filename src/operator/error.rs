//! Why a use case of the operator failed.

use scim_core::Error;

use crate::auth::secrets_manager::SecretsError;
use crate::store::StoreError;
use crate::tenant::ProfileError;

/// The reason why a use case of the operator failed, as a sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The operator has no tenant of this name.
    #[error("there is no tenant {0}")]
    UnknownTenant(String),
    /// The name is neither that of a tenant nor that of a preset.
    #[error("there is neither a tenant nor a profile {0}")]
    UnknownTenantOrProfile(String),
    /// The tenant was removed while the use case ran.
    #[error("the tenant {0} no longer exists")]
    TenantGone(String),
    /// Another tenant has this name.
    #[error("there is already a tenant {0}")]
    TenantExists(String),
    /// The name of a tenant or of a customer has characters that are not allowed, or too many.
    #[error("a {0}'s name has 1 to 64 letters, digits, '.', '_' or '-'")]
    InvalidName(&'static str),
    /// A tenant may not have the name of a preset.
    #[error("{0} is the name of a profile; give the tenant another one")]
    NameOfProfile(String),
    /// Neither the deployment nor the tenant has a base URL.
    #[error("the tenant needs a base URL: this deployment does not have one for all tenants")]
    NoBaseUrl,
    /// A token is accepted only at its tenant's host, so the base URL must lead there.
    #[error(
        "address.host is {host}, but the tenant's base URL is at {base_url_host}; set \
         address.base_url too"
    )]
    HostMismatch {
        /// The setting `address.host`.
        host: String,
        /// The host in the tenant's base URL.
        base_url_host: String,
    },
    /// The tenant was created, but its first token was not.
    #[error("tenant {tenant} exists, but has no token yet")]
    FirstToken {
        /// The tenant's name.
        tenant: String,
        /// The error that stopped the minting.
        #[source]
        why: Box<OperatorError>,
    },
    /// The tenant has as many tokens as it may have.
    #[error("tenant {tenant} has {count} tokens; revoke some first")]
    TooManyTokens {
        /// The tenant's name.
        tenant: String,
        /// How many tokens it has.
        count: usize,
    },
    /// The tenant has no token with this key id.
    #[error("tenant {tenant} has no token {key_id}")]
    UnknownToken {
        /// The tenant's name.
        tenant: String,
        /// The key id.
        key_id: String,
    },
    /// All tokens of the tenant, or the one with this key id, are expired or revoked.
    #[error(
        "tenant {tenant} has no valid token{}",
        key_id.as_ref().map(|id| format!(" {id}")).unwrap_or_default()
    )]
    NoGoodToken {
        /// The tenant's name.
        tenant: String,
        /// The key id, if the caller gave one.
        key_id: Option<String>,
    },
    /// A label has control characters, or too many characters.
    #[error("a token's label has 1 to 64 printable characters")]
    InvalidLabel,
    /// The tenant's row names a secret that has no record of the tenant.
    #[error("the secret {secret} has no record of tenant {tenant}")]
    MissingRecord {
        /// The tenant's name.
        tenant: String,
        /// The name of the secret.
        secret: String,
    },
    /// The tenant's record in its secret is not in the expected form.
    #[error("the record of tenant {tenant} ({code}) in the secret {secret} cannot be read")]
    BadRecord {
        /// The tenant's name.
        tenant: String,
        /// The tenant's code, which names the record.
        code: String,
        /// The name of the secret.
        secret: String,
    },
    /// The token cannot be shown again.
    #[error("the token was shown once, and only its digest is kept")]
    TokenNotKept,
    /// Other changes of a secret came first several times in a row, perhaps of other tenants.
    #[error(
        "the secret {0} keeps changing, because it is changed for other tenants too, or it has no \
         current version (AWSCURRENT); try again"
    )]
    SecretKeepsChanging(String),
    /// `preset` is set by choosing a preset.
    #[error("preset is not a setting of its own: choose another profile instead")]
    PresetIsNoSetting,
    /// `dialect.idp` is set by choosing an identity provider.
    #[error("dialect.idp is not a setting of its own: choose an identity provider instead")]
    IdpIsNoSetting,
    /// Another operator changed the profile first.
    #[error(
        "the profile of {0} was changed by another operator at the same time; look at it and try \
         again"
    )]
    ProfileChanged(String),
    /// A restored user needs another userName.
    #[error("another user has the userName {0} now")]
    UserNameTaken(String),
    /// The tenant has no user of this name.
    #[error("the tenant has no user {0}")]
    UnknownUser(String),
    /// No token of the tenant has this key id or label, and no change in the log is by this key id.
    #[error("{0} is neither the key id nor the label of a token, nor operator")]
    UnknownActor(String),
    /// Several users or groups have this name.
    #[error("{who} is the name of {} {what}; give the id of one: {}", ids.len(), ids.join(", "))]
    Ambiguous {
        /// `users` or `groups`.
        what: &'static str,
        /// The name.
        who: String,
        /// Their ids, each with what tells it from the others.
        ids: Vec<String>,
    },
    /// The tenant's resource types do not include one of this name.
    #[error("there is no resource type {0}")]
    UnknownResourceType(String),
    /// A table of the product's users cannot be compared, as the sentence says.
    #[error("{0}")]
    BadTable(String),
    /// What is stored, or what was asked for, does not fit the use case, as the sentence says.
    #[error("{0}")]
    Unexpected(&'static str),
    /// The profile is not valid.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The secrets of tokens failed.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The directory refused, with the error that a client would get.
    #[error(transparent)]
    Refused(#[from] Error),
    /// The operating system cannot provide random bytes.
    #[error("the operating system cannot provide random bytes")]
    Random(#[from] getrandom::Error),
    /// A task of this use case was stopped.
    #[error("a task was stopped")]
    Stopped(#[from] tokio::task::JoinError),
}
