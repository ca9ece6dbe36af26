//! What the bytes of one request are said to be.

use crate::Error;
use data_encoding::BASE64;
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::Sha256;
use std::fmt;
use std::str::FromStr;

/// A checksum that is compared with the bytes as they come.
#[derive(Clone)]
pub struct Checksum {
    so_far: Hasher,
    expected: Vec<u8>,
}

#[derive(Clone)]
enum Hasher {
    Sha1(Sha1),
    Sha256(Sha256),
    Md5(Md5),
}

impl Checksum {
    /// The algorithms, as clients name them. tus asks for SHA-1 of every server.
    pub const ALGORITHMS: &str = "sha1,sha256,md5";

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match &mut self.so_far {
            Hasher::Sha1(hasher) => hasher.update(bytes),
            Hasher::Sha256(hasher) => hasher.update(bytes),
            Hasher::Md5(hasher) => hasher.update(bytes),
        }
    }

    /// # Errors
    /// [`Error::Checksum`] when the bytes were others.
    pub(crate) fn check(self) -> Result<(), Error> {
        let found = match self.so_far {
            Hasher::Sha1(hasher) => hasher.finalize().to_vec(),
            Hasher::Sha256(hasher) => hasher.finalize().to_vec(),
            Hasher::Md5(hasher) => hasher.finalize().to_vec(),
        };
        if found == self.expected {
            Ok(())
        } else {
            Err(Error::Checksum)
        }
    }
}

impl FromStr for Checksum {
    type Err = Error;

    /// `sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=`
    fn from_str(text: &str) -> Result<Self, Error> {
        let (algorithm, digest) = text.trim().split_once(' ').ok_or(Error::ChecksumText)?;
        let (so_far, length) = match algorithm {
            "sha1" => (Hasher::Sha1(Sha1::new()), 20),
            "sha256" => (Hasher::Sha256(Sha256::new()), 32),
            "md5" => (Hasher::Md5(Md5::new()), 16),
            _ => return Err(Error::ChecksumText),
        };
        let digest = BASE64.decode(digest.trim().as_bytes());
        let expected = digest.map_err(|_| Error::ChecksumText)?;
        if expected.len() != length {
            return Err(Error::ChecksumText);
        }
        Ok(Self { so_far, expected })
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({})", BASE64.encode(&self.expected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_knows_its_bytes_and_no_others() {
        for text in [
            "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
            "sha256 uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=",
            "md5 XrY7u+Ae7tCTyyK7j1rNww==",
        ] {
            let mut checksum: Checksum = text.parse().expect(text);
            checksum.update(b"hello ");
            let short = checksum.clone().check();
            assert!(matches!(short, Err(Error::Checksum)), "{text}");
            checksum.update(b"world");
            checksum.check().expect(text);
        }
    }

    #[test]
    fn what_is_no_checksum_is_refused() {
        for text in [
            "",
            "sha1",
            "sha1 ",
            "sha1 AAAA",
            "sha1 ***",
            "crc32 AAAAAA==",
            "Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
        ] {
            let refused = text.parse::<Checksum>();
            assert!(matches!(refused, Err(Error::ChecksumText)), "{text}");
        }
    }
}
