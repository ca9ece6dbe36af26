//! An errand on the host beside the server, or while none runs: on the database itself,
//! for whoever can read the data directory.

use crate::exit::{Code, Failure, Result};
use crate::serve::parts;
use access::{Access, MasterKeys};
use base::{Config, SystemClock};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use storage::{Bus, Db};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long one step may take: the database may be busy.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);
/// How long closing may take.
const CLOSING: Duration = Duration::from_secs(5);

/// What is said when it takes longer.
pub(crate) fn busy(text: &str) -> Failure {
    Failure::new(Code::Database, text)
}

/// The master key of a data directory that is there already. Nothing is made: a new
/// key would be the wrong one.
pub(crate) fn master_keys(data: &Path) -> Result<MasterKeys> {
    let file = data.join(parts::MASTER_KEY);
    let content = std::fs::read(&file).map_err(|error| {
        Failure::new(
            Code::Directory,
            format!(
                "{} cannot be read ({error}); name the server's data directory with --data, and be the user that runs it",
                file.display()
            ),
        )
    })?;
    Ok(MasterKeys::parse(&content)?)
}

/// What an errand opens.
pub(crate) struct Errand {
    db: Db,
    access: Access,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Errand {
    /// Joins the database, whose schema is not touched.
    pub(crate) async fn open(config: &Config, keys: MasterKeys) -> Result<Self> {
        let db = Db::join(&parts::database(config)).await?;
        let tasks = TaskTracker::new();
        let stop = CancellationToken::new();
        let bus = Bus::start(&db, &tasks, stop.clone());
        let settings = parts::access_settings(config);
        let clock = Arc::new(SystemClock);
        let access = Access::open(db.clone(), bus, clock, keys, settings).await?;
        Ok(Self {
            db,
            access,
            tasks,
            stop,
        })
    }

    /// Who is who and what is secret.
    pub(crate) const fn access(&self) -> &Access {
        &self.access
    }

    /// Closes it, for as long as that may take.
    pub(crate) async fn close(self) {
        let closing = async {
            // What is noted of uses is the server's to write.
            let _ = self.access.close().await;
            self.stop.cancel();
            self.tasks.close();
            self.tasks.wait().await;
            self.db.close().await;
        };
        let _ = tokio::time::timeout(CLOSING, closing).await;
    }
}
