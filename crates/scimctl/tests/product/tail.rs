//! `scimctl events tail` prints what a running server's product hears.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::receiver::{Endpoint, Server};
use crate::support::{BINARY, Directory, interrupt};

/// A running `events tail`.
struct Tail {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Tail {
    fn start(directory: &Directory, arguments: &[&str]) -> Self {
        let mut child = Command::new(BINARY)
            .arg("--data")
            .arg(&directory.0)
            .args(["events", "tail"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn next(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }

    /// Ends it with Ctrl-C.
    fn interrupt(mut self) -> bool {
        interrupt(&mut self.child)
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Creates users until a tail, which may still be starting, has shown one. Returns its line.
fn first_line(server: &Server, tail: &mut Tail) -> String {
    std::thread::scope(|scope| {
        let line = scope.spawn(|| tail.next());
        for n in 0.. {
            server.create(&format!("u{n}@example.com"));
            std::thread::sleep(std::time::Duration::from_millis(50));
            if line.is_finished() {
                break;
            }
        }
        line.join().unwrap()
    })
}

#[test]
fn events_are_shown_as_they_happen_without_a_webhook() {
    for arguments in [&[] as &[&str], &["--ephemeral"]] {
        let directory = Directory::new(&format!("tail-{}", arguments.len()));
        let server = Server::start(&directory, arguments);
        let mut tail = Tail::start(&directory, &[]);
        let mut line = first_line(&server, &mut tail);
        if line.contains("connection.activated") {
            // The first request activated the connection, and its user may have come before.
            server.create("u@example.com");
            line = tail.next();
        }
        assert!(line.contains("  user.provisioned        demo  u"), "{line}");
        assert!(line.contains("@example.com  (post)  by token "), "{line}");
        let mut json = Tail::start(&directory, &["--json", "--last", "1"]);
        let event: Value = serde_json::from_str(&json.next()).unwrap();
        assert_eq!(event["spec"], 1);
        server.create("both@example.com");
        let is_both = |event: &Value| event["subject"]["userName"] == "both@example.com";
        while !is_both(&serde_json::from_str(&json.next()).unwrap()) {}
        while !tail.next().contains("both@example.com") {}
        assert!(tail.interrupt() && json.interrupt());
        assert!(server.interrupt().is_empty());
    }
}

#[test]
fn a_tail_shows_what_the_webhook_gets() {
    let (directory, endpoint) = (Directory::new("tail-webhook"), Endpoint::new(|_| 200));
    let server = Server::start(&directory, &["--webhook", &endpoint.url]);
    server.create("a@example.com");
    let mut received = endpoint.until("user.provisioned");
    // The tenant remembers its first request before or after the request's own change.
    if received.iter().all(|one| one.event()["type"] != "connection.activated") {
        received.extend(endpoint.until("connection.activated"));
    }
    let mut tail = Tail::start(&directory, &["--json", "--last", "2"]);
    let of_webhook = received.iter().rev().take(2).rev();
    for event in of_webhook.map(|one| one.event()) {
        assert_eq!(serde_json::from_str::<Value>(&tail.next()).unwrap(), event);
    }
    server.create("b@example.com");
    let event: Value = serde_json::from_str(&tail.next()).unwrap();
    assert_eq!(event, endpoint.next().event());
    drop(server);
    assert!(!tail.child.wait().unwrap().success(), "the server has stopped");
}

#[test]
fn a_tail_without_a_server_says_how_to_start_one() {
    let directory = Directory::new("tail-alone");
    let said = directory.refused(&["events", "tail"]);
    assert!(said.contains("no server runs on") && said.contains(" serve"), "{said}");
    assert!(!directory.0.exists());
    let output = Command::new(BINARY).args(["--stack", "prod", "events", "tail"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("event bus") && said.contains("docs/INTEGRATION.md"), "{said}");
}

#[test]
fn a_tail_ends_when_nobody_reads_it() {
    let directory = Directory::new("tail-pipe");
    let server = Server::start(&directory, &[]);
    let mut tail = Tail::start(&directory, &[]);
    first_line(&server, &mut tail);
    let Tail { child, lines } = &mut tail;
    // Closes the pipe.
    let closed = std::mem::replace(lines, BufReader::new(empty()).lines());
    drop(closed);
    while child.try_wait().unwrap().is_none() {
        server.create(&format!("{:?}@example.com", std::time::Instant::now()).replace(' ', ""));
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(child.wait().unwrap().success());
}

/// The output of a process that prints nothing.
fn empty() -> ChildStdout {
    let mut child = Command::new("true").stdout(Stdio::piped()).spawn().unwrap();
    let stdout = child.stdout.take().unwrap();
    child.wait().unwrap();
    stdout
}
