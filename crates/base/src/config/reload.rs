//! What of a new configuration a running program can take over.

use super::declare::Setting;
use super::settings::Config;

/// The settings that differ between two configurations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Those that apply at once.
    pub applied: Vec<&'static str>,
    /// Those that need a restart.
    pub need_restart: Vec<&'static str>,
}

impl Config {
    /// What differs in `new`: keys that apply at once, and keys that need a restart.
    #[must_use]
    pub fn reloadable_changes(&self, new: &Self) -> Changes {
        let mut changes = Changes::default();
        for setting in Setting::all().filter(|setting| !(setting.same)(self, new)) {
            if setting.live {
                changes.applied.push(setting.key);
            } else {
                changes.need_restart.push(setting.key);
            }
        }
        changes
    }

    /// This configuration with those settings of `new` that apply at once: what is
    /// in force after SIGHUP.
    #[must_use]
    pub fn reloaded(&self, new: &Self) -> Self {
        let mut config = self.clone();
        for setting in Setting::all().filter(|setting| setting.live) {
            (setting.adopt)(&mut config, new);
        }
        config
    }

    /// Every setting with its value as TOML (`None` where nothing is set), secrets
    /// redacted: for `config show` and for the audit of a change.
    pub fn shown(&self) -> impl Iterator<Item = (&'static Setting, Option<String>)> {
        Setting::all().map(|setting| (setting, (setting.show)(self)))
    }
}
