//! `multipart/form-data` (RFC 7578), read part by part as it comes.
//!
//! What is in memory at a time is a piece of the body and what may be the beginning of
//! the next boundary. The heads of parts, their number and the silence between two pieces
//! are bounded; a body that ends before its last boundary is an error and never an end.

use bytes::{Buf, Bytes, BytesMut};
use futures::{Stream, StreamExt};
use percent_encoding::percent_decode_str;
use std::time::Duration;

/// The longest head of a part, and the longest text before the first, in bytes.
const LONGEST_HEAD: usize = 16 * 1024;
/// The longest boundary (RFC 2046 §5.1.1), in bytes.
const LONGEST_BOUNDARY: usize = 70;
/// Parts of one form at most, fields included.
pub(crate) const MOST_PARTS: usize = 1000;

/// Why a form is read no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FormError {
    #[error("the body ended before the form did")]
    Broken,
    #[error("nothing came for too long")]
    Silent,
    #[error("the form is not readable: {0}")]
    Malformed(&'static str),
    #[error("a form has at most 1000 parts; send the rest in another one")]
    TooMany,
}

/// The boundary that a `Content-Type` names; nothing where that is no form, or names none.
pub(crate) fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameter(parameters, "boundary")?;
    let usable = (1..=LONGEST_BOUNDARY).contains(&boundary.len())
        && !boundary.ends_with(' ')
        && boundary
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte));
    usable.then_some(boundary)
}

/// The value of a parameter in `; name=value; name="value"`, without its quotes.
fn parameter(text: &str, wanted: &str) -> Option<String> {
    let mut rest = text;
    while !rest.is_empty() {
        rest = rest.trim_start_matches(|c: char| c == ';' || c.is_ascii_whitespace());
        let (name, after) = rest.split_once('=')?;
        let (value, after) = value(after)?;
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = after.trim_start();
    }
    None
}

/// A value, quoted or not, and what follows it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.trim_start().strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        return Some((text[..end].trim().to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &quoted[at + 1..])),
            // Only these are escaped; browsers write a backslash as it is.
            '\\' if quoted[at + 1..].starts_with(['"', '\\']) => {
                value.extend(letters.next().map(|(_, escaped)| escaped));
            }
            letter => value.push(letter),
        }
    }
    None
}

/// What the head of a part says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// The field's name.
    pub(crate) name: String,
    /// The file's name, where it is a file.
    pub(crate) filename: Option<String>,
    /// Its media type.
    pub(crate) media_type: Option<String>,
}

impl Head {
    fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|_| FormError::Malformed("the head of a part is no UTF-8"))?;
        let mut head = None;
        let mut media_type = None;
        for line in text.split("\r\n").filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').ok_or(FormError::Malformed(
                "a line in the head of a part is no header",
            ))?;
            match name.trim().to_ascii_lowercase().as_str() {
                "content-disposition" if head.is_none() => head = Some(disposition(value)?),
                "content-disposition" => {
                    return Err(FormError::Malformed("a part has two dispositions"));
                }
                "content-type" => media_type = Some(value.trim().to_owned()),
                _ => {}
            }
        }
        let head = head.ok_or(FormError::Malformed("a part has no name"))?;
        Ok(Self { media_type, ..head })
    }
}

fn disposition(value: &str) -> Result<Head, FormError> {
    let (kind, parameters) = value.split_once(';').unwrap_or((value, ""));
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return Err(FormError::Malformed("a part is no form-data"));
    }
    // RFC 7578 has no such parameter, and older clients send it all the same.
    let extended = parameter(parameters, "filename*").and_then(|value| {
        let encoded = value
            .get(..7)?
            .eq_ignore_ascii_case("utf-8''")
            .then(|| &value[7..])?;
        Some(percent_decode_str(encoded).decode_utf8().ok()?.into_owned())
    });
    Ok(Head {
        name: parameter(parameters, "name").ok_or(FormError::Malformed("a part has no name"))?,
        filename: extended.or_else(|| parameter(parameters, "filename")),
        media_type: None,
    })
}

/// A form that comes in.
pub(crate) struct Form<S> {
    body: S,
    ended: bool,
    buffer: BytesMut,
    /// A line break, two dashes and the boundary.
    delimiter: Vec<u8>,
    silence: Duration,
    within: Within,
    parts: usize,
}

/// Where reading stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    /// Before the first boundary, or within a part.
    Content,
    /// Right after a boundary.
    Boundary,
    /// After the last one.
    End,
}

impl<S, E> Form<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    pub(crate) fn new(boundary: &str, body: S, silence: Duration) -> Self {
        Self {
            body,
            ended: false,
            // The first boundary needs no line break before it.
            buffer: BytesMut::from(&b"\r\n"[..]),
            delimiter: format!("\r\n--{boundary}").into_bytes(),
            silence,
            within: Within::Content,
            parts: 0,
        }
    }

    /// The next part; what is left of the one before is read over. Nothing at the end.
    pub(crate) async fn next_part(&mut self) -> Result<Option<Head>, FormError> {
        let first = self.parts == 0;
        let mut before = 0;
        while let Some(passed) = self.chunk().await? {
            before += passed.len();
            if first && before > LONGEST_HEAD {
                return Err(FormError::Malformed("it does not begin with its boundary"));
            }
        }
        if self.within == Within::End {
            return Ok(None);
        }
        while self.buffer.len() < 2 {
            self.more().await?;
        }
        if self.buffer.starts_with(b"--") {
            self.within = Within::End;
            return Ok(None);
        }
        self.parts += 1;
        if self.parts > MOST_PARTS {
            return Err(FormError::TooMany);
        }
        let head = self.head().await?;
        self.within = Within::Content;
        Head::parse(&head).map(Some)
    }

    /// The next piece of the part's content; nothing at its end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, FormError> {
        if self.within != Within::Content {
            return Ok(None);
        }
        loop {
            match find(&self.buffer, &self.delimiter) {
                Found::Whole(0) => {
                    self.buffer.advance(self.delimiter.len());
                    self.within = Within::Boundary;
                    return Ok(None);
                }
                Found::Whole(at) | Found::Perhaps(at) if at > 0 => {
                    return Ok(Some(self.buffer.split_to(at).freeze()));
                }
                _ => self.more().await?,
            }
        }
    }

    /// The lines of a part's head. The boundary has been read.
    async fn head(&mut self) -> Result<Bytes, FormError> {
        const END: &[u8] = b"\r\n\r\n";
        let mut looked = 0;
        loop {
            let from = looked;
            if let Some(at) = self.buffer[from..]
                .windows(END.len())
                .position(|w| w == END)
            {
                if from + at > LONGEST_HEAD {
                    return Err(FormError::Malformed("the head of a part is too long"));
                }
                let head = self.buffer.split_to(from + at).freeze();
                self.buffer.advance(END.len());
                // What stands behind a boundary on its line is white space.
                let line = head
                    .iter()
                    .position(|byte| *byte == b'\r')
                    .unwrap_or(head.len());
                if head[..line]
                    .iter()
                    .any(|byte| !matches!(byte, b' ' | b'\t'))
                {
                    return Err(FormError::Malformed("something stands behind a boundary"));
                }
                return Ok(head.slice(line..));
            }
            if self.buffer.len() > LONGEST_HEAD {
                return Err(FormError::Malformed("the head of a part is too long"));
            }
            looked = self.buffer.len().saturating_sub(END.len() - 1);
            self.more().await?;
        }
    }

    async fn more(&mut self) -> Result<(), FormError> {
        if self.ended {
            return Err(FormError::Broken);
        }
        match tokio::time::timeout(self.silence, self.body.next()).await {
            Ok(Some(Ok(bytes))) => self.buffer.extend_from_slice(&bytes),
            Ok(None | Some(Err(_))) => {
                self.ended = true;
                return Err(FormError::Broken);
            }
            Err(_) => return Err(FormError::Silent),
        }
        Ok(())
    }
}

enum Found {
    /// All of it, from here on.
    Whole(usize),
    /// What may be its beginning, from here to the end; or nothing, at the end.
    Perhaps(usize),
}

/// Where a delimiter, which begins with a line break, stands.
fn find(text: &[u8], delimiter: &[u8]) -> Found {
    let mut from = 0;
    while let Some(at) = text[from..].iter().position(|byte| *byte == delimiter[0]) {
        let rest = &text[from + at..];
        if rest.starts_with(delimiter) {
            return Found::Whole(from + at);
        }
        if rest.len() < delimiter.len() && delimiter.starts_with(rest) {
            return Found::Perhaps(from + at);
        }
        from += at + 1;
    }
    Found::Perhaps(text.len())
}

#[cfg(test)]
mod tests;
