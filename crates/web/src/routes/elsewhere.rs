//! Requests about which somebody outside of this program decides: whoever makes them is
//! not identified here, but taken in as a guest, for whom the handler asks.

use super::origin::Asked;
use crate::identify::Credentials;
use access::{Asks, Caller};
use async_trait::async_trait;
use http::header::{AUTHORIZATION, ORIGIN, USER_AGENT};
use http::{HeaderMap, HeaderName, Uri};

/// Of headers these are told to whoever decides. Never cookies: there is a session's
/// among them.
const TOLD: [HeaderName; 3] = [HeaderName::from_static("x-api-key"), ORIGIN, USER_AGENT];
/// The longest of these that is told, in bytes.
const LONGEST: usize = 4096;
/// Names of parameters that are told at most.
const PARAMETERS: usize = 64;

/// What a request is about.
#[derive(Clone, Copy, Debug)]
pub struct AskedFor<'a> {
    /// The host that was asked for.
    pub host: &'a str,
    /// The path, as it came.
    pub path: &'a str,
    /// Its headers.
    pub headers: &'a HeaderMap,
}

/// Knows of which requests somebody else decides.
#[async_trait]
pub trait Elsewhere: Send + Sync + 'static {
    /// Whether somebody else decides about this.
    async fn decides(&self, asked: AskedFor<'_>) -> bool;
}

/// Whether this is a proof of our own, which nobody else is asked about and nobody else
/// is told.
fn is_ours(credentials: &Credentials) -> bool {
    match credentials {
        Credentials::Cookie(_) => true,
        Credentials::Bearer(token) => token.starts_with(access::TOKEN_PREFIX),
        Credentials::None | Credentials::Basic { .. } | Credentials::Unreadable => false,
    }
}

/// The guest who makes this request; nothing where it is to be identified here.
pub(super) async fn guest(
    elsewhere: &dyn Elsewhere,
    credentials: &Credentials,
    asked: &Asked<'_>,
    uri: &Uri,
) -> Option<Caller> {
    if is_ours(credentials) {
        return None;
    }
    let mut authorization = asked.headers.get_all(AUTHORIZATION).iter();
    let (first, second) = (authorization.next(), authorization.next());
    // Of two that contradict each other, nobody knows which is meant.
    let readable = second.is_none() && first.is_none_or(|value| value.to_str().is_ok());
    if !readable {
        return None;
    }
    let about = AskedFor {
        host: asked.client.authority().unwrap_or_default(),
        path: uri.path(),
        headers: asked.headers,
    };
    if !elsewhere.decides(about).await {
        return None;
    }
    let asks = Asks {
        method: asked.method.as_str().to_owned(),
        host: about.host.to_owned(),
        path: about.path.to_owned(),
        query: parameters(uri),
        authorization: first.and_then(|value| Some(value.to_str().ok()?.to_owned())),
        headers: told(asked.headers),
    };
    Some(Caller::guest(asks, asked.client.address()))
}

fn parameters(uri: &Uri) -> Vec<String> {
    let pairs = uri.query().unwrap_or_default().split('&');
    let names = pairs.map(|pair| pair.split('=').next().unwrap_or_default());
    let named = names.filter(|name| !name.is_empty());
    named.take(PARAMETERS).map(str::to_owned).collect()
}

fn told(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |name: &HeaderName| {
        let value = headers.get(name)?.to_str().ok()?;
        (value.len() <= LONGEST).then(|| (name.as_str().to_owned(), value.to_owned()))
    };
    TOLD.iter().filter_map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Client, Settings};
    use http::{HeaderValue, Method};

    struct Always;

    #[async_trait]
    impl Elsewhere for Always {
        async fn decides(&self, _asked: AskedFor<'_>) -> bool {
            true
        }
    }

    async fn taken_in(pairs: &[(HeaderName, &str)], uri: &str) -> Option<Caller> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, HeaderValue::from_str(value).expect("a header"));
        }
        let uri: Uri = uri.parse().expect("an address");
        let settings = Settings::default();
        let client = Client::of(None, &uri, &headers, &settings);
        let asked = Asked {
            method: &Method::GET,
            headers: &headers,
            client: &client,
            settings: &settings,
            dialog: false,
        };
        guest(&Always, &Credentials::of(&headers), &asked, &uri).await
    }

    #[tokio::test]
    async fn proofs_of_our_own_are_told_to_nobody() {
        let cookie = http::header::COOKIE;
        for ours in [
            (AUTHORIZATION, "Bearer lsh_0123"),
            (cookie, "longshore_session=v"),
        ] {
            assert!(taken_in(&[ours], "/a").await.is_none());
        }
        let two = [(AUTHORIZATION, "Bearer a"), (AUTHORIZATION, "Bearer b")];
        assert!(taken_in(&two, "/a").await.is_none());
    }

    #[tokio::test]
    async fn others_are_taken_in_with_what_is_asked_about() {
        assert!(taken_in(&[], "/a").await.is_some(), "the address may do");
        let headers = [
            (AUTHORIZATION, "Whatever x y"),
            (http::header::COOKIE, "team=secret"),
            (HeaderName::from_static("x-api-key"), "key"),
        ];
        let caller = taken_in(&headers, "http://h/a%20b?x=1&y&x-signature=secret").await;
        let caller = caller.expect("a guest");
        let asks = caller.as_guest().and_then(access::Guest::asks);
        let asks = asks.expect("something to ask");
        assert_eq!(asks.authorization.as_deref(), Some("Whatever x y"));
        assert_eq!((asks.path.as_str(), asks.host.as_str()), ("/a%20b", "h"));
        assert_eq!(asks.query, ["x", "y", "x-signature"]);
        assert_eq!(asks.headers, [("x-api-key".to_owned(), "key".to_owned())]);
    }
}
