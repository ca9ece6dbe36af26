//! The steps of a long command: each named and timed, its runner's closing lines
//! kept, and at the end all of it once more with what was skipped and why.

use crate::process::Failure;
use std::time::{Duration, Instant};

/// Closing lines a step may leave in the summary.
const CLOSING: usize = 8;

/// How the runners of this project close: a line that begins and contains so.
const CLOSERS: [(&str, &str); 12] = [
    ("Summary [", "tests run"),
    ("test result:", "passed"),
    ("Test Files", "passed"),
    ("Test Files", "failed"),
    ("Tests", "passed"),
    ("Tests", "failed"),
    ("", " passed ("),
    ("", " flaky"),
    ("", " did not run"),
    ("Checked ", " file"),
    ("", "licenses ok"),
    ("", "advisories ok"),
];

enum Outcome {
    Passed(Vec<String>),
    Failed(String),
    Skipped(String),
}

struct Step {
    name: String,
    took: Duration,
    outcome: Outcome,
}

/// What was done so far.
pub(crate) struct Report {
    begun: Instant,
    steps: Vec<Step>,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self {
            begun: Instant::now(),
            steps: Vec::new(),
        }
    }

    /// Does a step, which gives its output back; whether it passed. A failure is
    /// kept, and what does not need this step goes on.
    pub(crate) fn step(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<String, Failure>,
    ) -> bool {
        println!("\n=== {name}");
        let begun = Instant::now();
        let outcome = match work() {
            Ok(output) => Outcome::Passed(closing_lines(&output)),
            Err(failure) => {
                println!("FAILED: {failure}");
                Outcome::Failed(failure.to_string())
            }
        };
        let passed = matches!(outcome, Outcome::Passed(_));
        self.steps.push(Step {
            name: name.to_owned(),
            took: begun.elapsed(),
            outcome,
        });
        passed
    }

    /// Says that something was left out, and why.
    pub(crate) fn skip(&mut self, name: &str, why: &str) {
        println!("\n=== {name}\nskipped: {why}");
        self.steps.push(Step {
            name: name.to_owned(),
            took: Duration::ZERO,
            outcome: Outcome::Skipped(why.to_owned()),
        });
    }

    /// A failure of its own kind: left out although it was required.
    pub(crate) fn skip_unless_required(&mut self, name: &str, why: &str) {
        if crate::place::peers_required() {
            self.step(name, || {
                Err(Failure::new(format!(
                    "required here (LONGSHORE_REQUIRE_PEERS): {why}"
                )))
            });
        } else {
            self.skip(name, why);
        }
    }

    /// Prints the summary; fails when a step did.
    pub(crate) fn close(self) -> Result<(), Failure> {
        println!("\n=== summary");
        let mut failed = Vec::new();
        for step in &self.steps {
            let seconds = step.took.as_secs_f64();
            match &step.outcome {
                Outcome::Passed(closing) => {
                    println!("  ok      {:<34} {seconds:>7.1} s", step.name);
                    for line in closing {
                        println!("            {line}");
                    }
                }
                Outcome::Failed(why) => {
                    println!("  FAILED  {:<34} {seconds:>7.1} s", step.name);
                    for line in why.lines().take(CLOSING) {
                        println!("            {line}");
                    }
                    failed.push(step.name.as_str());
                }
                Outcome::Skipped(why) => {
                    println!("  skipped {:<34} {why}", step.name);
                }
            }
        }
        println!("  in all {:>43.1} s", self.begun.elapsed().as_secs_f64());
        if failed.is_empty() {
            Ok(())
        } else {
            Err(Failure::new(format!("failed: {}", failed.join(", "))))
        }
    }
}

/// The lines with which the runners of this project end, out of their output.
fn closing_lines(output: &str) -> Vec<String> {
    let mut lines: Vec<String> = output
        .lines()
        .map(|line| plain(line).trim().to_owned())
        .filter(|line| {
            CLOSERS
                .iter()
                .any(|(begins, contains)| line.starts_with(begins) && line.contains(contains))
        })
        .collect();
    // Many documentation tests close with many lines; those that ran none say nothing.
    lines.retain(|line| !line.contains(" 0 passed; 0 failed"));
    let surplus = lines.len().saturating_sub(CLOSING);
    lines.split_off(surplus)
}

/// A line without its colours.
fn plain(line: &str) -> String {
    let mut kept = String::with_capacity(line.len());
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' {
            // `ESC [ … letter`: everything up to the letter that ends the sequence.
            for skipped in letters.by_ref() {
                if skipped.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            kept.push(letter);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(output: &str, expected: &[&str]) {
        assert_eq!(closing_lines(output), expected, "of {output:?}");
    }

    #[test]
    fn the_closing_lines_of_every_runner_are_found() {
        check(
            "   Compiling x\n     Summary [   0.5s] 12 tests run: 12 passed, 1 skipped\n",
            &["Summary [   0.5s] 12 tests run: 12 passed, 1 skipped"],
        );
        check(
            "test result: ok. 0 passed; 0 failed; 0 ignored\ntest result: ok. 3 passed; 0 failed",
            &["test result: ok. 3 passed; 0 failed"],
        );
        check(
            "\u{1b}[2m Test Files \u{1b}[22m \u{1b}[1m3 passed\u{1b}[22m (3)\n      Tests  40 passed (40)",
            &["Test Files  3 passed (3)", "Tests  40 passed (40)"],
        );
        check(
            "  1 flaky\n  21 passed (30.1s)\n",
            &["1 flaky", "21 passed (30.1s)"],
        );
        check(
            "bans ok, licenses ok, sources ok",
            &["bans ok, licenses ok, sources ok"],
        );
        check("error: a test passed over this", &[]);
    }

    #[test]
    fn a_failed_step_fails_the_report_and_a_skipped_one_does_not() {
        let mut report = Report::new();
        assert!(report.step("good", || Ok(String::new())));
        report.skip("left out", "nothing to test");
        assert!(report.close().is_ok());
        let mut report = Report::new();
        assert!(!report.step("bad", || Err(Failure::new("broken"))));
        report.step("good", || Ok(String::new()));
        let failure = report.close().expect_err("one step failed");
        assert!(failure.to_string().contains("bad"));
    }
}
