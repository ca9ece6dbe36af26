//! The files of a server, as its API has them: their places, their contents both ways,
//! and lists of them, a page at a time.

use super::{Client, Error, From, Result};
use base::Timestamp;
use files::{BucketName, FilePath};
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, IF_NONE_MATCH, LOCATION};
use reqwest::{Body, Method, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt;
use url::Url;

/// The most that one page of the API holds.
const PAGE: &str = "200";

/// Where a file is, or shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remote {
    pub(crate) bucket: BucketName,
    pub(crate) path: FilePath,
}

impl Remote {
    fn address(&self, what: &str) -> String {
        let path = self.path.encode();
        format!("/api/v1/buckets/{}/{what}/{path}", self.bucket)
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.bucket, self.path)
    }
}

/// A file, as far as a command needs to know it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct RemoteFile {
    /// The id of this content.
    pub(crate) id: String,
    pub(crate) path: String,
    pub(crate) size: u64,
    /// Without quotes; for most files the MD5 of the content.
    pub(crate) etag: String,
    pub(crate) sha256: Option<String>,
    pub(crate) modified_at: Timestamp,
    /// Everything else, for programs.
    #[serde(flatten)]
    more: serde_json::Map<String, Value>,
}

/// What is asked of a list of files.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) bucket: BucketName,
    /// What paths begin with.
    pub(crate) prefix: String,
    /// Only what lies right there, deeper files by their folder.
    pub(crate) one_folder: bool,
    pub(crate) sort: &'static str,
    pub(crate) order: &'static str,
}

impl Ask {
    /// All files below a prefix, by path.
    pub(crate) fn all(bucket: &BucketName, prefix: &str) -> Self {
        Self {
            bucket: bucket.clone(),
            prefix: prefix.to_owned(),
            one_folder: false,
            sort: "name",
            order: "asc",
        }
    }
}

/// A page of a list.
#[derive(Debug, Deserialize)]
pub(crate) struct Listed {
    pub(crate) folders: Vec<String>,
    /// As the API gives them.
    pub(crate) items: Vec<Value>,
    pub(crate) next: Option<String>,
}

/// How much is below a prefix.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Sum {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    /// It was counted no further.
    pub(crate) more: bool,
}

/// What becomes of the file at the old place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    /// It stays.
    Copied,
    /// It goes.
    Moved,
}

/// What may lie at the place where something is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Anything: it is replaced.
    Replace,
    /// Nothing: what is there stays.
    Keep,
}

impl Way {
    pub(super) fn headers(self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if self == Self::Keep {
            headers.insert(IF_NONE_MATCH, HeaderValue::from_static("*"));
        }
        headers
    }
}

impl Client {
    /// What is known of a file.
    pub(crate) async fn details(&self, at: &Remote) -> Result<RemoteFile> {
        let found = self.get(&at.address("details")).await?;
        self.understood(found)
    }

    /// The content of a file, from some byte on, as it comes. Where the server sends to
    /// a signed address, that is asked, and never told who asks.
    pub(crate) async fn content(&self, at: &Remote, from: &From) -> Result<Response> {
        let request = self.request(&self.api, Method::GET, &at.address("files"));
        let response = request
            .headers(from.headers())
            .send()
            .await
            .map_err(|error| self.broken(&error))?;
        match self.signed(&response) {
            Some(url) => self.at_signed(&url, from).await,
            None => self.accept(response).await,
        }
    }

    /// The content at a signed address, which needs no credential.
    pub(crate) async fn at_signed(&self, url: &Url, from: &From) -> Result<Response> {
        let request = self.api.get(url.clone()).headers(from.headers());
        self.answer(request).await.map_err(|error| match error {
            // The address is as good as a password, so it is not repeated.
            Error::Unreachable(_) => {
                Error::Unreachable("the signed address of the content cannot be reached".to_owned())
            }
            error => error,
        })
    }

    fn signed(&self, response: &Response) -> Option<Url> {
        if !response.status().is_redirection() {
            return None;
        }
        let location = response.headers().get(LOCATION)?.to_str().ok()?;
        let url = response.url().join(location).ok()?;
        matches!(url.scheme(), "http" | "https").then_some(url)
    }

    /// Puts a content, of a length where it is known. How long it may take is for the
    /// caller to say.
    pub(crate) async fn put(
        &self,
        at: &Remote,
        way: Way,
        length: Option<u64>,
        body: Body,
    ) -> Result<RemoteFile> {
        let mut request = self
            .request(&self.uploads, Method::PUT, &at.address("files"))
            .headers(way.headers());
        if let Some(length) = length {
            request = request.header(CONTENT_LENGTH, length);
        }
        let put = self.json(request.body(body)).await?;
        self.understood(put)
    }

    /// Deletes a file; which it was.
    pub(crate) async fn delete(&self, at: &Remote) -> Result<RemoteFile> {
        let gone = self
            .send(Method::DELETE, &at.address("files"), None)
            .await?;
        self.understood(gone)
    }

    /// Copies or moves a file, without its bytes coming here.
    pub(crate) async fn transfer(
        &self,
        from: &Remote,
        to: &Remote,
        moved: Moved,
        way: Way,
    ) -> Result<RemoteFile> {
        let verb = match moved {
            Moved::Copied => "copy",
            Moved::Moved => "move",
        };
        let path = format!("/api/v1/buckets/{}/{verb}", from.bucket);
        let wanted = json!({
            "from": from.path, "to": to.path, "to_bucket": to.bucket,
        });
        let request = self.request(&self.api, Method::POST, &path);
        let made = self
            .json(request.headers(way.headers()).json(&wanted))
            .await?;
        self.understood(made)
    }

    /// A page of a list; the first, or the one that a cursor names.
    pub(crate) async fn list(&self, ask: &Ask, cursor: Option<String>) -> Result<Listed> {
        let mut query = vec![
            ("prefix", ask.prefix.clone()),
            ("sort", ask.sort.to_owned()),
            ("order", ask.order.to_owned()),
            ("limit", PAGE.to_owned()),
        ];
        if ask.one_folder {
            query.push(("delimiter", "/".to_owned()));
        }
        query.extend(cursor.map(|cursor| ("cursor", cursor)));
        let path = format!("/api/v1/buckets/{}/files", ask.bucket);
        let page = self.get_with(&path, &query).await?;
        self.understood(page)
    }

    /// How much is below a prefix: `files`, `bytes`, and whether there is `more` than was
    /// counted.
    pub(crate) async fn sum(&self, bucket: &BucketName, prefix: &str) -> Result<Sum> {
        let path = format!("/api/v1/buckets/{bucket}/sum");
        let query = [("prefix", prefix.to_owned())];
        let sum = self.get_with(&path, &query).await?;
        self.understood(sum)
    }

    fn understood<T: serde::de::DeserializeOwned>(&self, value: Value) -> Result<T> {
        serde_json::from_value(value)
            .map_err(|_| self.stranger("an answer that this version does not understand"))
    }
}
