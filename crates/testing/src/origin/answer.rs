//! What an origin answers, and how badly.

use super::Content;
use std::time::Duration;

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// By `Content-Length`.
    Length,
    /// In chunks, the length unknown to the client.
    Chunked,
    /// By the end of the connection.
    Close,
}

/// What becomes of a body before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mishap {
    /// After so many bytes the connection is closed.
    Cut(u64),
    /// After so many bytes nothing comes any more, until the origin releases it.
    Stall(u64),
}

/// An answer, of status 200 with a body unless it says otherwise.
#[derive(Clone, Debug)]
pub struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) content: Content,
    pub(super) delay: Duration,
    /// No byte before the origin releases it.
    pub(super) held: bool,
    pub(super) framing: Framing,
    pub(super) mishap: Option<Mishap>,
    /// So many bytes at once, then a pause.
    pub(super) pace: Option<(usize, Duration)>,
    pub(super) ranges: bool,
    /// Sent as it is instead of everything else; empty for no answer at all.
    pub(super) raw: Option<Vec<u8>>,
}

impl Answer {
    /// 200 with this content.
    #[must_use]
    pub fn ok(content: Content) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            content,
            delay: Duration::ZERO,
            held: false,
            framing: Framing::Length,
            mishap: None,
            pace: None,
            ranges: false,
            raw: None,
        }
    }

    /// A status with a short text.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::ok(Content::bytes(format!("status {status}\n")))
        }
    }

    /// A problem document, as Longshore answers it.
    #[must_use]
    pub fn problem(status: u16, code: &str) -> Self {
        let body = format!(
            r#"{{"type":"about:blank","title":"A problem","status":{status},"code":"{code}","detail":"Not now."}}"#
        );
        let answer = Self {
            status,
            ..Self::ok(Content::bytes(body))
        };
        answer.header("Content-Type", "application/problem+json")
    }

    /// 302 to another place.
    #[must_use]
    pub fn redirect(to: &str) -> Self {
        Self::status(302).header("Location", to)
    }

    /// The connection is closed without a word.
    #[must_use]
    pub fn hang_up() -> Self {
        Self::raw([])
    }

    /// These bytes, whatever they are, and the end of the connection.
    #[must_use]
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            raw: Some(bytes.into()),
            ..Self::status(200)
        }
    }

    /// With a header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// After a wait: the latency of a distant origin.
    #[must_use]
    pub const fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Not a byte of it, the head included, until [`super::Origin::release`].
    #[must_use]
    pub const fn held(mut self) -> Self {
        self.held = true;
        self
    }

    /// In chunks, without saying its length.
    #[must_use]
    pub const fn chunked(mut self) -> Self {
        self.framing = Framing::Chunked;
        self
    }

    /// Ended by the end of the connection, without saying its length.
    #[must_use]
    pub const fn until_close(mut self) -> Self {
        self.framing = Framing::Close;
        self
    }

    /// Cut off after so many bytes of the body.
    #[must_use]
    pub const fn cut_after(mut self, bytes: u64) -> Self {
        self.mishap = Some(Mishap::Cut(bytes));
        self
    }

    /// Silent after so many bytes of the body, until [`super::Origin::release`].
    #[must_use]
    pub const fn stall_after(mut self, bytes: u64) -> Self {
        self.mishap = Some(Mishap::Stall(bytes));
        self
    }

    /// So many bytes at once, then a pause, and so on.
    #[must_use]
    pub const fn slowly(mut self, bytes: usize, pause: Duration) -> Self {
        self.pace = Some((bytes, pause));
        self
    }

    /// With `Accept-Ranges`, honouring `Range` and `If-Range` (against the `ETag` and
    /// `Last-Modified` among its headers), as RFC 9110 section 14 says.
    #[must_use]
    pub const fn ranges(mut self) -> Self {
        self.ranges = true;
        self
    }

    /// The value of a header that was set.
    pub(super) fn header_value(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}
