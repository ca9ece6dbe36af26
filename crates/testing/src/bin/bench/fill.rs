//! A data directory that the real server made, with a table full of rows.
//!
//! The rows are made up inside SQLite: everything follows from a row's number, so two
//! runs make the same table. Indexes are taken away while rows come and put back with
//! the words in which the migration made them.

use crate::program::{Ended, Program};
use crate::{Error, Result};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Rows made by one statement.
const PART: u64 = 500_000;

/// What a table is filled with.
pub(crate) struct Filling {
    /// Tables and how their rows are made: $1 and $2 are the first and the last number, $3
    /// is how many there will be.
    pub(crate) tables: &'static [(&'static str, &'static str)],
    /// What is said when all are there, if anything; $1 is how many.
    pub(crate) after: Option<&'static str>,
}

/// Starts the server on a data directory with so many rows, and gives the time until it was
/// ready. The directory is made unless it is there, and anew where it is of another version.
pub(crate) async fn start(
    data: &Path,
    count: u64,
    filling: &Filling,
) -> Result<(Program, Duration)> {
    if !data.join("longshore.db").is_file() {
        make(data, count, filling).await?;
    }
    match Program::start(data).await {
        Err(error) if is_of_another_version(&error) => {
            println!("{} is made anew: {error}\n", data.display());
            std::fs::remove_dir_all(data)?;
            make(data, count, filling).await?;
            Program::start(data).await
        }
        started => started,
    }
}

fn is_of_another_version(error: &Error) -> bool {
    let ended = error.downcast_ref::<Ended>();
    ended.is_some_and(Ended::is_of_another_version)
}

async fn make(data: &Path, count: u64, filling: &Filling) -> Result {
    let making = data.with_extension("making");
    if making.exists() {
        std::fs::remove_dir_all(&making)?;
    }
    let (program, _) = Program::start(&making).await?;
    program.stop().await?;
    let begun = Instant::now();
    fill(&database(&making)?, count, filling).await?;
    println!(
        "made {count} rows in {:.0} s\n",
        begun.elapsed().as_secs_f64()
    );
    Ok(std::fs::rename(&making, data)?)
}

/// The one database file in a data directory.
fn database(data: &Path) -> Result<PathBuf> {
    for entry in std::fs::read_dir(data)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "db") {
            return Ok(path);
        }
    }
    Err(Error::from("the server made no database"))
}

async fn fill(file: &Path, count: u64, filling: &Filling) -> Result {
    let mut connection = SqliteConnectOptions::new()
        .filename(file)
        // What breaks off here is made anew.
        .synchronous(SqliteSynchronous::Off)
        .journal_mode(SqliteJournalMode::Off)
        .pragma("cache_size", "-2000000")
        .pragma("threads", "2")
        .disable_statement_logging()
        .connect()
        .await?;
    for (table, rows) in filling.tables {
        fill_table(&mut connection, (table, rows), count).await?;
    }
    if let Some(after) = filling.after {
        sqlx::query(after)
            .bind(i64::try_from(count)?)
            .execute(&mut connection)
            .await?;
    }
    connection.execute("PRAGMA journal_mode = WAL").await?;
    Ok(connection.close().await?)
}

async fn fill_table(
    connection: &mut SqliteConnection,
    (table, rows): (&str, &'static str),
    count: u64,
) -> Result {
    let indexes = take_indexes(connection, table).await?;
    let mut first = 1;
    while first <= count {
        let last = (first + PART - 1).min(count);
        sqlx::query(rows)
            .bind(i64::try_from(first)?)
            .bind(i64::try_from(last)?)
            .bind(i64::try_from(count)?)
            .execute(&mut *connection)
            .await?;
        eprint!("\r{last} of {count} rows ");
        first = last + 1;
    }
    for (number, index) in indexes.iter().enumerate() {
        eprint!("\rindex {} of {}            ", number + 1, indexes.len());
        connection.execute(AssertSqlSafe(index.as_str())).await?;
    }
    eprintln!();
    Ok(())
}

/// Drops the indexes of a table; the statements that make them again.
async fn take_indexes(connection: &mut SqliteConnection, table: &str) -> Result<Vec<String>> {
    let rows = sqlx::query(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = $1 AND sql IS NOT NULL",
    )
    .bind(table)
    .fetch_all(&mut *connection)
    .await?;
    let mut made = Vec::new();
    for row in rows {
        let name: String = row.try_get("name")?;
        made.push(row.try_get("sql")?);
        connection
            .execute(AssertSqlSafe(format!("DROP INDEX {name}")))
            .await?;
    }
    Ok(made)
}
