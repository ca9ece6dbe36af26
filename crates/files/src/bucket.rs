//! A bucket: a named collection of files, with rules of its own.

mod change;
mod known;

pub use change::{BucketChange, NewBucket};
pub(crate) use known::Buckets;

use crate::{Error, Result};
use base::{BucketId, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The bucket that there is from the start.
pub const DEFAULT_BUCKET: &str = "files";
/// The host name that it has from the start.
pub const DEFAULT_HOST: &str = "files.localhost";

/// The name of a bucket: 3 to 63 of `a-z 0-9 - .`, beginning and ending with a letter
/// or a digit, and no two dots beside each other. S3 clients take all of these.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct BucketName(String);

impl BucketName {
    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BucketName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let usable = (3..=63).contains(&text.len())
            && text.chars().all(|c| ends(c) || matches!(c, '-' | '.'))
            && text.starts_with(ends)
            && text.ends_with(ends)
            && !text.contains("..");
        if usable {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::BucketName)
        }
    }
}

impl fmt::Display for BucketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for BucketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Where the bytes of a bucket lie. Never changed while it holds any.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Storage {
    /// On the disk of this server, under generated names.
    Disk {},
    /// In an S3-compatible store, under their own paths, so that other tools can go on
    /// using it.
    S3 {
        /// The store's address, such as `https://s3.eu-central-1.amazonaws.com`.
        endpoint: String,
        /// The address at which clients reach it, where that is another; presigned
        /// addresses are signed for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        public_endpoint: Option<String>,
        /// Its region; many stores take `us-east-1`.
        region: String,
        /// The bucket in the store.
        bucket: String,
        /// What stands before every path there; nothing, when absent.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        prefix: String,
        /// Whether the bucket's name stands in the path, and not in the host name.
        #[serde(default)]
        path_style: bool,
        /// The id of the access key.
        access_key: String,
        /// The name of the secret, kept here, that is the access key's.
        secret: String,
    },
}

/// A bucket, as it stands.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Bucket {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: BucketId,
    /// Its name.
    #[schema(value_type = String)]
    pub name: BucketName,
    /// Where its bytes lie.
    pub storage: Storage,
    /// The host names on which it answers by itself.
    pub hosts: Vec<String>,
    /// Whether what is overwritten or deleted stays as a version.
    pub versions: bool,
    /// Whether anybody may read it without a password.
    pub public_read: bool,
    /// Whether roles open it (viewers read, operators write), or grants alone.
    pub by_role: bool,
    /// Seconds that a deleted file stays in the trash; 0 is not at all.
    pub trash_seconds: u64,
    /// Bytes that it may hold, those of its trash and versions included.
    pub quota_bytes: Option<u64>,
    /// Files that it may hold, those of its trash and versions included.
    pub quota_files: Option<u64>,
    /// Bytes that one user may have in it.
    pub user_quota_bytes: Option<u64>,
    /// From so many bytes on, a download is answered by a redirect to a signed address.
    pub redirect_above: Option<u64>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// How much a bucket holds, its trash and versions included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Usage {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A host name as it is compared: lower case, without a dot at its end.
pub(crate) fn host_name(text: &str) -> Result<String> {
    let host = text.trim().trim_end_matches('.').to_ascii_lowercase();
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if host.len() <= 253 && host.split('.').all(label) {
        Ok(host)
    } else {
        Err(Error::Host(text.chars().take(80).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_buckets_are_those_that_s3_clients_take() {
        let longest = "a".repeat(63);
        for name in ["abc", "a-b", "my.files-2", "007", &longest] {
            assert!(name.parse::<BucketName>().is_ok(), "{name}");
        }
        let long = "a".repeat(64);
        for name in [
            "", "ab", "Abc", "a_b", "-ab", "ab-", ".ab", "a..b", "a/b", "äbc", &long,
        ] {
            assert!(name.parse::<BucketName>().is_err(), "{name}");
        }
    }

    #[test]
    fn a_host_name_is_compared_in_one_form() {
        assert_eq!(
            host_name(" Files.Example.COM. ").expect("a host"),
            "files.example.com"
        );
        for text in ["", "a b", "http://a", "a:80", "a/b", "-a", "a..b", "ä.de"] {
            assert!(host_name(text).is_err(), "{text}");
        }
    }
}
