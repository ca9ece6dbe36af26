//! Turns chunks of output into lines: redacts what passes, also where a secret is
//! split over two chunks, and keeps a line together until its end is seen.

use super::line::Stream;
use super::sink::{LONGEST_LINE, Sink};
use crate::secrets::Secrets;
use base::redact::RedactedStream;
use std::sync::Arc;

/// Takes one stream of a program's output, chunk by chunk.
#[derive(Debug)]
pub struct LineWriter {
    sink: Arc<Sink>,
    stream: Stream,
    secrets: Arc<Secrets>,
    /// Of the secrets that `redacted` looks for.
    version: u64,
    redacted: RedactedStream,
    line: Vec<u8>,
}

impl LineWriter {
    pub(crate) fn new(sink: Arc<Sink>, stream: Stream, secrets: Arc<Secrets>) -> Self {
        let (version, redactor) = secrets.current();
        Self {
            sink,
            stream,
            secrets,
            version,
            redacted: RedactedStream::new(&redactor),
            line: Vec::new(),
        }
    }

    /// Writes the lines that `chunk` completes.
    pub async fn write(&mut self, chunk: &[u8]) {
        let rest = self.learn(chunk).await;
        self.redacted.push(rest, &mut self.line);
        self.write_whole_lines().await;
    }

    /// Writes what is left as the last line.
    pub async fn finish(mut self) {
        self.redacted.finish(&mut self.line);
        self.write_whole_lines().await;
        if !self.line.is_empty() {
            self.write_piece().await;
        }
    }

    /// Looks for what has become secret meanwhile from the next line on, and once
    /// more through the line that is under way. What of `chunk` is left.
    async fn learn<'c>(&mut self, chunk: &'c [u8]) -> &'c [u8] {
        let (version, redactor) = self.secrets.current();
        if version == self.version {
            return chunk;
        }
        let end = if self.line.is_empty() && self.redacted.held() == 0 {
            0
        } else if let Some(end) = chunk.iter().position(|byte| *byte == b'\n') {
            end + 1
        } else {
            return chunk;
        };
        let (line, rest) = chunk.split_at(end);
        self.redacted.push(line, &mut self.line);
        self.redacted.finish(&mut self.line);
        self.line = redactor.redact_bytes(&self.line).into_owned();
        self.write_whole_lines().await;
        self.redacted = RedactedStream::new(&redactor);
        self.version = version;
        rest
    }

    async fn write_whole_lines(&mut self) {
        let mut from = 0;
        while let Some(length) = self.line[from..].iter().position(|byte| *byte == b'\n') {
            let line = &self.line[from..from + length];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            self.sink
                .write(self.stream, &String::from_utf8_lossy(line), None)
                .await;
            from += length + 1;
        }
        self.line.drain(..from);
        if self.line.len() > LONGEST_LINE {
            self.write_piece().await;
        }
    }

    /// Writes a line of which the end was not seen.
    async fn write_piece(&mut self) {
        let rest = self.line.split_off(whole_characters(&self.line));
        let line = std::mem::replace(&mut self.line, rest);
        // It may hold what became secret after it was read.
        let line = self.secrets.redactor().redact_bytes(&line).into_owned();
        self.sink
            .write(self.stream, &String::from_utf8_lossy(&line), None)
            .await;
    }
}

/// How many of `bytes` are whole characters: one that only begins at the end waits for
/// its rest.
fn whole_characters(bytes: &[u8]) -> usize {
    let tail = bytes.len().saturating_sub(3);
    let begins = |byte: u8| byte & 0xc0 != 0x80;
    let Some(last) = (tail..bytes.len()).rev().find(|at| begins(bytes[*at])) else {
        return bytes.len();
    };
    let length = match bytes[last] {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    if last + length > bytes.len() {
        last
    } else {
        bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::whole_characters;

    #[test]
    fn a_character_that_only_begins_is_left_for_later() {
        for (bytes, whole) in [
            (&b""[..], 0),
            (b"abc", 3),
            ("aä".as_bytes(), 3),
            (&"aä".as_bytes()[..2], 1),
            (&"a€".as_bytes()[..3], 1),
            ("a€".as_bytes(), 4),
            (&"a🚢".as_bytes()[..4], 1),
            ("a🚢".as_bytes(), 5),
            // What is no text at all is not kept back for ever.
            (b"\x80\x80\x80\x80", 4),
            (b"a\xff", 2),
        ] {
            assert_eq!(whole_characters(bytes), whole, "{bytes:?}");
        }
    }
}
