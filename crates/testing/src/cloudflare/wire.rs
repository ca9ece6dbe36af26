//! HTTP/1.1 on the bare socket: heads, bodies piece by piece, answers.

use serde_json::Value;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// The largest head that is read.
const MOST_HEAD: usize = 64 * 1024;
/// Bytes that are read at once.
const PIECE: usize = 64 * 1024;

pub(super) struct Connection {
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
    buffer: Vec<u8>,
    body: Body,
}

/// What is still to come of the body of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    Left(u64),
    Chunked,
}

/// The head of a request.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    headers: Vec<(String, String)>,
}

impl Head {
    /// The value of a header, by its name in small letters.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(known, _)| known == name);
        named.next().map(|(_, value)| value.as_str())
    }

    pub(super) fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The value of a parameter of the query, decoded.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        self.parameters()
            .into_iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// All parameters, decoded.
    pub(super) fn parameters(&self) -> Vec<(String, String)> {
        let pairs = self.query.split('&').filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (
                    decoded(&name.replace('+', " ")),
                    decoded(&value.replace('+', " ")),
                )
            })
            .collect()
    }
}

/// Text without its percent-encoding.
pub(super) fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let digits = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self {
            body: body.to_string().into_bytes(),
            ..Self::empty(status)
        }
        .header("Content-Type", "application/json")
    }

    /// The envelope around a result.
    pub(super) fn result(result: Value) -> Self {
        let envelope = serde_json::json!({
            "result": result, "success": true, "errors": [], "messages": [],
        });
        Self::json(200, &envelope)
    }

    /// The envelope around an error.
    pub(super) fn error(status: u16, code: i64, message: &str) -> Self {
        let envelope = serde_json::json!({
            "result": null,
            "success": false,
            "errors": [{ "code": code, "message": message }],
            "messages": [],
        });
        Self::json(status, &envelope)
    }

    /// Bare text.
    pub(super) fn text(status: u16, text: &str) -> Self {
        Self {
            body: text.as_bytes().to_vec(),
            ..Self::empty(status)
        }
        .header("Content-Type", "text/html; charset=UTF-8")
    }

    pub(super) fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }
}

impl Connection {
    pub(super) const fn new(reader: OwnedReadHalf, writer: OwnedWriteHalf) -> Self {
        Self {
            reader,
            writer,
            buffer: Vec::new(),
            body: Body::Left(0),
        }
    }

    /// The next request's head; nothing at the end of the connection.
    pub(super) async fn head(&mut self) -> io::Result<Option<Head>> {
        let end = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            if self.buffer.len() > MOST_HEAD {
                return Err(io::ErrorKind::InvalidData.into());
            }
            if self.reader.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        };
        let text = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        self.buffer.drain(..end);
        let mut lines = text.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let method = words.next().unwrap_or_default().to_owned();
        let target = words.next().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let head = Head {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers: lines
                .filter_map(|line| line.split_once(':'))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect(),
        };
        let chunked = head
            .header("transfer-encoding")
            .is_some_and(|value| value == "chunked");
        let length = head
            .header("content-length")
            .and_then(|length| length.parse().ok());
        self.body = if chunked {
            Body::Chunked
        } else {
            Body::Left(length.unwrap_or(0))
        };
        if head.header("expect").is_some() {
            self.writer
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                .await?;
        }
        Ok(Some(head))
    }

    /// The next bytes of the body, at most `most` of them; nothing at its end.
    pub(super) async fn piece(&mut self, most: usize) -> io::Result<Option<Vec<u8>>> {
        match self.body {
            Body::Left(0) => Ok(None),
            Body::Left(left) => {
                let here = self
                    .some(usize::try_from(left).unwrap_or(PIECE).min(most))
                    .await?;
                self.body = Body::Left(left - here.len() as u64);
                Ok(Some(here))
            }
            Body::Chunked => self.chunk().await,
        }
    }

    /// Some bytes, at least one.
    async fn some(&mut self, most: usize) -> io::Result<Vec<u8>> {
        if self.buffer.is_empty() {
            self.buffer.reserve(PIECE);
            if self.reader.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let here = self.buffer.len().min(most.max(1));
        let rest = self.buffer.split_off(here);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    /// A whole chunk of a body in chunks.
    async fn chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        let line = self.line().await?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let wrong = |_| io::Error::from(io::ErrorKind::InvalidData);
        let size = usize::from_str_radix(size, 16).map_err(wrong)?;
        if size == 0 {
            while !self.line().await?.is_empty() {}
            self.body = Body::Left(0);
            return Ok(None);
        }
        let mut chunk = Vec::new();
        while chunk.len() < size {
            let wanted = size - chunk.len();
            chunk.extend(self.some(wanted).await?);
        }
        self.line().await?;
        Ok(Some(chunk))
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.extend(self.some(1).await?);
            if line.len() > MOST_HEAD {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
        line.truncate(line.len() - 2);
        Ok(String::from_utf8_lossy(&line).into_owned())
    }

    /// How many bytes of the body are to come, where the client said so.
    pub(super) const fn left(&self) -> Option<u64> {
        match self.body {
            Body::Left(left) => Some(left),
            Body::Chunked => None,
        }
    }

    /// Throws so many bytes of the body away.
    pub(super) async fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let mut left = bytes;
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            match self.piece(wanted).await? {
                Some(piece) => left = left.saturating_sub(piece.len() as u64),
                None => break,
            }
        }
        Ok(())
    }

    /// Waits until the client has left.
    pub(super) async fn until_gone(&mut self) {
        while self.some(PIECE).await.is_ok() {}
    }

    /// Throws the rest of the body away.
    pub(super) async fn discard(&mut self) -> io::Result<()> {
        while self.piece(PIECE).await?.is_some() {}
        Ok(())
    }

    pub(super) async fn reply(&mut self, head: &Head, reply: &Reply) -> io::Result<()> {
        use std::fmt::Write;
        let mut out = format!("HTTP/1.1 {} Told\r\n", reply.status);
        for (name, value) in &reply.headers {
            // Writing to a string cannot fail.
            let _ = write!(out, "{name}: {value}\r\n");
        }
        if reply.status != 204 {
            let _ = write!(out, "Content-Length: {}\r\n", reply.body.len());
        }
        out.push_str("\r\n");
        let mut out = out.into_bytes();
        if head.method != "HEAD" {
            out.extend_from_slice(&reply.body);
        }
        self.writer.write_all(&out).await
    }
}

pub(super) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|part| part == wanted)
}
