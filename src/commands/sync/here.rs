//! A sync of the environment, run by this very process: beside the server that has the
//! database, or while none runs.

use crate::arguments::HostArguments;
use crate::client::Interrupt;
use crate::commands::errand;
use crate::exit::{Code, Failure, Result};
use crate::serve::{logging, outbound, parts};
use crate::{settings, terminal};
use access::{Access, Doer, MasterKeys};
use base::{Actor, Config, DeliveryId, SharedClock, SystemClock};
use operations::{EngineSettings, Kinds, Operation, Operations};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use storage::{Bus, DataDir, Db, Errand};
use syncs::{DeliveryFilter, DeliveryState, Sync, Syncs, Variables};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often the log of a pass is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How long it is waited for somebody who has just begun with the database.
const BEGINNING: Duration = Duration::from_secs(15);
/// Lines that are read at once.
const LINES: usize = 1000;
/// How long what runs may go on after it was asked to end.
const GRACE: Duration = Duration::from_secs(5);
/// How long closing may take.
const CLOSING: Duration = Duration::from_secs(10);

/// What a sync needs, and nothing else of the server.
pub(super) struct Here {
    syncs: Syncs,
    operations: Operations,
    sync: Sync,
    access: Access,
    db: Db,
    tasks: TaskTracker,
    stop: CancellationToken,
    /// By which a server that starts meanwhile knows that somebody is there.
    _beside: Errand,
}

impl Here {
    pub(super) async fn open(host: HostArguments, variables: Variables) -> Result<Self> {
        let config = settings::load(&host.into())?.config;
        let logging = logging::start(&config);
        let Ground {
            db,
            keys,
            errand: beside,
        } = ground(&config).await?;
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let bus = Bus::start(&db, &tasks, stop.clone());
        let clock: SharedClock = Arc::new(SystemClock);
        let access = Access::open(
            db.clone(),
            bus.clone(),
            Arc::clone(&clock),
            keys,
            parts::access_settings(&config),
        )
        .await?;
        logging.redact(access.redactors());
        let syncs = Syncs::new(
            syncs::Ground {
                db: db.clone(),
                bus: bus.clone(),
                access: access.clone(),
                client: outbound::client(&config, None),
                clock: Arc::clone(&clock),
                tasks: tasks.clone(),
                variables: Some(variables),
            },
            parts::sync_settings(&config),
        );
        let (pass, verify) = syncs.kinds();
        let operations = Operations::open(
            db.clone(),
            bus,
            clock,
            Kinds::new().with(pass).with(verify),
            access.redactors(),
            EngineSettings {
                lease: config.operations.lease.duration(),
                heartbeat: config.operations.heartbeat.duration(),
                poll: config.operations.poll.duration(),
                ..EngineSettings::default()
            },
        )
        .await?;
        syncs.connect(operations.clone());
        let sync = syncs.settle_environment().await.map_err(usage)?;
        let sync = sync.ok_or_else(|| Failure::failed("the variables of the sync are gone"))?;
        Ok(Self {
            syncs,
            operations,
            sync,
            access,
            db,
            tasks,
            stop,
            _beside: beside,
        })
    }

    /// Makes one pass, and prints its log; the operation that it was.
    pub(super) async fn run(&self) -> Result<Operation> {
        let interrupt = Interrupt::listen()?;
        self.operations.start_errand();
        let actor = Actor::recorded("host".to_owned());
        let id = self
            .syncs
            .run_here(&self.sync, actor)
            .await
            .map_err(Failure::failed)?;
        let mut next = 1;
        let watched = async {
            loop {
                let page = self.operations.log(id, next, LINES).await?;
                for line in &page.lines {
                    terminal::line(&terminal::plain(&line.text))?;
                    next = line.seq + 1;
                }
                if page.ended && page.next.is_none() {
                    return Ok::<(), Failure>(());
                }
                if page.lines.is_empty() {
                    tokio::time::sleep(LOOK).await;
                }
            }
        };
        let watched = tokio::select! {
            watched = watched => watched,
            () = interrupt.come() => Err(Failure::new(
                Code::Cancelled,
                "the pass was interrupted; the next one goes on from there",
            )),
        };
        self.operations.stop(GRACE).await;
        watched?;
        Ok(self.operations.get(id).await?)
    }

    pub(super) async fn status(&self) -> Result<Value> {
        let status = self.syncs.status(self.sync.clone()).await;
        serde_json::to_value(status.map_err(Failure::failed)?).map_err(Failure::failed)
    }

    /// The files that have failed last.
    pub(super) async fn failed(&self) -> Result<Vec<Value>> {
        let filter = DeliveryFilter {
            state: Some(DeliveryState::Failed),
            ..DeliveryFilter::default()
        };
        let limit = super::show::MOST_FAILED;
        let failed = self
            .syncs
            .deliveries(&self.sync, &filter, None, limit)
            .await;
        let failed = failed.map_err(Failure::failed)?;
        failed
            .iter()
            .map(|one| serde_json::to_value(one).map_err(Failure::failed))
            .collect()
    }

    pub(super) async fn retry(&self, one: Option<DeliveryId>) -> Result<u64> {
        let retried = self.syncs.retry(&Doer::host(), &self.sync, one).await;
        retried.map_err(Failure::failed)
    }

    pub(super) async fn check(&self) -> Result<Vec<Value>> {
        let checked = self.syncs.check(self.sync.clone()).await;
        let checked = checked.map_err(Failure::failed)?.into_iter();
        Ok(checked
            .map(|one| {
                json!({ "what": one.what, "ok": one.missing.is_none(), "missing": one.missing })
            })
            .collect())
    }

    pub(super) async fn dry_run(&self) -> Result<Value> {
        let plan = self.syncs.dry_run(self.sync.clone()).await;
        serde_json::to_value(plan.map_err(Failure::failed)?).map_err(Failure::failed)
    }

    /// Closes it, for as long as that may take.
    pub(super) async fn close(self) {
        let closing = async {
            let _ = self.access.close().await;
            self.stop.cancel();
            self.tasks.close();
            self.tasks.wait().await;
            self.db.close().await;
        };
        if tokio::time::timeout(CLOSING, closing).await.is_err() {
            tracing::warn!("the database could not be closed in time");
        }
    }
}

/// What is opened first.
struct Ground {
    db: Db,
    keys: MasterKeys,
    errand: Errand,
}

/// Opens the database to work beside whoever has the directory. Nobody is locked out: where
/// nobody has it, what is missing is made, and it is given back at once.
async fn ground(config: &Config) -> Result<Ground> {
    let until = Instant::now() + BEGINNING;
    loop {
        let directory = open_directory(config).await?;
        let opened = open_by(config, directory.as_ref()).await;
        match opened {
            // Whoever has it has just begun, and is not as far.
            Err(error)
                if directory.is_none()
                    && matches!(error.code(), Code::Database | Code::Directory)
                    && Instant::now() < until =>
            {
                tokio::time::sleep(LOOK).await;
            }
            opened => return opened,
        }
    }
}

async fn open_by(config: &Config, directory: Option<&DataDir>) -> Result<Ground> {
    let settings = parts::database(config);
    let (db, keys) = match directory {
        Some(directory) => (Db::open(&settings).await?, parts::master_keys(directory)?),
        None => (
            Db::join(&settings).await?,
            errand::master_keys(&config.data)?,
        ),
    };
    let path = config.data.clone();
    let begun = tokio::task::spawn_blocking(move || Errand::begin(&path)).await;
    let errand = begun.map_err(Failure::failed)??;
    Ok(Ground { db, keys, errand })
}

/// The data directory, unless another process has it.
async fn open_directory(config: &Config) -> Result<Option<DataDir>> {
    let path = config.data.clone();
    let opened = tokio::task::spawn_blocking(move || DataDir::open_briefly(&path)).await;
    match opened.map_err(Failure::failed)? {
        Ok(directory) => Ok(Some(directory)),
        Err(storage::Error::DirectoryInUse { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn usage(error: syncs::Error) -> Failure {
    match error {
        syncs::Error::Storage(error) => error.into(),
        syncs::Error::Environment(_) => Failure::new(Code::Usage, error),
        error => Failure::failed(error),
    }
}
