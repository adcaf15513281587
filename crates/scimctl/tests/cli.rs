//! The tool as an operator uses it: the binary, its output and its exit status.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
#![cfg(unix)]

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use support::{BINARY, Directory, Server, http};

#[test]
fn data_survives_a_restart_of_the_server() {
    let directory = Directory::new("restart");
    let mut server = Server::start(&directory, &["--json"]);
    let ready = server.ready();
    let (base_url, token) = (ready["base_url"].as_str().unwrap(), ready["token"].as_str().unwrap());
    assert_eq!((&ready["tenant"], base_url.ends_with("/scim/v2")), (&json!("demo"), true));
    let (status, user) = http(base_url, token, "POST", "/Users", r#"{"userName":"a@example.com"}"#);
    assert_eq!(status, 201, "{user}");
    assert!(user["meta"]["location"].as_str().unwrap().starts_with(base_url));
    assert!(server.interrupt(), "Ctrl-C is a clean end");

    let mut server = Server::start(&directory, &["--json"]);
    let again = server.ready();
    assert_eq!(again["token"], Value::Null, "a token is shown once");
    let path = format!("/Users/{}", user["id"].as_str().unwrap());
    let (status, found) = http(again["base_url"].as_str().unwrap(), token, "GET", &path, "");
    assert_eq!((status, &found["userName"]), (200, &user["userName"]));
}

#[test]
fn subcommands_work_with_and_without_a_running_server() {
    let directory = Directory::new("both");
    let alone = directory.json(&["tenant", "create", "acme", "--idp", "entra"]);
    assert_eq!(
        (&alone["tenant"], &alone["base_url"]),
        (&json!("acme"), &json!("http://127.0.0.1:8080/scim/v2"))
    );

    let mut server = Server::start(&directory, &["--json"]);
    let ready = server.ready();
    let base_url = ready["base_url"].as_str().unwrap();
    assert_eq!(ready["token"], Value::Null, "there is a tenant already, so no demo is made");
    let while_served = directory.json(&["tenant", "create", "globex", "--profile", "strict"]);
    assert_eq!(while_served["base_url"], base_url);
    let second = directory.json(&["token", "issue", "acme", "--days", "7"]);
    for made in [&alone, &while_served, &second] {
        assert_eq!(http(base_url, made["token"].as_str().unwrap(), "GET", "/Users", "").0, 200);
    }
    directory.json(&["token", "revoke", "acme", alone["key_id"].as_str().unwrap()]);
    let served = directory.json(&["token", "list", "acme"]);
    assert!(server.interrupt());

    assert_eq!(directory.json(&["token", "list", "acme"]), served);
    let states: Vec<_> =
        served["tokens"].as_array().unwrap().iter().map(|token| token["state"].clone()).collect();
    assert_eq!(states, ["revoked", "good"]);
    let names: Vec<_> = directory.json(&["tenant", "list"])["tenants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["tenant"].clone())
        .collect();
    assert_eq!(names, ["acme", "globex"]);
}

#[test]
fn the_printed_curl_lines_work_when_pasted() {
    let directory = Directory::new("curl");
    let mut server = Server::start(&directory, &[]);
    let mut curls = Vec::new();
    for line in server.lines.by_ref().map(Result::unwrap) {
        if line.starts_with("curl ") {
            curls.push(line);
        } else if line.starts_with("Ctrl-C") {
            break;
        }
    }
    assert_eq!(curls.len(), 3);
    if Command::new("curl").arg("--version").output().is_err() {
        return;
    }
    let answers: Vec<Value> = curls
        .iter()
        .map(|line| {
            serde_json::from_slice(&Command::new("sh").arg("-c").arg(line).output().unwrap().stdout)
                .unwrap()
        })
        .collect();
    assert_eq!(answers[0]["patch"]["supported"], true);
    assert_eq!(answers[1]["userName"], "bjensen@example.com");
    assert_eq!(answers[2]["Resources"][0], answers[1]);
    let lines: Vec<String> =
        server.lines.by_ref().map(Result::unwrap).filter(|line| !line.is_empty()).take(3).collect();
    assert!(
        lines[1].contains("  demo          201  POST   /scim/v2/Users  ")
            && lines[1].ends_with("  calls: 1"),
        "{lines:?}"
    );
}

#[test]
fn a_table_is_reached_through_the_sdks_own_configuration() {
    let directory = Directory::new("stack");
    let mut server = Server::start(&directory, &["--json"]);
    let ready = server.ready();
    let run = |arguments: &[&str]| {
        Command::new(BINARY)
            .args(["--table", "scim", "--json"])
            .args(arguments)
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", ready["access_key_id"].as_str().unwrap())
            .env("AWS_SECRET_ACCESS_KEY", "local")
            .env("AWS_ENDPOINT_URL_DYNAMODB", ready["dynamodb"].as_str().unwrap())
            .env("AWS_ENDPOINT_URL_SECRETS_MANAGER", ready["secrets_manager"].as_str().unwrap())
            .output()
            .unwrap()
    };
    let without = run(&["tenant", "create", "acme"]);
    assert!(
        !without.status.success()
            && String::from_utf8_lossy(&without.stderr).contains("--base-url")
    );
    let made =
        run(&["tenant", "create", "acme", "--base-url", "https://scim.example.com/scim/v2/"]);
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(made["base_url"], "https://scim.example.com/scim/v2");
    let tokens = run(&["token", "list", "acme"]);
    let tokens: Value = serde_json::from_slice(&tokens.stdout).unwrap();
    assert_eq!(tokens["tokens"][0]["key_id"], made["key_id"]);
}

#[test]
fn a_seed_creates_users_and_groups_and_continues_after_an_interruption() {
    let directory = Directory::new("seed");
    let seed = ["bench", "seed", "--users", "70", "--groups", "3", "--members", "30"];
    let first = directory.json(&seed);
    assert_eq!(
        (&first["users"], &first["memberships"], &first["tenant"]),
        (&json!(70), &json!(90), &json!("bench"))
    );
    let token = first["token"].as_str().unwrap();
    let mut server = Server::start(&directory, &["--json"]);
    let base_url = server.ready()["base_url"].as_str().unwrap().to_owned();
    let get = |path: &str| http(&base_url, token, "GET", path, "").1;
    let total = |path: &str| get(&format!("{path}?count=0"))["totalResults"].clone();
    let known = get("/Users?filter=userName%20eq%20%22user0000042@example.com%22")["Resources"][0]
        ["id"]
        .clone();
    assert_eq!((total("/Users"), total("/Groups"), known.is_string()), (json!(70), json!(3), true));
    let group = || get("/Groups?filter=displayName%20eq%20%22Group%201%22")["Resources"][0].clone();
    assert_eq!(group()["members"].as_array().unwrap().len(), 30);
    // The same again, while it is served: some users are new, the others stay as they are.
    let again =
        directory.json(&["bench", "seed", "--users", "90", "--groups", "3", "--members", "40"]);
    assert_eq!(again["token"], Value::Null, "a token is shown once");
    assert_eq!((total("/Users"), total("/Groups")), (json!(90), json!(3)));
    assert_eq!(
        get("/Users?filter=userName%20eq%20%22user0000042@example.com%22")["Resources"][0]["id"],
        known
    );
    assert!(group()["members"].as_array().unwrap().len() >= 40);
    let explained = directory.json(&["explain", "title pr", "--tenant", "bench"]);
    assert_eq!(
        (&explained["resources"], &explained["scan"], &explained["requests"]),
        (&json!(90), &json!(true), &json!(1))
    );
}

#[test]
fn a_filter_is_explained_to_people_and_to_scripts() {
    let directory = Directory::new("explain");
    let output = directory.run(&["explain", "userName eq \"a\" and active eq true"]);
    let text = String::from_utf8(output.stdout).unwrap();
    for said in ["look up userName \"a\"", "1 DynamoDB call, 1 read unit"] {
        assert!(text.contains(said), "{text}");
    }
    let scan = directory.run(&[
        "explain",
        "members[display sw \"A\"]",
        "--resource-type",
        "Group",
        "--resources",
        "900",
    ]);
    let text = String::from_utf8(scan.stdout).unwrap();
    for said in ["every Group, each with its members", "2 requests", "tooMany", "displayName eq"] {
        assert!(text.contains(said), "{text}");
    }
    let object = directory.json(&["explain", "externalId eq \"1\"", "--profile", "strict"]);
    assert_eq!((&object["indexes"], &object["calls"]), (&json!(["externalId"]), &json!(2)));
    assert!(!directory.0.exists(), "no directory is created for it");
}

#[test]
fn mistakes_are_reported_on_standard_error() {
    let directory = Directory::new("mistakes");
    directory.json(&["tenant", "create", "acme"]);
    for (arguments, said) in [
        (&["tenant", "create", "acme"][..], "there is already a tenant acme"),
        (&["tenant", "create", "a b"], "letters, digits"),
        (&["tenant", "create", ""], "letters, digits"),
        (&["tenant", "create", "b", "--profile", "nobody"], "default, strict"),
        (&["tenant", "create", "b", "--base-url", "ftp://x"], "https://"),
        (&["tenant", "create", "b", "--base-url", "https://scim.example.com"], "/scim/v2"),
        (&["tenant", "create", "b", "--base-url", "https://h/scim/v2?x=1"], "https://"),
        (&["tenant", "create", "b", "--base-url", "https://h/scim/v2#x"], "https://"),
        (&["tenant", "create", "b", "--base-url", "https://u@h/scim/v2"], "https://"),
        (
            &["tenant", "create", "b", "--base-url", "http://127.0.0.1.example.com/scim/v2"],
            "https://",
        ),
        (&["token", "issue", "nobody"], "there is no tenant nobody"),
        (&["token", "revoke", "acme", "zzzz"], "has no token zzzz"),
        (&["token", "issue", "acme", "--days", "0"], "--days"),
        (&["explain", "userName"], "filter"),
        (&["explain", "a eq 1", "--tenant", "nobody"], "there is no tenant nobody"),
        (&["explain", "userName pr", "--resource-type", "Robot"], "no such resource type"),
        (
            &["bench", "seed", "--users", "5", "--groups", "1", "--members", "6"],
            "more members than there are users",
        ),
    ] {
        let output = directory.run(&[&["--json"], arguments].concat());
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && error.contains(said), "{arguments:?}: {error}");
        assert!(output.stdout.is_empty());
    }
    let mut server = Server::start(&directory, &["--json"]);
    server.ready();
    let second = directory.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(String::from_utf8_lossy(&second.stderr).contains("already being served"));
}

#[test]
fn quotes_and_spaces_in_a_request_line_are_accepted() {
    let directory = Directory::new("raw");
    let mut server = Server::start(&directory, &["--json"]);
    let ready = server.ready();
    let (base_url, token) = (ready["base_url"].as_str().unwrap(), ready["token"].as_str().unwrap());
    assert_eq!(http(base_url, token, "POST", "/Users", r#"{"userName":"a@example.com"}"#).0, 201);
    for filter in [
        "userName eq \"a@example.com\"",
        "userName+eq+\"a@example.com\"",
        "userName%20eq%20\"A@EXAMPLE.COM\"",
    ] {
        let (status, found) = http(base_url, token, "GET", &format!("/Users?filter={filter}"), "");
        assert_eq!((status, &found["totalResults"]), (200, &json!(1)), "{filter}");
    }
}

#[test]
fn resource_types_are_served_from_a_file() {
    let directory = Directory::new("schemas");
    std::fs::create_dir_all(&directory.0).unwrap();
    let file = directory.0.join("schemas.json");
    let serve = |text: &str| {
        std::fs::write(&file, text).unwrap();
        Command::new(BINARY)
            .arg("--data")
            .arg(&directory.0)
            .args(["--json", "serve", "--ephemeral", "--listen", "127.0.0.1:0", "--schemas"])
            .arg(&file)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    for (text, why) in [("{", "EOF"), ("{}", "resourceTypes")] {
        let output = serve(text).wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains("schemas.json") && said.contains(why),
            "{said}"
        );
    }
    let mut child = serve(include_str!("../../../tests/vectors/test-resource.json"));
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut server = Server { child, lines };
    let ready = server.ready();
    let (base_url, token) = (ready["base_url"].as_str().unwrap(), ready["token"].as_str().unwrap());
    let types = http(base_url, token, "GET", "/ResourceTypes", "").1;
    assert_eq!(types["Resources"][2]["endpoint"], "/TestResources");
    assert_eq!(http(base_url, token, "GET", "/TestResources", "").1["totalResults"], 0);
}
