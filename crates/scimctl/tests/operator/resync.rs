//! Resyncs, as an operator asks for them.

use serde_json::{Value, json};

use crate::support::Directory;

#[test]
fn a_resync_says_what_it_has_shown() {
    let directory = Directory::new("resync");
    directory.json(&["tenant", "create", "acme"]);
    let people = (0..120).fold("id,userName\n".to_owned(), |text, n| format!("{text}u{n},n{n}\n"));
    let file = directory.file("people.csv", &people);
    directory.json(&["import", "acme", &file, "--unmanaged"]);
    let made = directory.json(&["events", "resync", "acme"]);
    let counts = |users: u64| json!({ "users": users, "groups": 0, "members": 0, "resources": 0 });
    let resyncs = made["resyncs"].as_array().unwrap();
    assert_eq!((resyncs.len(), &resyncs[0]["counts"]), (1, &counts(120)), "{made}");
    assert_eq!(resyncs[0]["continued"], false);
    let said = directory.text(&["events", "resync", "acme", "--since", "90m"]);
    let (begin, rest) = said.split_once(" of acme has sent a snapshot of ").unwrap();
    assert!(begin.starts_with("Resync ") && begin.len() == 7 + 36, "{said}");
    assert_eq!(rest, "120 users, 0 groups and 0 memberships.\n");
    // More ids than one resync names; one that is not there, and a group.
    let ids: Vec<String> = (0..101).map(|n| format!("--user=U{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let more = ["--user", "nobody", "--group", "nothing"];
    let made = directory.json(&[&["events", "resync", "acme"], &ids[..], &more].concat());
    let shown: Vec<&Value> = made["resyncs"].as_array().unwrap().iter().collect();
    let shown: Vec<u64> =
        shown.iter().map(|resync| resync["counts"]["users"].as_u64().unwrap()).collect();
    assert_eq!(shown, [100, 1, 0]);
    let missing: Vec<&Value> =
        made["resyncs"].as_array().unwrap().iter().map(|resync| &resync["missing"]).collect();
    assert_eq!(missing, [0, 1, 1]);
    let said = directory.text(&["events", "resync", "acme", "--user", "u1", "--user", "nobody"]);
    assert!(
        said.ends_with(
            " of acme has sent a snapshot of 1 user, 0 groups and 0 memberships. One of the ids is \
             not in the directory; the product drops it.\n"
        ),
        "{said}"
    );
}

#[test]
fn what_is_mistyped_is_refused_with_what_to_type() {
    let directory = Directory::new("resync-bad");
    directory.json(&["tenant", "create", "acme"]);
    let said = directory.refused(&["events", "resync", "nobody"]);
    assert!(said.contains("scimctl tenant list"), "{said}");
    for (arguments, why) in [
        (&["--since", "yesterday"][..], "90m, 24h, 7d"),
        (&["--since", "2999-01-01"], "in the future"),
        (&["--since", "7d", "--user", "a"], "cannot be used with"),
        (&["--group", "a", "--since", "7d"], "cannot be used with"),
        (&["--user", "a/b"], "an id has 1 to 128 letters"),
        (&["--user", ""], "an id has 1 to 128 letters"),
    ] {
        let output = directory.run(&[&["events", "resync", "acme"], arguments].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(why), "{arguments:?}: {said}");
    }
}
