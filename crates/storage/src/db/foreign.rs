//! A Postgres that is somebody else's: nothing of ours is in it, and its schema is not
//! touched.
//!
//! The address is the one that its owner gives to other programs, so what those add to it
//! is understood or left out. Poolers between take no options at the start of a
//! connection, so whoever asks puts a limit of time around every statement.

use super::{Db, DbLimits, Pools};
use crate::{Error, Result};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use url::Url;

/// What an address says that is for other programs than this one, and how long an unused
/// connection is kept.
const KNOWN: [&str; 14] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "statement-cache-capacity",
    "options",
];
const IDLE: Duration = Duration::from_secs(60);

/// The schema that an address names, as Prisma writes it (`?schema=…`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema(pub Option<String>);

/// An address as our driver reads it, and the schema in it.
struct Address {
    options: PgConnectOptions,
    schema: Schema,
}

/// Says nothing of the address, which may hold a password.
fn unusable(reason: impl fmt::Display) -> Error {
    Error::Unreachable {
        reason: format!("its address cannot be used: {reason}"),
    }
}

impl Address {
    fn read(text: &str) -> Result<Self> {
        let mut url = Url::parse(text.trim()).map_err(unusable)?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(unusable("it begins with postgres:// or postgresql://"));
        }
        let mut schema = Schema::default();
        let mut pooled = false;
        let mut kept = Vec::new();
        for (name, value) in url.query_pairs() {
            match (&*name, &*value) {
                ("schema", _) if !value.is_empty() => schema = Schema(Some(value.into_owned())),
                ("pgbouncer", "true") => pooled = true,
                // What Node's driver calls an encrypted connection to whomever.
                ("sslmode", "no-verify") => kept.push((name.into_owned(), "require".to_owned())),
                (known, _) if KNOWN.contains(&known) => {
                    kept.push((name.into_owned(), value.into_owned()));
                }
                _ => {}
            }
        }
        url.set_query(None);
        if !kept.is_empty() {
            url.query_pairs_mut().extend_pairs(kept);
        }
        let mut options = PgConnectOptions::from_str(url.as_str())
            .map_err(|error| unusable(error_text(&error)))?
            .extra_float_digits(None);
        if options.get_application_name().is_none() {
            options = options.application_name("longshore");
        }
        if pooled {
            options = options.statement_cache_capacity(0);
        }
        Ok(Self { options, schema })
    }
}

/// A driver's complaint about an address may repeat a part of it.
fn error_text(error: &sqlx::Error) -> &'static str {
    match error {
        sqlx::Error::Configuration(_) => "one of its parameters is not understood",
        _ => "it is not understood",
    }
}

impl Db {
    /// Another's Postgres, and the schema that its address names. Nothing is asked yet:
    /// connections are made when they are needed, and closed when they are not.
    ///
    /// # Errors
    /// [`Error::Unreachable`] for an address that is none. It repeats nothing of it.
    pub fn foreign(url: &str, limits: &DbLimits) -> Result<(Self, Schema)> {
        use sqlx::ConnectOptions;
        let Address { options, schema } = Address::read(url)?;
        let pool = PgPoolOptions::new()
            .max_connections(limits.postgres_connections)
            .min_connections(0)
            .acquire_timeout(limits.acquire)
            .idle_timeout(IDLE)
            .connect_lazy_with(options.disable_statement_logging());
        let db = Self {
            pools: Pools::Postgres(pool),
        };
        Ok((db, schema))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(url: &str) -> Option<String> {
        Address::read(url).expect("an address").schema.0
    }

    #[test]
    fn what_other_programs_add_to_an_address_is_understood_or_left_out() {
        let prisma = "postgresql://u:p%40@h:6543/db?schema=shop&pgbouncer=true&connection_limit=1";
        let address = Address::read(prisma).expect("an address");
        assert_eq!(address.schema.0.as_deref(), Some("shop"));
        assert_eq!(address.options.get_host(), "h");
        assert_eq!(address.options.get_port(), 6543);
        assert_eq!(schema("postgres://h/db?sslmode=no-verify"), None);
        assert_eq!(
            schema("postgres://h/db?sslmode=require&uselibpqcompat=true"),
            None
        );
    }

    #[test]
    fn a_wrong_address_is_refused_without_repeating_it() {
        for url in [
            "mysql://anna:hunter2@h/db",
            "hunter2",
            "postgres://anna:hunter2@h/db?sslmode=hunter2",
            "postgres://anna:hunter2@h:port/db",
        ] {
            let refused = Address::read(url).err().expect(url).to_string();
            assert!(!refused.contains("hunter2"), "{refused}");
        }
    }
}
