//! Signed addresses: they open one path of one bucket by one method, for a while, to
//! whoever has them, and with no more rights than the signer has when they are used.
//!
//! The signature is HMAC-SHA-256 over all that the address says, and stands in it with
//! who signed; it is compared in constant time. An address for PUT works once: its use
//! is noted in the transaction that puts the file in its place ([`Once`]), so that a
//! second one changes nothing. Nothing here looks anything up.

use crate::path::FilePath;
use access::{Access, Caller, Identity, Proof};
use base::{BucketId, Timestamp, TokenId, UserId};
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use uuid::Uuid;

/// What keys are made for.
const PURPOSE: &str = "file";
/// The length of HMAC-SHA-256.
const MAC: usize = 32;
const ID: usize = 16;

/// Why a signed address opens nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// A parameter that no signature covers.
    #[error("a signed address has the parameters that it was made with, and no others")]
    Unknown(String),
    /// It is not for this, or was changed on its way.
    #[error("this link is not valid; copy it again as a whole, or ask for a new one")]
    Invalid,
    /// Its time is over.
    #[error("this link has expired; ask for a new one")]
    Expired,
    /// It was good for one upload, which has been.
    #[error("this link was good for one upload and has been used; ask for a new one")]
    Used,
    /// Whoever signed may not do this any more.
    #[error("whoever made this link may not do this any more; ask somebody else for a new one")]
    Revoked,
    /// The upload is not the one that was agreed on.
    #[error("this link is for a file of {0} bytes, and this one has another length")]
    Length(u64),
    /// The upload is not of the type that was agreed on.
    #[error("this link is for a file of the type {0}; send it as `Content-Type`")]
    Type(String),
}

/// What is signed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Terms {
    /// Getting the file.
    Get {
        /// To be saved under its name instead of shown.
        download: bool,
    },
    /// Putting one, once.
    Put {
        /// Exactly so many bytes.
        length: Option<u64>,
        /// Exactly this type.
        media_type: Option<String>,
    },
}

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SignedBy {
    /// Nobody, where everybody may read.
    Nobody,
    /// A user, or a token of one.
    User(UserId, Option<TokenId>),
    /// A guest, whom somebody else let in.
    Guest(Identity),
}

impl SignedBy {
    pub(crate) fn of(caller: Option<&Caller>) -> Self {
        let Some(caller) = caller else {
            return Self::Nobody;
        };
        let token = match caller.proof() {
            Proof::Token { id, .. } => Some(*id),
            // Keys of S3 clients sign their addresses themselves.
            Proof::Session(_) | Proof::Password | Proof::AccessKey { .. } => None,
            // Of one that nobody was asked about, the bucket is public.
            Proof::Guest(guest) => {
                return guest
                    .identity()
                    .map_or(Self::Nobody, |identity| Self::Guest(identity.clone()));
            }
        };
        Self::User(caller.user(), token)
    }

    fn write(&self, to: &mut Vec<u8>) {
        match self {
            Self::Nobody => to.push(0),
            Self::User(user, None) => {
                to.push(1);
                to.extend_from_slice(user.uuid().as_bytes());
            }
            Self::User(user, Some(token)) => {
                to.push(2);
                to.extend_from_slice(user.uuid().as_bytes());
                to.extend_from_slice(token.uuid().as_bytes());
            }
            Self::Guest(identity) => {
                to.push(3);
                to.extend_from_slice(identity.account.as_bytes());
                let name = identity.name.as_deref().unwrap_or_default().as_bytes();
                // An identity has at most 128 bytes.
                let length = u8::try_from(name.len()).unwrap_or_default();
                to.push(length);
                to.extend_from_slice(&name[..usize::from(length)]);
            }
        }
    }

    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (kind, rest) = bytes.split_first()?;
        match kind {
            0 => Some((Self::Nobody, rest)),
            1 => {
                let (user, rest) = id(rest)?;
                Some((Self::User(user.into(), None), rest))
            }
            2 => {
                let (user, rest) = id(rest)?;
                let (token, rest) = id(rest)?;
                Some((Self::User(user.into(), Some(token.into())), rest))
            }
            3 => {
                let (account, rest) = id(rest)?;
                let (length, rest) = rest.split_first()?;
                let (name, rest) = rest.split_at_checked(usize::from(*length))?;
                let name = std::str::from_utf8(name).ok()?;
                let name = (!name.is_empty()).then(|| name.to_owned());
                Some((Self::Guest(Identity { name, account }), rest))
            }
            _ => None,
        }
    }
}

fn id(bytes: &[u8]) -> Option<(Uuid, &[u8])> {
    let (id, rest) = bytes.split_first_chunk::<ID>()?;
    Some((Uuid::from_bytes(*id), rest))
}

/// A signature that may be used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Once {
    pub(crate) id: Uuid,
    /// After which it opens nothing anyway.
    pub(crate) expires: Timestamp,
}

/// What a good signature allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) by: SignedBy,
    pub(crate) terms: Terms,
    pub(crate) once: Option<Once>,
}

/// Where a signed address leads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) bucket: BucketId,
    pub(crate) path: &'a FilePath,
}

/// Makes and checks signatures.
pub(crate) struct Signer {
    newest: [u8; 32],
    older: Vec<[u8; 32]>,
}

impl Signer {
    /// With keys made of the master keys: the newest signs, and what an older one has
    /// signed stays good until it expires.
    pub(crate) fn of(access: &Access) -> Self {
        let older = access.verifying_keys(PURPOSE);
        Self {
            newest: *access.signing_key(PURPOSE).expose(),
            older: older.iter().map(|key| *key.expose()).collect(),
        }
    }

    /// The query that opens a place up to `expires`, and to the end of the second that
    /// it lies in.
    pub(crate) fn sign(
        &self,
        place: Place<'_>,
        terms: &Terms,
        by: &SignedBy,
        expires: Timestamp,
    ) -> String {
        let mut said = Said {
            expires: web::whole_seconds(expires).seconds().to_string(),
            ..Said::default()
        };
        let mut tail = Vec::new();
        by.write(&mut tail);
        match terms {
            Terms::Get { download } => said.download = download.then(|| "1".to_owned()),
            Terms::Put { length, media_type } => {
                said.length = length.map(|length| length.to_string());
                said.media_type.clone_from(media_type);
                tail.extend_from_slice(&rand::random::<[u8; ID]>());
            }
        }
        let mac = said.mac(&self.newest, method_of(terms), place, &tail);
        let mut signature = mac.finalize().into_bytes().to_vec();
        signature.extend_from_slice(&tail);
        said.query(&BASE64URL_NOPAD.encode(&signature))
    }

    /// What the query of an address allows at this place; nothing where it carries no
    /// signature at all.
    pub(crate) fn check(
        &self,
        method: Method,
        place: Place<'_>,
        query: &str,
        now: Timestamp,
    ) -> Result<Option<Opened>, LinkError> {
        let Some((said, signature)) = Said::read(query)? else {
            return Ok(None);
        };
        let (mac, tail) = signature.split_at_checked(MAC).ok_or(LinkError::Invalid)?;
        let is_by = |key: &[u8; 32]| {
            let right = said.mac(key, method, place, tail);
            right.verify_slice(mac).is_ok()
        };
        // Not one that ends early: how many keys there are is no secret, and most are new.
        if !is_by(&self.newest) && !self.older.iter().any(is_by) {
            return Err(LinkError::Invalid);
        }
        let expires: i64 = said.expires.parse().map_err(|_| LinkError::Invalid)?;
        if expires <= now.seconds() {
            return Err(LinkError::Expired);
        }
        let expires = Timestamp::from_micros(expires.saturating_mul(1_000_000));
        let (by, rest) = SignedBy::read(tail).ok_or(LinkError::Invalid)?;
        let (terms, once) = match method {
            Method::Get => (
                Terms::Get {
                    download: said.download.is_some(),
                },
                None,
            ),
            Method::Put => {
                let (id, _) = id(rest).ok_or(LinkError::Invalid)?;
                let length = said.length.map(|length| length.parse()).transpose();
                let terms = Terms::Put {
                    length: length.map_err(|_| LinkError::Invalid)?,
                    media_type: said.media_type,
                };
                (terms, Some(Once { id, expires }))
            }
        };
        Ok(Some(Opened { by, terms, once }))
    }

    /// A signature of something else of this part, such as a share that was unlocked.
    pub(crate) fn sign_text(&self, what: &str, text: &str) -> String {
        let mac = mac(&self.newest, [what, text].map(str::as_bytes));
        BASE64URL_NOPAD.encode(&mac.finalize().into_bytes())
    }

    /// Whether [`sign_text`](Self::sign_text) made it.
    pub(crate) fn has_signed_text(&self, what: &str, text: &str, signature: &str) -> bool {
        let Ok(signature) = BASE64URL_NOPAD.decode(signature.as_bytes()) else {
            return false;
        };
        let is_by = |key: &[u8; 32]| {
            let right = mac(key, [what, text].map(str::as_bytes));
            right.verify_slice(&signature).is_ok()
        };
        is_by(&self.newest) || self.older.iter().any(is_by)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(…)")
    }
}

/// By which of the two methods. HEAD asks for what GET would answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Put,
}

const fn method_of(terms: &Terms) -> Method {
    match terms {
        Terms::Get { .. } => Method::Get,
        Terms::Put { .. } => Method::Put,
    }
}

/// What an address says beside its signature, to the letter.
#[derive(Debug, Default)]
struct Said {
    expires: String,
    length: Option<String>,
    media_type: Option<String>,
    download: Option<String>,
}

impl Said {
    fn read(query: &str) -> Result<Option<(Self, Vec<u8>)>, LinkError> {
        let mut signature = None;
        let mut said = Self::default();
        let mut expires = None;
        let mut unknown = None;
        let mut twice = false;
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let place = match &*name {
                "signature" => &mut signature,
                "expires" => &mut expires,
                "length" => &mut said.length,
                "type" => &mut said.media_type,
                "download" => &mut said.download,
                _ => {
                    unknown = Some(name.chars().take(80).collect());
                    continue;
                }
            };
            twice |= place.replace(value.into_owned()).is_some();
        }
        let Some(signature) = signature else {
            return Ok(None);
        };
        if let Some(unknown) = unknown {
            return Err(LinkError::Unknown(unknown));
        }
        if twice {
            return Err(LinkError::Invalid);
        }
        said.expires = expires.ok_or(LinkError::Invalid)?;
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes());
        Ok(Some((said, signature.map_err(|_| LinkError::Invalid)?)))
    }

    fn query(&self, signature: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("expires", &self.expires);
        for (name, value) in [
            ("length", &self.length),
            ("type", &self.media_type),
            ("download", &self.download),
        ] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        query.append_pair("signature", signature);
        query.finish()
    }

    fn mac(&self, key: &[u8; 32], method: Method, place: Place<'_>, tail: &[u8]) -> Hmac<Sha256> {
        // What is absent is another thing than what is empty.
        let text = |text: &Option<String>| match text {
            None => String::new(),
            Some(text) => format!("={text}"),
        };
        let method: &[u8] = match method {
            Method::Get => b"GET",
            Method::Put => b"PUT",
        };
        mac(
            key,
            [
                b"longshore-file-1",
                method,
                place.bucket.uuid().as_bytes(),
                place.path.as_str().as_bytes(),
                self.expires.as_bytes(),
                text(&self.length).as_bytes(),
                text(&self.media_type).as_bytes(),
                text(&self.download).as_bytes(),
                tail,
            ],
        )
    }
}

fn mac<const N: usize>(key: &[u8; 32], parts: [&[u8]; N]) -> Hmac<Sha256> {
    // A key shorter than a block is filled with zeros (RFC 2104 §2).
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    // Each part with its length: no two lists of parts give the same bytes.
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac
}

#[cfg(test)]
mod tests;
