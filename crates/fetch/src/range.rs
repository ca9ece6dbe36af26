//! Going on with a body where it broke off (RFC 9110 §14, §13.1.5).
//!
//! Two halves are joined only when the server itself vouches that they are of one
//! piece: a strong validator goes out, and a range that starts exactly where the first
//! half ended comes back. Anything else is refused or starts again.

use crate::request::Request;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use hyper::body::{Body, Incoming};

/// What names one state of a resource, strongly enough to join two halves of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validator {
    value: HeaderValue,
    is_etag: bool,
}

impl Validator {
    /// The strong validator of a response: an `ETag` that is not weak, or else a
    /// `Last-Modified` at least one second before `Date` (RFC 9110 §8.8.2.2).
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        if let Some(etag) = headers.get(header::ETAG) {
            let is_strong = etag.as_bytes().starts_with(b"\"") && etag.len() >= 2;
            return is_strong.then(|| Self {
                value: etag.clone(),
                is_etag: true,
            });
        }
        let value = headers.get(header::LAST_MODIFIED)?;
        let modified = httpdate::parse_http_date(value.to_str().ok()?).ok()?;
        let date = httpdate::parse_http_date(headers.get(header::DATE)?.to_str().ok()?).ok()?;
        let age = date.duration_since(modified).ok()?;
        (age.as_secs() >= 1).then(|| Self {
            value: value.clone(),
            is_etag: false,
        })
    }

    pub(crate) const fn as_value(&self) -> &HeaderValue {
        &self.value
    }

    /// Whether `headers` name the same state, as far as they name one.
    pub(crate) fn agrees_with(&self, headers: &HeaderMap) -> bool {
        let name = if self.is_etag {
            header::ETAG
        } else {
            header::LAST_MODIFIED
        };
        headers.get(name).is_none_or(|value| *value == self.value)
    }
}

/// `Content-Range: bytes first-last/complete` of a 206 (RFC 9110 §14.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ContentRange {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) complete: Option<u64>,
}

impl ContentRange {
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        Self::parse(headers.get(header::CONTENT_RANGE)?.to_str().ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let (unit, rest) = text.trim().split_once(' ')?;
        let (range, complete) = rest.trim().split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let found = Self {
            first: digits(first)?,
            last: digits(last)?,
            complete: match complete {
                "*" => None,
                number => Some(digits(number)?),
            },
        };
        let is_ordered = found.first <= found.last;
        let is_inside = found.complete.is_none_or(|complete| found.last < complete);
        (unit.eq_ignore_ascii_case("bytes") && is_ordered && is_inside && found.last < u64::MAX)
            .then_some(found)
    }

    /// Bytes in the range, both ends included.
    pub(crate) const fn len(self) -> u64 {
        self.last - self.first + 1
    }
}

/// Which bytes of the whole a body is.
pub(crate) struct Part {
    /// Bytes of the whole before it.
    pub(crate) offset: u64,
    /// Bytes that it has.
    pub(crate) expected: Option<u64>,
    /// Bytes of the whole.
    pub(crate) total: Option<u64>,
}

impl Part {
    /// What an answer says of itself, or why it cannot be what was asked for.
    pub(crate) fn of(
        request: &Request,
        status: StatusCode,
        headers: &HeaderMap,
        incoming: &Incoming,
    ) -> Result<Self, &'static str> {
        let announced = headers.get(header::CONTENT_LENGTH);
        let announced = announced.and_then(|value| digits(value.to_str().ok()?.trim()));
        if status != StatusCode::PARTIAL_CONTENT {
            // Beside a Transfer-Encoding a Content-Length means nothing (RFC 9112 §6.3);
            // the size of a body that does not come is only ever announced.
            let length = incoming.size_hint().exact().filter(|_| announced.is_some());
            let is_head = request.method == Method::HEAD;
            return Ok(Self {
                offset: 0,
                expected: length,
                total: if is_head { announced } else { length },
            });
        }
        let from = request
            .from
            .as_ref()
            .ok_or("it sent a part that nobody asked for")?;
        let range = ContentRange::of(headers).ok_or("it does not say which part it sends")?;
        if range.first != from.offset {
            return Err("it sends another part than the one asked for");
        }
        if announced.is_some_and(|announced: u64| announced != range.len()) {
            return Err("the part's length is not what it says");
        }
        let changed = |validator: &Validator| !validator.agrees_with(headers);
        if from.validator.as_ref().is_some_and(changed) {
            return Err("what it holds has changed");
        }
        if from.end.is_some_and(|end| range.last >= end) {
            return Err("the part is longer than the one asked for");
        }
        if let (Some(before), Some(now)) = (from.total, range.complete)
            && before != now
        {
            return Err("the size of the whole has changed");
        }
        let total = range.complete.or(from.total);
        // A shorter part than asked for counts as one that broke off.
        let expected = match total {
            Some(total) => from
                .end
                .map_or(total, |end| total.min(end))
                .checked_sub(range.first)
                .ok_or("it begins behind the end of the whole")?,
            None => range.len(),
        };
        Ok(Self {
            offset: range.first,
            expected: Some(expected),
            total,
        })
    }
}

fn digits(text: &str) -> Option<u64> {
    let all = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| (name.clone(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn only_strong_validators_join_halves() {
        use header::{DATE, ETAG, LAST_MODIFIED};
        let at = "Sun, 06 Nov 1994 08:49:37 GMT";
        let later = "Sun, 06 Nov 1994 08:49:38 GMT";
        let strong = |pairs: &[_]| Validator::of(&headers(pairs)).is_some();
        assert!(strong(&[(ETAG, "\"a\"")]));
        assert!(!strong(&[(ETAG, "W/\"a\"")]));
        assert!(!strong(&[(ETAG, "a")]));
        assert!(!strong(&[
            (ETAG, "W/\"a\""),
            (LAST_MODIFIED, at),
            (DATE, later)
        ]));
        assert!(strong(&[(LAST_MODIFIED, at), (DATE, later)]));
        assert!(!strong(&[(LAST_MODIFIED, at), (DATE, at)]));
        assert!(!strong(&[(LAST_MODIFIED, at)]));
        assert!(!strong(&[]));
    }

    #[test]
    fn a_validator_sees_a_changed_resource() {
        let validator = Validator::of(&headers(&[(header::ETAG, "\"a\"")])).unwrap();
        assert!(validator.agrees_with(&headers(&[(header::ETAG, "\"a\"")])));
        assert!(validator.agrees_with(&headers(&[])));
        assert!(!validator.agrees_with(&headers(&[(header::ETAG, "\"b\"")])));
    }

    #[test]
    fn content_range_is_read_strictly() {
        let read = |text| ContentRange::parse(text).map(|r| (r.first, r.last, r.complete));
        assert_eq!(read("bytes 5-9/10"), Some((5, 9, Some(10))));
        assert_eq!(read("Bytes 0-0/*"), Some((0, 0, None)));
        for wrong in [
            "",
            "bytes",
            "bytes */10",
            "bytes 5-9",
            "bytes 9-5/10",
            "bytes 5-10/10",
            "bytes +5-9/10",
            "bytes 5-/10",
            "items 5-9/10",
            "bytes 5-99999999999999999999/*",
            "bytes 0-18446744073709551615/*",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
