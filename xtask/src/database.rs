//! A database of its own in a running PostgreSQL, made and dropped by psql.

use crate::place;
use crate::postgres::{self, random_word};
use crate::process::{Failure, Run};

/// An empty database; dropped with this value.
pub(crate) struct Database {
    within: String,
    name: String,
}

impl Database {
    /// Makes it in the server of which `within` is some database's address.
    pub(crate) fn make(within: &str) -> Result<Self, Failure> {
        let name = format!("longshore_test_{}", random_word()?);
        say(within, &format!("CREATE DATABASE {name}"))?;
        Ok(Self {
            within: within.to_owned(),
            name,
        })
    }

    /// Its address, which has the password of the server's.
    pub(crate) fn url(&self) -> String {
        with_name(&self.within, &self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        if let Err(failure) = say(&self.within, &statement) {
            println!("The database {} is left behind: {failure}", self.name);
        }
    }
}

fn say(within: &str, statement: &str) -> Result<(), Failure> {
    let program = place::program("psql")
        .or_else(|| Some(postgres::programs()?.join("psql")))
        .ok_or_else(|| Failure::new("psql is not installed (`cargo xtask setup`)"))?;
    let (address, password) = apart(within);
    let run = Run::new(program)
        .args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"])
        .args(["--dbname", &address, "--command", statement])
        .minutes(1);
    let run = match password {
        Some(password) => run.env("PGPASSWORD", password),
        None => run,
    };
    run.capture().map(drop)
}

/// The same address with another database.
fn with_name(within: &str, name: &str) -> String {
    let (address, options) = match within.split_once('?') {
        Some((address, options)) => (address, format!("?{options}")),
        None => (within, String::new()),
    };
    let begin = address.find("://").map_or(0, |at| at + 3);
    let end = address[begin..]
        .find('/')
        .map_or(address.len(), |at| begin + at);
    format!("{}/{name}{options}", &address[..end])
}

/// An address without its password, and the password: arguments are seen by everybody on the
/// machine, and shown where a program fails.
fn apart(address: &str) -> (String, Option<String>) {
    let parts = address.split_once("://").and_then(|(scheme, rest)| {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (who, host) = rest[..end].rsplit_once('@')?;
        let (user, password) = who.split_once(':')?;
        let plain = format!("{scheme}://{user}@{host}{}", &rest[end..]);
        Some((plain, decoded(password)))
    });
    parts.map_or_else(
        || (address.to_owned(), None),
        |(plain, password)| (plain, Some(password)),
    )
}

/// What `%40` and its like stand for.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%').then(|| {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            u8::from_str_radix(digits, 16).ok()
        });
        match code.flatten() {
            Some(code) => {
                bytes.push(code);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_taken_out_of_an_address() {
        let check = |address: &str, plain: &str, password: Option<&str>| {
            let expected = (plain.to_owned(), password.map(str::to_owned));
            assert_eq!(apart(address), expected, "{address}");
        };
        check(
            "postgres://a:b@h:1/postgres",
            "postgres://a@h:1/postgres",
            Some("b"),
        );
        check(
            "postgres://a:b%40%2f%zz@h?sslmode=disable",
            "postgres://a@h?sslmode=disable",
            Some("b@/%zz"),
        );
        check("postgres://a@h/x", "postgres://a@h/x", None);
        check(
            "postgres:///x?host=%2Frun",
            "postgres:///x?host=%2Frun",
            None,
        );
    }

    #[test]
    fn a_database_has_the_address_of_its_server() {
        let check = |within: &str, url: &str| assert_eq!(with_name(within, "own"), url);
        check("postgres://a:b@h:1/postgres", "postgres://a:b@h:1/own");
        check(
            "postgres://h?sslmode=disable",
            "postgres://h/own?sslmode=disable",
        );
    }
}
