//! `longshore user reset-password`: whoever can read the data directory may let
//! somebody in again.
//!
//! It works on the database itself, so it needs no password, no token and no server,
//! and it works while one runs: it does not take the data directory's lock, writes
//! one small transaction, and the server notices within a second. It never changes
//! the schema, for a running server may be of another version.

use super::ResetArguments;
use crate::commands::block_on;
use crate::exit::{Code, Failure, Result};
use crate::serve::parts;
use crate::{settings, terminal};
use access::{Access, AccessError, Doer, MasterKeys};
use base::{Config, SystemClock};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use storage::{Bus, Db};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long all of it may take: the database may be busy.
const LIMIT: Duration = Duration::from_secs(60);

pub(super) fn run(arguments: ResetArguments) -> Result {
    let config = settings::load(&arguments.host.into())?.config;
    let keys = master_keys(&config.data)?;
    let name = arguments.name;
    let password = block_on(async {
        let reset = reset(&config, keys, name.as_str());
        tokio::time::timeout(LIMIT, reset).await.map_err(|_| {
            Failure::new(
                Code::Database,
                "the database is busy; nothing was changed, try again in a moment",
            )
        })?
    })?;
    terminal::say(&format!(
        "{name} logs in with this password from now on; its sessions have ended:"
    ));
    terminal::line(password.reveal())
}

/// The master key of a data directory that is there already. Nothing is made: a new
/// key would be the wrong one.
fn master_keys(data: &Path) -> Result<MasterKeys> {
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

async fn reset(config: &Config, keys: MasterKeys, name: &str) -> Result<access::GeneratedPassword> {
    let db = Db::join(&parts::database(config)).await?;
    let tasks = TaskTracker::new();
    let stop = CancellationToken::new();
    let bus = Bus::start(&db, &tasks, stop.clone());
    let opened = Access::open(
        db.clone(),
        bus,
        Arc::new(SystemClock),
        keys,
        parts::access_settings(config),
    );
    let done = match opened.await {
        Ok(access) => {
            let done = access.reset_password(&Doer::host(), name).await;
            access.close().await?;
            done
        }
        Err(error) => Err(error),
    };
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    db.close().await;
    done.map_err(|error| match error {
        AccessError::NotFound { .. } => Failure::failed(format!(
            "there is no user `{name}`; the first one is called admin"
        )),
        error => error.into(),
    })
}
