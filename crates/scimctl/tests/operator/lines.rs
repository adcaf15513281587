//! The lines that `serve` prints for requests.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{BINARY, Directory, Server, http, interrupt};

/// What is printed for one refused request after the first lines.
fn printed(name: &str, arguments: &[&str]) -> Vec<String> {
    let directory = Directory::new(name);
    let token = directory.json(&["tenant", "create", "acme"])["token"].as_str().unwrap().to_owned();
    let mut server = Server::start_with(&directory, &[], arguments);
    let first = |line: &String| line.starts_with("Ctrl-C");
    let mut lines = server.lines.by_ref().map(Result::unwrap);
    let mut base_url = None;
    for line in lines.by_ref() {
        let url = line.split_whitespace().find(|word| word.starts_with("http://"));
        base_url = base_url.or(url.map(str::to_owned));
        if first(&line) {
            break;
        }
    }
    let body = json!({ "userName": 7 }).to_string();
    assert_eq!(http(&base_url.unwrap(), &token, "POST", "/Users", &body).0, 400);
    assert!(interrupt(&mut server.child));
    server.lines.by_ref().map(Result::unwrap).filter(|line| !line.is_empty()).collect()
}

#[test]
fn a_refused_request_has_its_reason_and_its_sentence() {
    let lines = printed("lines", &[]);
    assert_eq!(lines.len(), 2, "{lines:?}");
    let (time, rest) = lines[0].split_at(8);
    assert!(time.split(':').all(|part| part.len() == 2), "{time}");
    let path = "/scim/v2/Users";
    assert!(rest.starts_with(&format!("  acme          400  POST   {path}  ")), "{rest}");
    assert!(rest.contains("  calls: ") && lines[0].len() <= 100, "{rest}");
    assert_eq!(lines[1].trim(), "wrong-type: userName must be a string.");
    assert_eq!(printed("lines-quiet", &["--quiet"]), Vec::<String>::new());
}

#[test]
fn with_json_each_line_is_an_object_on_standard_error() {
    let directory = Directory::new("lines-json");
    let token = directory.json(&["tenant", "create", "acme"])["token"].as_str().unwrap().to_owned();
    let mut child = Command::new(BINARY)
        .arg("--data")
        .arg(&directory.0)
        .args(["--json", "serve", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    let ready: Value = serde_json::from_str(&ready).unwrap();
    let base_url = ready["base_url"].as_str().unwrap();
    let body = json!({ "userName": 7 }).to_string();
    assert_eq!(http(base_url, &token, "POST", "/Users", &body).0, 400);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    let said = ["tenant", "method", "path", "status", "reason"].map(|name| line[name].clone());
    let expected =
        [json!("acme"), json!("POST"), json!("/scim/v2/Users"), json!(400), json!("wrong-type")];
    assert_eq!(said, expected, "{line}");
    assert_eq!(line["detail"], "userName must be a string.");
    assert!(interrupt(&mut child));
}
