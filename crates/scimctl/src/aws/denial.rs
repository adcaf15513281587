//! What AWS denies, and who can allow it.

use std::fmt;

use super::setup::Setup;

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
/// Codes that say that the secret key is wrong, or that the clocks differ.
const CLOCK: [&str; 3] =
    ["InvalidSignatureException", "SignatureDoesNotMatch", "RequestTimeTooSkewed"];
/// Codes that say that a right is missing.
const ACCESS: [&str; 4] =
    ["AccessDenied", "AccessDeniedException", "DecryptionFailure", "EncryptionFailure"];

/// The policies that allow the use of the key.
const KEY: &str = "the stack's ReaderPolicy allows it for the table, and MinterPolicy for secrets, \
    in a session with MFA";

/// Something that AWS refused for want of rights or of credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Denial {
    /// The call as IAM names actions, such as `dynamodb:TransactWriteItems`.
    call: String,
    what: Denied,
    setup: Setup,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Denied {
    /// An action on a resource.
    Action {
        /// Such as `dynamodb:Query`.
        action: String,
        /// Such as `table/scim`.
        resource: String,
        /// The caller's ARN.
        caller: String,
        /// Why the account forbids it, if it is not only that nothing allows it.
        forbidden: Option<String>,
    },
    /// The KMS key, in words that name no action.
    Key(String),
    /// The call, in words that do not name it.
    Call(String),
    /// The credentials, with this code.
    Credentials(String),
    /// The signature, because of the secret key or of this machine's clock.
    Signature(String),
}

/// What a refusal of a call says; `None` if it is about something else.
pub(super) fn read(call: &str, code: &str, message: &str, setup: &Setup) -> Option<Denial> {
    let what = if CREDENTIALS.contains(&code) {
        Denied::Credentials(code.to_owned())
    } else if CLOCK.contains(&code) {
        Denied::Signature(message.to_owned())
    } else {
        access(code, message)?
    };
    Some(Denial { call: call.to_owned(), what, setup: setup.clone() })
}

/// A right that is missing.
fn access(code: &str, message: &str) -> Option<Denied> {
    let is_access = ACCESS.contains(&code);
    if !is_access && !code.starts_with("KMS") {
        return None;
    }
    let is_key = !is_access || message.contains("KMS");
    Some(match action(message) {
        Some(denied) => denied,
        None if is_key => Denied::Key(message.to_owned()),
        None => Denied::Call(message.to_owned()),
    })
}

/// The parts of IAM's sentence: `User: ARN is not authorized to perform: ACTION on resource: ARN
/// because no identity-based policy allows the ACTION action`.
fn action(message: &str) -> Option<Denied> {
    let (caller, rest) = message.split_once(" is not authorized to perform: ")?;
    let mut words = rest.split_whitespace();
    let action = words.next()?.to_owned();
    let arn = rest.split_once("on resource: ").map(|(_, rest)| rest);
    let arn = arn.and_then(|rest| rest.split_whitespace().next()).unwrap_or_default();
    let resource = arn.splitn(6, ':').nth(5).unwrap_or(arn).to_owned();
    let caller = caller.rsplit("User: ").next().unwrap_or_default().to_owned();
    Some(Denied::Action { action, resource, caller, forbidden: forbidden(rest) })
}

/// Why the account forbids an action, according to the end of IAM's sentence.
fn forbidden(rest: &str) -> Option<String> {
    if let Some((_, by)) = rest.split_once("with an explicit deny") {
        return Some(format!("the account forbids it, by an explicit deny{by}"));
    }
    let (_, why) = rest.split_once("because no ")?;
    let (kind, _) = why.split_once(" allows")?;
    let is_of_account = kind != "identity-based policy";
    is_of_account.then(|| format!("the account forbids it: a {kind} that allows it is missing"))
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
        | "dynamodb:ConditionCheckItem"
        | "dynamodb:TransactWriteItems" => "OperatorPolicy",
        _ if action.starts_with("secretsmanager:") => "MinterPolicy",
        _ => return None,
    })
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, what, setup } = self;
        match what {
            Denied::Action { action, resource, caller, forbidden } => {
                write!(f, "AWS denies {action} on {resource} to {caller}: ")?;
                match forbidden {
                    Some(why) => f.write_str(why),
                    None => write!(f, "{}{}", remedy(action, caller), place(action, setup)),
                }
            }
            Denied::Key(words) => write!(
                f,
                "AWS denies {call} for want of the KMS key, which needs kms:Decrypt and \
                 kms:GenerateDataKey: {KEY}; see also that the key is enabled ({words})"
            ),
            Denied::Call(words) => {
                write!(f, "AWS denies {call}: {}{} ({words})", remedy(call, ""), place(call, setup))
            }
            Denied::Credentials(code) => credentials(code, setup, f),
            Denied::Signature(words) => write!(
                f,
                "AWS does not accept the signature: the secret access key is wrong, or this \
                 machine's clock is ({words})"
            ),
        }
    }
}

/// What to do about credentials that AWS does not accept.
fn credentials(code: &str, setup: &Setup, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let profile = &setup.profile;
    if setup.has_keys {
        return write!(
            f,
            "AWS does not accept the keys in the environment, perhaps because they have expired \
             ({code}); set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN to new \
             ones, or choose a profile with --aws-profile"
        );
    }
    write!(
        f,
        "AWS does not accept the credentials of profile {profile}, perhaps because they have \
         expired ({code}); log in again with aws sso login --profile {profile}, or get new ones as \
         you got these"
    )
}

/// What allows an action.
fn remedy(action: &str, caller: &str) -> String {
    match policy(action) {
        Some("MinterPolicy") => minter(caller),
        Some(policy) => format!("the stack's {policy} allows it"),
        None if action.starts_with("kms:") => KEY.to_owned(),
        None => "none of the stack's policies allows it".to_owned(),
    }
}

/// How a caller gets a session in which minting is allowed. Only a user can ask for a session token.
fn minter(caller: &str) -> String {
    let call = if caller.contains(":user/") { "get-session-token" } else { "assume-role" };
    format!(
        "the stack's MinterPolicy allows it, in a session with MFA: choose a profile whose \
         credential_process calls aws sts {call} with --serial-number MFA-DEVICE and --token-code \
         CODE; with IAM Identity Center deploy the stack with MinterNeedsMfa=no"
    )
}

/// What else can be the reason: the policies are for one stack and one table.
fn place(action: &str, setup: &Setup) -> String {
    let region = &setup.region;
    if action.starts_with("cloudformation:") {
        return format!(
            ", if there is such a stack in {region}: see --stack, --region and --aws-profile"
        );
    }
    if setup.names_table && action.starts_with("dynamodb:") {
        return format!(
            ", if it has such a table in {region}: see --table, --region and --aws-profile"
        );
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLER: &str = "arn:aws:sts::123456789012:assumed-role/reader/ann";

    fn prod() -> Setup {
        let (profile, region) = ("prod".to_owned(), "eu-central-1".to_owned());
        Setup { profile, region, ..Setup::default() }
    }

    fn said_with(setup: &Setup, code: &str, message: &str) -> String {
        let denial = read("dynamodb:Query", code, message, setup);
        denial.map(|denial| denial.to_string()).unwrap_or_default()
    }

    fn said(code: &str, message: &str) -> String {
        said_with(&prod(), code, message)
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
        let found = denied("cloudformation:DescribeStacks", stack, why);
        assert!(found.contains("stack/scim/1 to"), "{found}");
        assert!(
            found.ends_with(
                "ReaderPolicy allows it, if there is such a stack in eu-central-1: see --stack, \
                 --region and --aws-profile"
            ),
            "{found}"
        );
        let secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:scim/scim/tokens/001";
        let mint = denied("secretsmanager:GetSecretValue", secret, why);
        assert!(mint.contains("on secret:scim/scim/tokens/001 to") && mint.contains("with MFA"));
        assert!(mint.contains("aws sts assume-role with --serial-number"), "{mint}");
        let user = minter("arn:aws:iam::123456789012:user/ann");
        assert!(user.contains("aws sts get-session-token with --serial-number"), "{user}");
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
            scp.ends_with(
                ": the account forbids it, by an explicit deny in a service control policy"
            ),
            "{scp}"
        );
        let boundary = "because no permissions boundary allows the dynamodb:Query action";
        let boundary = denied("dynamodb:Query", table, boundary);
        assert!(
            boundary.ends_with(
                ": the account forbids it: a permissions boundary that allows it is missing"
            ),
            "{boundary}"
        );
    }

    #[test]
    fn keys_credentials_and_clocks_are_told_apart_from_other_refusals() {
        let key = said("AccessDeniedException", "KMS key access denied error: x");
        let begin = "AWS denies dynamodb:Query for want of the KMS key, which needs kms:Decrypt";
        assert!(key.starts_with(begin), "{key}");
        assert!(said("KMSDisabledException", "key 1 is disabled").starts_with(begin));
        assert_eq!(said("ValidationException", "the table KMS is odd"), "");
        let other = said("AccessDeniedException", "no");
        let expected = "AWS denies dynamodb:Query: the stack's ReaderPolicy allows it (no)";
        assert_eq!(other, expected);
        let expired = said("ExpiredTokenException", "The security token is expired");
        assert!(expired.contains("aws sso login --profile prod"), "{expired}");
        let signature = said("InvalidSignatureException", "x");
        assert!(signature.contains("secret access key") && signature.contains("clock"));
        assert_eq!(said("ResourceNotFoundException", "no table"), "");
        assert_eq!(said("ConditionalCheckFailedException", "x"), "");
    }

    #[test]
    fn a_denial_says_what_the_command_works_with() {
        let table = Setup { names_table: true, ..prod() };
        let denied = said_with(&table, "AccessDeniedException", "no");
        assert!(denied.contains("if it has such a table in eu-central-1: see --table"), "{denied}");
        let keys = Setup { has_keys: true, ..prod() };
        let expired = said_with(&keys, "ExpiredTokenException", "x");
        assert!(expired.contains("keys in the environment"), "{expired}");
        assert!(!expired.contains("prod") && !expired.contains("sso"), "{expired}");
    }
}
