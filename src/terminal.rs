//! How commands write: data to standard output, words about it to standard error.
//!
//! Nothing here panics when a pipe is closed, colours are for terminals that want
//! them, and no text from elsewhere can steer the terminal.

pub(crate) mod bar;

use crate::exit::{Code, Failure, Result};
use comfy_table::{Attribute, Cell, ContentArrangement, Table};
use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

/// Writes bytes to standard output.
pub(crate) fn write(bytes: &[u8]) -> Result {
    let mut out = io::stdout().lock();
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(|error| unwritten(&error))
}

/// Writes a line to standard output.
pub(crate) fn line(text: &str) -> Result {
    write(format!("{text}\n").as_bytes())
}

/// Writes JSON to standard output, indented for a person's terminal.
pub(crate) fn json(value: &serde_json::Value) -> Result {
    let text = if is_terminal() {
        serde_json::to_string_pretty(value)
    } else {
        serde_json::to_string(value)
    };
    line(&text.map_err(Failure::failed)?)
}

/// Says something on standard error. Whether anybody hears it changes nothing.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// What a failed write to standard output means.
pub(crate) fn unwritten(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::said(Code::Unread);
    }
    Failure::failed(format!("standard output takes nothing more: {error}"))
}

/// Whether standard output is a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether colours are wanted on a terminal (<https://no-color.org>).
pub(crate) fn wants_colour() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Foreign text as a part of a line: without line ends, and without anything that a
/// terminal takes for a command.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_control) {
        let shown = |c: char| if c.is_control() { ' ' } else { c };
        return text.chars().map(shown).collect::<String>().into();
    }
    text.into()
}

/// A line of a log for a terminal: colours and tabs stay, anything else that would
/// steer the terminal goes. Without `colour`, colours go, too.
pub(crate) fn log_text(text: &str, colour: bool) -> Cow<'_, str> {
    if !text.chars().any(|c| c.is_control() && c != '\t') {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\t' => shown.push(c),
            // CSI (ECMA-48 §5.4): parameters, intermediates, and a final byte.
            '\u{1b}' if rest.peek() == Some(&'[') => {
                let mut sequence = String::from(c);
                for part in rest.by_ref() {
                    sequence.push(part);
                    if part != '[' && ('\u{40}'..='\u{7e}').contains(&part) {
                        break;
                    }
                }
                if colour && sequence.ends_with('m') {
                    shown.push_str(&sequence);
                }
            }
            c if c.is_control() => {}
            c => shown.push(c),
        }
    }
    shown.into()
}

/// Prints rows under their headings: columns as wide as what they hold, on a terminal
/// no wider than that.
pub(crate) fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Result {
    let terminal = is_terminal();
    let bold = terminal && wants_colour();
    let mut table = Table::new();
    table
        .load_style(comfy_table::presets::NOTHING)
        .set_content_arrangement(if terminal {
            ContentArrangement::Dynamic
        } else {
            ContentArrangement::Disabled
        });
    if !terminal {
        table.force_no_tty();
    }
    table.set_header(headings.iter().map(|heading| {
        let cell = Cell::new(heading);
        if bold {
            cell.add_attribute(Attribute::Bold)
        } else {
            cell
        }
    }));
    for row in rows {
        table.add_row(row.iter().map(|text| Cell::new(plain(text))));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    for row in table.lines() {
        line(row.trim_end())?;
    }
    Ok(())
}

/// Bytes for people: `1.50 MiB`.
pub(crate) fn bytes(count: u64) -> String {
    indicatif::BinaryBytes(count).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_steer_a_terminal() {
        assert_eq!(plain("a\u{1b}[2J\nb"), "a [2J b");
        let evil = "\u{1b}]0;title\u{7}x\u{1b}[2J\u{1b}[31mred\u{1b}[0m\r\ty\u{9b}1m";
        assert_eq!(log_text(evil, true), "]0;titlex\u{1b}[31mred\u{1b}[0m\ty1m");
        assert_eq!(log_text(evil, false), "]0;titlexred\ty1m");
        assert_eq!(log_text("cut \u{1b}[3", true), "cut ");
    }
}
