//! Files: put in, found again, got out.
//!
//! A bucket holds files by their paths. The catalogue of them is in the database, their
//! bytes lie on the disk under generated names, or in an S3-compatible store under their
//! own ([`store`]); what a client calls a file is only ever a value. A write is all or nothing ([`put`]), and who may do what is asked in one place
//! ([`permit`]).
//!
//! Invariants: no two current files at one path; a row never names bytes that are not on
//! the disk for good; bytes that no row names are removed.

mod alter;
mod authoriser;
mod background;
mod bucket;
mod change;
mod copies;
mod error;
mod event;
mod expect;
mod feed;
mod file;
mod grant;
mod ground;
mod hook;
mod http;
mod kept;
mod list;
mod media;
mod opened;
mod operations;
mod parted;
mod parts;
mod path;
mod permit;
mod presign;
mod put;
mod quota;
mod reconcile;
mod remembered;
mod remove;
mod s3;
mod settings;
mod share;
mod sniff;
mod sql;
mod store;
mod tally;
mod upload;
mod webhook;
mod words;

pub use authoriser::AuthoriserSettings;
pub use bucket::{
    AuthorisedBy, Bucket, BucketChange, BucketName, DEFAULT_BUCKET, DEFAULT_HOST, NewBucket,
    Storage, Usage,
};
pub use change::Description;
pub use error::{Error, Result};
pub use expect::{Expect, Promised, Tags};
pub use feed::{Arrival, Arrivals};
pub use file::{File, Headers, Metadata, TagSet, media_type};
pub use grant::{Grant, Holder, NewGrant, Permissions, Within};
pub use ground::Ground;
pub use hook::{Hook, HookError, NoEvent};
pub use http::{domain_routes, routes, tus_routes};
pub use list::{Below, Browse, Entry, Found, Place, Sort};
pub use operations::{ClearStore, ClearStoreInput, Reconcile, ReconcileInput};
pub use operations::{SweepFiles, SweepInput};
pub use operations::{TakeIn, TakeInInput, TellInput, TellWebhook};
pub use parted::{IncomingPart, LEAST_PART, MOST_PARTS, Part, Parted, WrongPart};
pub use path::{DELIMITER, FilePath, InvalidPath};
pub use permit::{Permission, Writer};
pub use presign::LinkError;
pub use put::{Incoming, NewFile};
pub use remembered::Content;
pub use remove::{Heap, Past};
pub use s3::{S3, s3_service};
pub use settings::FileSettings;
pub use share::{Member, Members, NewShare, Open, Share, SharesOf, Zipped, Zips};
pub use store::{ObjectContent, Observed};
pub use upload::{Appending, Checksum, NewUpload, Upload, UploadKind};
pub use webhook::{NewWebhook, Webhook, WebhookChange};

use ::operations::Operations;
use access::Access;
use authoriser::Authoriser;
use base::SharedClock;
use bucket::Buckets;
use feed::Feed;
use fetch::Client;
use presign::Signer;
use remembered::Remembered;
use std::sync::{Arc, OnceLock, RwLock};
use storage::{Blobs, Db, SharedCache};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Files. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Files(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    db: Db,
    blobs: Blobs,
    access: Access,
    authoriser: Authoriser,
    clock: SharedClock,
    buckets: Buckets,
    feed: Arc<Feed>,
    remembered: Remembered,
    shared: OnceLock<SharedCache>,
    signer: Signer,
    settings: RwLock<FileSettings>,
    client: RwLock<Client>,
    tasks: TaskTracker,
    stop: CancellationToken,
    operations: OnceLock<Operations>,
    turns: upload::Turns,
    copies: copies::Copies,
    together: put::Together,
    zips: OnceLock<Arc<dyn Zips>>,
    stores: store::Stores,
    certificates: hook::Certificates,
}

impl Files {
    /// Gives it the engine that runs its operations, before anything is asked of it.
    pub fn connect(&self, operations: Operations) {
        let _ = self.0.operations.set(operations);
    }
}
