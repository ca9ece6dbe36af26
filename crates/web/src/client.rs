//! Where a request comes from and how it was addressed, after the proxies that
//! are trusted have been seen through. Headers of anybody else are never believed.

use crate::{Problem, Settings};
use axum::extract::FromRequestParts;
use base::forwarded;
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, Uri, header};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// The other end of the connection, put on each request by the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// From where and under which address a request came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    address: IpAddr,
    https: bool,
    authority: Option<String>,
}

impl Client {
    pub(crate) fn of(
        peer: Option<Peer>,
        uri: &Uri,
        headers: &HeaderMap,
        settings: &Settings,
    ) -> Self {
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        let lines = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()));
        let client = forwarded::client(peer, lines, &settings.trusted_proxies);
        Self {
            address: client.address,
            https: client.https,
            authority: client.host.or_else(|| authority(uri, headers)),
        }
    }

    /// Its IP address.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// Whether it came by https, here or at the proxy.
    #[must_use]
    pub const fn is_https(&self) -> bool {
        self.https
    }

    /// The host, and the port unless it is the scheme's own, that it asked for.
    #[must_use]
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// Scheme and host for links in answers: `https://longshore.example.org`. The
    /// configured address where there is one, or else that of the request.
    #[must_use]
    pub fn origin(&self, settings: &Settings) -> Option<String> {
        match &settings.public_url {
            Some(url) => Some(url.origin().to_owned()),
            None => {
                let scheme = if self.https { "https" } else { "http" };
                Some(format!("{scheme}://{}", self.authority()?))
            }
        }
    }
}

/// Scheme and host under which the console and the API are reached, for links in
/// answers; see [`Client::origin`]. An extractor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Origin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let client = Client::from_request_parts(parts, state).await?;
        let settings = parts.extensions.get::<Arc<Settings>>().cloned();
        let origin = client.origin(&settings.unwrap_or_default());
        Ok(Self(origin.unwrap_or_default()))
    }
}

/// Whether somebody whose word is not taken says for whom it asks.
pub(crate) fn is_untrusted_proxy(peer: Peer, headers: &HeaderMap, settings: &Settings) -> bool {
    let speaks_for_another =
        headers.contains_key("x-forwarded-for") || headers.contains_key(header::FORWARDED);
    speaks_for_another && !settings.trusts(peer.0.ip())
}

/// The authority of HTTP/2 or the `Host` of HTTP/1.1 (RFC 9110 §7.2), in lower case.
fn authority(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let host = || {
        headers
            .get(header::HOST)?
            .to_str()
            .ok()?
            .parse::<Authority>()
            .ok()
    };
    let authority = uri.authority().cloned().or_else(host)?;
    Some(authority.as_str().to_ascii_lowercase())
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let client = parts.extensions.get::<Self>().cloned();
        Ok(client
            .unwrap_or_else(|| Self::of(None, &parts.uri, &parts.headers, &Settings::default())))
    }
}
