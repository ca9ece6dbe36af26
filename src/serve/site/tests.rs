//! The walk over every route of the program as it is served.

use super::build;
use crate::serve::parts::Parts;
use access::{Caller, Doer, NewToken, NewUser, Role, Scope};
use base::{Config, ManualClock, SystemClock};
use metrics_exporter_prometheus::PrometheusBuilder;
use secrecy::{ExposeSecret, SecretString};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use storage::DataDir;
use testing::{TestDatabase, on_both};
use tokio_util::sync::CancellationToken;
use web::{Entry, Requirement, WalkTokens, walk};

const PASSWORD: &str = "correct horse battery";
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Longer than any session lives unused.
const LONG_AGO: Duration = Duration::from_secs(30 * 24 * 3600);

/// Whoever adds to this lets everybody in.
const PUBLIC: [&str; 13] = [
    "GET /api/docs",
    "GET /api/v1/openapi.json",
    "POST /api/v1/session",
    "GET /health",
    "GET /healthz",
    "GET /hooks/s3/{bucket}",
    "POST /hooks/s3/{bucket}",
    "GET /readyz",
    "GET /s/{token}",
    "POST /s/{token}",
    "GET /s/{token}/download",
    "OPTIONS /tus",
    "GET /{*console}",
];

fn config(database: &TestDatabase, folder: &tempfile::TempDir) -> Config {
    let mut config = Config {
        data: folder.path().join("data"),
        ..Config::default()
    };
    config.database = database
        .postgres_url()
        .map(|url| url.parse().expect("an address of Postgres"));
    // The walk shows more wrong tokens than anybody may.
    config.access.attempts_per_address = 1_000_000;
    config
}

async fn token(parts: &Parts, caller: &Caller, name: &str, scopes: &[Scope], ends: bool) -> String {
    let new = NewToken {
        name: name.parse().expect("a name"),
        scopes: scopes.to_vec(),
        expires_in: ends.then_some(LONG_AGO),
    };
    let (text, _) = parts.access.create_token(caller, new).await.expect("made");
    text.expose_secret().to_owned()
}

/// Makes users of every role, and what is shown at the doors.
async fn credentials(parts: &Parts, clock: &ManualClock) -> WalkTokens {
    let password = || SecretString::from(PASSWORD);
    let access = &parts.access;
    access.ensure_admin(Some(password())).await.expect("admin");
    for (name, role) in [("vera", Role::Viewer), ("otto", Role::Operator)] {
        let new = NewUser {
            name: name.parse().expect("a name"),
            role,
            password: Some(password()),
        };
        access
            .create_user(&Doer::host(), new)
            .await
            .expect("a user");
    }
    let log_in = async |name: &str| {
        let logged_in = access.log_in(name, &password(), HERE, "").await;
        logged_in.expect("logged in")
    };
    let old = log_in("admin").await;
    let expired = token(parts, &old.caller, "old", &Scope::ALL, true).await;
    clock.advance(LONG_AGO);
    let admin = log_in("admin").await;
    let vera = log_in("vera").await.caller;
    let otto = log_in("otto").await.caller;
    let mut narrow = Vec::new();
    for (name, scope) in [("ops", Scope::OperationsRead), ("zips", Scope::BundlesRead)] {
        narrow.push((
            scope,
            token(parts, &admin.caller, name, &[scope], false).await,
        ));
    }
    WalkTokens {
        expired,
        viewer: token(parts, &vera, "all", &Scope::ALL, false).await,
        operator: token(parts, &otto, "all", &Scope::ALL, false).await,
        narrow,
        expired_session: old.cookie.expose_secret().to_owned(),
        session: admin.cookie.expose_secret().to_owned(),
    }
}

/// How many refusals the walk must see at this route.
fn refusals(entry: &Entry) -> usize {
    if entry.requirement == Requirement::Public {
        return 0;
    }
    let get = entry.method == "GET";
    let of_role = entry.requirement.role().map_or(0, |(role, _)| match role {
        Role::Viewer => 3,
        Role::Operator => 4,
        Role::Admin => 5,
    });
    let signed = usize::from(matches!(entry.requirement, Requirement::Signed(..)));
    // Wrong tokens, and what the role asks for; HEAD sees the same as GET. Then what
    // another site would try: a socket, or a change with somebody's session.
    let doors = if get { 2 } else { 1 };
    doors * (2 + of_role + signed) + 1
}

#[tokio::test]
async fn every_route_of_the_program_refuses_whom_it_must() {
    on_both(|database| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let config = config(&database, &folder);
        let directory = DataDir::open(&config.data).expect("a data directory");
        let clock = Arc::new(ManualClock::new(base::Clock::now(&SystemClock)));
        let shared = Arc::clone(&clock) as base::SharedClock;
        let parts = Parts::open_by(&config, directory, shared).await;
        let parts = parts.unwrap_or_else(|failure| panic!("{failure}"));
        let tokens = credentials(&parts, &clock).await;
        let metrics = PrometheusBuilder::new().build_recorder().handle();
        let site = build(&parts, &config, metrics, CancellationToken::new()).site;

        let entries = site.table.entries();
        let public: Vec<String> = entries
            .iter()
            .filter(|entry| entry.requirement == Requirement::Public)
            .map(|entry| format!("{} {}", entry.method, entry.path))
            .collect();
        assert_eq!(public, PUBLIC);
        let walked = walk(&site, &tokens).await;
        assert_eq!(walked.faults, Vec::<String>::new());
        assert_eq!(walked.refusals, entries.iter().map(refusals).sum::<usize>());
        parts.close().await;
    })
    .await;
}
