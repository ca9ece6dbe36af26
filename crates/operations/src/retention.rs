//! The kind that removes old records, by age and count of each kind.

use crate::engine::{Engine, Operations};
use crate::kind::{Kind, Outcome, Retained, Settings};
use crate::sql::retention::Old;
use crate::{Context, Failure, Missed, NewSchedule, Result, Timing, sql};
use base::OperationId;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Operations removed in one statement at most.
const BATCH: usize = 50;
/// Bytes removed in one statement, about: all others who write wait meanwhile.
const BYTES: u64 = 4 << 20;
/// Rows of a large log removed in one statement.
const LOG_ROWS: u64 = 64;
/// Operations looked for at once.
const FOUND: u64 = 500;
/// Kinds that are cleaned, beyond any number that makes sense.
const KINDS: usize = 1000;

/// Removes records of operations that are older, or more, than their kind keeps.
#[derive(Debug)]
pub struct Retention;

/// Nothing to say.
#[derive(Debug, Serialize, Deserialize)]
pub struct RetentionInput {}

impl Kind for Retention {
    const NAME: &'static str = "retention";
    type Input = RetentionInput;

    fn settings(&self) -> Settings {
        Settings::new("Remove old records")
            .limit(1)
            .resumable()
            .schedulable()
            .keep(Retained {
                count: 30,
                ..Retained::default()
            })
    }

    async fn run(&self, _input: RetentionInput, context: Context) -> Result<Outcome, Failure> {
        let mut sweep = Sweep {
            engine: context.engine.0.clone(),
            context,
            removed: 0,
        };
        let mut kind = String::new();
        for _ in 0..KINDS {
            // Kinds that were, too: their operations are still there.
            let Some(next) = sql::retention::next_kind(&sweep.engine.db, &kind).await? else {
                break;
            };
            let keep = sweep.engine.kinds.kept(&next);
            sweep.kind(&next, keep).await?;
            kind = next;
        }
        let removed = sweep.removed;
        sweep
            .context
            .log(format!("{removed} records were removed."))
            .await;
        Ok(serde_json::json!({ "removed": removed }))
    }
}

/// One removal of what is old.
struct Sweep {
    engine: Arc<Engine>,
    context: Context,
    removed: u64,
}

impl Sweep {
    async fn kind(&mut self, kind: &str, keep: Retained) -> Result<(), Failure> {
        let db = self.engine.db.clone();
        let before = self.engine.clock.now().minus(keep.age);
        loop {
            let old = sql::retention::ended_before(&db, kind, before, FOUND).await?;
            if old.is_empty() {
                break;
            }
            self.remove(&old).await?;
        }
        let Some(oldest) = sql::retention::newest(&db, kind, keep.count).await? else {
            return Ok(());
        };
        loop {
            let old = sql::retention::ended_older_than(&db, kind, oldest, FOUND).await?;
            if old.is_empty() {
                return Ok(());
            }
            self.remove(&old).await?;
        }
    }

    /// Removes these, in statements of a bounded size.
    async fn remove(&mut self, old: &[Old]) -> Result<(), Failure> {
        let mut batch: Vec<OperationId> = Vec::with_capacity(BATCH);
        let mut bytes = 0;
        for old in old {
            let mut size = old.input_bytes;
            if old.log_bytes > BYTES {
                self.remove_log(old.id).await?;
            } else {
                size += old.log_bytes;
            }
            if !batch.is_empty() && (batch.len() == BATCH || bytes + size > BYTES) {
                self.remove_batch(&batch).await?;
                batch.clear();
                bytes = 0;
            }
            batch.push(old.id);
            bytes += size;
        }
        self.remove_batch(&batch).await
    }

    async fn remove_log(&self, id: OperationId) -> Result<(), Failure> {
        while sql::retention::shorten_log(&self.engine.db, id, LOG_ROWS).await? > 0 {
            self.context.check()?;
        }
        Ok(())
    }

    async fn remove_batch(&mut self, batch: &[OperationId]) -> Result<(), Failure> {
        self.context.check()?;
        self.removed += sql::retention::remove(&self.engine.db, batch).await?;
        let removed = self.removed;
        self.context.progress(|progress| {
            progress.done = removed;
            "records".clone_into(&mut progress.unit);
        });
        Ok(())
    }
}

impl Operations {
    /// Sees to it that old records are removed every night.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn schedule_retention(&self) -> Result<()> {
        let name = "retention"
            .parse()
            .map_err(|_| crate::Error::Stored("name"))?;
        self.ensure_schedule(NewSchedule {
            name,
            kind: Retention::NAME.to_owned(),
            title: String::new(),
            input: serde_json::json!({}),
            timing: Timing::parse("17 3 * * *", "UTC")?,
            missed: Missed::RunOnce,
            enabled: true,
        })
        .await
    }
}
