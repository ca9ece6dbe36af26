//! Ctrl-C and its like, for commands that have something to clean up.

use crate::exit::{Code, Failure, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Listens for SIGINT, SIGTERM and SIGHUP while it lives. A second one ends the
/// program at once.
#[derive(Debug)]
pub(crate) struct Interrupt {
    come: CancellationToken,
    task: JoinHandle<()>,
}

impl Interrupt {
    /// Begins to listen.
    pub(crate) fn listen() -> Result<Self> {
        let listener = |kind| {
            signal(kind)
                .map_err(|error| Failure::failed(format!("signals cannot be received: {error}")))
        };
        let mut signals = [
            listener(SignalKind::interrupt())?,
            listener(SignalKind::terminate())?,
            listener(SignalKind::hangup())?,
        ];
        let come = CancellationToken::new();
        let told = come.clone();
        let task = tokio::spawn(async move {
            any(&mut signals).await;
            told.cancel();
            any(&mut signals).await;
            std::process::exit(Code::Cancelled as i32);
        });
        Ok(Self { come, task })
    }

    /// Waits until the first has come.
    pub(crate) async fn come(&self) {
        self.come.cancelled().await;
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn any(signals: &mut [Signal; 3]) {
    let [interrupt, terminate, hangup] = signals;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}
