//! `longshore bundle`: a list of addresses in, one ZIP out.
//!
//! The server makes it, and its bytes flow into a temporary file beside the one that
//! was asked for, which appears only when it is whole. The operation is followed
//! meanwhile; it ends when this command is interrupted.

mod deliver;
mod list;
mod show;
mod tally;
mod target;

use crate::arguments::ServerArguments;
use crate::client::{Client, Interrupt};
use crate::commands::converse;
use crate::exit::{Code, Failure, Result};
use clap::{Args, ValueEnum};
use deliver::Delivery;
use show::Show;
use std::path::PathBuf;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OrderWord {
    /// As they come, which is quickest.
    Arrival,
    /// As they stand in the list.
    Source,
}

#[derive(Args, Debug)]
pub(crate) struct BundleArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// The list: a file, or standard input when it is `-` or absent. An address a line,
    /// blank lines and those that begin with # passed over; or JSON, as the API takes it.
    #[arg(value_hint = clap::ValueHint::FilePath)]
    list: Option<PathBuf>,
    /// Where the ZIP goes; `-` is standard output.
    #[arg(short, long, value_name = "FILE", required_unless_present = "keep", value_hint = clap::ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// The bundle's name on the server [default: that of the file].
    #[arg(long)]
    name: Option<String>,
    /// The order of the files in the archive [default: arrival].
    #[arg(long)]
    order: Option<OrderWord>,
    /// Fail when anything is missing.
    #[arg(long)]
    strict: bool,
    /// Compress nothing.
    #[arg(long)]
    no_compress: bool,
    /// Have the server keep the archive, too, and print a link to it.
    #[arg(long)]
    keep: bool,
    /// Say nothing but what went wrong.
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,
    /// Print one JSON object for each event, the last a summary; on standard error when
    /// the ZIP goes to standard output.
    #[arg(long)]
    json: bool,
}

impl BundleArguments {
    fn to_stdout(&self) -> bool {
        self.output
            .as_ref()
            .is_some_and(|path| path.as_os_str() == "-")
    }
}

pub(crate) fn run(arguments: BundleArguments) -> Result {
    if arguments.to_stdout() && crate::terminal::is_terminal() {
        return Err(Failure::new(
            Code::Usage,
            "standard output is a terminal, which a ZIP would only disturb; name a file with -o, or send it into a pipe",
        ));
    }
    let show = Show::new(&arguments);
    let begun = Client::of(&arguments.server)
        .and_then(|client| list::read(&arguments).map(|request| (client, request)));
    let (client, request) = match begun {
        Ok(begun) => begun,
        Err(failure) => return Err(show.refused(failure)),
    };
    if let Some(warning) = list::warning(&request) {
        show.note(&warning);
    }
    converse(async {
        let interrupt = Interrupt::listen()?;
        Delivery::new(client, &arguments, show)
            .run(&request, &interrupt)
            .await
    })
}
