//! The command line.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Loads and unloads a small team's cargo: its files and its containers.
#[derive(Debug, Parser)]
#[command(
    name = "longshore",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server.
    Serve(ServeArguments),
    /// Print the description of the API (OpenAPI 3.1).
    Openapi,
}

/// Where the server's configuration comes from; for `serve` and what works on the host.
#[derive(Args, Clone, Debug)]
pub(crate) struct ServeArguments {
    /// Configuration file. Without it, ./longshore.toml where there is one.
    #[arg(long, env = "LONGSHORE_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Address and port on which the console and the API answer [default: 127.0.0.1:8011].
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// Directory of the database, the stored bytes and the master key [default: ./longshore-data].
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) data: Option<String>,
    /// Any other setting, such as `fetch.concurrent=8`. May be repeated.
    #[arg(long = "set", value_name = "SETTING=VALUE")]
    pub(crate) set: Vec<String>,
}
