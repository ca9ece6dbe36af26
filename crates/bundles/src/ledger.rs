//! What came of a bundle: its entries, what is missing and why, and how both are told.

use crate::gather::Miss;
use crate::name::EntryName;
use crate::report::{self, Missing, MissingState, Summary, Totals};
use crate::source::Source;
use base::Timestamp;
use bytes::Bytes;
use fetch::for_log;
use serde::Serialize;

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
    /// The report's two files: for programs, and for people.
    pub(crate) fn report(
        &mut self,
        id: &str,
        name: &str,
        created_at: Timestamp,
        sources: &[Source],
    ) -> [(EntryName, Vec<Bytes>); 2] {
        self.missing.sort_by_key(|missing| missing.index);
        let summary = Summary {
            bundle: Some(id),
            name: Some(name),
            created_at,
            totals: Totals {
                sources: sources.len() as u64,
                entries: self.entries,
                missing: self.missing.len() as u64,
                bytes: self.bytes,
            },
        };
        let urls: Vec<String> = self
            .missing
            .iter()
            .map(|missing| for_log(&sources[missing.index].url))
            .collect();
        let rows = || {
            self.missing
                .iter()
                .zip(&urls)
                .map(|(missing, url)| Missing {
                    source: missing.index as u64,
                    url,
                    state: missing.state,
                    code: &missing.miss.code,
                    message: &missing.miss.message,
                    entry: missing.entry.as_ref().map(EntryName::as_str),
                    bytes: missing.bytes,
                })
        };
        [
            (
                EntryName::report_json(),
                report::json(summary, rows()).collect(),
            ),
            (
                EntryName::report_text(),
                report::text(summary, rows()).collect(),
            ),
        ]
    }
}
