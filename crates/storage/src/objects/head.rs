//! What is said of an object in headers: by whom it is put, and by the store.

use super::answer::{etag_in, md5_in};
use super::{ObjectError, Result};
use base::Timestamp;
use fetch::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE,
    HeaderName,
};
use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

const METADATA: &str = "x-amz-meta-";
/// The most of it that stores take, in bytes.
const MOST_METADATA: usize = 2 * 1024;

/// What is stored with an object beside its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectHeaders {
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
    /// What else is said of it, by short names. What no header can carry is left out.
    pub metadata: BTreeMap<String, String>,
    /// The MD5 of the content in Base64, for the store to compare. It is not kept.
    pub(super) md5: Option<String>,
}

impl ObjectHeaders {
    fn named(&self) -> [(HeaderName, &Option<String>); 5] {
        [
            (CONTENT_TYPE, &self.content_type),
            (CACHE_CONTROL, &self.cache_control),
            (CONTENT_DISPOSITION, &self.content_disposition),
            (CONTENT_ENCODING, &self.content_encoding),
            (CONTENT_LANGUAGE, &self.content_language),
        ]
    }

    /// As headers of a request.
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        let named = self.named();
        let mut pairs: Vec<(String, String)> = named
            .into_iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.clone()?)))
            .filter(|(_, value)| is_sayable(value))
            .collect();
        pairs.extend(
            self.md5
                .iter()
                .map(|md5| ("content-md5".to_owned(), md5.clone())),
        );
        let mut left = MOST_METADATA;
        for (name, value) in &self.metadata {
            let length = name.len() + value.len();
            if is_name(name) && is_sayable(value) && length <= left {
                left -= length;
                pairs.push((
                    format!("{METADATA}{}", name.to_ascii_lowercase()),
                    value.clone(),
                ));
            }
        }
        pairs
    }
}

/// Whether every store takes this in a header, and signs it as we do.
fn is_sayable(value: &str) -> bool {
    let visible = |c: char| c == ' ' || c.is_ascii_graphic();
    !value.is_empty()
        && value.chars().all(visible)
        && value.trim() == value
        && !value.contains("  ")
}

fn is_name(name: &str) -> bool {
    let usual = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=128).contains(&name.len()) && name.chars().all(usual)
}

/// What a store knows of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectHead {
    /// Its length in bytes.
    pub size: u64,
    /// Its ETag without quotes: it changes with the content.
    pub etag: String,
    /// The MD5 of its content in small letters, where its ETag is one.
    pub md5: Option<String>,
    /// When it was put.
    pub last_modified: Timestamp,
    /// What was said of it then.
    pub headers: ObjectHeaders,
    /// The version that it is, where the store keeps versions.
    pub version_id: Option<String>,
}

impl ObjectHead {
    pub(super) fn of(response: &Response) -> Result<Self> {
        let missing = ObjectError::Answer;
        let text = |name: &str| {
            let value = response.headers().get(name)?;
            Some(value.to_str().ok()?.to_owned())
        };
        let of = |name: HeaderName| text(name.as_str());
        let metadata = response.headers().iter().filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix(METADATA)?;
            Some((name.to_owned(), value.to_str().ok()?.to_owned()))
        });
        let modified = response.last_modified();
        let modified = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified = modified.and_then(|since| i64::try_from(since.as_micros()).ok());
        Ok(Self {
            size: response
                .total()
                .ok_or(missing("it names no length of an object"))?,
            etag: etag_in(response.headers()).ok_or(missing("it names no ETag"))?,
            md5: md5_in(response.headers()),
            last_modified: Timestamp::from_micros(
                modified.ok_or(missing("it says not when an object was changed"))?,
            ),
            headers: ObjectHeaders {
                content_type: of(CONTENT_TYPE),
                cache_control: of(CACHE_CONTROL),
                content_disposition: of(CONTENT_DISPOSITION),
                content_encoding: of(CONTENT_ENCODING),
                content_language: of(CONTENT_LANGUAGE),
                metadata: metadata.collect(),
                md5: None,
            },
            version_id: text("x-amz-version-id").filter(|version| version != "null"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_every_store_takes_goes_into_headers() {
        let text = |text: &str| Some(text.to_owned());
        let headers = ObjectHeaders {
            content_type: text("image/png"),
            content_disposition: text("attachment; filename=\"bücher\""),
            metadata: BTreeMap::from([
                ("Album".to_owned(), "blue".to_owned()),
                ("a b".to_owned(), "x".to_owned()),
                ("line".to_owned(), "x\ny".to_owned()),
                ("long".to_owned(), "x".repeat(3000)),
                ("title".to_owned(), "grün".to_owned()),
            ]),
            ..ObjectHeaders::default()
        };
        let pairs = headers.pairs();
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [("content-type", "image/png"), ("x-amz-meta-album", "blue")]
        );
    }
}
