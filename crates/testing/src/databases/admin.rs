//! The user `admin`, who is in the database before a test's server starts. Its hash is one
//! of argon2id's as any other, of the least memory and one pass: what Longshore makes itself,
//! and compares at the first request, would be a fifteenth of all that the tests compute.
//! Servers that start [from nothing] make their own.
//!
//! [from nothing]: crate::ServerOptions::from_nothing

use super::connected;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use std::path::Path;
use uuid::Uuid;

/// What the hash below was made of.
pub(crate) const PASSWORD: &str = "the-admin-of-every-test-7c1e9f";
const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$bG9uZ3Nob3JlLXRlc3RzLXNhbHQ\
    $Cjto2E9XhEPc9/1skZZpO2FyRKXezwj1XhtHRql5oSw";
/// Where somebody put it already, nothing: replicas share a database.
const INSERT: &str = "INSERT INTO account \
    (id, name, role, password, credential, created_at, password_at, login_at) \
    VALUES ($1, 'admin', 'admin', $2, 1, $3, $3, NULL) ON CONFLICT DO NOTHING";
/// Microseconds since 1970: the second at which 2026 began.
const MADE_AT: i64 = 1_767_225_600_000_000;

/// Both databases understand it, but are two types.
macro_rules! put {
    ($connection:expr) => {
        sqlx::query(INSERT)
            .bind(Uuid::now_v7())
            .bind(HASH)
            .bind(MADE_AT)
            .execute($connection)
            .await
    };
}

/// Puts it into a migrated SQLite file.
///
/// # Panics
/// When SQLite refuses it.
pub(super) async fn into_file(file: &Path) {
    let put = async {
        let options = SqliteConnectOptions::new().filename(file);
        let mut connection = options.connect().await?;
        put!(&mut connection)?;
        connection.close().await
    };
    put.await
        .unwrap_or_else(|error: sqlx::Error| panic!("admin in {}: {error}", file.display()));
}

/// Puts it into a migrated database of Postgres, unless a replica's did.
///
/// # Panics
/// When Postgres refuses it.
pub(crate) async fn into_postgres(url: &str) {
    let put = async {
        let mut connection = connected(url).await?;
        put!(&mut connection)?;
        connection.close().await
    };
    put.await
        .unwrap_or_else(|error: sqlx::Error| panic!("admin in the test's Postgres: {error}"));
}
