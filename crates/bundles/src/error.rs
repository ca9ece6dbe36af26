//! What can go wrong with bundles (with one source: that is a `Miss`).

use access::AccessError;
use base::{BundleId, Name};

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No sources.
    #[error("a bundle needs at least one source")]
    NoSources,
    /// Too many.
    #[error("a bundle takes at most {most} sources, and more were given; make several bundles")]
    TooManySources {
        /// The limit.
        most: usize,
    },
    /// A time that nothing is kept for.
    #[error("a time to be kept for is 1 to 31536000 seconds, which is a year")]
    Span,
    /// A name that cannot be one.
    #[error("the name cannot be used as a file's name; use up to 200 letters, digits and dashes")]
    Name,
    /// As much is kept as may be.
    #[error(
        "as many archives are kept as may be ({archives}, {bytes} bytes); delete some, or have this one streamed"
    )]
    KeptFull {
        /// How many are kept.
        archives: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// Nothing of a bundle could be had.
    #[error("none of the sources could be fetched; the first said: {0}")]
    NothingUsable(String),
    /// There is no such bundle.
    #[error("there is no bundle {0}; it may have expired")]
    NoBundle(BundleId),
    /// It was made, and its time is over or it was deleted.
    #[error("the archive is not kept any more; make the bundle again")]
    Gone,
    /// It is not there yet, and is made elsewhere.
    #[error("the archive is not ready yet; wait for its operation to end")]
    NotReady,
    /// A streamed archive flows once.
    #[error("the archive was streamed to another taker; a streamed bundle can be taken once")]
    Taken,
    /// Sealed headers that cannot be opened.
    #[error(
        "the headers of a source cannot be read any more, because the master key changed; make the bundle anew"
    )]
    Headers,
    /// A header names a secret that cannot be had.
    #[error("the secret `{}` cannot be sent in a header: {}", .0.as_str(), .1)]
    Secret(Name, #[source] AccessError),
    /// Nothing failed, so nothing can be fetched again.
    #[error("no source of the bundle failed, so there is nothing to fetch again")]
    NothingFailed,
    /// A source's number that does not exist.
    #[error("the bundle has no source number {0}")]
    NoSource(usize),
    /// A source's number that was given twice.
    #[error("the source number {0} was asked for twice; leave one of them out")]
    SourceTwice(usize),
    /// A source that is fetched with what another user sent.
    #[error(
        "source {0} is fetched with headers that another user gave, which are sent for nobody else; ask for it yourself"
    )]
    HeadersOfAnother(usize),
    /// What was asked for went with the record of its operation.
    #[error("what was asked for is not on record any more; it went with the bundle's operation")]
    Forgotten,
    /// As many wait for archives as may.
    #[error("too many wait for archives; try again shortly")]
    Crowded,
    /// Stored files that cannot be had, by the source's number in the request.
    #[error("source {index}: {message}")]
    NotStored {
        /// Its number, from 0.
        index: usize,
        /// A word for programs.
        code: &'static str,
        /// A sentence for people.
        message: String,
    },
    /// The record of who did what.
    #[error(transparent)]
    Access(#[from] access::AccessError),
    /// Operations.
    #[error(transparent)]
    Operations(#[from] operations::Error),
    /// Storage.
    #[error(transparent)]
    Storage(#[from] storage::Error),
}
