//! The schema, made once a server of tests and copied for each of them.
//!
//! All migrations take Postgres and the program some two tenths of a second of processor
//! time together, which a thousand tests would each spend again.

use super::{ADMINISTRATION, administer, asked, connected, with_database};
use sha2::{Digest, Sha256};
use sqlx::{Connection, Executor};
use std::path::Path;
use storage::{Db, DbSettings};

/// What Postgres says where the template is not there yet (`invalid_catalog_name`).
const NOT_THERE: &str = "3D000";
/// Who makes the template holds this lock of the server: any number that nobody else takes.
const LOCK: i64 = 0x6c6f_6e67;

/// Makes the database `name` with the schema of today, and with nothing in it.
///
/// # Panics
/// When Postgres refuses it.
pub(super) async fn copied(server: &str, name: &str) {
    let template = self::name();
    // Files are copied instead of logged: this server outlives no power cut.
    let copy = format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY");
    match asked(server, &copy).await {
        Ok(()) => return,
        Err(error) if code_of(&error).as_deref() == Some(NOT_THERE) => {}
        Err(error) => panic!("`{copy}` on the test's Postgres: {error}"),
    }
    let made = tokio::time::timeout(ADMINISTRATION, make(server, &template)).await;
    match made {
        Ok(Ok(())) => administer(server, &copy).await,
        Ok(Err(error)) => panic!("the template of the tests' databases: {error}"),
        Err(_) => panic!("the template of the tests' databases took too long"),
    }
}

/// Makes the template, unless another test did meanwhile. What one that was killed left
/// half-made is not a template yet, and made anew.
async fn make(server: &str, template: &str) -> Result<(), sqlx::Error> {
    let mut connection = connected(server).await?;
    // The lock goes with the connection, however this ends.
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(LOCK)
        .execute(&mut connection)
        .await?;
    let is_there = sqlx::query("SELECT 1 FROM pg_database WHERE datname = $1 AND datistemplate")
        .bind(template)
        .fetch_optional(&mut connection)
        .await?
        .is_some();
    if !is_there {
        // Under another name until it is whole: nobody copies a half of it, nor waits in vain
        // for who works on it.
        let half_made = format!("{template}_to_be");
        let (drop, create, finished, renamed) = (
            format!("DROP DATABASE IF EXISTS {half_made} WITH (FORCE)"),
            format!("CREATE DATABASE {half_made}"),
            format!("ALTER DATABASE {half_made} IS_TEMPLATE true ALLOW_CONNECTIONS false"),
            format!("ALTER DATABASE {half_made} RENAME TO {template}"),
        );
        for statement in [drop, create] {
            let statement = sqlx::AssertSqlSafe(statement);
            connection.execute(sqlx::raw_sql(statement)).await?;
        }
        migrate(&with_database(server, &half_made)).await;
        for statement in [finished, renamed] {
            let statement = sqlx::AssertSqlSafe(statement);
            connection.execute(sqlx::raw_sql(statement)).await?;
        }
    }
    connection.close().await
}

async fn migrate(url: &str) {
    let db = Db::open(&DbSettings::Postgres(url.to_owned()))
        .await
        .unwrap_or_else(|error| panic!("the template of the tests' databases: {error}"));
    db.close().await;
}

/// The template of exactly these migrations: a server may outlive an edit of them.
pub(super) fn name() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        let text =
            std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        hash.update(text);
    }
    let hash = data_encoding::HEXLOWER.encode(&hash.finalize());
    format!("longshore_template_{}", &hash[..16])
}

fn code_of(error: &sqlx::Error) -> Option<String> {
    let code = error.as_database_error()?.code()?;
    Some(code.into_owned())
}
