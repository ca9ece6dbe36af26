//! The peers that tests talk to: started here, named in environment variables,
//! stopped when dropped.

use crate::place::{self, Place};
use crate::postgres::{self, Postgres};
use crate::process::{Failure, Run};
use crate::{cloudflare, s3_clients, s3_store, setup};

/// The address of the PostgreSQL in which tests make databases of their own.
const POSTGRES: &str = "LONGSHORE_TEST_POSTGRES";

/// The folder in which S3 clients are.
const S3_CLIENTS: &str = "LONGSHORE_TEST_S3_CLIENTS";

/// The program of an S3-compatible store, of which each test starts one of its own.
const S3_STORE: &str = "LONGSHORE_TEST_S3_STORE";

/// The folder in which Cloudflare's own clients and a tus server are.
const CLOUDFLARE: &str = "LONGSHORE_TEST_CLOUDFLARE";

/// Peers that run, and what is to be said of those that don't.
pub(crate) struct Peers {
    /// Variables for the test processes.
    pub(crate) environment: Vec<(String, String)>,
    /// What was left out, and why.
    pub(crate) skipped: Vec<String>,
    /// Held for its end.
    _postgres: Option<Postgres>,
}

impl Peers {
    /// Starts what is installed; without PostgreSQL this fails only where peers are required.
    pub(crate) fn start(place: &Place) -> Result<Self, Failure> {
        let mut peers = Self {
            environment: Vec::new(),
            skipped: Vec::new(),
            _postgres: None,
        };
        if let Ok(url) = std::env::var(POSTGRES) {
            println!("PostgreSQL: the one that {POSTGRES} names");
            peers.environment.push((POSTGRES.to_owned(), url));
        } else if postgres::programs().is_some() {
            let postgres = Postgres::start(place)?;
            println!("PostgreSQL: a throw-away cluster, {}", postgres.url());
            peers
                .environment
                .push((POSTGRES.to_owned(), postgres.url().to_owned()));
            peers._postgres = Some(postgres);
        } else if place::peers_required() {
            return Err(Failure::new(
                "PostgreSQL is required here and not installed; see `cargo xtask setup`",
            ));
        } else {
            peers.skipped.push(
                "everything on Postgres: it is not installed (`cargo xtask setup`)".to_owned(),
            );
        }
        match s3_clients::programs(place) {
            Some(folder) => peers
                .environment
                .push((S3_CLIENTS.to_owned(), folder.display().to_string())),
            None => peers.skipped.push(
                "boto3, aws and s3cmd: they are not installed (`cargo xtask setup`)".to_owned(),
            ),
        }
        match s3_store::program(place) {
            Some(program) => peers
                .environment
                .push((S3_STORE.to_owned(), program.display().to_string())),
            None => peers.skipped.push(
                "everything on an S3 store: it is not compiled (`cargo xtask peers`)".to_owned(),
            ),
        }
        match cloudflare::folder(place) {
            Some(folder) => peers
                .environment
                .push((CLOUDFLARE.to_owned(), folder.display().to_string())),
            None => peers.skipped.push(
                "Cloudflare's clients and a tus server: they are not installed (`cargo xtask setup`)"
                    .to_owned(),
            ),
        }
        Ok(peers)
    }

    /// The address of the PostgreSQL, where there is one.
    pub(crate) fn postgres(&self) -> Option<&str> {
        let named = self.environment.iter().find(|(name, _)| name == POSTGRES);
        named.map(|(_, url)| url.as_str())
    }
}

/// `cargo xtask peers -- COMMAND ARGS…`
pub(crate) fn command(place: &Place, rest: &[String]) -> Result<(), Failure> {
    let words = rest.strip_prefix(&["--".to_owned()]).unwrap_or(rest);
    let Some((program, arguments)) = words.split_first() else {
        return Err(Failure::new(
            "say what to run: `cargo xtask peers -- cargo nextest run -p longshore-storage`",
        ));
    };
    setup::tell_what_is_missing();
    s3_store::build(place)?;
    let peers = Peers::start(place)?;
    let outcome = Run::new(program)
        .args(arguments)
        .envs(&peers.environment)
        .minutes(120)
        .stream();
    for skipped in &peers.skipped {
        println!("skipped: {skipped}");
    }
    outcome.map(drop)
}
