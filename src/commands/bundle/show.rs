//! What is seen of a bundle while it is made: bars on a terminal, lines elsewhere,
//! JSON for programs, or nothing.

use super::BundleArguments;
use super::tally::SourceEvent;
use crate::exit::{Failure, Result};
use crate::terminal;
use crate::terminal::bar::style;
use base::OperationId;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};
use operations::{Progress, Transfer};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Bars of transfers that are shown at once.
const BARS: usize = 8;
/// How often the total is drawn, though nothing changed: its rate has.
const TICK: Duration = Duration::from_millis(200);
/// Most missing sources that are listed at the end.
const LISTED: usize = 1000;

/// See the module.
pub(super) struct Show {
    way: Way,
    begun: Instant,
    received: u64,
    total: u64,
}

enum Way {
    Nothing,
    Lines,
    Bars(Box<Bars>),
    Json { to_stderr: bool },
}

impl Show {
    pub(super) fn new(arguments: &BundleArguments) -> Self {
        let way = if arguments.json {
            Way::Json {
                to_stderr: arguments.to_stdout(),
            }
        } else if arguments.quiet {
            Way::Nothing
        } else if io::stderr().is_terminal() {
            let target = ProgressDrawTarget::stderr_with_hz(10);
            Way::Bars(Box::new(Bars::new(target)))
        } else {
            Way::Lines
        };
        Self {
            way,
            begun: Instant::now(),
            received: 0,
            total: 0,
        }
    }

    /// Seconds since it began.
    pub(super) fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// Writes an event for a program, where one listens.
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

    /// The server has accepted it.
    pub(super) fn accepted(&mut self, operation: OperationId, name: &str, sources: u64) -> Result {
        self.total = sources;
        match &self.way {
            Way::Lines => terminal::say(&format!("operation {operation}: {sources} sources")),
            Way::Bars(bars) => {
                bars.total.set_length(sources);
                bars.total.enable_steady_tick(TICK);
            }
            _ => {}
        }
        self.event(&json!({
            "event": "accepted", "operation": operation, "name": name, "sources": sources,
        }))
    }

    /// Bytes of the archive came.
    pub(super) fn received(&mut self, bytes: u64) {
        self.received += bytes;
        if let Way::Bars(bars) = &self.way {
            bars.received(self.received, self.begun.elapsed());
        }
    }

    /// The operation told how far it is.
    pub(super) fn progress(&mut self, progress: &Progress) -> Result {
        if let Way::Bars(bars) = &mut self.way {
            bars.progress(progress);
            return Ok(());
        }
        self.event(&json!({
            "event": "progress", "done": progress.done, "total": progress.total,
            "bytes": progress.bytes, "received": self.received,
            "message": progress.message, "transfers": progress.transfers,
        }))
    }

    /// A source ended. `data` is what the log says of it, `ended` how many have.
    pub(super) fn source(&mut self, event: &SourceEvent, data: &Value, ended: u64) -> Result {
        let line = || match &event.reason {
            // Why is told at the end, of all that are missing.
            Some(_) => format!(
                "[{ended}/{}] missing: {}",
                self.total,
                terminal::plain(&event.url)
            ),
            None => format!(
                "[{ended}/{}] {} {}",
                self.total,
                terminal::plain(event.path.as_deref().unwrap_or(&event.url)),
                terminal::bytes(event.bytes)
            ),
        };
        match &self.way {
            Way::Lines => terminal::say(&line()),
            Way::Bars(bars) if event.reason.is_some() => bars.above(&line()),
            Way::Json { .. } => {
                let mut told = data.clone();
                told["event"] = "source".into();
                return self.event(&told);
            }
            _ => {}
        }
        Ok(())
    }

    /// A word in between.
    pub(super) fn note(&self, text: &str) {
        match &self.way {
            Way::Bars(bars) => bars.above(text),
            Way::Lines => terminal::say(text),
            _ => {}
        }
    }

    /// Whether a program listens.
    pub(super) const fn is_json(&self) -> bool {
        matches!(self.way, Way::Json { .. })
    }

    /// The last word, below all bars.
    pub(super) fn closing(&self, text: &str) {
        self.still();
        if matches!(self.way, Way::Bars(_) | Way::Lines) {
            terminal::say(text);
        }
    }

    /// No bar is drawn any more.
    pub(super) fn still(&self) {
        if let Way::Bars(bars) = &self.way {
            bars.clear();
        }
    }

    /// Tells programs of what came to nothing before the server was asked; the same failure.
    pub(super) fn refused(&self, failure: Failure) -> Failure {
        let summary = json!({
            "result": "failed", "operation": null, "file": null,
            "entries": null, "bytes": null, "link": null, "error": failure.to_string(),
        });
        // That nobody hears it changes nothing.
        let _ = self.summary(summary, std::iter::empty());
        failure
    }

    /// The last event, for programs; for people, what is missing.
    pub(super) fn summary<'e>(
        &self,
        mut summary: Value,
        missing: impl ExactSizeIterator<Item = &'e SourceEvent>,
    ) -> Result {
        self.still();
        if let Way::Json { .. } = self.way {
            summary["event"] = "summary".into();
            summary["seconds"] = self.seconds().into();
            summary["missing"] = missing
                .map(|event| {
                    let reason = event
                        .reason
                        .as_ref()
                        .map(|reason| json!({ "code": reason.code, "message": reason.message }));
                    json!({
                        "source": event.source, "url": event.url,
                        "state": event.state, "reason": reason,
                    })
                })
                .collect();
            return self.event(&summary);
        }
        let more = missing.len().saturating_sub(LISTED);
        let mut err = io::stderr().lock();
        if missing.len() > 0 {
            let _ = writeln!(err, "Missing:");
        }
        for event in missing.take(LISTED) {
            let why = event.reason.as_ref().map_or("", |reason| &reason.message);
            let number = event.source + 1;
            let (url, why) = (terminal::plain(&event.url), terminal::plain(why));
            // Nobody may be listening.
            let _ = writeln!(err, "  {number}. {url}: {why} ({})", event.state);
        }
        if more > 0 {
            let _ = writeln!(
                err,
                "  and {more} more; the report in the archive has all of them"
            );
        }
        Ok(())
    }
}

/// Bars: one for each moving transfer, and below them the total.
struct Bars {
    all: MultiProgress,
    total: ProgressBar,
    transfers: HashMap<u64, ProgressBar>,
}

impl Bars {
    fn new(target: ProgressDrawTarget) -> Self {
        let all = MultiProgress::with_draw_target(target);
        let total = all.add(ProgressBar::new(0));
        total.set_style(style("{bar:28} {pos}/{len} files  {msg}  {left}"));
        Self {
            all,
            total,
            transfers: HashMap::new(),
        }
    }

    fn received(&self, bytes: u64, since: Duration) {
        // Below a tenth of a second a rate is a guess.
        let seconds = since.as_secs_f64().max(0.1);
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss
        )]
        let rate = (bytes as f64 / seconds) as u64;
        self.total.set_message(format!(
            "{}  {}/s",
            terminal::bytes(bytes),
            terminal::bytes(rate)
        ));
    }

    fn progress(&mut self, progress: &Progress) {
        if let Some(total) = progress.total {
            self.total.set_length(total);
        }
        self.total.set_position(progress.done);
        // Those that only wait tell nothing, so they come last.
        let (moving, waiting): (Vec<&Transfer>, Vec<&Transfer>) = progress
            .transfers
            .iter()
            .partition(|transfer| transfer.done > 0);
        let shown: Vec<&Transfer> = moving.into_iter().chain(waiting).take(BARS).collect();
        let number = |transfer: &Transfer| transfer.index.unwrap_or(u64::MAX);
        let gone: Vec<u64> = self
            .transfers
            .keys()
            .filter(|known| !shown.iter().any(|transfer| number(transfer) == **known))
            .copied()
            .collect();
        for index in gone {
            if let Some(bar) = self.transfers.remove(&index) {
                bar.finish_and_clear();
                self.all.remove(&bar);
            }
        }
        for &transfer in &shown {
            let (all, total) = (&self.all, &self.total);
            let bar = self.transfers.entry(number(transfer)).or_insert_with(|| {
                let bar = all.insert_before(total, ProgressBar::new(0));
                let template = match transfer.total {
                    Some(_) => "  {bar:20} {binary_bytes:>11}/{binary_total_bytes:11} {wide_msg}",
                    None => "  {spinner:20} {binary_bytes:>11} {wide_msg}",
                };
                bar.set_style(style(template));
                bar.set_message(terminal::plain(&transfer.name).into_owned());
                bar
            });
            if let Some(total) = transfer.total {
                bar.set_length(total);
            }
            bar.set_position(transfer.done);
        }
    }

    fn above(&self, line: &str) {
        // A terminal that is gone shows nothing.
        let _ = self.all.println(line);
    }

    fn clear(&self) {
        self.total.finish_and_clear();
        for bar in self.transfers.values() {
            bar.finish_and_clear();
        }
        let _ = self.all.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::bar::tests::Paper;

    #[test]
    fn the_total_says_no_time_before_anything_is_done() {
        let paper = Paper::default();
        let bars = Bars::new(paper.target());
        bars.total.set_length(42);
        bars.received(0, Duration::from_secs(1));
        bars.total.tick();
        let drawn = paper.read();
        assert!(drawn.contains("0/42 files"), "{drawn}");
        assert!(!drawn.contains("left"), "{drawn}");
    }
}
