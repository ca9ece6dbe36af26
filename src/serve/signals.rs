//! What the system tells the program: to stop, or to read its configuration again.

use super::reload::Reloader;
use base::Config;
use metrics_exporter_prometheus::PrometheusHandle;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// How often figures are tidied.
const TIDY: Duration = Duration::from_secs(5);

/// Waits for SIGTERM or SIGINT; reads the configuration again at SIGHUP. A second
/// signal to stop ends the program at once. Gives the configuration in force.
pub(super) async fn until_stopped(mut reloader: Reloader, metrics: &PrometheusHandle) -> Config {
    let (Ok(mut terminate), Ok(mut interrupt), Ok(mut hangup)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
        signal(SignalKind::hangup()),
    ) else {
        tracing::error!("signals cannot be received; stopping");
        return reloader.config;
    };
    let mut tidy = tokio::time::interval(TIDY);
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => reloader.reload().await,
            _ = tidy.tick() => metrics.run_upkeep(),
        }
    }
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::warn!("told to stop twice; ending at once");
        std::process::exit(crate::exit::Code::Cancelled as i32);
    });
    reloader.config
}
