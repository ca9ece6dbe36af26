//! Frames of a WebSocket (RFC 6455 §5.2) as a server sends them: unmasked, whole.
//!
//! No library, because a thousand sockets that check and copy every text would measure
//! themselves.

use crate::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;

pub(super) struct Frames {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Where the frame lies that was given last.
    used: usize,
}

impl Frames {
    pub(super) fn new(stream: TcpStream, early: Vec<u8>) -> Self {
        Self {
            stream,
            buffer: early,
            used: 0,
        }
    }

    /// The next text message.
    pub(super) async fn next(&mut self) -> Result<&[u8]> {
        loop {
            self.buffer.drain(..self.used);
            self.used = 0;
            let (kind, begin, end) = loop {
                if let Some(frame) = frame(&self.buffer)? {
                    break frame;
                }
                if self.stream.read_buf(&mut self.buffer).await? == 0 {
                    return Err("the server closed a socket".into());
                }
            };
            self.used = end;
            match kind {
                TEXT => return Ok(&self.buffer[begin..end]),
                PING => {
                    let body = self.buffer[begin..end].to_vec();
                    self.write(PONG, &body).await?;
                }
                CLOSE => return Err("the server ended a socket".into()),
                _ => {}
            }
        }
    }

    pub(super) async fn send(&mut self, text: &str) -> Result {
        self.write(TEXT, text.as_bytes()).await
    }

    /// Writes a frame masked with zeros, which leave it as it is.
    async fn write(&mut self, kind: u8, body: &[u8]) -> Result {
        let mut frame = vec![FINAL | kind];
        match u8::try_from(body.len()) {
            Ok(length) if length < 126 => frame.push(MASKED | length),
            _ => {
                frame.push(MASKED | 126);
                frame.extend_from_slice(&u16::try_from(body.len())?.to_be_bytes());
            }
        }
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(body);
        Ok(self.stream.write_all(&frame).await?)
    }
}

/// Kind, begin and end of the frame at the beginning of `bytes`, if all of it is there.
fn frame(bytes: &[u8]) -> Result<Option<(u8, usize, usize)>> {
    let [first, second, rest @ ..] = bytes else {
        return Ok(None);
    };
    if first & FINAL == 0 || second & MASKED != 0 {
        return Err("a frame of a kind that this server does not send".into());
    }
    let (begin, length) = match second {
        126 => match rest.first_chunk::<2>() {
            Some(length) => (4, usize::from(u16::from_be_bytes(*length))),
            None => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(length) => (10, usize::try_from(u64::from_be_bytes(*length))?),
            None => return Ok(None),
        },
        short => (2, usize::from(*short)),
    };
    let end = begin + length;
    Ok((bytes.len() >= end).then_some((first & 0x0f, begin, end)))
}
