//! Whether a failed attempt is made again, and how long to wait before it.
//!
//! Exponential backoff with full jitter: the wait is drawn evenly between nothing and
//! the bound, so that many that failed together do not come back together. It decides
//! and never sleeps.

use crate::error::FetchError;
use crate::limits::RetryLimits;
use http::{HeaderMap, Method, StatusCode, header};
use std::time::{Duration, SystemTime};

/// What went wrong with an attempt, as far as trying again is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nothing of the request reached anybody.
    NotSent,
    /// The connection was lost after the request was sent.
    Lost,
    /// The server asked to come back, or said that it was at fault.
    Busy {
        /// How long it asked to wait.
        retry_after: Option<Duration>,
    },
}

impl Failure {
    /// The failure behind `error`, if another attempt might do better.
    pub(crate) fn of(error: &FetchError) -> Option<Self> {
        match error {
            FetchError::Connect { .. }
            | FetchError::ConnectTimeout { .. }
            | FetchError::Dns { .. } => Some(Self::NotSent),
            FetchError::Protocol { lost: true, .. } => Some(Self::Lost),
            FetchError::HttpStatus {
                status,
                retry_after,
                ..
            } if is_transient(*status) => Some(Self::Busy {
                retry_after: *retry_after,
            }),
            _ => None,
        }
    }
}

/// 429 and every 5xx but those that say "never" (501, 505).
pub(crate) fn is_transient(status: StatusCode) -> bool {
    let is_final = matches!(
        status,
        StatusCode::NOT_IMPLEMENTED | StatusCode::HTTP_VERSION_NOT_SUPPORTED
    );
    status == StatusCode::TOO_MANY_REQUESTS || (status.is_server_error() && !is_final)
}

/// How long to wait before attempt `made + 1`, or `None` to give up.
///
/// `luck` is even in `0.0..1.0`. A method that is not idempotent (RFC 9110 §9.2.2) is
/// repeated only when nothing of it was sent.
pub(crate) fn wait_before_next(
    limits: &RetryLimits,
    made: u32,
    method: &Method,
    failure: Failure,
    luck: f64,
) -> Option<Duration> {
    if made >= limits.attempts {
        return None;
    }
    if failure != Failure::NotSent && !method.is_idempotent() {
        return None;
    }
    let doublings = made.saturating_sub(1).min(31);
    let bound = limits.base.saturating_mul(1 << doublings).min(limits.cap);
    let backoff = bound.mul_f64(luck.clamp(0.0, 1.0));
    let asked = match failure {
        Failure::Busy { retry_after } => retry_after.unwrap_or_default(),
        Failure::NotSent | Failure::Lost => Duration::ZERO,
    };
    Some(backoff.max(asked.min(limits.retry_after_cap)))
}

/// `Retry-After` in either form, seconds or a date (RFC 9110 §10.2.3); a date that has
/// passed means now.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit mean "very long", which the cap then cuts.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const BUSY: Failure = Failure::Busy { retry_after: None };

    fn wait(made: u32, failure: Failure, luck: f64) -> Option<Duration> {
        let limits = RetryLimits {
            attempts: 8,
            base: Duration::from_secs(1),
            cap: Duration::from_secs(10),
            retry_after_cap: Duration::from_secs(60),
        };
        wait_before_next(&limits, made, &Method::GET, failure, luck)
    }

    #[test]
    fn the_bound_doubles_up_to_the_cap_and_luck_draws_within_it() {
        let bounds: Vec<_> = (1..8)
            .map(|made| wait(made, BUSY, 1.0).unwrap().as_secs())
            .collect();
        assert_eq!(bounds, [1, 2, 4, 8, 10, 10, 10]);
        assert_eq!(wait(3, BUSY, 0.0), Some(Duration::ZERO));
        assert_eq!(wait(3, BUSY, 0.25), Some(Duration::from_secs(1)));
        assert_eq!(wait(8, BUSY, 0.5), None);
    }

    #[test]
    fn what_the_server_asks_for_is_waited_for_up_to_the_cap() {
        let asked = |secs| Failure::Busy {
            retry_after: Some(Duration::from_secs(secs)),
        };
        assert_eq!(wait(1, asked(7), 0.5), Some(Duration::from_secs(7)));
        assert_eq!(wait(1, asked(86_400), 0.5), Some(Duration::from_secs(60)));
        assert_eq!(wait(1, asked(u64::MAX), 0.5), Some(Duration::from_secs(60)));
        assert_eq!(wait(3, asked(0), 1.0), Some(Duration::from_secs(4)));
    }

    #[test]
    fn a_post_is_repeated_only_when_it_was_not_sent() {
        let limits = RetryLimits::default();
        let post = |failure| wait_before_next(&limits, 1, &Method::POST, failure, 0.5);
        assert!(post(Failure::NotSent).is_some());
        assert!(post(Failure::Lost).is_none());
        assert!(post(BUSY).is_none());
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        for (text, expected) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:51:37 GMT", Some(120)),
            ("Sunday, 06-Nov-94 08:51:37 GMT", Some(120)),
            ("Sun Nov  6 08:51:37 1994", Some(120)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, text.parse().unwrap());
            let found = retry_after(&headers, now).map(|wait| wait.as_secs());
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn only_what_may_pass_is_transient() {
        for (status, expected) in [
            (429, true),
            (500, true),
            (502, true),
            (503, true),
            (504, true),
            (524, true),
            (501, false),
            (505, false),
            (404, false),
            (403, false),
            (408, false),
            (200, false),
        ] {
            let code = StatusCode::from_u16(status).unwrap();
            assert_eq!(is_transient(code), expected, "{status}");
        }
    }
}
