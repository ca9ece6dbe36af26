//! Headers that tell browsers what not to do. Every answer has them; an answer that
//! sets one itself keeps its own.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue};

/// The policy of the console's pages. Scripts come from files of our own, never
/// from the page. Frames show what the console itself has read and named a PDF
/// (`blob:`), and nothing else: that is how a stored PDF is previewed, whose own answer
/// forbids every frame.
pub(crate) const CONSOLE_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data: blob:; connect-src 'self'; frame-src blob:; frame-ancestors 'none'; \
     base-uri 'none'; form-action 'self'";

/// The policy of everything else: it is data, and nothing in it runs or loads.
const DATA_POLICY: &str =
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const ALWAYS: [(HeaderName, &str); 6] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "same-origin"),
    (CONTENT_SECURITY_POLICY, DATA_POLICY),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Half a year, for this host alone: what else its domain serves is not ours to say.
const HTTPS_ONLY: HeaderValue = HeaderValue::from_static("max-age=15768000");

/// `https`: whether the console is reached that way, after which it is never again
/// asked for without.
pub(crate) fn complete(headers: &mut HeaderMap, https: bool) {
    if https {
        headers
            .entry(STRICT_TRANSPORT_SECURITY)
            .or_insert(HTTPS_ONLY);
    }
    for (name, value) in ALWAYS {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    // What an API says about somebody is not for a cache between us.
    let json = headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().ends_with(b"json"));
    if json {
        headers
            .entry(CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
    }
}
