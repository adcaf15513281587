//! `scimctl events`: the events that the product hears.

mod drift;
mod file;
mod line;
mod resync;
mod tail;
mod touched;

use clap::Subcommand;

use crate::output::Format;
use crate::place::Place;
use drift::DriftOptions;
use resync::ResyncOptions;
use tail::TailOptions;

pub(crate) use drift::Trouble;

#[derive(Debug, Subcommand)]
pub(crate) enum EventsCommand {
    Tail(TailOptions),
    Resync(ResyncOptions),
    Drift(DriftOptions),
}

pub(crate) async fn run(
    place: &Place,
    command: EventsCommand,
    format: Format,
) -> anyhow::Result<()> {
    match command {
        EventsCommand::Tail(options) => tail::run(place, &options, format).await,
        EventsCommand::Resync(options) => resync::run(place, &options, format).await,
        EventsCommand::Drift(options) => drift::run(place, &options, format).await,
    }
}
