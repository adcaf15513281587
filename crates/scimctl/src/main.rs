//! The operator's tool. All of its code is in the library.

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    match scimctl::run(scimctl::Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("scimctl: {error:#}");
            scimctl::status(&error).into()
        }
    }
}
