//! Imports that DynamoDB throttles or stops.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use scim_lambda::operator::import::{Mode, Progress, Record, RecordOutcome};
use scim_lambda::operator::{Operator, Pause};
use serde_json::json;

use crate::support::World;
use crate::support::connectors::{Between, Fault};

/// More records than are judged together.
const PEOPLE: usize = 205;

fn people() -> Vec<Record> {
    let person = |line: usize| json!({ "userName": format!("u{line:04}") });
    let record = |line| Record::new(line, person(line).as_object().unwrap().clone());
    (1..=PEOPLE).map(record).collect()
}

/// An operator in whose third pause the faults end, and how many pauses there were.
fn patient(world: &World) -> (Operator, Arc<AtomicUsize>) {
    let (between, pauses) = (world.between.clone(), Arc::<AtomicUsize>::default());
    let counted = pauses.clone();
    let wait = move |pause: Duration| {
        assert!(pause >= Duration::from_millis(250) && pause <= Duration::from_secs(20));
        if counted.fetch_add(1, Ordering::SeqCst) == 2 {
            between.clear();
        }
    };
    (world.operator().pausing(Pause::driven(wait)), pauses)
}

/// Imports all people while calls of `operation` get this fault.
async fn import_past(operation: &'static str, fault: Fault) {
    let world = World::hasty(Between::default()).await;
    let (operator, pauses) = patient(&world);
    let import = operator.import(&world.tenant).unwrap();
    let mut report = import.report(&people(), Mode::Store).unwrap();
    let told = fault.clone();
    world.between.set(move |called, _| (called == operation).then(|| told.clone()));
    let (waits, done) = (Cell::new(0), Cell::new(0));
    let progress = |step: Progress<'_>| match step {
        Progress::Done(lines) => done.set(done.get() + lines.len()),
        Progress::Throttled(_) => waits.set(waits.get() + 1),
    };
    import.run(people(), &mut report, progress).await.unwrap();
    let pauses = pauses.load(Ordering::SeqCst);
    assert!(pauses >= 3 && waits.get() == pauses, "{operation} {fault:?}: {pauses}");
    assert_eq!((report.counts().imported, done.get()), (PEOPLE, PEOPLE), "{operation} {fault:?}");
}

#[tokio::test]
async fn an_import_outlasts_every_kind_of_throttle() {
    for throttle in
        ["ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"]
    {
        import_past("TransactWriteItems", Fault::Refuse(400, throttle)).await;
        import_past("Query", Fault::Refuse(400, throttle)).await;
    }
}

#[tokio::test]
async fn an_import_outlasts_transactions_that_are_cancelled_by_throttles() {
    let world = World::new().await;
    let between = world.between.clone();
    let operator = world.operator().pausing(Pause::driven(move |_| between.clear()));
    let import = operator.import(&world.tenant).unwrap();
    let mut report = import.report(&people(), Mode::Store).unwrap();
    world.between.set(|called, _| (called == "TransactWriteItems").then_some(Fault::Throttle));
    import.run(people(), &mut report, |_| {}).await.unwrap();
    assert_eq!(report.counts().imported, PEOPLE);
}

#[tokio::test]
async fn an_import_that_fails_keeps_its_report_and_continues() {
    let world = World::new().await;
    let import = world.operator().import(&world.tenant).unwrap();
    let mut report = import.report(&people(), Mode::Store).unwrap();
    let heard = RefCell::new(Vec::new());
    world.between.set(|_, body| {
        let is_late = body.to_string().contains("u0203");
        is_late.then_some(Fault::Refuse(400, "AccessDeniedException"))
    });
    let progress = |step: Progress<'_>| {
        if let Progress::Done(lines) = step {
            heard.borrow_mut().extend(lines.iter().map(|line| line.number));
        }
    };
    let ended = import.run(people(), &mut report, progress).await;
    assert!(ended.is_err());
    assert_eq!(report.lines.len(), 200, "the records whose outcome is final");
    assert_eq!(*heard.borrow(), (1..=200).collect::<Vec<_>>());
    world.between.clear();
    let mut report = import.report(&people(), Mode::Store).unwrap();
    import.run(people(), &mut report, |_| {}).await.unwrap();
    let counts = report.counts();
    assert_eq!(counts.known + counts.imported, PEOPLE, "{counts:?}");
    assert!(report.lines[..200].iter().all(|line| matches!(line.outcome, RecordOutcome::Known(_))));
}

#[tokio::test]
async fn an_import_that_fails_within_a_portion_reports_what_is_in_the_table() {
    let world = World::new().await;
    let import = world.operator().import(&world.tenant).unwrap();
    let mut report = import.report(&people(), Mode::Store).unwrap();
    let transactions = AtomicUsize::new(0);
    world.between.set(move |called, _| {
        let is_write = called == "TransactWriteItems";
        let is_third = is_write && transactions.fetch_add(1, Ordering::SeqCst) == 2;
        is_third.then_some(Fault::Refuse(400, "AccessDeniedException"))
    });
    let heard = Cell::new(0);
    let progress = |step: Progress<'_>| {
        if let Progress::Done(lines) = step {
            heard.set(heard.get() + lines.len());
        }
    };
    assert!(import.run(people(), &mut report, progress).await.is_err());
    world.between.clear();
    let rows = world.rows().await;
    let users = rows.iter().filter(|row| row.kind() == "U" && row.text("d").is_some());
    let stored = users.count();
    assert!(stored > 0 && stored < 200, "{stored}");
    assert_eq!((report.counts().imported, report.lines.len()), (stored, stored));
    assert_eq!(heard.get(), stored);
}
