//! What the headers of tus say.

use super::desk::{
    UPLOAD_CHECKSUM, UPLOAD_CONCAT, UPLOAD_DEFER_LENGTH, UPLOAD_LENGTH, UPLOAD_METADATA,
    UPLOAD_OFFSET,
};
use crate::Error;
use crate::bucket::Bucket;
use crate::expect::Expect;
use crate::file::Metadata;
use crate::path::FilePath;
use crate::upload::{Checksum, NewUpload};
use base::UploadId;
use data_encoding::BASE64;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, StatusCode};
use std::sync::Arc;
use web::{Answer, Problem};

/// The longest `Upload-Metadata`, in bytes.
const MOST_METADATA: usize = 8 * 1024;
/// The type of a body that is part of an upload.
const BYTES: &str = "application/offset+octet-stream";

/// What `Upload-Metadata` says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Said {
    /// All of it, as the client wrote it.
    pub(super) text: String,
    pub(super) bucket: Option<String>,
    pub(super) path: Option<FilePath>,
    pub(super) media_type: String,
    /// What is kept with the file.
    pub(super) metadata: Metadata,
}

impl Said {
    pub(super) fn of(headers: &HeaderMap) -> Answer<Self> {
        match text(headers, &UPLOAD_METADATA)? {
            Some(text) => Self::parse(text),
            None => Ok(Self::default()),
        }
    }

    /// The upload that it tells of.
    pub(super) fn upload(
        self,
        place: Option<(Arc<Bucket>, FilePath)>,
        expect: Expect,
    ) -> NewUpload {
        NewUpload {
            place,
            room: None,
            part: false,
            length: None,
            media_type: self.media_type,
            metadata: self.metadata,
            expect,
            said: self.text,
        }
    }

    /// `path Zm9v,filetype dGV4dC9wbGFpbg==,marked`
    fn parse(text: &str) -> Answer<Self> {
        if text.len() > MOST_METADATA {
            return Err(invalid_metadata("it has at most 8 KiB"));
        }
        let mut said = Self {
            text: text.to_owned(),
            ..Self::default()
        };
        let mut filename = None;
        let pairs = text.split(',').map(str::trim);
        for pair in pairs.filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
            let value = decoded(value)?;
            match key {
                "bucket" => said.bucket = Some(value),
                "path" => said.path = Some(value.parse().map_err(Error::from)?),
                "filetype" => said.media_type = value,
                "filename" => filename = Some(value),
                _ => {
                    if said.metadata.insert(key.to_owned(), value.into()).is_some() {
                        return Err(invalid_metadata("a key stands there twice"));
                    }
                }
            }
        }
        match (&said.path, filename) {
            (None, Some(name)) => said.path = Some(name.parse().map_err(Error::from)?),
            (Some(_), Some(name)) => {
                said.metadata.insert("filename".to_owned(), name.into());
            }
            (_, None) => {}
        }
        Ok(said)
    }
}

fn decoded(value: &str) -> Answer<String> {
    let bytes = BASE64.decode(value.trim().as_bytes());
    let bytes = bytes.map_err(|_| invalid_metadata("a value is written in Base64"))?;
    String::from_utf8(bytes).map_err(|_| invalid_metadata("a value is no UTF-8"))
}

fn invalid_metadata(why: &'static str) -> Problem {
    Problem::invalid("upload-metadata", "invalid", why)
}

pub(super) fn no_path() -> Problem {
    let text = "say where it goes: `path` or `filename`, with the value in Base64";
    Problem::invalid("upload-metadata", "missing", text)
}

/// What `Upload-Concat` says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Concat {
    /// It is a part.
    Partial,
    /// It is put together of these.
    Final {
        /// As the client wrote it.
        named: String,
        parts: Vec<UploadId>,
    },
}

impl Concat {
    pub(super) fn of(headers: &HeaderMap) -> Answer<Option<Self>> {
        let Some(text) = text(headers, &UPLOAD_CONCAT)? else {
            return Ok(None);
        };
        if text == "partial" {
            return Ok(Some(Self::Partial));
        }
        let list = text.strip_prefix("final;").ok_or_else(invalid_concat)?;
        let parts: Option<Vec<_>> = list.split_ascii_whitespace().map(id_in).collect();
        Ok(Some(Self::Final {
            named: text.to_owned(),
            parts: parts.ok_or_else(invalid_concat)?,
        }))
    }
}

/// The upload of an address, with or without scheme and host.
fn id_in(address: &str) -> Option<UploadId> {
    let (before, id) = address.trim_end_matches('/').rsplit_once('/')?;
    before.ends_with("/tus").then(|| id.parse().ok())?
}

fn invalid_concat() -> Problem {
    let text = "write `partial`, or `final;` and the addresses of the parts";
    Problem::invalid("upload-concat", "invalid", text)
}

/// The length of an upload that begins; nothing where it will be said later.
pub(super) fn length(headers: &HeaderMap) -> Answer<Option<u64>> {
    let length = number(headers, &UPLOAD_LENGTH)?;
    let deferred = match text(headers, &UPLOAD_DEFER_LENGTH)? {
        None => false,
        Some("1") => true,
        Some(_) => {
            let text = "it is `1` or is left out";
            return Err(Problem::invalid("upload-defer-length", "invalid", text));
        }
    };
    if length.is_some() == deferred {
        let text = "say `Upload-Length`, or else `Upload-Defer-Length: 1`";
        return Err(Problem::invalid("upload-length", "missing", text));
    }
    Ok(length)
}

/// Where the bytes go on.
pub(super) fn offset(headers: &HeaderMap) -> Answer<u64> {
    let offset = number(headers, &UPLOAD_OFFSET)?;
    offset.ok_or_else(|| Problem::invalid("upload-offset", "missing", "say where the bytes go on"))
}

/// A number of bytes. What databases cannot hold is none.
pub(super) fn number(headers: &HeaderMap, name: &HeaderName) -> Answer<Option<u64>> {
    let Some(text) = text(headers, name)? else {
        return Ok(None);
    };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text
        .parse()
        .ok()
        .filter(|number| digits && *number <= i64::MAX as u64);
    match number {
        Some(number) => Ok(Some(number)),
        None => {
            let text = "this is no number of bytes";
            Err(Problem::invalid(name.as_str(), "invalid", text))
        }
    }
}

pub(super) fn checksum(headers: &HeaderMap) -> Answer<Option<Checksum>> {
    match text(headers, &UPLOAD_CHECKSUM)? {
        None => Ok(None),
        Some(text) => Ok(Some(text.parse()?)),
    }
}

/// How many bytes come, where it is said.
pub(super) fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether the body is part of an upload, or none at all.
///
/// # Errors
/// When it is something else.
pub(super) fn brings_bytes(headers: &HeaderMap) -> Answer<bool> {
    let kind = text(headers, &CONTENT_TYPE)?.unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case(BYTES) {
        return Ok(true);
    }
    let nothing = announced(headers).is_none_or(|length| length == 0)
        && !headers.contains_key(http::header::TRANSFER_ENCODING);
    if nothing {
        Ok(false)
    } else {
        Err(unsupported_media_type())
    }
}

pub(super) fn unsupported_media_type() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "Send the bytes with `Content-Type: application/offset+octet-stream`.",
    )
}

/// A header as text; one that stands twice is refused, for nobody knows which counts.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Answer<Option<&'a str>> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        let text = "this header stands there twice";
        return Err(Problem::invalid(name.as_str(), "repeated", text));
    }
    let text = value.to_str().map(str::trim);
    text.map(Some)
        .map_err(|_| Problem::invalid(name.as_str(), "invalid", "this header is not ASCII"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(&HeaderName, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&HeaderName, &str)| {
            let value = HeaderValue::from_str(value).expect("a value");
            ((*name).clone(), value)
        };
        pairs.iter().map(pair).collect()
    }

    fn metadata(text: &str) -> Answer<Said> {
        Said::of(&headers(&[(&UPLOAD_METADATA, text)]))
    }

    #[test]
    fn metadata_says_where_it_goes_and_the_rest_is_kept() {
        let text = "bucket Ym94LTE=, path YS/DpC50eHQ=,filetype dGV4dC9wbGFpbg==,marked,\
                    filename eC50eHQ=,by YW5uYQ==";
        let said = metadata(text).expect("understood");
        assert_eq!(said.text, text);
        assert_eq!(said.bucket.as_deref(), Some("box-1"));
        assert_eq!(said.path.expect("a path").as_str(), "a/ä.txt");
        assert_eq!(said.media_type, "text/plain");
        let kept = serde_json::json!({ "marked": "", "filename": "x.txt", "by": "anna" });
        assert_eq!(serde_json::Value::from(said.metadata), kept);
        let said = metadata("filename eC50eHQ=").expect("understood");
        assert_eq!(said.path.expect("a path").as_str(), "x.txt");
        assert_eq!(metadata("").expect("nothing"), Said::default());
    }

    #[test]
    fn metadata_that_cannot_be_kept_is_refused() {
        let long = format!("a {}", "A".repeat(9000));
        for text in [
            "path Li4vZXRj",
            "filename AA==",
            "path",
            "a *",
            "a /w==",
            "a YQ==,a Yg==",
            &long,
        ] {
            assert_eq!(metadata(text).expect_err(text).status(), 400, "{text}");
        }
    }

    #[test]
    fn parts_are_named_by_any_form_of_their_addresses() {
        let (a, b) = (UploadId::new(), UploadId::new());
        let concat = |text: &str| Concat::of(&headers(&[(&UPLOAD_CONCAT, text)]));
        let text = format!("final;/tus/{a}  https://x.example:8443/tus/{b}/");
        let Ok(Some(Concat::Final { parts, named })) = concat(&text) else {
            panic!("{text} is not understood");
        };
        assert_eq!((parts, named), (vec![a, b], text));
        assert_eq!(concat("partial").expect("known"), Some(Concat::Partial));
        for text in ["final", "final;x", "final;/other/1", "whole", ""] {
            assert!(concat(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_length_is_a_number_or_comes_later() {
        let of = |pairs: &[(&HeaderName, &str)]| length(&headers(pairs));
        let (said, later) = (&UPLOAD_LENGTH, &UPLOAD_DEFER_LENGTH);
        assert_eq!(of(&[(said, "17")]).expect("known"), Some(17));
        assert_eq!(of(&[(later, "1")]).expect("later"), None);
        for pairs in [
            &[][..],
            &[(said, "17"), (later, "1")],
            &[(later, "2")],
            &[(said, "-1")],
            &[(said, "+1")],
            &[(said, "1e3")],
            &[(said, "")],
            &[(said, "9223372036854775808")],
            &[(said, "17"), (said, "17")],
        ] {
            assert!(of(pairs).is_err(), "{pairs:?}");
        }
    }
}
