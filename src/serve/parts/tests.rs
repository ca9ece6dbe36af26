//! Every setting reaches what it is the setting of, and not its neighbour.

use super::*;
use base::config::{MailEncryption, Overrides, Setting};
use fetch::{Limits, PortPolicy, RetryLimits};
use operations::{Context, Kind, Outcome, Settings};
use secrecy::ExposeSecret;
use std::collections::BTreeSet;
use web::ServerLimits;

/// Each setting with a value of its own, which is not its default.
const DISTINCT: &str = r#"
listen = "127.0.0.1:8101"
s3_listen = "127.0.0.1:8102"
data = "/elsewhere"
database = "postgres://longshore:secret@127.0.0.1/none"
cache = "redis://127.0.0.1/1"
public_url = "https://longshore.example.org"
trusted_proxies = ["10.3.0.0/16"]
shutdown_grace = "11s"

[log]
filter = "debug"
format = "json"

[storage]
sqlite_readers = 21
postgres_connections = 22
acquire_timeout = "23s"
statement_timeout = "24s"

[fetch]
allow = ["10.1.0.0/16"]
deny = ["10.2.0.0/16"]
ports = [8443]
concurrent = 31
per_host = 32
redirects = 13
connect_timeout = "34s"
first_byte_timeout = "35s"
silence_timeout = "36s"
attempts = 17
max_bytes_per_source = "38MiB"

[bundles]
max_sources = 41
max_bytes = "42MiB"
buffer = "43MiB"
expires_in = "44m"
link_expires_in = "45m"
max_kept = 46
max_kept_bytes = "47MiB"

[files]
max_file_bytes = "51MiB"
cache = "52MiB"
silence_timeout = "53s"
upload_expires_in = "54m"
parts_expire_in = "55h"
s3_domain = "s3.example.org"

[authoriser]
url = "https://decides.example.org/"
secret = "known-to-the-endpoint"
timeout = "6s"
remember = "62s"
concurrent = 63

[syncs]
at_once = 12
attempts = 72
in_parts_from = "75MiB"
longest_wait = "73s"
lease = "74s"

[mail]
smtp = "smtp://mail.test:91"
from = "ship@test.example"
user = "bosun"
password = "hoist"
timeout = "92s"

[operations]
workers = 81
lease = "82s"
heartbeat = "19s"
poll = "84s"
log_max_bytes = "85MiB"

[operations.concurrency]
crane = 86

[operations.retention]
age = "87h"
count = 88

[operations.retention.crane]
age = "80h"
count = 89

[http]
body_limit = "91MiB"
header_limit = "92KiB"
headers = 93
header_timeout = "94s"
request_timeout = "95s"
stall_timeout = "96s"
concurrency = 97
connections = 98
connections_per_address = 99
streams = 100

[live]
subscriptions = 101
ping = "12s"
send = "103s"

[access]
session_ttl = "111m"
session_lifetime = "112m"
attempts_per_account = 113
attempts_per_address = 114
attempts_window = "115s"
credential_cache = "116s"
argon2_concurrency = 18
audit_retention = "118d"

[metrics]
open = true
"#;

fn distinct() -> Config {
    let loaded = Config::load(Some(("test", DISTINCT)), [], &Overrides::default());
    loaded.expect("a configuration").config
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn minutes(minutes: u64) -> Duration {
    seconds(minutes * 60)
}

const fn hours(hours: u64) -> Duration {
    minutes(hours * 60)
}

const fn mib(count: u64) -> u64 {
    count << 20
}

/// Without this the other tests here would show little.
#[test]
fn every_setting_is_given_and_no_two_are_alike() {
    let (usual, given) = (Config::default(), distinct());
    let changes = usual.reloadable_changes(&given);
    let changed: BTreeSet<_> = changes
        .applied
        .into_iter()
        .chain(changes.need_restart)
        .collect();
    let all: BTreeSet<_> = Setting::all().map(|setting| setting.key).collect();
    assert_eq!(changed, all, "give each setting a value of its own above");
    let shown: Vec<String> = given
        .shown()
        .filter(|(setting, _)| !setting.is_secret())
        .filter_map(|(_, value)| value)
        .collect();
    let different: BTreeSet<_> = shown.iter().collect();
    assert_eq!(different.len(), shown.len(), "{shown:#?}");
}

#[test]
fn access_gets_its_settings() {
    let expected = AccessSettings {
        session_ttl: minutes(111),
        session_lifetime: minutes(112),
        attempts: AttemptLimits {
            per_account: 113,
            per_address: 114,
            window: seconds(115),
        },
        cache_time: seconds(116),
        argon2_concurrency: 18,
        look: AccessSettings::default().look,
        audit_retention: hours(118 * 24),
    };
    assert_eq!(access_settings(&distinct()), expected);
}

#[test]
fn bundles_get_their_settings() {
    let expected = BundleSettings {
        max_sources: 41,
        max_bytes: Some(mib(42)),
        max_source_bytes: Some(mib(38)),
        buffer: 43 << 20,
        concurrent: 31,
        expires_in: minutes(44),
        link_expires_in: minutes(45),
        max_kept: 46,
        max_kept_bytes: mib(47),
    };
    assert_eq!(bundle_settings(&distinct()), expected);
}

#[test]
fn files_get_their_settings() {
    let config = distinct();
    let expected = FileSettings {
        max_file_bytes: mib(51),
        cache: mib(52),
        silence: seconds(53),
        upload_expires_in: minutes(54),
        parts_expire_in: hours(55),
    };
    assert_eq!(file_settings(&config), expected);
    let endpoint = AuthoriserSettings::from(&config);
    assert_eq!(
        endpoint.url.as_deref(),
        Some("https://decides.example.org/")
    );
    assert!(endpoint.secret.is_some());
    assert_eq!(endpoint.timeout, seconds(6));
    assert_eq!(endpoint.remember, seconds(62));
    assert_eq!(endpoint.concurrent, 63);
}

#[test]
fn syncs_get_their_settings() {
    let got = sync_settings(&distinct());
    assert_eq!((got.at_once, got.attempts), (12, 72));
    assert_eq!((got.lease, got.longest_wait), (seconds(74), seconds(73)));
    assert_eq!(got.in_parts_from, 75 << 20);
    assert_eq!(got.passes_kept, hours(87));
    let mail = got.mail.expect("a server of mail");
    assert_eq!((mail.host.as_str(), mail.port), ("mail.test", 91));
    assert_eq!(mail.encryption, MailEncryption::Begun);
    assert_eq!(mail.from, "ship@test.example");
    let (name, password) = mail.login.expect("a log-in");
    assert_eq!(
        (name.as_str(), password.expose_secret()),
        ("bosun", "hoist")
    );
    assert_eq!(mail.patience, seconds(92));
}

#[test]
fn the_engine_gets_its_settings() {
    for (dialect, errands, alone) in [
        (Dialect::Sqlite, false, true),
        (Dialect::Sqlite, true, false),
        (Dialect::Postgres, false, false),
    ] {
        let expected = EngineSettings {
            lease: seconds(82),
            heartbeat: seconds(19),
            poll: seconds(84),
            workers: 81,
            log_limit: mib(85),
            alone,
            patience: EngineSettings::default().patience,
        };
        assert_eq!(engine_settings(&distinct(), dialect, errands), expected);
    }
}

/// A kind that does nothing.
struct Idle<const CRANE: bool>;

impl<const CRANE: bool> Kind for Idle<CRANE> {
    const NAME: &'static str = if CRANE { "crane" } else { "winch" };
    type Input = ();

    fn settings(&self) -> Settings {
        Settings::new("Idle work")
    }

    async fn run(&self, (): (), _: Context) -> std::result::Result<Outcome, operations::Failure> {
        Ok(Outcome::Null)
    }
}

#[test]
fn kinds_are_kept_as_long_as_is_said_of_them_or_of_all() {
    let kinds = Kinds::new().with(Idle::<true>).with(Idle::<false>);
    let mut kinds = configured_kinds(&distinct(), kinds);
    let kept = |hours_: u64, count: u64| Retained {
        age: hours(hours_),
        count,
    };
    assert_eq!(kinds.kept("crane"), kept(80, 89));
    assert_eq!(kinds.kept("winch"), kept(87, 88));
    assert_eq!(kinds.kept("of-an-earlier-version"), kept(87, 88));
    for (name, limit) in [("crane", 86), ("winch", 4)] {
        kinds.configure(name, |settings| {
            let expected = settings.clone().limit(limit);
            assert_eq!(format!("{settings:?}"), format!("{expected:?}"));
        });
    }
}

#[test]
fn the_database_gets_its_settings() {
    let expected = DbLimits {
        sqlite_readers: 21,
        postgres_connections: 22,
        acquire: seconds(23),
        statement: seconds(24),
    };
    assert_eq!(database_limits(&distinct()), expected);
    assert!(matches!(database(&distinct()), DbSettings::Postgres(url) if url.contains("secret")));
}

#[test]
fn outbound_requests_get_their_limits_and_networks() {
    let config = distinct();
    let expected = Limits {
        total: 31,
        per_host: 32,
        redirects: 13,
        connect: seconds(34),
        first_byte: seconds(35),
        silence: seconds(36),
        max_bytes: Some(mib(38)),
        retry: RetryLimits {
            attempts: 17,
            ..RetryLimits::default()
        },
        ..Limits::default()
    };
    assert_eq!(outbound::limits(&config), expected);
    let own = "192.0.2.1".parse().expect("an address");
    let policy = outbound::policy(&config, vec![own]);
    assert_eq!(policy.allow, config.fetch.allow);
    assert_eq!(policy.deny, config.fetch.deny);
    assert_ne!(policy.allow, policy.deny);
    assert_eq!(policy.ports, PortPolicy::standard_and(&[8443]));
    let s3 = config.s3_listen.address().expect("it listens");
    assert_eq!(policy.own_listeners, [config.listen, s3]);
    assert_eq!(policy.own_addresses, [own]);
    assert_eq!(
        policy.own_names,
        [("longshore.example.org".to_owned(), 443)]
    );
    assert!(!policy.allow_downgrade);
}

#[test]
fn the_http_interface_gets_its_settings() {
    let config = distinct();
    let expected = ServerLimits {
        connections: 98,
        connections_per_address: 99,
        header_timeout: seconds(94),
        header_bytes: 92 << 10,
        headers: 93,
        streams: 100,
        stall: seconds(96),
        grace: None,
    };
    assert_eq!(ServerLimits::from(&config), expected);
    let live = web::Settings::from(&config);
    assert_eq!(live.trusted_proxies, config.trusted_proxies);
    assert_eq!(live.public_url, config.public_url);
    assert_eq!(live.body_limit, mib(91));
    assert_eq!(live.request_timeout, seconds(95));
    assert_eq!(live.shutdown_grace, seconds(11));
    assert!(live.metrics_open);
    assert_eq!(live.live.subscriptions, 101);
    assert_eq!(live.live.ping, seconds(12));
    assert_eq!(live.live.send, seconds(103));
}
