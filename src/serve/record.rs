//! Changes of the configuration, on the record with before and after.

use super::parts::Parts;
use crate::exit::Result;
use access::{AuditEntry, Doer};
use base::Config;
use serde_json::{Map, Value};

/// What differs from the last start or reload.
pub(super) async fn at_start(parts: &Parts, config: &Config) -> Result {
    Ok(note(parts, config, "configuration.changed").await?)
}

/// What a reload has changed, and what it could not.
pub(super) async fn at_reload(parts: &Parts, before: &Config, now: &Config, waits: &Config) {
    let recorded = async {
        note(parts, now, "configuration.reload").await?;
        let waiting = now.reloadable_changes(waits).need_restart;
        if waiting.is_empty() || before.reloadable_changes(waits).need_restart.is_empty() {
            // Nothing waits, or it did already at the last reload.
            return Ok(());
        }
        let of = |config| Value::Object(only(shown(config), &waiting));
        let entry = AuditEntry::new(&Doer::host(), "configuration.waits", "configuration")
            .before(of(now))
            .after(of(waits));
        parts.access.audit(entry).await
    };
    if let Err(error) = recorded.await {
        tracing::error!(%error, "the change of the configuration could not be recorded");
    }
}

async fn note(parts: &Parts, config: &Config, action: &str) -> access::Result<()> {
    let path = parts.directory.path();
    let place = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let place = place.display().to_string();
    let access = &parts.access;
    access
        .note_configuration(&Doer::host(), action, &place, &shown(config))
        .await
}

fn shown(config: &Config) -> Map<String, Value> {
    let shown = config.shown();
    shown
        .map(|(setting, value)| (setting.key.to_owned(), value.into()))
        .collect()
}

fn only(mut all: Map<String, Value>, keys: &[&str]) -> Map<String, Value> {
    all.retain(|key, _| keys.contains(&key.as_str()));
    all
}
