//! Connections: one task each, requests one after another, answers as told.

use super::answer::{Framing, Mishap};
use super::{Answer, Counts, Seen, Shared, request};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Bytes made up and written at once.
const CHUNK: usize = 64 * 1024;

/// Accepts connections until it is told to stop.
pub(super) async fn accept(
    listener: TcpListener,
    shared: Arc<Shared>,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        // A connection that is gone before it is accepted concerns nobody.
        let Ok((stream, _)) = accepted else { continue };
        let shared = Arc::clone(&shared);
        let stop = stop.clone();
        tasks.spawn(async move {
            let _open = Open::connection(&shared);
            tokio::select! {
                () = converse(stream, &shared) => {}
                () = stop.cancelled() => {}
            }
        });
    }
}

/// Something that counts as open while it lives.
struct Open<'a> {
    shared: &'a Shared,
    close: fn(&mut Counts),
}

impl<'a> Open<'a> {
    fn connection(shared: &'a Shared) -> Self {
        shared.counts.send_modify(|counts| {
            counts.connections += 1;
            counts.connections_in_all += 1;
            counts.connections_peak = counts.connections_peak.max(counts.connections);
        });
        Self {
            shared,
            close: |counts| counts.connections -= 1,
        }
    }

    fn request(shared: &'a Shared) -> Self {
        shared.counts.send_modify(|counts| {
            counts.requests += 1;
            counts.requests_in_all += 1;
            counts.requests_peak = counts.requests_peak.max(counts.requests);
        });
        Self {
            shared,
            close: |counts| counts.requests -= 1,
        }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.shared.counts.send_modify(self.close);
    }
}

/// Serves one connection to its end.
async fn converse(mut stream: TcpStream, shared: &Shared) {
    let _ = stream.set_nodelay(true);
    let (mut reader, mut writer) = stream.split();
    let mut buffer = Vec::new();
    while let Some(seen) = request::read(&mut reader, &mut buffer).await {
        let _open = Open::request(shared);
        shared.remember(seen.clone());
        let answer = shared.answer_to(&seen);
        let mut reply = Reply {
            seen: &seen,
            answer: &answer,
            shared,
            reader: &mut reader,
            writer: &mut writer,
        };
        let goes_on = reply.send().await;
        let close = seen
            .header("connection")
            .is_some_and(|value| value == "close");
        if close || !matches!(goes_on, Ok(Next::Request)) {
            return;
        }
    }
}

/// What follows an answer.
enum Next {
    Request,
    End,
}

/// One answer on its way.
struct Reply<'a, 'stream> {
    seen: &'a Seen,
    answer: &'a Answer,
    shared: &'a Shared,
    reader: &'a mut ReadHalf<'stream>,
    writer: &'a mut WriteHalf<'stream>,
}

impl Reply<'_, '_> {
    async fn send(&mut self) -> io::Result<Next> {
        self.wait(self.answer.delay).await?;
        if self.answer.held {
            self.until_released().await?;
        }
        if let Some(raw) = &self.answer.raw {
            self.writer.write_all(raw).await?;
            self.writer.shutdown().await?;
            return Ok(Next::End);
        }
        let length = self.answer.content.length();
        let range = length.and_then(|length| self.seen.range(self.answer, length));
        let (begin, end) = match (range, length) {
            (Some((from, to)), _) => (from, Some(to + 1)),
            (None, length) => (0, length),
        };
        let mut out = self.head(range, length).into_bytes();
        if self.seen.method == "HEAD" || matches!(self.answer.status, 204 | 304) {
            self.writer.write_all(&out).await?;
            return Ok(Next::Request);
        }
        self.body(&mut out, begin, end).await
    }

    /// The body, the head before it in `out` so that small answers are one write.
    async fn body(&mut self, out: &mut Vec<u8>, begin: u64, end: Option<u64>) -> io::Result<Next> {
        let (piece, pause) = self.answer.pace.unwrap_or((CHUNK, Duration::ZERO));
        let mut buffer = vec![0; piece.clamp(1, CHUNK)];
        let mut at = begin;
        let mut mishap = self.answer.mishap;
        loop {
            let stop = match mishap {
                Some(Mishap::Cut(after) | Mishap::Stall(after)) => Some(begin + after),
                None => None,
            };
            let until = [end, stop].into_iter().flatten().min().unwrap_or(u64::MAX);
            let wanted = usize::try_from(until.saturating_sub(at)).unwrap_or(CHUNK);
            let most = wanted.min(buffer.len());
            let count = self.answer.content.read(at, &mut buffer[..most]);
            self.frame(out, &buffer[..count]);
            self.writer.write_all(out).await?;
            out.clear();
            at += count as u64;
            if Some(at) == stop {
                match mishap.take() {
                    Some(Mishap::Stall(_)) => self.until_released().await?,
                    _ => {
                        self.writer.shutdown().await?;
                        return Ok(Next::End);
                    }
                }
            }
            if end.is_some_and(|end| at >= end) {
                break;
            }
            self.wait(pause).await?;
        }
        match self.answer.framing {
            Framing::Length => Ok(Next::Request),
            Framing::Chunked => {
                self.writer.write_all(b"0\r\n\r\n").await?;
                Ok(Next::Request)
            }
            Framing::Close => {
                self.writer.shutdown().await?;
                Ok(Next::End)
            }
        }
    }

    fn head(&self, range: Option<(u64, u64)>, length: Option<u64>) -> String {
        use std::fmt::Write;
        let status = if range.is_some() {
            206
        } else {
            self.answer.status
        };
        let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(status));
        let mut line = |name: &str, value: &dyn std::fmt::Display| {
            // Writing to a string cannot fail.
            let _ = write!(head, "{name}: {value}\r\n");
        };
        for (name, value) in &self.answer.headers {
            line(name, value);
        }
        if self.answer.ranges {
            line("Accept-Ranges", &"bytes");
        }
        if let (Some((from, to)), Some(length)) = (range, length) {
            line("Content-Range", &format_args!("bytes {from}-{to}/{length}"));
        }
        let sent = range.map(|(from, to)| to - from + 1).or(length);
        match (self.answer.framing, sent) {
            // A length that the answer states itself is stated as it is, right or wrong.
            (Framing::Length, _) if self.answer.header_value("content-length").is_some() => {}
            (Framing::Length, Some(sent)) => line("Content-Length", &sent),
            // A promise that an endless body cannot keep, but no smaller one can be made.
            (Framing::Length, None) => line("Content-Length", &i64::MAX),
            (Framing::Chunked, _) => line("Transfer-Encoding", &"chunked"),
            (Framing::Close, _) => line("Connection", &"close"),
        }
        head.push_str("\r\n");
        head
    }

    fn frame(&self, out: &mut Vec<u8>, bytes: &[u8]) {
        let chunked = self.answer.framing == Framing::Chunked;
        if chunked && bytes.is_empty() {
            return;
        }
        if chunked {
            out.extend_from_slice(format!("{:x}\r\n", bytes.len()).as_bytes());
        }
        out.extend_from_slice(bytes);
        if chunked {
            out.extend_from_slice(b"\r\n");
        }
    }

    /// Waits, unless the client goes away first.
    async fn wait(&mut self, pause: Duration) -> io::Result<()> {
        if pause.is_zero() {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            gone = gone(self.reader) => Err(gone),
        }
    }

    async fn until_released(&mut self) -> io::Result<()> {
        let mut released = self.shared.released.subscribe();
        tokio::select! {
            _ = released.wait_for(|released| *released) => Ok(()),
            gone = gone(self.reader) => Err(gone),
        }
    }
}

/// Resolves when the client has closed its side; never while it has more to say.
async fn gone(reader: &mut ReadHalf<'_>) -> io::Error {
    match reader.peek(&mut [0]).await {
        Ok(0) => io::ErrorKind::ConnectionReset.into(),
        Ok(_) => std::future::pending().await,
        Err(error) => error,
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        301 | 302 | 303 | 307 | 308 => "Elsewhere",
        404 => "Not Found",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => "As Told",
    }
}
