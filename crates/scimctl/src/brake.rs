//! `scimctl brake`: what stopped deactivations, and how they go on.

use anyhow::Context;
use clap::Subcommand;
use scim_core::value::date_time;
use scim_lambda::clock::Clock;
use scim_lambda::store::{Act, Operation};
use scim_lambda::tenant::Profile;
use serde_json::json;
use time::OffsetDateTime;

use crate::place::Place;
use crate::{operator, print};

#[derive(Debug, Subcommand)]
pub(crate) enum BrakeCommand {
    /// Show how many users were deactivated in the window, and whether the brake is on
    Show {
        /// The tenant's name
        tenant: String,
    },
    /// Let deactivations pass again, in a new window
    Lift {
        /// The tenant's name
        tenant: String,
    },
}

pub(crate) async fn run(place: &Place, command: BrakeCommand, json: bool) -> anyhow::Result<()> {
    let connection = place.connect().await?;
    let store = &connection.store;
    match command {
        BrakeCommand::Show { tenant } => {
            let row = connection.tenant(&tenant).await?;
            // An instance that did not know yet may have counted on when the brake was taken away.
            let is_set = Profile::read(&row.profile)?.brake.is_set();
            let brake = store
                .brake(&row.key())
                .await
                .context("the brake cannot be read")?
                .filter(|_| is_set);
            let since = brake.and_then(|brake| brake.tripped).map(instant);
            let object = json!({
                "tenant": tenant, "on": since.is_some(), "since": since,
                "deactivations": brake.map(|brake| brake.counted), "most": brake.map(|brake| brake.most),
                "window_began": brake.map(|brake| instant(brake.begun)),
            });
            let lines = match brake {
                None if !is_set => {
                    format!(
                        "{tenant} has no brake; scimctl profile set {tenant} \
                        brake.deactivations=50 sets one."
                    )
                }
                None => {
                    format!(
                        "No window is open: nobody of {tenant} was deactivated since its brake \
                        was set or lifted."
                    )
                }
                Some(brake) => format!(
                    "{} of at most {} users of {tenant} were deactivated since {}.\n{}",
                    brake.counted,
                    brake.most,
                    instant(brake.begun),
                    match since {
                        Some(since) => format!(
                            "The brake is on since {since}; scimctl brake lift {tenant} ends that."
                        ),
                        None => "The brake is off.".to_owned(),
                    }
                ),
            };
            print(json, &object, &lines);
        }
        BrakeCommand::Lift { tenant } => {
            let row = connection.tenant(&tenant).await?;
            let act = Act {
                operation: Operation::Lift,
                ..operator::act(&row, &Clock::system(), "brake lift")?
            };
            let lifted = store.lift_brake(&row.key(), &operator::nobody()?, &act).await;
            let lifted = lifted.context("the brake cannot be lifted")?;
            let lines = match lifted {
                true => format!("Users of {tenant} can be deactivated again, in a new window."),
                false => format!("The brake of {tenant} is not on."),
            };
            print(json, &json!({ "tenant": tenant, "lifted": lifted }), &lines);
        }
    }
    Ok(())
}

fn instant(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds).map(date_time).unwrap_or_default()
}
