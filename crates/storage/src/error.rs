//! What can go wrong in storage, each with what to do about it.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a database says of a statement that it refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// Its code; of Postgres the SQLSTATE.
    pub code: Cow<'a, str>,
    /// Its words.
    pub message: &'a str,
}

/// What went wrong. The texts are for people and never contain a value or a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database does not answer.
    #[error(
        "the database cannot be reached ({reason}); check that it runs and that `database` is right"
    )]
    Unreachable {
        /// What the driver said, without the address.
        reason: String,
    },
    /// The file of a SQLite database is none, or was damaged.
    #[error(
        "the database file {path} cannot be read ({reason}); put back a backup of it, or choose another directory with --data"
    )]
    BrokenFile {
        /// The file.
        path: PathBuf,
        /// What the driver said.
        reason: String,
    },
    /// This Postgres is too old.
    #[error(
        "the database is Postgres {found}, and Longshore needs {oldest} or newer; upgrade it, or name another one in `database`"
    )]
    OldPostgres {
        /// Its major version.
        found: u32,
        /// The oldest that will do.
        oldest: u32,
    },
    /// The database was written by a newer Longshore.
    #[error(
        "the database has schema version {found}, and this Longshore knows up to {known}; run the newer version, or restore a backup made by this one"
    )]
    NewerSchema {
        /// The version in the database.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The database was written by an older Longshore.
    #[error(
        "the database has schema version {found}, and this Longshore needs {known}; use the `longshore` that the server runs, or start this one's server first"
    )]
    OlderSchema {
        /// The version in the database.
        found: i64,
        /// The version that this program needs.
        known: i64,
    },
    /// A migration failed or differs from the one that was applied.
    #[error("the database could not be brought up to date: {0}")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// A row would have been a second one where only one may be.
    #[error("there is one already ({constraint})")]
    Conflict {
        /// The constraint or the columns that say so.
        constraint: String,
    },
    /// A row names another one that is not there.
    #[error("what this belongs to is gone")]
    Reference,
    /// No connection became free in time.
    #[error("the database is busy; try again in a moment")]
    Busy,
    /// Any other failure of a statement.
    #[error("the database refused a statement: {0}")]
    Database(#[source] sqlx::Error),
    /// A column holds what it cannot hold.
    #[error("column `{column}` holds a value that this program does not understand")]
    Column {
        /// Which.
        column: String,
        /// What the driver said.
        #[source]
        source: sqlx::Error,
    },
    /// A text in a row is not what it should be; of what.
    #[error("what is stored of {0} is not understood; it may come from another version")]
    Stored(&'static str),
    /// Another process uses the data directory.
    #[error(
        "the data directory {path} is in use by another Longshore process{holder}; stop that one, or choose another directory with --data"
    )]
    DirectoryInUse {
        /// The directory.
        path: PathBuf,
        /// " (process 123)" where it is known, or nothing.
        holder: String,
        /// Whether it is so for a moment only.
        briefly: bool,
    },
    /// The data directory belongs to another user than the one that runs this.
    #[error(
        "the data directory {path} cannot be used: it belongs to user {owner}, and this runs as user {user}; run Longshore as its owner, give it to this user with chown -R, or choose another with --data"
    )]
    DirectoryOfAnother {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who wants it.
        user: u32,
    },
    /// The data directory cannot be written to.
    #[error(
        "the data directory {path} cannot be used ({source}); check its owner and permissions, or choose another with --data"
    )]
    Directory {
        /// The directory or the file in it.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// No such blob.
    #[error("the stored content is gone")]
    NoBlob,
    /// Reading or writing a blob failed.
    #[error("stored content could not be read or written: {0}")]
    Blob(#[source] io::Error),
    /// The address of the shared cache is none.
    #[error(
        "`cache` is no address of a Redis or Valkey server; it begins with redis:// or rediss://"
    )]
    CacheAddress,
    /// An S3-compatible store did not do what was asked.
    #[error(transparent)]
    Objects(#[from] crate::ObjectError),
    /// A background task ended before it answered.
    #[error("storage was stopped before it answered")]
    Stopped,
}

impl Error {
    /// Whether this is a refused duplicate.
    #[must_use]
    pub const fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    /// What the database says of a statement that it refused, where it is no duplicate and
    /// belongs to nothing that is gone.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal<'_>> {
        let Self::Database(sqlx::Error::Database(refused)) = self else {
            return None;
        };
        Some(Refusal {
            code: refused.code()?,
            message: refused.message(),
        })
    }

    /// What the database says where it does not let us in: the role, its password or the
    /// name of the database is wrong.
    #[must_use]
    pub fn no_entry(&self) -> Option<&str> {
        let Refusal { code, message } = self.refusal()?;
        // invalid_authorization_specification, invalid_password, invalid_catalog_name
        matches!(&*code, "28000" | "28P01" | "3D000").then_some(message)
    }

    /// The same once more, for another one whom it keeps waiting.
    #[must_use]
    pub fn again(&self) -> Self {
        match self {
            Self::Unreachable { reason } => Self::Unreachable {
                reason: reason.clone(),
            },
            Self::Busy => Self::Busy,
            Self::Stopped => Self::Stopped,
            Self::Reference => Self::Reference,
            other => Self::Database(sqlx::Error::Protocol(other.to_string())),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(refused) if refused.is_unique_violation() => Self::Conflict {
                constraint: refused
                    .constraint()
                    .map_or_else(|| refused.message().to_owned(), str::to_owned),
            },
            sqlx::Error::Database(refused) if refused.is_foreign_key_violation() => Self::Reference,
            // SQLITE_BUSY and SQLITE_LOCKED, with their extended codes; of Postgres
            // serialization_failure and deadlock_detected: the same may pass next time.
            sqlx::Error::Database(refused)
                if matches!(
                    refused.code().as_deref(),
                    Some("5" | "6" | "261" | "517" | "40001" | "40P01")
                ) =>
            {
                Self::Busy
            }
            sqlx::Error::PoolTimedOut => Self::Busy,
            sqlx::Error::Io(source) => Self::Unreachable {
                reason: source.to_string(),
            },
            sqlx::Error::Tls(_) => Self::Unreachable {
                reason: "the encrypted connection was refused".to_owned(),
            },
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => Self::Stopped,
            _ => Self::Database(error),
        }
    }
}
