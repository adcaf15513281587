//! After any storm, the undo of a span leads to what the oracle says: also if it is interrupted at
//! any call, and if two are at work at once.
//!
//! `UNDO_STORMS` is how many are played (300), `UNDO_SEED` what chooses them. Three follow each other
//! in one directory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use scim_lambda::operator::OperatorError;
use scim_lambda::operator::undo::{UndoReport, UndoRequest};

use super::oracle::{Span, undone};
use super::storm::{LABEL, Storm};
use crate::model::dice::Dice;
use crate::support::World;
use crate::support::connectors::{Between, Fault};

/// How many directories share an engine, which gets slower with the number of its rows.
const IN_A_WORLD: u64 = 5;
/// How many storms there are in a directory.
const IN_A_DIRECTORY: u64 = 3;

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

impl Storm {
    async fn play(&mut self, most: usize) -> i64 {
        for _ in 0..self.dice.below(most) + 1 {
            self.step().await;
        }
        let clock = &self.customer.world.clock;
        clock.advance(1);
        clock.milliseconds()
    }

    /// Plans and does an undo once.
    async fn undo(&self, request: &UndoRequest) -> Result<UndoReport, OperatorError> {
        let operator = self.customer.world.operator();
        let plan = operator.plan_undo(&self.customer.row, request).await?;
        let done = operator.undo(&self.customer.row, &plan, || {}).await;
        done.map_err(|stopped| stopped.why)
    }

    /// The same; from some call on, the table does not answer, and perhaps the last answer is lost.
    async fn undo_interrupted(&mut self, request: &UndoRequest) {
        let (passing, lost) = (self.dice.below(30), self.dice.chance(50));
        let calls = AtomicUsize::new(0);
        self.customer.world.between.set(move |_, _| {
            let number = calls.fetch_add(1, Ordering::SeqCst);
            match number.cmp(&passing) {
                std::cmp::Ordering::Less => None,
                std::cmp::Ordering::Equal if lost => Some(Fault::BreakAfter),
                _ => Some(Fault::Refuse(500, "InternalServerError")),
            }
        });
        // It may be done before anything breaks.
        let _ = Box::pin(self.undo(request)).await;
        self.customer.world.between.clear();
    }

    /// Between the plan and the undo, earlier deletions are finished.
    async fn undo_late(&self, request: &UndoRequest) {
        let (operator, row) = (self.customer.world.operator(), &self.customer.row);
        let plan = operator.plan_undo(row, request).await.unwrap();
        self.write().await;
        operator.undo(row, &plan, || {}).await.unwrap();
    }

    async fn undo_twice_at_once(&self, request: &UndoRequest) {
        let (operator, row) = (self.customer.world.operator(), &self.customer.row);
        let first = operator.plan_undo(row, request).await.unwrap();
        let second = operator.plan_undo(row, request).await.unwrap();
        let (first, second) = tokio::join!(
            Box::pin(operator.undo(row, &first, || {})),
            Box::pin(operator.undo(row, &second, || {}))
        );
        drop((first.unwrap(), second.unwrap()));
    }
}

/// A storm before the span, in it, and after it; then the undo. Whether anything was undone.
async fn play(storm: &mut Storm, seed: u64) -> bool {
    Box::pin(storm.fill()).await;
    let flawed = if storm.dice.chance(15) { storm.come_back_in_part().await } else { None };
    let since = Box::pin(storm.play(3)).await;
    if let Some(user) = &flawed {
        storm.delete_this_user(0, user).await;
    }
    let until = Box::pin(storm.play(7)).await;
    Box::pin(storm.play(3)).await;
    let (by, actor) = match storm.dice.below(6) {
        0 => (Some(LABEL.to_owned()), Some(storm.actor(1))),
        1 => (Some(storm.actor(0)), Some(storm.actor(0))),
        2 => (Some("operator".to_owned()), Some("operator".to_owned())),
        _ => (None, None),
    };
    let request = UndoRequest { since, until: Some(until), by };
    let span = Span { since, until, actor };
    let expected = undone(&storm.steps, &span, &storm.names, &storm.state);
    // Nobody is still at a deletion.
    storm.customer.world.clock.advance(61);
    match storm.dice.below(5) {
        0 => Box::pin(storm.undo_twice_at_once(&request)).await,
        1 => {
            for _ in 0..2 {
                Box::pin(storm.undo_interrupted(&request)).await;
            }
        }
        2 => {
            Box::pin(storm.undo_late(&request)).await;
            assert_eq!(storm.seen(&expected).await, expected, "late: UNDO_SEED={seed}");
        }
        _ => {}
    }
    Box::pin(storm.undo(&request)).await.unwrap();
    let again = format!("UNDO_SEED={seed} UNDO_STORMS={IN_A_DIRECTORY} plays it again");
    assert_eq!(storm.seen(&expected).await, expected, "{again}");
    let operator = storm.customer.world.operator();
    let plan = operator.plan_undo(&storm.customer.row, &request).await.unwrap();
    assert_eq!((plan.users_to_change(), plan.groups_to_change()), (0, 0), "{again}");
    storm.customer.world.clock.advance(1);
    std::mem::replace(&mut storm.state, expected.clone()) != expected
}

/// The storms of one directory; how many of them needed an undo.
async fn play_directory(world: &Arc<World>, seed: u64) -> usize {
    let mut storm = Box::pin(Storm::new(world, seed)).await;
    let mut changed = 0;
    for _ in 0..IN_A_DIRECTORY {
        changed += usize::from(Box::pin(play(&mut storm, seed)).await);
    }
    changed
}

/// Tells the other thread that one has failed.
struct Failure<'a>(&'a AtomicBool);

impl Drop for Failure<'_> {
    fn drop(&mut self) {
        self.0.fetch_or(std::thread::panicking(), Ordering::SeqCst);
    }
}

#[test]
fn an_undo_after_any_storm_leads_to_what_the_oracle_says() {
    let (seed, storms) = (variable("UNDO_SEED", 15), variable("UNDO_STORMS", 300));
    let directories = storms.div_ceil(IN_A_DIRECTORY);
    let (next, changed, failed) = (AtomicU64::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let work = || {
        let _failure = Failure(&failed);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        loop {
            let first = next.fetch_add(IN_A_WORLD, Ordering::SeqCst);
            if first >= directories || failed.load(Ordering::SeqCst) {
                return;
            }
            let world = Arc::new(runtime.block_on(World::hasty(Between::default())));
            for number in first..(first + IN_A_WORLD).min(directories) {
                let seed = if number == 0 { seed } else { Dice::new(seed ^ (number << 32)).roll() };
                let done = runtime.block_on(Box::pin(play_directory(&world, seed)));
                changed.fetch_add(done, Ordering::SeqCst);
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    let changed = changed.into_inner() as u64;
    let is_enough = storms < 10 || changed * 5 > storms * 2;
    assert!(is_enough, "many storms need an undo: {changed} of {storms}");
}
