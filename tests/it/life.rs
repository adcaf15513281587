//! The life of a user: every event in every state does what the table says, under every policy, and
//! no row is ever left without its owner.

use std::sync::Arc;

use proptest::prelude::*;
use scim_lambda::directory::states::{Event, State, Step};
use scim_lambda::operator::import::Mode;
use serde_json::{Value, json};

use crate::support::connectors::Between;
use crate::support::customer::{Customer, profile};
use crate::support::{Answer, DAY, World, sound};

/// Profiles that differ where the table leaves the outcome to a policy.
pub const POLICIES: [(&str, &[(&str, &str)]); 8] = [
    ("soft delete", &[]),
    ("expiring", &[("deprovision.on_inactive", "suspend_with_expiry")]),
    ("deactivate", &[("deprovision.on_delete", "deactivate")]),
    ("hard delete", &[("deprovision.on_delete", "hard_delete")]),
    ("refuse", &[("deprovision.on_delete", "refuse")]),
    ("link", &[("create.existing", "link")]),
    ("new", &[("create.deleted", "new")]),
    ("seats", &[("seats.limit", "50"), ("seats.when_full", "create_inactive")]),
];

fn person(external_id: &str) -> Value {
    json!({ "userName": "who@example.com", "externalId": external_id, "title": "Dr",
        "emails": [{ "value": "other@example.com", "type": "work" }] })
}

/// A user in a state, and the state that it is in.
pub struct Life {
    pub customer: Customer,
    pub user: Value,
}

impl Life {
    /// Brings a user into a state by events that lead there, or says that the policy has no such
    /// state.
    pub async fn new(world: &Arc<World>, settings: &[(&str, &str)], state: State) -> Option<Self> {
        let customer = Customer::lasting(world, "default", settings).await;
        let is = |path: &str, value: &str| settings.contains(&(path, value));
        let soft =
            !is("deprovision.on_delete", "hard_delete") && !is("deprovision.on_delete", "refuse");
        let expiring = is("deprovision.on_inactive", "suspend_with_expiry");
        let nobody = json!({ "id": "00000000-0000-8000-8000-000000000000" });
        let mut life = Self { customer, user: nobody };
        match state {
            State::Absent => return Some(life),
            State::Unmanaged => {
                let report = life.customer.import(&[person("1")]).await;
                life.user = json!({ "id": report.lines[0].id.as_ref().unwrap().as_str() });
                return Some(life);
            }
            State::Suspended => {
                let mut user = person("1");
                user["active"] = json!(false);
                life.user = life.customer.create(user).await;
                return Some(life);
            }
            _ => life.user = life.customer.create(person("1")).await,
        }
        match state {
            State::SuspendedWithExpiry if expiring => {
                drop(life.customer.activate(&life.user, false).await)
            }
            State::SoftDeleted | State::Expired if soft => {
                drop(life.customer.delete(&life.user).await)
            }
            State::SuspendedWithExpiry | State::SoftDeleted | State::Expired => return None,
            _ => {}
        }
        if state == State::Expired {
            if is("deprovision.on_delete", "deactivate") {
                return None;
            }
            life.customer.world.clock.advance(90 * DAY);
        }
        Some(life)
    }

    /// The state in which the user is, by its rows.
    async fn state(&self) -> State {
        let (world, id) =
            (&self.customer.world, self.user["id"].as_str().unwrap().parse().unwrap());
        let stored = world.store.resource(&self.customer.users(), &id, i64::MIN).await.unwrap();
        State::of(stored.as_ref().map(|stored| stored.standing()), world.clock.seconds())
    }

    /// Plays an event, and returns the answer if it was a request of the identity provider.
    pub async fn happen(&mut self, event: Event) -> Option<Answer> {
        self.happen_to(0, event).await
    }

    /// Like [`Life::happen`], under one of several userNames.
    async fn happen_to(&mut self, who: usize, event: Event) -> Option<Answer> {
        let customer = &self.customer;
        let person = |external_id: &str| {
            let mut person = person(external_id);
            if who > 0 {
                person["userName"] = json!(format!("who{who}@example.com"));
            }
            person
        };
        let change = async |active: Option<bool>| {
            let mut body = person("1");
            body["title"] = json!("Prof");
            if let Some(active) = active {
                body["active"] = json!(active);
            }
            customer.put(&self.user, body).await
        };
        Some(match event {
            Event::Post => customer.post(person("1")).await,
            Event::Namesake => customer.post(person("2")).await,
            Event::Read => customer.get(&self.user).await,
            Event::Change => change(None).await,
            Event::Activate => change(Some(true)).await,
            Event::Deactivate => change(Some(false)).await,
            Event::Delete => customer.delete(&self.user).await,
            Event::Expiry => {
                customer.world.clock.advance(90 * DAY);
                // The next request of the tenant, then DynamoDB, days late.
                assert_eq!(customer.send("GET", "/Users?count=0", None).await.status, 200);
                customer.world.local.engine.sweep().unwrap();
                return None;
            }
            Event::Restore => {
                if customer.restore(&self.user).await.is_ok() {
                    return None;
                }
                // As the operator was told.
                customer.send("GET", "/Users/nobody", None).await
            }
            Event::Import => {
                customer.import(&[person("1")]).await;
                return None;
            }
        })
    }
}

/// What an answer must be after a step.
#[track_caller]
fn check(step: Step, life: &Life, settings: &[(&str, &str)], answer: &Option<Answer>, what: &str) {
    let is = |path: &str, value: &str| settings.contains(&(path, value));
    let Some(answer) = answer else { return };
    let (status, same) = (answer.status.as_u16(), answer.body["id"] == life.user["id"]);
    match step {
        Step::Create => assert_eq!((status, same), (201, false), "{what}"),
        Step::Adopt if is("create.existing", "link") => {
            assert_eq!((status, same), (201, true), "{what}")
        }
        Step::Adopt | Step::Conflict => answer.is_error(409, Some("uniqueness")),
        Step::Return if is("create.deleted", "new") => {
            assert_eq!((status, same), (201, false), "{what}")
        }
        Step::Return => {
            assert_eq!((status, same, &answer.body["active"]), (201, true, &json!(true)), "{what}")
        }
        Step::Show | Step::Keep | Step::Activate | Step::Suspend => {
            assert_eq!((status, same), (200, true), "{what}")
        }
        Step::Deprovision if is("deprovision.on_delete", "refuse") => answer.is_error(400, None),
        Step::Deprovision => assert_eq!(status, 204, "{what}"),
        Step::NotFound => answer.is_error(404, None),
        Step::Erase | Step::Import | Step::Restore | Step::Nothing => {
            panic!("{what}: no request was sent")
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_in_every_state_does_what_the_table_says() {
    let mut walked = 0;
    for (policy, settings) in POLICIES {
        let profile = profile("default", settings);
        for state in State::ALL {
            let world = Arc::new(World::with(Between::default()).await);
            for event in Event::ALL {
                let what = format!("{policy}: {state:?} {event:?}");
                let Some(mut life) = Life::new(&world, settings, state).await else { continue };
                assert_eq!(life.state().await, state, "{what}");
                let step = state.step(event);
                let answer = life.happen(event).await;
                check(step, &life, settings, &answer, &what);
                let expected = state.after(step, &profile);
                if let (true, Some(answer)) =
                    (step == Step::Create && expected == State::Provisioned, &answer)
                {
                    life.user = answer.body.clone();
                }
                let mut reached = life.state().await;
                if matches!((event, step), (Event::Import, Step::Import)) {
                    let report = life.customer.imported(&[person("1")], Mode::DryRun).await;
                    let is_known = report.counts().known == 1;
                    reached = if is_known { State::Unmanaged } else { State::Absent };
                }
                // An expired user counts as absent, whether or not its rows still exist.
                let plain = |state| if state == State::Expired { State::Absent } else { state };
                assert_eq!(plain(reached), plain(expected), "{what}: {step:?}");
                sound::check(&life.customer).await;
                walked += 1;
            }
        }
    }
    assert_eq!(walked, 440, "all states that a policy has, with all events");
}

/// Plays a life of events, each of one of three people, and checks the rows after each.
async fn play(policy: usize, events: &[(usize, Event)]) {
    let world = Arc::new(World::with(Between::default()).await);
    let mut life = Life::new(&world, POLICIES[policy].1, State::Absent).await.unwrap();
    for (who, event) in events {
        let seen = life.user["id"].clone();
        let answer = life.happen_to(*who, *event).await;
        let created = |answer: &Answer| answer.status == 201 && answer.body["id"] != seen;
        if let Some(answer) = answer.filter(created) {
            life.user = answer.body;
        }
        sound::check(&life.customer).await;
    }
}

/// A life that `proptest` once found.
#[tokio::test]
async fn a_deleted_user_returns_under_another_name() {
    play(0, &[(0, Event::Post), (0, Event::Delete), (1, Event::Post)]).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_events_leaves_a_row_without_its_owner_or_loses_a_seat(
        policy in 0..POLICIES.len(),
        events in prop::collection::vec((0..3_usize, 0..Event::ALL.len()), 1..14),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let events: Vec<_> = events.into_iter().map(|(who, event)| (who, Event::ALL[event])).collect();
        runtime.block_on(play(policy, &events));
    }
}
