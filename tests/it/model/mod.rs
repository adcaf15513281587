//! A random life of two tenants, played through HTTP and in an oracle; every answer, and now and
//! then every row, must be as the oracle says. Their profiles change on the way.
//!
//! `MODEL_OPERATIONS` is how many requests are played (1,000), `MODEL_SEED` what chooses them,
//! `MODEL_THREADS` how many worlds are played side by side (1). A failure says how to play it
//! again. A long run is three times as fast in a release build, whose size does not matter here:
//!
//!     export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=2
//!     export CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
//!     MODEL_THREADS=2 MODEL_OPERATIONS=1_000_000 cargo test --release --test it model:: -- --nocapture

mod coming;
pub mod dice;
mod groups;
mod imports;
mod invariants;
mod oracle;
mod profiles;
mod reads;
mod returns;
mod run;
mod shapes;
mod users;

use std::collections::VecDeque;
use std::str::FromStr;
use std::sync::{Arc, Mutex};

use scim_lambda::auth::token::PlainToken;
use scim_lambda::store::TenantRow;
use serde_json::Value;

use crate::support::connectors::{Between, Fault};
use crate::support::handles::Row;
use crate::support::{Answer, DAY, World};
use dice::Dice;
use oracle::{NEVER, Oracle};
use run::{Run, Tally, Trace};

/// A tenant, and what its directory must be.
struct Party {
    code: String,
    row: TenantRow,
    token: PlainToken,
    oracle: Oracle,
    /// Whether there was ever a limit of seats.
    was_limited: bool,
    /// Whether a user has become due since the tenant's last request.
    due: bool,
}

/// A world in play.
struct Model {
    world: World,
    dice: Dice,
    parties: [Party; 2],
    /// What happens to the next calls of DynamoDB.
    faults: Arc<Mutex<VecDeque<Option<Fault>>>>,
    trace: Trace,
    tally: Tally,
}

impl Model {
    async fn new(seed: u64) -> Self {
        let world = World::hasty(Between::default()).await;
        let party = async |name: &str| {
            let (row, token) = world.lasting_tenant(name).await;
            let code = row.code().to_string();
            Party { code, row, token, oracle: Oracle::default(), was_limited: false, due: false }
        };
        let parties = [party("one").await, party("two").await];
        let faults: Arc<Mutex<VecDeque<_>>> = Arc::default();
        let waiting = faults.clone();
        world.between.set(move |called, _| {
            let mut waiting = waiting.lock().unwrap();
            match waiting.front() {
                Some(Some(Fault::Conflict)) if called != "TransactWriteItems" => None,
                _ => waiting.pop_front().flatten(),
            }
        });
        Self {
            world,
            dice: Dice::new(seed),
            parties,
            faults,
            trace: Trace::new(seed),
            tally: Tally::new(),
        }
    }

    /// Something happens to a user or a group.
    async fn step(&mut self) {
        self.world.clock.advance_milliseconds(1 + self.dice.below(400) as i64);
        let who = self.dice.below(2);
        self.set_time();
        self.expire(who);
        self.plan_faults();
        match self.dice.below(100) {
            0..12 => self.create_user(who).await,
            12..17 => self.return_user(who).await,
            17..20 => self.return_suspended(who).await,
            20..22 => self.adopt(who).await,
            22..24 => self.import(who).await,
            24..28 => self.suspend_user(who).await,
            28..41 => self.patch_user(who).await,
            41..45 => self.put_user(who).await,
            45..51 => self.delete_user(who).await,
            51..55 => self.create_group(who).await,
            55..66 => self.move_members(who).await,
            66..70 => self.change_group(who).await,
            70..72 => self.delete_group(who).await,
            72..76 => self.ask_for_strangers(who).await,
            76..92 => self.read(who).await,
            92 => self.restore_by_operator(who).await,
            93..95 => self.set_profile(who).await,
            95..99 => self.pass_time(who).await,
            _ => self.sweep(),
        }
        self.faults.lock().unwrap().clear();
        self.settle_due(who).await;
        self.trace.number += 1;
    }

    fn sweep(&mut self) {
        self.trace.note("the expired rows are removed");
        self.world.local.engine.sweep().unwrap();
    }

    /// A user who is due is gone for the tenant's next request.
    fn expire(&mut self, who: usize) {
        let party = &mut self.parties[who];
        let expired = party.oracle.expire_due();
        party.due |= expired > 0;
        (0..expired).for_each(|_| self.count("expired"));
    }

    /// A request, if a user has become due since the last one.
    async fn settle_due(&mut self, who: usize) {
        if self.parties[who].due {
            let answer = self.send(who, "GET", "/Users?count=0", None).await;
            assert_eq!(
                answer.body["totalResults"],
                self.parties[who].oracle.live().len(),
                "{}",
                answer.body
            );
        }
    }

    /// Requests of the tenant until nothing is left to be tidied: each does some of it.
    async fn tidy(&mut self, who: usize) {
        for _ in 0..50 {
            let (rows, code) = (self.world.rows().await, &self.parties[who].code);
            let now = format!("{:012}~", self.world.clock.seconds());
            let is_due = |row: &Row| row.p() == format!("{code}#D") && *row.s() < *now;
            let is_unfinished = |row: &Row| row.p() == format!("{code}#T") && row.s() != "profile";
            if !rows.iter().any(|row| is_due(row) || is_unfinished(row)) {
                return;
            }
            self.send(who, "DELETE", "/Users/nobody", None).await;
        }
        panic!("something is never tidied");
    }

    fn set_time(&mut self) {
        let now = self.world.clock.milliseconds();
        self.parties.iter_mut().for_each(|party| party.oracle.now = now);
    }

    /// In one of ten operations answers are lost and transactions meet others, never so often that
    /// the service gives up.
    fn plan_faults(&mut self) {
        if self.dice.chance(10) {
            let number = 1 + self.dice.below(4);
            let fault = |dice: &mut Dice| match dice.below(4) {
                0 => None,
                1 => Some(Fault::Conflict),
                _ => Some(Fault::BreakAfter),
            };
            let mut plan: VecDeque<_> = (0..number).map(|_| fault(&mut self.dice)).collect();
            // The SDK tries three times.
            plan.truncate(if plan.iter().all(|fault| *fault == Some(Fault::BreakAfter)) {
                2
            } else {
                4
            });
            if plan.len() == 4 {
                plan[2] = None;
            }
            self.trace.note(&format!("the next calls: {plan:?}"));
            *self.faults.lock().unwrap() = plan;
        }
    }

    /// Minutes or months pass; or all the time that a deleted or suspended user has left, but
    /// perhaps for a second, when a test asks for it.
    async fn pass_time(&mut self, who: usize) {
        self.settle_due(who).await;
        let oracle = &self.parties[who].oracle;
        let mut leaving = oracle.restorable();
        leaving.retain(|index| oracle.users[*index].expires != Some(NEVER));
        leaving.extend(oracle.expiring());
        let left = match self.dice.below(12) {
            0..3 => Ok(60 * (1 + self.dice.below(600) as i64)),
            3..5 => Ok(DAY * (1 + self.dice.below(30) as i64)),
            5 => Ok(DAY * (30 + self.dice.below(71) as i64)),
            _ => Err(self.dice.pick(&leaving)),
        };
        let oracle = &self.parties[who].oracle;
        let seconds = match left {
            Ok(seconds) => seconds,
            Err(Some(user)) => {
                oracle.users[user].expires.unwrap() - oracle.seconds() - self.dice.below(2) as i64
            }
            Err(None) => return,
        };
        self.trace.note(&format!("{seconds} seconds pass"));
        self.world.clock.advance(seconds);
        self.set_time();
        if self.dice.chance(30) {
            self.sweep();
        }
        // More than one request erases: groups are as the oracle says when all of them are.
        if self.parties[who].oracle.expiring().len() > 8 {
            self.expire(who);
            self.settle_due(who).await;
            self.tidy(who).await;
        }
        if let Err(Some(user)) = left {
            self.expire(who);
            if self.dice.chance(70) {
                let person = self.parties[who].oracle.users[user].is.clone();
                self.post_user(who, &person).await;
            }
        }
    }

    async fn send(
        &mut self,
        who: usize,
        method: &str,
        path: &str,
        body: impl Into<Option<Value>>,
    ) -> Answer {
        let body = body.into();
        let said = body.as_ref().map(Value::to_string).unwrap_or_default();
        let code = &self.parties[who].code;
        self.trace
            .note(&format!("at {} {code} {method} {path} {said}", self.world.clock.milliseconds()));
        self.parties[who].due = false;
        let mut answer = self.world.send_as(&self.parties[who].token, method, path, body).await;
        sort_members(&mut answer.body);
        self.trace.note(&format!("  {} {}", answer.status.as_u16(), answer.header("etag")));
        let endpoint = path.split(['/', '?']).nth(1).unwrap_or_default();
        self.count(&format!("{method} {endpoint} {}", answer.status.as_u16()));
        answer
    }

    fn count(&mut self, what: &str) {
        *self.tally.entry(what.to_owned()).or_default() += 1;
    }

    async fn check(&mut self) {
        self.trace.note("all rows are looked at");
        self.set_time();
        for who in 0..2 {
            self.expire(who);
            self.settle_due(who).await;
            self.tidy(who).await;
        }
        invariants::check(&self.world, &self.parties).await;
    }
}

/// A world that lives at random, for tests of what follows from it.
pub struct Life(Model);

impl Life {
    pub async fn new(seed: u64) -> Self {
        Self(Model::new(seed).await)
    }

    pub fn world(&self) -> &World {
        &self.0.world
    }

    /// The two tenants, each with its token.
    pub fn tenants(&self) -> [(TenantRow, PlainToken); 2] {
        self.0.parties.each_ref().map(|party| (party.row.clone(), party.token.clone()))
    }

    /// Something happens to a user or a group.
    pub async fn step(&mut self) {
        Box::pin(self.0.step()).await;
    }

    /// Ends what earlier requests have left, removes expired rows, and checks all others.
    pub async fn rest(&mut self) {
        Box::pin(self.0.check()).await;
        self.0.world.clock.advance(1);
        self.0.sweep();
    }
}

/// Members come in the order of their keys, which the oracle does not know.
fn sort_members(body: &mut Value) {
    match body {
        Value::Object(object) => {
            if let Some(Value::Array(members)) = object.get_mut("members") {
                members.sort_by_key(|member| member["value"].as_str().map(str::to_owned));
            }
            object.get_mut("Resources").into_iter().for_each(sort_members);
        }
        Value::Array(resources) => resources.iter_mut().for_each(sort_members),
        _ => {}
    }
}

fn variable<T: FromStr>(name: &str, default: T) -> T {
    std::env::var(name)
        .ok()
        .and_then(|value| value.replace('_', "").parse().ok())
        .unwrap_or(default)
}

#[test]
fn a_random_life_matches_the_oracle() {
    let run = Run::new(variable("MODEL_SEED", 7_644), variable("MODEL_OPERATIONS", 1_000));
    std::thread::scope(|scope| {
        for _ in 0..variable("MODEL_THREADS", 1) {
            scope.spawn(|| run.play());
        }
    });
    run.sum_up();
}
