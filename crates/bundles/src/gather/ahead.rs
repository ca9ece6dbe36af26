//! Reading ahead: a large body that waits for its turn goes on coming into memory, as far
//! as the bundle's share has room for it.
//!
//! An origin that gives each connection little would otherwise be read one connection at a
//! time. A body that finds no room for some seconds gives its connection up, so that a slow
//! taker holds no other's place, and is taken up again at its turn: by `Range` where the
//! server names what it sends, and else anew.

use super::lanes::Place;
use super::{Gather, Miss, Opened, Rest, Turn};
use crate::budget::Held;
use fetch::Validator;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a large answer waits for room before it gives its connection up.
const PARKED: Duration = Duration::from_secs(2);
/// What is taken of the share before a part is read, in bytes.
const STEP: usize = 64 << 10;

/// A large body that waits for its turn.
pub(super) struct Waiting<'a> {
    pub(super) gather: &'a Gather,
    pub(super) index: usize,
    pub(super) opened: Opened,
    pub(super) held: Held,
    /// Given back when all of it has come.
    pub(super) place: Option<Place>,
}

/// What a body that waits has come to.
enum Stand {
    /// It is read, or will be from its connection.
    Open,
    /// Its connection was given up: it goes on from where it is, if it is still the same.
    GivenUp(Option<(u64, Validator)>),
    /// It will not come.
    Failed(Miss),
}

/// How a step ended.
enum Step {
    /// There may be more.
    More,
    /// Nothing happens any more before its turn.
    Still(Stand),
}

impl Waiting<'_> {
    /// Waits for the turn, reading ahead meanwhile, and hands the body over.
    pub(super) async fn for_turn(mut self, mut asked: oneshot::Receiver<Turn>) {
        loop {
            let step = tokio::select! {
                biased;
                turn = &mut asked => return self.hand_over(turn.ok(), Stand::Open).await,
                step = self.read_ahead() => step,
            };
            if let Step::Still(stand) = step {
                return self.hand_over(asked.await.ok(), stand).await;
            }
        }
    }

    /// Reads one part, when there is room for it. Cancel-safe.
    async fn read_ahead(&mut self) -> Step {
        let Rest::Fetched(response) = &mut self.opened.rest else {
            return self.park().await;
        };
        if tokio::time::timeout(PARKED, self.held.grow(STEP))
            .await
            .is_err()
        {
            return Step::Still(self.give_up());
        }
        let before = self.opened.read;
        match response.next_chunk().await {
            Ok(Some(part)) => {
                let read = part.len();
                self.opened.push(part);
                self.held.settle(STEP, read);
                self.gather.board.moved(self.index, read);
                Step::More
            }
            Ok(None) => {
                self.held.settle(STEP, 0);
                self.opened.rest = Rest::Ended(before as u64);
                self.place = None;
                self.gather.board.rest(self.index);
                Step::Still(Stand::Open)
            }
            Err(error) if error.is_resumable() => Step::Still(self.give_up()),
            Err(error) => Step::Still(Stand::Failed(error.into())),
        }
    }

    /// Where reading ahead gains nothing.
    async fn park(&mut self) -> Step {
        tokio::time::sleep(PARKED).await;
        Step::Still(self.give_up())
    }

    /// Closes the connection. What was read stays where the server can go on from there.
    fn give_up(&mut self) -> Stand {
        let rest = std::mem::replace(&mut self.opened.rest, Rest::Ended(0));
        let continuation = match &rest {
            Rest::Fetched(response) => response.continuation(),
            _ => None,
        };
        // Where nothing came yet, there is nothing to go on from.
        let continuation = continuation.filter(|(offset, _)| *offset > 0);
        drop(rest);
        if continuation.is_none() {
            self.forget();
        }
        Stand::GivenUp(continuation)
    }

    fn forget(&mut self) {
        self.opened.forget();
        self.held.shrink(super::FLOOR);
        self.gather.board.give_back(self.index);
    }

    /// Answers the archive, which asks for the body now. Nothing: the bundle has ended.
    async fn hand_over(mut self, turn: Option<Turn>, stand: Stand) {
        let Some(turn) = turn else { return };
        let reply = match stand {
            Stand::Failed(miss) => Err(miss),
            Stand::Open => Ok(()),
            Stand::GivenUp(continuation) => self.take_up(continuation).await,
        };
        let Self { opened, held, .. } = self;
        let _ = turn.send(reply.map(|()| opened.holding(held)));
    }

    async fn take_up(&mut self, continuation: Option<(u64, Validator)>) -> Result<(), Miss> {
        if let Some((offset, validator)) = continuation {
            if let Some(rest) = self.gather.go_on(self.index, offset, validator).await? {
                self.opened.rest = rest;
                return Ok(());
            }
            self.forget();
        }
        let (_, rest) = self.gather.open(self.index).await?;
        self.gather.begin(self.index, &rest);
        self.opened.rest = rest;
        Ok(())
    }
}
