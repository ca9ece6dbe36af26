//! What came of a bundle: its entries, what is missing and why, and how both are told.

use crate::gather::Miss;
use crate::name::EntryName;
use crate::report::{self, Missing, MissingState, Summary, Totals};
use crate::source::Source;
use base::Timestamp;
use bytes::Bytes;
use fetch::for_log;
use operations::Context;
use serde::Serialize;
use std::sync::Arc;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Made {
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
    pub(crate) missing: Vec<MissingSource>,
}

/// A source that is not in the archive.
#[derive(Debug)]
pub(crate) struct MissingSource {
    pub(crate) index: usize,
    pub(crate) state: MissingState,
    pub(crate) miss: Miss,
    pub(crate) entry: Option<EntryName>,
    pub(crate) bytes: u64,
}

/// What the first log line of an attempt says for programs: who counts the lines of
/// sources starts over here, as an attempt fetches everything.
#[derive(Serialize)]
pub(crate) struct AttemptEvent {
    /// 1, 2 …
    pub(crate) attempt: u64,
    pub(crate) sources: usize,
}

impl AttemptEvent {
    /// The same for people.
    pub(crate) fn words(&self) -> String {
        match self.sources {
            1 => "Fetching 1 source.".to_owned(),
            many => format!("Fetching {many} sources."),
        }
    }
}

/// What a log line of a source says for programs.
#[derive(Serialize)]
pub(crate) struct SourceEvent<'a> {
    pub(crate) source: usize,
    pub(crate) url: &'a str,
    pub(crate) state: &'a str,
    pub(crate) bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<Reason<'a>>,
}

#[derive(Serialize)]
pub(crate) struct Reason<'a> {
    pub(crate) code: &'a str,
    pub(crate) message: &'a str,
}

impl Made {
    /// Sources of which it is known what became of them.
    pub(crate) fn settled(&self) -> u64 {
        self.entries + self.missing.len() as u64
    }

    /// Notes a source that is missing. Many in a row tend to be so for one reason, whose
    /// words are then kept once.
    pub(crate) fn miss(&mut self, mut missing: MissingSource) {
        if let Some(last) = self.missing.last()
            && last.miss.message == missing.miss.message
        {
            missing.miss.message = Arc::clone(&last.miss.message);
        }
        self.missing.push(missing);
    }

    /// In the order of the sources, as the report lists them.
    pub(crate) fn sort(&mut self) {
        self.missing.sort_by_key(|missing| missing.index);
    }
}

/// The report's two files, made a piece at a time from what is held anyway.
pub(crate) struct Telling<'a> {
    pub(crate) missing: &'a [MissingSource],
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
    pub(crate) created_at: Timestamp,
    pub(crate) sources: &'a [Source],
    /// Knows what must not be told.
    pub(crate) context: &'a Context,
}

impl<'a> Telling<'a> {
    /// For programs.
    pub(crate) fn json(&self) -> impl Iterator<Item = Bytes> + Send + use<'a> {
        report::json(self.summary(), self.rows())
    }

    /// For people.
    pub(crate) fn text(&self) -> impl Iterator<Item = Bytes> + Send + use<'a> {
        report::text(self.summary(), self.rows())
    }

    fn summary(&self) -> Summary<'a> {
        Summary {
            bundle: Some(self.id),
            name: Some(self.name),
            created_at: self.created_at,
            totals: Totals {
                sources: self.sources.len() as u64,
                entries: self.entries,
                missing: self.missing.len() as u64,
                bytes: self.bytes,
            },
        }
    }

    fn rows(&self) -> impl Iterator<Item = Missing<'a>> + Send + use<'a> {
        let (sources, context) = (self.sources, self.context);
        self.missing.iter().map(move |missing| Missing {
            source: missing.index as u64,
            url: context
                .redacted(&for_log(&sources[missing.index].url))
                .into(),
            state: missing.state,
            code: missing.miss.code,
            message: &missing.miss.message,
            entry: missing
                .entry
                .as_ref()
                .map(|entry| context.redacted(entry.as_str()).into()),
            bytes: missing.bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Console and command line read these names.
    #[test]
    fn an_attempt_begins_with_a_line_that_programs_can_tell_apart() {
        let begun = AttemptEvent {
            attempt: 2,
            sources: 3,
        };
        assert_eq!(begun.words(), "Fetching 3 sources.");
        assert_eq!(
            serde_json::to_value(&begun).unwrap(),
            serde_json::json!({"attempt": 2, "sources": 3})
        );
    }
}
