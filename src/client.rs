//! How commands talk to a server: one HTTP client, which says in a sentence what
//! went wrong and what to do.
//!
//! Credentials go into headers and nowhere else: never into an address, a message or
//! an argument. Redirects are not followed, since they would take the token along.

mod error;
mod files;
pub(crate) mod follow;
mod interrupt;
mod live;
mod place;
mod store;
mod tus;

pub(crate) use error::Error;
pub(crate) use files::{Ask, Moved, Remote, RemoteFile, Way};
pub(crate) use interrupt::Interrupt;
pub(crate) use place::{Credential, Place, ServerUrl};
pub(crate) use store::{Servers, StoredServer};
pub(crate) use tus::Begun;

use crate::arguments::ServerArguments;
use crate::exit::{Failure, Result as Outcome};
use reqwest::header::{HeaderMap, HeaderValue, IF_RANGE, RANGE};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

type Result<T, E = Error> = std::result::Result<T, E>;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer of the API may be silent.
const SILENCE: Duration = Duration::from_secs(60);
/// How long an archive may be silent: its first byte waits for the first source, and
/// for the bundle's turn.
const ARCHIVE_SILENCE: Duration = Duration::from_secs(900);
/// By which a peer that is gone without a word is noticed.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// The longest answer of the API that is taken in, in bytes.
const LONGEST: usize = 64 << 20;

/// Talks to one server. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    place: Place,
    api: reqwest::Client,
    archives: reqwest::Client,
    /// Without a limit of silence, which would count while a body is being sent; who
    /// sends one watches over it.
    uploads: reqwest::Client,
    /// Whether anybody was ever there.
    met: Arc<AtomicBool>,
}

/// From where on an archive is wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct From {
    /// The first byte.
    pub(crate) byte: u64,
    /// Of which version (RFC 9110 §13.1.5).
    pub(crate) etag: Option<HeaderValue>,
}

impl From {
    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if self.byte > 0 {
            let range = format!("bytes={}-", self.byte);
            if let Ok(range) = HeaderValue::from_str(&range) {
                headers.insert(RANGE, range);
            }
            if let Some(etag) = &self.etag {
                headers.insert(IF_RANGE, etag.clone());
            }
        }
        headers
    }
}

impl Client {
    /// For the server that the arguments, the environment or the last log-in name.
    pub(crate) fn of(arguments: &ServerArguments) -> Outcome<Self> {
        Self::at(Place::find(arguments.url.as_deref())?)
    }

    /// For a server.
    pub(crate) fn at(place: Place) -> Outcome<Self> {
        // That it was installed before is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let build = |silence: Option<Duration>| {
            let builder = reqwest::Client::builder()
                .user_agent(concat!("longshore/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(CONNECT)
                .tcp_keepalive(KEEPALIVE)
                .redirect(reqwest::redirect::Policy::none());
            let builder = match silence {
                Some(silence) => builder.read_timeout(silence),
                None => builder,
            };
            let builder = if place.url.is_loopback() {
                builder.no_proxy()
            } else {
                builder
            };
            // No redirect leads to TLS either: the machine's certificates, which each client
            // reads anew, are not needed.
            let builder = if place.url.is_without_tls() {
                builder.tls_certs_only(std::iter::empty())
            } else {
                builder
            };
            builder.build().map_err(|error| {
                Failure::failed(format!("no HTTP client can be made here: {error}"))
            })
        };
        Ok(Self {
            api: build(Some(SILENCE))?,
            archives: build(Some(ARCHIVE_SILENCE))?,
            uploads: build(None)?,
            met: Arc::default(),
            place,
        })
    }

    /// Where it talks to, and as whom.
    pub(crate) const fn place(&self) -> &Place {
        &self.place
    }

    /// Whether the server was ever there. One that never was may be the wrong one, and is
    /// not worth waiting for.
    pub(crate) fn has_met(&self) -> bool {
        self.met.load(Ordering::Relaxed)
    }

    /// The path below the server's address.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.place.url)
    }

    fn request(&self, client: &reqwest::Client, method: Method, path: &str) -> RequestBuilder {
        let request = client.request(method, self.url(path));
        match self.place.credential.header() {
            Some(header) => request.header(reqwest::header::AUTHORIZATION, header),
            None => request,
        }
    }

    /// GET of JSON.
    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        self.get_with(path, &[]).await
    }

    /// GET of JSON with a query.
    pub(crate) async fn get_with(&self, path: &str, query: &[(&str, String)]) -> Result<Value> {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query)
            .finish();
        let mark = if query.is_empty() { "" } else { "?" };
        let request = self.request(&self.api, Method::GET, &format!("{path}{mark}{query}"));
        self.json(request).await
    }

    /// POST of JSON; null where the answer is empty.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.send(Method::POST, path, Some(body)).await
    }

    /// Any method; null where the answer is empty.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value> {
        let request = self.request(&self.api, method, path);
        self.json(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }

    async fn json(&self, request: RequestBuilder) -> Result<Value> {
        let response = self.answer(request).await?;
        let body = self.body(response).await?;
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).map_err(|_| self.stranger("an answer that is no JSON"))
    }

    /// A whole small body.
    async fn body(&self, mut response: Response) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        while let Some(part) = response
            .chunk()
            .await
            .map_err(|error| self.broken(&error))?
        {
            if body.len() + part.len() > LONGEST {
                return Err(self.stranger("an answer without an end"));
            }
            body.extend_from_slice(&part);
        }
        Ok(body)
    }

    /// The bytes of an archive, from some byte on. Its body is taken as it comes.
    pub(crate) async fn archive(&self, path: &str, from: &From) -> Result<Response> {
        let request = self.request(&self.archives, Method::GET, path);
        self.answer(request.headers(from.headers())).await
    }

    /// The answer, where it is what was asked for.
    async fn answer(&self, request: RequestBuilder) -> Result<Response> {
        let response = request.send().await.map_err(|error| self.broken(&error))?;
        self.accept(response).await
    }

    async fn accept(&self, response: Response) -> Result<Response> {
        self.met.store(true, Ordering::Relaxed);
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if status.is_redirection() {
            return Err(self.stranger(&format!("{status}, to somewhere else")));
        }
        let body = self.body(response).await.unwrap_or_default();
        Err(Error::refused(&self.place, status, &body))
    }

    /// What a failed exchange means.
    pub(crate) fn broken(&self, error: &reqwest::Error) -> Error {
        if !error.is_connect() {
            // Somebody was there who could have answered.
            self.met.store(true, Ordering::Relaxed);
        }
        Error::unreachable(&self.place.url, error)
    }

    fn stranger(&self, what: &str) -> Error {
        Error::Stranger(format!(
            "{} gave {what}; is that the address of a Longshore?",
            self.place.url
        ))
    }
}

/// A part of an answer, as a value of our own.
pub(crate) fn read<T: serde::de::DeserializeOwned>(value: Value) -> Outcome<T> {
    serde_json::from_value(value).map_err(|error| {
        Failure::failed(format!(
            "the server answers as this version does not understand ({error}); do both have the same version?"
        ))
    })
}
