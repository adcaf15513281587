//! Every step of a user's life has its event, under every policy, and no other.

use std::sync::Arc;

use scim_lambda::directory::states::{Event, State, Step};
use scim_lambda::operator::OperatorError;
use serde_json::Value;

use crate::life::{Life, POLICIES};
use crate::support::World;
use crate::support::handles::id;
use crate::support::stream::StreamReader;

/// The types of the events that follow a step.
fn expected(policy: &[(&str, &str)], state: State, event: Event, step: Step) -> Vec<&'static str> {
    let is = |path: &str, value: &str| policy.contains(&(path, value));
    match (step, state) {
        (Step::Create, _) => vec!["user.provisioned"],
        (Step::Import, _) => vec!["user.imported"],
        (Step::Adopt, _) if is("create.existing", "link") => vec!["user.linked"],
        (Step::Return, State::SuspendedWithExpiry) => vec!["user.reactivated"],
        (Step::Return, _) if is("create.deleted", "new") => vec!["user.provisioned"],
        (Step::Return | Step::Restore, _) => vec!["user.restored"],
        (Step::Keep, _) => vec!["user.updated"],
        (Step::Activate, State::Provisioned) => vec!["user.updated"],
        (Step::Activate, _) => vec!["user.reactivated"],
        (Step::Suspend, State::Provisioned) => vec!["user.suspended"],
        (Step::Suspend, _) => vec!["user.updated"],
        (Step::Deprovision, _) if is("deprovision.on_delete", "refuse") => vec![],
        (Step::Deprovision, _) => vec!["user.deleted"],
        (Step::Erase, State::SoftDeleted) if is("deprovision.on_delete", "deactivate") => vec![],
        (Step::Erase, _) => vec!["user.purged"],
        // The engine removes the rows of an expired user.
        (Step::Nothing, State::Expired) if event == Event::Expiry => vec!["user.purged"],
        (Step::Adopt | Step::Conflict | Step::Show | Step::NotFound | Step::Nothing, _) => vec![],
    }
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_of_a_users_life_has_its_event() {
    let mut walked = 0;
    for (policy, settings) in POLICIES {
        for state in State::ALL {
            let world = Arc::new(World::new().await);
            let stream = StreamReader::on(&world.local.engine);
            for event in Event::ALL {
                let what = format!("{policy}: {state:?} {event:?}");
                let Some(mut life) = Life::new(&world, settings, state).await else { continue };
                stream.records();
                let step = state.step(event);
                life.happen(event).await;
                if event == Event::Expiry {
                    // The engine removes rows a second later than the service hides them.
                    world.clock.advance(1);
                    world.local.engine.sweep().unwrap();
                }
                let mut events = stream.events(&world).await;
                events.retain(|event| event["tenant"]["code"] == life.customer.row.code().as_str());
                assert_eq!(types(&events), expected(settings, state, event, step), "{what}");
                walked += 1;
            }
        }
    }
    assert_eq!(walked, 440, "all states that a policy has, with all events");
}

/// What the operator does to one user.
#[derive(Debug, Clone, Copy)]
enum OperatorStep {
    Suspend,
    Activate,
    Delete,
}

impl OperatorStep {
    const ALL: [Self; 3] = [Self::Suspend, Self::Activate, Self::Delete];

    /// What the identity provider would do.
    fn event(self) -> Event {
        match self {
            Self::Suspend => Event::Deactivate,
            Self::Activate => Event::Activate,
            Self::Delete => Event::Delete,
        }
    }

    async fn happen(self, life: &Life) -> Result<(), OperatorError> {
        let (operator, row) = (life.customer.world.operator(), &life.customer.row);
        let id = id(&life.user).parse().unwrap();
        match self {
            Self::Suspend => operator.suspend_user(row, &id).await,
            Self::Activate => operator.activate_user(row, &id).await,
            Self::Delete => operator.delete_user(row, &id).await,
        }
        .map(drop)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_operator_does_has_the_event_of_what_the_identity_provider_does() {
    for (policy, settings) in POLICIES {
        // The switches and the brake do not restrict the operator.
        let switches = ["operations.delete", "operations.deactivate", "brake.deactivations"];
        let switches = switches.iter().zip(["off", "off", "1"]).map(|(path, value)| (*path, value));
        let settings: Vec<(&str, &str)> = settings.iter().copied().chain(switches).collect();
        let world = Arc::new(World::new().await);
        let stream = StreamReader::on(&world.local.engine);
        for state in [State::Provisioned, State::Suspended, State::SoftDeleted, State::Absent] {
            for step in OperatorStep::ALL {
                let what = format!("{policy}: {state:?} {step:?}");
                let Some(life) = by_operator(&world, &settings, state).await else { continue };
                stream.records();
                let done = step.happen(&life).await;
                let mut events = stream.events(&world).await;
                events.retain(|event| event["tenant"]["code"] == life.customer.row.code().as_str());
                let mut types = expected(&settings, state, step.event(), state.step(step.event()));
                // The operator changes nothing else.
                types.retain(|name| *name != "user.updated");
                assert_eq!(self::types(&events), types, "{what}");
                let refuses = settings.contains(&("deprovision.on_delete", "refuse"));
                let is_there = matches!(state, State::Provisioned | State::Suspended);
                let is_refused = refuses && matches!(step, OperatorStep::Delete);
                assert_eq!(done.is_ok(), is_there && !is_refused, "{what}: {done:?}");
                let hard = events.iter().any(|event| event["mode"] == "hard");
                let actor = events.iter().all(|event| event["actor"]["kind"] == "operator");
                assert!(actor || hard, "{what}: {events:?}");
            }
        }
    }
}

/// A user whom the operator has brought into a state.
async fn by_operator(world: &Arc<World>, settings: &[(&str, &str)], state: State) -> Option<Life> {
    let from = if state == State::SoftDeleted { State::Provisioned } else { state };
    let life = Life::new(world, settings, from).await?;
    if state == State::SoftDeleted {
        OperatorStep::Delete.happen(&life).await.ok()?;
    }
    Some(life)
}
