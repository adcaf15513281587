//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::brake::BrakeCommand;
use crate::event::EventOptions;
use crate::export::ExportOptions;
use crate::import::ImportOptions;
use crate::profile::{ProfileCommand, Source};
use crate::user::UserCommand;

/// Operate a scim-lambda service, on this machine or in AWS.
#[derive(Debug, Parser)]
#[command(name = "scimctl", version)]
pub struct Cli {
    /// The data directory of `serve` [default: .scim]
    #[arg(long, global = true, value_name = "DIR", conflicts_with = "stack")]
    pub(crate) data: Option<PathBuf>,

    /// A stack deployed in AWS, instead of a data directory
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) stack: Option<String>,

    /// Print one JSON object, and nothing else, on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve SCIM on this machine, over an embedded DynamoDB engine
    Serve(ServeOptions),
    /// Create, list and switch tenants: one for each connection of a customer's identity provider
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Mint, rotate, list and revoke bearer tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Show and set how the service behaves for a tenant
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Show and lift what stops too many deactivations
    #[command(subcommand)]
    Brake(BrakeCommand),
    /// Bring deleted users back, remove imported ones
    #[command(subcommand)]
    User(UserCommand),
    Import(ImportOptions),
    Export(ExportOptions),
    Event(EventOptions),
    /// Show how a filter is answered, and what that costs
    Explain(ExplainOptions),
    /// Fill a table, to repeat the figures of docs/PERFORMANCE.md
    #[command(subcommand)]
    Bench(BenchCommand),
}

#[derive(Debug, Args)]
pub(crate) struct ExplainOptions {
    /// The filter, as an identity provider sends it
    pub(crate) filter: String,

    /// The resource type that is asked for
    #[arg(long, value_name = "TYPE", default_value = "User")]
    pub(crate) resource_type: String,

    /// Take profile and size from this tenant
    #[arg(long, value_name = "NAME", conflicts_with = "resources")]
    pub(crate) tenant: Option<String>,

    /// How many resources of the type the tenant has
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(..=100_000_000))]
    pub(crate) resources: u32,

    /// The profile of the tenant: one that ships
    #[arg(long, value_name = "P", default_value = "default", conflicts_with = "tenant")]
    pub(crate) profile: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Make a tenant of many users and groups; the same command goes on where it was stopped
    Seed {
        /// How many users
        #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(..=10_000_000))]
        users: u32,
        /// How many groups
        #[arg(long, value_name = "G", default_value_t = 0)]
        groups: u32,
        /// How many of the users are in each group
        #[arg(long, value_name = "M", default_value_t = 10)]
        members: u32,
        /// The tenant; made, with a token that is shown, if it is not there
        #[arg(long, value_name = "NAME", default_value = "bench")]
        tenant: String,
        /// Write to a stack in AWS too: about 8 write units a user, 8 a membership
        #[arg(long)]
        pay: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ServeOptions {
    /// Where to serve SCIM; port 0 picks a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,

    /// Keep everything in memory; it is gone when the server stops. Other subcommands with the same
    /// --data reach it
    #[arg(long)]
    pub(crate) ephemeral: bool,

    /// Where to serve the engine's own DynamoDB endpoint, for `sam local` and `cargo lambda watch`
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    pub(crate) dynamodb_listen: SocketAddr,

    /// Where to serve a Secrets Manager endpoint with the token digests, for the same
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    pub(crate) secrets_listen: SocketAddr,

    /// How many days a deleted user can be brought back
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u64).range(1..=3650))]
    pub(crate) retention_days: u64,

    /// Serve further schemas and resource types, from a file with the arrays schemas and
    /// resourceTypes
    #[arg(long, value_name = "FILE")]
    pub(crate) schemas: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TenantCommand {
    /// Create a tenant and mint its first token, which is shown once
    Create {
        /// Your name for the customer: letters, digits, `.`, `_` and `-`
        name: String,
        /// Settings over those of the profile, such as seats.limit=100
        #[arg(value_name = "SETTING=VALUE")]
        settings: Vec<String>,
        #[command(flatten)]
        source: Source,
        /// The customer, if it has several connections: each is a tenant of its own
        #[arg(long, value_name = "NAME")]
        customer: Option<String>,
        /// The tenant's base URL; with --stack, the stack's output BaseUrl, whose /scim/v2 gives
        /// way to a path that the profile names
        #[arg(long, value_name = "URL")]
        base_url: Option<String>,
    },
    /// List tenants
    List,
    /// Switch SCIM off for a tenant: its requests are refused within a minute, and no user changes
    Disable {
        /// The tenant's name
        name: String,
    },
    /// Switch SCIM on again
    Enable {
        /// The tenant's name
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Mint one more token, shown once; the others stay good
    Issue {
        /// The tenant's name
        tenant: String,
        /// How many days the token is good [default: as the tenant's profile says, 365]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: Option<u32>,
        /// Make it good for ever; review such tokens every year
        #[arg(long, conflicts_with = "days")]
        no_expiry: bool,
    },
    /// Mint a token in place of the others, which stay good for some days
    Rotate {
        /// The tenant's name
        tenant: String,
        /// How many days the other tokens stay good [default: as the tenant's profile says, 7]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=365))]
        overlap_days: Option<u32>,
    },
    /// Show a token again, if the tenant's profile has them kept (token.reveal again)
    Show {
        /// The tenant's name
        tenant: String,
        /// The token's key id, as `token list` shows it [default: the newest]
        key_id: Option<String>,
    },
    /// List a tenant's tokens
    List {
        /// The tenant's name
        tenant: String,
    },
    /// Revoke a token; it is refused within a minute
    Revoke {
        /// The tenant's name
        tenant: String,
        /// The token's key id, as `token list` shows it
        key_id: String,
    },
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;

    use super::*;

    /// The command lines in a document, be they in blocks or in sentences.
    fn command_lines(text: &str) -> Vec<String> {
        let blocks = text.lines().filter(|line| line.starts_with("    ")).map(str::trim);
        let sentences = text.split('`').skip(1).step_by(2);
        let lines = blocks.chain(sentences).map(|line| line.split("  #").next().unwrap_or(line));
        let lines = lines.map(|line| line.split(" | ").next().unwrap_or(line));
        let begun = |line: &str| {
            let (before, rest) = line.split_once("scimctl ")?;
            let begins = before.is_empty() || before.starts_with("cargo run ");
            begins.then(|| rest.strip_prefix("-- ").unwrap_or(rest).trim().to_owned())
        };
        lines.filter_map(begun).collect()
    }

    #[test]
    fn every_command_that_the_documents_name_is_understood() {
        let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let mut found = 0;
        for document in [
            "README.md",
            "docs/PROFILES.md",
            "docs/LIFE.md",
            "docs/OPERATIONS.md",
            "docs/DATA_MODEL.md",
        ] {
            for line in command_lines(&std::fs::read_to_string(root.join(document)).unwrap()) {
                // What stands in quotes is one word.
                let quoted =
                    line.split('\'').enumerate().flat_map(|(index, part)| match index % 2 {
                        0 => part.split_whitespace().map(str::to_owned).collect(),
                        _ => vec![part.to_owned()],
                    });
                let words = std::iter::once("scimctl".to_owned()).chain(quoted);
                let kind = Cli::try_parse_from(words).map(drop).map_err(|error| error.kind());
                let named_only = ErrorKind::MissingRequiredArgument;
                let of_many = ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
                let fits = kind.is_ok() || kind == Err(named_only) || kind == Err(of_many);
                assert!(fits, "{document}: scimctl {line}: {kind:?}");
                found += 1;
            }
        }
        assert!(found > 20, "{found}");
    }
}
