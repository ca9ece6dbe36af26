//! What a bundle is asked to hold: sources.

use crate::error::{Error, Result};
use crate::stored::{FoundFile, StoredPlace, StoredRequest};
use access::Access;
use base::Name;
use data_encoding::BASE64;
use secrecy::{ExposeSecret, SecretString};
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
    /// Stored files.
    Stored(StoredRequest),
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
    #[schema(value_type = BTreeMap<String, HeaderText>)]
    pub headers: GivenHeaders,
}

/// The value of a header: the text itself, or the name of a stored secret, whose value
/// at the time of fetching is sent.
#[derive(Clone, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum HeaderText {
    /// The text itself.
    Text(String),
    /// A stored secret.
    Stored(StoredSecret),
}

/// A stored secret, by name.
#[derive(Clone, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StoredSecret {
    /// Its name.
    #[schema(value_type = String)]
    pub secret: Name,
}

impl From<String> for DetailedSource {
    fn from(url: String) -> Self {
        Self {
            url,
            path: None,
            headers: GivenHeaders::default(),
        }
    }
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

impl GivenHeaders {
    pub(crate) const fn are_none(&self) -> bool {
        self.0.is_none()
    }
}

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
    /// Where it is stored; the address is a name for it then.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(crate) stored: Option<Box<StoredPlace>>,
}

impl Source {
    /// A source to be stored. What is wrong with its address is found out when it is
    /// fetched, and fails this source alone.
    pub(crate) fn of(request: DetailedSource, access: &Access) -> Self {
        let DetailedSource { url, path, headers } = request;
        let headers = headers
            .0
            .map(|plain| BASE64.encode(&access.seal(PURPOSE, plain.as_bytes())));
        Self {
            url: shortened(url, LONGEST_URL),
            path: path.map(|path| shortened(path, LONGEST_PATH)),
            headers,
            stored: None,
        }
    }

    /// A stored file, as a source to be stored.
    pub(crate) fn of_file(file: FoundFile) -> Self {
        Self {
            url: file.address,
            path: Some(file.name),
            headers: None,
            stored: Some(Box::new(file.place)),
        }
    }

    /// The headers to be sent, with the values that stored secrets have now.
    pub(crate) async fn headers(&self, access: &Access) -> Result<Vec<(String, SecretString)>> {
        let mut headers = Vec::new();
        for (name, value) in self.unsealed(access)? {
            let value = match value {
                HeaderText::Text(text) => text.into(),
                HeaderText::Stored(StoredSecret { secret }) => {
                    let value = access.reveal(&secret).await;
                    value.map_err(|error| Error::Secret(secret, error))?
                }
            };
            headers.push((name, value));
        }
        Ok(headers)
    }

    /// The headers whose values stand in the request itself, which no log may show. Those of
    /// stored secrets are known to every log already.
    pub(crate) fn texts(&self, access: &Access) -> Vec<(String, String)> {
        let headers = self.unsealed(access).unwrap_or_default().into_iter();
        let texts = headers.filter_map(|(name, value)| match value {
            HeaderText::Text(text) => Some((name, text)),
            HeaderText::Stored(_) => None,
        });
        texts.collect()
    }

    /// Whether it is fetched with a text that stood in the request itself.
    pub(crate) fn has_texts(&self, access: &Access) -> Result<bool> {
        let headers = self.unsealed(access)?;
        Ok(headers
            .values()
            .any(|value| matches!(value, HeaderText::Text(_))))
    }

    fn unsealed(&self, access: &Access) -> Result<BTreeMap<String, HeaderText>> {
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
        self.url == other.url
            && self.headers.is_none()
            && other.headers.is_none()
            && self.stored == other.stored
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
