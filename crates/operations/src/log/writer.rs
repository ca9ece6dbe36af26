//! Turns chunks of output into lines: redacts what passes, also where a secret is
//! split over two chunks, and keeps a line together until its end is seen.

use super::line::Stream;
use super::sink::{LONGEST_LINE, Sink};
use base::redact::{RedactedStream, Redactor};
use std::sync::Arc;

/// Takes one stream of a program's output, chunk by chunk.
#[derive(Debug)]
pub struct LineWriter {
    sink: Arc<Sink>,
    stream: Stream,
    redacted: RedactedStream,
    line: Vec<u8>,
}

impl LineWriter {
    pub(crate) fn new(sink: Arc<Sink>, stream: Stream, redactor: &Redactor) -> Self {
        Self {
            sink,
            stream,
            redacted: RedactedStream::new(redactor),
            line: Vec::new(),
        }
    }

    /// Writes the lines that `chunk` completes.
    pub async fn write(&mut self, chunk: &[u8]) {
        self.redacted.push(chunk, &mut self.line);
        self.write_whole_lines().await;
    }

    /// Writes what is left as the last line.
    pub async fn finish(mut self) {
        self.redacted.finish(&mut self.line);
        self.write_whole_lines().await;
        if !self.line.is_empty() {
            let text = String::from_utf8_lossy(&self.line).into_owned();
            self.sink.write(self.stream, &text, None).await;
        }
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
            let text = String::from_utf8_lossy(&self.line).into_owned();
            self.line.clear();
            self.sink.write(self.stream, &text, None).await;
        }
    }
}
