//! `scimctl event`: what is piped into `sam local invoke -e -`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
#![cfg(unix)]

mod support;

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use support::{Directory, Server, http};

fn token_of(event: &Value) -> String {
    event["headers"]["authorization"].as_str().unwrap().strip_prefix("Bearer ").unwrap().to_owned()
}

#[test]
fn an_event_is_filled_from_the_data_directory_with_and_without_a_server() {
    let directory = Directory::new("event");
    let mut server = Server::start(&directory, &["--json"]);
    let ready = server.ready();
    let base_url = ready["base_url"].as_str().unwrap();
    let create = directory.json(&["event", "create-user"]);
    let token = token_of(&create);
    let post = |name: &str| {
        let body =
            create["body"].as_str().unwrap().replace("bjensen", name).replace("0a21f0f2", name);
        let (status, user) = http(base_url, &token, "POST", "/Users", &body);
        assert_eq!(status, 201, "{user}");
        user["id"].as_str().unwrap().to_owned()
    };
    let other = post("other");
    let path = |event: &Value| event["rawPath"].as_str().unwrap().to_owned();
    assert_eq!(
        path(&directory.json(&["event", "get-user"])),
        format!("/scim/v2/Users/{other}"),
        "the only one"
    );
    let made = post("bjensen");
    for name in ["get-user", "deactivate-user", "delete-user"] {
        let event = directory.json(&["event", name]);
        assert_eq!(
            path(&event),
            format!("/scim/v2/Users/{made}"),
            "{name}: the user that create-user creates"
        );
        assert_eq!(path(&event), event["requestContext"]["http"]["path"].as_str().unwrap());
        assert_eq!(token_of(&event), token, "one token for all events");
        assert!(!event.to_string().contains("{{"), "{event}");
    }
    let kept = std::fs::read_dir(&directory.0).unwrap().map(Result::unwrap);
    let kept = kept
        .filter(|file| file.file_name().to_str().unwrap().starts_with("event-token"))
        .collect::<Vec<_>>();
    assert_eq!((kept.len(), kept[0].metadata().unwrap().permissions().mode() & 0o777), (1, 0o600));
    // A token that is no longer valid is replaced.
    let records = directory.json(&["token", "list", "demo"]);
    let key_id = token.split('_').nth(2).unwrap();
    assert_eq!(records["tokens"].as_array().unwrap().len(), 2, "the demo token and that of events");
    directory.json(&["token", "revoke", "demo", key_id]);
    let again = token_of(&directory.json(&["event", "get-user"]));
    assert_ne!(again, token);
    let given = directory.json(&["event", "get-user", "--token", "scim_mine", "--user", "a-b"]);
    assert_eq!(
        (token_of(&given).as_str(), path(&given).as_str()),
        ("scim_mine", "/scim/v2/Users/a-b")
    );
    assert!(server.interrupt());
    assert_eq!(token_of(&directory.json(&["event", "get-user"])), again);
    let text = directory.text(&["event", "create-user-rest-v1"]);
    let rest: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(rest["multiValueHeaders"]["Authorization"][0], format!("Bearer {again}"));
}

#[test]
fn an_event_that_cannot_be_filled_gives_advice() {
    let directory = Directory::new("event-empty");
    assert!(directory.refused(&["event", "get-user"]).contains("there is no tenant yet"));
    assert_eq!(
        token_of(&directory.json(&["event", "bad-token"])),
        "scim_a-token-that-nobody-issued"
    );
    directory.json(&["tenant", "create", "acme"]);
    assert!(directory.refused(&["event", "get-user"]).contains("create-user first"));
    directory.json(&["tenant", "create", "globex"]);
    let said = directory.refused(&["event", "create-user"]);
    assert!(said.contains("--tenant") && said.contains("acme, globex"), "{said}");
    directory.json(&["event", "create-user", "--tenant", "globex"]);
    assert!(
        directory
            .refused(&["event", "create-user", "--tenant", "nobody"])
            .contains("there is no tenant nobody")
    );
}

#[test]
fn the_help_lists_every_file_of_events() {
    let help = Directory::new("event-help").text(&["event", "--help"]);
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../events")).unwrap();
    let names: Vec<String> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.len() > 6);
    for name in names {
        let name = name.strip_suffix(".json").unwrap();
        assert!(help.contains(&format!("- {name}:")), "{name} is missing in: {help}");
    }
}
