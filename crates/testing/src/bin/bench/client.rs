//! A client so small that what is measured is the server: HTTP/1.1 on a bare socket.
//!
//! For answers of our own servers only: a status, a length or chunks, nothing else.

use crate::Result;
use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

const BUFFER: usize = 256 << 10;
/// What the system may hold of a narrow connection, in bytes; it doubles it.
const NARROW: u32 = 4096;
/// What a slow taker takes at once.
const SIP: usize = 32 << 10;

/// A connection that is kept.
pub(crate) struct Connection {
    stream: TcpStream,
    host: SocketAddr,
    authorization: String,
    buffer: Vec<u8>,
}

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Result<serde_json::Value> {
        if self.status / 100 != 2 {
            let text = String::from_utf8_lossy(&self.body);
            return Err(format!("the server answered {}: {text}", self.status).into());
        }
        Ok(serde_json::from_slice(&self.body)?)
    }
}

/// An answer that was counted and thrown away.
#[derive(Clone, Debug)]
pub(crate) struct Drained {
    pub(crate) head: String,
    pub(crate) bytes: u64,
    pub(crate) first_byte: Instant,
    pub(crate) end: Instant,
}

impl Connection {
    pub(crate) async fn open(host: SocketAddr) -> Result<Self> {
        Self::over(TcpStream::connect(host).await?, host)
    }

    /// A connection whose system takes next to nothing that is not read.
    pub(crate) async fn open_narrow(host: SocketAddr) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(NARROW)?;
        Self::over(socket.connect(host).await?, host)
    }

    fn over(stream: TcpStream, host: SocketAddr) -> Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            host,
            authorization: String::new(),
            buffer: Vec::new(),
        })
    }

    pub(crate) fn basic(mut self, name: &str, password: &str) -> Self {
        let pair = data_encoding::BASE64.encode(format!("{name}:{password}").as_bytes());
        self.authorization = format!("Authorization: Basic {pair}\r\n");
        self
    }

    pub(crate) async fn get(&mut self, path: &str) -> Result<Answer> {
        self.ask("GET", path, "", &[]).await?;
        self.answer().await
    }

    /// Sends JSON, if any, and reads the answer into memory.
    pub(crate) async fn send(&mut self, method: &str, path: &str, json: &[u8]) -> Result<Answer> {
        let headers = "Content-Type: application/json\r\n";
        self.ask(method, path, headers, json).await?;
        self.answer().await
    }

    /// Puts bytes; the status. They are sent while the answer is not waited for.
    pub(crate) async fn put(&mut self, path: &str, body: &[u8]) -> Result<u16> {
        self.ask("PUT", path, "", body).await?;
        let (head, mut rest) = self.head().await?;
        let status = head.get(9..12).ok_or("no status")?.parse()?;
        let length = length_in(&head)?.unwrap_or(0);
        while rest.len() < length {
            if self.stream.read_buf(&mut rest).await? == 0 {
                return Err("the server broke off".into());
            }
        }
        Ok(status)
    }

    /// Posts, and reads the answer to its end without keeping it. The connection is
    /// closed by the server afterwards.
    pub(crate) async fn post_and_drain(mut self, path: &str, json: &[u8]) -> Result<Drained> {
        self.ask(
            "POST",
            path,
            "Content-Type: application/json\r\nConnection: close\r\n",
            json,
        )
        .await?;
        let (head, mut rest) = self.head().await?;
        if !head.starts_with("HTTP/1.1 200") {
            return Err(format!("no archive: {head} {}", String::from_utf8_lossy(&rest)).into());
        }
        let mut bytes = rest.len() as u64;
        let mut first_byte = (bytes > 0).then(Instant::now);
        let mut buffer = vec![0; BUFFER];
        loop {
            let count = self.stream.read(&mut buffer).await?;
            if count == 0 {
                break;
            }
            first_byte.get_or_insert_with(Instant::now);
            bytes += count as u64;
            // The last bytes are kept: they say whether the answer is whole.
            if count >= 16 {
                rest.clear();
            }
            rest.extend_from_slice(&buffer[count.saturating_sub(16)..count]);
        }
        let end = Instant::now();
        if head.contains("chunked") && !rest.ends_with(b"0\r\n\r\n") {
            return Err("the archive broke off".into());
        }
        Ok(Drained {
            head,
            bytes,
            first_byte: first_byte.ok_or("the archive is empty")?,
            end,
        })
    }

    /// Posts, and takes the answer to its end, so many bytes a second and no more; how
    /// many they were.
    pub(crate) async fn post_and_take(mut self, path: &str, json: &[u8], rate: u64) -> Result<u64> {
        let headers = "Content-Type: application/json\r\nConnection: close\r\n";
        self.ask("POST", path, headers, json).await?;
        let (head, rest) = self.head().await?;
        if !head.starts_with("HTTP/1.1 200") {
            return Err(format!("no archive: {head} {}", String::from_utf8_lossy(&rest)).into());
        }
        let begun = tokio::time::Instant::now();
        let mut taken = rest.len() as u64;
        let mut buffer = vec![0; SIP];
        loop {
            let due = std::time::Duration::from_micros(taken * 1_000_000 / rate);
            tokio::time::sleep_until(begun + due).await;
            let count = self.stream.read(&mut buffer).await?;
            if count == 0 {
                return Ok(taken);
            }
            taken += count as u64;
        }
    }

    async fn ask(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> Result {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{}{headers}",
            self.host, self.authorization
        );
        if !body.is_empty() {
            write!(head, "Content-Length: {}\r\n", body.len())?;
        }
        head.push_str("\r\n");
        let mut request = head.into_bytes();
        request.extend_from_slice(body);
        Ok(self.stream.write_all(&request).await?)
    }

    /// The head of the answer, and what came with it of the body.
    pub(crate) async fn head(&mut self) -> Result<(String, Vec<u8>)> {
        loop {
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                let rest = self.buffer.split_off(at + 4);
                let head = String::from_utf8(std::mem::take(&mut self.buffer))?;
                return Ok((head, rest));
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed the connection".into());
            }
        }
    }

    async fn answer(&mut self) -> Result<Answer> {
        let (head, mut body) = self.head().await?;
        let status = head.get(9..12).ok_or("no status")?.parse()?;
        let Some(length) = length_in(&head)? else {
            if status / 100 == 1 || status == 204 {
                return Ok(Answer { status, body });
            }
            return Err(format!("an answer without a length: {head}").into());
        };
        while body.len() < length {
            if self.stream.read_buf(&mut body).await? == 0 {
                return Err("the server broke off".into());
            }
        }
        Ok(Answer { status, body })
    }

    /// Asks for a WebSocket (RFC 6455 §4.1) and gives the socket with what came early.
    pub(crate) async fn upgrade(mut self, path: &str) -> Result<(TcpStream, Vec<u8>)> {
        self.ask(
            "GET",
            path,
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            &[],
        )
        .await?;
        let (head, rest) = self.head().await?;
        if !head.starts_with("HTTP/1.1 101") {
            return Err(format!("no WebSocket: {head}").into());
        }
        Ok((self.stream, rest))
    }
}

/// How long the body is, by the head of an answer.
fn length_in(head: &str) -> Result<Option<usize>> {
    let length = head
        .to_ascii_lowercase()
        .lines()
        .find_map(|line| line.strip_prefix("content-length:").map(str::to_owned));
    Ok(length.map(|length| length.trim().parse()).transpose()?)
}
