//! Reading a stored log: pages of lines, the whole as text, and search.

use super::line::{Line, Stream};
use super::plain::plain;
use super::segment::{self, inflating};
use crate::{Error, Result, sql};
use base::{OperationId, Timestamp};
use regex::{Regex, RegexBuilder};
use serde::Serialize;
use std::borrow::Cow;
use storage::Db;

/// Rows of the log read at once.
const ROWS: u64 = 32;
/// A page of lines, or of matches, ends when their texts and data have grown to so many
/// bytes.
const PAGE: usize = 2 << 20;
/// Memory that a compiled search pattern may take.
const PATTERN: usize = 1 << 20;

/// A page of a log.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct LogPage {
    /// The lines, in order.
    pub lines: Vec<Line>,
    /// Where the next page begins; `null` when these are the last lines so far.
    pub next: Option<u64>,
    /// The first line that is still kept.
    pub first_seq: u64,
    /// The last line that is stored.
    pub last_seq: u64,
    /// Whether no line will follow.
    pub ended: bool,
}

/// What to look for in a log.
#[derive(Clone, Debug)]
pub struct SearchQuery {
    /// The text or pattern.
    pub text: String,
    /// Whether it is a regular expression.
    pub regex: bool,
    /// Whether case counts.
    pub case: bool,
    /// Matches are given from this line on; all are counted.
    pub from: u64,
    /// How many matches are given.
    pub limit: usize,
}

/// What was found.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct SearchPage {
    /// The matching lines, in order.
    pub matches: Vec<Line>,
    /// How many lines of the whole log match.
    pub total: u64,
    /// Where the next page of matches begins.
    pub next: Option<u64>,
}

/// The lines from number `from` on: at most `limit`, and about as much as fits a page.
pub(crate) async fn lines(
    db: &Db,
    operation: OperationId,
    from: u64,
    limit: usize,
) -> Result<Vec<Line>> {
    let mut page = Growing::default();
    let mut at = from;
    while page.lines.len() < limit && page.bytes < PAGE {
        let rows = sql::log::segments(db, operation, at, 4).await?;
        let Some(last) = rows.last() else { break };
        // A segment that has grown since is read again from where it ended.
        let begin = std::mem::replace(&mut at, last.last + 1);
        page = inflating(rows, move |rows| {
            for row in rows {
                segment::lines(row.first, &row.chunk, begin, |line| {
                    if page.lines.len() < limit && page.bytes < PAGE {
                        page.push(line);
                    }
                })?;
            }
            Ok(page)
        })
        .await?;
    }
    Ok(page.lines)
}

/// Lines, and how much they are.
#[derive(Default)]
struct Growing {
    lines: Vec<Line>,
    bytes: usize,
}

impl Growing {
    fn push(&mut self, line: Line) {
        self.bytes += weight(&line);
        self.lines.push(line);
    }
}

fn weight(line: &Line) -> usize {
    line.text.len() + line.data.as_ref().map_or(0, |data| data.get().len())
}

/// What becomes of the escape sequences and redraws in a log that is read as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// A line is what it would leave on a terminal, in plain words.
    Stripped,
    /// A line is as it was written.
    Kept,
}

/// A log read from one of its lines to its end, some rows at a time.
#[derive(Debug)]
pub struct LogText {
    db: Db,
    operation: OperationId,
    next: u64,
    colours: Colours,
}

impl LogText {
    pub(crate) const fn new(db: Db, operation: OperationId, from: u64, colours: Colours) -> Self {
        Self {
            db,
            operation,
            next: from,
            colours,
        }
    }

    /// The next lines as text: time, a mark where the stream is not standard output, text.
    /// `None` at the end of what is stored.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let rows = sql::log::segments(&self.db, self.operation, self.next, ROWS).await?;
        let Some(last) = rows.last() else {
            return Ok(None);
        };
        let begin = std::mem::replace(&mut self.next, last.last + 1);
        let colours = self.colours;
        inflating(rows, move |rows| {
            let mut text = Vec::new();
            for row in rows {
                segment::read(row.first, &row.chunk, |seq, time, stream, line, _| {
                    // The lines asked for begin within a segment; and of one that has grown
                    // since, the beginning was given.
                    if seq < begin {
                        return;
                    }
                    text.extend_from_slice(time.to_string().as_bytes());
                    text.extend_from_slice(match stream {
                        Stream::Stdout => b"   ",
                        Stream::Stderr => b" ! ",
                        Stream::System => b" # ",
                    });
                    let line = match colours {
                        Colours::Stripped => plain(line),
                        Colours::Kept => Cow::Borrowed(line),
                    };
                    text.extend_from_slice(line.as_bytes());
                    text.push(b'\n');
                })?;
            }
            Ok(Some(text))
        })
        .await
    }
}

/// Counts every matching line of the whole log, and gives those asked for.
pub(crate) async fn search(
    db: &Db,
    operation: OperationId,
    query: SearchQuery,
) -> Result<SearchPage> {
    let pattern = pattern(&query)?;
    let mut found = Found::default();
    let mut at = 1;
    loop {
        let rows = sql::log::segments(db, operation, at, ROWS).await?;
        let Some(last) = rows.last() else {
            return Ok(SearchPage {
                matches: found.matches.lines,
                total: found.total,
                next: found.next,
            });
        };
        let begin = std::mem::replace(&mut at, last.last + 1);
        let (pattern, from, limit) = (pattern.clone(), query.from, query.limit);
        found = inflating(rows, move |rows| {
            for row in rows {
                segment::read(row.first, &row.chunk, |seq, time, stream, text, _| {
                    if seq >= begin && pattern.is_match(text) {
                        found.total += 1;
                        if seq >= from {
                            found.give(limit, seq, time, stream, text);
                        }
                    }
                })?;
            }
            Ok(found)
        })
        .await?;
    }
}

/// What a search has found so far.
#[derive(Default)]
struct Found {
    matches: Growing,
    total: u64,
    next: Option<u64>,
}

impl Found {
    /// Adds a match to the page, if that is not full.
    fn give(&mut self, limit: usize, seq: u64, time: Timestamp, stream: Stream, text: &str) {
        if self.next.is_some() {
            return;
        }
        if self.matches.lines.len() == limit || self.matches.bytes >= PAGE {
            self.next = Some(seq);
            return;
        }
        self.matches.push(Line {
            seq,
            time,
            stream,
            text: text.to_owned(),
            data: None,
        });
    }
}

fn pattern(query: &SearchQuery) -> Result<Regex> {
    let text = if query.regex {
        query.text.clone()
    } else {
        regex::escape(&query.text)
    };
    RegexBuilder::new(&text)
        .case_insensitive(!query.case)
        .size_limit(PATTERN)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                Error::Pattern("it is too large; make it simpler".to_owned())
            }
            error => Error::Pattern(error.to_string()),
        })
}
