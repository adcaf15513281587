//! The audit log as the operator reads it.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{BINARY, interrupt};
use crate::users::Acme;

/// Two users in a group, of whom one is suspended and then deleted.
fn scene(name: &str) -> (Acme, String, String) {
    let acme = Acme::serve(name, &[]);
    let ada = acme.create(&json!({ "userName": "ada@example.com", "externalId": "a1" }));
    let bob = acme.create(&json!({ "userName": "=1+1" }));
    let group = json!({ "displayName": "Staff", "members": [{ "value": ada }, { "value": bob }] });
    assert_eq!(acme.send("POST", "/Groups", &group).0, 201);
    let inactive = json!({ "Operations": [{ "op": "replace", "path": "active", "value": false }] });
    assert_eq!(acme.send("PATCH", &format!("/Users/{ada}"), &inactive).0, 200);
    acme.delete(&ada);
    (acme, ada, bob)
}

/// The lines without their times and without the key ids of tokens.
fn plain(text: &str) -> Vec<String> {
    let line = |line: &str| {
        let (time, rest) = line.split_once("  ").unwrap();
        assert!(time.len() >= 20 && time.ends_with('Z'), "{line}");
        let words = rest.split_inclusive(' ');
        let after_key = words.scan(false, |is_key, word| {
            let shown = if *is_key { "KEY" } else { word };
            *is_key = word == "key ";
            Some(shown.to_owned())
        });
        after_key.collect()
    };
    text.lines().map(line).collect()
}

#[test]
fn the_log_says_what_was_done_to_whom_and_by_whom() {
    let (acme, ada, _) = scene("log");
    let shown = plain(&acme.directory.text(&["log", "acme"]));
    let expected = [
        "create    tenant  by operator",
        "mint      key KEY by operator",
        "create    ada@example.com  active, externalId, userName  by key KEY",
        "create    =1+1  active, userName  by key KEY",
        "create    Staff  added 2 members  displayName  by key KEY",
        "patch     ada@example.com  active -> suspended  by key KEY",
        "delete    ada@example.com  suspended -> gone  by key KEY",
        "delete    ada@example.com  left 1 group  by key KEY",
    ];
    assert_eq!(shown, expected, "{shown:#?}");

    let patched = acme.directory.json(&["log", "acme", "--who", "a1", "--op", "patch"]);
    assert_eq!(
        (&patched["type"], &patched["subject"], &patched["name"], &patched["was"]),
        (&json!("User"), &json!(ada), &json!("ada@example.com"), &json!("active"))
    );
    assert_eq!((&patched["changed"], &patched["added"]), (&json!(["active"]), &json!([])));
    let two = acme.directory.text(&["log", "acme", "--limit", "2"]);
    assert_eq!(plain(&two), expected[6..]);
    let recent = acme.directory.text(&["log", "acme", "--since", "1h", "--by", "operator"]);
    assert_eq!(recent.lines().count(), 2);
    assert_eq!(acme.directory.text(&["log", "acme", "--until", "2026-01-01 08:00"]), "");
    let said = acme.directory.refused(&["log", "acme", "--who", "some body"]);
    assert!(said.contains("the tenant has no user some body"), "{said}");
}

#[test]
fn a_log_that_is_followed_shows_what_is_added_until_it_is_interrupted() {
    let (acme, _, bob) = scene("log-follow");
    let mut child = Command::new(BINARY)
        .arg("--data")
        .arg(&acme.directory.0)
        .args(["--json", "log", "acme", "--follow", "--limit", "1"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["operation"], "delete");
    acme.delete(&bob);
    let added = next();
    assert_eq!((&added["operation"], &added["subject"]), (&json!("delete"), &json!(bob)));
    assert!(interrupt(&mut child), "Ctrl-C is the way to end it");
}

#[test]
fn an_auditor_sees_who_was_provisioned_and_removed() {
    let (acme, ada, bob) = scene("audit");
    let csv = acme.directory.text(&["audit", "report", "acme", "--since", "90d", "--csv"]);
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0], ["time", "id", "current userName", "what", "key", "label", "request"]);
    let what: Vec<_> = rows[1..].iter().map(|row| (row[1], row[2], row[3])).collect();
    let expected = [
        (ada.as_str(), "ada@example.com", "created"),
        (bob.as_str(), "'=1+1", "created"),
        (ada.as_str(), "ada@example.com", "deactivated"),
        (ada.as_str(), "ada@example.com", "deleted"),
    ];
    assert_eq!(what, expected);
    let shown = plain(&acme.directory.text(&["audit", "report", "acme"]));
    assert_eq!(shown[2], format!("deactivated  ada@example.com ({ada})  by key KEY"));
    let output = acme.directory.run(&["--json", "audit", "report", "acme"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!((&last["what"], &last["id"]), (&json!("deleted"), &json!(ada)));
}
