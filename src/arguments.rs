//! The command line: its commands, and the arguments that several of them share.
//! What one noun alone takes stands beside it in `commands/`.

use crate::commands::{
    access_key, bucket, bundle, completions, config, get, login, ls, master_key, mv, ops, probe,
    put, rm, share, sync, token, user,
};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Loads and unloads a small team's cargo: its files and its containers.
#[derive(Debug, Parser)]
#[command(
    name = "longshore",
    version,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "Exit codes and examples: docs/command-line.md"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server.
    Serve(ServeArguments),
    /// Log in to a server, for the commands that follow.
    Login(login::LoginArguments),
    /// Log out: forget a server's token, and delete it there.
    Logout(login::LogoutArguments),
    /// Fetch a list of addresses at once, into one ZIP.
    Bundle(bundle::BundleArguments),
    /// Put files, folders or standard input on the server.
    Put(put::PutArguments),
    /// Get files and folders from the server, or one file into a pipe.
    Get(get::GetArguments),
    /// List buckets, folders and files on the server.
    Ls(ls::ListArguments),
    /// Delete files on the server.
    Rm(rm::RemoveArguments),
    /// Move files on the server to another path or bucket.
    Mv(mv::TransferArguments),
    /// Copy files on the server, without their bytes coming here.
    Cp(mv::TransferArguments),
    /// Make links to files and folders for those who have no login.
    Share(share::ShareArguments),
    /// See and change buckets.
    #[command(subcommand)]
    Bucket(bucket::BucketCommand),
    /// Deliver files to where they are served.
    #[command(subcommand)]
    Sync(sync::SyncCommand),
    /// Try a server's files, as a canary for cron or a monitor, and say how long it took.
    Probe(probe::ProbeArguments),
    /// See and steer operations: everything that takes time.
    #[command(subcommand)]
    Ops(ops::OpsCommand),
    /// See and change users.
    #[command(subcommand)]
    User(user::UserCommand),
    /// See and change one's API tokens.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// See and change one's access keys, for S3 clients.
    #[command(subcommand)]
    AccessKey(access_key::AccessKeyCommand),
    /// See and check the server's configuration, on its host.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Change the key that encrypts secrets, on the server's host.
    #[command(subcommand)]
    MasterKey(master_key::MasterKeyCommand),
    /// Print a completion script for a shell.
    Completions(completions::CompletionsArguments),
    /// Print the description of the API (OpenAPI 3.1).
    Openapi,
}

/// Where the server's configuration comes from; for all that works on the host.
#[derive(Args, Clone, Debug)]
pub(crate) struct HostArguments {
    /// Configuration file. Without it, ./longshore.toml where there is one.
    #[arg(long, env = "LONGSHORE_CONFIG", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
    /// Directory of the database, the stored bytes and the master key [default: ./longshore-data].
    #[arg(long, value_name = "DIRECTORY", value_hint = clap::ValueHint::DirPath)]
    pub(crate) data: Option<String>,
    /// Any other setting, such as `fetch.concurrent=8`. May be repeated.
    #[arg(long = "set", value_name = "SETTING=VALUE")]
    pub(crate) set: Vec<String>,
}

/// How the server runs.
#[derive(Args, Clone, Debug)]
pub(crate) struct ServeArguments {
    #[command(flatten)]
    pub(crate) host: HostArguments,
    /// Address and port on which the console and the API answer [default: 127.0.0.1:8011].
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// Address and port on which S3 clients are answered, or `off` [default: 127.0.0.1:8012].
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) s3_listen: Option<String>,
}

impl From<HostArguments> for ServeArguments {
    fn from(host: HostArguments) -> Self {
        Self {
            host,
            listen: None,
            s3_listen: None,
        }
    }
}

/// Which server a command talks to. Its token is never an argument: it is the one of
/// `longshore login`, or in LONGSHORE_TOKEN.
#[derive(Args, Clone, Debug)]
pub(crate) struct ServerArguments {
    /// Address of the server. Without it, the one logged in to last.
    #[arg(long, env = "LONGSHORE_URL", value_name = "URL", value_hint = clap::ValueHint::Url)]
    pub(crate) url: Option<String>,
}
