//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::audit::AuditCommand;
use crate::aws::AwsOptions;
use crate::bench::BenchCommand;
use crate::brake::BrakeCommand;
use crate::errors::ErrorsOptions;
use crate::event::EventOptions;
use crate::events::EventsCommand;
use crate::explain::ExplainOptions;
use crate::export::ExportOptions;
use crate::group::GroupCommand;
use crate::import::ImportOptions;
use crate::log::LogOptions;
use crate::profile::ProfileCommand;
use crate::serve::ServeOptions;
use crate::tenant::TenantCommand;
use crate::token::TokenCommand;
use crate::undo::UndoOptions;
use crate::user::UserCommand;

/// Operate a scim-lambda service, on this machine or in AWS.
#[derive(Debug, Parser)]
#[command(name = "scimctl", version)]
pub struct Cli {
    /// The data directory of `serve` [default: .scim]
    #[arg(long, global = true, value_name = "DIR", conflicts_with_all = ["stack", "table"])]
    pub(crate) data: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) aws: AwsOptions,

    /// Print only one JSON object on standard output, or one a line for lists that may be long
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve SCIM on this machine, over an embedded DynamoDB engine
    Serve(ServeOptions),
    /// Create, list, disable and enable tenants: one for each connection of an identity provider
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Mint, rotate, list, revoke and move bearer tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Show or change how the service behaves for a tenant
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Show or lift the brake, which stops too many deactivations
    #[command(subcommand)]
    Brake(BrakeCommand),
    /// List, show, suspend, activate, delete or restore users, or remove imported ones
    #[command(subcommand)]
    User(UserCommand),
    /// List groups, or show one with its members
    #[command(subcommand)]
    Group(GroupCommand),
    Import(ImportOptions),
    Export(ExportOptions),
    Errors(ErrorsOptions),
    Event(EventOptions),
    /// Show the events that the product hears, and send it what it missed
    #[command(subcommand)]
    Events(EventsCommand),
    Log(LogOptions),
    Undo(UndoOptions),
    /// Report from the log, for an auditor
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Show how a filter is answered, and what that costs
    Explain(ExplainOptions),
    /// Fill a table, to reproduce the figures in docs/PERFORMANCE.md
    #[command(subcommand)]
    Bench(BenchCommand),
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;

    use super::*;

    /// The command lines in a document, both in blocks and in sentences.
    fn command_lines(text: &str) -> Vec<String> {
        let blocks = text.lines().filter(|line| line.starts_with("    ")).map(str::trim);
        let sentences = text.split('`').skip(1).step_by(2);
        let lines = blocks.chain(sentences).map(|line| line.split("  #").next().unwrap_or(line));
        let lines = lines.map(|line| line.split(" | ").next().unwrap_or(line));
        let command = |line: &str| {
            let (before, rest) = line.split_once("scimctl ")?;
            let begins = before.is_empty() || before.starts_with("cargo run ");
            begins.then(|| rest.strip_prefix("-- ").unwrap_or(rest).trim().to_owned())
        };
        lines.filter_map(command).collect()
    }

    #[test]
    fn every_command_in_the_documents_is_valid() {
        let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let mut found = 0;
        for document in [
            "README.md",
            "docs/PROFILES.md",
            "docs/LIFE.md",
            "docs/OPERATIONS.md",
            "docs/DEPLOY.md",
            "docs/DATA_MODEL.md",
            "docs/EVENTS.md",
            "docs/INTEGRATION.md",
            "docs/idp/README.md",
            "docs/idp/TUNNEL.md",
            "docs/idp/entra.md",
        ] {
            for line in command_lines(&std::fs::read_to_string(root.join(document)).unwrap()) {
                // A quoted part is one word.
                let quoted =
                    line.split('\'').enumerate().flat_map(|(index, part)| match index % 2 {
                        0 => part.split_whitespace().map(str::to_owned).collect(),
                        _ => vec![part.to_owned()],
                    });
                let words = std::iter::once("scimctl".to_owned()).chain(quoted);
                let kind = Cli::try_parse_from(words).map(drop).map_err(|error| error.kind());
                let incomplete = ErrorKind::MissingRequiredArgument;
                let without_subcommand = ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
                let is_valid =
                    kind.is_ok() || kind == Err(incomplete) || kind == Err(without_subcommand);
                assert!(is_valid, "{document}: scimctl {line}: {kind:?}");
                found += 1;
            }
        }
        assert!(found > 20, "{found}");
    }
}
