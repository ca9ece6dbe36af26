//! What a configuration promises to the one who writes it.

#![allow(clippy::unwrap_used)]
use super::*;
use crate::{Size, Span};
use proptest::prelude::*;

fn file(text: &str) -> Result<Config, ConfigError> {
    let loaded = Config::load(Some(("longshore.toml", text)), [], &Overrides::default());
    loaded.map(|loaded| loaded.config)
}

fn environment(pairs: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Config::load(None, pairs.iter().map(owned), &Overrides::default())
}

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

/// Each file has one mistake; the message says where, what, and what instead.
#[test]
fn a_mistake_in_the_file_is_told_with_its_place_and_its_remedy() {
    for (text, message) in [
        (
            "\n\n\nlisen = 3",
            "longshore.toml:4:1: unknown key `lisen`; did you mean `listen`?",
        ),
        (
            "public-url = ''",
            "longshore.toml:1:1: unknown key `public-url`; did you mean `public_url`?",
        ),
        (
            "[fetch]\nper_hots = 1",
            "longshore.toml:2:1: unknown key `per_hots`; did you mean `per_host`?",
        ),
        (
            "[fech]\nper_host = 1",
            "longshore.toml:1:2: unknown key `fech`; did you mean `fetch`?",
        ),
        (
            "per_host = 1",
            "longshore.toml:1:1: unknown key `per_host`; did you mean `fetch.per_host`?",
        ),
        ("colour = 'red'", "longshore.toml:1:1: unknown key `colour`"),
        (
            "fetch = 3",
            "longshore.toml:1:1: `fetch` is a table of settings; write `[fetch]` and its settings below it",
        ),
        (
            "[operations.retention]\nagee = '1d'",
            "longshore.toml:2:1: unknown key `agee`; did you mean `age`?",
        ),
        (
            "[operations.retention.bundle]\nagee = '1d'",
            "longshore.toml:2:1: unknown key `agee`; did you mean `age`?",
        ),
        (
            "[operations.retention]\nbundle = '1d'",
            "longshore.toml:2:1: `operations.retention.bundle` is a table of settings; write `[operations.retention.bundle]` and its settings below it",
        ),
        (
            "[operations.concurrency]\n'a b' = 1",
            "longshore.toml:2:1: `a b` is no kind. A name has only the letters a to z, digits, `.`, `-` and `_`, not a space.",
        ),
        (
            "listen = 8011",
            "longshore.toml:1:10: `listen` is 8011; it must be an IP address and a port, for example \"127.0.0.1:8011\"",
        ),
        (
            "[fetch]\nconcurrent = 0",
            "longshore.toml:2:14: `fetch.concurrent` is 0; it must be a whole number from 1 to 1024, for example 32",
        ),
        (
            "fetch.concurrent = \"many\"",
            "longshore.toml:1:20: `fetch.concurrent` is \"many\"; it must be a whole number from 1 to 1024, for example 32",
        ),
        (
            "[fetch]\nconcurrent = -1",
            "longshore.toml:2:14: `fetch.concurrent` is -1; it must be a whole number from 1 to 1024, for example 32",
        ),
        (
            "listen = { port = 1 }",
            "longshore.toml:1:10: `listen` is { port = 1 }; it must be an IP address and a port, for example \"127.0.0.1:8011\"",
        ),
        (
            "shutdown_grace = 10",
            "longshore.toml:1:18: `shutdown_grace` is 10; it must be a length of time from 0s to 1h, for example \"10s\"",
        ),
        (
            "trusted_proxies = [\"10.0.0.0/8\", \"10.0.0.0/33\"]",
            "longshore.toml:1:34: `trusted_proxies` contains \"10.0.0.0/33\"; it must be a list of networks or addresses, for example [\"10.0.0.0/8\", \"::1\"]",
        ),
        (
            "trusted_proxies = \"10.0.0.0/8\"",
            "longshore.toml:1:19: `trusted_proxies` is \"10.0.0.0/8\"; it must be a list of networks or addresses, for example [\"10.0.0.0/8\", \"::1\"]",
        ),
        ("é = 1; x", "longshore.toml:1:1: not TOML: "),
        (
            "a = 1\na = 2",
            "longshore.toml:2:1: not TOML: duplicate key",
        ),
        (
            "[operations]\nlease = '10s'",
            "`operations.heartbeat` (10s) must be at most half of `operations.lease` (10s), or work would be taken from workers that are well",
        ),
    ] {
        let error = file(text).unwrap_err();
        assert_eq!(error.problems().len(), 1, "{text}: {error}");
        if message.ends_with(": ") {
            assert!(error.to_string().starts_with(message), "{text}: {error}");
        } else {
            assert_eq!(error.to_string(), message, "{text}");
        }
    }
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let error =
        file("zebra = 1\n[log]\nformat = 'xml'\nfilter = 'inof'\n[bundles]\nx = 1").unwrap_err();
    let lines: Vec<_> = error
        .problems()
        .iter()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(
        lines,
        [
            "longshore.toml:1:1:",
            "longshore.toml:3:10:",
            "longshore.toml:4:10:",
            "longshore.toml:6:1:"
        ]
    );
}

#[test]
fn a_mistake_in_the_environment_or_a_flag_names_the_variable_or_the_flag() {
    let error = environment(&[("LONGSHORE_FETCH_ALLOW", "127.0.0.0/8, nonsense")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "LONGSHORE_FETCH_ALLOW contains `nonsense`; it must be a list of networks or addresses, \
         for example [\"10.0.0.0/8\", \"::1\"]"
    );
    let flags = Overrides::default()
        .flag("--listen", "listen", Some("8011"))
        .assignment("--set", "fetch.per_hots=1")
        .assignment("--set", "fetch.per_host=x");
    let error = Config::load(None, [], &flags).unwrap_err();
    assert_eq!(
        error.problems(),
        [
            "--listen is `8011`; it must be an IP address and a port, for example \"127.0.0.1:8011\"",
            "--set fetch.per_hots: unknown key `fetch.per_hots`; did you mean `per_host`?",
            "--set fetch.per_host is `x`; it must be a whole number from 1 to 1024, for example 16",
        ]
    );
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
fn the_password_of_the_database_appears_nowhere() {
    let wrong = [
        file("database = \"mysql://u:hunter2@db/x\"")
            .unwrap_err()
            .to_string(),
        file("databse = \"postgres://u:hunter2@db/x\"")
            .unwrap_err()
            .to_string(),
        file("database = [\"postgres://u:hunter2@db/x\"]")
            .unwrap_err()
            .to_string(),
        file("database = \"postgres://u:hunter2@db/x")
            .unwrap_err()
            .to_string(),
        file("database = postgres://u:hunter2@db/x")
            .unwrap_err()
            .to_string(),
        environment(&[("LONGSHORE_DATABASE", "u:hunter2@db")])
            .unwrap_err()
            .to_string(),
    ];
    for message in wrong {
        assert!(!message.contains("hunter2"), "{message}");
    }
    let config = file("database = \"postgres://u:hunter2@db/x\"").unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    assert!(
        config
            .shown()
            .all(|(_, value)| !value.unwrap_or_default().contains("hunter2"))
    );
    assert_eq!(
        config.database.unwrap().expose(),
        "postgres://u:hunter2@db/x"
    );
}

#[test]
fn every_setting_is_read_from_what_it_shows_and_from_its_example() {
    for setting in Setting::all() {
        let key = setting.key.replace("<kind>", "bundle");
        let config = file(&format!("{key} = {}", setting.example())).unwrap();
        let shown = (setting.show)(&config).unwrap();
        if !setting.by_kind() && !setting.secret {
            let again = file(&format!("{key} = {shown}")).unwrap();
            assert!((setting.same)(&config, &again), "{key} = {shown}");
        }
    }
}

#[test]
fn variables_and_keys_are_unique() {
    let mut variables: Vec<_> = Setting::all().filter_map(Setting::variable).collect();
    let mut keys: Vec<_> = Setting::all().map(|setting| setting.key).collect();
    let count = (variables.len(), keys.len());
    variables.sort();
    variables.dedup();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(count, (variables.len(), keys.len()));
}

#[test]
fn a_reload_applies_what_can_be_applied_and_names_the_rest() {
    let old = Config::default();
    let new = file(
        "listen = '127.0.0.1:1'\ntrusted_proxies = ['10.0.0.0/8']\n[operations.retention]\ncount = 3\nsync.age = '1d'",
    )
    .unwrap();
    let changes = old.reloadable_changes(&new);
    assert_eq!(changes.applied, ["trusted_proxies"]);
    assert_eq!(
        changes.need_restart,
        [
            "listen",
            "operations.retention.count",
            "operations.retention.<kind>.age"
        ]
    );
    let merged = old.reloaded(&new);
    assert_eq!(merged.listen, old.listen);
    assert_eq!(merged.trusted_proxies, new.trusted_proxies);
    assert_eq!(merged.reloadable_changes(&new).applied, [""; 0]);
    assert_eq!(old.reloadable_changes(&old), Changes::default());
}

proptest! {
    #[test]
    fn any_text_is_a_configuration_or_has_problems_of_one_line_each(
        lines in proptest::collection::vec("[a-z_.\\[\\]]{0,12}( = [0-9a-z\"'\\[\\]{}é,]{0,8})?", 0..6),
        key in any::<prop::sample::Index>(),
        value in "\\PC{0,20}",
    ) {
        let setting = key.get(&Setting::all().collect::<Vec<_>>()).to_owned();
        let flags = Overrides::default().assignment("--set", &format!("{}={value}", setting.key));
        for problems in [file(&lines.join("\n")).err(), Config::load(None, [], &flags).err()] {
            for line in problems.iter().flat_map(ConfigError::problems) {
                prop_assert!(!line.is_empty() && !line.contains(['\n', '\r']));
            }
        }
    }

    #[test]
    fn a_value_that_was_read_is_shown_so_that_it_is_read_again(
        key in any::<prop::sample::Index>(),
        value in "[0-9]{1,6}(ms|s|m|h|d|KiB|MiB|GB)?|true|info|json|[a-z/.]{1,9}|10\\.[0-9]\\.0\\.0/[0-9]{1,2}|127\\.0\\.0\\.1:[0-9]{1,4}",
    ) {
        let setting = key.get(&Setting::all().collect::<Vec<_>>()).to_owned();
        let flags = Overrides::default().assignment("--set", &format!("{}={value}", setting.key));
        if let Ok(Loaded { config, .. }) = Config::load(None, [], &flags)
            && !setting.by_kind()
        {
            let shown = (setting.show)(&config).unwrap();
            let again = file(&format!("{} = {shown}", setting.key)).unwrap();
            prop_assert!((setting.same)(&config, &again), "{} = {}", setting.key, shown);
        }
    }
}

#[test]
fn a_secret_is_not_taken_from_the_command_line() {
    let flags = Overrides::default().assignment("--set", "database=postgres://u:geheim@h/d");
    let error = Config::load(None, [], &flags)
        .expect_err("refused")
        .to_string();
    assert!(error.contains("LONGSHORE_DATABASE"), "{error}");
    assert!(!error.contains("geheim"), "{error}");
}

#[test]
fn a_misspelt_kind_is_told_with_the_nearest() {
    let text = "[operations.concurrency]\nbundel = 3\nbundle = 4\n[operations.retention.nonsense]\nage = \"1d\"";
    let loaded = Config::load(Some(("longshore.toml", text)), [], &Overrides::default());
    let config = loaded.expect("every key is known").config;
    let found = config.unknown_kinds(&["bundle", "retention"]);
    assert_eq!(
        found,
        [
            "`operations.concurrency.bundel`: there is no kind of operation `bundel`; did you mean `bundle`?",
            "`operations.retention.nonsense.age`: there is no kind of operation `nonsense`; there are: bundle, retention",
        ]
    );
}
