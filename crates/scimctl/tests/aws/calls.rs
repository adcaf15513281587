//! Every call of AWS that each command of the tool makes, and the policy of the stack that is for
//! it. `tests/vectors/calls-of-scimctl.json` holds them; `SCIM_WRITE_DOCS=1` writes it, and
//! `tests/deploy_rules.py` compares it with the policies of the template.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use clap::CommandFactory as _;
use scim_lambda::Service;
use scim_lambda::auth::secrets_manager::Secrets;
use scim_lambda::clock::Clock;
use scim_lambda::settings::Settings;
use scim_lambda::store::Store;
use serde_json::{Value, json};

use crate::account::{Account, SECRETS};
use crate::rights;
use crate::support::http;

const FILE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/calls-of-scimctl.json");

/// The people who may run a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Reader,
    Operator,
    Minter,
    /// Everybody, because it works on this machine only.
    Local,
}
use Who::{Local, Minter, Operator, Reader};

/// A command with its arguments, in an order in which each succeeds. `{...}` is something that the
/// test has made, or that an earlier command printed.
const COMMANDS: &[(&str, Who, &[&str])] = &[
    ("serve", Local, &[""]),
    ("tenant create", Minter, &["acme token.reveal=again seats.limit=50 brake.deactivations=5"]),
    ("tenant list", Reader, &[""]),
    ("tenant show", Reader, &["demo"]),
    ("tenant guide", Reader, &["demo"]),
    ("tenant disable", Operator, &["acme"]),
    ("tenant enable", Operator, &["acme"]),
    ("token list", Minter, &["demo", "lost"]),
    ("token issue", Minter, &["acme"]),
    ("token show", Minter, &["acme"]),
    ("token revoke", Minter, &["acme {key_id}"]),
    ("token rotate", Minter, &["acme"]),
    ("token reconcile", Minter, &["demo"]),
    ("token move", Minter, &["demo"]),
    ("profile list", Reader, &[""]),
    ("profile show", Reader, &["demo"]),
    ("profile diff", Reader, &["demo acme"]),
    (
        "profile set",
        Operator,
        &["acme seats.limit=20 --profile hoxhunt", "acme brake.deactivations=3"],
    ),
    ("brake show", Reader, &["demo"]),
    ("brake lift", Operator, &["demo"]),
    ("import", Operator, &["demo people.csv --unmanaged"]),
    // It writes who exported what into the log.
    ("export", Operator, &["demo"]),
    ("user list", Reader, &["demo", "demo --state unmanaged", "demo --filter active+eq+true"]),
    ("user show", Reader, &["demo ann", "demo gone"]),
    ("user restore", Operator, &["demo {gone}"]),
    ("user suspend", Operator, &["demo {gone}"]),
    ("user activate", Operator, &["demo {gone}"]),
    ("user delete", Operator, &["demo {gone}"]),
    ("undo", Operator, &["demo --since 1h --yes"]),
    ("user forget", Operator, &["demo {imported}"]),
    ("group list", Reader, &["demo"]),
    ("group show", Reader, &["demo crew"]),
    ("errors", Reader, &["demo"]),
    ("log", Reader, &["demo", "demo --who ann"]),
    ("audit report", Reader, &["demo"]),
    ("explain", Reader, &["active+eq+true", "title+pr --tenant demo"]),
    ("events tail", Local, &[""]),
    ("events drift", Reader, &["demo --against people.csv"]),
    ("events resync", Operator, &["demo", "demo --user {ann}"]),
    ("event", Local, &["get-user"]),
    ("bench seed", Operator, &["--tenant acme --users 20 --groups 1 --members 5 --pay"]),
];

/// The names of all commands.
fn names(command: &clap::Command, before: &str) -> BTreeSet<String> {
    let subcommands = command.get_subcommands().filter(|command| command.get_name() != "help");
    let name = |command: &clap::Command| format!("{before} {}", command.get_name());
    subcommands
        .flat_map(|command| {
            let own = name(command).trim().to_owned();
            let inner = names(command, &own);
            if inner.is_empty() { BTreeSet::from([own]) } else { inner }
        })
        .collect()
}

#[test]
fn every_command_is_in_the_list() {
    let listed: BTreeSet<String> = COMMANDS.iter().map(|(name, _, _)| (*name).to_owned()).collect();
    assert_eq!(names(&scimctl::Cli::command(), ""), listed, "a command is not in COMMANDS");
}

/// A tenant with two users, one of whom is deleted, and a group; and a file to import.
fn things(account: &Account) -> BTreeMap<&'static str, String> {
    let text = |name: &str| account.ready[name].as_str().unwrap().to_owned();
    let (base_url, token) = (text("base_url"), text("token"));
    let send = |method: &str, path: &str, body: Value| {
        let (status, body) = http(&base_url, &token, method, path, &body.to_string());
        assert!(status < 300, "{method} {path}: {body}");
        body["id"].as_str().unwrap_or_default().to_owned()
    };
    let ann = send("POST", "/Users", json!({ "userName": "ann" }));
    let gone = send("POST", "/Users", json!({ "userName": "gone" }));
    let members = json!([{ "value": ann }, { "value": gone }]);
    send("POST", "/Groups", json!({ "displayName": "crew", "members": members }));
    delete_by_half(account, &token, &gone);
    account.directory.file("people.csv", "id,userName\n77,imported\n");
    [("ann", ann), ("gone", gone), ("imported", "77".to_owned())].into()
}

/// Deletes a user whose memberships the function does not get to: what comes next finishes that.
fn delete_by_half(account: &Account, token: &str, id: &str) {
    let key = account.ready["access_key_id"].as_str().unwrap();
    let sdk = scim_local::account(key).into_builder().endpoint_url(account.url.as_str());
    let sdk = sdk.http_client(scim_lambda::sdk::http_client()).build();
    let store = Store::new(aws_sdk_dynamodb::Client::new(&sdk), scim_local::TABLE);
    let secrets = Secrets::new(aws_sdk_secretsmanager::Client::new(&sdk), scim_local::STACK);
    let settings = Settings::new(scim_local::TABLE, scim_local::STACK);
    let service = Service::new(store, secrets, &settings, Clock::system()).unwrap();
    let request = http::Request::delete(format!("/scim/v2/Users/{id}"));
    let request = request.header("authorization", format!("Bearer {token}"));
    account.refuse(|call| {
        let denied = ("AccessDeniedException", "as told".to_owned());
        call.body.to_string().contains("\"ConditionCheck\":").then_some(denied)
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = runtime.block_on(service.call(request.body(Bytes::new()).unwrap()));
    account.allow();
    assert_eq!(answer.status(), 204);
}

/// Marks the secret of all tenants for deletion, as somebody may do by mistake.
fn delete_secret(account: &Account) {
    let host = account.ready["secrets_manager"].as_str().unwrap();
    let key = account.ready["access_key_id"].as_str().unwrap();
    let body = json!({ "SecretId": format!("{SECRETS}/tokens/001") }).to_string();
    let status = crate::support::aws(host, key, "secretsmanager.DeleteSecret", &body);
    assert_eq!(status, 200);
}

/// Runs all commands, and returns the rights that each needs.
fn recorded() -> BTreeMap<&'static str, BTreeSet<String>> {
    let account = Account::new("calls");
    let mut things = things(&account);
    let mut recorded = BTreeMap::new();
    for (name, who, all) in COMMANDS {
        let mut needs = BTreeSet::new();
        for arguments in *all {
            let arguments = if *arguments == "lost" {
                delete_secret(&account);
                "demo"
            } else {
                arguments
            };
            let mut line: Vec<String> = name.split(' ').map(str::to_owned).collect();
            line.extend(arguments.split_whitespace().map(|word| filled(word, &things)));
            let line: Vec<&str> = line.iter().map(String::as_str).collect();
            account.calls();
            if *who == Local {
                account.refused(&line);
                continue;
            }
            let output = account.run(&[&["--json"], &line[..]].concat());
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            // The tables of the drift differ.
            let is_over = output.status.success() || *name == "events drift";
            assert!(is_over, "{line:?}: {said}");
            let printed: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            if let Some(key_id) = printed["key_id"].as_str() {
                things.insert("key_id", key_id.to_owned());
            }
            needs.extend(account.calls().iter().flat_map(rights::of));
        }
        recorded.insert(*name, needs);
    }
    recorded
}

/// A word of a command line, with what stands for `{...}` in it.
fn filled(word: &str, things: &BTreeMap<&str, String>) -> String {
    let word = word.replace('+', " ");
    things.iter().fold(word, |word, (name, value)| word.replace(&format!("{{{name}}}"), value))
}

/// The actions without the kinds of their resources.
fn actions(rights: &BTreeSet<String>) -> BTreeSet<String> {
    rights.iter().map(|right| right.split(' ').next().unwrap().to_owned()).collect()
}

#[test]
fn each_command_needs_the_rights_that_are_recorded() {
    let recorded = recorded();
    let of = |who: Who| -> BTreeSet<String> {
        let names = COMMANDS.iter().filter(|(_, own, _)| *own == who);
        names.flat_map(|(name, _, _)| actions(&recorded[name])).collect()
    };
    assert!(of(Local).is_empty(), "{recorded:?}");
    let reader = of(Reader);
    let operator = &of(Operator) - &reader;
    let minter = &(&of(Minter) - &reader) - &operator;
    // A reader that could write, or an operator that could mint, would be in a wrong row.
    let all = |set: &BTreeSet<String>, begin: &str| set.iter().all(|name| name.starts_with(begin));
    assert!(!reader.iter().any(|name| name.contains("Item") && !name.contains("GetItem")));
    assert!(all(&operator, "dynamodb:") && all(&minter, "secretsmanager:"));

    let commands: serde_json::Map<String, Value> = COMMANDS
        .iter()
        .map(|(name, who, _)| {
            let object =
                json!({ "for": format!("{who:?}").to_lowercase(), "needs": recorded[name] });
            ((*name).to_owned(), object)
        })
        .collect();
    let policies =
        json!({ "ReaderPolicy": reader, "OperatorPolicy": operator, "MinterPolicy": minter });
    let written = json!({ "policies": policies, "commands": commands });
    let text = format!("{}\n", serde_json::to_string_pretty(&written).unwrap());
    if std::env::var_os("SCIM_WRITE_DOCS").is_some() {
        std::fs::write(FILE, &text).unwrap();
    }
    let known = std::fs::read_to_string(FILE).unwrap_or_default();
    assert_eq!(known, text, "SCIM_WRITE_DOCS=1 writes the file; then see template.yaml");
}
