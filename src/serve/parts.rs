//! The parts of the program, opened in order and ended in the opposite one.

use super::buckets::SyncBuckets;
use super::kinds::{self, Features};
use super::outbound;
use super::stored::StoredFiles;
use super::zips::FolderZips;
use crate::exit::{Failure, Result};
use access::{Access, AccessSettings, AttemptLimits, MasterKeys};
use base::{Config, SharedClock, SystemClock, Timestamp};
use bundles::{BundleSettings, Bundles};
use fetch::Client;
use files::{AuthoriserSettings, FileSettings, Files, Ground};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use operations::{EngineSettings, Kinds, Operations, Retained};
use std::sync::Arc;
use std::time::Duration;
use storage::{Blobs, Bus, CacheSettings, DataDir, Db, DbLimits, DbSettings, Dialect, SharedCache};
use syncs::{MailSettings, SyncSettings, Syncs};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The master key's file in the data directory.
pub(crate) const MASTER_KEY: &str = "master.key";

/// How long closing may take at the end.
const CLOSING: Duration = Duration::from_secs(10);

/// Everything that runs. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub(super) directory: Arc<DataDir>,
    pub(super) clock: SharedClock,
    pub(super) db: Db,
    pub(super) access: Access,
    pub(super) operations: Operations,
    pub(super) bundles: Bundles,
    pub(super) files: Files,
    pub(super) syncs: Syncs,
    /// As it was at the start: a later one waits at the gate of this one.
    pub(super) client: Client,
    pub(super) started_at: Timestamp,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Parts {
    /// Opens the database, and every part on it. Nothing runs yet.
    pub(super) async fn open(config: &Config, directory: DataDir) -> Result<Self> {
        Self::open_by(config, directory, Arc::new(SystemClock)).await
    }

    /// The same by another clock.
    pub(super) async fn open_by(
        config: &Config,
        directory: DataDir,
        clock: SharedClock,
    ) -> Result<Self> {
        let started_at = clock.now();
        let tasks = TaskTracker::new();
        let stop = CancellationToken::new();
        let db = Db::open_within(&database(config), &database_limits(config)).await?;
        let bus = Bus::start(&db, &tasks, stop.clone());
        let directory = Arc::new(directory);
        let has_errands = has_errands(&directory).await?;
        let (keys, blobs, contents) = open_directories(&directory).await?;
        let access = Access::open(
            db.clone(),
            bus.clone(),
            Arc::clone(&clock),
            keys,
            access_settings(config),
        )
        .await?;
        let client = outbound::client(config, None);
        let files = Files::open(
            Ground {
                db: db.clone(),
                blobs: contents,
                bus: bus.clone(),
                client: client.clone(),
                access: access.clone(),
                clock: Arc::clone(&clock),
                tasks: tasks.clone(),
                stop: stop.clone(),
            },
            file_settings(config),
        )
        .await
        .map_err(Failure::failed)?;
        files.connect_zips(Arc::new(FolderZips));
        let cache = shared_cache(config, &db, &access, (&tasks, &stop))?;
        access.connect_cache(cache.clone());
        files.connect_cache(cache);
        files.reconfigure_authoriser(AuthoriserSettings::from(config));
        let bundles = Bundles::new(
            db.clone(),
            blobs,
            client.clone(),
            access.clone(),
            Arc::clone(&clock),
            bundle_settings(config),
        );
        let syncs = Syncs::new(
            syncs::Ground {
                db: db.clone(),
                bus: bus.clone(),
                access: access.clone(),
                client: client.clone(),
                clock: Arc::clone(&clock),
                tasks: tasks.clone(),
                variables: crate::settings::sync_variables()?,
            },
            sync_settings(config),
        );
        syncs.connect_buckets(Arc::new(SyncBuckets {
            files: files.clone(),
        }));
        let features = Features {
            bundles: bundles.clone(),
            files: files.clone(),
            syncs: syncs.clone(),
        };
        let operations = Operations::open(
            db.clone(),
            bus,
            Arc::clone(&clock),
            configured_kinds(config, kinds::all(&features)),
            access.redactors(),
            engine_settings(config, db.dialect(), has_errands),
        )
        .await?;
        bundles.connect_stored(Arc::new(StoredFiles {
            files: files.clone(),
            access: access.clone(),
        }));
        bundles.connect(operations.clone());
        files.connect(operations.clone());
        syncs.connect(operations.clone());
        Ok(Self {
            directory,
            clock,
            db,
            access,
            operations,
            bundles,
            files,
            syncs,
            client,
            started_at,
            tasks,
            stop,
        })
    }

    /// The parts that have kinds of operation.
    pub(super) fn features(&self) -> Features {
        Features {
            bundles: self.bundles.clone(),
            files: self.files.clone(),
            syncs: self.syncs.clone(),
        }
    }

    /// Sees to what happens by the clock.
    pub(super) async fn schedule(&self) -> Result {
        self.operations.schedule_retention().await?;
        self.bundles.schedule_expiry().await?;
        self.files.schedule_sweep().await?;
        self.syncs
            .schedule_environment()
            .await
            .map_err(Failure::failed)?;
        self.syncs
            .listen(self.stop.clone())
            .map_err(Failure::failed)
    }

    /// Lets what runs end for `grace`, and interrupts the rest.
    pub(super) async fn stop(&self, grace: Duration) {
        self.operations.stop(grace).await;
    }

    /// Ends what is left, the database last. What does not end in time ends with the
    /// process: all that must last is in the database already.
    pub(super) async fn close(&self) {
        let closing = async {
            if let Err(error) = self.access.close().await {
                tracing::warn!(%error, "when credentials were used last could not be noted");
            }
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

/// Collects figures for Prometheus.
pub(super) fn install_metrics() -> Result<PrometheusHandle> {
    PrometheusBuilder::new()
        .install_recorder()
        .map_err(|error| Failure::failed(format!("figures cannot be collected: {error}")))
}

/// Where the database is.
pub(crate) fn database(config: &Config) -> DbSettings {
    match &config.database {
        Some(url) => DbSettings::Postgres(url.expose().to_owned()),
        None => DbSettings::Sqlite(DataDir::database_in(&config.data)),
    }
}

/// The cache that replicas share, where there is one.
fn shared_cache(
    config: &Config,
    db: &Db,
    access: &Access,
    (tasks, stop): (&TaskTracker, &CancellationToken),
) -> Result<SharedCache> {
    let Some(url) = &config.cache else {
        return Ok(SharedCache::none());
    };
    let settings = CacheSettings {
        url: url.expose().to_owned(),
        key: *access.signing_key("cache").expose(),
        statement: config.storage.statement_timeout.duration(),
    };
    Ok(SharedCache::start(db, settings, tasks, stop.clone())?)
}

fn database_limits(config: &Config) -> DbLimits {
    let storage = &config.storage;
    DbLimits {
        sqlite_readers: storage.sqlite_readers,
        postgres_connections: storage.postgres_connections,
        acquire: storage.acquire_timeout.duration(),
        statement: storage.statement_timeout.duration(),
    }
}

/// Whether errands run on the database already.
async fn has_errands(directory: &Arc<DataDir>) -> Result<bool> {
    let directory = Arc::clone(directory);
    let looked = tokio::task::spawn_blocking(move || directory.has_errands()).await;
    looked.map_err(Failure::failed)
}

/// The master key, made at the first start, and the bytes of archives and of files.
async fn open_directories(directory: &Arc<DataDir>) -> Result<(MasterKeys, Blobs, Blobs)> {
    let directory = Arc::clone(directory);
    let opened = tokio::task::spawn_blocking(move || -> Result<(MasterKeys, Blobs, Blobs)> {
        let keys = master_keys(&directory)?;
        let blobs = Blobs::open(&directory.path().join("blobs"))?;
        let contents = Blobs::open(&directory.path().join("files"))?;
        Ok((keys, blobs, contents))
    });
    opened.await.map_err(Failure::failed)?
}

/// Reads the master key, or makes it. Blocking.
pub(crate) fn master_keys(directory: &DataDir) -> Result<MasterKeys> {
    let content = directory.read_or_create(MASTER_KEY, || MasterKeys::generate().file())?;
    Ok(MasterKeys::parse(&content)?)
}

/// These kinds, as the configuration says that they are run and kept.
fn configured_kinds(config: &Config, kinds: Kinds) -> Kinds {
    let retention = &config.operations.retention;
    let mut kinds = kinds.keep_of_unknown(Retained {
        age: retention.age.duration(),
        count: retention.count,
    });
    for name in kinds.names() {
        let concurrency = config.operations.concurrency.get(name);
        let keep = config.operations.retention.of_kind(name);
        kinds.configure(name, |settings| {
            if let Some(limit) = concurrency {
                *settings = settings.clone().limit(limit);
            }
            *settings = settings.clone().keep_at_most(Retained {
                age: keep.age.duration(),
                count: keep.count,
            });
        });
    }
    kinds
}

fn engine_settings(config: &Config, dialect: Dialect, has_errands: bool) -> EngineSettings {
    EngineSettings {
        lease: config.operations.lease.duration(),
        heartbeat: config.operations.heartbeat.duration(),
        poll: config.operations.poll.duration(),
        log_limit: config.operations.log_max_bytes.bytes(),
        workers: config.operations.workers,
        // What an errand runs is not lost because a server starts.
        alone: dialect == Dialect::Sqlite && !has_errands,
        // How long a cancelled operation may take to notice: a promise, no setting.
        patience: EngineSettings::default().patience,
    }
}

pub(crate) fn access_settings(config: &Config) -> AccessSettings {
    let access = &config.access;
    AccessSettings {
        session_ttl: access.session_ttl.duration(),
        session_lifetime: access.session_lifetime.duration(),
        attempts: AttemptLimits {
            per_account: access.attempts_per_account,
            per_address: access.attempts_per_address,
            window: access.attempts_window.duration(),
        },
        cache_time: access.credential_cache.duration(),
        argon2_concurrency: access.argon2_concurrency,
        // How late a replica may be is a promise, no setting.
        look: AccessSettings::default().look,
        audit_retention: access.audit_retention.duration(),
    }
}

pub(super) fn bundle_settings(config: &Config) -> BundleSettings {
    BundleSettings {
        max_sources: config.bundles.max_sources,
        max_bytes: Some(config.bundles.max_bytes.bytes()),
        max_source_bytes: Some(config.fetch.max_bytes_per_source.bytes()),
        buffer: config.bundles.buffer.in_memory(),
        concurrent: config.fetch.concurrent,
        expires_in: config.bundles.expires_in.duration(),
        link_expires_in: config.bundles.link_expires_in.duration(),
        max_kept: config.bundles.max_kept as u64,
        max_kept_bytes: config.bundles.max_kept_bytes.bytes(),
    }
}

pub(super) fn file_settings(config: &Config) -> FileSettings {
    FileSettings {
        max_file_bytes: config.files.max_file_bytes.bytes(),
        cache: config.files.cache.bytes(),
        silence: config.files.silence_timeout.duration(),
        upload_expires_in: config.files.upload_expires_in.duration(),
        parts_expire_in: config.files.parts_expire_in.duration(),
    }
}

pub(crate) fn sync_settings(config: &Config) -> SyncSettings {
    SyncSettings {
        at_once: config.syncs.at_once,
        attempts: config.syncs.attempts,
        lease: config.syncs.lease.duration(),
        in_parts_from: config.syncs.in_parts_from.bytes(),
        longest_wait: config.syncs.longest_wait.duration(),
        passes_kept: config.operations.retention.age.duration(),
        mail: mail_settings(config),
    }
}

fn mail_settings(config: &Config) -> Option<MailSettings> {
    let mail = &config.mail;
    let (server, from) = (mail.smtp.as_ref()?, mail.from.as_ref()?);
    let login = mail.user.as_ref().zip(mail.password.as_ref());
    Some(MailSettings {
        host: server.host().to_owned(),
        port: server.port(),
        encryption: server.encryption(),
        from: from.as_str().to_owned(),
        login: login.map(|(user, word)| (user.as_str().to_owned(), word.expose().into())),
        patience: mail.timeout.duration(),
        console: config
            .public_url
            .as_ref()
            .map(|url| url.origin().to_owned()),
    })
}

#[cfg(test)]
mod tests;
