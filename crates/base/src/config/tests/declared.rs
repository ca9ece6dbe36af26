//! What holds for every setting that is declared: it is read from what it shows, and
//! reloaded or not.

use super::*;
use proptest::prelude::*;

#[test]
fn every_setting_is_read_from_what_it_shows_and_from_its_example() {
    for setting in Setting::all() {
        let key = setting.key.replace("<kind>", "bundle");
        // Some settings are nothing without another one.
        let beside = match setting.key {
            "mail.smtp" => "mail.from = 'a@example.org'",
            "mail.user" => "mail.password = 'SECRET'",
            "mail.password" => "mail.user = 'anna'",
            _ => "",
        };
        let config = file(&format!("{key} = {}\n{beside}", setting.example())).unwrap();
        let shown = (setting.show)(&config).unwrap();
        if !setting.by_kind() && !setting.secret {
            let again = file(&format!("{key} = {shown}\n{beside}")).unwrap();
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
