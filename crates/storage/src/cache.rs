//! The cache that replicas share, in Redis or Valkey.
//!
//! It may be lost, old, cut off, or restored from yesterday, and nothing that it says
//! is ever older than an acknowledged change: docs/decisions/0013 says how and why. In
//! short: the database says on which server the replicas share their cache, and under
//! which number; a replica believes that for [`LEASE`] after it asked; and whoever
//! cannot remove from the cache what it changed closes it there, and waits until nobody
//! believes any more, before its change is acknowledged.
//!
//! Without the server there is no cache, and nobody waits for it.

mod change;
mod keeper;
mod line;
#[cfg(test)]
mod model;
mod moment;
mod name;
mod read;
mod seal;
mod sql;
mod trust;

pub use change::Change;
pub use read::{Fill, Looked};

use crate::Result;
use crate::db::{Db, Dialect};
use line::Line;
use moment::Moment;
use name::Names;
use seal::Seal;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use trust::{State, Trust};

/// How long a replica believes what the database told it of the cache, from the moment
/// in which it asked.
const LEASE: Duration = Duration::from_millis(500);
/// After so long nobody believes what was true before: the lease, and what clocks differ
/// in their speed.
const QUIET: Duration = Duration::from_millis(600);

/// Where the shared cache is.
#[derive(Clone)]
pub struct CacheSettings {
    /// The server: `redis://`, `rediss://` or `unix://`. May hold a password: never
    /// print it.
    pub url: String,
    /// What replicas have in common and others do not know: values are sealed with it.
    pub key: [u8; 32],
    /// How long the database works on one statement at most.
    pub statement: Duration,
}

impl fmt::Debug for CacheSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheSettings").finish_non_exhaustive()
    }
}

/// The cache that replicas share. Cheap to clone; where there is none, everything is a
/// miss.
#[derive(Clone, Debug)]
pub struct SharedCache(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    db: Db,
    line: Line,
    trust: Trust,
    names: Names,
    seal: Seal,
    /// How long a mark stays of a change of which nobody knows how it ended.
    mark: Duration,
    tasks: TaskTracker,
}

impl SharedCache {
    /// None: of one process alone, or where none is configured.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Begins to share a cache, as soon as its server answers. With SQLite there is
    /// nobody to share it with, and so none.
    ///
    /// # Errors
    /// [`Error::CacheAddress`](crate::Error::CacheAddress). A server that does not answer
    /// is no error.
    pub fn start(
        db: &Db,
        settings: CacheSettings,
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> Result<Self> {
        if db.dialect() == Dialect::Sqlite {
            tracing::info!(
                "with SQLite there are no replicas to share a cache with; `cache` is left aside"
            );
            return Ok(Self::none());
        }
        let names = Names::new(&settings.key);
        let line = Line::new(&settings.url, names.fingerprint())?;
        let inner = Arc::new(Inner {
            db: db.clone(),
            line,
            trust: Trust::default(),
            names,
            seal: Seal::new(&settings.key),
            mark: settings.statement * 2 + Duration::from_secs(60),
            tasks: tasks.clone(),
        });
        tasks.spawn(keeper::run(Arc::clone(&inner), stop));
        Ok(Self(Some(inner)))
    }

    /// Whether there is one at all, be it down or not.
    #[must_use]
    pub const fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// Whether it is in use now.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.open().is_some())
    }
}

impl Inner {
    /// Asks the database what there is to be believed of the cache.
    async fn confirm(&self) -> Result<State> {
        let asked = Moment::now();
        let state = sql::state(&self.db).await?;
        self.trust.learn(&state, asked, Moment::now());
        Ok(state)
    }

    /// Closes the cache as it is under this number, if nobody did; how it is now.
    async fn close(&self, number: i64) -> Result<State> {
        if sql::close(&self.db, number).await? {
            metrics::counter!("longshore_cache_closed_total").increment(1);
            tracing::warn!(
                "the shared cache is closed, as a replica cannot reach it; it opens again by itself"
            );
        }
        self.confirm().await
    }
}
