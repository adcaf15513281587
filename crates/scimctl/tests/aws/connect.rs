//! How the stack is found, and what follows from its outputs.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::account::{Account, Call, KEY, RETENTION, SECRETS, STACK, failure};
use crate::support::http;

const DAY: i64 = 24 * 60 * 60;

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

fn count(calls: &[Call], service: &str) -> usize {
    calls.iter().filter(|call| call.service == service).count()
}

/// In how many days the row of the log expires that a transaction writes.
fn days_of_log(calls: &[Call]) -> Option<i64> {
    let writes = calls.iter().filter(|call| call.operation == "TransactWriteItems");
    let actions = writes.flat_map(|call| call.body["TransactItems"].as_array().unwrap());
    let items = actions.filter_map(|action| action.get("Put")).map(|put| &put["Item"]);
    let expires = items.filter_map(|item| item["x"]["N"].as_str()?.parse::<i64>().ok()).max();
    expires.map(|expires| (expires - now() + DAY / 2) / DAY)
}

#[test]
fn a_profile_with_a_credential_process_reaches_the_stack() {
    let account = Account::new("process");
    let (listed, said) = account.json(&["tenant", "list"]);
    assert_eq!((&listed["tenants"][0]["tenant"], said.as_str()), (&Value::from("demo"), ""));
    let calls = account.calls();
    assert_eq!(count(&calls, "cloudformation"), 1);
    assert!(count(&calls, "dynamodb") > 2);

    let named = account.command(&["tenant", "list"]).env("SCIM_STACK", STACK).output().unwrap();
    assert!(named.status.success() && count(&account.calls(), "cloudformation") == 1);
    // What works on this machine only ignores the variable, and stays on this machine.
    let local = ["serve", "--ephemeral", "--listen", "300.0.0.1:0"];
    let local = account.command(&local).env("SCIM_STACK", STACK).output().unwrap();
    let said = String::from_utf8(local.stderr).unwrap();
    assert!(!said.contains("--stack") && said.contains("300.0.0.1"), "{said}");
    // It would issue a token.
    let event = account.command(&["event", "get-user"]).env("SCIM_STACK", STACK).output().unwrap();
    let said = String::from_utf8_lossy(&event.stderr).into_owned();
    assert!(said.contains("there is no tenant yet"), "{said}");
    assert!(account.calls().is_empty(), "{said}");
}

#[test]
fn options_and_variables_name_the_deployment_together() {
    let account = Account::new("variables");
    // Only an option can name the right table.
    account.output("TableName", Some("wrong"));
    let days =
        |days: &'static str| [("SCIM_RETENTION_DAYS", "11"), ("SCIM_AUDIT_RETENTION_DAYS", days)];
    let run = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = account.command(&[arguments, &["tenant", "disable", "demo"]].concat());
        let output = command.envs(variables.iter().copied().chain(days("12"))).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{arguments:?} {variables:?}: {said}");
        let calls = account.calls();
        account.json(&["--table", "scim", "tenant", "enable", "demo"]);
        account.calls();
        (said, count(&calls, "cloudformation"), days_of_log(&calls))
    };
    let of_stack = "stack scim, account 123456789012, eu-central-1\n";
    let of_table = "table scim, eu-central-1\n";
    let (stack, other) = (("SCIM_STACK", STACK), ("SCIM_STACK", "other"));
    let (table, wrong) = (("SCIM_TABLE", "scim"), ("SCIM_TABLE", "wrong"));
    for (arguments, variables, title, asked, kept) in [
        (&["--stack", STACK, "--table", "scim"][..], &[other][..], of_stack, 1, RETENTION[1]),
        (&["--stack", STACK, "--table", "scim"], &[other, wrong], of_stack, 1, RETENTION[1]),
        (&["--table", "scim"], &[stack], of_stack, 1, RETENTION[1]),
        (&["--table", "scim"], &[stack, wrong], of_table, 0, 12),
        (&[], &[stack, table], of_table, 0, 12),
        (&["--audit-days", "13"], &[stack, table], of_table, 0, 13),
    ] {
        let found = run(arguments, variables);
        let expected = (title.to_owned(), asked, Some(kept));
        assert_eq!(found, expected, "{arguments:?} {variables:?}");
    }
    let (said, asked, kept) = run(&["--table", "scim"], &[wrong]);
    assert_eq!((asked, kept), (0, Some(365)), "variables of days count only with both names");
    assert!(said.contains("kept for 90 days") && said.ends_with(of_table), "{said}");
    let wrong = account
        .command(&["tenant", "list"])
        .envs([stack, table].into_iter().chain(days("0")))
        .output()
        .unwrap();
    let said = failure(&wrong);
    assert!(said.contains("SCIM_AUDIT_RETENTION_DAYS must be a number of days"), "{said}");
    // A data directory is one, whatever the variables say.
    let local = ["--data", "own", "tenant", "list"];
    let local = account.command(&local).envs([stack, table]).output().unwrap();
    assert!(local.status.success() && account.calls().is_empty());
    let empty = account.command(&["--table", "", "tenant", "list"]).output().unwrap();
    assert_eq!(empty.status.code(), Some(2));
}

/// In how many days the row of a user expires that a transaction changes.
fn days_of_user(calls: &[Call]) -> Option<i64> {
    let writes = calls.iter().filter(|call| call.operation == "TransactWriteItems");
    let actions = writes.flat_map(|call| call.body["TransactItems"].as_array().unwrap());
    let values = actions.map(|action| &action["Update"]["ExpressionAttributeValues"]);
    let mut users = values.filter(|values| values[":k"]["S"] == "U");
    let expires = users.find_map(|values| values[":x"]["N"].as_str()?.parse::<i64>().ok());
    expires.map(|expires| (expires - now() + DAY / 2) / DAY)
}

#[test]
fn deleted_users_are_kept_as_long_as_the_stack_says() {
    let account = Account::new("deleted");
    let text = |name: &str| account.ready[name].as_str().unwrap();
    for name in ["ann", "bob"] {
        let user = format!(r#"{{"userName":"{name}"}}"#);
        assert_eq!(http(text("base_url"), text("token"), "POST", "/Users", &user).0, 201);
    }
    account.calls();
    account.json(&["user", "delete", "demo", "ann"]);
    assert_eq!(days_of_user(&account.calls()), Some(RETENTION[0]));
    account.json(&["user", "delete", "demo", "bob", "--deleted-user-days", "7"]);
    assert_eq!(days_of_user(&account.calls()), Some(7));
    // The administrator of the identity provider reads the same number.
    let page = |options: &[&str]| {
        let (guide, _) = account.json(&[&["tenant", "guide", "demo"], options].concat());
        guide["page"].as_str().unwrap().to_owned()
    };
    let guide = page(&[]);
    assert!(guide.contains("It can come back for 30 days; then"), "{guide}");
    assert!(!guide.contains("90 days"), "{guide}");
    assert!(page(&["--deleted-user-days", "7"]).contains("It can come back for 7 days; then"));
    account.json(&["profile", "set", "demo", "deprovision.retention_days=5"]);
    assert!(page(&[]).contains("It can come back for 5 days; then"), "the profile wins");
}

#[test]
fn account_and_region_are_said_before_something_is_written() {
    let account = Account::new("said");
    let (_, said) = account.json(&["tenant", "disable", "demo"]);
    assert_eq!(said, "stack scim, account 123456789012, eu-central-1\n");
    let (_, said) = account.json(&["tenant", "show", "demo"]);
    assert_eq!(said, "");
}

#[test]
fn the_log_is_kept_as_long_as_the_stack_says() {
    let account = Account::new("retention");
    account.json(&["tenant", "disable", "demo"]);
    assert_eq!(days_of_log(&account.calls()), Some(RETENTION[1]));
    account.json(&["tenant", "enable", "demo", "--audit-days", "7"]);
    assert_eq!(days_of_log(&account.calls()), Some(7));
    account.json(&["profile", "set", "demo", "audit.retention_days=9"]);
    account.calls();
    account.json(&["tenant", "disable", "demo"]);
    assert_eq!(days_of_log(&account.calls()), Some(9), "the profile wins");
}

#[test]
fn the_log_of_a_users_changes_is_kept_as_long_as_the_stack_says() {
    let account = Account::new("users");
    let text = |name: &str| account.ready[name].as_str().unwrap();
    let send = |method: &str, path: &str, body: &str| {
        http(text("base_url"), text("token"), method, path, body).1["id"].clone()
    };
    let id = send("POST", "/Users", r#"{"userName":"ann"}"#);
    send("DELETE", &format!("/Users/{}", id.as_str().unwrap()), "");
    account.calls();
    account.json(&["user", "restore", "demo", "ann"]);
    assert_eq!(days_of_log(&account.calls()), Some(RETENTION[1]));
    let file = account.directory.file("people.csv", "userName\nbob\n");
    account.json(&["import", "demo", &file, "--unmanaged"]);
    assert_eq!(days_of_log(&account.calls()), Some(RETENTION[1]));
}

#[test]
fn a_new_tenant_gets_the_stacks_url_and_its_secrets_the_stacks_key() {
    let account = Account::new("created");
    let create = ["tenant", "create", "acme", "token.reveal=again"];
    let (made, _) = account.json(&create);
    assert_eq!(made["base_url"], "https://scim.example.com/scim/v2");
    let keys = |calls: Vec<Call>| -> Vec<Value> {
        let made = calls.into_iter().filter(|call| call.operation == "CreateSecret");
        made.map(|call| call.body["KmsKeyId"].clone()).collect()
    };
    assert_eq!(keys(account.calls()), [KEY]);
    account.output("KmsKeyArn", None);
    account.json(&["tenant", "create", "globex", "token.reveal=again"]);
    assert_eq!(keys(account.calls()), [Value::Null]);
    account.json(&["tenant", "create", "own", "token.reveal=again", "--kms-key", "arn:own"]);
    assert_eq!(keys(account.calls()), ["arn:own"]);
}

#[test]
fn a_table_without_a_stack_has_assumed_settings_which_are_said() {
    let account = Account::new("table");
    let run = |arguments: &[&str]| {
        let output = account.command(&[&["--table", "scim"], arguments].concat()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        said
    };
    let said = run(&["tenant", "disable", "demo"]);
    let calls = account.calls();
    assert_eq!((count(&calls, "cloudformation"), days_of_log(&calls)), (0, Some(365)));
    assert!(said.contains("kept for 90 days and the log for 365 days"), "{said}");
    assert!(said.ends_with("table scim, eu-central-1\n"), "{said}");
    let said = run(&["tenant", "enable", "demo", "--audit-days", "8", "--deleted-user-days", "9"]);
    assert_eq!(days_of_log(&account.calls()), Some(8));
    assert_eq!(said, "table scim, eu-central-1\n", "nothing is assumed");
    assert!(run(&["token", "list", "demo", "--secrets-prefix", SECRETS]).contains("kept for"));
}

/// How many calls wait beside each other, and how many of them did at once.
#[derive(Default)]
struct Waiting {
    now: usize,
    most: usize,
}

#[test]
fn the_tenants_of_a_list_are_read_beside_each_other() {
    let account = Account::new("list");
    for name in ["a", "b", "c"] {
        account.json(&["tenant", "create", name]);
    }
    let waiting = Arc::new((Mutex::new(Waiting::default()), Condvar::new()));
    let shared = waiting.clone();
    // The rows of the four tenants wait for each other, for as long as nobody waits in vain.
    account.refuse(move |call| {
        if call.operation == "Query" && call.body["Limit"] == 2 {
            let (state, changed) = &*shared;
            let mut state = state.lock().unwrap();
            state.now += 1;
            state.most = state.most.max(state.now);
            changed.notify_all();
            let patience = Duration::from_millis(500);
            let alone = |state: &mut Waiting| state.most < 4;
            let (mut state, _) = changed.wait_timeout_while(state, patience, alone).unwrap();
            state.now -= 1;
        }
        None
    });
    let (listed, _) = account.json(&["tenant", "list"]);
    let tenants = listed["tenants"].as_array().unwrap().iter();
    let names: Vec<&str> = tenants.map(|tenant| tenant["tenant"].as_str().unwrap()).collect();
    assert_eq!(names, ["a", "b", "c", "demo"]);
    assert!(waiting.0.lock().unwrap().most >= 4);
}

#[test]
fn a_stack_that_cannot_be_used_is_told_apart() {
    let account = Account::new("wrong");
    let list = |stack: &str| {
        failure(&account.command(&["--stack", stack, "tenant", "list"]).output().unwrap())
    };
    let said = list("other");
    assert!(said.contains("there is no stack other in eu-central-1"), "{said}");
    assert!(said.contains("--region") && said.contains("--aws-profile"), "{said}");
    account.output("Region", Some("eu-west-1"));
    let said = list(STACK);
    assert!(said.contains("add --region eu-west-1"), "{said}");
    account.output("Region", None);
    let said = list(STACK);
    assert!(
        said.contains("has no output Region") && said.contains("deploy this release"),
        "{said}"
    );
    let said = account.command(&["--data", ".", "--stack", "x", "tenant", "list"]).output();
    assert_eq!(said.unwrap().status.code(), Some(2), "two places");
    let said = failure(&account.command(&["--region", "x", "tenant", "list"]).output().unwrap());
    assert!(said.contains("--stack NAME"), "{said}");
}
