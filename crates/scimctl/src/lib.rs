//! The operator's tool of scim-lambda: serve it on a laptop, create tenants, mint tokens.
//!
//! Every subcommand works on a data directory or on a deployed stack; `place.rs` opens either.

pub mod bench;
mod brake;
mod cli;
mod event;
pub mod explain;
mod export;
pub mod import;
pub mod local;
mod operator;
mod place;
mod profile;
mod serve;
mod tenant;
mod token;
mod user;

use std::io::Write;

pub use cli::Cli;
use cli::Command;
use place::Place;

/// Runs one subcommand.
///
/// # Errors
/// With a sentence for the operator.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    scim_lambda::telemetry::init_human();
    let place = Place::new(cli.data, cli.stack);
    match cli.command {
        Command::Serve(options) => serve::run(&place, &options, cli.json).await,
        Command::Tenant(command) => tenant::run(&place, command, cli.json).await,
        Command::Token(command) => token::run(&place, command, cli.json).await,
        Command::Profile(command) => profile::run(&place, command, cli.json).await,
        Command::Brake(command) => brake::run(&place, command, cli.json).await,
        Command::User(command) => user::run(&place, command, cli.json).await,
        Command::Import(options) => import::run(&place, &options, cli.json).await,
        Command::Export(options) => export::run(&place, &options, cli.json).await,
        Command::Event(options) => event::run(&place, &options, cli.json).await,
        Command::Explain(options) => explain::run(&place, &options, cli.json).await,
        Command::Bench(command) => bench::run(&place, command, cli.json).await,
    }
}

/// Prints a result: one JSON object for scripts, or lines for people.
fn print(json: bool, object: &serde_json::Value, lines: &str) {
    let written = match json {
        true => writeln!(std::io::stdout(), "{object}"),
        false => writeln!(std::io::stdout(), "{lines}"),
    };
    // Whoever reads may have read enough, as `head` does.
    if let Err(error) = written
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        eprintln!("scimctl: the result cannot be written: {error}");
        std::process::exit(1);
    }
}
