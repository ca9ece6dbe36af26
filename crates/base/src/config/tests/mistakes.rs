//! What is wrong is told with its place and its remedy.

use super::*;
use proptest::prelude::*;

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
        (
            "[mail]\nsmtp = 'smtps://mail.example.org'",
            "`mail.smtp` needs `mail.from`: in whose name mail is sent",
        ),
        (
            "[mail]\nuser = 'anna'",
            "`mail.user` and `mail.password` need each other; set both or none",
        ),
        (
            "[mail]\nsmtp = 'smtp://relay?tls=none'\nfrom = 'a@b'\nuser = 'a'\npassword = 'x'",
            "`mail.smtp` may not say `tls=none` where `mail.password` is set: everybody on the way could read it",
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
}
