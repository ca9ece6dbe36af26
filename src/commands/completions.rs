//! `longshore completions`: scripts with which shells complete its arguments.

use crate::arguments::Arguments;
use crate::exit::Result;
use crate::terminal;
use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::Shell;

/// Shells that can complete.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Known {
    Bash,
    Zsh,
    Fish,
}

#[derive(Args, Debug)]
pub(crate) struct CompletionsArguments {
    /// The shell.
    shell: Known,
}

pub(crate) fn run(arguments: &CompletionsArguments) -> Result {
    let shell = match arguments.shell {
        Known::Bash => Shell::Bash,
        Known::Zsh => Shell::Zsh,
        Known::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "longshore", &mut script);
    terminal::write(&script)
}
