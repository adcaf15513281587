//! Every step of a user's life has its event, under every policy, and no other.

use std::sync::Arc;

use scim_lambda::directory::states::{Event, State, Step};
use serde_json::Value;

use crate::life::{Life, POLICIES};
use crate::support::World;
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
