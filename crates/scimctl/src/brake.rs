//! `scimctl brake`: shows what stopped deactivations, and allows them again.

use clap::Subcommand;
use scim_lambda::operator::Operator;
use scim_lambda::operator::brake::BrakeState;
use scim_lambda::store::BrakeRow;
use serde_json::json;

use crate::output::{Format, instant, print};
use crate::place::Place;

/// The id of a lifted brake in the log.
const LIFT: &str = "scimctl brake lift";

#[derive(Debug, Subcommand)]
pub(crate) enum BrakeCommand {
    /// Show how many users were deactivated in the window, and whether the brake is on
    Show {
        /// The tenant's name
        tenant: String,
    },
    /// Allow deactivations again, in a new window
    Lift {
        /// The tenant's name
        tenant: String,
    },
}

pub(crate) async fn run(
    place: &Place,
    command: BrakeCommand,
    format: Format,
) -> anyhow::Result<()> {
    match command {
        BrakeCommand::Show { tenant } => {
            show(&place.connect().await?.operator, &tenant, format).await
        }
        BrakeCommand::Lift { tenant } => {
            let operator = &place.connect_as(LIFT).await?.operator;
            let row = operator.tenant(&tenant).await?;
            let lifted = operator.lift_brake(&row).await?;
            let line = if lifted {
                format!("Users of {tenant} can be deactivated again, in a new window.")
            } else {
                format!("The brake of {tenant} is not on.")
            };
            print(format, &json!({ "tenant": tenant, "lifted": lifted }), &line);
            Ok(())
        }
    }
}

async fn show(operator: &Operator, tenant: &str, format: Format) -> anyhow::Result<()> {
    let state = operator.brake(&operator.tenant(tenant).await?).await?;
    let window = match &state {
        BrakeState::Window(window) => Some(window),
        BrakeState::NotSet | BrakeState::Idle => None,
    };
    let since = window.and_then(|window| window.tripped).map(instant);
    let object = json!({
        "tenant": tenant, "on": since.is_some(), "since": since,
        "deactivations": window.map(|window| window.counted),
        "most": window.map(|window| window.most),
        "window_began": window.map(|window| instant(window.begun)),
    });
    print(format, &object, &lines(tenant, &state));
    Ok(())
}

fn lines(tenant: &str, state: &BrakeState) -> String {
    match state {
        BrakeState::NotSet => format!(
            "{tenant} has no brake; scimctl profile set {tenant} brake.deactivations=50 sets one."
        ),
        BrakeState::Idle => format!(
            "No window is open: no user of {tenant} has been deactivated since its brake was set \
             or lifted."
        ),
        BrakeState::Window(BrakeRow { begun, counted, most, tripped }) => {
            let brake = match tripped {
                Some(since) => format!(
                    "The brake has been on since {since}. Ask the customer first: scimctl audit \
                     report {tenant} --since {begun} shows who lost access, and scimctl errors \
                     {tenant} who kept it. Then scimctl brake lift {tenant} lifts it.",
                    since = instant(*since),
                    begun = instant(*begun)
                ),
                None => "The brake is off.".to_owned(),
            };
            let begun = instant(*begun);
            format!(
                "{counted} of at most {most} users of {tenant} have been deactivated since \
                 {begun}.\n{brake}"
            )
        }
    }
}
