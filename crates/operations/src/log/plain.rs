//! A line in plain words: what a terminal would show of it in the end. Its colours are
//! left out, and what it drew over is gone.
//!
//! As the console reads a line (`console/src/log/ansi.ts`): carriage returns and
//! backspaces, and of the escape sequences (ECMA-48) those that move within the line or
//! erase a part of it.

use std::borrow::Cow;
use std::iter::Peekable;
use std::str::Chars;

/// No sequence moves farther, so that none can ask for a billion blanks.
const FARTHEST_JUMP: usize = 1_000;

/// The words of `text`, without anything that would steer a terminal but tabs.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(steers) {
        return text.into();
    }
    let mut drawn = Drawn::default();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => drawn.escape(&mut rest),
            '\u{9b}' => drawn.control(&mut rest),
            '\r' => drawn.column = 0,
            '\u{8}' => drawn.column = drawn.column.saturating_sub(1),
            c if steers(c) => {}
            c => drawn.put(c),
        }
    }
    drawn.cells.into_iter().collect::<String>().into()
}

fn steers(c: char) -> bool {
    c.is_control() && c != '\t'
}

/// A line of a terminal, and where it is written next.
#[derive(Default)]
struct Drawn {
    cells: Vec<char>,
    column: usize,
}

impl Drawn {
    fn put(&mut self, c: char) {
        if self.cells.len() <= self.column {
            self.cells.resize(self.column + 1, ' ');
        }
        self.cells[self.column] = c;
        self.column += 1;
    }

    /// What follows an escape character.
    fn escape(&mut self, rest: &mut Peekable<Chars<'_>>) {
        match rest.next() {
            Some('[') => self.control(rest),
            Some(']' | 'P' | 'X' | '^' | '_') => skip_string(rest),
            // They choose a set of characters, and name it by one more.
            Some('(' | ')' | '*' | '+' | '#' | '%') => {
                rest.next();
            }
            _ => {}
        }
    }

    /// A control sequence: parameters, intermediates, and a final byte.
    fn control(&mut self, rest: &mut Peekable<Chars<'_>>) {
        let mut parameters = String::new();
        while let Some(c) = rest.next_if(|c| ('\u{30}'..='\u{3f}').contains(c)) {
            parameters.push(c);
        }
        while rest
            .next_if(|c| ('\u{20}'..='\u{2f}').contains(c))
            .is_some()
        {}
        let steps = match parameters.parse::<usize>() {
            Ok(0) | Err(_) => 1,
            Ok(steps) => steps,
        };
        match rest.next_if(|c| ('\u{40}'..='\u{7e}').contains(c)) {
            Some('K') => self.erase(&parameters),
            Some('G') => self.column = steps.min(FARTHEST_JUMP) - 1,
            Some('D') => self.column = self.column.saturating_sub(steps),
            Some('C') => {
                let farthest = self.column.max(FARTHEST_JUMP);
                self.column = self.column.saturating_add(steps).min(farthest);
            }
            _ => {}
        }
    }

    fn erase(&mut self, what: &str) {
        match what {
            "" | "0" => self.cells.truncate(self.column),
            "1" => {
                let end = self.cells.len().min(self.column + 1);
                self.cells[..end].fill(' ');
            }
            "2" => self.cells.clear(),
            _ => {}
        }
    }
}

/// Leaves out what runs to a bell or to a string terminator (ESC \): a title, a link.
fn skip_string(rest: &mut Peekable<Chars<'_>>) {
    while let Some(c) = rest.next_if(|c| *c != '\u{1b}') {
        if c == '\u{7}' {
            return;
        }
    }
    let mut ahead = rest.clone();
    ahead.next();
    if ahead.next_if_eq(&'\\').is_some() {
        *rest = ahead;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What is written, and what it leaves, both after so many letters. The console's tests
    /// (`console/src/log/ansi.test.ts`) read the same.
    #[derive(serde::Deserialize)]
    struct Case {
        #[serde(default)]
        after: usize,
        written: String,
        left: String,
    }

    #[test]
    fn a_line_is_what_it_leaves_on_a_terminal() {
        let cases: Vec<Case> =
            serde_json::from_str(include_str!("plain-cases.json")).expect("cases");
        for case in cases {
            let before = "x".repeat(case.after);
            let left = format!("{before}{}", case.left);
            let found = plain(&format!("{before}{}", case.written)).into_owned();
            assert_eq!(found, left, "{:?} after {}", case.written, case.after);
        }
    }

    #[test]
    fn what_is_plain_already_is_not_copied() {
        assert!(matches!(plain("a\tb ü 🚢"), Cow::Borrowed(_)));
    }

    #[test]
    fn no_sequence_asks_for_more_than_a_thousand_blanks() {
        let far = plain("\u{1b}[999999999G|\u{1b}[999999999C|").into_owned();
        assert!(far.chars().count() <= FARTHEST_JUMP + 2, "{}", far.len());
        // More than any number has digits.
        let beyond = format!("a\u{1b}[{}Cb", "9".repeat(60));
        assert_eq!(plain(&beyond), "a b");
        // Where a line is longer than that, it is not moved back.
        let long = "x".repeat(5_000);
        assert_eq!(plain(&format!("{long}\u{1b}[1Cy")), format!("{long}y"));
    }

    proptest! {
        #[test]
        fn whatever_was_written_is_plain_and_stays_so(
            text in "([a-zü \t\r\u{8}\u{7}\u{9b}]|\u{1b}[\\[\\](\\\\]?[0-9;]{0,3}[A-Za-zK]?){0,40}",
        ) {
            let once = plain(&text).into_owned();
            prop_assert!(!once.chars().any(steers), "{once:?}");
            prop_assert_eq!(plain(&once), once.as_str());
        }
    }
}
