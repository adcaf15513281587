//! `scimctl events`: the events that the product hears.

mod line;
mod tail;

use clap::Subcommand;

use crate::output::Format;
use crate::place::Place;
use tail::TailOptions;

#[derive(Debug, Subcommand)]
pub(crate) enum EventsCommand {
    Tail(TailOptions),
}

pub(crate) async fn run(
    place: &Place,
    command: EventsCommand,
    format: Format,
) -> anyhow::Result<()> {
    match command {
        EventsCommand::Tail(options) => tail::run(place, &options, format).await,
    }
}
