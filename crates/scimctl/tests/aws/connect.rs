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
    // What works on this machine only ignores the variable.
    let server = account.command(&["serve", "--help"]).env("SCIM_STACK", STACK).output().unwrap();
    assert!(server.status.success());
    let table = account
        .command(&["--json", "tenant", "list"])
        .envs([("SCIM_STACK", STACK), ("SCIM_TABLE", "scim")])
        .output()
        .unwrap();
    assert!(table.status.success() && count(&account.calls(), "cloudformation") == 0);
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
    assert!(!said.contains("assumed") && said.lines().count() == 1, "{said}");
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
