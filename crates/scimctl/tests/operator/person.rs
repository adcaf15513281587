//! Why are they not in? What the operator sees of one person, and of all.

use serde_json::{Value, json};

use crate::users::Acme;

#[test]
fn a_person_is_shown_with_state_groups_history_and_why_they_are_not_in() {
    let acme = Acme::serve("person", &["--idp", "okta"]);
    let show = |who: &str| acme.directory.text(&["user", "show", "acme", who]);
    let ann = json!({ "userName": "ann@example.com", "externalId": "00u1",
        "emails": [{ "value": "ann.work@example.com", "primary": true }] });
    let ann = acme.create(&ann);
    let group = json!({ "displayName": "Crew", "members": [{ "value": ann }] });
    assert_eq!(acme.send("POST", "/Groups", &group).0, 201);
    for who in ["ANN@example.com", "00u1", "ann.work@example.com", &ann] {
        let shown = show(who);
        assert!(shown.starts_with("ann@example.com is in: active.\n"), "{who}: {shown}");
        assert!(shown.contains("\nGroups      Crew\n"), "{shown}");
        assert!(shown.contains("The identity provider was last seen: "), "{shown}");
        assert!(shown.contains("Z  create    joined Crew  by key "), "{shown}");
    }
    acme.suspend(&ann);
    let shown = show("00u1");
    assert!(shown.starts_with("ann@example.com is not in: suspended since 20"), "{shown}");
    let history = "Z  patch     active -> suspended  by key ";
    assert!(shown.contains(", by Okta (key ") && shown.contains(history), "{shown}");
    acme.delete(&ann);
    let shown = show("ann@example.com");
    let cure = format!("scimctl user restore acme {ann} brings them back until 20");
    assert!(shown.contains("is not in: deleted since 20") && shown.contains(&cure), "{shown}");
    let object = acme.directory.json(&["user", "show", "acme", "00u1"]);
    assert_eq!((&object["user"]["state"], &object["user"]["id"]), (&json!("deleted"), &json!(ann)));
    assert_eq!(object["user"]["history"][0]["operation"], "delete");
    assert_eq!(object["user"]["history_complete"], true);
    // Another person has the address now, and does not hide the deleted one.
    let email = json!([{ "value": "ann.work@example.com", "primary": true }]);
    acme.create(&json!({ "userName": "other@example.com", "emails": email }));
    let shown = show("ann.work@example.com");
    assert!(shown.starts_with("other@example.com is in: active.\n"), "{shown}");
    let other = format!("\nAnother user has this name too: {ann}, deleted.\n");
    assert!(shown.contains(&other), "{shown}");
}

#[test]
fn somebody_who_was_refused_is_found_by_the_name_that_was_refused() {
    let acme = Acme::serve("refused", &["--profile", "zulip", "--idp", "okta"]);
    let bob = json!({ "userName": "bob@example.com", "name": { "givenName": "Bob", "familyName": "B" },
        "active": true, "role": "manager" });
    assert_eq!(acme.send("POST", "/Users", &bob).0, 400);
    let show = |who: &str| {
        let shown = acme.directory.run(&["user", "show", "acme", who]);
        assert_eq!(shown.status.code(), Some(1), "there is no such user");
        String::from_utf8(shown.stdout).unwrap()
    };
    let shown = show("bob@example.com");
    let begin = "acme has no user bob@example.com. Its identity provider tried, and was refused.\n";
    assert!(shown.starts_with(begin), "{shown}");
    for part in ["What was refused, the newest first:", "role", "Cure ", "In Okta: "] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let shown = show("nobody@example.com");
    assert!(shown.contains("see whether they are assigned to the application in"), "{shown}");
}

#[test]
fn what_keeps_everybody_out_is_said_first() {
    let acme = Acme::serve("everybody", &["seats.limit=1", "brake.deactivations=1"]);
    let show = |who: &str| {
        let shown = acme.directory.run(&["user", "show", "acme", who]);
        String::from_utf8(shown.stdout).unwrap()
    };
    let [ann, bob] = ["ann", "bob"].map(|name| json!({ "userName": name }));
    let ann = acme.create(&ann);
    assert_eq!(acme.send("POST", "/Users", &bob).0, 403);
    assert!(show("bob").contains("\nAll seats of acme are taken (1).\n"), "{}", show("bob"));
    acme.delete(&ann);
    let bob = acme.create(&bob);
    assert_eq!(acme.send("DELETE", &format!("/Users/{bob}"), &Value::Null).0, 429);
    acme.directory.json(&["tenant", "disable", "acme"]);
    // Refusals of a burst are written a second later.
    let refused = "Their deactivation was refused by the brake at 20";
    let kept = (0..50).find(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        show("bob").contains(refused)
    });
    assert!(kept.is_some(), "{}", show("bob"));
    for part in ["bob is in: active.\n", "scimctl tenant enable acme", "scimctl brake show acme"] {
        assert!(show("bob").contains(part), "{part}: {}", show("bob"));
    }
    assert!(!show("ann").contains("brake"), "it is not about the others: {}", show("ann"));
}

#[test]
fn users_are_listed_by_state_or_by_a_filter() {
    let acme = Acme::serve("listed", &[]);
    let ids: Vec<String> =
        ["a1", "a2", "b1"].map(|name| acme.create(&json!({ "userName": name }))).into();
    acme.delete(&ids[0]);
    let list = |arguments: &[&str]| {
        let all = acme.directory.json(&[&["user", "list", "acme"], arguments].concat());
        let users = all["users"].as_array().unwrap().iter();
        let mut names: Vec<String> = users
            .map(|user| format!("{} {}", user["user"]["userName"], user["state"]).replace('"', ""))
            .collect();
        names.sort();
        (names, all["complete"] == true)
    };
    let all = ["a1 soft_deleted", "a2 provisioned", "b1 provisioned"].map(str::to_owned);
    assert_eq!(list(&[]), (all.into(), true));
    for deleted in ["soft_deleted", "deleted"] {
        assert_eq!(list(&["--state", deleted]), (vec!["a1 soft_deleted".into()], true));
    }
    assert_eq!(list(&["--filter", "userName sw \"a\""]), (vec!["a2 provisioned".into()], true));
    let (some, is_complete) = list(&["--limit", "2"]);
    assert_eq!((some.len(), is_complete), (2, false));
    let text = acme.directory.text(&["user", "list", "acme", "--limit", "1"]);
    assert!(text.starts_with("USER  STATE "), "{text}");
    assert!(text.ends_with("There are more; a larger --limit or scimctl export shows them.\n"));
    let none = acme.directory.text(&["user", "list", "acme", "--state", "unmanaged"]);
    assert_eq!(none, "acme has no such users.\n");
    // To look at users is no export.
    let log = acme.directory.text(&["log", "acme"]);
    assert!(!log.contains("export"), "{log}");
}
