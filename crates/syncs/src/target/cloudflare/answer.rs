//! An answer of Cloudflare's: its envelope, or whatever the edge sends in its place.
//!
//! Errors come as the envelope, as bare text (`ERROR 5415: …`) or as a page in HTML. All
//! become the same [`Said`]. It must never fail on what it cannot read.

use super::verdict::Said;
use bytes::Bytes;
use fetch::{FetchError, Response};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// The longest answer that is read.
const MOST: usize = 4 << 20;
/// The longest words that are passed on.
const MOST_WORDS: usize = 300;

/// An answer whose body was read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    after: Option<Duration>,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    result: Value,
    success: Option<bool>,
    #[serde(default)]
    errors: Option<Vec<Fault>>,
}

#[derive(Deserialize)]
struct Fault {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    error_chain: Vec<Fault>,
}

/// How many requests are left, as a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) requests: u64,
    pub(super) within: Duration,
}

impl Answer {
    pub(super) async fn read(mut response: Response) -> Result<Self, FetchError> {
        let body = response.read_all(MOST).await?;
        Ok(Self {
            status: response.status(),
            headers: response.headers().clone(),
            after: response.retry_after(),
            body,
        })
    }

    /// The same without its body, where that is not what was asked for.
    pub(super) fn head(response: &Response) -> Self {
        Self {
            status: response.status(),
            headers: response.headers().clone(),
            after: response.retry_after(),
            body: Bytes::new(),
        }
    }

    /// The value of a header, if it is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// How long it asks to wait.
    pub(super) const fn after(&self) -> Option<Duration> {
        self.after
    }

    /// What is left of the limit (`Ratelimit: "default";r=50;t=30`), the least of several.
    pub(super) fn left(&self) -> Option<Left> {
        let policies = self.header("ratelimit")?.split(',');
        policies
            .filter_map(left_of)
            .min_by_key(|left| left.requests)
    }

    /// The whole limit (`Ratelimit-Policy: "default";q=1200;w=300`).
    pub(super) fn policy(&self) -> Option<Left> {
        let policy = self.header("ratelimit-policy")?.split(',').next()?;
        two_of(policy, "q", "w")
    }

    /// What was asked for, or what was said instead.
    pub(super) fn result(&self) -> Result<Value, Said> {
        match serde_json::from_slice::<Envelope>(&self.body) {
            Ok(envelope) if self.status.is_success() && envelope.success != Some(false) => {
                Ok(envelope.result)
            }
            Ok(envelope) => Err(self.said(&envelope.errors.unwrap_or_default())),
            Err(_) => Err(self.said_in_words()),
        }
    }

    /// What was said in an answer that has no envelope where all is well.
    pub(super) fn success(&self) -> Result<(), Said> {
        if self.status.is_success() {
            return Ok(());
        }
        Err(match self.result() {
            Err(said) => said,
            Ok(_) => self.said(&[]),
        })
    }

    fn said(&self, faults: &[Fault]) -> Said {
        let chained = faults.iter().flat_map(|fault| &fault.error_chain);
        let (mut codes, mut words) = (Vec::new(), Vec::new());
        for fault in faults.iter().chain(chained) {
            codes.push(fault.code);
            if !fault.message.is_empty() {
                words.push(fault.message.as_str());
            }
        }
        Said {
            status: self.status,
            codes,
            message: self.short(&words.join("; ")),
            after: self.after,
        }
    }

    fn said_in_words(&self) -> Said {
        let text = String::from_utf8_lossy(&self.body);
        Said {
            status: self.status,
            codes: bare_code(&text).into_iter().collect(),
            message: self.short(&words_of(&text)),
            after: self.after,
        }
    }

    /// Some words, or those of the status where there are none.
    fn short(&self, text: &str) -> String {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let printed = text.chars().filter(|letter| !letter.is_control());
        let text: String = printed.take(MOST_WORDS).collect();
        let text = text.trim_end_matches('.');
        if !text.is_empty() {
            return text.to_owned();
        }
        let reason = self.status.canonical_reason();
        reason.unwrap_or("it gives no reason").to_owned()
    }
}

/// Two numbers among the parameters of a policy, which follow its name: how many, and
/// within how many seconds.
fn two_of(policy: &str, requests: &str, seconds: &str) -> Option<Left> {
    let value_of = |wanted: &str| {
        let parameters = policy.split(';').skip(1);
        let pairs = parameters.filter_map(|parameter| parameter.trim().split_once('='));
        let mut named = pairs.filter(|(name, _)| *name == wanted);
        named.next()?.1.parse::<u64>().ok()
    };
    Some(Left {
        requests: value_of(requests)?,
        within: Duration::from_secs(value_of(seconds)?),
    })
}

fn left_of(policy: &str) -> Option<Left> {
    two_of(policy, "r", "t")
}

/// The code in a bare text such as `ERROR 5415: …`.
fn bare_code(text: &str) -> Option<i64> {
    let (_, rest) = text.split_once("ERROR ")?;
    let digits = rest.find(|letter: char| !letter.is_ascii_digit());
    rest[..digits.unwrap_or(rest.len())].parse().ok()
}

/// The words of a bare text, or the title of a page.
fn words_of(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    if let (Some(begin), Some(end)) = (lower.find("<title>"), lower.find("</title>"))
        && let Some(title) = text.get(begin + 7..end)
    {
        return title.to_owned();
    }
    if lower.trim_start().starts_with('<') {
        return String::new();
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: map,
            body: Bytes::copy_from_slice(body.as_bytes()),
            after: None,
        }
    }

    #[test]
    fn every_form_of_an_error_is_understood() {
        for (body, codes, message) in [
            (
                r#"{"success":false,"errors":[{"code":5415,"message":"not an image"}],"result":null}"#,
                &[5415][..],
                "not an image",
            ),
            (
                r#"{"success":false,"errors":[{"code":6003,"message":"Invalid request headers","error_chain":[{"code":6111,"message":"Invalid format"}]}]}"#,
                &[6003, 6111],
                "Invalid request headers; Invalid format",
            ),
            (
                "ERROR 5455: Unsupported image format.\n",
                &[5455],
                "ERROR 5455: Unsupported image format",
            ),
            (
                "<!DOCTYPE html><html><head><title>api.cloudflare.com | 524: A timeout occurred</title></head></html>",
                &[],
                "api.cloudflare.com | 524: A timeout occurred",
            ),
            ("<html><p>nothing</p></html>", &[], "Unprocessable Entity"),
            ("", &[], "Unprocessable Entity"),
            ("error code: 1015", &[], "error code: 1015"),
            (
                r#"{"success":false,"errors":null}"#,
                &[],
                "Unprocessable Entity",
            ),
        ] {
            let said = answer(422, &[], body).result().unwrap_err();
            assert_eq!(said.codes, codes, "{body}");
            assert_eq!(said.message, message, "{body}");
        }
    }

    #[test]
    fn a_result_is_one_only_if_it_says_so() {
        let good = r#"{"success":true,"result":{"id":"a"},"errors":[]}"#;
        assert_eq!(answer(200, &[], good).result().unwrap()["id"], "a");
        let bad = r#"{"success":false,"result":null,"errors":[{"code":1}]}"#;
        assert!(answer(200, &[], bad).result().is_err());
        assert!(answer(200, &[], "hello").result().is_err());
    }

    #[test]
    fn what_is_left_is_read_from_its_headers() {
        let answer = answer(
            200,
            &[
                ("ratelimit", r#""default";r=50;t=30"#),
                ("ratelimit-policy", r#""default";q=1200;w=300"#),
            ],
            "",
        );
        let numbers = |left: Option<Left>| left.map(|left| (left.requests, left.within.as_secs()));
        assert_eq!(numbers(answer.left()), Some((50, 30)));
        assert_eq!(numbers(answer.policy()), Some((1200, 300)));
        for text in ["", "default", r#""default";r=x;t=1"#, r#""default";t=1"#] {
            assert_eq!(left_of(text), None, "{text}");
        }
    }
}
