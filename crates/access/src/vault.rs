//! The master keys, and everything that is derived from them: sealed boxes, keys
//! for signatures, and the check that keys and database belong together.
//!
//! A master key itself encrypts nothing and never leaves this module but into its
//! file: HKDF-SHA-256 (RFC 5869) makes a key a purpose, so that what is sealed or
//! signed for one purpose means nothing for another.

use crate::{AccessError, Result, sql};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::BASE64URL_NOPAD;
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretBox, SecretSlice};
use sha2::Sha256;
use std::sync::Arc;
use storage::{Db, Tx};

/// The setting that shows whether keys and database belong together.
const CHECK: &str = "master_key_check";
const CHECK_PURPOSE: &str = "access/check";

const HEAD: &str = "\
# The master key of this Longshore. Whoever has it can read every stored secret;
# without it they are lost. Keep a copy apart from the database's.
# The last key encrypts, all of them decrypt.
";
/// The first byte of a sealed box: XChaCha20-Poly1305, key id, nonce, ciphertext.
const FORM: u8 = 1;
const ID: usize = 4;
const NONCE: usize = 24;
const TAG: usize = 16;

/// The keys of the master key file, oldest first. Cheap to clone; `Debug` shows none.
#[derive(Clone, Debug)]
pub struct MasterKeys(Arc<[MasterKey]>);

#[derive(Debug)]
struct MasterKey {
    /// By which sealed boxes name it: derived, so that it tells nothing of the key.
    id: [u8; ID],
    key: SecretBox<[u8; 32]>,
}

impl MasterKey {
    fn new(key: SecretBox<[u8; 32]>) -> Self {
        let mut id = [0; ID];
        expand(&key, &["id"], &mut id);
        Self { id, key }
    }

    fn random() -> Self {
        Self::new(SecretBox::init_with_mut(|key: &mut [u8; 32]| {
            rand::fill(key);
        }))
    }

    fn cipher(&self, purpose: &str) -> XChaCha20Poly1305 {
        let mut key = Zeroizing::new([0; 32]);
        expand(&self.key, &["seal", purpose], &mut *key);
        XChaCha20Poly1305::new((&*key).into())
    }

    fn signing(&self, purpose: &str) -> SigningKey {
        let mut key = [0; 32];
        expand(&self.key, &["sign", purpose], &mut key);
        SigningKey(SecretBox::new(Box::new(key)))
    }
}

/// HKDF with the parts, each ended by a zero byte, as its info.
fn expand(key: &SecretBox<[u8; 32]>, parts: &[&str], out: &mut [u8]) {
    let mut info = Vec::new();
    for part in parts {
        info.extend_from_slice(part.as_bytes());
        info.push(0);
    }
    Hkdf::<Sha256>::new(Some(b"longshore"), key.expose_secret())
        .expand(&info, out)
        .expect("at most 32 bytes are asked for, and HKDF-SHA-256 gives 8,160");
}

/// A key for signatures of one purpose. `Debug` does not show it.
#[derive(Debug)]
pub struct SigningKey(SecretBox<[u8; 32]>);

impl SigningKey {
    /// The key's 32 bytes, to be given to a MAC and to nothing else.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }

    /// HMAC-SHA-256 of `message`.
    pub(crate) fn mac(&self, message: &[u8]) -> [u8; 32] {
        mac(self.expose(), message)
    }
}

/// HMAC-SHA-256 (RFC 2104).
pub(crate) fn mac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key)
        .expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

impl MasterKeys {
    /// One new random key.
    #[must_use]
    pub fn generate() -> Self {
        Self(Arc::new([MasterKey::random()]))
    }

    /// These keys and a new one, which encrypts from now on. Write
    /// [`file`](Self::file) to the disk of every replica before anything is sealed with it.
    #[must_use]
    pub fn with_new_key(&self) -> Self {
        let copy =
            |key: &MasterKey| MasterKey::new(SecretBox::new(Box::new(*key.key.expose_secret())));
        let mut keys: Vec<MasterKey> = self.0.iter().map(copy).collect();
        keys.push(MasterKey::random());
        Self(keys.into())
    }

    /// The newest key alone: what is left when everything has been re-encrypted.
    #[must_use]
    pub fn newest_alone(&self) -> Self {
        Self(Arc::new([MasterKey::new(SecretBox::new(Box::new(
            *self.newest().key.expose_secret(),
        )))]))
    }

    /// Reads the content of the master key file.
    ///
    /// # Errors
    /// [`AccessError::MasterKeyFile`] with the line that is wrong.
    pub fn parse(content: &[u8]) -> Result<Self> {
        let text =
            std::str::from_utf8(content).map_err(|_| AccessError::MasterKeyFile { line: 0 })?;
        let mut keys = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = AccessError::MasterKeyFile { line: index + 1 };
            let encoded = line.strip_prefix("key ").ok_or(wrong.clone())?.trim();
            let bytes = BASE64URL_NOPAD
                .decode(encoded.as_bytes())
                .map(Zeroizing::new);
            let bytes = bytes.map_err(|_| wrong.clone())?;
            let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| wrong)?;
            keys.push(MasterKey::new(SecretBox::new(Box::new(key))));
        }
        if keys.is_empty() {
            return Err(AccessError::MasterKeyFile { line: 0 });
        }
        Ok(Self(keys.into()))
    }

    /// The content of the master key file. It belongs into a file of mode 0600 and nowhere else.
    #[must_use]
    pub fn file(&self) -> Vec<u8> {
        let mut text = HEAD.to_owned();
        for key in self.0.iter() {
            text.push_str("key ");
            text.push_str(&BASE64URL_NOPAD.encode(key.key.expose_secret()));
            text.push('\n');
        }
        text.into_bytes()
    }

    fn newest(&self) -> &MasterKey {
        // Every constructor puts at least one key in.
        &self.0[self.0.len() - 1]
    }

    /// Seals `plain` for `purpose` with the newest key, bound to `context`.
    pub(crate) fn seal(&self, purpose: &str, context: &[u8], plain: &[u8]) -> Vec<u8> {
        let key = self.newest();
        let mut nonce = [0; NONCE];
        rand::fill(&mut nonce);
        let mut sealed = Vec::with_capacity(1 + ID + NONCE + plain.len() + TAG);
        sealed.push(FORM);
        sealed.extend_from_slice(&key.id);
        let aad = bound(&sealed, context);
        sealed.extend_from_slice(&nonce);
        let payload = Payload {
            msg: plain,
            aad: &aad,
        };
        let ciphertext = key
            .cipher(purpose)
            .encrypt(&XNonce::from(nonce), payload)
            .expect("a value in memory is shorter than the cipher's 256 GiB");
        sealed.extend_from_slice(&ciphertext);
        sealed
    }

    /// Opens what [`seal`](Self::seal) made, with whichever key it was made.
    pub(crate) fn unseal(
        &self,
        purpose: &str,
        context: &[u8],
        sealed: &[u8],
    ) -> Result<SecretSlice<u8>> {
        let unsealable = AccessError::Unsealable;
        let (head, rest) = sealed.split_at_checked(1 + ID).ok_or(unsealable.clone())?;
        let (nonce, ciphertext) = rest.split_at_checked(NONCE).ok_or(unsealable.clone())?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| unsealable.clone())?;
        if head[0] != FORM {
            return Err(unsealable);
        }
        // Two keys whose short ids are the same are both tried.
        let aad = bound(head, context);
        self.0
            .iter()
            .rev()
            .filter(|key| key.id == head[1..])
            .find_map(|key| {
                let payload = Payload {
                    msg: ciphertext,
                    aad: &aad,
                };
                key.cipher(purpose)
                    .decrypt(&XNonce::from(nonce), payload)
                    .ok()
            })
            .map(SecretSlice::from)
            .ok_or(unsealable)
    }

    /// Whether a box was sealed with the newest key.
    pub(crate) fn is_newest(&self, sealed: &[u8]) -> bool {
        sealed.get(1..=ID) == Some(&self.newest().id[..])
    }

    /// The key that signs for `purpose` now.
    pub(crate) fn signing(&self, purpose: &str) -> SigningKey {
        self.newest().signing(purpose)
    }

    /// Every key that a signature for `purpose` may have been made with, newest first.
    pub(crate) fn verifying(&self, purpose: &str) -> Vec<SigningKey> {
        self.0
            .iter()
            .rev()
            .map(|key| key.signing(purpose))
            .collect()
    }
}

/// Refuses keys that do not belong to this database; a new one takes these.
pub(crate) async fn check(db: &Db, keys: &MasterKeys) -> Result<()> {
    if sql::setting::read(db, CHECK).await?.is_none() {
        sql::setting::put_first(db, CHECK, &check_value(keys)).await?;
    }
    // Read again: another replica may have been first, with other keys.
    let stored = sql::setting::read(db, CHECK).await?.unwrap_or_default();
    let sealed = BASE64URL_NOPAD
        .decode(stored.as_bytes())
        .unwrap_or_default();
    match keys.unseal(CHECK_PURPOSE, b"", &sealed) {
        Ok(_) => Ok(()),
        Err(_) => Err(AccessError::MasterKeyMismatch),
    }
}

/// Binds the database to the newest key.
pub(crate) async fn renew_check(tx: &mut Tx, keys: &MasterKeys) -> Result<()> {
    sql::setting::put(tx, CHECK, &check_value(keys)).await
}

fn check_value(keys: &MasterKeys) -> String {
    BASE64URL_NOPAD.encode(&keys.seal(CHECK_PURPOSE, b"", b"longshore"))
}

/// What a box is bound to: its own head, and its context.
fn bound(head: &[u8], context: &[u8]) -> Vec<u8> {
    [head, context].concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_box_opens_for_its_purpose_and_context_only() {
        let keys = MasterKeys::generate();
        let sealed = keys.seal("header", b"bundle 1", b"value");
        let open = |purpose, context: &[u8], sealed: &[u8]| {
            keys.unseal(purpose, context, sealed)
                .map(|plain| plain.expose_secret().to_vec())
        };
        assert_eq!(open("header", b"bundle 1", &sealed).unwrap(), b"value");
        assert!(open("secret", b"bundle 1", &sealed).is_err());
        assert!(open("header", b"bundle 2", &sealed).is_err());
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(
                open("header", b"bundle 1", &changed).is_err(),
                "byte {index}"
            );
            assert!(open("header", b"bundle 1", &sealed[..index]).is_err());
        }
    }

    #[test]
    fn the_same_value_is_never_sealed_the_same_way_twice() {
        let keys = MasterKeys::generate();
        assert_ne!(keys.seal("p", b"", b"value"), keys.seal("p", b"", b"value"));
    }

    #[test]
    fn an_old_key_still_opens_and_the_newest_seals() {
        let old = MasterKeys::generate();
        let sealed = old.seal("p", b"", b"value");
        let both = old.with_new_key();
        assert!(both.unseal("p", b"", &sealed).is_ok());
        assert!(!both.is_newest(&sealed));
        let again = both.seal("p", b"", b"value");
        assert!(both.is_newest(&again));
        let new = both.newest_alone();
        assert!(new.unseal("p", b"", &again).is_ok());
        assert!(matches!(
            new.unseal("p", b"", &sealed),
            Err(AccessError::Unsealable)
        ));
    }

    #[test]
    fn the_file_holds_the_keys_and_nothing_shows_them() {
        let keys = MasterKeys::generate().with_new_key();
        let sealed = keys.seal("p", b"", b"value");
        let read = MasterKeys::parse(&keys.file()).unwrap();
        assert!(read.unseal("p", b"", &sealed).is_ok());
        let file = String::from_utf8(keys.file()).unwrap();
        let shown = format!("{keys:?} {:?}", keys.signing("p"));
        for line in file.lines().filter_map(|line| line.strip_prefix("key ")) {
            assert!(!shown.contains(line));
        }
        assert!(shown.contains("REDACTED"), "{shown}");
    }

    #[test]
    fn a_broken_file_is_refused_by_line() {
        for (content, line) in [
            ("", 0),
            ("# nothing\n", 0),
            ("\nkey abc\n", 2),
            ("secret\n", 1),
            ("key AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", 1),
        ] {
            match MasterKeys::parse(content.as_bytes()) {
                Err(AccessError::MasterKeyFile { line: found }) => assert_eq!(found, line),
                other => panic!("{content:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn keys_of_different_purposes_are_different() {
        let keys = MasterKeys::generate();
        assert_ne!(keys.signing("a").expose(), keys.signing("b").expose());
        let grown = keys.with_new_key();
        let verifying = grown.verifying("a");
        assert_eq!(verifying.len(), 2);
        assert_eq!(verifying[0].expose(), grown.signing("a").expose());
        assert_eq!(verifying[1].expose(), keys.signing("a").expose());
    }
}
