//! The one door to the database: all / one / execute / returning / begin, the same
//! on SQLite and Postgres.
//!
//! SQLite has one connection that writes and a pool that reads; Postgres has one
//! pool. Every statement passes here, so here it is timed, and here a slow one is
//! told of, by its text and never by its values.

mod foreign;
mod row;
mod tx;
mod value;
mod version;

pub use foreign::Schema;
pub use row::{Column, Row};
pub use tx::Tx;
pub use value::{Sql, Value};

use crate::{Result, migrations};
use futures::future::BoxFuture;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, Executor};
use std::borrow::Cow;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// A statement that takes longer than this is logged.
const SLOW: Duration = Duration::from_millis(250);
/// How long the migrations may take.
const MIGRATION: Duration = Duration::from_secs(3600);
/// How long SQLite waits for a lock that another process (a backup) holds.
const BUSY: Duration = Duration::from_secs(5);

/// What is acknowledged outlasts a loss of power, whatever else the server is for: where commits
/// are not waited for (`off`), they are. Any other choice waits for this server's disk at least,
/// and stays the operator's.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') = 'off'";

/// How many connections there are, and how long one waits for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DbLimits {
    /// Connections that read SQLite; one more writes.
    pub sqlite_readers: u32,
    /// Connections to Postgres.
    pub postgres_connections: u32,
    /// How long a caller waits for a free connection.
    pub acquire: Duration,
    /// How long Postgres works on one statement.
    pub statement: Duration,
}

impl Default for DbLimits {
    fn default() -> Self {
        Self {
            sqlite_readers: 4,
            postgres_connections: 16,
            acquire: Duration::from_secs(15),
            statement: Duration::from_secs(60),
        }
    }
}

/// Which database.
#[derive(Clone, Debug)]
pub enum DbSettings {
    /// SQLite in this file.
    Sqlite(PathBuf),
    /// Postgres 15 or newer, at this URL. May hold a password: never print it.
    Postgres(String),
}

/// What a database will say. Boxed, and of no type but what it says: the drivers' own futures
/// would be compiled anew, and proved to be `Send`, in every crate that asks.
pub type Answer<'a, T> = BoxFuture<'a, Result<T>>;

/// Which of the two databases speaks. For this crate and for diagnostics only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite, embedded.
    Sqlite,
    /// Postgres.
    Postgres,
}

impl Dialect {
    /// Its name, as people know it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "Postgres",
        }
    }

    /// Replaces the placeholders for what differs between the two.
    ///
    /// `{text}` compares byte by byte on both, so that paging by a text column
    /// goes in the same order. `{now}` is the database's own clock in microseconds,
    /// for what replicas with clocks of their own must agree on. `{turn}` is a column that
    /// nobody writes and that rises from row to row, where rows come from several of them:
    /// of two that wait for each other, the later has the higher one.
    pub(crate) fn render<'a>(self, text: &'a str) -> Cow<'a, str> {
        if !text.contains('{') {
            return Cow::Borrowed(text);
        }
        let pairs: [(&str, &str); 6] = match self {
            Self::Sqlite => [
                ("{uuid}", "BLOB"),
                ("{bytes}", "BLOB"),
                ("{text}", "TEXT"),
                ("{skip locked}", ""),
                ("{now}", "CAST(unixepoch('subsec') * 1000000 AS BIGINT)"),
                ("{turn}", "BIGINT NOT NULL DEFAULT 0"),
            ],
            Self::Postgres => [
                ("{uuid}", "UUID"),
                ("{bytes}", "BYTEA"),
                ("{text}", "TEXT COLLATE \"C\""),
                ("{skip locked}", "FOR UPDATE SKIP LOCKED"),
                (
                    "{now}",
                    "CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000000 AS BIGINT)",
                ),
                ("{turn}", "BIGINT GENERATED ALWAYS AS IDENTITY"),
            ],
        };
        let mut rendered = text.to_owned();
        for (placeholder, replacement) in pairs {
            rendered = rendered.replace(placeholder, replacement);
        }
        Cow::Owned(rendered)
    }
}

/// At the start nobody else holds connections: when none is to be had in time, the
/// server was tried again and again, and is not there.
fn no_answer(error: sqlx::Error, limits: &DbLimits) -> crate::Error {
    match error {
        sqlx::Error::PoolTimedOut => crate::Error::Unreachable {
            reason: format!("no connection within {} s", limits.acquire.as_secs()),
        },
        error => error.into(),
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Pools {
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    pub(crate) pools: Pools,
}

/// Runs `$body` with `$conn` bound to a connection pool of the right kind, for reading.
macro_rules! reading {
    ($db:expr, $pool:ident => $body:expr) => {
        match &$db.pools {
            Pools::Sqlite { readers: $pool, .. } => $body,
            Pools::Postgres($pool) => $body,
        }
    };
}

/// The same, for writing.
macro_rules! writing {
    ($db:expr, $pool:ident => $body:expr) => {
        match &$db.pools {
            Pools::Sqlite { writer: $pool, .. } => $body,
            Pools::Postgres($pool) => $body,
        }
    };
}

impl Db {
    /// Connects, and brings the schema up to date.
    ///
    /// Safe when two replicas start at once: on Postgres the migrations run under
    /// an advisory lock, and a SQLite file has one process (the data directory's lock).
    ///
    /// # Errors
    /// Unreachable, newer schema, or a migration that failed.
    pub async fn open(settings: &DbSettings) -> Result<Self> {
        Self::open_within(settings, &DbLimits::default()).await
    }

    /// The same with other limits.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_within(settings: &DbSettings, limits: &DbLimits) -> Result<Self> {
        let db = Self::connect(settings, limits).await?;
        match tokio::time::timeout(MIGRATION, db.migrate(settings)).await {
            Ok(migrated) => migrated?,
            Err(_) => {
                return Err(crate::Error::Unreachable {
                    reason: format!("its schema was not ready within {} s", MIGRATION.as_secs()),
                });
            }
        }
        Ok(db)
    }

    async fn migrate(&self, settings: &DbSettings) -> Result<()> {
        let migrator = migrations::migrator(self.dialect());
        let run = match (&self.pools, settings) {
            (Pools::Postgres(_), DbSettings::Postgres(url)) => {
                // A connection of its own, without the limit of ordinary statements: an
                // index on a large table takes longer, and so does waiting for another
                // replica that builds it.
                let mut connection = postgres(url)?.connect().await?;
                let run = migrator.run(&mut connection).await;
                connection.close().await?;
                run
            }
            (Pools::Postgres(pool), DbSettings::Sqlite(_)) => migrator.run(pool).await,
            (Pools::Sqlite { writer, .. }, _) => migrator.run(writer).await,
        };
        migrations::outcome(run)
    }

    /// Connects to a database that is there already, for an errand beside whoever
    /// runs on it: nothing is created, and the schema is not touched.
    ///
    /// # Errors
    /// Unreachable, not there, or with another schema than this program's.
    pub async fn join(settings: &DbSettings) -> Result<Self> {
        if let DbSettings::Sqlite(file) = settings
            && !file.is_file()
        {
            return Err(crate::Error::Unreachable {
                reason: format!("there is no {}", file.display()),
            });
        }
        let db = Self::connect(settings, &DbLimits::default()).await?;
        let row = db.one(migrations::VERSION, Vec::new()).await?;
        let found: i64 = row.map_or(Ok(0), |row| row.get("version"))?;
        migrations::same(found)?;
        Ok(db)
    }

    async fn connect(settings: &DbSettings, limits: &DbLimits) -> Result<Self> {
        let pools = match settings {
            DbSettings::Sqlite(file) => sqlite_pools(file, limits).await?,
            DbSettings::Postgres(url) => {
                let statement = format!("{}ms", limits.statement.as_millis());
                let options = postgres(url)?.options([("statement_timeout", statement)]);
                let pool = PgPoolOptions::new()
                    .max_connections(limits.postgres_connections)
                    .min_connections(1)
                    .acquire_timeout(limits.acquire)
                    .idle_timeout(Duration::from_secs(300))
                    .after_connect(|connection, _| {
                        Box::pin(async move { connection.execute(DURABLE).await.map(drop) })
                    })
                    .connect_with(options)
                    .await
                    .map_err(|error| no_answer(error, limits))?;
                Pools::Postgres(pool)
            }
        };
        let db = Self { pools };
        if db.dialect() == Dialect::Postgres
            && let Some(row) = db.one(version::NUMBER, Vec::new()).await?
        {
            version::suffices(&row.get::<String>("version")?)?;
        }
        Ok(db)
    }

    /// Which database this is.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        match self.pools {
            Pools::Sqlite { .. } => Dialect::Sqlite,
            Pools::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Every row of a query.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn all(&self, sql: impl Into<Sql>, values: Vec<Value>) -> Answer<'_, Vec<Row>> {
        let sql = sql.into();
        Box::pin(self.read(sql, values))
    }

    /// The first row of a query, if there is one.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn one(&self, sql: impl Into<Sql>, values: Vec<Value>) -> Answer<'_, Option<Row>> {
        let sql = sql.into();
        Box::pin(self.read_one(sql, values))
    }

    /// Runs a statement that changes rows; how many it changed.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn execute(&self, sql: impl Into<Sql>, values: Vec<Value>) -> Answer<'_, u64> {
        let sql = sql.into();
        Box::pin(self.change(sql, values))
    }

    /// Runs a statement that changes rows and returns them (`… RETURNING …`).
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn returning(&self, sql: impl Into<Sql>, values: Vec<Value>) -> Answer<'_, Vec<Row>> {
        let sql = sql.into();
        Box::pin(self.change_and_read(sql, values))
    }

    /// Begins a transaction that writes. Dropped without [`Tx::commit`] it is undone.
    ///
    /// It begins in a task of its own: cancelling a `begin` half-way can hand an
    /// open transaction to the next borrower of the connection (sqlx 0.9.0).
    ///
    /// # Errors
    /// Busy when no connection is free in time.
    pub fn begin(&self) -> Answer<'_, Tx> {
        Box::pin(Tx::begin(self))
    }

    /// Answers when the database does.
    ///
    /// # Errors
    /// Unreachable or busy.
    pub async fn ping(&self) -> Result<()> {
        self.all("SELECT 1 AS one", Vec::new()).await.map(drop)
    }

    async fn read(&self, sql: Sql, values: Vec<Value>) -> Result<Vec<Row>> {
        let sql = sql.render(self.dialect());
        timed(&sql, async {
            reading!(self, pool => row::fetch_all(pool, &sql, values).await)
        })
        .await
    }

    async fn read_one(&self, sql: Sql, values: Vec<Value>) -> Result<Option<Row>> {
        Ok(self.read(sql, values).await?.into_iter().next())
    }

    async fn change(&self, sql: Sql, values: Vec<Value>) -> Result<u64> {
        let sql = sql.render(self.dialect());
        timed(&sql, async {
            writing!(self, pool => row::execute(pool, &sql, values).await)
        })
        .await
    }

    async fn change_and_read(&self, sql: Sql, values: Vec<Value>) -> Result<Vec<Row>> {
        let sql = sql.render(self.dialect());
        timed(&sql, async {
            writing!(self, pool => row::fetch_all(pool, &sql, values).await)
        })
        .await
    }

    /// Closes every connection, writing the SQLite log back into its file.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

/// How Postgres is connected to, whatever for.
fn postgres(url: &str) -> Result<PgConnectOptions> {
    Ok(PgConnectOptions::from_str(url)?
        .application_name("longshore")
        // It remarks at every start that what is made if it is missing is there.
        .options([("client_min_messages", "warning")])
        .disable_statement_logging())
}

async fn sqlite_pools(file: &std::path::Path, limits: &DbLimits) -> Result<Pools> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .pragma("journal_size_limit", "67108864")
        .pragma("temp_store", "memory")
        .disable_statement_logging();
    let pool = |size: u32| {
        SqlitePoolOptions::new()
            .max_connections(size)
            .min_connections(1)
            .acquire_timeout(limits.acquire)
            .idle_timeout(Duration::from_secs(60))
            // There is no other side that could have gone: asking takes a turn of the
            // connection's thread, as long as a small statement.
            .test_before_acquire(false)
    };
    let writer = pool(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options.clone().optimize_on_close(true, 400))
        .await
        .map_err(|error| unreadable(error, file))?;
    // The writer has created the file and its log, so a reader finds both.
    let readers = pool(limits.sqlite_readers)
        .connect_with(options.create_if_missing(false).pragma("query_only", "on"))
        .await?;
    Ok(Pools::Sqlite { writer, readers })
}

/// SQLITE_CORRUPT and SQLITE_NOTADB: no other attempt helps.
fn unreadable(error: sqlx::Error, file: &std::path::Path) -> crate::Error {
    match &error {
        sqlx::Error::Database(refused)
            if matches!(refused.code().as_deref(), Some("11" | "26")) =>
        {
            crate::Error::BrokenFile {
                path: file.to_path_buf(),
                reason: refused.message().to_owned(),
            }
        }
        _ => error.into(),
    }
}

/// Runs a statement, and tells of it when it was slow.
pub(crate) async fn timed<T>(sql: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let begun = Instant::now();
    let result = work.await;
    let took = begun.elapsed();
    metrics::histogram!("longshore_database_statement_seconds").record(took.as_secs_f64());
    if took > SLOW {
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(millis, sql, "a slow statement");
    }
    result
}
