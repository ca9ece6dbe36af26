//! The scribe: the one task that stores what running operations say, many at once.
//!
//! Lines are stored at most every 50 ms and progress every 250 ms, all of them in
//! one transaction; while nothing is said, it sleeps. A line is shown only after
//! it is stored. A batch that could not be stored is tried again, and its writers
//! wait meanwhile.

use crate::live::changes::Changes;
use crate::live::logs::Logs;
use crate::log::segment::compress;
use crate::log::sink::{Batch, URGENT};
use crate::operation::Progress;
use crate::running::{Running, RunningSet, Stop};
use crate::{Result, sql};
use std::sync::Arc;
use std::time::Duration;
use storage::{Bus, Db};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

const LINES: Duration = Duration::from_millis(50);
const PROGRESS: Duration = Duration::from_millis(250);
/// After a failure.
const AGAIN: Duration = Duration::from_secs(1);
const IDLE: Duration = Duration::from_secs(3600);

pub(crate) struct Scribe {
    pub(crate) db: Db,
    pub(crate) bus: Bus,
    pub(crate) worker: Arc<str>,
    pub(crate) running: Arc<RunningSet>,
    pub(crate) logs: Arc<Logs>,
    pub(crate) changes: Arc<Changes>,
    pub(crate) wake: Arc<Notify>,
}

/// Lines of one operation on their way to storage.
struct Pending {
    running: Arc<Running>,
    batch: Batch,
}

impl Scribe {
    /// Stores until `stop`, and then once more what is left.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut pending: Vec<Pending> = Vec::new();
        let (mut lines_at, mut progress_at) = (Instant::now(), Instant::now());
        while !stop.is_cancelled() {
            let running = self.running.all();
            let says =
                running.iter().any(|running| running.sink.waiting() > 0) || !pending.is_empty();
            let moves = running.iter().any(|running| running.has_progress());
            let mut due = Instant::now() + IDLE;
            if says {
                due = due.min(lines_at);
            }
            if moves {
                due = due.min(progress_at);
            }
            tokio::select! {
                () = sleep_until(due) => {}
                () = self.wake.notified() => {}
                () = stop.cancelled() => {}
            }
            let now = Instant::now();
            let urgent = running
                .iter()
                .any(|running| running.sink.waiting() >= URGENT);
            if now >= lines_at || urgent {
                lines_at = match self.store_lines(&mut pending).await {
                    Ok(()) => Instant::now() + LINES,
                    Err(error) => failed(&error),
                };
            }
            if now >= progress_at {
                progress_at = match self.store_progress().await {
                    Ok(()) => Instant::now() + PROGRESS,
                    Err(error) => failed(&error),
                };
            }
        }
        if let Err(error) = self.store_lines(&mut pending).await {
            tracing::warn!(%error, "the last lines could not be stored");
        }
    }

    async fn store_lines(&self, pending: &mut Vec<Pending>) -> Result<()> {
        if pending.is_empty() {
            pending.extend(self.running.all().into_iter().filter_map(|running| {
                let batch = running.sink.take()?;
                Some(Pending { running, batch })
            }));
        }
        if pending.is_empty() {
            return Ok(());
        }
        let lost = self.write(pending).await?;
        let mut told = Vec::new();
        for (pending, lost) in pending.drain(..).zip(lost) {
            let Pending { running, batch } = pending;
            if lost {
                running.stop(Stop::LeaseLost);
            } else {
                told.push(running.id);
                self.logs.publish(running.id, batch.frames);
            }
            running.sink.stored();
        }
        crate::messages::lines_stored(&self.bus, &told);
        Ok(())
    }

    /// Writes every batch in one transaction, in the order of ids as all who lock such
    /// rows do; which of them have lost their lease.
    async fn write(&self, pending: &[Pending]) -> Result<Vec<bool>> {
        let raw: Vec<Vec<Vec<u8>>> = pending
            .iter()
            .map(|pending| {
                pending
                    .batch
                    .rows
                    .iter()
                    .map(|row| row.raw.clone())
                    .collect()
            })
            .collect();
        let compressed = tokio::task::spawn_blocking(move || -> Vec<Vec<Vec<u8>>> {
            raw.iter()
                .map(|rows| rows.iter().map(|raw| compress(raw)).collect())
                .collect()
        })
        .await
        .map_err(|_| crate::Error::Stopping)?;
        let mut tx = self.db.begin().await?;
        let mut lost = Vec::with_capacity(pending.len());
        for (Pending { running, batch }, chunks) in pending.iter().zip(compressed) {
            let held = sql::log::advance(
                &mut tx,
                running.id,
                &self.worker,
                running.attempt,
                batch.last,
                batch.bytes,
            )
            .await?;
            lost.push(!held);
            if !held {
                continue;
            }
            for (row, chunk) in batch.rows.iter().zip(chunks) {
                sql::log::put(
                    &mut tx,
                    running.id,
                    row.first,
                    row.last,
                    row.raw.len(),
                    chunk,
                )
                .await?;
            }
        }
        tx.commit().await?;
        Ok(lost)
    }

    async fn store_progress(&self) -> Result<()> {
        let moved: Vec<(Arc<Running>, Progress)> = self
            .running
            .all()
            .into_iter()
            .filter_map(|running| {
                let progress = running.take_progress()?;
                Some((running, progress))
            })
            .collect();
        if moved.is_empty() {
            return Ok(());
        }
        let stored = self.put_progress(&moved).await;
        if stored.is_err() {
            for (running, _) in &moved {
                running.keep_progress();
            }
        }
        stored
    }

    async fn put_progress(&self, moved: &[(Arc<Running>, Progress)]) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let mut change =
            sql::operation::next_changes(&mut tx, moved.len()).await? - moved.len() as u64;
        for (running, progress) in moved {
            change += 1;
            let text = serde_json::to_string(progress).unwrap_or_default();
            sql::operation::put_progress(
                &mut tx,
                running.id,
                &self.worker,
                running.attempt,
                &text,
                change,
            )
            .await?;
        }
        tx.commit().await?;
        self.changes.wake();
        crate::messages::changed(&self.bus);
        Ok(())
    }
}

fn failed(error: &crate::Error) -> Instant {
    tracing::warn!(%error, "what operations say could not be stored; trying again");
    Instant::now() + AGAIN
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::running::tests::attempt;
    use base::OperationId;
    use tokio_util::task::TaskTracker;

    #[tokio::test]
    async fn progress_that_could_not_be_stored_is_stored_when_the_database_answers() {
        testing::on_sqlite(|database| async move {
            let db = database.open().await;
            let running = attempt(OperationId::new(), 1);
            let set = Arc::new(RunningSet::default());
            assert!(set.insert(&running));
            let scribe = Scribe {
                bus: Bus::start(&db, &TaskTracker::new(), CancellationToken::new()),
                worker: "worker".into(),
                running: set,
                logs: Logs::new(db.clone()),
                changes: Changes::open(db.clone()).await.expect("it is read"),
                wake: Arc::default(),
                db,
            };
            running.change_progress(|progress| progress.done = 7);
            let away = "ALTER TABLE counter RENAME TO counter_elsewhere";
            let renamed = scribe.db.execute(away, Vec::new()).await;
            renamed.expect("it is renamed");
            scribe.store_progress().await.expect_err("nothing counts");
            assert!(running.has_progress(), "it waits to be stored");
            let back = "ALTER TABLE counter_elsewhere RENAME TO counter";
            let renamed = scribe.db.execute(back, Vec::new()).await;
            renamed.expect("it is renamed");
            scribe.store_progress().await.expect("stored");
            assert!(!running.has_progress());
        })
        .await;
    }
}
