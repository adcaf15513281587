//! The operator suspends, activates and deletes one person.

use serde_json::{Value, json};

use crate::users::Acme;

#[test]
fn one_person_is_suspended_activated_and_deleted() {
    let acme = Acme::serve("change", &["operations.deactivate=off", "brake.deactivations=1"]);
    let ann = acme.create(&json!({ "userName": "Ann@example.com", "externalId": "a1" }));
    let said = acme.directory.text(&["user", "suspend", "acme", "ann@EXAMPLE.com"]);
    let next = "at its next sync.\n";
    let expected = format!(
        "Ann@example.com ({ann}) is suspended. The identity provider may activate it again {next}"
    );
    assert_eq!(said, expected);
    let again = acme.directory.text(&["user", "suspend", "acme", "a1"]);
    assert_eq!(again, format!("Ann@example.com ({ann}) is suspended already.\n"));
    let active = acme.directory.json(&["user", "activate", "acme", &ann]);
    let expected = json!({
        "tenant": "acme", "id": ann, "userName": "Ann@example.com", "expires": null,
        "changed": true, "done": "activated",
    });
    assert_eq!(active, expected);
    let path = format!("/Users/{ann}");
    assert_eq!(acme.send("GET", &path, &Value::Null).1["active"], true);
    let said = acme.directory.text(&["user", "delete", "acme", &ann]);
    let command = format!("is deleted; scimctl user restore acme {ann} restores it until 20");
    assert!(said.contains(&command) && said.ends_with(next), "{said}");
    assert_eq!(acme.send("GET", &path, &Value::Null).0, 404);
    for (arguments, reason) in [
        (["acme", "a1"], "scimctl user restore acme"),
        (["acme", "no body"], "the tenant has no user no body"),
        (["nobody", "a1"], "there is no tenant nobody"),
    ] {
        let said = acme.directory.refused(&[&["user", "suspend"], &arguments[..]].concat());
        assert!(said.contains(reason), "{arguments:?}: {said}");
    }
    let log = acme.directory.text(&["log", "acme", "--by", "operator", "--who", &ann]);
    let operations = log.lines().map(|line| line.split("  ").nth(1).unwrap().trim());
    assert_eq!(operations.collect::<Vec<_>>(), ["patch", "patch", "delete"]);
}

#[test]
fn a_profile_that_refuses_deletions_refuses_the_operators_too() {
    let settings = ["deprovision.on_delete=refuse"];
    let acme = Acme::serve("change-refused", &settings);
    acme.create(&json!({ "userName": "ann" }));
    let said = acme.directory.refused(&["user", "delete", "acme", "ann"]);
    assert!(said.contains("Suspend the user instead"), "{said}");
    let said = acme.directory.text(&["user", "suspend", "acme", "ann"]);
    assert!(said.contains("is suspended"), "{said}");
}
