//! The id of a request: in its answer, in its problems, on every log line about it.

use crate::Problem;
use axum::extract::FromRequestParts;
use base::{Clock, SystemClock};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::fmt;
use std::sync::Arc;
use uuid::{Builder, Uuid};

pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST: usize = 128;

/// The id of a request: the client's `X-Request-Id` where that is 1 to 128 letters,
/// digits, `.`, `_` or `-`, or else a UUIDv7.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(HEADER).and_then(|value| value.to_str().ok());
        match given.filter(|text| is_sane(text)) {
            Some(text) => Self(text.into()),
            None => {
                let mut text = Uuid::encode_buffer();
                Self((&*fresh().hyphenated().encode_lower(&mut text)).into())
            }
        }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }
}

/// Without a number that counts on: that takes a lock, and the kernel's random bytes.
fn fresh() -> Uuid {
    let millis = SystemClock.now().micros() / 1000;
    let millis = u64::try_from(millis).unwrap_or_default();
    Builder::from_unix_timestamp_millis(millis, &rand::random()).into_uuid()
}

fn is_sane(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let id = parts.extensions.get::<Self>().cloned();
        Ok(id.unwrap_or_else(|| Self::of(&parts.headers)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sane_id_is_taken_over_and_any_other_replaced() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, HeaderValue::from_str(text).expect("a header"));
            RequestId::of(&headers).to_string()
        };
        for text in ["a", "Root=1-67", "7f3c.A_b-9", &"x".repeat(128)] {
            let sane = !text.contains('=');
            assert_eq!(of(text) == text, sane, "{text}");
        }
        for text in ["", "a b", "<script>", &"x".repeat(129)] {
            assert_eq!(of(text).len(), 36, "{text}");
        }
    }
}
