//! SIGHUP: reads the configuration again and applies what can be applied.

use super::logging::Logging;
use super::outbound;
use super::parts::{self, Parts};
use super::record;
use crate::arguments::ServeArguments;
use crate::settings;
use base::Config;
use files::AuthoriserSettings;
use std::sync::Arc;
use tokio::sync::watch;
use web::Settings;

/// Knows what is in force, and who must hear of a change.
pub(super) struct Reloader {
    pub(super) arguments: ServeArguments,
    pub(super) config: Config,
    /// What was read at the last reload, of which not all is in force.
    pub(super) last: Option<Config>,
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
        let before = self.last.replace(new.clone());
        let before = before.unwrap_or_else(|| self.config.clone());
        if !changes.need_restart.is_empty() {
            tracing::warn!(settings = ?changes.need_restart, "changed, and in force after a restart");
        }
        if changes.applied.is_empty() {
            tracing::info!("nothing changed in the configuration that can be applied now");
        } else {
            self.config = self.config.reloaded(&new);
            self.apply();
        }
        record::at_reload(&self.parts, &before, &self.config, &new).await;
        if !changes.applied.is_empty() {
            tracing::info!(settings = ?changes.applied, "applied");
        }
    }

    fn apply(&self) {
        let config = &self.config;
        self.logging.set_filter(config);
        self.web.send_replace(Arc::new(Settings::from(config)));
        self.parts
            .access
            .reconfigure(&parts::access_settings(config));
        let client = outbound::client(config, Some(&self.parts.client));
        self.parts
            .bundles
            .reconfigure(client.clone(), parts::bundle_settings(config));
        self.parts
            .syncs
            .reconfigure(client.clone(), parts::sync_settings(config));
        self.parts
            .files
            .reconfigure(client, parts::file_settings(config));
        self.parts
            .files
            .reconfigure_authoriser(AuthoriserSettings::from(config));
    }
}
