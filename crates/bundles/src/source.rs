//! What a bundle is asked to hold: sources.

use crate::error::{Error, Result};
use access::Access;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where sealed header values belong, so that they open nowhere else.
const PURPOSE: &str = "bundle source headers";
/// The longest address.
const LONGEST_URL: usize = 8192;
/// The longest path asked for; a longer one is cut when it is cleaned.
const LONGEST_PATH: usize = 4096;

/// One URL asked for, as a request gives it: the address alone, or with more.
#[derive(Clone, Debug)]
pub enum SourceRequest {
    /// The address alone.
    Url(String),
    /// The address, and what is particular about it.
    Detailed(DetailedSource),
}

/// A URL with what is particular about it.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DetailedSource {
    /// The address: http or https.
    pub url: String,
    /// The path that the file gets in the archive. Cleaned.
    pub path: Option<String>,
    /// Headers sent to the origin of `url`, and to no other: at most 100. Their values
    /// are kept encrypted, and never shown.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    pub headers: GivenHeaders,
}

impl std::fmt::Debug for DetailedSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DetailedSource")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Headers as they were given, in the JSON that is sealed: a hundred thousand small
/// maps would take ten times the memory.
#[derive(Clone, Default)]
pub struct GivenHeaders(Option<Box<str>>);

impl<'de> Deserialize<'de> for GivenHeaders {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let headers = crate::request::bounded_headers(deserializer)?;
        if headers.is_empty() {
            return Ok(Self(None));
        }
        let json = serde_json::to_string(&headers).map_err(serde::de::Error::custom)?;
        Ok(Self(Some(json.into())))
    }
}

/// A source as it is stored in the operation's input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Source {
    #[serde(rename = "u")]
    pub(crate) url: String,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    /// Headers, sealed.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    headers: Option<String>,
}

impl Source {
    /// A source to be stored. What is wrong with its address is found out when it is
    /// fetched, and fails this source alone.
    pub(crate) fn of(request: SourceRequest, access: &Access) -> Self {
        let (url, path, headers) = match request {
            SourceRequest::Url(url) => (url, None, GivenHeaders::default()),
            SourceRequest::Detailed(detailed) => (detailed.url, detailed.path, detailed.headers),
        };
        let headers = headers
            .0
            .map(|plain| BASE64.encode(&access.seal(PURPOSE, plain.as_bytes())));
        Self {
            url: shortened(url, LONGEST_URL),
            path: path.map(|path| shortened(path, LONGEST_PATH)),
            headers,
        }
    }

    /// The headers to be sent.
    pub(crate) fn headers(&self, access: &Access) -> Result<BTreeMap<String, String>> {
        use secrecy::ExposeSecret;
        let Some(sealed) = &self.headers else {
            return Ok(BTreeMap::new());
        };
        let sealed = BASE64
            .decode(sealed.as_bytes())
            .map_err(|_| Error::Headers)?;
        let plain = access
            .unseal(PURPOSE, &sealed)
            .map_err(|_| Error::Headers)?;
        serde_json::from_slice(plain.expose_secret()).map_err(|_| Error::Headers)
    }

    /// Whether it asks for the same as `other`, so that one fetch serves both.
    pub(crate) fn fetches_like(&self, other: &Self) -> bool {
        self.url == other.url && self.headers.is_none() && other.headers.is_none()
    }
}

/// An address that is too long stays too long by a byte, so that it is refused as
/// what it is, without being kept whole.
fn shortened(mut text: String, most: usize) -> String {
    if text.len() > most {
        let end = text.floor_char_boundary(most + 1);
        text.truncate(end);
    }
    text
}
