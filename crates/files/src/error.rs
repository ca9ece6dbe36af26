//! What can go wrong with buckets and files.

use crate::parted::WrongPart;
use crate::path::{FilePath, InvalidPath};
use base::Name;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such bucket, or none that this caller may know of.
    #[error("there is no bucket `{0}`")]
    NoBucket(String),
    /// A bucket of this name is there already.
    #[error("there is a bucket `{0}` already; choose another name")]
    BucketExists(Name),
    /// A name that buckets do not have.
    #[error(
        "a bucket's name has 3 to 63 of the characters a to z, 0 to 9, `-` and `.`, and begins and ends with a letter or a digit"
    )]
    BucketName,
    /// A host name that cannot be one.
    #[error("`{0}` is no host name; write it without scheme, port and path")]
    Host(String),
    /// A host name that another bucket has.
    #[error("the host name `{0}` belongs to another bucket")]
    HostTaken(String),
    /// It still holds files.
    #[error("the bucket still holds files; delete them first, those in its trash included")]
    BucketNotEmpty,
    /// There is no such file.
    #[error("there is no file `{0}`")]
    NoFile(FilePath),
    /// It is not in the trash, nor a version.
    #[error("there is nothing to restore under this id; it may have been removed for good")]
    NothingToRestore,
    /// A path that is none.
    #[error(transparent)]
    Path(#[from] InvalidPath),
    /// What the request held on to is not what is there.
    #[error("the file has changed since; look at it again before going on")]
    Precondition,
    /// This caller may not.
    #[error("this needs the right to {what} in this bucket")]
    Forbidden {
        /// A verb.
        what: &'static str,
    },
    /// Nobody is known, and the bucket is not public.
    #[error("log in, or send a name and password or a token")]
    Anonymous,
    /// More than the bucket, or a user in it, may hold.
    #[error(
        "this is more than the quota of {scope} allows ({limit} {unit}); delete something, or ask for more"
    )]
    Quota {
        /// Whose.
        scope: &'static str,
        /// How much it is.
        limit: u64,
        /// Of what.
        unit: &'static str,
    },
    /// Larger than a single file may be.
    #[error("a file may have at most {most} bytes")]
    TooLarge {
        /// The limit.
        most: u64,
    },
    /// The bytes are not those that were announced.
    #[error("the content is not the one that was announced: {0}; send it again")]
    Content(&'static str),
    /// Metadata that is too long, or no object.
    #[error("metadata is a JSON object of at most 8 KiB")]
    Metadata,
    /// Tags that are too many or too long.
    #[error(
        "a file has at most 10 tags, each with a name of 1 to 128 and a text of up to 256 characters"
    )]
    Tags,
    /// No file is coming in parts under this id.
    #[error(
        "there is no unfinished upload of this id at this path; it may have been completed or given up"
    )]
    NoParted,
    /// Parts that make no file.
    #[error(transparent)]
    WrongPart(#[from] WrongPart),
    /// A header that cannot be kept.
    #[error("the header {0} cannot be kept with a file; leave it out or correct it")]
    Header(&'static str),
    /// A setting of a bucket that makes no sense.
    #[error("{0}")]
    Setting(&'static str),
    /// Access.
    #[error(transparent)]
    Access(#[from] access::AccessError),
    /// Operations.
    #[error(transparent)]
    Operations(#[from] operations::Error),
    /// Storage.
    #[error(transparent)]
    Storage(#[from] storage::Error),
}
