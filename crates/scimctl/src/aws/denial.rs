//! What AWS denies, and who can allow it.

use std::fmt;

/// Codes that say that the credentials are not accepted at all.
const CREDENTIALS: [&str; 7] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "MissingAuthenticationTokenException",
    "MissingAuthenticationToken",
    "InvalidAccessKeyId",
];
/// Codes that say that the clocks differ.
const CLOCK: [&str; 3] =
    ["InvalidSignatureException", "SignatureDoesNotMatch", "RequestTimeTooSkewed"];
/// Codes that say that a right is missing.
const ACCESS: [&str; 4] =
    ["AccessDenied", "AccessDeniedException", "DecryptionFailure", "EncryptionFailure"];

/// Something that AWS refused for want of rights or of credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Denial {
    /// An action on a resource.
    Action {
        /// Such as `dynamodb:Query`.
        action: String,
        /// Such as `table/scim`.
        resource: String,
        /// The caller's ARN.
        caller: String,
        /// What forbids it, if it is not only that nothing allows it.
        forbidden_by: Option<String>,
    },
    /// The KMS key, in words that name no action.
    Key(String),
    /// An action, in words that do not name it.
    Other(String),
    /// The credentials of this profile.
    Credentials { profile: String, code: String },
    /// The signature, perhaps because of this machine's clock.
    Signature(String),
}

/// What a refusal says; `None` if it is about something else.
pub(super) fn read(code: &str, message: &str, profile: &str) -> Option<Denial> {
    let (code, profile) = (code.to_owned(), profile.to_owned());
    if CREDENTIALS.contains(&code.as_str()) {
        return Some(Denial::Credentials { profile, code });
    }
    if CLOCK.contains(&code.as_str()) {
        return Some(Denial::Signature(message.to_owned()));
    }
    let is_key = code.starts_with("KMS") || message.contains("KMS");
    if !is_key && !ACCESS.contains(&code.as_str()) {
        return None;
    }
    Some(match action(message) {
        Some(denial) => denial,
        None if is_key => Denial::Key(message.to_owned()),
        None => Denial::Other(message.to_owned()),
    })
}

/// The parts of IAM's sentence: `User: ARN is not authorized to perform: ACTION on resource: ARN
/// because no identity-based policy allows the ACTION action`.
fn action(message: &str) -> Option<Denial> {
    let (caller, rest) = message.split_once(" is not authorized to perform: ")?;
    let mut words = rest.split_whitespace();
    let action = words.next()?.to_owned();
    let arn = rest.split_once("on resource: ").map(|(_, rest)| rest);
    let arn = arn.and_then(|rest| rest.split_whitespace().next()).unwrap_or_default();
    let resource = arn.splitn(6, ':').nth(5).unwrap_or(arn).to_owned();
    let caller = caller.rsplit("User: ").next().unwrap_or_default().to_owned();
    let deny = rest.split_once("with an explicit deny").map(|(_, by)| by);
    let boundary = rest.split_once("because no ").map(|(_, why)| why);
    let boundary = boundary.filter(|why| !why.starts_with("identity-based"));
    let forbidden_by = deny.map(|by| format!("an explicit deny{by}"));
    let forbidden_by = forbidden_by.or_else(|| boundary.map(|why| format!("no {why}")));
    Some(Denial::Action { action, resource, caller, forbidden_by })
}

/// The policy of the stack that allows an action.
fn policy(action: &str) -> Option<&'static str> {
    Some(match action {
        "cloudformation:DescribeStacks"
        | "dynamodb:GetItem"
        | "dynamodb:BatchGetItem"
        | "dynamodb:Query" => "ReaderPolicy",
        "dynamodb:PutItem"
        | "dynamodb:UpdateItem"
        | "dynamodb:DeleteItem"
        | "dynamodb:ConditionCheckItem" => "OperatorPolicy",
        _ if action.starts_with("secretsmanager:") => "MinterPolicy",
        _ => return None,
    })
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Action { action, resource, caller, forbidden_by } => {
                write!(f, "AWS denies {action} on {resource} to {caller}: ")?;
                remedy(action, forbidden_by.as_deref(), f)
            }
            Self::Key(words) => write!(
                f,
                "AWS denies the use of the KMS key: the stack's ReaderPolicy allows it for the \
                 table, and MinterPolicy for secrets; see also that the key is enabled ({words})"
            ),
            Self::Other(words) => write!(f, "AWS denies access: {words}"),
            Self::Credentials { profile, code } => write!(
                f,
                "AWS does not accept the credentials of profile {profile}, perhaps because they \
                 have expired ({code}); log in again with aws sso login --profile {profile}, or get \
                 new ones as you got these"
            ),
            Self::Signature(words) => {
                write!(f, "AWS does not accept the signature; see this machine's clock ({words})")
            }
        }
    }
}

/// What allows an action.
fn remedy(action: &str, forbidden_by: Option<&str>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if let Some(by) = forbidden_by {
        return write!(f, "the account forbids it, by {by}");
    }
    match policy(action) {
        Some("MinterPolicy") => write!(
            f,
            "the stack's MinterPolicy allows it, in a session with MFA; aws sts get-session-token \
             --serial-number MFA-DEVICE --token-code CODE gets one, and with IAM Identity Center \
             deploy the stack with MinterNeedsMfa=no"
        ),
        Some(policy) => write!(f, "the stack's {policy} allows it"),
        None if action.starts_with("kms:") => write!(
            f,
            "the stack's ReaderPolicy allows it for the table, and MinterPolicy for secrets, in a \
             session with MFA"
        ),
        None => write!(f, "none of the stack's policies allows it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLER: &str = "arn:aws:sts::123456789012:assumed-role/reader/ann";

    fn said(code: &str, message: &str) -> String {
        read(code, message, "prod").map(|denial| denial.to_string()).unwrap_or_default()
    }

    fn denied(action: &str, arn: &str, why: &str) -> String {
        let message = format!(
            "User: {CALLER} is not authorized to perform: {action} on resource: {arn} {why}"
        );
        said("AccessDeniedException", &message)
    }

    #[test]
    fn a_denied_action_names_the_policy_that_allows_it() {
        let table = "arn:aws:dynamodb:eu-central-1:123456789012:table/scim";
        let why = "because no identity-based policy allows the action";
        let query = denied("dynamodb:Query", table, why);
        assert_eq!(
            query,
            format!(
                "AWS denies dynamodb:Query on table/scim to {CALLER}: the stack's ReaderPolicy \
                 allows it"
            )
        );
        assert!(denied("dynamodb:PutItem", table, why).ends_with("OperatorPolicy allows it"));
        let stack = "arn:aws:cloudformation:eu-central-1:123456789012:stack/scim/1";
        assert!(denied("cloudformation:DescribeStacks", stack, why).contains("stack/scim/1 to"));
        let secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:scim/scim/tokens/001";
        let mint = denied("secretsmanager:GetSecretValue", secret, why);
        assert!(mint.contains("on secret:scim/scim/tokens/001 to") && mint.contains("with MFA"));
        let key = denied("kms:Decrypt", "arn:aws:kms:eu-central-1:123456789012:key/1", why);
        assert!(key.contains("kms:Decrypt on key/1") && key.contains("MinterPolicy for secrets"));
        assert!(
            denied("dynamodb:Scan", table, why).ends_with("none of the stack's policies allows it")
        );
    }

    #[test]
    fn what_the_account_forbids_no_policy_of_the_stack_allows() {
        let table = "arn:aws:dynamodb:eu-central-1:123456789012:table/scim";
        let scp =
            denied("dynamodb:Query", table, "with an explicit deny in a service control policy");
        assert!(
            scp.ends_with("forbids it, by an explicit deny in a service control policy"),
            "{scp}"
        );
        let boundary = "because no permissions boundary allows the dynamodb:Query action";
        let boundary = denied("dynamodb:Query", table, boundary);
        assert!(boundary.contains("forbids it, by no permissions boundary allows"), "{boundary}");
    }

    #[test]
    fn keys_credentials_and_clocks_are_told_apart_from_other_refusals() {
        assert!(
            said("AccessDeniedException", "KMS key access denied error: x").contains("KMS key:")
        );
        let expired = said("ExpiredTokenException", "The security token is expired");
        assert!(expired.contains("aws sso login --profile prod"), "{expired}");
        assert!(said("InvalidSignatureException", "Signature expired").contains("clock"));
        assert_eq!(said("ResourceNotFoundException", "no table"), "");
        assert_eq!(said("ConditionalCheckFailedException", "x"), "");
    }
}
