//! What AWS denies is said with the right that is missing, and with the policy that has it.

use crate::account::{Account, Refusal, failure};

const CALLER: &str = "arn:aws:sts::123456789012:assumed-role/support/ann";

fn denial(action: &str, resource: &str) -> Refusal {
    let (service, _) = action.split_once(':').unwrap();
    let message = format!(
        "User: {CALLER} is not authorized to perform: {action} on resource: \
         arn:aws:{service}:eu-central-1:123456789012:{resource} because no identity-based policy \
         allows the {action} action"
    );
    ("AccessDeniedException", message)
}

/// Denies the action whenever the operation is called, and returns what the tool says.
fn said(account: &Account, operation: &'static str, denied: Refusal, command: &[&str]) -> String {
    account.refuse(move |call| (call.operation == operation).then(|| denied.clone()));
    let said = account.refused(command);
    account.allow();
    said
}

#[test]
fn a_denial_names_the_right_and_the_policy() {
    let account = Account::new("denials");
    let query = denial("dynamodb:Query", "table/scim");
    // The second command reads through the directory, whose errors are for identity providers.
    for command in [&["tenant", "list"][..], &["user", "list", "demo"], &["export", "demo"]] {
        let said = said(&account, "Query", query.clone(), command);
        let expected = format!(
            "scimctl: AWS denies dynamodb:Query on table/scim to {CALLER}: the stack's ReaderPolicy \
             allows it\n"
        );
        assert_eq!(said, expected, "{command:?}");
    }
    let put = denial("dynamodb:PutItem", "table/scim");
    let text = said(&account, "TransactWriteItems", put, &["tenant", "disable", "demo"]);
    assert!(text.contains("dynamodb:PutItem on table/scim") && text.contains("OperatorPolicy"));
    let find = denial("cloudformation:DescribeStacks", "stack/scim/1");
    let text = said(&account, "DescribeStacks", find, &["tenant", "list"]);
    assert!(text.contains("cloudformation:DescribeStacks on stack/scim/1"), "{text}");
    assert!(text.contains("ReaderPolicy"), "{text}");
}

#[test]
fn a_denial_for_a_wrong_name_says_how_to_choose_another_place() {
    let account = Account::new("elsewhere");
    let refused = |operation: &'static str, denied: Refusal, place: &[&str]| {
        account.refuse(move |call| (call.operation == operation).then(|| denied.clone()));
        failure(&account.command(&[place, &["tenant", "list"]].concat()).output().unwrap())
    };
    // IAM says the same whether the stack exists or not.
    let find = denial("cloudformation:DescribeStacks", "stack/other/*");
    let text = refused("DescribeStacks", find, &["--stack", "other", "--region", "eu-central-1"]);
    assert!(text.contains("DescribeStacks on stack/other/* to"), "{text}");
    let hint = "if there is such a stack in eu-central-1: see --stack, --region and --aws-profile";
    assert!(text.contains(hint), "{text}");
    let query = denial("dynamodb:Query", "table/other");
    let text = refused("Query", query, &["--table", "other"]);
    assert!(text.contains("dynamodb:Query on table/other to"), "{text}");
    let hint = "if it has such a table in eu-central-1: see --table, --region and --aws-profile";
    assert!(text.contains(hint), "{text}");
}

#[test]
fn minting_without_mfa_says_so_and_what_was_done_until_then() {
    let account = Account::new("mfa");
    let read = denial("secretsmanager:GetSecretValue", "secret:scim/scim/tokens/001-AbCdEf");
    let text = said(&account, "GetSecretValue", read, &["tenant", "create", "acme"]);
    let (first, last) = text.rsplit_once("scimctl: ").unwrap();
    assert_eq!(first, "stack scim, account 123456789012, eu-central-1\n");
    assert!(last.starts_with("tenant acme exists, but has no token yet: AWS denies"), "{text}");
    assert!(
        last.contains("secretsmanager:GetSecretValue on secret:scim/scim/tokens/001"),
        "{text}"
    );
    assert!(last.contains("MinterPolicy allows it, in a session with MFA"), "{text}");
    assert!(last.trim_end().ends_with("scimctl token issue acme mints one"), "{text}");
}

#[test]
fn keys_and_credentials_that_are_not_accepted_are_told() {
    let account = Account::new("keys");
    let key = ("AccessDeniedException", "Access to KMS is not allowed".to_owned());
    let text = said(&account, "GetSecretValue", key, &["token", "list", "demo"]);
    assert!(
        text.contains("AWS denies secretsmanager:GetSecretValue for want of the KMS key"),
        "{text}"
    );
    let expired = ("ExpiredTokenException", "The security token is expired".to_owned());
    let text = said(&account, "Query", expired, &["tenant", "list"]);
    assert!(text.contains("aws sso login --profile default"), "{text}");
    let expired = ("ExpiredToken", "The security token is expired".to_owned());
    let text = said(&account, "DescribeStacks", expired, &["tenant", "list"]);
    assert!(text.contains("aws sso login --profile default"), "{text}");
    // Keys of another account: the endpoint refuses them itself.
    let keys = account.command(&["--table", "scim", "tenant", "list"]);
    let mut keys = keys;
    keys.envs([("AWS_ACCESS_KEY_ID", "other"), ("AWS_SECRET_ACCESS_KEY", "x")]);
    let output = keys.output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("AWS does not accept the keys in the environment"), "{text}");
}
