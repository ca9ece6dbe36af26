//! One test, both databases: SQLite in a folder of its own, and a fresh database in
//! the PostgreSQL that `LONGSHORE_TEST_POSTGRES` names. By the function [`on_both()`] one
//! test runs on one after the other; by the macro of that name it is two tests.
//!
//! It makes and drops databases whose names begin with `longshore_test_`, keeps one of
//! each schema that begins with `longshore_template_`, and touches no other.

pub(crate) mod admin;
pub(crate) mod file;
mod template;

use crate::peers;
use futures::FutureExt;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection};
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use storage::{Db, DbSettings};

/// How long a test may take on one database, and how long with the sizes that are promised.
const LIMIT: Duration = Duration::from_secs(180);
const FULL_LIMIT: Duration = Duration::from_secs(3600);
/// How long making or dropping a database may take.
const ADMINISTRATION: Duration = Duration::from_secs(60);

/// A database of a test's own, without a row, that lives as long as the test. It has the
/// schema of today already; see [`TestDatabase::emptied`].
#[derive(Clone, Debug)]
pub struct TestDatabase {
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    Sqlite { folder: PathBuf },
    Postgres { url: String },
}

impl TestDatabase {
    /// Its name for people.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.place {
            Place::Sqlite { .. } => "SQLite",
            Place::Postgres { .. } => "Postgres",
        }
    }

    /// The address, where it has one: `postgres://…`. SQLite has a file.
    #[must_use]
    pub fn postgres_url(&self) -> Option<&str> {
        match &self.place {
            Place::Sqlite { .. } => None,
            Place::Postgres { url } => Some(url),
        }
    }

    /// The SQLite file, which is not there after [`TestDatabase::emptied`].
    #[must_use]
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        match &self.place {
            Place::Sqlite { folder } => Some(folder.join(file::NAME)),
            Place::Postgres { .. } => None,
        }
    }

    /// The settings to open it with.
    #[must_use]
    pub fn settings(&self) -> DbSettings {
        match &self.place {
            Place::Sqlite { folder } => DbSettings::Sqlite(folder.join(file::NAME)),
            Place::Postgres { url } => DbSettings::Postgres(url.clone()),
        }
    }

    /// Takes the schema away too, for who wants to see it made: each test begins with a
    /// copy of what was migrated once. A server on SQLite has a file of its own; see
    /// [`ServerOptions::from_nothing`](crate::ServerOptions::from_nothing).
    ///
    /// # Panics
    /// When Postgres refuses it, or the disk.
    pub async fn emptied(&self) {
        match &self.place {
            Place::Sqlite { folder } => std::fs::remove_file(folder.join(file::NAME))
                .unwrap_or_else(|error| panic!("the test's SQLite: {error}")),
            Place::Postgres { url } => {
                administer(url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public").await;
            }
        }
    }

    /// Opens it, with every migration. Call it twice for two replicas (on Postgres).
    ///
    /// # Panics
    /// When it cannot be opened.
    pub async fn open(&self) -> Db {
        Db::open(&self.settings())
            .await
            .unwrap_or_else(|error| panic!("the test's {} does not open: {error}", self.name()))
    }
}

/// Runs a test on SQLite, then on Postgres. Without Postgres it says that it skipped
/// that half, and fails where peers are required.
///
/// A test may take three minutes on each. Both databases are gone afterwards, also
/// after a panic, which names the database on standard error.
///
/// ```no_run
/// # async fn example() {
/// longshore_testing::on_both(|database| async move {
///     let db = database.open().await;
///     db.ping().await.expect("an open database answers");
/// })
/// .await;
/// # }
/// ```
///
/// # Panics
/// When the test does, or takes too long, or no database can be made for it.
pub async fn on_both<F, Fut>(test: F)
where
    F: Fn(TestDatabase) -> Fut,
    Fut: Future<Output = ()>,
{
    on_sqlite(&test).await;
    on_postgres(&test).await;
}

/// The half of [`on_both()`] on SQLite.
///
/// # Panics
/// As [`on_both()`] does.
pub async fn on_sqlite<F, Fut>(test: F)
where
    F: Fn(TestDatabase) -> Fut,
    Fut: Future<Output = ()>,
{
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    file::place(folder.path()).await;
    let database = TestDatabase {
        place: Place::Sqlite {
            folder: folder.path().to_path_buf(),
        },
    };
    run(&test, database).await;
}

/// The half of [`on_both()`] on Postgres.
///
/// # Panics
/// As [`on_both()`] does.
pub async fn on_postgres<F, Fut>(test: F)
where
    F: Fn(TestDatabase) -> Fut,
    Fut: Future<Output = ()>,
{
    match std::env::var(peers::POSTGRES) {
        Ok(server) => on_postgres_of(&server, &test).await,
        Err(_) => peers::missing(
            "Postgres",
            "run `cargo xtask peers -- COMMAND`, or name a server in LONGSHORE_TEST_POSTGRES",
        ),
    }
}

/// Makes two tests of an async function that takes a [`TestDatabase`]: `NAME::on_sqlite`
/// and `NAME::on_postgres`. Each is reported, and each runs in a process of its own: what
/// a test of a few seconds is worth. Write it above the function, where `#[test]` would be.
///
/// ```no_run
/// use longshore_testing::{TestDatabase, on_both};
///
/// on_both!(an_open_database_answers);
/// async fn an_open_database_answers(database: TestDatabase) {
///     let db = database.open().await;
///     db.ping().await.expect("an open database answers");
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! on_both {
    ($test:ident) => {
        mod $test {
            #[tokio::test]
            async fn on_sqlite() {
                $crate::on_sqlite(super::$test).await;
            }

            #[tokio::test]
            async fn on_postgres() {
                $crate::on_postgres(super::$test).await;
            }
        }
    };
}

/// As [`on_both!`], for what SQLite cannot do: several servers on one database.
#[macro_export]
macro_rules! on_postgres {
    ($test:ident) => {
        mod $test {
            #[tokio::test]
            async fn on_postgres() {
                $crate::on_postgres(super::$test).await;
            }
        }
    };
}

/// As [`on_both!`], for what is tried elsewhere in another way on Postgres.
#[macro_export]
macro_rules! on_sqlite {
    ($test:ident) => {
        mod $test {
            #[tokio::test]
            async fn on_sqlite() {
                $crate::on_sqlite(super::$test).await;
            }
        }
    };
}

async fn on_postgres_of<F, Fut>(server: &str, test: &F)
where
    F: Fn(TestDatabase) -> Fut,
    Fut: Future<Output = ()>,
{
    let name = format!("longshore_test_{}", uuid::Uuid::now_v7().simple());
    template::copied(server, &name).await;
    let url = with_database(server, &name);
    let database = TestDatabase {
        place: Place::Postgres { url },
    };
    let outcome = AssertUnwindSafe(run(test, database)).catch_unwind().await;
    administer(server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

async fn run<F, Fut>(test: &F, database: TestDatabase)
where
    F: Fn(TestDatabase) -> Fut,
    Fut: Future<Output = ()>,
{
    let name = database.name();
    let limit = crate::size(LIMIT, FULL_LIMIT);
    let outcome = AssertUnwindSafe(tokio::time::timeout(limit, test(database)))
        .catch_unwind()
        .await;
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(_)) => panic!(
            "on {name} the test took more than {} seconds",
            limit.as_secs()
        ),
        Err(panic) => {
            eprintln!("the test failed on {name}");
            std::panic::resume_unwind(panic)
        }
    }
}

/// Says one thing to a database of the server.
async fn administer(server: &str, statement: &str) {
    match asked(server, statement).await {
        Ok(()) => {}
        Err(error) => panic!("`{statement}` on the test's Postgres: {error}"),
    }
}

/// The same, for who goes on after a refusal. Nobody waits for longer than
/// [`ADMINISTRATION`].
async fn asked(server: &str, statement: &str) -> Result<(), sqlx::Error> {
    tokio::time::timeout(ADMINISTRATION, async {
        let mut connection = connected(server).await?;
        connection
            .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())))
            .await?;
        connection.close().await
    })
    .await
    .unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

async fn connected(server: &str) -> Result<PgConnection, sqlx::Error> {
    sqlx::postgres::PgConnectOptions::from_str(server)?
        .connect()
        .await
}

/// The same address with another database.
fn with_database(server: &str, name: &str) -> String {
    let (address, options) = server.split_once('?').unwrap_or((server, ""));
    let begin = address.find("://").map_or(0, |at| at + 3);
    let end = address[begin..]
        .find('/')
        .map_or(address.len(), |at| begin + at);
    let question = if options.is_empty() { "" } else { "?" };
    format!("{}/{name}{question}{options}", &address[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_of_an_address_is_replaced() {
        let check = |server: &str, expected: &str| assert_eq!(with_database(server, "x"), expected);
        check("postgres://a:b@h:1/postgres", "postgres://a:b@h:1/x");
        check("postgres://h", "postgres://h/x");
        check(
            "postgres://h/?sslmode=disable",
            "postgres://h/x?sslmode=disable",
        );
        check("postgres:///y?host=%2Frun", "postgres:///x?host=%2Frun");
    }

    #[tokio::test]
    async fn a_test_runs_on_an_empty_database_of_each_kind() {
        on_both(|database| async move {
            let db = database.open().await;
            db.ping().await.expect("an open database answers");
            db.close().await;
        })
        .await;
    }

    #[tokio::test]
    async fn what_a_test_wrote_is_gone_for_the_next() {
        for _ in 0..2 {
            on_both(|database| async move {
                let db = database.open().await;
                db.execute("CREATE TABLE mark (n BIGINT)", vec![])
                    .await
                    .expect("the table is not there yet");
                db.close().await;
            })
            .await;
        }
    }

    #[tokio::test]
    async fn a_failing_test_fails_and_its_database_goes() {
        let Ok(server) = std::env::var(peers::POSTGRES) else {
            return peers::missing("Postgres", "run `cargo xtask peers -- COMMAND`");
        };
        let given = std::sync::Mutex::new(None);
        let test = |database: TestDatabase| {
            *given.lock().expect("no other test holds it") = Some(database.settings());
            async { panic!("on purpose") }
        };
        let outcome = AssertUnwindSafe(on_postgres_of(&server, &test))
            .catch_unwind()
            .await;
        assert!(
            outcome.is_err(),
            "the panic of a test is the panic of its caller"
        );
        let settings = given
            .lock()
            .expect("no other test holds it")
            .take()
            .expect("the test was given a database");
        let again = Db::open(&settings).await;
        assert!(again.is_err(), "the database is gone");
    }
}
