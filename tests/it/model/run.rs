//! Many worlds, played one after the other or in parallel, and what is reported about them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use super::Model;
use super::dice::Dice;

/// Maximum number of requests to one world, so that its table stays small.
const A_WORLD: u64 = 2_500;
/// The number of requests after which all rows are checked.
const A_LOOK: u64 = 250;
/// The number of requests after which a long run reports its progress.
const A_LINE: u64 = 50_000;
/// How many requests a failure shows.
const SHOWN: u64 = 20;

/// How many times each request had each answer.
pub type Tally = BTreeMap<String, usize>;

/// What led to a failure; it is printed when the test fails.
pub struct Trace {
    seed: u64,
    pub number: u64,
    notes: VecDeque<(u64, String)>,
}

impl Trace {
    pub fn new(seed: u64) -> Self {
        Self { seed, number: 0, notes: VecDeque::new() }
    }

    pub fn note(&mut self, note: &str) {
        self.notes.push_back((self.number, note.to_owned()));
        while self.notes.front().is_some_and(|(number, _)| number + SHOWN < self.number) {
            self.notes.pop_front();
        }
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let again = format!("MODEL_SEED={} MODEL_OPERATIONS={}", self.seed, self.number + 1);
            eprintln!("operation {} failed; {again} plays it again; before it:", self.number);
            self.notes.iter().for_each(|(number, note)| eprintln!("{number:5} {note}"));
        }
    }
}

/// All worlds of a run, each with a seed of its own; the first has the run's.
pub struct Run {
    seed: u64,
    operations: u64,
    begun: Instant,
    next: AtomicU64,
    done: AtomicU64,
    failed: AtomicBool,
    tally: Mutex<Tally>,
}

/// Tells the other threads that one has failed.
struct Failure<'a>(&'a AtomicBool);

impl Drop for Failure<'_> {
    fn drop(&mut self) {
        self.0.fetch_or(std::thread::panicking(), Ordering::SeqCst);
    }
}

impl Run {
    pub fn new(seed: u64, operations: u64) -> Self {
        Self {
            seed,
            operations,
            begun: Instant::now(),
            next: AtomicU64::new(0),
            done: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            tally: Mutex::default(),
        }
    }

    /// Plays worlds until all are played or one fails.
    pub fn play(&self) {
        let _failure = Failure(&self.failed);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        while !self.failed.load(Ordering::SeqCst) {
            let world = self.next.fetch_add(1, Ordering::SeqCst);
            let Some(left) = self.operations.checked_sub(world * A_WORLD).filter(|left| *left > 0)
            else {
                return;
            };
            let seed = match world {
                0 => self.seed,
                _ => Dice::new(Dice::new(self.seed).roll() ^ world).roll(),
            };
            runtime.block_on(self.play_world(seed, left.min(A_WORLD)));
        }
    }

    async fn play_world(&self, seed: u64, operations: u64) {
        let mut model = Model::new(seed).await;
        for number in 1..=operations {
            Box::pin(model.step()).await;
            if number.is_multiple_of(A_LOOK) || number == operations {
                Box::pin(model.check()).await;
            }
            let done = self.done.fetch_add(1, Ordering::SeqCst) + 1;
            if done.is_multiple_of(A_LINE) {
                let rate = done as f64 / self.begun.elapsed().as_secs_f64();
                println!("{done} operations, {rate:.0} a second, seed {}", self.seed);
            }
        }
        let mut tally = self.tally.lock().unwrap();
        model
            .tally
            .into_iter()
            .for_each(|(what, number)| *tally.entry(what).or_default() += number);
    }

    pub fn sum_up(self) {
        let (done, seconds) = (self.done.into_inner(), self.begun.elapsed().as_secs_f64());
        let tally = self.tally.into_inner().unwrap();
        println!("{done} operations in {seconds:.1} s, seed {}: {tally:?}", self.seed);
    }
}
