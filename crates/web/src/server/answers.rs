//! The answers under way on one connection of HTTP/2, so that one that nobody takes is
//! given up.
//!
//! A peer of HTTP/1 that takes nothing fills its socket, and [`Guarded`] notices. A peer
//! of HTTP/2 can close the window of one answer and go on reading the connection, so each
//! answer is watched by itself: after the same time what makes it is dropped, and the
//! rest of the connection goes on. When nothing is left but such answers, it ends, too.
//!
//! [`Guarded`]: super::guarded::Guarded

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

/// Answers that are remembered before those that have ended are looked for.
const FEW: usize = 64;

/// All answers of one connection.
pub(super) struct Answers {
    stall: Duration,
    /// At most twice as many as there were at once.
    open: Mutex<Vec<Weak<Mutex<State>>>>,
}

/// One answer, from the moment when it is asked for.
pub(super) struct Answer(Arc<Mutex<State>>);

enum State {
    /// It is being made, or it waits for its own source.
    OursToGive(Body),
    /// The peer was given something, and has not asked for more since.
    TheirsToTake(Body, Instant),
    /// The peer took nothing for too long.
    GivenUp,
}

impl Answers {
    pub(super) fn new(stall: Duration) -> Self {
        Self {
            stall,
            open: Mutex::default(),
        }
    }

    /// One more, which was just asked for.
    pub(super) fn begin(&self) -> Answer {
        let state = Arc::new(Mutex::new(State::OursToGive(Body::empty())));
        let mut open = locked(&self.open);
        if open.len() >= FEW && open.len() == open.capacity() {
            open.retain(|answer| answer.strong_count() > 0);
        }
        open.push(Arc::downgrade(&state));
        Answer(state)
    }

    /// Gives up what is not taken, again and again, until nothing else is left.
    pub(super) async fn until_none_is_taken(&self) {
        let mut look = tokio::time::interval(self.stall / 4);
        loop {
            look.tick().await;
            if self.give_up() {
                return;
            }
        }
    }

    /// Gives up what is not taken. Whether there is something, and nothing else.
    fn give_up(&self) -> bool {
        let mut open = locked(&self.open);
        open.retain(|answer| answer.strong_count() > 0);
        let (mut all, mut given_up) = (0, 0);
        for answer in open.iter().filter_map(Weak::upgrade) {
            let mut state = locked(&answer);
            if let State::TheirsToTake(_, since) = *state
                && since.elapsed() >= self.stall
            {
                *state = State::GivenUp;
            }
            all += 1;
            given_up += usize::from(matches!(*state, State::GivenUp));
        }
        given_up > 0 && given_up == all
    }
}

impl Answer {
    /// The body of it, under watch.
    pub(super) fn with(self, body: Body) -> Body {
        if http_body::Body::is_end_stream(&body) {
            return body;
        }
        *locked(&self.0) = State::OursToGive(body);
        Body::new(self)
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut state = locked(&self.0);
        let mut body = match std::mem::replace(&mut *state, State::GivenUp) {
            State::OursToGive(body) | State::TheirsToTake(body, _) => body,
            State::GivenUp => {
                let error = io::Error::from(io::ErrorKind::TimedOut);
                return Poll::Ready(Some(Err(axum::Error::new(error))));
            }
        };
        let frame = Pin::new(&mut body).poll_frame(context);
        *state = match frame {
            Poll::Ready(Some(Ok(_))) => State::TheirsToTake(body, Instant::now()),
            Poll::Ready(_) | Poll::Pending => State::OursToGive(body),
        };
        frame
    }

    fn is_end_stream(&self) -> bool {
        match &*locked(&self.0) {
            State::OursToGive(body) | State::TheirsToTake(body, _) => body.is_end_stream(),
            State::GivenUp => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &*locked(&self.0) {
            State::OursToGive(body) | State::TheirsToTake(body, _) => body.size_hint(),
            State::GivenUp => SizeHint::default(),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;
    use http_body_util::BodyExt;
    use std::convert::Infallible;

    const STALL: Duration = Duration::from_secs(40);

    /// Pieces without an end.
    fn endless() -> Body {
        let piece = || Ok::<_, Infallible>(Bytes::from_static(b"piece"));
        Body::from_stream(stream::repeat_with(piece))
    }

    /// Nothing, for ever; it tells when it is dropped.
    fn silent(dropped: &Arc<()>) -> Body {
        let held = Arc::clone(dropped);
        Body::from_stream(stream::poll_fn(move |_| {
            let _held = &held;
            Poll::<Option<Result<Bytes, Infallible>>>::Pending
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_taken_is_given_up_and_the_others_go_on() {
        let answers = Answers::new(STALL);
        let mut stalled = answers.begin().with(endless());
        let mut taken = answers.begin().with(endless());
        stalled.frame().await.expect("a piece").expect("given");
        for _ in 0..8 {
            taken.frame().await.expect("a piece").expect("given");
            tokio::time::advance(STALL / 4).await;
            assert!(!answers.give_up(), "one is taken");
        }
        stalled
            .frame()
            .await
            .expect("a piece")
            .expect_err("it is gone");
        taken.frame().await.expect("a piece").expect("given");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_ends_when_none_of_its_answers_is_taken() {
        let answers = Answers::new(STALL);
        let mut stalled = answers.begin().with(endless());
        stalled.frame().await.expect("a piece").expect("given");
        let begun = Instant::now();
        answers.until_none_is_taken().await;
        assert_eq!(begun.elapsed(), STALL);
        drop(stalled);
        assert!(!answers.give_up(), "one that is idle does not");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_waits_for_its_source_is_not_given_up() {
        let answers = Answers::new(STALL);
        let source = Arc::new(());
        let mut waiting = answers.begin().with(silent(&source));
        let asked = answers.begin();
        assert!(futures::poll!(Box::pin(waiting.frame())).is_pending());
        tokio::time::advance(STALL * 10).await;
        assert!(!answers.give_up());
        assert_eq!(Arc::strong_count(&source), 2, "it still waits");
        drop((waiting, asked));
    }

    #[tokio::test]
    async fn what_has_ended_is_forgotten() {
        let answers = Answers::new(STALL);
        for _ in 0..10_000 {
            drop(answers.begin());
        }
        assert!(locked(&answers.open).capacity() <= 2 * FEW);
    }
}
