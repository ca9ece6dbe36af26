//! Files: put in, found again, got out.
//!
//! A bucket holds files by their paths. The catalogue of them is in the database, their
//! bytes lie elsewhere under generated names; what a client calls a file is only ever a
//! value. A write is all or nothing ([`put`]), and who may do what is asked in one place
//! ([`permit`]).
//!
//! Invariants: no two current files at one path; a row never names bytes that are not on
//! the disk for good; bytes that no row names are removed.

mod bucket;
mod change;
mod error;
mod expect;
mod file;
mod http;
mod list;
mod operations;
mod parted;
mod path;
mod permit;
mod put;
mod remove;
mod s3;
mod settings;
mod sniff;
mod sql;

pub use bucket::{
    Bucket, BucketChange, BucketName, DEFAULT_BUCKET, DEFAULT_HOST, NewBucket, Storage, Usage,
};
pub use change::Description;
pub use error::{Error, Result};
pub use expect::{Expect, Promised, Tags};
pub use file::{File, Headers, Metadata, TagSet, media_type};
pub use http::{domain_routes, routes};
pub use list::{Browse, Entry, Found, Place, Sort};
pub use operations::{SweepFiles, SweepInput};
pub use parted::{IncomingPart, LEAST_PART, MOST_PARTS, Part, Parted, WrongPart};
pub use path::{DELIMITER, FilePath, InvalidPath};
pub use permit::{Permission, Writer};
pub use put::{Incoming, NewFile};
pub use remove::{Heap, Past};
pub use s3::{S3, s3_service};
pub use settings::FileSettings;

use ::operations::Operations;
use access::Access;
use base::{SharedClock, Timestamp};
use bucket::Buckets;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use storage::{Blobs, Bus, Db};
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
    clock: SharedClock,
    buckets: Buckets,
    settings: RwLock<FileSettings>,
    tasks: TaskTracker,
    operations: OnceLock<Operations>,
}

/// What files stand on.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The catalogue's database.
    pub db: Db,
    /// Where bytes lie, of files alone.
    pub blobs: Blobs,
    /// How replicas hear of changes.
    pub bus: Bus,
    /// Who is who.
    pub access: Access,
    /// What time it is.
    pub clock: SharedClock,
    /// Owns what runs in the background.
    pub tasks: TaskTracker,
    /// Ends it.
    pub stop: CancellationToken,
}

impl Files {
    /// Opens files, with one bucket at the first start of all. Its kinds go to the
    /// engine, and the engine then to [`Files::connect`].
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn open(ground: Ground, settings: FileSettings) -> Result<Self> {
        let (buckets, listening) = Buckets::open(ground.db.clone(), ground.bus).await?;
        ground.tasks.spawn(listening.run(ground.stop));
        let files = Self(Arc::new(Inner {
            db: ground.db,
            blobs: ground.blobs,
            access: ground.access,
            clock: ground.clock,
            buckets,
            settings: RwLock::new(settings),
            tasks: ground.tasks,
            operations: OnceLock::new(),
        }));
        files.ensure_default_bucket().await?;
        Ok(files)
    }

    /// The kinds of operation of this part.
    #[must_use]
    pub fn kinds(&self) -> SweepFiles {
        SweepFiles(self.clone())
    }

    /// Gives it the engine that runs its operations, before anything is asked of it.
    pub fn connect(&self, operations: Operations) {
        let _ = self.0.operations.set(operations);
    }

    /// Takes other limits over, for what begins from now on.
    pub fn reconfigure(&self, settings: FileSettings) {
        *self
            .0
            .settings
            .write()
            .unwrap_or_else(PoisonError::into_inner) = settings;
    }

    pub(crate) fn settings(&self) -> FileSettings {
        *self
            .0
            .settings
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(crate) fn db(&self) -> &Db {
        &self.0.db
    }

    pub(crate) fn blobs(&self) -> &Blobs {
        &self.0.blobs
    }

    pub(crate) fn access(&self) -> &Access {
        &self.0.access
    }

    pub(crate) fn buckets(&self) -> &Buckets {
        &self.0.buckets
    }

    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }

    pub(crate) fn operations(&self) -> &Operations {
        self.0.operations.get().expect("connected before use")
    }
}
