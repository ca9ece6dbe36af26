//! Requests that another site makes with this site's credentials: refused here.
//!
//! Three fences, because no single one stands everywhere: `Sec-Fetch-Site` (sent
//! by browsers over https and on localhost), `Origin` against the address asked
//! for (where credentials go along by themselves), and the CSRF token of a session.

use crate::identify::Credentials;
use crate::{Client, Problem, Settings};
use base::config::PublicUrl;
use http::header::{ORIGIN, UPGRADE};
use http::{HeaderMap, Method, StatusCode};

const CSRF_HEADER: &str = "x-csrf-token";
const FETCH_SITE: &str = "sec-fetch-site";

/// What of a request says whether another site makes it.
pub(super) struct Asked<'a> {
    pub(super) method: &'a Method,
    pub(super) headers: &'a HeaderMap,
    pub(super) client: &'a Client,
    pub(super) settings: &'a Settings,
    /// Whether browsers may ask for a password themselves.
    pub(super) dialog: bool,
}

impl Asked<'_> {
    /// Refuses what another site makes, before anybody is identified.
    pub(super) fn refuse_cross_site(&self, credentials: &Credentials) -> Result<(), Problem> {
        let socket = is_websocket(self.headers);
        if (self.method.is_safe() && !socket) || matches!(credentials, Credentials::Bearer(_)) {
            return Ok(());
        }
        if self
            .text(FETCH_SITE)
            .is_some_and(|site| site.eq_ignore_ascii_case("cross-site"))
        {
            return Err(cross_site());
        }
        let right = match self.headers.get(ORIGIN) {
            // A browser always sends it with a WebSocket; without it there is none.
            None => !(socket && matches!(credentials, Credentials::Cookie(_))),
            // The session's token, checked later, proves more than the origin.
            Some(_) if !socket && matches!(credentials, Credentials::Cookie(_)) => true,
            Some(_) if credentials.is_ambient() => self.own_origin(),
            Some(_) => true,
        };
        if right { Ok(()) } else { Err(cross_site()) }
    }

    /// Refuses a changing request of a session that lacks the session's token.
    pub(super) fn require_csrf(&self, matches: impl FnOnce(&str) -> bool) -> Result<(), Problem> {
        if self.method.is_safe() || self.text(CSRF_HEADER).is_some_and(matches) {
            return Ok(());
        }
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "csrf",
            "A session's request that changes something needs its token in `X-CSRF-Token`; reload the page.",
        ))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn own_origin(&self) -> bool {
        let Some(origin) = self.text(ORIGIN.as_str()).and_then(origin_authority) else {
            return false;
        };
        let public = self.settings.public_url.as_ref().map(PublicUrl::authority);
        [self.client.authority(), public]
            .into_iter()
            .flatten()
            .any(|own| without_port(own).eq_ignore_ascii_case(without_port(&origin)))
    }
}

/// Host and port of an origin (RFC 6454 §6.2); nothing for `null`.
fn origin_authority(origin: &str) -> Option<String> {
    let rest = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://"))?;
    let authority: http::uri::Authority = rest.parse().ok()?;
    Some(authority.as_str().to_owned())
}

/// Without the port of http or https, which some write and some do not.
fn without_port(authority: &str) -> &str {
    authority
        .strip_suffix(":443")
        .or_else(|| authority.strip_suffix(":80"))
        .unwrap_or(authority)
}

fn is_websocket(headers: &HeaderMap) -> bool {
    headers.get_all(UPGRADE).iter().any(|value| {
        value.to_str().is_ok_and(|text| {
            text.split(',')
                .any(|word| word.trim().eq_ignore_ascii_case("websocket"))
        })
    })
}

fn cross_site() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "cross-site",
        "Another site asked for this; open Longshore itself, or check that the proxy passes `Host` on.",
    )
}
