//! Asking before something goes: on a terminal, and nowhere else.

use crate::exit::{Code, Failure, Result};
use std::io::{self, BufRead, IsTerminal, Read};

/// The longest answer that is taken, in bytes.
const LONGEST: u64 = 64;

/// Goes on where the answer is yes.
///
/// # Errors
/// Where nobody can be asked, or the answer is another one.
pub(super) fn ask(question: &str) -> Result {
    let input = io::stdin();
    if !input.is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::new(
            Code::Usage,
            "there is no terminal to ask on, so nothing was changed; --yes goes on without asking",
        ));
    }
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    input
        .lock()
        .take(LONGEST)
        .read_line(&mut answer)
        .map_err(Failure::failed)?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::new(Code::Cancelled, "nothing was changed")),
    }
}
