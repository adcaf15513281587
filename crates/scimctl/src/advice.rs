//! What an operator can do about an error: the command or the option that helps.

use anyhow::anyhow;
use scim_lambda::operator::OperatorError;

/// The error with the advice for it, if there is any. What AWS denied takes the place of what it
/// led to.
pub(crate) fn add(error: anyhow::Error, denial: Option<String>) -> anyhow::Error {
    let words = match denial {
        None => format!("{error:#}"),
        // The first part says how far a use case came, such as a tenant that has no token yet.
        Some(denial) if error.chain().count() > 1 => format!("{error}: {denial}"),
        Some(denial) => return anyhow!(denial),
    };
    match error.downcast_ref().and_then(advice) {
        Some(advice) => anyhow!("{words}; {advice}"),
        None => anyhow!(words),
    }
}

const BOTH_LISTS: &str = "scimctl tenant list and scimctl profile list show what there is";

const NOT_KEPT: &str = "scimctl token rotate mints another one, and the setting \
    token.reveal=again keeps tokens that are minted later";

fn new_record(tenant: &str) -> String {
    format!(
        "restore it from an earlier version of the secret, or mint a token that replaces all \
         others: scimctl token rotate {tenant} --overlap-days 0"
    )
}

fn advice(error: &OperatorError) -> Option<String> {
    use OperatorError::*;
    Some(match error {
        UnknownTenant(_) => "scimctl tenant list shows all".into(),
        UnknownTenantOrProfile(_) => BOTH_LISTS.into(),
        TenantExists(name) => format!("scimctl token issue {name} mints another token"),
        NameOfProfile(name) => format!("choose the profile with --profile {name}"),
        NoBaseUrl => "give --base-url, or name the stack, which has one, with --stack".into(),
        FirstToken { tenant, .. } | NoGoodToken { tenant, key_id: None } => {
            format!("scimctl token issue {tenant} mints one")
        }
        UnknownToken { tenant, .. } | NoGoodToken { tenant, key_id: Some(_) } => {
            format!("scimctl token list {tenant} shows all")
        }
        MissingRecord { tenant, .. } | BadRecord { tenant, .. } => new_record(tenant),
        TokenNotKept => NOT_KEPT.into(),
        PresetIsNoSetting => "use --profile".into(),
        IdpIsNoSetting => "use --idp".into(),
        UserNameTaken(_) => "choose another one with --user-name".into(),
        TenantGone(_)
        | InvalidName(_)
        | InvalidLabel
        | HostMismatch { .. }
        | TooManyTokens { .. }
        | SecretKeepsChanging(_)
        | ProfileChanged(_)
        | UnknownUser(_)
        | UnknownActor(_)
        | Ambiguous { .. }
        | UnknownResourceType(_)
        | BadTable(_)
        | Unexpected(_)
        | Profile(_)
        | Store(_)
        | Secrets(_)
        | Refused(_)
        | Random(_)
        | Stopped(_) => return None,
    })
}
