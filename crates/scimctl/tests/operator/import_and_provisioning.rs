//! Imported users and the identity provider: which of them it provisions, and by which key.

use serde_json::{Value, json};

use super::import::{PEOPLE, counts, exported, import, outcomes, tenants};
use crate::support::{Directory, Server, http};

#[test]
fn an_import_shows_by_which_key_each_user_will_be_linked() {
    let directory = tenants("told");
    let file = directory.file("people.csv", PEOPLE);
    let text = directory.text(&["import", "friends", &file, "--unmanaged", "--dry-run"]);
    let each = "line 2: ann@example.com would be linked by externalId, else by userName, else by \
        verified e-mail\nline 3: Bob@example.com would be linked by userName\nline 4: carl would \
        be linked by userName, else by verified e-mail\n";
    let links = "1 will be linked by externalId\n2 will be linked by userName\n";
    assert_eq!(text, format!("{each}{links}3 of 3 records would be imported.\n"));
    let text = directory.text(&["import", "friends", &file, "--unmanaged"]);
    assert_eq!(text, format!("{links}3 of 3 records are imported.\n"));
    let text = directory.text(&["import", "strangers", &file, "--unmanaged", "--dry-run"]);
    assert_eq!(
        text,
        "line 2: ann@example.com would be imported\nline 3: Bob@example.com would be imported\n\
         line 4: carl would be imported\n\
         None will be linked: create.existing is conflict, so a POST for any of them is 409.\n\
         3 of 3 records would be imported.\n"
    );
    let (_, report, _) = import(&directory, &["strangers", &file, "--dry-run"]);
    assert_eq!(report["records"][0]["links_on"], json!([]));
}

#[test]
fn a_provisioned_user_is_not_imported() {
    let directory = tenants("provisioned");
    let token =
        directory.json(&["token", "issue", "friends"])["token"].as_str().unwrap().to_owned();
    let mut server = Server::start(&directory, &["--json"]);
    let base_url = server.ready()["base_url"].as_str().unwrap().to_owned();
    let post = |user: Value| {
        let (status, user) = http(&base_url, &token, "POST", "/Users", &user.to_string());
        assert_eq!(status, 201, "{user}");
        user["id"].as_str().unwrap().to_owned()
    };
    let ann = post(json!({ "userName": "ann", "externalId": "e-1" }));
    let emil = post(json!({ "userName": "emil", "emails": [{ "value": "emil@example.org" }] }));
    let other = "00000000-0000-4000-8000-000000000001";
    let file = directory.file(
        "people.csv",
        &format!(
            "userName,externalId,id,email,emailVerified\nAnn,,,,\nbob,e-1,,,\ncarl,,{ann},,\ndora,,,,\ne,,,Emil@example.org,true\n"
        ),
    );
    let mixed =
        directory.file("mixed.csv", &format!("userName,externalId,id\nemil,e-1,\nann,,{other}\n"));
    let expected =
        [(&ann, "userName"), (&ann, "externalId"), (&ann, "id"), (&emil, "verified e-mail")];
    let text = directory.run(&["import", "friends", &file, "--unmanaged", "--dry-run"]).stdout;
    let text = String::from_utf8(text).unwrap();
    for ((line, name), (id, by)) in
        [(2, "Ann"), (3, "bob"), (4, "carl"), (6, "e")].into_iter().zip(expected)
    {
        let told = format!("line {line}: {name} is already provisioned: {id} has the same {by}\n");
        assert!(text.contains(&told), "{told}: {text}");
    }
    for (dry, stored) in [(&["--dry-run"][..], 2), (&[], 3)] {
        let (status, report, _) = import(&directory, &[&["friends", &file], dry].concat());
        assert_eq!(
            (status, counts(&report), &report["provisioned"]),
            (Some(0), [1, 0, 0, 0], &json!(4))
        );
        let ids: Vec<_> =
            [0, 1, 2, 4].iter().map(|line| report["records"][*line]["id"].clone()).collect();
        assert_eq!(ids, expected.map(|(id, _)| json!(id)));
        let (_, report, _) = import(&directory, &[&["friends", &mixed], dry].concat());
        let said = "the identity provider has provisioned";
        let already = "the identity provider has already provisioned";
        let two = format!(
            "{said} {emil} with the same userName and {ann} with the same externalId; it is \
             unclear which user is meant"
        );
        let another = format!("{already} {ann} with the same userName, which may be another user");
        assert_eq!(
            outcomes(&report),
            [(2, "conflict", two.as_str()), (3, "conflict", another.as_str())]
        );
        assert_eq!(exported(&directory, "friends").len(), stored);
    }
}

#[test]
fn the_same_file_can_be_imported_again_after_its_users_are_provisioned() {
    let directory = tenants("nightly");
    let token =
        directory.json(&["token", "issue", "friends"])["token"].as_str().unwrap().to_owned();
    let mut server = Server::start(&directory, &["--json"]);
    let base_url = server.ready()["base_url"].as_str().unwrap().to_owned();
    let id = "00000000-0000-4000-8000-000000000001";
    let file = directory.file(
        "people.csv",
        &format!(
            "userName,externalId,email,emailVerified,id\n\
             ann,,,,\nbob,e-2,,,\ncarl,,carl@example.org,true,\ndora,,,,{id}\nemil,,,,\n"
        ),
    );
    assert_eq!(counts(&import(&directory, &["friends", &file]).1), [5, 0, 0, 0]);
    let comes = [
        json!({ "userName": "ann", "externalId": "e-1" }),
        json!({ "userName": "robert", "externalId": "e-2" }),
        json!({ "userName": "carl@example.com", "emails": [{ "value": "carl@example.org" }] }),
        json!({ "userName": "dora" }),
    ];
    for user in comes {
        assert_eq!(http(&base_url, &token, "POST", "/Users", &user.to_string()).0, 201);
    }
    let renamed = r#"{"Operations":[{"op":"replace","path":"userName","value":"dorothy"}]}"#;
    assert_eq!(http(&base_url, &token, "PATCH", &format!("/Users/{id}"), renamed).0, 200);
    let (status, report, _) = import(&directory, &["friends", &file]);
    assert_eq!(
        (status, counts(&report), &report["provisioned"]),
        (Some(0), [0, 1, 0, 0], &json!(4)),
        "{report}"
    );
    let text = directory.text(&["import", "friends", &file, "--unmanaged"]);
    assert_eq!(
        text,
        "0 of 5 records are imported, 1 had already been imported, 4 are already provisioned.\n"
    );
    assert_eq!(exported(&directory, "friends").len(), 5);
}

#[test]
fn imported_users_are_hidden_until_they_are_provisioned() {
    let directory = Directory::new("unseen");
    let tokens = [("strangers", "default"), ("friends", "hoxhunt")].map(|(name, profile)| {
        directory.json(&["tenant", "create", name, "--profile", profile])["token"]
            .as_str()
            .unwrap()
            .to_owned()
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
    let post =
        |token: &str, user: Value| http(&base_url, token, "POST", "/Users", &user.to_string());
    let ann = json!({ "userName": "ann@example.com", "displayName": "Ann A." });
    let (status, refusal) = post(strangers, ann.clone());
    assert_eq!((status, &refusal["scimType"]), (409, &json!("uniqueness")), "{refusal}");

    let (status, user) = post(friends, ann);
    assert_eq!((status, user["id"].as_str()), (201, Some(id(0))), "{user}");
    assert_eq!(
        (&user["displayName"], &user["name"]["givenName"]),
        (&json!("Ann A."), &json!("Ann"))
    );
    // An address links a user if the product has verified it.
    let by = |name: &str, email: &str| json!({ "userName": name, "emails": [{ "value": email }] });
    let (status, carl) = post(friends, by("carl@example.com", "carl@example.org"));
    assert_eq!((status, carl["id"].as_str()), (201, Some(id(2))), "{carl}");
    let (status, other) = post(friends, by("robert@example.com", "bob.private@example.org"));
    assert_eq!(status, 201);
    assert_ne!(
        other["id"].as_str(),
        Some(id(1)),
        "an address that is not verified does not prove that this is Bob"
    );
    assert_eq!(http(&base_url, friends, "GET", "/Users", "").1["totalResults"], 3);
    let states: Vec<_> = exported(&directory, "friends")
        .iter()
        .filter(|user| user["state"] == "unmanaged")
        .cloned()
        .collect();
    assert_eq!((states.len(), states[0]["id"].as_str()), (1, Some(id(1))));

    // An adopted user is provisioned, even under another userName. A user that was deleted in the
    // meantime stays deleted.
    assert_eq!(http(&base_url, friends, "DELETE", &format!("/Users/{}", id(0)), "").0, 204);
    let (status, again, _) = import(&directory, &["friends", &file]);
    assert_eq!((status, counts(&again)), (Some(1), [0, 1, 1, 0]), "{again}");
    let outcomes = outcomes(&again);
    let deleted = format!("the identity provider has deleted {} with the same userName", id(0));
    assert!(outcomes[0].2.starts_with(&deleted), "{outcomes:?}");
    assert_eq!((outcomes[2].1, again["records"][2]["id"].as_str()), ("provisioned", Some(id(2))));
    assert_eq!(http(&base_url, friends, "GET", "/Users", "").1["totalResults"], 2);
    // A namesake with another externalId is another user, but a deleted user that can be restored
    // keeps its name.
    let (status, bert) = post(friends, json!({ "userName": "bert", "externalId": "e-2" }));
    assert_eq!(status, 201);
    let bert = format!("/Users/{}", bert["id"].as_str().unwrap());
    assert_eq!(http(&base_url, friends, "DELETE", &bert, "").0, 204);
    let file = directory.file("namesakes.csv", "userName,externalId\nbert,e-3\n");
    assert_eq!(counts(&import(&directory, &["friends", &file]).1), [0, 0, 1, 0]);
}
