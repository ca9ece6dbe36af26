//! Who takes a streamed archive, and whether that goes fast enough.

use bytes::Bytes;
use operations::Failure;
use std::pin::pin;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How long nobody may come for an archive that is ready to be taken.
const PATIENCE: Duration = Duration::from_secs(300);
/// The least that a taker must take in [`PACE`] of having something to take: whoever
/// takes less holds up a place among all bundles that are made.
const LEAST: u64 = 64 << 10;
/// See [`LEAST`]. The kernel's buffers drain in steps of up to a megabyte or two, which
/// from a slow taker come far apart: it must be longer than the wait for one of them.
const PACE: Duration = Duration::from_secs(120);
/// What flows to a taker.
#[derive(Debug)]
pub(crate) enum Flow {
    /// The length that the archive will have exactly, told before its first byte.
    Length(u64),
    /// The next bytes of the archive.
    Piece(Bytes),
    /// All of it was given.
    End,
}

/// Who takes a streamed archive, and how fast.
pub(crate) struct Taker {
    sender: mpsc::Sender<Flow>,
    cancel: CancellationToken,
    pace: Pace,
}

impl Taker {
    /// Whoever takes what goes into `sender`, until `cancel`.
    pub(crate) fn new(sender: mpsc::Sender<Flow>, cancel: CancellationToken) -> Self {
        Self {
            sender,
            cancel,
            pace: Pace::default(),
        }
    }

    /// Its end of the flow, to see whether anybody is at the other.
    pub(super) fn clone_sender(&self) -> mpsc::Sender<Flow> {
        self.sender.clone()
    }

    /// Gives the next of the flow, waiting for room, unless the bundle is cancelled.
    pub(super) async fn give(&mut self, flow: Flow) -> Result<(), Failure> {
        let bytes = match &flow {
            Flow::Piece(piece) => piece.len() as u64,
            Flow::Length(_) | Flow::End => 0,
        };
        let mut sending = pin!(self.sender.send(flow));
        loop {
            let begun = Instant::now();
            let sent = tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(Failure::cancelled()),
                sent = tokio::time::timeout(self.pace.patience(), &mut sending) => sent,
            };
            match sent {
                Ok(Ok(())) => {
                    self.pace.found_room(begun.elapsed(), bytes);
                    return Ok(());
                }
                Ok(Err(_)) => return Err(gone_away()),
                Err(_) => self.pace.is_over()?,
            }
        }
    }

    /// All was given. Waits until it was taken, too: an archive that is small enough to
    /// be ready before anybody came for it must still be there when somebody does.
    pub(super) async fn end(mut self) -> Result<(), Failure> {
        self.give(Flow::End).await?;
        let everything = self.sender.reserve_many(self.sender.max_capacity());
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Failure::cancelled()),
            taken = tokio::time::timeout(PATIENCE, everything) => match taken {
                // Whoever has the end goes away.
                Ok(Ok(_) | Err(_)) => Ok(()),
                Err(_) => Err(too_slow("too little of its end for five minutes")),
            },
        }
    }
}

/// How fast an archive is taken.
#[derive(Debug, Default)]
struct Pace {
    /// Whether room was ever waited for and found; before, perhaps nobody has come yet.
    has_taken: bool,
    /// Time spent waiting since the last look, and what went out in it.
    waited: Duration,
    went: u64,
}

impl Pace {
    /// How long room may be waited for.
    fn patience(&self) -> Duration {
        if self.has_taken {
            PACE.saturating_sub(self.waited)
        } else {
            PATIENCE
        }
    }

    /// There was room for so many bytes, after a wait.
    fn found_room(&mut self, waited: Duration, bytes: u64) {
        // The first wait is for who takes it to come at all.
        if self.has_taken {
            self.waited += waited;
            self.went += bytes;
        } else if waited > Duration::from_millis(1) {
            self.has_taken = true;
        }
    }

    /// The patience is at its end: a new look begins, or it was too little.
    fn is_over(&mut self) -> Result<(), Failure> {
        if !self.has_taken {
            return Err(too_slow("nothing for five minutes"));
        }
        if self.went < LEAST {
            return Err(too_slow("less than 64 KiB in two minutes"));
        }
        (self.waited, self.went) = (Duration::ZERO, 0);
        Ok(())
    }
}

pub(super) fn gone_away() -> Failure {
    Failure::withdrawn("Who took the archive has gone away.")
}

fn too_slow(how: &str) -> Failure {
    Failure::withdrawn(format!(
        "Who takes the archive took {how}. Keep the bundle instead of streaming it, and fetch it in parts."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn piece() -> Flow {
        Flow::Piece(Bytes::from_static(b"piece"))
    }

    /// A taker whose pieces wait already, as many as may.
    async fn full(cancel: &CancellationToken) -> (Taker, mpsc::Receiver<Flow>) {
        let (sender, receiver) = mpsc::channel(8);
        let mut taker = Taker::new(sender, cancel.clone());
        for _ in 0..8 {
            taker.give(piece()).await.expect("there is room");
        }
        (taker, receiver)
    }

    #[tokio::test]
    async fn cancelling_ends_the_wait_for_a_taker_that_takes_nothing() {
        let cancel = CancellationToken::new();
        let (mut taker, _receiver) = full(&cancel).await;
        let mut sending = Box::pin(taker.give(piece()));
        assert!(sending.as_mut().now_or_never().is_none());
        cancel.cancel();
        let failure = sending.now_or_never().expect("at once");
        assert_eq!(failure.expect_err("cancelled").code(), "cancelled");
    }

    #[tokio::test]
    async fn the_end_is_reached_when_all_was_taken() {
        let (sender, mut receiver) = mpsc::channel(8);
        let mut taker = Taker::new(sender, CancellationToken::new());
        taker.give(piece()).await.expect("there is room");
        let mut ending = Box::pin(taker.end());
        assert!(ending.as_mut().now_or_never().is_none(), "nobody has come");
        assert!(matches!(receiver.recv().await, Some(Flow::Piece(_))));
        assert!(ending.as_mut().now_or_never().is_none(), "not yet");
        assert!(matches!(receiver.recv().await, Some(Flow::End)));
        ending
            .now_or_never()
            .expect("at once")
            .expect("all was taken");
    }

    #[tokio::test]
    async fn a_taker_that_goes_away_is_noticed() {
        let (mut taker, receiver) = full(&CancellationToken::new()).await;
        drop(receiver);
        let failure = taker.give(piece()).await.expect_err("nobody is there");
        assert_eq!(failure.code(), "withdrawn");
    }

    #[test]
    fn who_never_comes_is_waited_for_five_minutes() {
        let mut pace = Pace::default();
        assert_eq!(pace.patience(), PATIENCE);
        pace.found_room(Duration::ZERO, 9);
        assert_eq!(pace.patience(), PATIENCE, "that was the room at the start");
        assert!(pace.is_over().is_err());
        pace.found_room(PATIENCE / 2, 9);
        assert_eq!(pace.patience(), PACE, "it has come");
    }

    /// Whether one that takes so many bytes at a time, so far apart, keeps its place.
    fn keeps_its_place(bytes: u64, every: Duration) -> bool {
        let mut pace = Pace::default();
        pace.found_room(every, bytes);
        for _ in 0..1000 {
            let mut left = every;
            while left > pace.patience() {
                left -= pace.patience();
                if pace.is_over().is_err() {
                    return false;
                }
            }
            pace.found_room(left, bytes);
        }
        true
    }

    #[test]
    fn a_slow_taker_keeps_its_place_and_one_that_only_holds_it_does_not() {
        let second = Duration::from_secs(1);
        assert!(keeps_its_place(64 << 10, 100 * second));
        assert!(keeps_its_place(1 << 10, second));
        assert!(!keeps_its_place(64 << 10, 200 * second));
        assert!(!keeps_its_place(100, second));
    }
}
