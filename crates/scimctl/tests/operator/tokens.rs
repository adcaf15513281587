//! Tokens that replace others, and tokens that are shown again.

use serde_json::{Value, json};

use crate::support::{Directory, Server, http};

fn text<'v>(object: &'v Value, field: &str) -> &'v str {
    object[field].as_str().unwrap()
}

/// The state and the day of expiry of each token of acme, in the order of minting.
fn tokens(directory: &Directory) -> Vec<(String, String)> {
    let listed = directory.json(&["token", "list", "acme"]);
    let each = listed["tokens"].as_array().unwrap().iter();
    each.map(|token| (text(token, "state").to_owned(), text(token, "expires")[..10].to_owned()))
        .collect()
}

/// How many days a token is valid after it is minted.
fn days(directory: &Directory, key_id: &str) -> i64 {
    let listed = directory.json(&["token", "list", "acme"]);
    let token = listed["tokens"]
        .as_array()
        .unwrap()
        .iter()
        .find(|token| token["key_id"] == key_id)
        .unwrap();
    let at = |field: &str| {
        let format = &time::format_description::well_known::Rfc3339;
        time::OffsetDateTime::parse(text(token, field), format).unwrap()
    };
    (at("expires") - at("created")).whole_days()
}

#[test]
fn a_rotated_token_stays_good_for_the_overlap() {
    let directory = Directory::new("rotate");
    let old = directory.json(&["tenant", "create", "acme", "token.overlap_days=3"]);
    let new = directory.json(&["token", "rotate", "acme"]);
    assert_ne!(new["token"], old["token"]);
    assert_eq!(
        (days(&directory, text(&new, "key_id")), days(&directory, text(&old, "key_id"))),
        (365, 3)
    );
    let mut server = Server::start(&directory, &["--json"]);
    let base_url = server.ready()["base_url"].as_str().unwrap().to_owned();
    for token in [&old, &new] {
        assert_eq!(http(&base_url, text(token, "token"), "GET", "/Users", "").0, 200);
    }
    directory.json(&["token", "rotate", "acme", "--overlap-days", "30"]);
    assert_eq!(days(&directory, text(&old, "key_id")), 3, "an earlier end stays");
    assert_eq!(days(&directory, text(&new, "key_id")), 30);
}

#[test]
fn the_tokens_of_several_rotations_are_good_at_once() {
    let directory = Directory::new("rotate-often");
    let mut tokens = vec![directory.json(&["tenant", "create", "acme"])];
    let mut server = Server::start(&directory, &["--json"]);
    let base_url = server.ready()["base_url"].as_str().unwrap().to_owned();
    for _ in 0..5 {
        for token in &tokens {
            assert_eq!(http(&base_url, text(token, "token"), "GET", "/Users", "").0, 200);
        }
        tokens.push(directory.json(&["token", "rotate", "acme"]));
    }
}

#[test]
fn a_token_rotated_without_overlap_is_expired_at_once() {
    let directory = Directory::new("rotate-now");
    let old = directory.json(&["tenant", "create", "acme"]);
    let said = directory.text(&["token", "rotate", "acme", "--overlap-days", "0"]);
    assert!(said.starts_with("Token of tenant acme\n  Token   scim_"), "{said}");
    assert!(said.contains("\nThe other tokens are refused from 20"), "{said}");
    let states: Vec<String> = tokens(&directory).into_iter().map(|(state, _)| state).collect();
    assert_eq!(states, ["expired", "good"]);
    let mut server = Server::start(&directory, &["--json"]);
    let base_url = server.ready()["base_url"].as_str().unwrap().to_owned();
    let new = said.lines().find_map(|line| line.strip_prefix("  Token   ")).unwrap();
    let get = |token: &str| http(&base_url, token, "GET", "/Users", "").0;
    assert_eq!((get(new), get(text(&old, "token"))), (200, 401));
    assert!(
        directory.refused(&["token", "rotate", "nobody"]).contains("there is no tenant nobody")
    );
}

#[test]
fn a_token_is_good_for_as_long_as_the_profile_says() {
    let directory = Directory::new("lifetime");
    let first = directory.json(&["tenant", "create", "acme", "token.lifetime_days=30"]);
    let second = directory.json(&["token", "issue", "acme"]);
    let own = directory.json(&["token", "issue", "acme", "--days", "7"]);
    let of = |token: &Value| days(&directory, text(token, "key_id"));
    assert_eq!((of(&first), of(&second), of(&own)), (30, 30, 7));
    directory.json(&["profile", "set", "acme", "token.lifetime_days=60"]);
    let third = directory.json(&["token", "rotate", "acme"]);
    assert_eq!((of(&third), of(&first)), (60, 7), "the others end with the overlap");
    let forever = directory.json(&["token", "issue", "acme", "--no-expiry"]);
    assert_eq!(forever["expires"], Value::Null);
}

#[test]
fn a_token_is_shown_again_only_if_the_profile_keeps_it() {
    let directory = Directory::new("show");
    let once = directory.json(&["tenant", "create", "acme"]);
    let said = directory.refused(&["token", "show", "acme"]);
    let reason = "the token was shown once, and only its digest is kept; scimctl token rotate \
        mints another one";
    assert!(said.contains(reason) && said.contains("token.reveal=again"), "{said}");

    directory.json(&["profile", "set", "acme", "token.reveal=again"]);
    assert!(
        directory.refused(&["token", "show", "acme"]).contains(reason),
        "a token that was minted before is not kept"
    );
    let kept = directory.json(&["token", "issue", "acme"]);
    let newest = directory.json(&["token", "issue", "acme"]);
    let shown = directory.json(&["token", "show", "acme"]);
    assert_eq!(
        shown,
        json!({ "tenant": "acme", "key_id": newest["key_id"], "token": newest["token"] })
    );
    let line = directory.text(&["token", "show", "acme", text(&kept, "key_id")]);
    assert_eq!(line, format!("{}  {}\n", text(&kept, "key_id"), text(&kept, "token")));
    assert!(directory.refused(&["token", "show", "acme", text(&once, "key_id")]).contains(reason));

    directory.json(&["token", "revoke", "acme", text(&newest, "key_id")]);
    assert_eq!(directory.json(&["token", "show", "acme"])["key_id"], kept["key_id"]);
    let said = directory.refused(&["token", "show", "acme", text(&newest, "key_id")]);
    let none = format!(
        "tenant acme has no valid token {}; scimctl token list acme shows all",
        text(&newest, "key_id")
    );
    assert!(said.contains(&none), "{said}");
    for token in [&kept, &once] {
        directory.json(&["token", "revoke", "acme", text(token, "key_id")]);
    }
    let said = directory.refused(&["token", "show", "acme"]);
    assert!(
        said.contains("tenant acme has no valid token; scimctl token issue acme mints one"),
        "{said}"
    );
}

#[test]
fn a_token_is_not_shown_again_after_the_profile_stops_keeping_tokens() {
    let directory = Directory::new("show-no-more");
    let kept = directory.json(&["tenant", "create", "acme", "token.reveal=again"]);
    assert_eq!(directory.json(&["token", "show", "acme"])["token"], kept["token"]);
    directory.json(&["profile", "set", "acme", "token.reveal=once"]);
    assert!(directory.refused(&["token", "show", "acme"]).contains("the token was shown once"));
    // The next minted token removes what was kept, so that a later change of the setting does not
    // bring it back.
    directory.json(&["token", "issue", "acme"]);
    directory.json(&["profile", "set", "acme", "token.reveal=again"]);
    let said = directory.refused(&["token", "show", "acme", text(&kept, "key_id")]);
    assert!(said.contains("only its digest is kept"), "{said}");
}

#[test]
fn a_profile_that_keeps_tokens_shows_the_first_one_again() {
    let directory = Directory::new("show-first");
    let said = directory.text(&["tenant", "create", "acme", "--profile", "holaspirit"]);
    assert!(
        said.contains("scimctl token show acme shows it again; it is valid until 20"),
        "{said}"
    );
    let token = said.lines().find_map(|line| line.strip_prefix("  Token     ")).unwrap();
    let mut server = Server::start(&directory, &["--json"]);
    server.ready();
    assert_eq!(
        directory.json(&["token", "show", "acme"])["token"],
        token,
        "also while it is served"
    );
}

#[test]
fn labels_are_listed_and_must_be_printable() {
    let directory = Directory::new("labels");
    directory.json(&["tenant", "create", "acme"]);
    let entra = directory.json(&["token", "issue", "acme", "--label", "Entra, Käuferstraße 7"]);
    let rotated = directory.json(&["token", "rotate", "acme", "--label", "Okta"]);
    directory.json(&["token", "revoke", "acme", text(&entra, "key_id")]);
    let listed = directory.json(&["token", "list", "acme"]);
    let each = listed["tokens"].as_array().unwrap().iter();
    let facts: Vec<_> = each
        .map(|token| (token["label"].clone(), token["state"].clone(), token["revoked"].is_string()))
        .collect();
    let expected = [
        (Value::Null, json!("good"), false),
        (json!("Entra, Käuferstraße 7"), json!("revoked"), true),
        (json!("Okta"), json!("good"), false),
    ];
    assert_eq!(facts, expected);
    let lines = directory.text(&["token", "list", "acme"]);
    let last = lines.lines().last().unwrap();
    assert!(last.starts_with(text(&rotated, "key_id")) && last.ends_with("  Okta"), "{lines}");
    for label in ["", "two\nlines", "\u{7f}", &"x".repeat(65)] {
        let said = directory.refused(&["token", "issue", "acme", "--label", label]);
        assert!(said.contains("a token's label has 1 to 64 printable characters"), "{said}");
    }
    assert_eq!(directory.json(&["token", "list", "acme"]), listed, "a refused token is not listed");
}

#[test]
fn a_tenant_has_fifteen_tokens_at_most() {
    let directory = Directory::new("fifteen");
    directory.json(&["tenant", "create", "acme"]);
    let mut last = Value::Null;
    for _ in 1..15 {
        last = directory.json(&["token", "issue", "acme"]);
    }
    let said = directory.refused(&["token", "issue", "acme"]);
    assert!(said.contains("tenant acme has 15 tokens; revoke some first"), "{said}");
    assert_eq!(tokens(&directory).len(), 15, "a refused token is not listed");
    directory.json(&["token", "revoke", "acme", text(&last, "key_id")]);
    directory.json(&["token", "issue", "acme"]);
}

#[test]
fn tokens_stay_good_when_they_move() {
    let directory = Directory::new("move");
    let first = directory.json(&["tenant", "create", "acme"]);
    let mut server = Server::start(&directory, &["--json"]);
    let base_url = server.ready()["base_url"].as_str().unwrap().to_owned();
    let get = |token: &Value| http(&base_url, text(token, "token"), "GET", "/Users", "").0;
    assert_eq!(get(&first), 200);
    let listed = directory.json(&["token", "list", "acme"]);
    let moved = directory.json(&["token", "move", "acme"]);
    let expected =
        json!({ "tenant": "acme", "from": "scim/local/tokens/001", "to": "scim/local/tokens/002" });
    assert_eq!(moved, expected);
    let second = directory.json(&["token", "issue", "acme"]);
    assert_eq!((get(&second), get(&first)), (200, 200));
    let said = directory.text(&["token", "move", "acme"]);
    let line = "The tokens of acme have moved from scim/local/tokens/002 to scim/local/tokens/003; \
        they stay valid.\n";
    assert_eq!(said, line);
    assert_eq!(directory.json(&["token", "list", "acme"])["tokens"][0], listed["tokens"][0]);
}

#[test]
fn the_tool_restores_a_secret_that_is_marked_for_deletion() {
    let directory = Directory::new("restore");
    let first = directory.json(&["tenant", "create", "acme"]);
    let file = directory.0.join("secrets.json");
    let mut secrets: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    secrets["scim/local/tokens/001"]["deleted"] = json!(4_000_000_000_i64);
    std::fs::write(&file, secrets.to_string()).unwrap();
    let mut server = Server::start(&directory, &["--json"]);
    let base_url = server.ready()["base_url"].as_str().unwrap().to_owned();
    let get = || http(&base_url, text(&first, "token"), "GET", "/Users", "").0;
    assert_eq!(get(), 503);
    let output = directory.run(&["token", "list", "acme"]);
    let said = String::from_utf8(output.stderr).unwrap();
    let restored = "scimctl: the secret scim/local/tokens/001 was marked for deletion and has been \
        restored\n";
    assert_eq!((output.status.code(), said.as_str()), (Some(0), restored));
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(get(), 200);
    let said = String::from_utf8(directory.run(&["token", "list", "acme"]).stderr).unwrap();
    assert!(!said.contains("restored"), "it is said once: {said}");
}

#[test]
fn a_token_that_an_earlier_version_of_a_secret_revives_is_shown_and_ended() {
    let directory = Directory::new("revived");
    directory.json(&["tenant", "create", "acme"]);
    let leaked = directory.json(&["token", "issue", "acme"]);
    let key_id = text(&leaked, "key_id");
    let file = directory.0.join("secrets.json");
    let earlier = std::fs::read(&file).unwrap();
    directory.json(&["token", "revoke", "acme", key_id]);
    std::fs::write(&file, earlier).unwrap();
    let state = || tokens(&directory)[1].0.clone();
    assert_eq!(state(), "revived");
    let ended = directory.json(&["token", "reconcile", "acme"]);
    assert_eq!(ended, json!({ "tenant": "acme", "ended": [key_id] }));
    assert_eq!(state(), "revoked");
    let said = directory.text(&["token", "reconcile", "acme"]);
    assert_eq!(said, "The tokens of acme are valid as the list says.\n");
}
