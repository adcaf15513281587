//! Users that the operator restores, removes and exports.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Directory, Server, http};

fn patch(operations: &Value) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations })
}

/// The tenant acme, served.
pub(crate) struct Acme {
    pub(crate) directory: Directory,
    pub(crate) token: String,
    base_url: String,
    _server: Server,
}

impl Acme {
    pub(crate) fn serve(name: &str, arguments: &[&str]) -> Self {
        let directory = Directory::new(name);
        let made = directory.json(&[&["tenant", "create", "acme"], arguments].concat());
        let mut server = Server::start(&directory, &["--json"]);
        let base_url = server.ready()["base_url"].as_str().unwrap().to_owned();
        Self {
            directory,
            token: made["token"].as_str().unwrap().to_owned(),
            base_url,
            _server: server,
        }
    }

    pub(crate) fn send(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        http(&self.base_url, &self.token, method, path, &body)
    }

    /// Creates a user and returns the id.
    pub(crate) fn create(&self, user: &Value) -> String {
        let (status, user) = self.send("POST", "/Users", user);
        assert_eq!(status, 201, "{user}");
        user["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn delete(&self, id: &str) {
        assert_eq!(self.send("DELETE", &format!("/Users/{id}"), &Value::Null).0, 204);
    }

    pub(crate) fn get(&self, id: &str) -> (u16, Value) {
        self.send("GET", &format!("/Users/{id}"), &Value::Null)
    }

    pub(crate) fn suspend(&self, id: &str) {
        let off = patch(&json!([{ "op": "replace", "path": "active", "value": false }]));
        assert_eq!(self.send("PATCH", &format!("/Users/{id}"), &off).0, 200);
    }

    fn exported(&self, arguments: &[&str]) -> Vec<Value> {
        let text = self.directory.text(&[&["export", "acme"], arguments].concat());
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[test]
fn a_restored_user_is_as_it_was_and_in_its_groups() {
    let acme = Acme::serve("restore", &[]);
    let id = acme.create(&json!({ "userName": "Ann@example.com", "title": "Ms", "active": false }));
    let group = json!({ "displayName": "all", "members": [{ "value": id }] });
    let (status, group) = acme.send("POST", "/Groups", &group);
    assert_eq!((status, group["members"][0]["value"].as_str()), (201, Some(id.as_str())));
    acme.delete(&id);
    assert_eq!(acme.get(&id).0, 404);
    let said = acme.directory.text(&["user", "restore", "acme", &id]);
    assert_eq!(
        said,
        format!("Ann@example.com ({id}) has been restored, inactive. It is in its group again.\n")
    );
    let (status, user) = acme.get(&id);
    assert_eq!(
        (status, &user["id"], &user["userName"]),
        (200, &json!(id), &json!("Ann@example.com"))
    );
    assert_eq!((&user["active"], &user["title"]), (&json!(false), &json!("Ms")));

    for (arguments, reason) in [
        (["acme", id.as_str()], "No deleted user with this id can be restored."),
        (
            ["acme", "00000000-0000-8000-8000-000000000000"],
            "No deleted user with this id can be restored",
        ),
        (["acme", "some id"], "the tenant has no user some id"),
        (["nobody", id.as_str()], "there is no tenant nobody"),
    ] {
        let said = acme.directory.refused(&[&["user", "restore"], &arguments[..]].concat());
        assert!(said.contains(reason), "{arguments:?}: {said}");
    }
}

#[test]
fn a_user_whose_name_is_taken_is_restored_under_another_name() {
    let acme = Acme::serve("rename", &[]);
    let first = acme.create(&json!({ "userName": "ann", "externalId": "1" }));
    acme.delete(&first);
    let second = acme.create(&json!({ "userName": "ann", "externalId": "2" }));
    assert_ne!(first, second);
    let said = acme.directory.refused(&["user", "restore", "acme", &first]);
    assert!(said.contains("--user-name") && said.contains("userName"), "{said}");
    assert_eq!(acme.get(&first).0, 404);
    let taken = acme.directory.refused(&["user", "restore", "acme", &first, "--user-name", "ANN"]);
    assert!(taken.contains("--user-name"), "{taken}");
    let back = acme.directory.json(&["user", "restore", "acme", &first, "--user-name", "ann.old"]);
    assert_eq!(
        back,
        json!({
            "tenant": "acme", "id": first, "userName": "ann.old", "active": true, "expires": null,
            "restored": true, "groups": [], "groupsGone": [],
        })
    );
    let (status, user) = acme.get(&first);
    assert_eq!(
        (status, &user["userName"], &user["active"]),
        (200, &json!("ann.old"), &json!(true))
    );
    assert_eq!(acme.get(&second).1["userName"], "ann");
}

#[test]
fn a_user_without_a_seat_is_not_restored() {
    let acme = Acme::serve("restore-full", &["seats.limit=1"]);
    let first = acme.create(&json!({ "userName": "ann" }));
    acme.delete(&first);
    let second = acme.create(&json!({ "userName": "bob" }));
    let said = acme.directory.refused(&["user", "restore", "acme", &first]);
    assert!(said.contains("No seat is left"), "{said}");
    acme.delete(&second);
    acme.directory.json(&["user", "restore", "acme", &first]);
    assert_eq!(acme.get(&first).1["active"], true);
}

#[test]
fn a_user_without_a_seat_is_restored_inactive_if_the_profile_allows_it() {
    let acme =
        Acme::serve("restore-inactive", &["seats.limit=1", "seats.when_full=create_inactive"]);
    let first = acme.create(&json!({ "userName": "ann" }));
    acme.delete(&first);
    acme.create(&json!({ "userName": "bob" }));
    let said = acme.directory.text(&["user", "restore", "acme", &first]);
    assert_eq!(
        said,
        format!(
            "ann ({first}) has been restored, inactive, because no seat is left. It was in no \
             group.\n"
        )
    );
    assert_eq!(acme.get(&first).1["active"], false);
}

#[test]
fn an_export_has_all_users_with_their_states_and_no_groups() {
    let acme = Acme::serve("export", &["deprovision.on_inactive=suspend_with_expiry"]);
    let active = acme.create(&json!({ "userName": "active", "title": "Ms" }));
    let inactive = acme.create(&json!({ "userName": "inactive", "active": false }));
    let leaving = acme.create(&json!({ "userName": "leaving" }));
    let deleted = acme.create(&json!({ "userName": "deleted" }));
    let group = json!({ "displayName": "all", "members": [{ "value": active }] });
    assert_eq!(acme.send("POST", "/Groups", &group).0, 201);
    let off = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "replace", "value": { "active": false } }] });
    assert_eq!(acme.send("PATCH", &format!("/Users/{leaving}"), &off).0, 200);
    acme.delete(&deleted);
    let file = acme.directory.file("people.csv", "userName\nimported\n");
    let report = acme.directory.json(&["import", "acme", &file, "--unmanaged"]);
    let imported = report["records"][0]["id"].as_str().unwrap();

    let users = acme.exported(&[]);
    let found = |user: &Value| {
        ["userName", "state", "id"].map(|field| user[field].as_str().unwrap().to_owned())
    };
    let mut all: Vec<[String; 3]> = users.iter().map(found).collect();
    all.sort();
    let expected = [
        ["active", "provisioned", active.as_str()],
        ["deleted", "soft_deleted", deleted.as_str()],
        ["imported", "unmanaged", imported],
        ["inactive", "suspended", inactive.as_str()],
        ["leaving", "suspended_with_expiry", leaving.as_str()],
    ];
    assert_eq!(all, expected);
    for user in &users {
        let expires =
            ["soft_deleted", "suspended_with_expiry"].contains(&user["state"].as_str().unwrap());
        assert_eq!(user["expires"].is_string(), expires, "{user}");
    }
    let ann = users.iter().find(|user| user["userName"] == "active").unwrap();
    assert_eq!((&ann["title"], &ann["meta"]["resourceType"]), (&json!("Ms"), &json!("User")));
    assert_eq!(ann["meta"]["location"], json!(format!("{}/Users/{active}", acme.base_url)));

    for [_, state, id] in expected {
        let some = acme.exported(&["--state", state]);
        assert_eq!((some.len(), some[0]["id"].as_str()), (1, Some(id)), "{state}");
    }
    let output = acme.directory.file("export.ndjson", "old");
    let said = acme.directory.text(&["export", "acme", "--output", &output]);
    assert_eq!(said, "5 users of acme were written.\n");
    let written = std::fs::read_to_string(&output).unwrap();
    let written: Vec<Value> =
        written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(written, users);
    let some =
        acme.directory.json(&["export", "acme", "--state", "unmanaged", "--output", &output]);
    assert_eq!(
        (&some["users"], std::fs::read_to_string(&output).unwrap().lines().count()),
        (&json!(1), 1)
    );
}

#[test]
fn an_export_of_imported_users_keeps_their_verified_addresses() {
    let directory = Directory::new("export-again");
    for tenant in ["acme", "later"] {
        directory.json(&["tenant", "create", tenant, "--profile", "hoxhunt"]);
    }
    let people =
        "userName,email,emailVerified\nann,Ann@example.org,true\nbob,bob@example.org,false\n";
    let people = directory.file("people.csv", people);
    let report = directory.json(&["import", "acme", &people, "--unmanaged"]);
    let links = |report: &Value| -> Vec<Value> {
        let mut records = report["records"].as_array().unwrap().clone();
        records.sort_by_key(|record| record["userName"].to_string());
        records.iter().map(|record| record["links_on"].clone()).collect()
    };
    assert_eq!(links(&report), [json!(["userName", "verified e-mail"]), json!(["userName"])]);
    let text = directory.text(&["export", "acme"]);
    let users = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut verified: Vec<_> =
        users.map(|user| (user["userName"].clone(), user["verifiedEmails"].clone())).collect();
    verified.sort_by_key(|(name, _)| name.to_string());
    assert_eq!(verified, [(json!("ann"), json!(["ann@example.org"])), (json!("bob"), Value::Null)]);
    let exported = directory.file("exported.ndjson", &text);
    let again = directory.json(&["import", "later", &exported, "--unmanaged"]);
    assert_eq!((links(&again), &again["left_out"]), (links(&report), &json!([])));
}

#[test]
fn an_export_ends_quietly_when_its_reader_is_gone() {
    let directory = Directory::new("head");
    directory.json(&["tenant", "create", "acme"]);
    let people =
        (0..50).fold("userName\n".to_owned(), |text, number| format!("{text}user{number}\n"));
    directory.json(&["import", "acme", &directory.file("people.csv", &people), "--unmanaged"]);
    for arguments in [&["export", "acme"][..], &["--json", "tenant", "list"]] {
        let mut child = std::process::Command::new(crate::support::BINARY);
        child.arg("--data").arg(&directory.0).args(arguments);
        let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn a_failed_export_leaves_an_existing_file_as_it_was() {
    let directory = Directory::new("no-export");
    directory.json(&["tenant", "create", "acme"]);
    assert_eq!(directory.text(&["export", "acme"]), "", "a tenant without users has no line");
    let output = directory.file("export.ndjson", "old");
    let said = directory.refused(&["export", "nobody", "--output", &output]);
    assert!(said.contains("there is no tenant nobody"), "{said}");
    let unknown = directory.run(&["export", "acme", "--state", "deleted", "--output", &output]);
    let said = String::from_utf8(unknown.stderr).unwrap();
    assert!(unknown.status.code() == Some(2) && said.contains("soft_deleted"), "{said}");
    assert_eq!(std::fs::read_to_string(&output).unwrap(), "old");
    let said = directory.refused(&["export", "acme", "--output", "/nowhere/export.ndjson"]);
    assert!(said.contains("/nowhere/export.ndjson cannot be created"), "{said}");
}
