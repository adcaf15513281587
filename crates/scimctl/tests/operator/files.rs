//! Files of users: what they may contain, and what is reported about invalid ones.

use serde_json::{Value, json};

use super::import::{counts, exported, import, outcomes, tenants};
use crate::support::{Directory, Server, http};

/// Imports a file. For each record, whether the user will be linked by a verified e-mail address,
/// and why it is not imported.
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
fn verified_addresses_are_listed_or_declared_and_other_values_are_refused() {
    let email = r#""emails":[{"value":"a@example.org"}]"#;
    let cases = [
        (r#""emailVerified":"True""#, true, ""),
        (r#""EmailVerified":true"#, true, ""),
        (r#""emailVerified":"false""#, false, ""),
        (r#""emailVerified":null"#, false, ""),
        (r#""verifiedEmails":"a@example.org""#, true, ""),
        (r#""verifiedEmails":[]"#, false, ""),
        (r#""emailVerified":true,"verifiedEmails":["b@example.org"]"#, true, ""),
        (
            r#""verifiedEmails":[7]"#,
            false,
            "verifiedEmails has 7; it must be true or false, or list addresses",
        ),
        (
            r#""verifiedEmails":["a"]"#,
            false,
            "verifiedEmails has \"a\"; it must be true or false, or list addresses",
        ),
        (
            r#""emailVerified":1"#,
            false,
            "emailVerified has 1; it must be true or false, or list addresses",
        ),
        (
            r#""emails":null"#,
            false,
            "the line is not acceptable JSON: a name appears twice in one object, ignoring case",
        ),
    ];
    // The addresses differ, so the users differ too.
    let lines = cases.iter().enumerate().map(|(number, (said, _, _))| {
        format!(r#"{{"userName":"u{number}",{email},{said}}}"#)
            .replace("@example.org", &format!("@{number}.example"))
    });
    let lines =
        lines.collect::<Vec<_>>().join("\n") + "\n{\"userName\":\"u\",\"emailVerified\":true}\n";
    let mut expected: Vec<_> = cases.iter().map(|(_, by, why)| (*by, (*why).to_owned())).collect();
    let nothing = "emailVerified is true, but the record has no e-mail; list addresses in \
        verifiedEmails";
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
fn lines_are_numbered_with_every_line_end_and_every_separator() {
    let directory = tenants("lines");
    let text = "userName;title\na1;\"two\nlines\"\n;bad\n\nb1;t;u\n;\nA1;t\n";
    for text in [text.to_owned(), text.replace('\n', "\r\n"), text.replace(';', "\t")] {
        let (status, report, _) =
            import(&directory, &["friends", &directory.file("lines.csv", &text), "--dry-run"]);
        assert_eq!((status, counts(&report)), (Some(1), [1, 0, 1, 2]), "{text}");
        let outcomes = outcomes(&report);
        let lines: Vec<_> = outcomes.iter().map(|(line, outcome, _)| (*line, *outcome)).collect();
        assert_eq!(
            lines,
            [(2, "imported"), (4, "invalid"), (6, "invalid"), (8, "conflict")],
            "{text}"
        );
        assert_eq!(
            outcomes[3].2,
            "line 2 has the same userName; it is unclear which user is meant"
        );
    }
}

#[test]
fn invalid_lines_are_reported_and_the_others_are_imported() {
    let directory = tenants("invalid");
    let file = directory.file(
        "people.jsonl",
        "{\"userName\":\"ann\"}\n\
         {\"userName\":\"bob\",\"id\":\"bob/1\"}\n\
         {\"userName\":\"carl\",\"id\":1.7}\n\
         {\"displayName\":\"nobody\"}\n\
         {\"userName\":\n\
         [1]\n\
         {\"userName\":\"dora\",\"name\":\"Dora\"}\n\
         {\"userName\":\"emil\"}\n",
    );
    let (status, report, said) = import(&directory, &["friends", &file]);
    assert_eq!((status, counts(&report)), (Some(1), [2, 0, 0, 6]));
    assert_eq!(said, "scimctl: 6 of 8 records were not imported\n");
    let outcomes = outcomes(&report);
    for (index, line, why) in [
        (1, 2, "id must have 1 to 128 letters"),
        (2, 3, "id is 1.7; write it as a string"),
        (3, 4, "userName"),
        (4, 5, "the line is not a JSON object"),
        (5, 6, "the line is not a JSON object"),
        (6, 7, "name"),
    ] {
        let (number, outcome, reason) = outcomes[index];
        assert_eq!((number, outcome), (line, "invalid"));
        assert!(reason.contains(why), "{line}: {reason}");
    }
    let mut names: Vec<_> =
        exported(&directory, "friends").iter().map(|user| user["userName"].clone()).collect();
    names.sort_by_key(Value::to_string);
    assert_eq!(names, ["ann", "emil"]);

    let output = directory.run(&["import", "friends", &file, "--unmanaged"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("line 2: bob is not a valid user: id must have 1 to 128"),
        "{text}"
    );
    assert_eq!(lines[3], "line 5 is not a valid user: the line is not a JSON object");
    assert_eq!(*lines.last().unwrap(), "0 of 8 records are imported, 2 had already been imported.");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_line_with_too_few_columns_is_invalid() {
    let directory = tenants("columns");
    let file =
        directory.file("people.csv", "userName,title,active\nann,Ms,false\nbob,Mr\ncarl,Mr,true\n");
    let (status, report, _) = import(&directory, &["friends", &file]);
    assert_eq!((status, counts(&report)), (Some(1), [2, 0, 0, 1]));
    assert_eq!(
        outcomes(&report)[1],
        (3, "invalid", "the line has 2 columns, but the first line names 3")
    );
    let users = exported(&directory, "friends");
    let mut active: Vec<_> =
        users.iter().map(|user| (user["userName"].as_str(), user["active"].clone())).collect();
    active.sort_by_key(|(name, _)| *name);
    assert_eq!(active, [(Some("ann"), json!(false)), (Some("carl"), json!(true))]);
}

#[test]
fn a_column_may_be_a_path_into_an_attribute_with_several_values() {
    let directory = tenants("paths");
    let header = r#"userName,email,"phoneNumbers[type eq ""work""].value","emails[type eq ""home""].value",addresses.country"#;
    let header = format!(
        r#"{header},"addresses[type eq ""work""].country","addresses[type eq ""work""].locality",addresses.region,"nick[type eq ""x""].value""#
    );
    let text = format!(
        "{header}\nann,a@w.example,+358 \
        1,a@h.example,,FI,Turku,,x\nbob,,,,SE,,,Scania,\ncarl,,,,,,,,\n"
    );
    let (status, report, _) =
        import(&directory, &["strangers", &directory.file("paths.csv", &text)]);
    assert_eq!((status, counts(&report)), (Some(0), [3, 0, 0, 0]), "{report}");
    assert_eq!(report["left_out"], json!([r#"nick[type eq "x"].value"#]));
    let users = exported(&directory, "strangers");
    let of = |name: &str| users.iter().find(|user| user["userName"] == name).unwrap();
    assert_eq!(of("ann")["phoneNumbers"], json!([{ "type": "work", "value": "+358 1" }]));
    assert_eq!(
        of("ann")["addresses"],
        json!([{ "type": "work", "country": "FI", "locality": "Turku" }])
    );
    let emails = json!([{ "value": "a@w.example", "type": "work", "primary": true },
        { "type": "home", "value": "a@h.example" }]);
    assert_eq!(of("ann")["emails"], emails);
    assert_eq!(of("bob")["addresses"], json!([{ "country": "SE", "region": "Scania" }]));
    assert_eq!((&of("carl")["addresses"], &of("carl")["emails"]), (&Value::Null, &Value::Null));
    let wrong =
        directory.file("wrong.csv", "userName,\"phoneNumbers[type eq 1 or].value\"\ndora,1\n");
    let (status, report, _) = import(&directory, &["strangers", &wrong]);
    assert_eq!((status, counts(&report)), (Some(1), [0, 0, 0, 1]), "{report}");
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
    let emails = directory
        .file("emails.csv", "userName,email,\"emails[type eq \"\"work\"\"].value\"\nann,a@x,b@x\n");
    let unnamed = directory.file("unnamed.csv", "userName,,title\nann,,\n");
    let wide: Vec<u8> =
        "\u{feff}userName\nann\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin = [b"userName,title\r\nann,Ms\r\nbob,".as_slice(), &[0xe9], b"\r\n"].concat();
    let [wide, latin] = [("wide.csv", wide), ("latin.csv", latin)].map(|(name, bytes)| {
        let path = directory.file(name, "");
        std::fs::write(&path, bytes).unwrap();
        path
    });
    for (tenant, file, said) in [
        (
            "friends",
            open.as_str(),
            "open.csv cannot be read: line 2: a quote that opens here is never closed",
        ),
        (
            "friends",
            &within,
            "line 3: there is a quote inside a value; put the whole value in quotes",
        ),
        ("friends", &twice, "columns 2 and 4 are the same attribute, title and Title; remove one"),
        (
            "friends",
            &emails,
            "columns 2 and 3 are the same attribute, email and emails[type eq \"work\"].value",
        ),
        ("friends", &unnamed, "column 2 has no name; name it or remove it"),
        ("friends", &wide, "it is in UTF-16: save it as UTF-8 (in Excel, as CSV UTF-8)"),
        ("friends", &latin, "line 3 is not UTF-8: save the file as UTF-8 (in Excel, as CSV UTF-8)"),
        (
            "friends",
            people.as_str(),
            "people.txt cannot be read: its name must end in .csv, .ndjson or .jsonl",
        ),
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

#[test]
fn a_path_into_closed_values_accepts_only_those() {
    let directory = Directory::new("closed");
    let overlay = r#"attributes.overlay=[{"name":"licences","type":"complex","multiValued":true,"subAttributes":[{"name":"type","type":"string"},{"name":"level","type":"string","canonicalValues":["gold"],"closed":true}]}]"#;
    directory.json(&["tenant", "create", "acme", overlay]);
    let text = "userName,\"licences[type eq \"\"x\"\"].level\"\nann,Gold\nbob,tin\n";
    let (status, report, _) = import(&directory, &["acme", &directory.file("people.csv", text)]);
    assert_eq!((status, counts(&report)), (Some(1), [1, 0, 0, 1]), "{report}");
    let said = outcomes(&report)[1].2.to_owned();
    assert!(said.contains("licences.level must be one of: gold"), "{said}");
    assert_eq!(
        exported(&directory, "acme")[0]["licences"],
        json!([{ "type": "x", "level": "gold" }])
    );
}

#[test]
fn a_namesake_of_a_provisioned_user_and_another_id_of_an_imported_user_conflict() {
    let directory = Directory::new("namesakes");
    directory.json(&["tenant", "create", "acme"]);
    let token = directory.json(&["token", "issue", "acme"])["token"].as_str().unwrap().to_owned();
    let mut server = Server::start(&directory, &["--json"]);
    let base_url = server.ready()["base_url"].as_str().unwrap().to_owned();
    let ann = json!({ "userName": "ann", "externalId": "e-2002" }).to_string();
    assert_eq!(http(&base_url, &token, "POST", "/Users", &ann).0, 201);
    let first = directory.file("first.csv", "userName,externalId\nann,e-1001\nbob,\n");
    let (status, report, _) = import(&directory, &["acme", &first]);
    assert_eq!((status, counts(&report)), (Some(1), [1, 0, 1, 0]), "{report}");
    assert!(outcomes(&report)[0].2.contains("userName, but another externalId"), "{report}");
    let second =
        directory.file("second.csv", "userName,id\nbob,01906b2f-0000-7000-8000-0123456789ab\n");
    let (status, report, _) = import(&directory, &["acme", &second]);
    assert_eq!((status, counts(&report)), (Some(1), [0, 0, 1, 0]), "{report}");
    assert!(outcomes(&report)[0].2.contains("scimctl user forget"), "{report}");
}
