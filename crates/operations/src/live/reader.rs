//! The reader of a feed: one task that puts into memory, for all who follow a log, what
//! another process writes to storage.

use crate::live::logs::Feed;
use crate::live::ring::Reading;
use crate::log::segment::{self, inflating, write_live};
use crate::log::sink::Frame;
use crate::{Result, sql};
use base::OperationId;
use std::sync::Arc;
use std::time::Duration;
use storage::Db;

/// Rows read at once.
const ROWS: u64 = 4;
/// What a message that was lost between replicas costs at most.
const TICK: Duration = Duration::from_secs(2);
/// Further behind than this many lines, the reader leaves them to those who want them
/// and goes on with the newest.
const FAR_BEHIND: u64 = 10_000;

/// Reads until the log has ended, or is no more.
pub(super) async fn run(db: Db, operation: OperationId, feed: Arc<Feed>) {
    loop {
        let reading = feed.ring().reads_from();
        match reading {
            Reading::Done => return,
            // Woken when that changes, or when somebody follows.
            Reading::NotNow => feed.stored().await,
            Reading::After(_) if !feed.is_followed() => feed.stored().await,
            Reading::After(known) => {
                match read(&db, operation, &feed, known).await {
                    Ok(true) => {}
                    Ok(false) => return,
                    Err(error) => {
                        tracing::debug!(%error, %operation, "its log could not be read; trying again");
                    }
                }
                // Ended meanwhile: that is seen without waiting.
                if feed.ring().reads_from() != Reading::Done {
                    let _ = tokio::time::timeout(TICK, feed.stored()).await;
                }
            }
        }
    }
}

/// Puts what is stored after line `known` into memory. Whether there is a log at all.
async fn read(db: &Db, operation: OperationId, feed: &Feed, known: Option<u64>) -> Result<bool> {
    // The state is read first: an operation that has ended writes no more lines.
    let Some((_, last, state)) = sql::operation::log_bounds(db, operation).await? else {
        feed.ring().lose();
        feed.tell();
        return Ok(false);
    };
    let mut at = match known {
        Some(known) if last.saturating_sub(known) <= FAR_BEHIND => known,
        _ => {
            feed.ring().found(last);
            feed.tell();
            last
        }
    };
    while at < last {
        let frames = frames(db, operation, at + 1, ROWS).await?;
        let Some(newest) = frames.last().map(|frame| frame.last) else {
            break;
        };
        if !feed.ring().fill(at, frames) {
            return Ok(true);
        }
        feed.tell();
        at = newest;
    }
    if state.is_ended() {
        feed.ring().ended(at);
        feed.tell();
    }
    Ok(true)
}

/// The lines from number `from` on that `rows` rows of the log hold, a message a row.
pub(super) async fn frames(
    db: &Db,
    operation: OperationId,
    from: u64,
    rows: u64,
) -> Result<Vec<Frame>> {
    let rows = sql::log::segments(db, operation, from, rows).await?;
    inflating(rows, move |rows| {
        let mut frames = Vec::with_capacity(rows.len());
        for row in rows {
            let mut lines = Vec::new();
            let (mut first, mut last) = (None, from);
            segment::read(row.first, &row.chunk, |seq, time, stream, text, data| {
                if seq >= from {
                    write_live(&mut lines, seq, time, stream, text, data);
                    first.get_or_insert(seq);
                    last = seq;
                }
            })?;
            if let Some(first) = first {
                frames.push(Frame {
                    first,
                    last,
                    lines: lines.into(),
                });
            }
        }
        Ok(frames)
    })
    .await
}
