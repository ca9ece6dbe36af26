//! The schema's migrations: one numbered text for both databases.
//!
//! The few types that differ stand as placeholders (`{uuid}`, `{bytes}`, `{text}`, `{turn}`);
//! the lock clause of claims is one more, for statements. A migration that has
//! been released is never edited, for its checksum is kept in the database.

use crate::db::Dialect;
use crate::{Error, Result};
use sqlx::AssertSqlSafe;
use sqlx::SqlSafeStr;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use std::borrow::Cow;
use std::cmp::Ordering;

macro_rules! migrations {
    ($($version:literal $name:literal;)*) => {
        /// Every migration: version, name, text.
        const MIGRATIONS: &[(i64, &str, &str)] = &[
            $(($version, $name, include_str!(concat!("../../../migrations/", $name, ".sql"))),)*
        ];
    };
}

migrations! {
    1 "0001_operations";
    2 "0002_access";
    3 "0003_bundles";
    4 "0004_files";
    5 "0005_uploads";
    6 "0006_s3";
    7 "0007_sharing";
    8 "0008_events";
    9 "0009_search";
    10 "0010_hooks";
    11 "0011_syncs";
}

/// The newest schema version that this program knows.
#[must_use]
pub fn newest_version() -> i64 {
    MIGRATIONS.last().map_or(0, |(version, _, _)| *version)
}

/// The version of the schema, in the table that the library keeps.
pub(crate) const VERSION: &str = "SELECT MAX(version) AS version FROM _sqlx_migrations";

/// Whether a schema of version `found` is the one that this program knows.
pub(crate) fn same(found: i64) -> Result<()> {
    let known = newest_version();
    match found.cmp(&known) {
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(Error::NewerSchema { found, known }),
        Ordering::Less => Err(Error::OlderSchema { found, known }),
    }
}

/// The migrations as `dialect` writes them.
pub(crate) fn migrator(dialect: Dialect) -> Migrator {
    let migrations = MIGRATIONS
        .iter()
        .map(|(version, name, text)| {
            Migration::new(
                *version,
                Cow::Borrowed(*name),
                MigrationType::Simple,
                AssertSqlSafe(dialect.render(text).into_owned()).into_sql_str(),
                false,
            )
        })
        .collect();
    Migrator::with_migrations(migrations)
}

/// Turns the library's error into ours: a version that we do not know is a newer schema.
pub(crate) fn outcome(result: Result<(), MigrateError>) -> Result<()> {
    match result {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(found)) => Err(Error::NewerSchema {
            found,
            known: newest_version(),
        }),
        Err(MigrateError::Execute(error)) => Err(error.into()),
        Err(error) => Err(Error::Migration(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_schema_that_is_known_is_the_same() {
        let known = newest_version();
        same(known).expect("it is known");
        let newer = same(known + 1);
        assert!(matches!(newer, Err(Error::NewerSchema { .. })), "{newer:?}");
        let older = same(known - 1);
        assert!(matches!(older, Err(Error::OlderSchema { .. })), "{older:?}");
    }

    #[test]
    fn every_file_of_the_folder_is_listed_in_order() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("the migrations folder is part of the source")
            .map(|entry| {
                entry
                    .expect("readable")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .filter(|name| name.ends_with(".sql"))
            .collect();
        files.sort();
        let listed: Vec<String> = MIGRATIONS
            .iter()
            .map(|(_, name, _)| format!("{name}.sql"))
            .collect();
        assert_eq!(files, listed);
        for (index, (version, name, _)) in MIGRATIONS.iter().enumerate() {
            assert_eq!(*version, i64::try_from(index).expect("small") + 1);
            assert!(name.starts_with(&format!("{version:04}_")));
        }
    }
}
