//! The program's own log, on standard error.

use base::Config;
use base::config::LogFormat;
use std::io::IsTerminal;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload::{Handle, Layer};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, fmt};

/// The running log, whose filter can be changed.
#[derive(Debug)]
pub(super) struct Logging {
    filter: Handle<EnvFilter, Registry>,
}

/// Starts the log.
pub(super) fn start(config: &Config) -> Logging {
    let (filter, handle) = Layer::new(EnvFilter::new(config.log.filter.as_str()));
    let registry = tracing_subscriber::registry().with(filter);
    // A second start in one process keeps the first log.
    let _ = match config.log.format {
        LogFormat::Text => registry
            .with(
                fmt::layer()
                    .with_writer(std::io::stderr)
                    .with_target(false)
                    // Colours are for eyes, not for files and journals.
                    .with_ansi(std::io::stderr().is_terminal()),
            )
            .try_init(),
        LogFormat::Json => registry
            .with(fmt::layer().json().with_writer(std::io::stderr))
            .try_init(),
    };
    Logging { filter: handle }
}

impl Logging {
    /// Changes how much is logged.
    pub(super) fn set_filter(&self, config: &Config) {
        if let Err(error) = self
            .filter
            .reload(EnvFilter::new(config.log.filter.as_str()))
        {
            tracing::warn!(%error, "the log's filter could not be changed");
        }
    }
}
