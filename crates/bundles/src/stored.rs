//! Sources that are stored files: read without HTTP, as somebody who may.
//!
//! Where files are stored is another part's to know, and who may read them is asked
//! there: when a bundle is asked for, once more or by another one, too, and again when it is
//! made, for whoever asked.

use crate::plain::BodyStream;
use access::Caller;
use base::{BucketId, Timestamp, TokenId, UserId};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A stored file, or all whose paths begin alike.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StoredRequest {
    /// The bucket, by name.
    pub bucket: String,
    /// The path of one file. Either this or `prefix`.
    pub path: Option<String>,
    /// What paths begin with; nothing is all of them. They keep what follows its last
    /// `/` as their path in the archive.
    pub prefix: Option<String>,
    /// The path in the archive, or with a prefix the folder in it. Cleaned.
    #[serde(rename = "as")]
    pub name: Option<String>,
}

/// Where a stored file is, and who asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPlace {
    /// Its bucket.
    #[serde(rename = "b")]
    pub bucket: BucketId,
    /// Its path there.
    #[serde(rename = "p")]
    pub path: String,
    /// The user who asked.
    #[serde(rename = "u")]
    pub user: UserId,
    /// The token that they asked with.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
}

/// A stored file that was found.
#[derive(Clone, Debug)]
pub struct FoundFile {
    /// Where it is.
    pub place: StoredPlace,
    /// As it is told of: `longshore://bucket/path`.
    pub address: String,
    /// Its path in the archive.
    pub name: String,
}

/// What is known of a stored file.
#[derive(Clone, Debug)]
pub struct StoredFile {
    /// Exactly so many bytes.
    pub size: u64,
    /// Its media type.
    pub media_type: String,
    /// When it was changed.
    pub modified: Timestamp,
}

/// Why a stored file cannot be had.
#[derive(Clone, Debug)]
pub struct NotStored {
    /// A word for programs.
    pub code: &'static str,
    /// A sentence for people.
    pub message: String,
}

impl NotStored {
    pub(crate) fn nowhere() -> Self {
        Self {
            code: "unsupported",
            message: "files are not stored here".to_owned(),
        }
    }
}

/// Who has stored files. What it answers holds for the moment.
pub trait Stored: fmt::Debug + Send + Sync {
    /// The files that are asked for, at most one more than `most`.
    fn resolve<'a>(
        &'a self,
        caller: &'a Caller,
        asked: &'a StoredRequest,
        most: usize,
    ) -> BoxFuture<'a, Result<Vec<FoundFile>, NotStored>>;

    /// The same file for another one who asks for it, if they may read it.
    fn asked_by<'a>(
        &'a self,
        caller: &'a Caller,
        place: &'a StoredPlace,
    ) -> BoxFuture<'a, Result<StoredPlace, NotStored>>;

    /// What is known of a file, for who asked for it.
    fn look<'a>(&'a self, place: &'a StoredPlace) -> BoxFuture<'a, Result<StoredFile, NotStored>>;

    /// The file with its bytes, for who asked for it.
    fn open<'a>(
        &'a self,
        place: &'a StoredPlace,
    ) -> BoxFuture<'a, Result<(StoredFile, BodyStream), NotStored>>;
}
