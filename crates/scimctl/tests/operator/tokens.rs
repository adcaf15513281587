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
