//! Creating, listing and switching tenants off and on, and the brake on their deactivations.

use serde_json::{Value, json};

use crate::support::{Directory, Server, http};

fn listed(directory: &Directory) -> Vec<Value> {
    directory.json(&["tenant", "list"])["tenants"].as_array().unwrap().clone()
}

#[test]
fn a_tenant_is_created_with_profile_dialect_customer_and_settings() {
    let directory = Directory::new("made");
    let create = "tenant create acme-eu --profile hoxhunt --idp entra --customer acme \
        token.lifetime_days=10";
    let made = directory
        .json(&create.split(' ').chain(["create.link_on=[\"userName\"]"]).collect::<Vec<_>>());
    assert_eq!((&made["tenant"], &made["profile"]), (&json!("acme-eu"), &json!("hoxhunt")));
    let text = directory.text(&["profile", "diff", "hoxhunt", "acme-eu"]);
    assert_eq!(
        text,
        "create.link_on: [\"externalId\",\"userName\",\"email\"] -> [\"userName\"]\n\
         dialect.idp: null -> \"entra\"\n\
         dialect.group_patch: \"resource\" -> \"no_content\"\n\
         brake.deactivations: null -> 20\n\
         brake.share: null -> 20\n\
         brake.maximum: \"smaller\" -> \"larger\"\n\
         brake.answer: \"too_many_requests\" -> \"forbidden\"\n\
         token.lifetime_days: 365 -> 10\n"
    );
    directory.json(&["tenant", "create", "globex"]);
    let listed = listed(&directory);
    let of = |field: &str| listed.iter().map(|tenant| tenant[field].clone()).collect::<Vec<_>>();
    assert_eq!(of("tenant"), ["acme-eu", "globex"]);
    assert_eq!(of("customer"), [json!("acme"), Value::Null]);
    assert_eq!(of("idp"), [json!("entra"), Value::Null]);
    assert_eq!(
        (of("profile"), of("profile_version")),
        (vec![json!("hoxhunt"), json!("default")], vec![json!(1); 2])
    );
    let said = directory.refused(&["tenant", "create", "x", "--customer", "A & B"]);
    assert!(said.contains("a customer's name has 1 to 64 letters"), "{said}");
}

#[test]
fn the_state_of_a_tenant_shows_whether_its_identity_provider_has_connected() {
    let directory = Directory::new("states");
    let tokens =
        ["a", "b", "c"].map(|name| directory.json(&["tenant", "create", name])["token"].clone());
    let [used, idle, off] = tokens.each_ref().map(|token| token.as_str().unwrap());
    let mut server = Server::start(&directory, &["--json"]);
    let base_url = server.ready()["base_url"].as_str().unwrap().to_owned();
    let get = |token: &str| http(&base_url, token, "GET", "/Users", "");
    assert_eq!(get(used).0, 200);
    let said = directory.text(&["tenant", "disable", "c"]);
    assert_eq!(
        said,
        "SCIM will be off for c within a minute: requests are refused, and users stay as they \
        are.\n"
    );
    let (status, refusal) = get(off);
    assert_eq!((status, refusal["status"].as_str()), (403, Some("403")));
    assert!(refusal["detail"].as_str().unwrap().contains("switched off"), "{refusal}");

    let states: Vec<_> = listed(&directory).iter().map(|tenant| tenant["state"].clone()).collect();
    assert_eq!(states, ["connected", "active", "inactive"]);
    let text = directory.text(&["tenant", "list"]);
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    let states: Vec<_> = rows.iter().map(|row| (row[0], row[2])).collect();
    let expected = [("TENANT", "STATE"), ("a", "connected"), ("b", "active"), ("c", "inactive")];
    assert_eq!(states, expected, "{text}");

    // The service has not read the row of b before, so it reads it now.
    assert_eq!(
        directory.json(&["tenant", "disable", "b"]),
        json!({ "tenant": "b", "enabled": false })
    );
    assert_eq!(
        directory.text(&["tenant", "enable", "b"]),
        "SCIM will be on for b within a minute.\n"
    );
    assert_eq!(get(idle).0, 200);
    let said = directory.refused(&["tenant", "disable", "nobody"]);
    assert!(said.contains("there is no tenant nobody"), "{said}");
}

#[test]
fn a_tenant_without_a_customer_is_listed_without_one() {
    let directory = Directory::new("customers");
    let none = directory.text(&["tenant", "list"]);
    assert_eq!(none, "There are no tenants; scimctl tenant create NAME creates one.\n");
    directory.json(&["tenant", "create", "one", "--customer", "acme"]);
    directory.json(&["tenant", "create", "two"]);
    let text = directory.text(&["tenant", "list"]);
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert!(lines[0].starts_with("one ") && lines[0].ends_with("  acme"), "{text}");
    assert!(lines[1].starts_with("two ") && lines[1].ends_with("  -"), "{text}");
}

#[test]
fn a_tenant_is_shown_with_its_users_seats_tokens_and_brake() {
    let directory = Directory::new("overview");
    let create = "tenant create acme --idp okta seats.limit=3 brake.deactivations=1";
    let token = directory.json(&create.split(' ').collect::<Vec<_>>())["token"].clone();
    directory.json(&["token", "issue", "acme", "--label", "second", "--no-expiry"]);
    let mut server = Server::start(&directory, &["--json"]);
    let base_url = server.ready()["base_url"].as_str().unwrap().to_owned();
    let send = |method: &str, path: &str, body: &str| {
        http(&base_url, token.as_str().unwrap(), method, path, body)
    };
    let users = ["a", "b", "c"].map(|name| {
        send("POST", "/Users", &json!({ "userName": name }).to_string()).1["id"].clone()
    });
    let path = |user: usize| format!("/Users/{}", users[user].as_str().unwrap());
    assert_eq!((send("DELETE", &path(0), "").0, send("DELETE", &path(1), "").0), (204, 429));
    send("POST", "/Groups", r#"{"displayName":"g"}"#);

    let text = directory.text(&["tenant", "list"]);
    let cells: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split("  ").filter(|cell| !cell.is_empty()).collect())
        .collect();
    let cell = |name: &str| {
        let column = cells[0].iter().position(|header| header.trim() == name).unwrap();
        cells[1][column].trim()
    };
    assert_eq!((cell("USERS"), cell("SEATS"), cell("BRAKE")), ("2", "2/3", "TRIPPED"), "{text}");
    assert_eq!((cell("IDP"), cell("STATE")), ("okta", "connected"));

    assert!(cell("TOKEN ENDS").ends_with("(a new one is unused)"));

    let shown = directory.json(&["tenant", "show", "acme"]);
    assert_eq!(
        (&shown["users"], &shown["active"], &shown["groups"]),
        (&json!(2), &json!(2), &json!(1))
    );
    assert!(shown["last_seen"].as_str().unwrap().ends_with(":00:00Z"), "{shown}");
    assert_eq!((&shown["brake"], shown["tokens"].as_array().unwrap().len()), (&json!("on"), 2));
    let text = directory.text(&["tenant", "show", "acme"]);
    for expected in [
        "Users              2 users, 2 active and 0 inactive",
        "Groups             1",
        "Seats              2/3",
        "tripped at 20",
        " second, never expires, last seen never",
        "State              connected, first request 20",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let said = directory.refused(&["tenant", "show", "nobody"]);
    assert!(said.contains("there is no tenant nobody"), "{said}");
}

#[test]
fn a_brake_stops_deactivations_until_the_operator_lifts_it() {
    let directory = Directory::new("brake");
    let made = directory.json(&["tenant", "create", "acme", "brake.deactivations=2"]);
    let token = made["token"].as_str().unwrap();
    let none = directory.text(&["brake", "show", "acme"]);
    assert_eq!(
        none,
        "No window is open: no user of acme has been deactivated since its brake was set or \
        lifted.\n"
    );
    let mut server = Server::start(&directory, &["--json"]);
    let base_url = server.ready()["base_url"].as_str().unwrap().to_owned();
    let users = ["a", "b", "c", "d"].map(|name| {
        let body = json!({ "userName": name }).to_string();
        http(&base_url, token, "POST", "/Users", &body).1["id"].as_str().unwrap().to_owned()
    });
    let delete =
        |user: usize| http(&base_url, token, "DELETE", &format!("/Users/{}", users[user]), "");
    assert_eq!((delete(0).0, delete(1).0), (204, 204));
    let shown = directory.json(&["brake", "show", "acme"]);
    assert_eq!(
        (&shown["on"], &shown["deactivations"], &shown["most"]),
        (&json!(false), &json!(2), &json!(2))
    );
    assert_eq!(
        directory.json(&["brake", "lift", "acme"]),
        json!({ "tenant": "acme", "lifted": false })
    );

    let (status, refusal) = delete(2);
    assert_eq!((status, refusal["status"].as_str()), (429, Some("429")), "{refusal}");
    let shown = directory.json(&["brake", "show", "acme"]);
    assert_eq!((&shown["on"], &shown["deactivations"]), (&json!(true), &json!(2)));
    let text = directory.text(&["brake", "show", "acme"]);
    let since = shown["since"].as_str().unwrap();
    assert!(
        text.starts_with("2 of at most 2 users of acme have been deactivated since "),
        "{text}"
    );
    let on = format!("\nThe brake has been on since {since}. Ask the customer first: ");
    assert!(text.contains(&on), "{text}");
    assert!(text.ends_with(" Then scimctl brake lift acme lifts it.\n"), "{text}");

    let lifted = directory.text(&["brake", "lift", "acme"]);
    assert_eq!(lifted, "Users of acme can be deactivated again, in a new window.\n");
    assert_eq!(directory.text(&["brake", "lift", "acme"]), "The brake of acme is not on.\n");
    assert_eq!((delete(2).0, delete(3).0), (204, 204), "a new window counts from zero");
    assert_eq!(directory.json(&["brake", "show", "acme"])["deactivations"], 2);
    assert!(directory.refused(&["brake", "show", "nobody"]).contains("there is no tenant nobody"));
    directory.json(&["profile", "set", "acme", "brake.deactivations=null"]);
    assert!(directory.text(&["brake", "show", "acme"]).starts_with("acme has no brake; "));
}

#[test]
fn a_tenant_with_an_ambiguous_name_or_an_unreachable_host_is_not_created() {
    let directory = Directory::new("unreachable");
    let said = directory.refused(&["tenant", "create", "hone"]);
    assert!(said.contains("hone is the name of a profile"), "{said}");
    let host = "address.host=acme.example.com";
    let said = directory.refused(&["tenant", "create", "acme", host]);
    assert!(said.contains("set address.base_url too"), "{said}");
    assert!(listed(&directory).is_empty());
    let made = directory.json(&[
        "tenant",
        "create",
        "acme",
        host,
        "--base-url",
        "https://acme.example.com/scim/v2",
    ]);
    assert_eq!(made["base_url"], "https://acme.example.com/scim/v2");
    let said = directory.refused(&["profile", "set", "acme", "address.base_url=null"]);
    assert!(said.contains("set address.base_url too"), "{said}");
}

#[test]
fn the_printed_base_url_works() {
    let directory = Directory::new("base-path");
    let alone = directory.json(&["tenant", "create", "acme", "--profile", "holaspirit"]);
    assert_eq!(alone["base_url"], "http://127.0.0.1:8080/api/scim/2.0");
    let mut server = Server::start(&directory, &["--json"]);
    let deployment = server.ready()["base_url"].as_str().unwrap().to_owned();
    let own = deployment.replace("/scim/v2", "/api/scim/2.0");
    let made = directory.json(&["tenant", "create", "globex", "--profile", "holaspirit"]);
    assert_eq!(made["base_url"], own);
    let issued = directory.json(&["token", "issue", "acme"]);
    let listed = directory.json(&["tenant", "list"]);
    assert_eq!(
        (&issued["base_url"], &listed["tenants"][0]["base_url"]),
        (&json!(own), &json!(own))
    );
    for token in
        [&alone["token"], &made["token"], &issued["token"]].map(|token| token.as_str().unwrap())
    {
        let config = http(&own, token, "GET", "/ServiceProviderConfig", "");
        assert_eq!(
            (config.0, &config.1["meta"]["location"]),
            (200, &json!(format!("{own}/ServiceProviderConfig")))
        );
        assert_eq!(http(&deployment, token, "GET", "/Users", "").0, 200, "served there too");
    }
    // Another profile leads elsewhere.
    directory.json(&["profile", "set", "acme", "--profile", "default"]);
    assert_eq!(directory.json(&["token", "issue", "acme"])["base_url"], deployment);
    // The operator's own URL is used as it is, unless it is that of a deployment, which serves
    // every path.
    for (given, printed) in [
        ("https://scim.example.com/scim/v2", "https://scim.example.com/api/scim/2.0"),
        ("https://scim.example.com/other/", "https://scim.example.com/other"),
    ] {
        let name = if given.ends_with('/') { "one" } else { "two" };
        let arguments = ["tenant", "create", name, "--profile", "holaspirit", "--base-url", given];
        assert_eq!(directory.json(&arguments)["base_url"], printed);
    }
}
