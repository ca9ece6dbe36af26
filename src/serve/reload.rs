//! SIGHUP: reads the configuration again and applies what can be applied.

use super::logging::Logging;
use super::outbound;
use super::parts::{self, Parts};
use crate::arguments::ServeArguments;
use crate::settings;
use access::{AuditEntry, Doer};
use base::Config;
use std::sync::Arc;
use tokio::sync::watch;
use web::Settings;

/// Knows what is in force, and who must hear of a change.
pub(super) struct Reloader {
    pub(super) arguments: ServeArguments,
    pub(super) config: Config,
    pub(super) parts: Parts,
    pub(super) web: watch::Sender<Arc<Settings>>,
    pub(super) logging: Logging,
}

impl Reloader {
    /// Reads the configuration again. One with mistakes changes nothing.
    pub(super) async fn reload(&mut self) {
        let arguments = self.arguments.clone();
        let loaded = tokio::task::spawn_blocking(move || settings::load(&arguments)).await;
        let new = match loaded {
            Ok(Ok(loaded)) => loaded.config,
            Ok(Err(failure)) => {
                tracing::error!("the configuration stays as it was: {failure}");
                return;
            }
            Err(_) => return,
        };
        let changes = self.config.reloadable_changes(&new);
        if !changes.need_restart.is_empty() {
            tracing::warn!(settings = ?changes.need_restart, "changed, and in force after a restart");
        }
        if changes.applied.is_empty() {
            tracing::info!("nothing changed in the configuration that can be applied now");
            return;
        }
        let before = self.config.clone();
        self.config = before.reloaded(&new);
        self.apply();
        self.record(&before, &changes.applied).await;
        tracing::info!(settings = ?changes.applied, "applied");
    }

    fn apply(&self) {
        let config = &self.config;
        self.logging.set_filter(config);
        self.web.send_replace(Arc::new(Settings::from(config)));
        self.parts
            .access
            .set_session_ttl(config.access.session_ttl.duration());
        let client = outbound::client(config, Some(&self.parts.client));
        self.parts
            .bundles
            .reconfigure(client, parts::bundle_settings(config));
    }

    /// Who changed what: on the record, with before and after.
    async fn record(&self, before: &Config, applied: &[&'static str]) {
        let values = |config: &Config| {
            let shown = config
                .shown()
                .filter(|(setting, _)| applied.contains(&setting.key))
                .map(|(setting, value)| (setting.key.to_owned(), value.into()));
            serde_json::Value::Object(shown.collect())
        };
        let entry = AuditEntry::new(&Doer::host(), "configuration.reload", "configuration")
            .before(values(before))
            .after(values(&self.config));
        if let Err(error) = self.parts.access.audit(entry).await {
            tracing::error!(%error, "the change of the configuration could not be recorded");
        }
    }
}
