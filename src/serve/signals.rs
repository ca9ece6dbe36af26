//! What the system tells the program: to stop, or to read its configuration again.

use super::reload::Reloader;
use crate::exit::{Failure, Result};
use metrics_exporter_prometheus::PrometheusHandle;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::{JoinError, JoinHandle};
use web::ServeError;

/// How often figures are tidied.
const TIDY: Duration = Duration::from_secs(5);

/// How the server ended.
pub(super) type Served = std::result::Result<std::result::Result<(), ServeError>, JoinError>;

/// Why the program ends.
pub(super) enum Ended {
    /// Somebody said so.
    Told,
    /// The server is gone.
    ByItself(Served),
}

/// The signals that the program answers to, from its first moment on: one that comes
/// before it is waited for is not lost.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    pub(super) fn install() -> Result<Self> {
        let install = |kind| {
            signal(kind)
                .map_err(|error| Failure::failed(format!("signals cannot be received: {error}")))
        };
        Ok(Self {
            terminate: install(SignalKind::terminate())?,
            interrupt: install(SignalKind::interrupt())?,
            hangup: install(SignalKind::hangup())?,
        })
    }

    /// Does `work`, unless the program is told to stop meanwhile.
    pub(super) async fn unless_stopped<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = told_to_stop(&mut self.terminate, &mut self.interrupt) => None,
        }
    }

    /// Waits for SIGTERM or SIGINT, or for the end of the server; reads the
    /// configuration again at SIGHUP. Afterwards a second signal to stop ends the
    /// program at once.
    pub(super) async fn until_stopped(
        &mut self,
        reloader: &mut Reloader,
        metrics: &PrometheusHandle,
        server: &mut JoinHandle<std::result::Result<(), ServeError>>,
    ) -> Ended {
        let Self {
            terminate,
            interrupt,
            hangup,
        } = self;
        let reloading = async {
            let mut tidy = tokio::time::interval(TIDY);
            loop {
                tokio::select! {
                    _ = hangup.recv() => reloader.reload().await,
                    _ = tidy.tick() => metrics.run_upkeep(),
                }
            }
        };
        // A reload that waits for its file or the database holds up no stop: it is
        // dropped, and what it changed is recorded at the next start.
        let ended = tokio::select! {
            () = told_to_stop(terminate, interrupt) => Ended::Told,
            served = server => Ended::ByItself(served),
            never = reloading => never,
        };
        end_at_once_when_told_again();
        ended
    }
}

async fn told_to_stop(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// From now on. Lives as long as the program.
pub(super) fn end_at_once_when_told_again() {
    let Ok(mut again) = Signals::install() else {
        return;
    };
    tokio::spawn(async move {
        told_to_stop(&mut again.terminate, &mut again.interrupt).await;
        tracing::warn!("told to stop twice; ending at once");
        std::process::exit(crate::exit::Code::Cancelled as i32);
    });
}
