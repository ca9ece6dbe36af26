//! Signed links: addresses that open without a password until they expire.
//!
//! The signature is HMAC-SHA256 over the purpose, the method, the path and the
//! expiry; it is compared in constant time. Nothing else of a request is signed,
//! so a link whose query says anything else is refused.

use crate::Problem;
use access::Access;
use base::Timestamp;
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use http::{Method, StatusCode, Uri};
use sha2::Sha256;
use std::fmt;
use std::sync::Arc;

/// Makes and checks signed links of one purpose.
#[derive(Clone)]
pub struct Links {
    key: [u8; 32],
    older: Arc<[[u8; 32]]>,
    purpose: &'static str,
}

/// On a request that came by a valid signed link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    /// When the link ends.
    pub expires: Timestamp,
}

impl Links {
    /// With a key of their own and a purpose that no other links share.
    #[must_use]
    pub fn new(key: [u8; 32], purpose: &'static str) -> Self {
        Self {
            key,
            older: Arc::new([]),
            purpose,
        }
    }

    /// With keys made of the master keys: the newest signs, and links signed with an
    /// older one stay good until they expire.
    #[must_use]
    pub fn of(access: &Access, purpose: &'static str) -> Self {
        let older = access.verifying_keys(purpose);
        Self {
            key: *access.signing_key(purpose).expose(),
            older: older.iter().map(|key| *key.expose()).collect(),
            purpose,
        }
    }

    /// The query (`expires=…&signature=…`) that opens `path` for GET and HEAD up to
    /// `expires`, and to the end of the second that it lies in. The path is as it is
    /// written in the address: percent-encoded.
    #[must_use]
    pub fn sign(&self, path: &str, expires: Timestamp) -> String {
        let expires = whole_seconds(expires).seconds();
        let signature = self
            .mac(&self.key, &Method::GET, path, expires)
            .finalize()
            .into_bytes();
        format!(
            "expires={expires}&signature={}",
            BASE64URL_NOPAD.encode(&signature)
        )
    }

    /// `None` where the address carries no signature at all.
    ///
    /// # Errors
    /// 400 for parameters beside the signature's own, 403 `link-invalid` when the
    /// signature is not for this, 403 `link-expired` when it was.
    pub fn verify(
        &self,
        method: &Method,
        uri: &Uri,
        now: Timestamp,
    ) -> Result<Option<Signed>, Problem> {
        let Some(given) = Given::of(uri.query().unwrap_or_default()) else {
            return Ok(None);
        };
        if let Some(name) = given.unknown {
            return Err(Problem::invalid(
                name,
                "unknown",
                "a signed link has the parameters expires and signature, and no others",
            ));
        }
        // HEAD asks for what GET would answer.
        let method = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let (Some(expires), Some(signature)) = (given.expires, given.signature) else {
            return Err(invalid());
        };
        let is_by = |key| {
            let mac = self.mac(key, method, uri.path(), expires);
            mac.verify_slice(&signature).is_ok()
        };
        if !is_by(&self.key) && !self.older.iter().any(is_by) {
            return Err(invalid());
        }
        if expires <= now.seconds() {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "link-expired",
                "This link has expired; ask for a new one.",
            ));
        }
        let expires = Timestamp::from_micros(expires.saturating_mul(1_000_000));
        Ok(Some(Signed { expires }))
    }

    fn mac(&self, key: &[u8; 32], method: &Method, path: &str, expires: i64) -> Hmac<Sha256> {
        // A key shorter than a block is filled with zeros (RFC 2104 §2).
        let mut block = [0; 64];
        block[..key.len()].copy_from_slice(key);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        let expires = expires.to_string();
        // Each part with its length: no two lists of parts give the same bytes.
        for part in [
            "longshore-link-1",
            self.purpose,
            method.as_str(),
            path,
            &expires,
        ] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }
}

fn invalid() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "link-invalid",
        "This link is not valid; copy it again as a whole, or ask for a new one.",
    )
}

/// The next whole second, or this one where it is whole.
#[must_use]
pub fn whole_seconds(at: Timestamp) -> Timestamp {
    const SECOND: i64 = 1_000_000;
    let missing = (SECOND - at.micros().rem_euclid(SECOND)) % SECOND;
    Timestamp::from_micros(at.micros().saturating_add(missing))
}

/// What the query claims; `None` inside for what cannot be read or stands twice.
struct Given {
    unknown: Option<String>,
    expires: Option<i64>,
    signature: Option<Vec<u8>>,
}

impl Given {
    fn of(query: &str) -> Option<Self> {
        let mut signatures = Vec::new();
        let mut expiries = Vec::new();
        let mut unknown = None;
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "signature" => signatures.push(value),
                "expires" => expiries.push(value),
                _ => unknown = Some(name.into_owned()),
            }
        }
        if signatures.is_empty() {
            return None;
        }
        let signature = match signatures.as_slice() {
            [one] => BASE64URL_NOPAD.decode(one.as_bytes()).ok(),
            _ => None,
        };
        let expires = match expiries.as_slice() {
            [one] => one.parse().ok(),
            _ => None,
        };
        Some(Self {
            unknown,
            expires,
            signature,
        })
    }
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Links({})", self.purpose)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);
    const PATH: &str = "/api/v1/bundles/7/archive";

    fn links() -> Links {
        Links::new([7; 32], "download")
    }

    fn code(links: &Links, method: &Method, uri: &str, now: Timestamp) -> &'static str {
        let uri = uri.parse().expect("an address");
        match links.verify(method, &uri, now) {
            Ok(Some(_)) => "ok",
            Ok(None) => "none",
            Err(problem) => problem.code(),
        }
    }

    fn signed() -> String {
        let query = links().sign(PATH, NOW.plus(Duration::from_secs(60)));
        format!("{PATH}?{query}")
    }

    #[test]
    fn a_link_opens_its_path_by_get_and_head_until_it_expires() {
        for method in [Method::GET, Method::HEAD] {
            assert_eq!(code(&links(), &method, &signed(), NOW), "ok");
        }
        let further = format!("{}&stream=1", signed());
        assert_eq!(
            code(&links(), &Method::GET, &further, NOW),
            "invalid-request",
            "nothing beside it is signed"
        );
        let later = NOW.plus(Duration::from_secs(60));
        assert_eq!(
            code(&links(), &Method::GET, &signed(), later),
            "link-expired"
        );
    }

    #[test]
    fn a_link_lives_as_long_as_it_was_said_and_not_a_moment_less() {
        let begun = NOW.plus(Duration::from_millis(900));
        let ends = begun.plus(Duration::from_secs(1));
        let uri = format!("{PATH}?{}", links().sign(PATH, ends));
        let check = |at| code(&links(), &Method::GET, &uri, at);
        assert_eq!(check(ends.minus(Duration::from_micros(1))), "ok");
        assert_eq!(check(whole_seconds(ends)), "link-expired");
        assert_eq!(whole_seconds(ends), NOW.plus(Duration::from_secs(2)));
        assert_eq!(whole_seconds(NOW), NOW);
    }

    #[test]
    fn a_link_opens_nothing_else() {
        let other_key = Links::new([8; 32], "download");
        let other_purpose = Links::new([7; 32], "upload");
        for links in [&other_key, &other_purpose] {
            assert_eq!(code(links, &Method::GET, &signed(), NOW), "link-invalid");
        }
        for method in [Method::DELETE, Method::POST, Method::PUT] {
            assert_eq!(code(&links(), &method, &signed(), NOW), "link-invalid");
        }
        let elsewhere = signed().replace("/7/", "/8/");
        assert_eq!(
            code(&links(), &Method::GET, &elsewhere, NOW),
            "link-invalid"
        );
        let later = signed().replace("expires=17", "expires=18");
        assert_eq!(code(&links(), &Method::GET, &later, NOW), "link-invalid");
    }

    #[test]
    fn a_link_of_an_older_key_stays_good() {
        let rotated = Links {
            key: [9; 32],
            older: Arc::new([[9; 32], [7; 32]]),
            purpose: "download",
        };
        assert_eq!(code(&rotated, &Method::GET, &signed(), NOW), "ok");
        let query = rotated.sign(PATH, NOW.plus(Duration::from_secs(60)));
        let new = format!("{PATH}?{query}");
        assert_eq!(code(&rotated, &Method::GET, &new, NOW), "ok");
        assert_eq!(code(&links(), &Method::GET, &new, NOW), "link-invalid");
    }

    #[test]
    fn a_mangled_link_is_invalid_and_an_unsigned_address_is_none() {
        for query in [
            "signature=",
            "signature=AAAA",
            "expires=1&signature=***",
            "expires=x&signature=AAAA",
            "expires=99999999999&signature=AAAA",
            "expires=-9223372036854775808&signature=AAAA",
        ] {
            let uri = format!("{PATH}?{query}");
            assert_eq!(
                code(&links(), &Method::GET, &uri, NOW),
                "link-invalid",
                "{query}"
            );
        }
        let twice = format!("{0}&{1}", signed(), "expires=99999999999");
        assert_eq!(code(&links(), &Method::GET, &twice, NOW), "link-invalid");
        for uri in [PATH, "/?expires=5", "/?", "/?a=b"] {
            assert_eq!(code(&links(), &Method::GET, uri, NOW), "none", "{uri}");
        }
    }

    #[test]
    fn every_bit_of_a_signature_counts() {
        let (head, signature) = signed()
            .rsplit_once('=')
            .map(|(h, s)| (h.to_owned(), s.to_owned()))
            .expect("parts");
        let bytes = BASE64URL_NOPAD
            .decode(signature.as_bytes())
            .expect("base64");
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let uri = format!("{head}={}", BASE64URL_NOPAD.encode(&changed));
            assert_eq!(code(&links(), &Method::GET, &uri, NOW), "link-invalid");
        }
    }
}
