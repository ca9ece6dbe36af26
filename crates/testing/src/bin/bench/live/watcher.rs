//! One socket that watches an operation's log, counting lines and their delays.

use super::frames::Frames;
use crate::Result;
use crate::client::Connection;
use crate::engine::LINE;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Delays are counted by the tenth of a millisecond, up to 10 seconds.
const STEP: f64 = 1e-4;
const STEPS: usize = 100_000;
/// Nothing for so long is the end.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a slow watcher rests before each message.
const PAUSE: Duration = Duration::from_millis(500);

/// What came.
pub(crate) struct Seen {
    delays: Vec<u32>,
    lines: u64,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            delays: vec![0; STEPS + 1],
            lines: 0,
        }
    }
}

impl Seen {
    pub(crate) const fn lines(&self) -> u64 {
        self.lines
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.lines += other.lines;
        for (sum, more) in self.delays.iter_mut().zip(&other.delays) {
            *sum += more;
        }
    }

    /// The delay in seconds within which `part` of the lines came.
    pub(crate) fn quantile(&self, part: f64) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss
        )]
        let wanted = (self.lines as f64 * part).ceil() as u64;
        let mut sum = 0;
        for (step, count) in (0_u32..).zip(&self.delays) {
            sum += u64::from(*count);
            if sum >= wanted {
                return f64::from(step + 1) * STEP;
            }
        }
        f64::NAN
    }

    fn add(&mut self, written: u64, came: u64) {
        let step = usize::try_from(came.saturating_sub(written) / 100).unwrap_or(STEPS);
        self.delays[step.min(STEPS)] += 1;
        self.lines += 1;
    }
}

pub(crate) struct Watcher {
    frames: Frames,
    slow: Option<Arc<AtomicBool>>,
}

impl Watcher {
    pub(crate) async fn subscribe(connection: Connection, operation: &str) -> Result<Self> {
        let (stream, early) = connection.upgrade("/api/v1/live").await?;
        let mut frames = Frames::new(stream, early);
        let topic = format!(
            r#"{{"type":"subscribe","id":1,"topic":{{"kind":"operation","operation":"{operation}","since":null,"log_from":1}}}}"#
        );
        frames.send(&topic).await?;
        loop {
            let message = frames.next().await?;
            if message.starts_with(br#"{"type":"subscribed""#) {
                return Ok(Self { frames, slow: None });
            }
            if message.starts_with(br#"{"type":"error""#) {
                return Err(String::from_utf8_lossy(message).into());
            }
        }
    }

    /// Takes one message in a while, for as long as `slow` says so.
    pub(crate) fn slowed(mut self, slow: Arc<AtomicBool>) -> Self {
        self.slow = Some(slow);
        self
    }

    /// Watches until the end of the log, or a long silence. A line that is missing,
    /// doubled or out of order is an error.
    pub(crate) async fn watch(mut self, lines: u64) -> Result<Seen> {
        let mut seen = Seen::default();
        while seen.lines < lines {
            if self.slow.as_ref().is_some_and(|slow| slow.load(Relaxed)) {
                tokio::time::sleep(PAUSE).await;
            }
            let Ok(message) = tokio::time::timeout(SILENCE, self.frames.next()).await else {
                break;
            };
            let message = message?;
            if message.starts_with(br#"{"type":"log","#) {
                take(message, &mut seen)?;
            } else if message.starts_with(br#"{"type":"log_end""#) {
                break;
            }
        }
        Ok(seen)
    }
}

fn take(message: &[u8], seen: &mut Seen) -> Result {
    let came = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros())?;
    let lines = br#""lines":["#;
    let begin = message
        .windows(lines.len())
        .position(|window| window == lines)
        .ok_or("a message without lines")?;
    let mut at = begin + lines.len();
    while message.get(at) == Some(&b'[') {
        let (number, after) = digits(message, at + 1);
        let (written, after) = digits(message, after + 1);
        if number != seen.lines + 1 {
            return Err(format!("line {number} came after line {}", seen.lines).into());
        }
        seen.add(written, came);
        // `,0,"` and the text and `"]`, and a comma unless it is the last.
        at = after + 4 + LINE + 2;
        if message.get(at) == Some(&b',') {
            at += 1;
        }
    }
    if message.get(at..) != Some(b"]}") {
        return Err(format!("not understood: {}", String::from_utf8_lossy(message)).into());
    }
    Ok(())
}

fn digits(message: &[u8], mut at: usize) -> (u64, usize) {
    let mut number = 0;
    while let Some(digit @ b'0'..=b'9') = message.get(at) {
        number = number * 10 + u64::from(digit - b'0');
        at += 1;
    }
    (number, at)
}
