//! The composition root: opens what there is, hands each part what it needs,
//! registers the kinds of operation, merges the routes, and ends it all in order.

mod buckets;
mod descriptors;
mod greeting;
pub(crate) mod kinds;
mod listeners;
pub(crate) mod logging;
pub(crate) mod outbound;
pub(crate) mod parts;
mod record;
mod reload;
mod signals;
mod site;
mod stored;
mod zips;

use crate::arguments::ServeArguments;
use crate::exit::{Failure, Result};
use crate::{commands, settings};
use base::Config;
use base::config::Loaded;
use bytes::Bytes;
use listeners::Listeners;
use metrics_exporter_prometheus::PrometheusHandle;
use parts::Parts;
use signals::{Ended, Served, Signals};
use std::io::{self, Write};
use std::time::{Duration, Instant};
use storage::DataDir;
use tokio_util::sync::CancellationToken;

/// How long a moment is for which an errand has the data directory, and how often it is
/// looked whether it is over.
const A_MOMENT: Duration = Duration::from_secs(15);
const LOOK: Duration = Duration::from_millis(50);

/// Runs the server until it is told to stop.
pub(crate) fn run(arguments: ServeArguments) -> Result {
    let Loaded {
        config,
        unknown_variables,
    } = settings::load(&arguments)?;
    let logging = logging::start(&config);
    descriptors::raise();
    for unknown in &unknown_variables {
        tracing::warn!("{unknown}");
    }
    commands::block_on(serve(arguments, config, logging))
}

async fn serve(arguments: ServeArguments, config: Config, logging: logging::Logging) -> Result {
    // First of all, or one that comes too early would end the program half-way.
    let mut signals = Signals::install()?;
    // What can be refused without a trace is tried first.
    let Some(directory) = signals.unless_stopped(open_directory(&config)).await else {
        return Ok(());
    };
    let directory = directory?;
    let listeners = Listeners::open(&config)?;
    let metrics = parts::install_metrics()?;
    let Some(parts) = signals
        .unless_stopped(Parts::open(&config, directory))
        .await
    else {
        return Ok(());
    };
    let parts = parts?;
    logging.redact(parts.access.redactors());
    let server = Running {
        arguments,
        config,
        parts: parts.clone(),
        logging,
        listeners,
        metrics,
    };
    let outcome = server.until_stopped(&mut signals).await;
    parts.close().await;
    outcome
}

/// What runs once everything is open.
struct Running {
    arguments: ServeArguments,
    config: Config,
    parts: Parts,
    logging: logging::Logging,
    listeners: Listeners,
    metrics: PrometheusHandle,
}

impl Running {
    /// Answers and works until somebody says stop, or the server fails. Whatever ends
    /// it, what runs then is let end, and the rest is interrupted.
    async fn until_stopped(self, signals: &mut Signals) -> Result {
        let Self {
            arguments,
            config,
            parts,
            logging,
            listeners,
            metrics,
        } = self;
        // Whoever says stop waits for this: a first password that was made is shown this once.
        greeting::greet(&parts, &config).await?;
        let noted = record::at_start(&parts, &config);
        let Some(noted) = signals.unless_stopped(noted).await else {
            return Ok(());
        };
        noted?;
        let stop = CancellationToken::new();
        let site = site::build(&parts, &config, metrics.clone(), stop.clone());
        parts.operations.start();
        let grace = |config: &Config| config.shutdown_grace.duration();
        let scheduled = signals.unless_stopped(parts.schedule()).await;
        if !matches!(scheduled, Some(Ok(()))) {
            // What went on from before runs by now, and may take all of the grace.
            signals::end_at_once_when_told_again();
            tracing::info!("stopping before it was ready");
            parts.stop(grace(&config)).await;
            return scheduled.unwrap_or(Ok(()));
        }
        let mut server = tokio::spawn(listeners.serve(&config, &parts, &site, stop.clone()));
        let mut reloader = reload::Reloader {
            arguments,
            config,
            last: None,
            parts: parts.clone(),
            web: site.settings,
            logging,
        };
        let ended = signals
            .until_stopped(&mut reloader, &metrics, &mut server)
            .await;
        // As it is by now: it can be changed while the program runs.
        let grace = grace(&reloader.config);
        stop.cancel();
        match ended {
            Ended::Told => {
                tracing::info!("stopping");
                let (served, ()) = tokio::join!(server, parts.stop(grace));
                outcome(served)
            }
            Ended::ByItself(served) => {
                tracing::error!("the server ended by itself; stopping");
                parts.stop(grace).await;
                outcome(served).and_then(|()| Err(Failure::failed("the server ended by itself")))
            }
        }
    }
}

/// What becomes of the server's end.
fn outcome(served: Served) -> Result {
    match served {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Failure::failed(error)),
        Err(_) => Err(Failure::failed("the server made a mistake and is gone")),
    }
}

/// Prints what the routes say of themselves: in a release, what they said when it was
/// built, without opening anything.
pub(crate) fn print_openapi() -> Result {
    let document = description(site::DESCRIBED, described_anew)?;
    let document: serde_json::Value = serde_json::from_slice(&document).map_err(Failure::failed)?;
    let text = serde_json::to_string_pretty(&document).map_err(Failure::failed)?;
    // Who reads it may leave early, which is no panic.
    writeln!(io::stdout(), "{text}").map_err(Failure::failed)
}

/// What is built in, and only where nothing is, what is described anew.
fn description(
    built_in: Option<&'static [u8]>,
    anew: impl FnOnce() -> Result<Bytes>,
) -> Result<Bytes> {
    built_in.map_or_else(anew, |text| Ok(Bytes::from_static(text)))
}

/// What the routes of this very program say. They are built on an empty directory that is
/// removed again.
fn described_anew() -> Result<Bytes> {
    let folder = tempfile::tempdir().map_err(Failure::failed)?;
    let config = Config {
        data: folder.path().join("data"),
        ..Config::default()
    };
    commands::block_on(async {
        let directory = open_directory(&config).await?;
        let parts = Parts::open(&config, directory).await?;
        let metrics = parts::install_metrics()?;
        let document = site::describe(&parts, &config, metrics);
        parts.close().await;
        Ok(document)
    })
}

/// The data directory. Whoever has it for a moment only is waited for.
async fn open_directory(config: &Config) -> Result<DataDir> {
    let until = Instant::now() + A_MOMENT;
    loop {
        let path = config.data.clone();
        let opened = tokio::task::spawn_blocking(move || DataDir::open(&path)).await;
        match opened.map_err(Failure::failed)? {
            Err(storage::Error::DirectoryInUse { briefly: true, .. }) if Instant::now() < until => {
                tokio::time::sleep(LOOK).await;
            }
            opened => return Ok(opened?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_prints_its_description_without_opening_anything() {
        let nothing = || panic!("what is built in is enough");
        let printed =
            description(Some(b"{}"), nothing).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(printed.as_ref(), b"{}");
        assert_eq!(site::DESCRIBED.is_some(), !web::DESCRIBES);
    }
}
