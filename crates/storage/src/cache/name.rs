//! Under what a value lies on the server: a keyed hash, so that who looks on learns no
//! path and can name nothing.

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretBox};
use sha2::Sha256;
use std::sync::Arc;

/// Rises when values or the way to them change their form: versions of Longshore that
/// differ in it share no cache.
const FORM: u8 = 1;

/// What something is called in the cache: where it belongs, and its parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name(Arc<str>);

impl Name {
    /// The key on the server, under the word of an opening.
    pub(super) fn under(&self, word: &str) -> String {
        format!("longshore:{word}:{}", self.0)
    }

    /// The key on the server of what may be older than a change.
    pub(super) fn for_a_time(&self) -> String {
        format!("longshore:t:{}", self.0)
    }
}

/// Makes names.
#[derive(Debug)]
pub(super) struct Names(SecretBox<[u8; 32]>);

impl Names {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(SecretBox::new(Box::new(mac(key, &[b"names"]))))
    }

    pub(super) fn name(&self, namespace: &str, parts: &[&[u8]]) -> Name {
        let mut all = vec![namespace.as_bytes()];
        all.extend_from_slice(parts);
        let hash = mac(self.0.expose_secret(), &all);
        Name(BASE64URL_NOPAD.encode(&hash).into())
    }

    /// The same for all that can understand each other's values, and tells nothing of the key.
    pub(super) fn fingerprint(&self) -> String {
        let hash = mac(self.0.expose_secret(), &[b"", b"fingerprint", &[FORM]]);
        BASE64URL_NOPAD.encode(&hash[..9])
    }
}

/// HMAC-SHA-256 of the parts, each after its length.
pub(super) fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_with_each_part_and_with_the_key() {
        let (names, others) = (Names::new(&[1; 32]), Names::new(&[2; 32]));
        let one = names.name("files", &[b"a", b"bc"]);
        assert_eq!(one, Names::new(&[1; 32]).name("files", &[b"a", b"bc"]));
        for other in [
            names.name("files", &[b"ab", b"c"]),
            names.name("files", &[b"abc"]),
            names.name("others", &[b"a", b"bc"]),
            others.name("files", &[b"a", b"bc"]),
        ] {
            assert_ne!(one, other);
        }
        assert_ne!(names.fingerprint(), others.fingerprint());
        assert!(!one.under("w").contains("abc"));
    }
}
