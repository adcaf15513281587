//! One person is missing, and an auditor asks: the stories of docs/OPERATIONS.md, whose transcripts
//! are played here.

use serde_json::{Value, json};

use crate::transcript::play;
use crate::users::Acme;

fn user(name: &str, external_id: &str) -> Value {
    json!({ "userName": format!("{name}@example.com"), "externalId": external_id, "active": true })
}

/// Creates users and a group Staff of them.
fn staff(acme: &Acme, users: &[Value]) -> Vec<String> {
    let ids: Vec<String> = users.iter().map(|user| acme.create(user)).collect();
    let members: Vec<Value> = ids.iter().map(|id| json!({ "value": id })).collect();
    let group = json!({ "displayName": "Staff", "members": members });
    assert_eq!(acme.send("POST", "/Groups", &group).0, 201);
    ids
}

#[test]
fn one_person_is_missing_because_they_were_refused() {
    let acme = Acme::serve("story-refused", &["--idp", "okta", "--profile", "zulip"]);
    let name = json!({ "givenName": "Anna", "familyName": "Gray" });
    let anna = json!({ "userName": "anna@example.com", "name": name, "role": "manager" });
    assert_eq!(acme.send("POST", "/Users", &anna).0, 400);
    play(&acme.directory, "one person is missing", &[]);
}

#[test]
fn one_person_is_missing_because_they_were_suspended() {
    let acme = Acme::serve("story-suspended", &["--idp", "okta"]);
    let ids = staff(&acme, &[user("bert", "00u2")]);
    acme.suspend(&ids[0]);
    play(&acme.directory, "one person is suspended", &[]);
}

#[test]
fn an_auditor_gets_an_answer() {
    let mut acme = Acme::serve("story-auditor", &["--idp", "okta"]);
    let rotate = ["token", "rotate", "acme", "--overlap-days", "0", "--label", "Okta 2026"];
    acme.token = acme.directory.json(&rotate)["token"].as_str().unwrap().to_owned();
    let ids = staff(&acme, &[user("ada", "00u1"), user("bert", "00u2")]);
    acme.suspend(&ids[0]);
    acme.delete(&ids[0]);
    play(&acme.directory, "answer an auditor", &[]);
}
