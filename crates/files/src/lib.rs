//! Files: put in, found again, got out.
//!
//! A bucket holds files by their paths. The catalogue of them is in the database, their
//! bytes lie elsewhere under generated names; what a client calls a file is only ever a
//! value. A write is all or nothing ([`put`]), and who may do what is asked in one place
//! ([`permit`]).
//!
//! Invariants: no two current files at one path; a row never names bytes that are not on
//! the disk for good; bytes that no row names are removed.

mod authoriser;
mod bucket;
mod change;
mod error;
mod event;
mod expect;
mod feed;
mod file;
mod grant;
mod ground;
mod http;
mod list;
mod media;
mod operations;
mod parted;
mod parts;
mod path;
mod permit;
mod presign;
mod put;
mod remembered;
mod remove;
mod s3;
mod settings;
mod share;
mod sniff;
mod sql;
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
pub use file::{File, Headers, Metadata, TagSet, media_type};
pub use grant::{Grant, Holder, NewGrant, Permissions, Within};
pub use ground::Ground;
pub use http::{domain_routes, routes, tus_routes};
pub use list::{Browse, Entry, Found, Place, Sort};
pub use operations::{SweepFiles, SweepInput, TellInput, TellWebhook};
pub use parted::{IncomingPart, LEAST_PART, MOST_PARTS, Part, Parted, WrongPart};
pub use path::{DELIMITER, FilePath, InvalidPath};
pub use permit::{Permission, Writer};
pub use presign::LinkError;
pub use put::{Incoming, NewFile};
pub use remembered::Content;
pub use remove::{Heap, Past};
pub use s3::{S3, s3_service};
pub use settings::FileSettings;
pub use share::{Member, Members, NewShare, Open, Share, Zipped, Zips};
pub use upload::{Appending, Checksum, NewUpload, Upload, UploadKind};
pub use webhook::{NewWebhook, Webhook};

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
use storage::{Blobs, Db, Dialect};
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
    signer: Signer,
    settings: RwLock<FileSettings>,
    client: RwLock<Client>,
    tasks: TaskTracker,
    operations: OnceLock<Operations>,
    turns: upload::Turns,
    zips: OnceLock<Arc<dyn Zips>>,
}

impl Files {
    /// Opens files, with one bucket at the first start of all. Its kinds go to the
    /// engine, and the engine then to [`Files::connect`].
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn open(ground: Ground, settings: FileSettings) -> Result<Self> {
        let feed = Feed::new(ground.db.clone(), ground.bus.clone());
        let (buckets, listening) = Buckets::open(ground.db.clone(), ground.bus).await?;
        ground.tasks.spawn(listening.run(ground.stop.clone()));
        ground.tasks.spawn(Arc::clone(&feed).run(ground.stop));
        // Another replica on the same database would change files unheard.
        let alone = ground.db.dialect() == Dialect::Sqlite;
        let remembered = Remembered::new(if alone { settings.cache } else { 0 });
        let files = Self(Arc::new(Inner {
            signer: Signer::of(&ground.access),
            db: ground.db,
            blobs: ground.blobs,
            access: ground.access,
            authoriser: Authoriser::new(Arc::clone(&ground.clock), &ground.client),
            clock: ground.clock,
            buckets,
            feed,
            remembered,
            settings: RwLock::new(settings),
            client: RwLock::new(ground.client),
            tasks: ground.tasks,
            operations: OnceLock::new(),
            turns: upload::Turns::default(),
            zips: OnceLock::new(),
        }));
        files.ensure_default_bucket().await?;
        Ok(files)
    }

    /// The kinds of operation of this part.
    #[must_use]
    pub fn kinds(&self) -> (SweepFiles, TellWebhook) {
        (SweepFiles(self.clone()), TellWebhook(self.clone()))
    }

    /// Gives it the engine that runs its operations, before anything is asked of it.
    pub fn connect(&self, operations: Operations) {
        let _ = self.0.operations.set(operations);
    }
}
