//! The operator's tool of scim-lambda: it serves the service on a laptop, creates tenants and mints
//! tokens.
//!
//! Each subcommand is one module with its options and its `run`: parse, call
//! [`scim_lambda::operator`], print. All of them work on either a data directory or a deployed
//! stack, which `place` opens.

mod advice;
mod audit;
mod aws;
mod bench;
mod brake;
mod cli;
mod errors;
mod event;
mod events;
mod explain;
mod export;
mod group;
mod guide;
mod http_client;
mod import;
mod interruption;
mod log;
mod output;
mod overview;
mod people;
mod person;
mod place;
mod profile;
mod serve;
mod table;
mod tenant;
mod token;
mod undo;
mod user;
mod user_change;
mod when;

pub use cli::Cli;
use cli::Command;
use output::Format;
use place::Place;

/// Runs one subcommand.
///
/// # Errors
/// With a sentence for the operator.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    let place = Place::new(cli.data, cli.aws)?;
    let is_server = matches!(cli.command, Command::Serve(_));
    scim_lambda::telemetry::init_human(place.said_elsewhere(is_server));
    let format = if cli.json { Format::Json } else { Format::Text };
    let result = match cli.command {
        Command::Serve(options) => serve::run(&place, &options, format).await,
        Command::Tenant(command) => tenant::run(&place, command, format).await,
        Command::Token(command) => token::run(&place, command, format).await,
        Command::Profile(command) => profile::run(&place, command, format).await,
        Command::Brake(command) => brake::run(&place, command, format).await,
        Command::User(command) => user::run(&place, command, format).await,
        Command::Group(command) => group::run(&place, command, format).await,
        Command::Import(options) => import::run(&place, &options, format).await,
        Command::Export(options) => export::run(&place, &options, format).await,
        Command::Errors(options) => errors::run(&place, &options, format).await,
        Command::Event(options) => event::run(&place, &options, format).await,
        Command::Events(command) => events::run(&place, command, format).await,
        Command::Log(options) => log::run(&place, &options, format).await,
        Command::Undo(options) => undo::run(&place, &options, format).await,
        Command::Audit(command) => audit::run(&place, command, format).await,
        Command::Explain(options) => explain::run(&place, &options, format).await,
        Command::Bench(command) => bench::run(&place, command, format).await,
    };
    result.map_err(|error| if error.is::<events::Trouble>() { error } else { place.explain(error) })
}

/// The exit status for an error: 2 if things could not be compared, and 1 for all others.
pub fn status(error: &anyhow::Error) -> u8 {
    if error.is::<events::Trouble>() { 2 } else { 1 }
}
