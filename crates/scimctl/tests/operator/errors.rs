//! What `errors` and `token list` tell an operator about one who is missing.

use serde_json::{Value, json};

use crate::support::{Directory, Server, http};

/// A served tenant of the profile zulip whose identity provider is Okta.
fn serve(name: &str) -> (Directory, String, Server, String) {
    let directory = Directory::new(name);
    let made = directory.json(&["tenant", "create", "acme", "--profile", "zulip", "--idp", "okta"]);
    let mut server = Server::start(&directory, &["--json"]);
    let base_url = server.ready()["base_url"].as_str().unwrap().to_owned();
    let token = made["token"].as_str().unwrap().to_owned();
    (directory, token, server, base_url)
}

/// The text with `TIME` in place of times.
fn timeless(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let is_time = word.len() >= 20 && word.starts_with("20") && word.contains('T');
        let rest = word.find('Z').map_or("", |end| &word[end + 1..]);
        if is_time { format!("TIME{rest}") } else { word.to_owned() }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn manager(user_name: &str) -> Value {
    let name = json!({ "givenName": "Anna", "familyName": "Gray" });
    json!({ "userName": user_name, "name": name, "role": "manager" })
}

#[test]
fn a_person_is_missing_and_errors_says_why_and_what_to_click() {
    let (directory, token, _server, base_url) = serve("errors");
    assert_eq!(
        timeless(&directory.text(&["errors", "acme"])),
        "Nothing was refused for acme since TIME.\n"
    );
    let post = |user: Value| http(&base_url, &token, "POST", "/Users", &user.to_string()).0;
    assert_eq!(post(manager("anna@example.com")), 400);
    let said = directory.text(&["errors", "acme", "--who", "anna@example.com"]);
    assert_eq!(
        timeless(&said),
        "TIME\n  \
           What   POST /Users: 400 value-not-allowed\n  \
           About  anna@example.com\n  \
           Why    role must be one of: owner, administrator, moderator, member, guest.\n  \
           Cure   Map one of the values that the sentence names.\n         \
                 In Okta: Open Applications > (app) > Provisioning > To App, change the mapping of \
         the attribute, and retry the failed task under Dashboard > Tasks.\n"
    );
    assert_eq!(
        timeless(&directory.text(&["errors", "acme", "--who", "bob@example.com"])),
        "Nothing about bob@example.com was refused for acme since TIME.\n"
    );
    let all = directory.text(&["errors", "acme"]);
    assert!(
        all.contains("  About  1 resource whose names are not kept; --who tests a name\n"),
        "{all}"
    );
    assert!(!all.contains("anna"), "{all}");
}

#[test]
fn errors_are_an_object_for_scripts() {
    let (directory, token, _server, base_url) = serve("errors-json");
    let body = manager("anna@example.com").to_string();
    assert_eq!(http(&base_url, &token, "POST", "/Users", &body).0, 400);
    let told = directory.json(&["errors", "acme", "--since", "1h", "--limit", "5"]);
    let refusal = &told["refusals"][0];
    assert_eq!((&told["tenant"], &refusal["code"]), (&json!("acme"), &json!("value-not-allowed")));
    assert_eq!((&refusal["attribute"], &refusal["count"]), (&json!("role"), &json!(1)));
    assert_eq!((&refusal["about"], &refusal["status"]), (&Value::Null, &json!(400)));
    assert!(refusal["cure"].as_str().unwrap().contains("Dashboard > Tasks"));
    assert_eq!(refusal["request"].as_str().unwrap().len(), 36);
    let mistyped = directory.run(&["errors", "acme", "--since", "tomorrow"]);
    let said = String::from_utf8(mistyped.stderr).unwrap();
    assert!(said.contains("or how long ago it was: 90m, 24h, 7d"), "{said}");
    assert_eq!(mistyped.status.code(), Some(2));
}

#[test]
fn a_list_of_tokens_says_when_each_was_last_seen() {
    let (directory, token, _server, base_url) = serve("seen");
    let listed = || directory.text(&["token", "list", "acme"]);
    assert!(listed().trim_end().ends_with("  never seen"), "{}", listed());
    // A note that takes longer than its request is given up, and tried again by the next.
    for _ in 0..3 {
        assert_eq!(http(&base_url, &token, "GET", "/Users", "").0, 200);
    }
    let said = listed();
    assert!(said.contains("  last seen within the hour"), "{said}");
    let token = &directory.json(&["token", "list", "acme"])["tokens"][0];
    assert!(token["last_seen"].as_str().unwrap().ends_with(":00:00Z"), "{token}");
}
