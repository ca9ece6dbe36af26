//! Values as they lie on the server: sealed, and bound to where they lie, so that who can
//! write there can take something away and can say nothing.

use super::name;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use std::fmt;

const NONCE: usize = 24;

pub(super) struct Seal(XChaCha20Poly1305);

impl Seal {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let key = name::mac(key, &[b"seal"]);
        Self(XChaCha20Poly1305::new((&key).into()))
    }

    /// Sealed, to lie at `place`.
    pub(super) fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        rand::fill(&mut nonce);
        let payload = Payload {
            msg: plain,
            aad: place.as_bytes(),
        };
        let sealed = self
            .0
            .encrypt(&XNonce::from(nonce), payload)
            .expect("a value in memory is shorter than the cipher's 256 GiB");
        [&nonce[..], &sealed].concat()
    }

    /// What was sealed, if it was and lay at `place`.
    pub(super) fn open(&self, place: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE)?;
        let nonce: [u8; NONCE] = nonce.try_into().ok()?;
        let payload = Payload {
            msg: sealed,
            aad: place.as_bytes(),
        };
        self.0.decrypt(&XNonce::from(nonce), payload).ok()
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_opens_where_it_was_put_and_nowhere_else() {
        let seal = Seal::new(&[1; 32]);
        let sealed = seal.seal("here", b"value");
        assert_eq!(seal.open("here", &sealed).as_deref(), Some(&b"value"[..]));
        assert_eq!(seal.open("there", &sealed), None);
        assert_eq!(Seal::new(&[2; 32]).open("here", &sealed), None);
        assert_eq!(seal.open("here", &sealed[..10]), None);
        assert_eq!(seal.open("here", b""), None);
        let mut altered = sealed;
        altered[30] ^= 1;
        assert_eq!(seal.open("here", &altered), None);
    }
}
