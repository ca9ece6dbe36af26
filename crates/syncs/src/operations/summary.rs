//! What people are told of a pass: how many files, by whom, what failed and why.

use super::Ended;
use crate::mail::Letter;
use crate::sql;
use crate::tally::Tally;
use base::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Write;
use storage::Db;

/// People who are named, and failures that are told of one by one.
const MOST_NAMED: usize = 50;
const MOST_FAILURES: usize = 100;
/// The most that is told of one text in a message, in characters.
const MOST_TEXT: usize = 500;

/// By whom files of a pass were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ByWhom {
    /// Who; empty where that is not known.
    pub(crate) creator: String,
    pub(crate) delivered: u64,
    pub(crate) working: u64,
    pub(crate) failed: u64,
}

/// A file that a pass gave up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FailedFile {
    pub(crate) item: String,
    pub(crate) name: String,
    pub(crate) creator: Option<String>,
    pub(crate) reason: String,
}

/// A pass, as people are told of it.
#[derive(Clone, Debug)]
pub(super) struct Summary {
    sync: String,
    operation: String,
    by: Value,
    trigger: Value,
    tally: Tally,
    creators: Vec<ByWhom>,
    /// Whether there are more of them.
    more: bool,
    failures: Vec<FailedFile>,
    /// Why the pass failed as a whole, if it did.
    failure: Option<String>,
}

impl Summary {
    pub(super) async fn of(db: &Db, ended: &Ended<'_>) -> storage::Result<Self> {
        let (sync, id) = (ended.sync, ended.context.id());
        let mut creators = sql::summary::by_whom(db, sync.id, id, MOST_NAMED + 1).await?;
        let more = creators.len() > MOST_NAMED;
        creators.truncate(MOST_NAMED);
        let operation = ended.context.operation();
        Ok(Self {
            sync: sync.name.clone(),
            operation: id.to_string(),
            by: json!(operation.actor),
            trigger: json!(operation.trigger),
            tally: ended.tally.clone(),
            creators,
            more,
            failures: sql::summary::failed(db, sync.id, id, MOST_FAILURES).await?,
            failure: ended.failure.clone(),
        })
    }

    /// As a webhook is told.
    pub(super) fn event(&self) -> Value {
        json!({
            "type": "sync.pass",
            "sync": self.sync,
            "operation": self.operation,
            "by": self.by,
            "trigger": self.trigger,
            "counts": self.tally,
            "creators": self.creators,
            "failures": self.failures,
            "failure": self.failure,
        })
    }

    /// As people are written to.
    pub(super) fn letter(&self, console: Option<&str>, at: Timestamp) -> Letter {
        let tally = &self.tally;
        let mut subject = format!("Sync {}: ", self.sync);
        if self.failure.is_some() {
            subject.push_str("the pass failed, ");
        }
        let _ = write!(subject, "{} delivered", tally.delivered);
        if tally.failed > 0 {
            let _ = write!(subject, ", {} failed", tally.failed);
        }
        Letter {
            subject,
            text: self.text(console),
            id: self.operation.clone(),
            at,
        }
    }

    fn text(&self, console: Option<&str>) -> String {
        let by = self.by.as_str().unwrap_or_default();
        let mut text = format!(
            "A pass of the sync {}, set off by {by}:\n{}.\n",
            self.sync, self.tally
        );
        if let Some(failure) = &self.failure {
            let _ = write!(text, "\nIt failed as a whole: {}\n", line(failure));
        }
        self.write_creators(&mut text);
        self.write_failures(&mut text);
        if let Some(console) = console {
            let _ = write!(text, "\n{console}/syncs/{}\n", self.sync);
        }
        let _ = write!(text, "\nOperation {}\n", self.operation);
        text
    }

    fn write_creators(&self, text: &mut String) {
        if self.creators.iter().all(|one| one.creator.is_empty()) {
            return;
        }
        text.push_str("\nBy whom the files are:\n");
        for one in &self.creators {
            let who = match one.creator.as_str() {
                "" => "not known".to_owned(),
                who => line(who),
            };
            let _ = write!(text, "  {who}: {} delivered", one.delivered);
            for (files, words) in [(one.working, "not ready yet"), (one.failed, "failed")] {
                if files > 0 {
                    let _ = write!(text, ", {files} {words}");
                }
            }
            text.push('\n');
        }
        if self.more {
            text.push_str("  and others\n");
        }
    }

    fn write_failures(&self, text: &mut String) {
        if self.failures.is_empty() {
            return;
        }
        text.push_str("\nFailed, until somebody retries them:\n");
        for one in &self.failures {
            let by = one
                .creator
                .as_deref()
                .map(|who| format!(", by {}", line(who)));
            let _ = writeln!(
                text,
                "  {} ({}){}: {}",
                line(&one.name),
                line(&one.item),
                by.unwrap_or_default(),
                line(&one.reason)
            );
        }
        let left = self.tally.failed.saturating_sub(self.failures.len() as u64);
        if left > 0 {
            let _ = writeln!(text, "  and {left} further ones");
        }
    }
}

/// A text of somebody else, as a part of a line.
fn line(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(MOST_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> Summary {
        let by = |creator: &str, delivered, failed| ByWhom {
            creator: creator.to_owned(),
            delivered,
            working: 0,
            failed,
        };
        Summary {
            sync: "spaces".to_owned(),
            operation: "0198".to_owned(),
            by: json!("schedule:sync-spaces"),
            trigger: json!("schedule"),
            tally: Tally {
                delivered: 3,
                failed: 2,
                bytes: 12,
                ..Tally::default()
            },
            creators: vec![by("anna", 2, 0), by("", 1, 1)],
            more: false,
            failures: vec![FailedFile {
                item: "id1".to_owned(),
                name: "a\r\n.png".to_owned(),
                creator: Some("ben".to_owned()),
                reason: "it is no picture".to_owned(),
            }],
            failure: None,
        }
    }

    #[test]
    fn a_letter_says_how_many_by_whom_and_what_failed() {
        let letter = summary().letter(Some("https://ls.example.org"), Timestamp::from_micros(0));
        assert_eq!(letter.subject, "Sync spaces: 3 delivered, 2 failed");
        assert_eq!(
            letter.text,
            "A pass of the sync spaces, set off by schedule:sync-spaces:\n\
             3 delivered, 2 failed; 12 bytes sent.\n\
             \n\
             By whom the files are:\n  anna: 2 delivered\n  not known: 1 delivered, 1 failed\n\
             \n\
             Failed, until somebody retries them:\n  a  .png (id1), by ben: it is no picture\n  \
             and 1 further ones\n\
             \n\
             https://ls.example.org/syncs/spaces\n\
             \n\
             Operation 0198\n"
        );
    }

    #[test]
    fn a_letter_of_a_pass_that_failed_says_so_first() {
        let mut summary = summary();
        summary.failure = Some("the token\nis none".to_owned());
        let letter = summary.letter(None, Timestamp::from_micros(0));
        let subject = "Sync spaces: the pass failed, 3 delivered, 2 failed";
        assert_eq!(letter.subject, subject);
        let told = "bytes sent.\n\nIt failed as a whole: the token is none\n\nBy whom";
        assert!(letter.text.contains(told), "{}", letter.text);
        assert_eq!(summary.event()["failure"], "the token\nis none");
    }

    #[test]
    fn where_nobody_is_known_nobody_is_named() {
        let mut summary = summary();
        summary.creators.remove(0);
        assert!(!summary.text(None).contains("By whom"));
    }
}
