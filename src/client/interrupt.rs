//! Ctrl-C and its like, for commands that have something to clean up.

use crate::exit::{Code, Failure, Result};
use crate::half;
use std::future::poll_fn;
use std::task::Poll;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Listens for SIGINT, SIGTERM and SIGHUP while it lives, but for those that were ignored
/// when the program began: `nohup` and the background of a script mean it to go on. A
/// second SIGINT or SIGTERM ends the program at once. A second SIGHUP does not: a terminal
/// that closes sends one by its shell and one by the kernel, and nobody there is impatient.
#[derive(Debug)]
pub(crate) struct Interrupt {
    come: CancellationToken,
    task: JoinHandle<()>,
}

impl Interrupt {
    /// Begins to listen.
    pub(crate) fn listen() -> Result<Self> {
        let ignored = Ignored::now();
        let kinds = [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ];
        let mut signals = kinds
            .into_iter()
            .filter(|kind| !ignored.has(*kind))
            .map(|kind| Ok((kind, signal(kind)?)))
            .collect::<std::io::Result<Vec<_>>>()
            .map_err(|error| Failure::failed(format!("signals cannot be received: {error}")))?;
        let come = CancellationToken::new();
        let told = come.clone();
        let task = tokio::spawn(async move {
            any(&mut signals).await;
            told.cancel();
            // Nobody listens for it from here on, and it still ends nothing.
            signals.retain(|(kind, _)| *kind != SignalKind::hangup());
            any(&mut signals).await;
            half::remove_all();
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

/// The next of these signals.
async fn any(signals: &mut [(SignalKind, Signal)]) {
    poll_fn(|context| {
        let mut signals = signals.iter_mut();
        if signals.any(|(_, signal)| signal.poll_recv(context).is_ready()) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// The signals that this process ignores, as the system tells it: the first is bit 0.
/// To listen for one ends that. Where the system does not tell, there are none.
#[derive(Clone, Copy, Debug)]
struct Ignored(u64);

impl Ignored {
    fn now() -> Self {
        Self::told(&std::fs::read_to_string("/proc/self/status").unwrap_or_default())
    }

    fn told(status: &str) -> Self {
        let mask = status
            .lines()
            .find_map(|line| line.strip_prefix("SigIgn:"))
            .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        Self(mask.unwrap_or_default())
    }

    fn has(self, kind: SignalKind) -> bool {
        let bit = u32::try_from(kind.as_raw_value() - 1);
        bit.is_ok_and(|bit| self.0.checked_shr(bit).is_some_and(|rest| rest & 1 == 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_is_read_bit_by_bit() {
        // SIGHUP is 1, SIGINT 2, SIGTERM 15, and SIGPIPE, which Rust ignores, 13.
        for (status, expected) in [
            (
                "Name:\tx\nSigIgn:\t0000000000001000\n",
                [false, false, false],
            ),
            ("SigIgn:\t0000000000001001\n", [true, false, false]),
            (
                "SigBlk:\t0000000000000002\nSigIgn:\t0000000000001006\n",
                [false, true, false],
            ),
            (
                "SigIgn:\t0000000000005000\nSigCgt:\t0000000000000001\n",
                [false, false, true],
            ),
            ("SigIgn:\tnothing\n", [false, false, false]),
            ("", [false, false, false]),
        ] {
            let ignored = Ignored::told(status);
            let found = [
                SignalKind::hangup(),
                SignalKind::interrupt(),
                SignalKind::terminate(),
            ]
            .map(|kind| ignored.has(kind));
            assert_eq!(found, expected, "{status:?}");
        }
    }
}
