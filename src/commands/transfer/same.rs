//! Whether two contents are the same: by their sums, which the server tells.

use crate::client::RemoteFile;
use data_encoding::{BASE64, HEXLOWER};
use md5::Md5;
use reqwest::header::HeaderMap;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

/// Read at once.
const PIECE: usize = 256 << 10;

/// What a content is said to sum up to; by the better sum where both are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::commands) enum Sums {
    /// Its SHA-256, in hexadecimal digits.
    Sha256(String),
    /// Its MD5, in hexadecimal digits.
    Md5(String),
    /// Nothing is known of it.
    #[default]
    Unknown,
}

impl Sums {
    /// As the catalogue has it.
    pub(in crate::commands) fn of(file: &RemoteFile) -> Self {
        match &file.sha256 {
            Some(sha256) => Self::Sha256(sha256.clone()),
            None => Self::of_etag(&file.etag),
        }
    }

    /// As the answer with the content has it: in `Repr-Digest` (RFC 9530), or `ETag`.
    pub(in crate::commands) fn told(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let digest = text("repr-digest").and_then(|digests| {
            let mut members = digests.split(',').map(str::trim);
            let value = members.find_map(|member| member.strip_prefix("sha-256=:"))?;
            let bytes = BASE64.decode(value.split(':').next()?.as_bytes()).ok()?;
            Some(Self::Sha256(HEXLOWER.encode(&bytes)))
        });
        digest.unwrap_or_else(|| Self::of_etag(text("etag").unwrap_or_default().trim_matches('"')))
    }

    fn of_etag(etag: &str) -> Self {
        // That of an upload in parts is no sum of the content.
        let digits = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        if etag.len() == 32 && etag.chars().all(digits) {
            Self::Md5(etag.to_owned())
        } else {
            Self::Unknown
        }
    }

    /// What sums up a content that may be this one.
    pub(in crate::commands) fn hasher(&self) -> Hasher {
        match self {
            Self::Sha256(_) => Hasher::Sha256(Sha256::new()),
            Self::Md5(_) => Hasher::Md5(Md5::new()),
            Self::Unknown => Hasher::None,
        }
    }

    /// Whether a file of this machine has this content, as far as sums can tell.
    pub(in crate::commands) async fn are_of(&self, path: PathBuf) -> io::Result<bool> {
        if *self == Self::Unknown {
            return Ok(false);
        }
        Ok(self.hasher_of(path).await?.sums() == *self)
    }

    /// What sums up a content that begins with that of a file of this machine.
    pub(in crate::commands) async fn hasher_of(&self, path: PathBuf) -> io::Result<Hasher> {
        let mut hasher = self.hasher();
        let reading = tokio::task::spawn_blocking(move || -> io::Result<Hasher> {
            let mut file = File::open(path)?;
            let mut piece = vec![0; PIECE];
            loop {
                match file.read(&mut piece)? {
                    0 => return Ok(hasher),
                    count => hasher.take(&piece[..count]),
                }
            }
        });
        reading.await.map_err(io::Error::other)?
    }
}

/// Sums up a content as it comes.
pub(in crate::commands) enum Hasher {
    Sha256(Sha256),
    Md5(Md5),
    None,
}

impl Hasher {
    /// For what is uploaded.
    pub(in crate::commands) fn sha256() -> Self {
        Self::Sha256(Sha256::new())
    }

    pub(in crate::commands) fn take(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Md5(hasher) => hasher.update(bytes),
            Self::None => {}
        }
    }

    /// What it came to.
    pub(in crate::commands) fn sums(self) -> Sums {
        match self {
            Self::Sha256(hasher) => Sums::Sha256(HEXLOWER.encode(&hasher.finalize())),
            Self::Md5(hasher) => Sums::Md5(HEXLOWER.encode(&hasher.finalize())),
            Self::None => Sums::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn told(pairs: &[(&'static str, &'static str)]) -> Sums {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        Sums::told(&headers)
    }

    #[test]
    fn sums_are_read_from_an_answer() {
        let md5 = "\"d41d8cd98f00b204e9800998ecf8427e\"";
        let sha = "md5=:AAAA:, sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
        assert_eq!(
            told(&[("repr-digest", sha), ("etag", md5)]),
            Hasher::sha256().sums()
        );
        assert_eq!(told(&[("etag", md5)]), Hasher::Md5(Md5::new()).sums());
        assert_eq!(
            told(&[("etag", "\"d41d8cd98f00b204e9800998ecf8427e-2\"")]),
            Sums::Unknown
        );
        assert_eq!(told(&[("repr-digest", "sha-256=:*:")]), Sums::Unknown);
        assert_eq!(told(&[]), Sums::Unknown);
    }
}
