//! An import that DynamoDB throttles, or that is interrupted.

use std::io::Write as _;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::account::{Account, Refusal};
use crate::support::{BINARY, Directory, Server};

fn people(account: &Account, number: usize) -> String {
    let rows: String = (0..number).map(|index| format!("u{index:04}@example.com\n")).collect();
    account.directory.file("people.csv", &format!("userName\n{rows}"))
}

fn throttle() -> Refusal {
    ("ProvisionedThroughputExceededException", "The level of throughput was exceeded".to_owned())
}

#[test]
fn an_import_waits_while_dynamodb_throttles() {
    let account = Account::new("throttled");
    let file = people(&account, 3);
    // The SDK itself tries four times.
    let left = AtomicUsize::new(5);
    account.refuse(move |call| {
        let is_hit = call.operation == "TransactWriteItems"
            && left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                .is_ok();
        is_hit.then(throttle)
    });
    let (report, said) = account.json(&["import", "demo", &file, "--unmanaged"]);
    assert_eq!((&report["imported"], &report["throttled"]), (&3.into(), &1.into()));
    assert!(said.contains("DynamoDB throttles. The import waits"), "{said}");
    assert_eq!(report["unfinished"], 0);
}

#[test]
fn an_interrupted_import_reports_what_it_did_and_continues() {
    let account = Account::new("interrupted");
    let file = people(&account, 250);
    let journal = account.directory.0.join("report.ndjson");
    let written = || std::fs::read_to_string(&journal).unwrap_or_default();
    // The second portion is throttled until the test ends it.
    account.refuse(|call| {
        let is_late = call.body.to_string().contains("u0200@example.com");
        (call.operation == "TransactWriteItems" && is_late).then(throttle)
    });
    let import = ["--json", "import", "demo", &file, "--unmanaged", "--report", "report.ndjson"];
    let run = |arguments: &[&str]| account.command(&[&["--stack", "scim"], arguments].concat());
    let child = run(&import).spawn().unwrap();
    while written().lines().count() < 200 {
        std::thread::sleep(Duration::from_millis(20));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("interrupted after 200 of 250 records; run it again"), "{said}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["records"].as_array().unwrap().len(), 200);
    assert_eq!((&report["imported"], &report["unfinished"]), (&200.into(), &50.into()));

    account.allow();
    let output = run(&import).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["known"].as_u64().unwrap() + report["imported"].as_u64().unwrap(), 250);
    assert!(report["known"].as_u64().unwrap() >= 200 && output.status.success(), "{report}");
    let lines: Vec<Value> =
        written().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 201 + 251, "each run adds its records and a summary");
    assert_eq!((&lines[200]["unfinished"], &lines[451]["unfinished"]), (&50.into(), &0.into()));
}

/// An import of 250 users that does not get past the first 200, and its process.
struct Waiting {
    account: Account,
    child: Child,
}

impl Waiting {
    fn new(name: &str, start: &str) -> Self {
        let account = Account::new(name);
        people(&account, 250);
        account.refuse(|call| {
            let is_late = call.body.to_string().contains("u0200@example.com");
            (call.operation == "TransactWriteItems" && is_late).then(throttle)
        });
        let import = "--stack scim --json import demo people.csv --unmanaged --report report";
        let tool = account.command(&[]);
        let variables = tool.get_envs().filter_map(|(name, value)| Some((name, value?)));
        let child = Command::new("sh")
            .args(["-c", &format!("{start} exec {BINARY} {import}")])
            .env_clear()
            .envs(variables)
            .current_dir(&account.directory.0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let written = || std::fs::read_to_string(account.directory.0.join("report"));
        while written().unwrap_or_default().lines().count() < 200 {
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { account, child }
    }

    fn signal(&self, name: &str) {
        send(name, self.child.id());
    }

    fn end(self) -> (Option<i32>, String) {
        let output = self.child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }
}

fn send(signal: &str, process: u32) {
    let process = process.to_string();
    assert!(Command::new("kill").args(["-s", signal, &process]).status().unwrap().success());
}

#[test]
fn each_signal_that_ends_a_command_lets_an_import_report() {
    for signal in ["INT", "TERM", "HUP"] {
        let import = Waiting::new(&format!("signal-{signal}"), "");
        import.signal(signal);
        let (code, said) = import.end();
        assert_eq!(code, Some(1), "{signal}: {said}");
        assert!(said.contains("interrupted after 200 of 250 records"), "{signal}: {said}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn an_import_that_was_started_to_outlive_its_terminal_does_so() {
    let import = Waiting::new("nohup", "trap '' HUP;");
    import.signal("HUP");
    import.account.allow();
    assert_eq!(import.end().0, Some(0));
}

#[test]
fn a_second_signal_ends_a_command_at_once() {
    let directory = Directory::new("aws-second-signal");
    let mut server = Server::start(&directory, &["--json"]);
    let ready = server.ready();
    let host = ready["base_url"].as_str().unwrap().trim_start_matches("http://");
    // The server waits for the end of a request that it has begun to read.
    let mut open = TcpStream::connect(host.split('/').next().unwrap()).unwrap();
    open.write_all(b"POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        .unwrap();
    let told = directory.0.join("serve.json");
    assert!(told.exists());
    send("INT", server.child.id());
    while told.exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    send("INT", server.child.id());
    assert_eq!(server.child.wait().unwrap().code(), Some(130));
}

#[test]
fn an_import_that_fails_reports_what_it_did() {
    let account = Account::new("failed");
    let file = people(&account, 250);
    account.refuse(|call| {
        let is_late = call.body.to_string().contains("u0200@example.com");
        let denied = ("AccessDeniedException", "no".to_owned());
        (call.operation == "TransactWriteItems" && is_late).then_some(denied)
    });
    let output = account.run(&["--json", "import", "demo", &file, "--unmanaged"]);
    let said = String::from_utf8(output.stderr).unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["imported"], &report["unfinished"]), (&200.into(), &50.into()));
    assert!(said.contains("stopped after 200 of 250 records; run it again"), "{said}");
    assert!(said.contains("AWS denies dynamodb:TransactWriteItems: the stack's OperatorPolicy"));
    let journal = account.run(&["import", "demo", &file, "--unmanaged", "--report", "no/such"]);
    assert!(String::from_utf8(journal.stderr).unwrap().contains("no/such cannot be written"));
}
