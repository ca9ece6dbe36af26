//! Where values come from: the file, the environment, flags; and which goes before which.

use super::*;
use crate::{Size, Span};

#[test]
fn without_anything_the_defaults_hold() {
    assert_eq!(file("").unwrap(), Config::default());
    assert_eq!(Config::default().listen.to_string(), "127.0.0.1:8011");
    assert_eq!(Config::default().console_url(), "http://127.0.0.1:8011");
}

#[test]
fn a_flag_goes_before_the_environment_before_the_file_before_the_default() {
    let text = "listen = \"127.0.0.1:1\"\ndata = \"file\"\n[fetch]\nconcurrent = 1\nper_host = 1\n";
    let environment = [
        ("LONGSHORE_LISTEN", "127.0.0.1:2"),
        ("LONGSHORE_FETCH_CONCURRENT", "2"),
        ("LONGSHORE_DATA", ""),
    ];
    let flags = Overrides::default()
        .flag("--listen", "listen", Some("127.0.0.1:3"))
        .flag("--data", "data", None::<String>);
    let owned = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = Config::load(Some(("f", text)), owned, &flags)
        .unwrap()
        .config;
    assert_eq!(config.listen.port(), 3);
    assert_eq!(config.fetch.concurrent, 2);
    assert_eq!(config.fetch.per_host, 1);
    assert_eq!(config.data.to_str(), Some("file"));
    assert_eq!(config.fetch.redirects, 5);
}

#[test]
fn every_type_is_read_from_the_file() {
    let config = file(
        r#"
        trusted_proxies = ["10.0.0.0/8", "::1"]
        shutdown_grace = "1m30s"
        public_url = "https://ship.example/"
        log.format = "json"
        log = { filter = "warn,sqlx=off" }
        "#,
    );
    assert!(config.is_err(), "TOML has log twice");
    let config = file(
        r#"
        trusted_proxies = ["10.0.0.0/8", "::1"]
        shutdown_grace = "1m30s"
        public_url = "https://ship.example/"
        log.format = "json"
        [bundles]
        buffer = "8MiB"
        max_bytes = 1_048_576
        [fetch]
        ports = [80, 0x1F90]
        [metrics]
        open = true
        [operations.concurrency]
        bundle = 2
        [operations.retention]
        age = "30d"
        [operations.retention.bundle]
        age = "1d"
        "#,
    )
    .unwrap();
    assert_eq!(config.trusted_proxies.len(), 2);
    assert_eq!(config.trusted_proxies[1].to_string(), "::1/128");
    assert_eq!(config.shutdown_grace, Span::seconds(90));
    assert_eq!(config.console_url(), "https://ship.example");
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.bundles.buffer, Size::mib(8));
    assert_eq!(config.bundles.max_bytes, Size::mib(1));
    assert_eq!(config.fetch.ports, [80, 8080]);
    assert!(config.metrics.open);
    assert_eq!(config.operations.concurrency.get("bundle"), Some(2));
    assert_eq!(config.operations.concurrency.get("sync"), None);
    let kept = config.operations.retention.of_kind("bundle");
    assert_eq!(
        kept,
        Keep {
            age: Span::days(1),
            count: 10_000
        }
    );
    assert_eq!(
        config.operations.retention.of_kind("sync").age,
        Span::days(30)
    );
}

#[test]
fn lists_come_from_the_environment_between_commas() {
    let loaded = environment(&[
        ("LONGSHORE_FETCH_ALLOW", "127.0.0.0/8,10.1.2.3, fd00::/8 ,"),
        ("LONGSHORE_FETCH_PORTS", "80,8080"),
        ("LONGSHORE_METRICS_OPEN", "yes"),
    ])
    .unwrap();
    let shown: Vec<_> = loaded
        .config
        .fetch
        .allow
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(shown, ["127.0.0.0/8", "10.1.2.3/32", "fd00::/8"]);
    assert_eq!(loaded.config.fetch.ports, [80, 8080]);
    assert!(loaded.config.metrics.open);
}

#[test]
fn an_unknown_variable_is_a_warning_with_the_nearest_name() {
    let loaded = environment(&[
        ("LONGSHORE_LISEN", "127.0.0.1:1"),
        ("LONGSHORE_COLOUR", "red"),
        ("LONGSHORE_TEST_POSTGRES", "postgres://x"),
        ("LONGSHORE_ADMIN_PASSWORD", "hunter2"),
        ("PATH", "/bin"),
    ])
    .unwrap();
    assert_eq!(loaded.config, Config::default());
    let warnings: Vec<_> = loaded
        .unknown_variables
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        warnings,
        [
            "the environment variable `LONGSHORE_COLOUR` is unknown and ignored",
            "the environment variable `LONGSHORE_LISEN` is unknown and ignored; did you mean `LONGSHORE_LISTEN`?",
        ]
    );
}
