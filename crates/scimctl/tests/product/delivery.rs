//! Events are posted in order, each until it is taken.

use std::net::TcpListener;
use std::sync::mpsc::channel;

use serde_json::{Value, json};

use crate::receiver::{Endpoint, Received, Server};
use crate::support::Directory;

fn types(received: &[Received]) -> Vec<String> {
    received.iter().map(|one| one.event()["type"].as_str().unwrap().to_owned()).collect()
}

fn ids(received: &[Received]) -> Vec<&str> {
    received.iter().map(|one| one.header("webhook-id")).collect()
}

#[test]
fn events_arrive_in_order_and_signed() {
    let (directory, endpoint) = (Directory::new("order"), Endpoint::new(|_| 204));
    let server = Server::start(&directory, &["--webhook", &endpoint.url]);
    let id = server.create("bjensen@example.com");
    let path = format!("/Users/{id}");
    let off = json!({ "Operations": [{ "op": "replace", "path": "active", "value": false }] });
    assert_eq!(server.send("PATCH", &path, &off).0, 200);
    assert_eq!(server.send("DELETE", &path, &Value::Null).0, 204);
    let received = endpoint.until("user.deleted");
    let types = types(&received);
    assert_eq!(types[0], "connection.created", "{types:?}");
    let of_user: Vec<_> = types.iter().filter(|name| name.starts_with("user.")).collect();
    assert_eq!(of_user, ["user.provisioned", "user.suspended", "user.deleted"]);
    let secret = server.ready["webhook_secret"].as_str().unwrap();
    let mut last = String::new();
    for one in &received {
        assert!(one.is_signed_with(secret), "{one:?}");
        assert_eq!(one.header("content-type"), "application/json");
        let event = one.event();
        assert_eq!(event["id"], one.header("webhook-id"));
        assert_eq!(event["connection"]["region"], "eu-west-1");
        let seq = event["seq"].as_str().unwrap().to_owned();
        assert!(seq > last, "{seq} follows {last}");
        last = seq;
    }
    assert_eq!(received.last().unwrap().event()["subject"]["id"], id.as_str());
    assert!(server.interrupt().is_empty());
}

#[test]
fn an_event_is_sent_again_until_it_is_taken_before_any_later_one() {
    let directory = Directory::new("again");
    // A redirect is not followed.
    let endpoint = Endpoint::new(|n| [500, 500, 307, 401, 200].get(n).copied().unwrap_or(200));
    let server = Server::start(&directory, &["--webhook", &endpoint.url]);
    server.create("a@example.com");
    let received = endpoint.until("user.provisioned");
    let ids = ids(&received);
    assert!(ids[..5].iter().all(|id| *id == ids[0]) && ids[4] != ids[5]);
    let failed = server.says("does not take events: it answered 500");
    assert!(failed.contains(&endpoint.url), "{failed}");
    server.says("it answered 307, and redirects are not followed");
    server.says("it answered 401; does it have the secret that serve prints?");
    server.says("takes events again");
    assert!(server.interrupt().is_empty(), "one line for each reason");
}

#[test]
fn events_wait_for_an_endpoint_that_is_dead() {
    let directory = Directory::new("dead");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let server = Server::start(&directory, &["--webhook", &format!("http://{address}/events")]);
    server.says("does not take events: Connection refused");
    let created: Vec<_> = (0..5).map(|n| server.create(&format!("u{n}@example.com"))).collect();
    let listener = TcpListener::bind(address).unwrap();
    let endpoint = Endpoint::at(&listener, |_| 200);
    let mut seen = Vec::new();
    while seen.len() < created.len() {
        let event = endpoint.next().event();
        if event["type"] == "user.provisioned" {
            seen.push(event["subject"]["id"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(seen, created);
    server.says("takes events again");
}

#[test]
fn events_that_were_not_taken_survive_a_restart_with_their_ids() {
    let (directory, refusing) = (Directory::new("restart"), Endpoint::new(|_| 503));
    let server = Server::start(&directory, &["--webhook", &refusing.url]);
    let id = server.create("a@example.com");
    let first = refusing.next();
    server.says("it answered 503");
    server.interrupt();
    // A subcommand without a server: its event comes later.
    directory.json(&["tenant", "create", "other"]);
    let endpoint = Endpoint::new(|_| 200);
    let server = Server::start(&directory, &["--webhook", &endpoint.url]);
    let mut received = endpoint.until("user.provisioned");
    assert_eq!(ids(&received)[0], first.header("webhook-id"));
    assert_eq!(received.last().unwrap().event()["subject"]["id"], id.as_str());
    received.extend(endpoint.until("connection.created"));
    assert_eq!(received.last().unwrap().event()["tenant"]["name"], "other");
    server.interrupt();
    // What was taken is not sent again.
    let server = Server::start(&directory, &["--webhook", &endpoint.url]);
    assert_eq!(directory.json(&["tenant", "disable", "other"])["tenant"], "other");
    assert_eq!(types(&endpoint.until("connection.disabled")), ["connection.disabled"]);
    assert!(endpoint.is_quiet());
    server.interrupt();
}

#[test]
fn a_server_without_a_webhook_forgets_what_waits_and_says_so() {
    let (directory, refusing) = (Directory::new("forget"), Endpoint::new(|_| 400));
    let server = Server::start(&directory, &["--webhook", &refusing.url]);
    server.says("it answered 400");
    server.interrupt();
    let server = Server::start(&directory, &[]);
    assert_eq!(server.ready["webhook"], Value::Null);
    server.says("that were kept for a webhook or events tail are forgotten");
    server.interrupt();
    directory.json(&["tenant", "create", "unheard"]);
    let endpoint = Endpoint::new(|_| 200);
    let server = Server::start(&directory, &["--webhook", &endpoint.url]);
    directory.json(&["tenant", "create", "heard"]);
    assert_eq!(endpoint.next().event()["tenant"]["name"], "heard");
    server.interrupt();
}

#[test]
fn a_slow_endpoint_delays_no_scim_request() {
    let directory = Directory::new("slow");
    let (answered, may_answer) = channel::<()>();
    let endpoint = Endpoint::new(move |n| {
        if n == 0 {
            // Until the test has its answers.
            let _ = may_answer.recv();
        }
        200
    });
    let server = Server::start(&directory, &["--webhook", &endpoint.url]);
    let first = endpoint.next();
    assert_eq!(first.event()["type"], "connection.created");
    for n in 0..20 {
        server.create(&format!("u{n}@example.com"));
    }
    assert!(endpoint.is_quiet());
    answered.send(()).unwrap();
    endpoint.until("user.provisioned");
}

#[test]
fn a_url_that_cannot_be_posted_to_is_refused_with_what_to_type() {
    let directory = Directory::new("bad-url");
    for url in ["localhost:3000", "ftp://localhost/", "/events", "http://"] {
        let said = directory.refused(&["serve", "--webhook", url]);
        assert!(said.contains("such as --webhook http://localhost:3000/events"), "{said}");
    }
    let said = directory.refused(&["serve", "--webhook", "https://u:p@host/"]);
    assert!(said.contains("Type host without what is before it"), "{said}");
    assert!(!directory.0.exists());
}
