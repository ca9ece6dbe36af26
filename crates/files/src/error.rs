//! What can go wrong with buckets and files.

use crate::hook::HookError;
use crate::parted::WrongPart;
use crate::path::{FilePath, InvalidPath};
use crate::presign::LinkError;
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
    /// A token or key that is there is held by grants in it alone.
    #[error(
        "a token or access key has grants in this bucket alone, and would not be held to any without it; delete that token or key, or take its grants back, and then the bucket"
    )]
    BucketHolds,
    /// There is no such file.
    #[error("there is no file `{0}`")]
    NoFile(FilePath),
    /// It is not in the trash, nor a version.
    #[error("there is nothing to restore under this id; it may have been removed for good")]
    NothingToRestore,
    /// A path that is none.
    #[error(transparent)]
    Path(#[from] InvalidPath),
    /// A file's name that is a path of another machine.
    #[error("a file's name is relative, with `/` between folders; leave drives and `\\` out")]
    FileName,
    /// What the request held on to is not what is there.
    #[error("the file has changed since; look at it again before going on")]
    Precondition,
    /// This caller may not.
    #[error("this needs the right to {what} in this bucket")]
    Forbidden {
        /// A verb.
        what: &'static str,
    },
    /// Somebody else decides here, and did not.
    #[error("whether you may do this could not be asked, so you may not; try again shortly")]
    Undecided,
    /// This token has grants of its own, and may change neither buckets nor grants.
    #[error("this token is held to its grants; use another for buckets, grants and webhooks")]
    Held,
    /// There is no such grant.
    #[error("there is no such grant in this bucket")]
    NoGrant,
    /// There is no such share.
    #[error("there is no such share")]
    NoShare,
    /// A share that was good for a time, or for so many downloads.
    #[error("this link has expired or was used as often as it may be; ask for a new one")]
    ShareOver,
    /// A share that asks for a password.
    #[error("this link asks for a password; open its page, or send the password to it by POST")]
    ShareLocked,
    /// Nobody writes archives here.
    #[error("folders cannot be downloaded here; ask for its files one by one")]
    NoZips,
    /// A signed address that does not open this.
    #[error(transparent)]
    Link(#[from] LinkError),
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
    /// There is no such upload, or it is somebody else's.
    #[error("there is no such upload; begin it again")]
    NoUpload,
    /// Nobody went on with it for too long.
    #[error("the upload has expired; begin it again")]
    UploadExpired,
    /// It goes on from somewhere else.
    #[error("the upload goes on at {received}; ask where it stands before sending more")]
    Offset {
        /// How many bytes there are.
        received: u64,
    },
    /// A length that cannot be, beside what is known already.
    #[error("the upload's length is known already, or less than what has come of it")]
    UploadLength,
    /// More came than the upload was said to have.
    #[error("this is more than the {length} bytes that the upload was said to have")]
    BeyondLength {
        /// What was said.
        length: u64,
    },
    /// Another request holds the upload and does not let go of it.
    #[error("another request goes on with this upload; ask where it stands")]
    UploadBusy,
    /// The bytes of one request are not those that its checksum is of.
    #[error("the bytes are not those of the checksum, and were not kept; send them again")]
    Checksum,
    /// A checksum that cannot be read, or of another kind.
    #[error("a checksum is written `sha1`, `sha256` or `md5`, a space, and the digest in Base64")]
    ChecksumText,
    /// The bytes ended early; what came is kept.
    #[error("the body ended early; ask how much has come, and go on from there")]
    Broken,
    /// Nothing came for too long; what came is kept.
    #[error("nothing came for too long; ask how much has come, and go on from there")]
    Silent,
    /// It is put together of others and takes no bytes.
    #[error("the upload is put together of others, and takes no bytes itself")]
    JoinedUpload,
    /// A part that is none, or not whole yet.
    #[error("only partial uploads that are whole can be put together, each once")]
    Unjoinable,
    /// It is a file already.
    #[error("the upload is a file already; delete the file instead")]
    UploadDone,
    /// One user has begun too many.
    #[error("you have {most} uploads that are not done; end some, or let them expire")]
    TooManyUploads {
        /// The limit.
        most: usize,
    },
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
    /// A path that Longshore keeps for itself.
    #[error("paths below `.longshore/` are this server's own in this bucket; choose another")]
    Hidden,
    /// A bucket's store that cannot be used.
    #[error("the bucket's storage cannot be used: {0}")]
    Store(String),
    /// A setting of a bucket that makes no sense.
    #[error("{0}")]
    Setting(&'static str),
    /// An address that nothing may be sent to.
    #[error("{0}")]
    Address(String),
    /// What a hook does not take, or who has none.
    #[error(transparent)]
    Hook(#[from] HookError),
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

impl Error {
    /// Whether it is the database that does not do what it is asked.
    pub(crate) const fn is_of_database(&self) -> bool {
        match self {
            Self::Storage(error) => !matches!(error, storage::Error::Objects(_)),
            Self::Access(error) => matches!(error, access::AccessError::Storage(_)),
            _ => false,
        }
    }
}

/// An error's text as a sentence: with a capital letter at its beginning and a full stop
/// at its end.
pub(crate) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    let mut sentence: String = first.chain(characters).collect();
    if !sentence.ends_with('.') {
        sentence.push('.');
    }
    sentence
}
