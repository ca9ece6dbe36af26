//! The turn to change paths of a store.

use super::claim::Claim;
use super::turns::{PATIENCE, Turn};
use super::{HIDDEN, is_storable};
use crate::bucket::Bucket;
use crate::path::FilePath;
use crate::sql::claim::Place;
use crate::{Error, Files, Result};
use std::sync::Arc;
use storage::{Dialect, ObjectError, ObjectStore, SealedObject, Tx};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

/// How many contents pass through this server at once from bucket to bucket. They go on when
/// nobody waits for them any more, and each has parts of 16 MiB or more in memory.
pub(crate) const PASSAGES: usize = 16;

/// The store of a bucket, while nobody else changes these paths.
pub(crate) struct Held {
    pub(crate) store: ObjectStore,
    tenure: Tenure,
}

/// The turn to bring a content of another bucket to a path. Its bytes pass through this server,
/// for as long as that takes: who asks for the same meanwhile waits, and sends none beside. (The
/// turn to change the path itself is taken at the end.)
pub(crate) struct Passage {
    _tenure: Tenure,
    /// One of [`PASSAGES`].
    _room: OwnedSemaphorePermit,
}

/// By what others are kept away.
enum Tenure {
    /// This process is the only one on its database.
    Alone(#[allow(dead_code, reason = "held for its end")] Turn),
    /// A row of the database.
    Claimed(Claim),
}

impl Files {
    /// Takes the turn to change these paths of a bucket; nothing where its bytes lie on
    /// the disk, where the database alone keeps the order.
    ///
    /// # Errors
    /// [`Error::Hidden`], or when others do not get done.
    pub(crate) async fn hold(&self, bucket: &Bucket, paths: &[&FilePath]) -> Result<Option<Held>> {
        let Some(store) = self.store(bucket).await? else {
            return Ok(None);
        };
        for path in paths {
            is_storable(bucket, path)?;
        }
        let places = paths
            .iter()
            .map(|path| (bucket.id, path.as_str().to_owned()));
        let until = Instant::now() + PATIENCE;
        let tenure = self.tenure(bucket, places.collect(), until).await?;
        Ok(Some(Held { store, tenure }))
    }

    /// Takes the turn to bring a content of another bucket to this path, when there is room for
    /// its bytes.
    ///
    /// # Errors
    /// When others do not get done.
    pub(crate) async fn hold_passage(&self, bucket: &Bucket, to: &FilePath) -> Result<Passage> {
        let until = Instant::now() + PATIENCE;
        // No path of a file in a store, and none is held that is not in one.
        let place = (bucket.id, format!("{HIDDEN}to/{}", to.as_str()));
        let tenure = self.tenure(bucket, vec![place], until).await?;
        // Only then: those who ask for the same again and again leave room for others.
        let room = Arc::clone(&self.stores().passages).acquire_owned();
        match timeout_at(until, room).await {
            Ok(Ok(room)) => Ok(Passage {
                _tenure: tenure,
                _room: room,
            }),
            Ok(Err(_)) | Err(_) => Err(storage::Error::Busy.into()),
        }
    }

    async fn tenure(&self, bucket: &Bucket, places: Vec<Place>, until: Instant) -> Result<Tenure> {
        let turn = self.stores().turns.take(&places, until).await?;
        if self.db().dialect() == Dialect::Sqlite {
            return Ok(Tenure::Alone(turn));
        }
        let claim = Claim::take(self.db(), self.tasks(), places, turn, until).await;
        let claim = claim.map_err(|error| match error {
            Error::Storage(storage::Error::Reference) => Error::NoBucket(bucket.name.to_string()),
            error => error,
        })?;
        Ok(Tenure::Claimed(claim))
    }

    /// The turn for paths of a bucket in a store.
    pub(crate) async fn held(&self, bucket: &Bucket, paths: &[&FilePath]) -> Result<Held> {
        let held = self.hold(bucket, paths).await?;
        held.ok_or_else(|| Error::NoBucket(bucket.name.to_string()))
    }
}

impl Held {
    /// Sees to it that nobody else changes these paths before the transaction has ended.
    ///
    /// # Errors
    /// [`storage::Error::Busy`] when somebody else may have changed them.
    pub(crate) async fn keep(&self, tx: &mut Tx) -> storage::Result<()> {
        match &self.tenure {
            Tenure::Alone(_) => Ok(()),
            Tenure::Claimed(claim) => claim.keep(tx).await,
        }
    }

    /// Puts what has come to its place; its ETag.
    ///
    /// # Errors
    /// What the store says, and [`ObjectError::Stopped`] when others may have come.
    pub(crate) async fn place(&self, sealed: SealedObject) -> Result<String, ObjectError> {
        self.during(sealed.place()).await
    }

    /// Copies within the store; the ETag of the copy.
    ///
    /// # Errors
    /// As [`place`](Self::place), and what [`ObjectStore::copy`] says.
    pub(crate) async fn copy(
        &self,
        from: &str,
        to: &str,
        etag: &str,
    ) -> Result<String, ObjectError> {
        self.during(self.store.copy(from, to, Some(etag))).await
    }

    /// Removes an object.
    ///
    /// # Errors
    /// As [`place`](Self::place).
    pub(crate) async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        self.during(self.store.delete(key)).await
    }

    /// What changes the store goes on only while nobody else does.
    async fn during<T>(
        &self,
        change: impl Future<Output = Result<T, ObjectError>>,
    ) -> Result<T, ObjectError> {
        let Tenure::Claimed(claim) = &self.tenure else {
            return change.await;
        };
        tokio::select! {
            biased;
            () = claim.ends() => Err(ObjectError::Stopped),
            changed = change => changed,
        }
    }
}
