//! The report that an archive ends with when something is missing: which sources,
//! and why, as `_longshore-report.json` for programs and `_longshore-report.txt`
//! for people.
//!
//! Both are made a piece at a time from what the caller holds: 100,000 missing
//! sources cost the memory of one piece. Nothing here hides anything: URLs must
//! come without credentials and query, and messages without secrets.
//!
//! The JSON, in version 1 (later versions only add fields):
//!
//! ```json
//! {
//!   "format": "longshore-report/1",
//!   "bundle": "019aa0c5-…",
//!   "name": "covers.zip",
//!   "created_at": "2026-11-21T03:00:00.000000Z",
//!   "totals": {"sources": 500, "entries": 498, "missing": 2, "bytes": 102400000},
//!   "missing": [
//!     {"source": 7, "url": "https://example.org/a.jpg", "state": "failed",
//!      "reason": {"code": "not-found", "message": "the server answered 404"},
//!      "entry": null, "bytes": 0}
//!   ]
//! }
//! ```
//!
//! `bundle` and `name` may be null. `source` counts from 0 in the order of the
//! request. `entry` is the name that the file would have had, or null where that
//! was never known; a reader that takes the archive as a stream may find a file of
//! that name with the first `bytes` bytes, because it broke off (`incomplete`).

use base::Timestamp;
use bytes::Bytes;
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Write as _;

/// A piece is passed on at this many bytes.
const PIECE: usize = 32 * 1024;
/// Longest text of a field, in bytes; the rest is cut off.
const MAX_TEXT: usize = 2048;

/// What the whole bundle came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary<'a> {
    /// The bundle's id.
    pub bundle: Option<&'a str>,
    /// The name that the client gave it.
    pub name: Option<&'a str>,
    /// When the report is made.
    pub created_at: Timestamp,
    /// The numbers.
    pub totals: Totals,
}

/// How many sources were asked for and how many are in the archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Sources asked for.
    pub sources: u64,
    /// Files in the archive, without the report.
    pub entries: u64,
    /// Sources that are not in it.
    pub missing: u64,
    /// Bytes of the files in the archive, before compression.
    pub bytes: u64,
}

/// A source that is not in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing<'a> {
    /// Position in the request, from 0.
    pub source: u64,
    /// The URL, without credentials and query.
    pub url: Cow<'a, str>,
    /// What became of it.
    pub state: MissingState,
    /// A stable code, such as `not-found`.
    pub code: &'a str,
    /// What happened and what can be done, for a person.
    pub message: &'a str,
    /// The name it would have had.
    pub entry: Option<Cow<'a, str>>,
    /// Bytes that came before it failed.
    pub bytes: u64,
}

/// What became of a source that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MissingState {
    /// Not a URL, or one that is not allowed.
    Refused,
    /// It was tried and did not come.
    Failed,
    /// It began and broke off, after a part of it had been written.
    Incomplete,
    /// It was not tried any more.
    Cancelled,
}

impl MissingState {
    const fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Incomplete => "incomplete",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The report as JSON, in pieces of about 32 KiB.
pub fn json<'a, M>(summary: Summary<'a>, missing: M) -> impl Iterator<Item = Bytes>
where
    M: IntoIterator<Item = Missing<'a>>,
{
    let mut separator = "\n";
    let rows = missing.into_iter().map(move |row| {
        let line = format!("{separator}    {}", json_row(&row));
        separator = ",\n";
        line
    });
    let head = std::iter::once_with(move || json_head(&summary));
    gathered(head.chain(rows).chain(["\n  ]\n}\n".to_owned()]))
}

/// The report as text, in pieces of about 32 KiB. Lines end in CR LF, so that any
/// editor shows them.
pub fn text<'a, M>(summary: Summary<'a>, missing: M) -> impl Iterator<Item = Bytes>
where
    M: IntoIterator<Item = Missing<'a>>,
{
    let head = std::iter::once_with(move || text_head(&summary));
    gathered(head.chain(missing.into_iter().map(|row| text_row(&row))))
}

#[derive(Serialize)]
struct JsonRow<'a> {
    source: u64,
    url: &'a str,
    state: MissingState,
    reason: JsonReason<'a>,
    entry: Option<&'a str>,
    bytes: u64,
}

#[derive(Serialize)]
struct JsonReason<'a> {
    code: &'a str,
    message: &'a str,
}

fn json_head(summary: &Summary<'_>) -> String {
    format!(
        "{{\n  \"format\": \"longshore-report/1\",\n  \"bundle\": {},\n  \"name\": {},\n  \
         \"created_at\": {},\n  \"totals\": {},\n  \"missing\": [",
        json_text(&summary.bundle.map(shortened)),
        json_text(&summary.name.map(shortened)),
        json_text(&summary.created_at),
        json_text(&summary.totals),
    )
}

fn json_row(row: &Missing<'_>) -> String {
    json_text(&JsonRow {
        source: row.source,
        url: shortened(&row.url),
        state: row.state,
        reason: JsonReason {
            code: shortened(row.code),
            message: shortened(row.message),
        },
        entry: row.entry.as_deref().map(shortened),
        bytes: row.bytes,
    })
}

/// Texts, numbers and structs of them always have a JSON form.
fn json_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

fn text_head(summary: &Summary<'_>) -> String {
    let totals = summary.totals;
    let mut head = String::from("Some files are missing from this archive.\r\n\r\n");
    let mut line = |label: &str, value: &str| {
        let _ = write!(head, "{label:<9} {value}\r\n");
    };
    if let Some(name) = summary.name {
        line("Bundle:", &one_line(name));
    }
    if let Some(bundle) = summary.bundle {
        line("Id:", &one_line(bundle));
    }
    line("Made at:", &summary.created_at.to_string());
    line("Wanted:", &totals.sources.to_string());
    line("Inside:", &totals.entries.to_string());
    line("Missing:", &totals.missing.to_string());
    head.push_str("\r\n");
    head
}

/// The number is the line of the list, so it counts from 1.
fn text_row(row: &Missing<'_>) -> String {
    let number = row.source.saturating_add(1);
    let mut lines = format!("{number}. {}\r\n", one_line(&row.url));
    let (state, message) = (row.state.word(), one_line(row.message));
    let _ = write!(lines, "   {state}: {message} [{}]\r\n", one_line(row.code));
    if let Some(entry) = row.entry.as_deref() {
        let _ = write!(lines, "   would have been: {}\r\n", one_line(entry));
    }
    lines
}

/// What a terminal may take for a command becomes a space, so that a row stays a row.
fn one_line(text: &str) -> String {
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    shortened(text).chars().map(shown).collect()
}

fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT)]
}

fn gathered(parts: impl Iterator<Item = String>) -> impl Iterator<Item = Bytes> {
    let mut parts = parts.fuse();
    std::iter::from_fn(move || {
        let mut piece = String::new();
        for part in parts.by_ref() {
            piece.push_str(&part);
            if piece.len() >= PIECE {
                break;
            }
        }
        (!piece.is_empty()).then(|| Bytes::from(piece))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SUMMARY: Summary<'_> = Summary {
        bundle: Some("019aa0c5-0000-7000-8000-000000000000"),
        name: Some("co\"vers"),
        created_at: Timestamp::EPOCH,
        totals: Totals {
            sources: 3,
            entries: 1,
            missing: 2,
            bytes: 10,
        },
    };

    const MISSING: [Missing<'_>; 2] = [
        Missing {
            source: 0,
            url: Cow::Borrowed("https://example.org/a.jpg"),
            state: MissingState::Failed,
            code: "not-found",
            message: "the server answered 404",
            entry: None,
            bytes: 0,
        },
        Missing {
            source: 2,
            url: Cow::Borrowed("https://example.org/é"),
            state: MissingState::Incomplete,
            code: "broke-off",
            message: "it ended\r\n3. \u{1b}[2Jearly",
            entry: Some(Cow::Borrowed("é.jpg")),
            bytes: 7,
        },
    ];

    fn joined(pieces: impl Iterator<Item = Bytes>) -> String {
        String::from_utf8(pieces.flatten().collect()).unwrap()
    }

    #[test]
    fn the_json_has_the_form_that_is_documented() {
        let made = joined(json(SUMMARY, MISSING));
        let value: serde_json::Value = serde_json::from_str(&made).unwrap();
        assert_eq!(
            value,
            serde_json::json!({
                "format": "longshore-report/1",
                "bundle": "019aa0c5-0000-7000-8000-000000000000",
                "name": "co\"vers",
                "created_at": "1970-01-01T00:00:00.000000Z",
                "totals": {"sources": 3, "entries": 1, "missing": 2, "bytes": 10},
                "missing": [
                    {"source": 0, "url": "https://example.org/a.jpg", "state": "failed",
                     "reason": {"code": "not-found", "message": "the server answered 404"},
                     "entry": null, "bytes": 0},
                    {"source": 2, "url": "https://example.org/é", "state": "incomplete",
                     "reason": {"code": "broke-off", "message": "it ended\r\n3. \u{1b}[2Jearly"},
                     "entry": "é.jpg", "bytes": 7},
                ],
            })
        );
        let none = joined(json(SUMMARY, []));
        let value: serde_json::Value = serde_json::from_str(&none).unwrap();
        assert_eq!(value["missing"], serde_json::json!([]));
    }

    #[test]
    fn the_text_says_what_is_missing_and_why() {
        let made = joined(text(SUMMARY, MISSING));
        let rows: Vec<&str> = made.split("\r\n").collect();
        assert_eq!(rows[0], "Some files are missing from this archive.");
        assert_eq!(rows[2], "Bundle:   co\"vers");
        assert_eq!(rows[7], "Missing:  2");
        assert_eq!(rows[9], "1. https://example.org/a.jpg");
        assert_eq!(rows[10], "   failed: the server answered 404 [not-found]");
        assert_eq!(rows[11], "3. https://example.org/é");
        assert_eq!(
            rows[12],
            "   incomplete: it ended  3.  [2Jearly [broke-off]"
        );
        assert_eq!(rows[13], "   would have been: é.jpg");
    }

    #[test]
    fn a_hundred_thousand_rows_come_in_bounded_pieces() {
        let long = "x".repeat(10_000);
        let rows = || {
            (0..100_000).map(|source| Missing {
                source,
                url: Cow::Borrowed(if source % 100 == 0 {
                    &long
                } else {
                    "https://example.org"
                }),
                ..MISSING[0].clone()
            })
        };
        let mut all = 0;
        for piece in text(SUMMARY, rows()).chain(json(SUMMARY, rows())) {
            assert!(piece.len() < PIECE + 2 * MAX_TEXT, "{}", piece.len());
            all += piece.len();
        }
        assert!(all > 2 * 1_000 * MAX_TEXT + 2 * 100_000 * 60, "{all}");
    }
}
