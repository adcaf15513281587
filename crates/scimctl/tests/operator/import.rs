//! People whom the product had before SCIM: imported, and provisioned later.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::support::{Directory, Server, http};

/// A directory with the tenants strangers, where nobody is adopted, and friends, where people are.
fn tenants(name: &str) -> Directory {
    let directory = Directory::new(name);
    directory.json(&["tenant", "create", "strangers"]);
    directory.json(&["tenant", "create", "friends", "--profile", "hoxhunt"]);
    directory
}

/// Imports and returns the exit status, the report and what is said on standard error.
fn import(directory: &Directory, arguments: &[&str]) -> (Option<i32>, Value, String) {
    let output = directory.run(&[&["--json", "import", "--unmanaged"], arguments].concat());
    let said = String::from_utf8(output.stderr).unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{arguments:?}: {said}"));
    (output.status.code(), report, said)
}

/// How many were imported, known, in conflict and invalid.
fn counts(report: &Value) -> [u64; 4] {
    ["imported", "known", "conflicts", "invalid"].map(|count| report[count].as_u64().unwrap())
}

/// The line, the outcome and the reason of each record.
fn fates(report: &Value) -> Vec<(u64, &str, &str)> {
    let each = report["records"].as_array().unwrap().iter();
    each.map(|line| {
        (line["line"].as_u64().unwrap(), line["outcome"].as_str().unwrap(), line["why"].as_str().unwrap_or_default())
    })
    .collect()
}

fn exported(directory: &Directory, tenant: &str) -> Vec<Value> {
    let text = directory.text(&["export", tenant]);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const PEOPLE: &str = "userName,externalId,email,emailVerified,name.givenName,id\n\
    ann@example.com,e-1,ann.private@example.org,true,Ann,\n\
    Bob@example.com,,bob.private@example.org,false,\"Bob, the second\",0000AAAA-0000-4000-8000-000000000001\n\
    carl,,carl@example.org,yes,,\n";

#[test]
fn a_table_of_people_is_imported_once() {
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
    assert!(records.iter().all(|record| record["id"].is_null()), "who is not stored has no id");
    assert_eq!(exported(&directory, "friends").len(), 0, "a dry run stores nothing");

    let (status, report, _) = import(&directory, &["friends", &file]);
    assert_eq!((status, &report["dry_run"], counts(&report)), (Some(0), &json!(false), [3, 0, 0, 0]));
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
    assert_eq!(bob["emails"], json!([{ "value": "bob.private@example.org", "type": "work", "primary": true }]));

    let (status, again, _) = import(&directory, &["friends", &file]);
    assert_eq!((status, counts(&again), ids(&again)), (Some(0), [0, 3, 0, 0], ids(&report)));
    assert_eq!(exported(&directory, "friends"), users, "nobody is stored twice");
    let text = directory.text(&["import", "friends", &file, "--unmanaged"]);
    assert_eq!(text, "0 of 3 records are imported, 3 were before.\n");
}

#[test]
fn an_import_tells_people_by_what_each_will_be_linked() {
    let directory = tenants("told");
    let file = directory.file("people.csv", PEOPLE);
    let text = directory.text(&["import", "friends", &file, "--unmanaged", "--dry-run"]);
    let links = "1 will be linked by externalId\n2 will be linked by userName\n";
    assert_eq!(text, format!("{links}3 of 3 records would be imported.\n"));
    let text = directory.text(&["import", "friends", &file, "--unmanaged"]);
    assert_eq!(text, format!("{links}3 of 3 records are imported.\n"));
    let text = directory.text(&["import", "strangers", &file, "--unmanaged", "--dry-run"]);
    assert_eq!(
        text,
        "None will be linked: create.existing is conflict, so a POST for one of them is 409.\n\
         3 of 3 records would be imported.\n"
    );
    let (_, report, _) = import(&directory, &["strangers", &file, "--dry-run"]);
    assert_eq!(report["records"][0]["links_on"], json!([]));
}

#[test]
fn json_objects_are_imported_with_the_addresses_that_are_verified() {
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
    let links: Vec<_> = report["records"].as_array().unwrap().iter().map(|line| line["links_on"].clone()).collect();
    let verified = json!(["userName", "verified e-mail"]);
    let unverified = json!(["userName"]);
    assert_eq!(links, [json!(["externalId", "userName"]), verified.clone(), verified.clone(), unverified, verified]);
    let users = exported(&directory, "friends");
    assert_eq!(users.len(), 5);
    let ann = users.iter().find(|user| user["userName"] == "ann").unwrap();
    assert_eq!((&ann["active"], &ann["title"]), (&json!(false), &json!("Ms")));
    assert!(users.iter().all(|user| user["emailVerified"].is_null() && user["verifiedEmails"].is_null()));
}

/// A directory with the tenant friends, and those whom this file imports there: who is linked by an e-mail, and
/// why a line is not imported.
fn verified(name: &str, text: &str) -> Vec<(bool, String)> {
    let directory = tenants(&name.replace('.', "-"));
    let (_, report, _) = import(&directory, &["friends", &directory.file(name, text)]);
    let each = report["records"].as_array().unwrap().iter();
    each.map(|record| {
        let by = record["links_on"].as_array().unwrap().contains(&json!("verified e-mail"));
        (by, record["why"].as_str().unwrap_or_default().to_owned())
    })
    .collect()
}

#[test]
fn what_is_verified_may_be_said_in_words_or_listed_and_nonsense_is_refused() {
    let email = r#""emails":[{"value":"a@example.org"}]"#;
    let cases = [
        (r#""emailVerified":"True""#, true, ""),
        (r#""EmailVerified":true"#, true, ""),
        (r#""emailVerified":"false""#, false, ""),
        (r#""emailVerified":null"#, false, ""),
        (r#""verifiedEmails":"a@example.org""#, true, ""),
        (r#""verifiedEmails":[]"#, false, ""),
        (r#""emailVerified":true,"verifiedEmails":["b@example.org"]"#, true, ""),
        (r#""verifiedEmails":[7]"#, false, "verifiedEmails has 7; it must be true or false, or list addresses"),
        (r#""verifiedEmails":["a"]"#, false, "verifiedEmails has \"a\"; it must be true or false, or list addresses"),
        (r#""emailVerified":1"#, false, "emailVerified has 1; it must be true or false, or list addresses"),
        (
            r#""emails":null"#,
            false,
            "the line is not acceptable JSON: a name stands twice in one object, ignoring case",
        ),
    ];
    // The addresses differ, so that nobody is somebody else.
    let lines = cases.iter().enumerate().map(|(number, (said, _, _))| {
        format!(r#"{{"userName":"u{number}",{email},{said}}}"#).replace("@example.org", &format!("@{number}.example"))
    });
    let lines = lines.collect::<Vec<_>>().join("\n") + "\n{\"userName\":\"u\",\"emailVerified\":true}\n";
    let mut expected: Vec<_> = cases.iter().map(|(_, by, why)| (*by, (*why).to_owned())).collect();
    let nothing = "emailVerified is true, but there is no e-mail; list addresses in verifiedEmails";
    expected.push((false, nothing.to_owned()));
    assert_eq!(verified("verified.ndjson", &lines), expected);

    let table = "userName,email,emailVerified,verifiedEmails\n\
        a,a@example.org,FALSE,\n\
        b,b@example.org,1,\n\
        c,,,c@example.org\n\
        d,d@example.org,no,\"d@a.example; d@b.example,d@c.example\"\n\
        e,e@example.org,perhaps,\n";
    let perhaps = "emailVerified has \"perhaps\"; it must be true or false, or list addresses";
    let expected = [(false, ""), (true, ""), (true, ""), (true, ""), (false, perhaps)];
    assert_eq!(verified("verified.csv", table), expected.map(|(by, why)| (by, why.to_owned())));
}

#[test]
fn a_line_is_told_by_its_number_whatever_ends_lines_and_a_table_may_have_semicolons() {
    let directory = tenants("lines");
    let text = "userName;title\na1;\"two\nlines\"\n;bad\n\nb1;t;u\n;\nA1;t\n";
    for text in [text.to_owned(), text.replace('\n', "\r\n"), text.replace(';', "\t")] {
        let (status, report, _) = import(&directory, &["friends", &directory.file("lines.csv", &text), "--dry-run"]);
        assert_eq!((status, counts(&report)), (Some(1), [1, 0, 1, 2]), "{text}");
        let fates = fates(&report);
        let lines: Vec<_> = fates.iter().map(|(line, outcome, _)| (*line, *outcome)).collect();
        assert_eq!(lines, [(2, "imported"), (4, "invalid"), (6, "invalid"), (8, "conflict")], "{text}");
        assert_eq!(fates[3].2, "line 2 has the same userName; who is meant cannot be told");
    }
}

#[test]
fn what_is_no_user_is_told_line_by_line_and_the_others_are_imported() {
    let directory = tenants("invalid");
    let file = directory.file(
        "people.jsonl",
        "{\"userName\":\"ann\"}\n\
         {\"userName\":\"bob\",\"id\":\"bob-1\"}\n\
         {\"userName\":\"carl\",\"id\":17}\n\
         {\"displayName\":\"nobody\"}\n\
         {\"userName\":\n\
         [1]\n\
         {\"userName\":\"dora\",\"name\":\"Dora\"}\n\
         {\"userName\":\"emil\"}\n",
    );
    let (status, report, said) = import(&directory, &["friends", &file]);
    assert_eq!((status, counts(&report)), (Some(1), [2, 0, 0, 6]));
    assert_eq!(said, "scimctl: 6 of 8 records were not imported\n");
    let fates = fates(&report);
    for (index, line, why) in [
        (1, 2, "id is not a UUID"),
        (2, 3, "id is not a UUID"),
        (3, 4, "userName"),
        (4, 5, "the line is no JSON object"),
        (5, 6, "the line is no JSON object"),
        (6, 7, "name"),
    ] {
        let (number, outcome, reason) = fates[index];
        assert_eq!((number, outcome), (line, "invalid"));
        assert!(reason.contains(why), "{line}: {reason}");
    }
    let mut names: Vec<_> = exported(&directory, "friends").iter().map(|user| user["userName"].clone()).collect();
    names.sort_by_key(Value::to_string);
    assert_eq!(names, ["ann", "emil"]);

    let output = directory.run(&["import", "friends", &file, "--unmanaged"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("line 2: bob is no user: id is not a UUID"), "{text}");
    assert_eq!(lines[3], "line 5 is no user: the line is no JSON object");
    assert_eq!(*lines.last().unwrap(), "0 of 8 records are imported, 2 were before.");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_line_of_a_table_with_too_few_columns_is_no_user() {
    let directory = tenants("columns");
    let file = directory.file("people.csv", "userName,title,active\nann,Ms,false\nbob,Mr\ncarl,Mr,true\n");
    let (status, report, _) = import(&directory, &["friends", &file]);
    assert_eq!((status, counts(&report)), (Some(1), [2, 0, 0, 1]));
    assert_eq!(fates(&report)[1], (3, "invalid", "the line has 2 columns, and the first one names 3"));
    let users = exported(&directory, "friends");
    let mut active: Vec<_> = users.iter().map(|user| (user["userName"].as_str(), user["active"].clone())).collect();
    active.sort_by_key(|(name, _)| *name);
    assert_eq!(active, [(Some("ann"), json!(false)), (Some("carl"), json!(true))]);
}

#[test]
fn two_lines_for_one_person_conflict() {
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
    let why = |what: &str| format!("line 2 has the same {what}; who is meant cannot be told");
    assert_eq!(
        fates(&report),
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
    // A later file meets those of the first one.
    let later = directory.file(
        "later.csv",
        &format!("userName,externalId,email,emailVerified,id\nada,e-1,,,\nalf,,ann@example.org,1,\nbea,,,,{id}\n"),
    );
    let (_, report, _) = import(&directory, &["friends", &later]);
    assert_eq!(counts(&report), [0, 0, 3, 0]);
    let reasons = fates(&report);
    for (line, reason) in [(0, id), (1, id), (2, "a user of another userName has this id already")] {
        assert!(reasons[line].2.contains(reason), "{reasons:?}");
    }
}

#[test]
fn whoever_is_provisioned_already_is_not_imported() {
    let directory = tenants("provisioned");
    let token = directory.json(&["token", "issue", "friends"])["token"].as_str().unwrap().to_owned();
    let mut server = Server::start(&directory, &["--json"]);
    let base_url = server.ready()["base_url"].as_str().unwrap().to_owned();
    let user = r#"{"userName":"ann","externalId":"e-1"}"#;
    let (status, ann) = http(&base_url, &token, "POST", "/Users", user);
    let id = ann["id"].as_str().unwrap();
    assert_eq!(status, 201);
    let file = directory.file("people.csv", &format!("userName,externalId,id\nAnn,,\nbob,e-1,\ncarl,,{id}\ndora,,\n"));
    for (dry, stored) in [(&["--dry-run"][..], 1), (&[], 2)] {
        let (status, report, _) = import(&directory, &[&["friends", &file], dry].concat());
        assert_eq!((status, counts(&report)), (Some(1), [1, 0, 3, 0]));
        let same = |what: &str| format!("the identity provider has provisioned {id} with the same {what} already");
        assert_eq!(
            fates(&report),
            [
                (2, "conflict", same("userName").as_str()),
                (3, "conflict", same("externalId").as_str()),
                (4, "conflict", "a user of another userName has this id already"),
                (5, "imported", ""),
            ]
        );
        assert_eq!(exported(&directory, "friends").len(), stored);
    }
}

#[test]
fn imported_people_are_unseen_until_they_are_provisioned() {
    let directory = Directory::new("unseen");
    let tokens = [("strangers", "default"), ("friends", "hoxhunt")].map(|(name, profile)| {
        directory.json(&["tenant", "create", name, "--profile", profile])["token"].as_str().unwrap().to_owned()
    });
    let [strangers, friends] = &tokens;
    let mut server = Server::start(&directory, &["--json"]);
    let base_url = server.ready()["base_url"].as_str().unwrap().to_owned();
    let file = directory.file("people.csv", PEOPLE);
    let (_, _, _) = import(&directory, &["strangers", &file]);
    let (_, report, _) = import(&directory, &["friends", &file]);
    let id = |line: usize| report["records"][line]["id"].as_str().unwrap();
    for token in &tokens {
        let (status, list) = http(&base_url, token, "GET", "/Users", "");
        assert_eq!((status, &list["totalResults"]), (200, &json!(0)));
        assert_eq!(http(&base_url, token, "GET", &format!("/Users/{}", id(0)), "").0, 404);
    }
    let post = |token: &str, user: Value| http(&base_url, token, "POST", "/Users", &user.to_string());
    let ann = json!({ "userName": "ann@example.com", "displayName": "Ann A." });
    let (status, refusal) = post(strangers, ann.clone());
    assert_eq!((status, &refusal["scimType"]), (409, &json!("uniqueness")), "{refusal}");

    let (status, user) = post(friends, ann);
    assert_eq!((status, user["id"].as_str()), (201, Some(id(0))), "{user}");
    assert_eq!((&user["displayName"], &user["name"]["givenName"]), (&json!("Ann A."), &json!("Ann")));
    // An address links if the product has verified it.
    let by = |name: &str, email: &str| json!({ "userName": name, "emails": [{ "value": email }] });
    let (status, carl) = post(friends, by("carl@example.com", "carl@example.org"));
    assert_eq!((status, carl["id"].as_str()), (201, Some(id(2))), "{carl}");
    let (status, other) = post(friends, by("robert@example.com", "bob.private@example.org"));
    assert_eq!(status, 201);
    assert_ne!(other["id"].as_str(), Some(id(1)), "whoever says so is not Bob");
    assert_eq!(http(&base_url, friends, "GET", "/Users", "").1["totalResults"], 3);
    let states: Vec<_> =
        exported(&directory, "friends").iter().filter(|user| user["state"] == "unmanaged").cloned().collect();
    assert_eq!((states.len(), states[0]["id"].as_str()), (1, Some(id(1))));

    // Whoever was adopted is provisioned, also under another userName; whoever was deleted since stays so.
    assert_eq!(http(&base_url, friends, "DELETE", &format!("/Users/{}", id(0)), "").0, 204);
    let (status, again, _) = import(&directory, &["friends", &file]);
    assert_eq!((status, counts(&again)), (Some(1), [0, 1, 2, 0]), "{again}");
    let fates = fates(&again);
    let deleted = format!("the identity provider has deleted {} with the same userName", id(0));
    assert!(fates[0].2.starts_with(&deleted), "{fates:?}");
    let adopted = format!("the identity provider has provisioned {} with the same verified e-mail already", id(2));
    assert_eq!(fates[2], (4, "conflict", adopted.as_str()));
    assert_eq!(http(&base_url, friends, "GET", "/Users", "").1["totalResults"], 2);
    // A namesake with an externalId of its own is somebody else; yet who can come back keeps the name.
    let (status, bert) = post(friends, json!({ "userName": "bert", "externalId": "e-2" }));
    assert_eq!(status, 201);
    let bert = format!("/Users/{}", bert["id"].as_str().unwrap());
    assert_eq!(http(&base_url, friends, "DELETE", &bert, "").0, 204);
    let file = directory.file("namesakes.csv", "userName,externalId\nbert,e-3\n");
    assert_eq!(counts(&import(&directory, &["friends", &file]).1), [0, 0, 1, 0]);
}

#[test]
fn three_thousand_people_are_imported_and_a_broken_run_goes_on() {
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
fn only_so_many_faults_are_shown_to_people() {
    let directory = tenants("faults");
    let text = (0..60).fold(String::new(), |text, _| text + "{}\n");
    let file = directory.file("people.ndjson", &text);
    let output = directory.run(&["import", "friends", &file, "--unmanaged"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().filter(|line| line.contains(" is no user: ")).count(), 50);
    assert!(text.ends_with("\nand 10 more; --json shows all\n0 of 60 records are imported.\n"), "{text}");
}

#[test]
fn a_file_that_cannot_be_imported_is_refused_whole() {
    let directory = tenants("files");
    let people = directory.file("people.txt", "userName\nann\n");
    let nameless = directory.file("nameless.csv", "name,title\nann,Ms\n");
    let empty = directory.file("empty.csv", "userName\n");
    let good = directory.file("good.csv", "userName\nann\n");
    let table = |name: &str, text: &str| directory.file(name, &format!("userName,title\n{text}"));
    let open = table("open.csv", "a@x,\"foo\nb@x,bar\nc@x,baz\n");
    let within = table("within.csv", "a@x,foo\nb@x,5\" pipe\n");
    let twice = directory.file("twice.csv", "userName,title,active,Title\nann,Ms,true,Mr\n");
    let emails = directory.file("emails.csv", "userName,email,\"emails[type eq \"\"work\"\"].value\"\nann,a@x,b@x\n");
    let unnamed = directory.file("unnamed.csv", "userName,,title\nann,,\n");
    let wide: Vec<u8> = "\u{feff}userName\nann\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin = [b"userName,title\r\nann,Ms\r\nbob,".as_slice(), &[0xe9], b"\r\n"].concat();
    let [wide, latin] = [("wide.csv", wide), ("latin.csv", latin)].map(|(name, bytes)| {
        let path = directory.file(name, "");
        std::fs::write(&path, bytes).unwrap();
        path
    });
    for (tenant, file, said) in [
        ("friends", open.as_str(), "open.csv cannot be read: line 2: a quote opens here that is never closed"),
        ("friends", &within, "line 3: a quote stands within a value; put the whole value in quotes"),
        ("friends", &twice, "columns 2 and 4 are the same attribute, title and Title; take one out"),
        ("friends", &emails, "columns 2 and 3 are the same attribute, email and emails[type eq \"work\"].value"),
        ("friends", &unnamed, "column 2 has no name; name it, or take it out"),
        ("friends", &wide, "it is UTF-16: save it as UTF-8, in Excel as CSV UTF-8"),
        ("friends", &latin, "line 3 is not UTF-8: save it as UTF-8, in Excel as CSV UTF-8"),
        ("friends", people.as_str(), "people.txt cannot be read: its name must end in .csv, .ndjson or .jsonl"),
        ("friends", &nameless, "its first line must name the columns, one of them userName"),
        ("friends", &empty, "empty.csv has no records"),
        ("friends", "/nowhere.csv", "/nowhere.csv cannot be read"),
        ("friends", "/nowhere.ndjson", "/nowhere.ndjson cannot be read"),
        ("nobody", &good, "there is no tenant nobody"),
    ] {
        let refused = directory.refused(&["import", tenant, file, "--unmanaged"]);
        assert!(refused.contains(said), "{file}: {refused}");
    }
    let output = directory.run(&["import", "friends", &good]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && said.contains("--unmanaged"), "{said}");
    assert_eq!(exported(&directory, "friends").len(), 0);
}
