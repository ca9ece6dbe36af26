//! Reading a request off the socket: its line, its headers, a body to throw away.

use super::Answer;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The largest head that is read.
const HEAD: usize = 64 * 1024;

/// A request that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// GET, as a rule.
    pub method: String,
    /// The path with its query, as it was sent.
    pub path: String,
    /// Names in small letters, values as they were sent, in order.
    pub headers: Vec<(String, String)>,
}

impl Seen {
    /// The first value of a header, by its name in small letters.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The part of `length` bytes that it asks for, if it asks for one that exists
    /// and the answer it has a part of is still the same.
    pub(super) fn range(&self, answer: &Answer, length: u64) -> Option<(u64, u64)> {
        let condition = self.header("if-range");
        let same = condition.is_none_or(|known| {
            [
                answer.header_value("etag"),
                answer.header_value("last-modified"),
            ]
            .contains(&Some(known))
        });
        let (from, to) = self
            .header("range")?
            .strip_prefix("bytes=")?
            .split_once('-')?;
        let last = length.checked_sub(1)?;
        let (from, to) = match (from.parse::<u64>(), to.parse::<u64>()) {
            (Ok(from), Ok(to)) => (from, to.min(last)),
            (Ok(from), Err(_)) => (from, last),
            (Err(_), Ok(count)) => (length.saturating_sub(count), last),
            (Err(_), Err(_)) => return None,
        };
        (same && answer.ranges && from <= to).then_some((from, to))
    }
}

/// Reads the next request; nothing at the end of the connection or when it is none.
/// `buffer` keeps what came beyond it.
pub(super) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
) -> Option<Seen> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if buffer.len() > HEAD || stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    buffer.drain(..end);
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let seen = Seen {
        method: words.next()?.to_owned(),
        path: words.next()?.to_owned(),
        headers: lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect(),
    };
    let body = seen
        .header("content-length")
        .and_then(|length| length.parse().ok());
    discard(stream, buffer, body.unwrap_or(0)).await?;
    Some(seen)
}

/// Reads so many bytes and throws them away.
async fn discard(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
    length: u64,
) -> Option<()> {
    let here = usize::try_from(length)
        .unwrap_or(usize::MAX)
        .min(buffer.len());
    buffer.drain(..here);
    let rest = length - here as u64;
    let read = tokio::io::copy(&mut stream.take(rest), &mut tokio::io::sink()).await;
    read.is_ok_and(|count| count == rest).then_some(())
}
