//! What is seen of files on their way: bars on a terminal, a line for each elsewhere,
//! JSON for programs, or nothing.

use super::{Ended, FlowArguments, Outcome};
use crate::exit::Result;
use crate::terminal;
use crate::terminal::bar::style;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

/// Files below this length come and go without a bar of their own.
const SMALL: u64 = 256 << 10;
/// How often the total is drawn, though nothing changed: its rate has.
const TICK: Duration = Duration::from_millis(200);

/// See the module.
pub(in crate::commands) struct Show {
    way: Way,
    begun: Instant,
    count: Cell<u64>,
    /// The failure of the first file, which is not told twice where it is the only one.
    held: RefCell<Option<String>>,
}

enum Way {
    Nothing,
    Lines,
    Bars {
        all: MultiProgress,
        total: ProgressBar,
    },
    Json {
        to_stderr: bool,
    },
}

impl Show {
    /// As the arguments want it. `to_stdout`: standard output is for a content.
    pub(in crate::commands) fn new(flow: &FlowArguments, to_stdout: bool) -> Self {
        let way = if flow.json {
            Way::Json {
                to_stderr: to_stdout,
            }
        } else if flow.quiet {
            Way::Nothing
        } else if !io::stderr().is_terminal() {
            Way::Lines
        } else {
            bars()
        };
        Self {
            way,
            begun: Instant::now(),
            count: Cell::new(0),
            held: RefCell::default(),
        }
    }

    /// Seconds since it began.
    pub(in crate::commands) fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// A file begins to move.
    pub(in crate::commands) fn begin(&self, name: &str, length: Option<u64>) -> Moving {
        let Way::Bars { all, total } = &self.way else {
            return Moving {
                bar: ProgressBar::hidden(),
                total: ProgressBar::hidden(),
            };
        };
        let bar = if length.is_some_and(|length| length < SMALL) {
            ProgressBar::hidden()
        } else {
            let bar = all.insert_before(total, ProgressBar::no_length());
            bar.set_style(style("  {spinner:20} {binary_bytes:>11} {wide_msg}"));
            bar.set_message(terminal::plain(name).into_owned());
            bar
        };
        let moving = Moving {
            bar,
            total: total.clone(),
        };
        if let Some(length) = length {
            moving.measures(length);
        }
        moving
    }

    /// What became of a file.
    pub(in crate::commands) fn ended(&self, ended: &Ended) -> Result {
        let count = self.count.get() + 1;
        self.count.set(count);
        if let Way::Json { .. } = self.way {
            return self.event(&event(ended));
        }
        if let Way::Bars { total, .. } = &self.way {
            total.set_message(super::files(count));
        }
        if let Some(held) = self.held.take() {
            self.tell(&held);
        }
        match ended.outcome {
            Outcome::Failed(_) if count == 1 => *self.held.borrow_mut() = Some(line(ended)),
            Outcome::Failed(_) => self.tell(&line(ended)),
            Outcome::Done(_) if matches!(self.way, Way::Bars { .. }) => {}
            _ => self.note(&line(ended)),
        }
        Ok(())
    }

    /// What is said even to those who want to hear little.
    fn tell(&self, text: &str) {
        match self.way {
            Way::Nothing => terminal::say(text),
            _ => self.note(text),
        }
    }

    fn event(&self, event: &Value) -> Result {
        match self.way {
            Way::Json { to_stderr: true } => {
                terminal::say(&event.to_string());
                Ok(())
            }
            Way::Json { to_stderr: false } => terminal::line(&event.to_string()),
            _ => Ok(()),
        }
    }

    /// A word in between, for people.
    pub(in crate::commands) fn note(&self, text: &str) {
        match &self.way {
            // A terminal that is gone shows nothing.
            Way::Bars { all, .. } => drop(all.println(text)),
            Way::Lines => terminal::say(text),
            Way::Json { .. } | Way::Nothing => {}
        }
    }

    /// No bar is drawn any more.
    pub(in crate::commands) fn still(&self) {
        if let Way::Bars { all, total } = &self.way {
            total.finish_and_clear();
            let _ = all.clear();
        }
    }

    /// The last event, for programs.
    pub(in crate::commands) fn summary(&self, summary: Value) -> Result {
        self.event(&summary)
    }

    /// The last word, for people.
    pub(in crate::commands) fn closing(&self, text: &str) {
        if matches!(self.way, Way::Bars { .. } | Way::Lines) {
            terminal::say(text);
        }
    }
}

fn bars() -> Way {
    let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
    let total = all.add(ProgressBar::no_length());
    total.set_style(style(
        "{msg:>12}  {binary_bytes}  {binary_bytes_per_sec}  {elapsed}",
    ));
    total.enable_steady_tick(TICK);
    Way::Bars { all, total }
}

fn event(ended: &Ended) -> Value {
    let mut event = json!({ "event": "file", "from": ended.from, "to": ended.to });
    match &ended.outcome {
        Outcome::Done(bytes) => {
            event["state"] = "done".into();
            event["bytes"] = (*bytes).into();
        }
        Outcome::Skipped(why) => {
            event["state"] = "skipped".into();
            event["reason"] = (*why).into();
        }
        Outcome::Failed(trouble) => {
            event["state"] = "failed".into();
            event["reason"] = trouble.failure.to_string().into();
        }
    }
    event
}

fn line(ended: &Ended) -> String {
    let from = terminal::plain(&ended.from);
    match &ended.outcome {
        Outcome::Done(_) if ended.to.is_empty() => from.into_owned(),
        Outcome::Done(bytes) => {
            let to = terminal::plain(&ended.to);
            format!("{from} -> {to}  {}", terminal::bytes(*bytes))
        }
        Outcome::Skipped(why) => format!("{from}: {why}"),
        Outcome::Failed(trouble) => {
            let why = trouble.failure.to_string();
            format!("{from}: failed: {}", terminal::plain(&why))
        }
    }
}

/// One file on its way. Its bar goes with it.
#[derive(Clone, Debug)]
pub(in crate::commands) struct Moving {
    bar: ProgressBar,
    total: ProgressBar,
}

impl Moving {
    /// So many bytes more.
    pub(in crate::commands) fn moved(&self, bytes: u64) {
        self.bar.inc(bytes);
        self.total.inc(bytes);
    }

    /// It has so many bytes in all.
    pub(in crate::commands) fn measures(&self, length: u64) {
        if self.bar.length() == Some(length) {
            return;
        }
        self.bar.set_style(style(
            "  {bar:20} {binary_bytes:>11}/{binary_total_bytes:11} {left:>8} {wide_msg}",
        ));
        self.bar.set_length(length);
    }

    /// It stands at this byte, and begins again from there.
    pub(in crate::commands) fn stands_at(&self, byte: u64) {
        self.bar.update(|state| state.set_pos(byte));
        // What was there before has told nothing of how fast it goes now.
        self.bar.reset_eta();
    }

    /// It is on its way no more.
    pub(in crate::commands) fn gone(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::bar::tests::Paper;

    #[test]
    fn what_was_there_before_tells_no_time() {
        let paper = Paper::default();
        let moving = Moving {
            bar: ProgressBar::with_draw_target(None, paper.target()),
            total: ProgressBar::hidden(),
        };
        moving.measures(4 << 20);
        moving.stands_at(3 << 20);
        paper.read();
        moving.bar.tick();
        let drawn = paper.read();
        assert!(drawn.contains("3.00 MiB/4.00 MiB"), "{drawn}");
        assert!(!drawn.contains("left"), "{drawn}");
    }
}
