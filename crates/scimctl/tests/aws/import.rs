//! An import that DynamoDB throttles, or that is interrupted.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::account::{Account, Refusal};

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
    assert!(said.contains("AWS denies access"), "{said}");
    let journal = account.run(&["import", "demo", &file, "--unmanaged", "--report", "no/such"]);
    assert!(String::from_utf8(journal.stderr).unwrap().contains("no/such cannot be written"));
}
