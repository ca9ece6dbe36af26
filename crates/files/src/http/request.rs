//! From what a request says of a file to what is kept of it.

use crate::Error;
use crate::expect::{Expect, Promised, Tags};
use crate::file::{Headers, Metadata};
use crate::path::FilePath;
use crate::put::{Incoming, NewFile};
use axum::body::Body;
use base::Timestamp;
use data_encoding::BASE64;
use futures::StreamExt;
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH,
    CONTENT_TYPE, HeaderName, IF_MATCH, IF_NONE_MATCH, IF_UNMODIFIED_SINCE, RANGE,
    TRANSFER_ENCODING,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use std::time::{Duration, UNIX_EPOCH};
use web::{Answer, Problem};

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");
const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");
const CONTENT_RANGE: HeaderName = http::header::CONTENT_RANGE;
/// Metadata as a JSON object.
pub(super) const METADATA: HeaderName = HeaderName::from_static("longshore-metadata");

/// The file that a request puts, without its bytes.
pub(super) fn new_file(path: FilePath, headers: &HeaderMap) -> Answer<NewFile> {
    // A part of a file is not a file (RFC 9110 §14.5).
    if headers.contains_key(CONTENT_RANGE) || headers.contains_key(RANGE) {
        return Err(Problem::invalid(
            "content-range",
            "unsupported",
            "a file is put as a whole; for parts, use a resumable upload",
        ));
    }
    Ok(NewFile {
        media_type: text(headers, &CONTENT_TYPE)?,
        headers: Headers {
            cache_control: list(headers, &CACHE_CONTROL)?,
            content_disposition: text(headers, &CONTENT_DISPOSITION)?,
            content_encoding: list(headers, &CONTENT_ENCODING)?
                .filter(|coding| coding != "aws-chunked" && coding != "identity"),
            content_language: list(headers, &CONTENT_LANGUAGE)?,
        },
        metadata: metadata(headers)?,
        expect: expect(headers)?,
        promised: promised(headers)?,
        ..NewFile::at(path)
    })
}

/// A header of one value as text; one that is none is refused, and so are two of them, for
/// which was meant nobody knows.
fn text(headers: &HeaderMap, name: &HeaderName) -> Answer<Option<String>> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => utf8(name, value),
        (Some(_), Some(_)) => Err(conflicting(name.as_str(), TWICE)),
    }
}

/// A header that is a list: its lines are one (RFC 9110 §5.3).
fn list(headers: &HeaderMap, name: &HeaderName) -> Answer<Option<String>> {
    let lines = texts(headers, name)?;
    Ok((!lines.is_empty()).then(|| lines.join(", ")))
}

/// Every line of a header that may be sent in several.
fn texts(headers: &HeaderMap, name: &HeaderName) -> Answer<Vec<String>> {
    let lines = headers.get_all(name).iter();
    lines
        .filter_map(|value| utf8(name, value).transpose())
        .collect()
}

fn utf8(name: &HeaderName, value: &HeaderValue) -> Answer<Option<String>> {
    let text = std::str::from_utf8(value.as_bytes())
        .map_err(|_| Problem::invalid(name.as_str(), "invalid", "this header is not UTF-8"))?;
    Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
}

fn metadata(headers: &HeaderMap) -> Answer<Metadata> {
    match text(headers, &METADATA)? {
        None => Ok(Metadata::new()),
        Some(text) => serde_json::from_str(&text).map_err(|_| Error::Metadata.into()),
    }
}

/// What a request holds on to.
pub(super) fn expect(headers: &HeaderMap) -> Answer<Expect> {
    let tags = |name: &HeaderName| -> Answer<Option<String>> {
        let values: Vec<String> = headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect();
        Ok((!values.is_empty()).then(|| values.join(",")))
    };
    let since = text(headers, &IF_UNMODIFIED_SINCE)?
        .and_then(|text| httpdate::parse_http_date(&text).ok())
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .and_then(|since| i64::try_from(since.as_micros()).ok())
        .map(Timestamp::from_micros);
    Ok(Expect {
        // If-Match compares strongly, If-None-Match weakly (RFC 9110 §13.1).
        matches: tags(&IF_MATCH)?.map(|text| Tags::parse(&text, false)),
        none_matches: tags(&IF_NONE_MATCH)?.map(|text| Tags::parse(&text, true)),
        unmodified_since: since,
        content: None,
    })
}

/// What a request promises of its body. The same said twice is fine; two unlike promises
/// cannot both be kept, and which of them was meant nobody knows.
fn promised(headers: &HeaderMap) -> Answer<Promised> {
    // Hyper takes the length away and closes the connection behind such a request, as RFC 9112
    // §6.3 has it; whoever hands both on has not decided which of them counts.
    if headers.contains_key(CONTENT_LENGTH) && headers.contains_key(TRANSFER_ENCODING) {
        return Err(conflicting(
            "content-length",
            "a length and a transfer coding exclude each other; send one of them",
        ));
    }
    let mut promised = Promised::default();
    for length in headers.get_all(CONTENT_LENGTH) {
        let length = length.to_str().ok().and_then(|text| text.parse().ok());
        let length = length.ok_or_else(|| {
            Problem::invalid("content-length", "invalid", "this is no length in bytes")
        })?;
        agree(&mut promised.length, length, "content-length", LENGTHS)?;
    }
    for text in texts(headers, &CONTENT_MD5)? {
        let md5 = exact("content-md5", &text)?;
        agree(&mut promised.md5, md5, "content-md5", DIGESTS)?;
    }
    for name in [CONTENT_DIGEST, REPR_DIGEST] {
        if let Some(text) = list(headers, &name)? {
            digests(&mut promised, name.as_str(), &text)?;
        }
    }
    Ok(promised)
}

/// Adds digests as they are written, `sha-256=:…:, md5=:…:` (RFC 9530 §2). An algorithm that
/// is not known says nothing beside one that is, as a sender may expect; alone it is refused,
/// for whoever sent it would believe that the content was compared.
fn digests(promised: &mut Promised, name: &str, text: &str) -> Answer<()> {
    let mut known = false;
    for member in text.split(',') {
        let Some((algorithm, value)) = member.trim().split_once('=') else {
            return Err(Problem::invalid(name, "invalid", DIGEST));
        };
        let value = value.split(';').next().unwrap_or_default().trim();
        let value = value
            .strip_prefix(':')
            .and_then(|value| value.strip_suffix(':'))
            .ok_or_else(|| Problem::invalid(name, "invalid", DIGEST))?;
        match algorithm.trim().to_ascii_lowercase().as_str() {
            "sha-256" => agree(&mut promised.sha256, exact(name, value)?, name, DIGESTS)?,
            "sha-512" => agree(&mut promised.sha512, exact(name, value)?, name, DIGESTS)?,
            "md5" => agree(&mut promised.md5, exact(name, value)?, name, DIGESTS)?,
            _ => continue,
        }
        known = true;
    }
    if known {
        Ok(())
    } else {
        Err(Problem::invalid(name, "unsupported", UNKNOWN))
    }
}

/// Takes a promise that no other contradicts.
fn agree<T: PartialEq>(
    promise: &mut Option<T>,
    said: T,
    name: &str,
    unlike: &'static str,
) -> Answer<()> {
    if promise.as_ref().is_some_and(|before| *before != said) {
        return Err(conflicting(name, unlike));
    }
    *promise = Some(said);
    Ok(())
}

fn conflicting(name: &str, message: &'static str) -> Problem {
    Problem::invalid(name, "conflicting", message)
}

const TWICE: &str = "this header has one value and was sent twice; send it once";
const LENGTHS: &str = "two unlike lengths were sent; send one";
const DIGESTS: &str = "unlike digests were sent for one body; send one, or the same ones";
const DIGEST: &str = "a digest is written sha-256=:…:, in Base64";
const UNKNOWN: &str = "none of these digests can be compared; send sha-256, sha-512 or md5";

fn exact<const N: usize>(name: &str, text: &str) -> Answer<[u8; N]> {
    let bytes = BASE64.decode(text.as_bytes()).ok();
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| Problem::invalid(name, "invalid", DIGEST))
}

/// Writes a body into a file. It may take as long as it likes while it moves.
pub(super) async fn receive(body: Body, incoming: &mut Incoming, silence: Duration) -> Answer<()> {
    let mut body = body.into_data_stream();
    loop {
        match tokio::time::timeout(silence, body.next()).await {
            Ok(None) => return Ok(()),
            Ok(Some(Ok(bytes))) => incoming.write(bytes).await?,
            Ok(Some(Err(error))) => {
                tracing::debug!(%error, "an upload broke off");
                return Err(Problem::new(
                    StatusCode::BAD_REQUEST,
                    "body-incomplete",
                    "The body ended early, and nothing was stored; send it again.",
                ));
            }
            Err(_) => return Err(Problem::request_timeout()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY_SHA512: &str = "sha-512=:z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==:";
    const OTHER_SHA512: &str = "sha-512=:ZUEMco/F09cicUIRCJan/3b9af9dV1whlmWXWShOkiPGlrfV+0N5WfU3Q83OSXL0BK0gZgPtjFuXSAnzmqewcw==:";

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn digests_are_read_as_they_are_written() {
        let empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let both: &'static str = Box::leak(
            format!("crc32c=:AAAAAA==:, sha-256=:{empty}:;q=1, md5=:1B2M2Y8AsgTpgAmY7PhCfg==:")
                .into_boxed_str(),
        );
        let read = promised(&headers(&[("repr-digest", both), ("content-length", "0")]));
        let read = read.expect("a digest");
        assert_eq!(read.length, Some(0));
        assert_eq!(
            read.sha256.map(|sha| BASE64.encode(&sha)).as_deref(),
            Some(empty)
        );
        assert!(read.md5.is_some());
        assert_eq!(read.sha512, None);
        let wide = promised(&headers(&[("content-digest", EMPTY_SHA512)]));
        assert!(wide.expect("a digest").sha512.is_some());
        for (name, value) in [
            ("content-digest", "sha-256"),
            ("content-digest", "sha-256=AAAA"),
            ("content-digest", "sha-256=:AAAA:"),
            ("repr-digest", "sha-256=:***:"),
            ("repr-digest", "sha-512=:AAAA:"),
            ("repr-digest", "crc32c=:AAAAAA==:"),
            ("content-digest", "sha=:AAAA:, unixsum=:AAAA:"),
            ("content-md5", "AAAA"),
        ] {
            let problem = promised(&headers(&[(name, value)])).expect_err(value);
            assert_eq!(problem.status(), 400, "{value}");
        }
    }

    #[test]
    fn an_unknown_digest_is_read_over_beside_a_known_one_in_another_line() {
        let known = ("repr-digest", EMPTY_SHA512);
        let unknown = ("repr-digest", "crc32c=:AAAAAA==:");
        for lines in [[known, unknown], [unknown, known]] {
            let read = promised(&headers(&lines)).expect("one that is known");
            assert!(read.sha512.is_some(), "{lines:?}");
        }
        // The digest of the content says nothing for that of the representation.
        let elsewhere = [("content-digest", EMPTY_SHA512), unknown];
        let problem = promised(&headers(&elsewhere)).expect_err("unknown");
        assert_eq!(problem.status(), 400);
    }

    #[test]
    fn promises_that_contradict_each_other_are_refused_and_the_same_twice_is_one() {
        const EMPTY: &str = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
        const CARGO: &str = "sha-256=:MNY4avtmSUA1PlHnVf4JuTtsMEqGXIkqXCT/WiGSu2k=:";
        const TWICE: &str = "md5=:1B2M2Y8AsgTpgAmY7PhCfg==:, md5=:AAAAAAAAAAAAAAAAAAAAAA==:";
        const EMPTY_MD5: &str = "1B2M2Y8AsgTpgAmY7PhCfg==";
        for unlike in [
            [("content-digest", CARGO), ("repr-digest", EMPTY)],
            [("repr-digest", CARGO), ("content-digest", EMPTY)],
            [("repr-digest", CARGO), ("repr-digest", EMPTY)],
            [
                ("content-digest", EMPTY_SHA512),
                ("repr-digest", OTHER_SHA512),
            ],
            [("content-digest", TWICE), ("content-length", "0")],
            [
                ("content-md5", "AAAAAAAAAAAAAAAAAAAAAA=="),
                ("repr-digest", "md5=:1B2M2Y8AsgTpgAmY7PhCfg==:"),
            ],
            [
                ("content-md5", EMPTY_MD5),
                ("content-md5", "AAAAAAAAAAAAAAAAAAAAAA=="),
            ],
            [("content-length", "5"), ("content-length", "6")],
            [("content-length", "5"), ("transfer-encoding", "chunked")],
        ] {
            let problem = promised(&headers(&unlike)).expect_err(unlike[0].1);
            assert_eq!(problem.status(), 400, "{unlike:?}");
        }
        for like in [
            [("content-digest", EMPTY), ("repr-digest", EMPTY)],
            [("content-digest", EMPTY), ("content-digest", EMPTY)],
            [
                ("content-md5", EMPTY_MD5),
                ("repr-digest", "md5=:1B2M2Y8AsgTpgAmY7PhCfg==:"),
            ],
            [("content-length", "5"), ("content-length", "5")],
        ] {
            assert!(promised(&headers(&like)).is_ok(), "{like:?}");
        }
    }

    #[test]
    fn conditions_compare_as_they_must() {
        let read = expect(&headers(&[
            ("if-match", "\"a\", W/\"b\""),
            ("if-none-match", "W/\"c\""),
        ]))
        .expect("conditions");
        assert_eq!(read.matches, Some(Tags::These(vec!["a".to_owned()])));
        assert_eq!(read.none_matches, Some(Tags::These(vec!["c".to_owned()])));
        let any = expect(&headers(&[("if-none-match", "*")])).expect("a condition");
        assert_eq!(any, Expect::nothing());
    }

    #[test]
    fn a_header_of_one_value_is_refused_twice_and_the_lines_of_a_list_are_one() {
        let path = || -> FilePath { "a".parse().expect("a path") };
        for (name, one, other) in [
            ("content-type", "text/plain", "image/png"),
            ("content-type", "text/plain", "text/plain"),
            ("content-disposition", "inline", "attachment"),
            ("longshore-metadata", "{}", "{\"a\": 1}"),
            (
                "if-unmodified-since",
                "Sun, 06 Nov 1994 08:49:37 GMT",
                "Sun, 06 Nov 2094 08:49:37 GMT",
            ),
        ] {
            let twice = headers(&[(name, one), (name, other)]);
            let problem = new_file(path(), &twice).expect_err(name);
            assert_eq!(problem.status(), 400, "{name}");
            new_file(path(), &headers(&[(name, one)])).expect(name);
        }
        let lines = headers(&[
            ("cache-control", "no-cache"),
            ("cache-control", "max-age=60"),
            ("content-language", "de"),
            ("content-language", "en"),
        ]);
        let kept = new_file(path(), &lines).expect("lists").headers;
        assert_eq!(kept.cache_control.as_deref(), Some("no-cache, max-age=60"));
        assert_eq!(kept.content_language.as_deref(), Some("de, en"));
    }

    #[test]
    fn a_part_is_not_taken_for_a_file() {
        let path: FilePath = "a".parse().expect("a path");
        let part = headers(&[("content-range", "bytes 0-1/4")]);
        assert!(new_file(path, &part).is_err());
    }
}
