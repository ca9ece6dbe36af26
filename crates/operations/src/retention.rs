//! The kind that removes old records, by age and count of each kind.

use crate::engine::Operations;
use crate::kind::{Kind, Outcome, Settings};
use crate::{Context, Failure, Missed, NewSchedule, Result, Timing, sql};
use serde::{Deserialize, Serialize};

/// Rows removed in one statement, so that nobody waits long for the writer.
const BATCH: u64 = 200;

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
            .keep(crate::Retained {
                count: 30,
                ..crate::Retained::default()
            })
    }

    async fn run(&self, _input: RetentionInput, context: Context) -> Result<Outcome, Failure> {
        let engine = context.engine.0.clone();
        let now = engine.clock.now();
        let mut removed = 0;
        for kind in engine.kinds.iter() {
            let keep = kind.settings.keep;
            loop {
                context.check()?;
                let batch = sql::queue::remove_old(
                    &engine.db,
                    kind.name,
                    now.minus(keep.age),
                    keep.count.max(1),
                    BATCH,
                )
                .await?;
                if batch == 0 {
                    break;
                }
                removed += batch;
                context.progress(|progress| {
                    progress.done = removed;
                    "records".clone_into(&mut progress.unit);
                });
            }
        }
        context
            .log(format!("{removed} records were removed."))
            .await;
        Ok(serde_json::json!({ "removed": removed }))
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
