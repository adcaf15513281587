//! Users that the product had before SCIM: imported, and provisioned later.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::support::Directory;

/// A directory with two tenants: `friends` adopts imported users, `strangers` does not.
pub(super) fn tenants(name: &str) -> Directory {
    let directory = Directory::new(name);
    directory.json(&["tenant", "create", "strangers"]);
    directory.json(&["tenant", "create", "friends", "--profile", "hoxhunt"]);
    directory
}

/// Imports and returns the exit status, the report and the text on standard error.
pub(super) fn import(directory: &Directory, arguments: &[&str]) -> (Option<i32>, Value, String) {
    let output = directory.run(&[&["--json", "import", "--unmanaged"], arguments].concat());
    let said = String::from_utf8(output.stderr).unwrap();
    let report =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{arguments:?}: {said}"));
    (output.status.code(), report, said)
}

/// How many records were imported, known, in conflict and invalid.
pub(super) fn counts(report: &Value) -> [u64; 4] {
    ["imported", "known", "conflicts", "invalid"].map(|count| report[count].as_u64().unwrap())
}

/// The line, the outcome and the reason of each record.
pub(super) fn outcomes(report: &Value) -> Vec<(u64, &str, &str)> {
    let each = report["records"].as_array().unwrap().iter();
    each.map(|line| {
        (
            line["line"].as_u64().unwrap(),
            line["outcome"].as_str().unwrap(),
            line["why"].as_str().unwrap_or_default(),
        )
    })
    .collect()
}

pub(super) fn exported(directory: &Directory, tenant: &str) -> Vec<Value> {
    let text = directory.text(&["export", tenant]);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(super) const PEOPLE: &str = "userName,externalId,email,emailVerified,name.givenName,id\nann@example.com,e-1,ann.private@example.org,true,Ann,\nBob@example.com,,bob.private@example.org,false,\"Bob, \
    the second\",0000AAAA-0000-4000-8000-000000000001\ncarl,,carl@example.org,yes,,\n";

#[test]
fn a_table_of_users_is_imported_once() {
    let directory = tenants("table");
    let file = directory.file("people.csv", PEOPLE);
    let (status, dry, _) = import(&directory, &["friends", &file, "--dry-run"]);
    assert_eq!((status, &dry["dry_run"], counts(&dry)), (Some(0), &json!(true), [3, 0, 0, 0]));
    let records = dry["records"].as_array().unwrap();
    let links: Vec<_> = records.iter().map(|record| record["links_on"].clone()).collect();
    let expected = [
        json!(["externalId", "userName", "verified e-mail"]),
        json!(["userName"]),
        json!(["userName", "verified e-mail"]),
    ];
    assert_eq!(links, expected);
    assert!(
        records.iter().all(|record| record["id"].is_null()),
        "a user that is not stored has no id"
    );
    assert_eq!(exported(&directory, "friends").len(), 0, "a dry run stores nothing");

    let (status, report, _) = import(&directory, &["friends", &file]);
    assert_eq!(
        (status, &report["dry_run"], counts(&report)),
        (Some(0), &json!(false), [3, 0, 0, 0])
    );
    let ids = |report: &Value| -> Vec<String> {
        let records = report["records"].as_array().unwrap().iter();
        records.map(|record| record["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&report)[1], "0000aaaa-0000-4000-8000-000000000001");
    let users = exported(&directory, "friends");
    assert_eq!(users.len(), 3);
    let of = |id: &str| users.iter().find(|user| user["id"] == *id).unwrap();
    let bob = of(&ids(&report)[1]);
    assert_eq!((&bob["userName"], &bob["state"]), (&json!("Bob@example.com"), &json!("unmanaged")));
    assert_eq!(bob["name"]["givenName"], "Bob, the second");
    assert_eq!(
        bob["emails"],
        json!([{ "value": "bob.private@example.org", "type": "work", "primary": true }])
    );

    let (status, again, _) = import(&directory, &["friends", &file]);
    assert_eq!((status, counts(&again), ids(&again)), (Some(0), [0, 3, 0, 0], ids(&report)));
    assert_eq!(exported(&directory, "friends"), users, "no user is stored twice");
    let text = directory.text(&["import", "friends", &file, "--unmanaged"]);
    assert_eq!(text, "0 of 3 records are imported, 3 had already been imported.\n");
}

#[test]
fn json_objects_are_imported_with_their_verified_addresses() {
    let directory = tenants("objects");
    let people = [
        json!({ "userName": "ann", "externalId": "e-1", "active": false, "title": "Ms" }),
        json!({ "userName": "bob", "emails": [{ "value": "bob@example.org" }], "emailVerified": true }),
        json!({ "userName": "carl", "emails": [{ "value": "c@a.example" }, { "value": "c@b.example" }],
            "verifiedEmails": ["c@b.example"] }),
        json!({ "userName": "dora", "emails": [{ "value": "dora@example.org" }], "emailVerified": false }),
        json!({ "userName": "emil", "emails": [{ "value": "e@a.example" }, { "value": "e@b.example" }],
            "emailVerified": true }),
    ];
    let text = people.iter().map(Value::to_string).collect::<Vec<_>>().join("\n\n");
    let file = directory.file("people.ndjson", &format!("\u{feff}{text}\n"));
    let (status, report, _) = import(&directory, &["friends", &file]);
    assert_eq!((status, counts(&report)), (Some(0), [5, 0, 0, 0]));
    let links: Vec<_> =
        report["records"].as_array().unwrap().iter().map(|line| line["links_on"].clone()).collect();
    let verified = json!(["userName", "verified e-mail"]);
    let unverified = json!(["userName"]);
    assert_eq!(
        links,
        [
            json!(["externalId", "userName"]),
            verified.clone(),
            verified.clone(),
            unverified,
            verified
        ]
    );
    let users = exported(&directory, "friends");
    assert_eq!(users.len(), 5);
    let ann = users.iter().find(|user| user["userName"] == "ann").unwrap();
    assert_eq!((&ann["active"], &ann["title"]), (&json!(false), &json!("Ms")));
    let carl = users.iter().find(|user| user["userName"] == "carl").unwrap();
    assert_eq!(
        (&carl["emailVerified"], &carl["verifiedEmails"]),
        (&Value::Null, &json!(["c@b.example"]))
    );
}

#[test]
fn two_lines_for_one_user_conflict() {
    let directory = tenants("twice");
    let id = "00000000-0000-4000-8000-000000000001";
    let file = directory.file(
        "people.csv",
        &format!(
            "userName,externalId,email,emailVerified,id\n\
             ann,e-1,ann@example.org,true,{id}\n\
             ANN,e-2,other@example.org,true,\n\
             bob,e-1,,,\n\
             carl,,Ann@Example.org,true,\n\
             dora,,ann@example.org,false,\n\
             emil,,,,{id}\n"
        ),
    );
    let (status, report, said) = import(&directory, &["friends", &file]);
    assert_eq!((status, counts(&report)), (Some(1), [2, 0, 4, 0]));
    assert_eq!(said, "scimctl: 4 of 6 records were not imported\n");
    let why = |what: &str| format!("line 2 has the same {what}; it is unclear which user is meant");
    assert_eq!(
        outcomes(&report),
        [
            (2, "imported", ""),
            (3, "conflict", why("userName").as_str()),
            (4, "conflict", why("externalId").as_str()),
            (5, "conflict", why("e-mail").as_str()),
            (6, "imported", ""),
            (7, "conflict", why("id").as_str()),
        ]
    );
    assert_eq!(exported(&directory, "friends").len(), 2);
    // A later file conflicts with the users of the first one.
    let later = directory.file(
        "later.csv",
        &format!("userName,externalId,email,emailVerified,id\nada,e-1,,,\nalf,,ann@example.org,1,\nbea,,,,{id}\n"),
    );
    let (_, report, _) = import(&directory, &["friends", &later]);
    assert_eq!(counts(&report), [0, 0, 3, 0]);
    let reasons = outcomes(&report);
    for (line, reason) in
        [(0, id), (1, id), (2, "a user with another userName has this id already")]
    {
        assert!(reasons[line].2.contains(reason), "{reasons:?}");
    }
}

#[test]
fn three_thousand_users_are_imported_and_an_interrupted_import_continues() {
    let directory = tenants("many");
    let lines = |most: usize| {
        (0..most).fold("userName,externalId\n".to_owned(), |mut text, number| {
            writeln!(text, "user{number}@example.com,e-{number}").unwrap();
            text
        })
    };
    // As if a run had ended here.
    let some = directory.file("some.csv", &lines(450));
    assert_eq!(counts(&import(&directory, &["friends", &some]).1), [450, 0, 0, 0]);
    let all = directory.file("all.csv", &lines(3_000));
    let (status, report, _) = import(&directory, &["friends", &all]);
    assert_eq!((status, counts(&report)), (Some(0), [2_550, 450, 0, 0]));
    let users = exported(&directory, "friends");
    let mut names: Vec<_> = users.iter().map(|user| user["userName"].as_str().unwrap()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!((users.len(), names.len()), (3_000, 3_000));
}

#[test]
fn only_the_first_fifty_faults_are_shown_to_people() {
    let directory = tenants("faults");
    let text = (0..60).fold(String::new(), |text, _| text + "{}\n");
    let file = directory.file("people.ndjson", &text);
    let output = directory.run(&["import", "friends", &file, "--unmanaged"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().filter(|line| line.contains(" is not a valid user: ")).count(), 50);
    assert!(
        text.ends_with(
            "\nand 10 more; --json or --report FILE gives all\n0 of 60 records are imported.\n"
        ),
        "{text}"
    );
}
