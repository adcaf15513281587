//! The groups of a tenant as an operator looks at them.

use serde_json::{Value, json};

use crate::support::{Directory, Server, http};

#[test]
fn groups_are_listed_and_shown_with_their_members() {
    let directory = Directory::new("groups");
    // Several groups of one name, as the letter of the RFC allows.
    let create = ["tenant", "create", "acme", "groups.unique_display_name=false"];
    let token = directory.json(&create)["token"].as_str().unwrap().to_owned();
    let none = directory.text(&["group", "list", "acme"]);
    assert_eq!(none, "acme has no groups.\n");
    let mut server = Server::start(&directory, &["--json"]);
    let base_url = server.ready()["base_url"].as_str().unwrap().to_owned();
    let create = |path: &str, body: Value| {
        let (status, made) = http(&base_url, &token, "POST", path, &body.to_string());
        assert_eq!(status, 201, "{made}");
        made["id"].as_str().unwrap().to_owned()
    };
    let users = ["ann", "bob", "cid"].map(|name| create("/Users", json!({ "userName": name })));
    let inner = create("/Groups", json!({ "displayName": "Inner", "externalId": "x-1" }));
    let mut members: Vec<Value> = users.iter().map(|id| json!({ "value": id })).collect();
    members.push(json!({ "value": inner, "type": "Group" }));
    let outer = create("/Groups", json!({ "displayName": "All staff", "members": members }));

    let listed = directory.json(&["group", "list", "acme"]);
    let groups = listed["groups"].as_array().unwrap();
    let counts: std::collections::BTreeMap<&str, u64> = groups
        .iter()
        .map(|group| (group["displayName"].as_str().unwrap(), group["members"].as_u64().unwrap()))
        .collect();
    assert_eq!((counts["All staff"], counts["Inner"], &listed["complete"]), (4, 0, &json!(true)));
    let text = directory.text(&["group", "list", "acme", "--limit", "1"]);
    assert!(text.starts_with("GROUP ") && text.ends_with("There are more; --limit shows them.\n"));

    for who in ["all STAFF", &outer] {
        let shown = directory.json(&["group", "show", "acme", who]);
        assert_eq!(shown["id"], outer.as_str(), "{who}");
        let names: std::collections::BTreeSet<&str> = shown["shown"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| m["name"].as_str().unwrap())
            .collect();
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["Inner", "ann", "bob", "cid"]);
    }
    assert_eq!(directory.json(&["group", "show", "acme", "x-1"])["displayName"], "Inner");
    let text = directory.text(&["group", "show", "acme", "All staff", "--limit", "1"]);
    assert!(text.contains("\nMembers      4\n") && text.contains("\n3 more members; "), "{text}");

    let twin = create("/Groups", json!({ "displayName": "inner" }));
    let said = directory.refused(&["group", "show", "acme", "Inner"]);
    assert!(said.contains("Inner is the name of 2 groups") && said.contains(&twin), "{said}");
    let said = directory.refused(&["group", "show", "acme", "nothing"]);
    assert!(said.contains("acme has no group nothing; scimctl group list acme"), "{said}");
}
