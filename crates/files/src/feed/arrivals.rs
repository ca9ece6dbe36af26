//! Whoever works for this server itself, and is told what comes into any bucket.

use super::BATCH;
use crate::event::Happened;
use crate::sql::feed::Numbered;
use crate::{Files, Result, sql};
use tokio::sync::watch;

/// A file that came to a path, or is there no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The bucket's name.
    pub bucket: String,
    /// The path of the file; nothing where something was missed, and anything may have come.
    pub path: Option<String>,
    /// The number of the change: whoever goes on after it misses nothing.
    pub number: u64,
}

/// What comes after some change.
#[derive(Debug)]
pub struct Arrivals {
    files: Files,
    position: u64,
    newest: watch::Receiver<u64>,
}

impl Files {
    /// The number of the last change in any bucket that is committed by now.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn newest_change(&self) -> Result<u64> {
        self.feed().numbered().await
    }

    /// Tells what comes into buckets after the change of this number.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn arrivals_after(&self, number: u64) -> Result<Arrivals> {
        let feed = self.feed();
        // Subscribed before it looks, so that nothing falls in between.
        let newest = feed.newest.subscribe();
        feed.wake.notify_one();
        let position = number.min(feed.numbered().await?);
        Ok(Arrivals {
            files: self.clone(),
            position,
            newest,
        })
    }
}

impl Arrivals {
    /// The number of the change up to which everything was told.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// What came since the last time; waits until something has. Cancel-safe.
    ///
    /// # Errors
    /// Whatever the database says; it may be asked again.
    pub async fn next(&mut self) -> Result<Vec<Arrival>> {
        let position = self.position;
        let newest = self.newest.wait_for(|newest| *newest > position).await;
        let Ok(newest) = newest.map(|newest| *newest) else {
            // The feed is gone, and with it the server.
            return std::future::pending().await;
        };
        if let Some(changes) = self.files.feed().since(position) {
            return Ok(self.told(changes.iter().map(|change| &**change)));
        }
        let db = self.files.db().clone();
        let changes = sql::feed::after(&db, position, BATCH).await?;
        let forgotten = sql::feed::forgotten(&db).await?;
        if position < forgotten {
            self.position = forgotten;
            let buckets = self.files.buckets().all();
            return Ok(buckets
                .iter()
                .map(|bucket| Arrival {
                    bucket: bucket.name.to_string(),
                    path: None,
                    number: forgotten,
                })
                .collect());
        }
        if changes.is_empty() {
            // Their bucket is gone.
            self.position = newest;
        }
        Ok(self.told(changes.iter()))
    }

    fn told<'a>(&mut self, changes: impl Iterator<Item = &'a Numbered>) -> Vec<Arrival> {
        let mut arrivals = Vec::new();
        for change in changes {
            self.position = change.number;
            let came = [Happened::Put, Happened::Described, Happened::Moved];
            let known = came
                .iter()
                .any(|happened| happened.word() == change.change.happened);
            let bucket = self.files.buckets().with_id(change.bucket);
            if let Some(bucket) = bucket.filter(|_| known) {
                arrivals.push(Arrival {
                    bucket: bucket.name.to_string(),
                    path: Some(change.change.path.clone()),
                    number: change.number,
                });
            }
        }
        arrivals
    }
}
