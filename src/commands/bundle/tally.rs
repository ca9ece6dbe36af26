//! What became of every source, gathered from the operation's log.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a line of the log says of one source.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct SourceEvent {
    pub(super) source: u64,
    pub(super) url: String,
    pub(super) state: String,
    #[serde(default)]
    pub(super) bytes: u64,
    #[serde(default)]
    pub(super) path: Option<String>,
    #[serde(default)]
    pub(super) reason: Option<Reason>,
}

/// What the line says that every attempt begins with.
#[derive(Debug, Deserialize)]
struct AttemptEvent {
    #[serde(rename = "attempt")]
    _attempt: u64,
}

/// Why a source is missing.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Reason {
    pub(super) code: String,
    pub(super) message: String,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// How many sources ended, in the archive or not.
    ended: u64,
    missing: BTreeMap<u64, SourceEvent>,
}

impl Tally {
    /// Takes in the `data` of a line; what it says, where it is about a source's end.
    pub(super) fn take(&mut self, data: &Value) -> Option<SourceEvent> {
        if AttemptEvent::deserialize(data).is_ok() {
            // A bundle that is taken up again fetches everything again.
            *self = Self::default();
            return None;
        }
        let event = SourceEvent::deserialize(data).ok()?;
        match event.state.as_str() {
            "done" => {
                self.missing.remove(&event.source);
            }
            "failed" | "refused" => {
                self.missing.insert(event.source, event.clone());
            }
            _ => return None,
        }
        self.ended += 1;
        Some(event)
    }

    /// How many sources ended so far in this attempt.
    pub(super) const fn ended(&self) -> u64 {
        self.ended
    }

    /// What is missing, in the order of the list.
    pub(super) fn missing(&self) -> impl ExactSizeIterator<Item = &SourceEvent> {
        self.missing.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_failed_and_came_later_is_not_missing() {
        let mut tally = Tally::default();
        let event =
            |source: u64, state: &str| json!({"source": source, "url": "http://a", "state": state});
        assert!(tally.take(&event(0, "fetching")).is_none());
        assert!(tally.take(&json!({"other": 1})).is_none());
        for (source, state) in [(2, "failed"), (1, "refused"), (2, "done")] {
            assert!(tally.take(&event(source, state)).is_some());
        }
        let missing: Vec<u64> = tally.missing().map(|event| event.source).collect();
        assert_eq!((missing, tally.ended()), (vec![1], 3));
    }
    #[test]
    fn an_attempt_counts_from_the_start() {
        let mut tally = Tally::default();
        let source = |state: &str| json!({"source": 0, "url": "http://a", "state": state});
        tally.take(&source("failed"));
        assert!(tally.take(&json!({"attempt": 2, "sources": 1})).is_none());
        assert_eq!((tally.missing().len(), tally.ended()), (0, 0));
        tally.take(&source("done"));
        assert_eq!(tally.ended(), 1);
    }
}
