//! How many requests may still be made: Cloudflare takes so many within so long of one
//! token, and then answers everything with 429 for minutes.
//!
//! One budget is shared by all who use the token here. What others use of it elsewhere is
//! known by the headers of every answer. Nobody is let in beyond either; who would have to
//! wait long is sent away with the time instead, so that no file is held open meanwhile.

use super::answer::{Answer, Left};
use crate::target::Trouble;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The longest wait that is sat out here.
const SHORT: Duration = Duration::from_secs(5);
/// How long nothing is asked after a 429 that says nothing of time.
const BLIND: Duration = Duration::from_secs(30);
/// The longest that what is left of a limit can make us wait.
const MOST: Duration = Duration::from_secs(3600);
/// The least that a 429 makes us wait: it may ask for none, or name a time that is over by our
/// clock.
pub(super) const LEAST: Duration = Duration::from_secs(1);
/// The longest that a 429 can make us wait: whoever asks for more is asked once a day.
pub(super) const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// The requests of one token.
#[derive(Debug)]
pub(super) struct Budget(Mutex<Window>);

impl Budget {
    /// `most` requests within every `span`.
    pub(super) fn new(most: u64, span: Duration) -> Self {
        Self(Mutex::new(Window::new(most, span)))
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one request of it, and waits a little where that helps.
    pub(super) async fn take(&self) -> Result<(), Trouble> {
        let give_up = Instant::now() + SHORT;
        loop {
            let now = Instant::now();
            // Its guard is gone before the wait.
            let outcome = self.window().take(now);
            match outcome {
                Ok(()) => return Ok(()),
                Err(free) if free <= give_up => tokio::time::sleep_until(free).await,
                Err(free) => return Err(reached(free - now)),
            }
        }
    }

    /// Lets in what does not count as one of the requests, unless a 429 has said that nothing
    /// is asked.
    pub(super) fn let_in(&self) -> Result<(), Trouble> {
        let now = Instant::now();
        match self.window().closed_until.filter(|until| *until > now) {
            Some(until) => Err(reached(until - now)),
            None => Ok(()),
        }
    }

    /// Whether nothing is left of what was asked and heard.
    pub(super) fn is_as_new(&self) -> bool {
        self.window().is_as_new(Instant::now())
    }

    /// Learns from the headers of an answer.
    pub(super) fn learn(&self, answer: &Answer) {
        let now = Instant::now();
        let mut window = self.window();
        if let Some(policy) = answer.policy() {
            window.keeps_to(policy);
        }
        if let Some(left) = answer.left() {
            window.hears(left, now);
        }
    }

    /// Asks nothing any more for as long as a 429 says, which is what it means for whoever was
    /// told it: no attempt of the file's is used up.
    pub(super) fn too_many(&self, answer: &Answer, doing: &str) -> Trouble {
        let exhausted = answer.left().filter(|left| left.requests == 0);
        let asked = answer.after().or(exhausted.map(|left| left.within));
        let after = asked.unwrap_or(BLIND).clamp(LEAST, LONGEST);
        self.window().closed_for(after, Instant::now());
        let reason = match answer.success() {
            Err(said) => said.text(doing),
            Ok(()) => "Cloudflare takes no more requests for now".to_owned(),
        };
        Trouble::Paused { reason, after }
    }
}

fn reached(after: Duration) -> Trouble {
    Trouble::Paused {
        reason: "Cloudflare's limit of requests for this token is reached".to_owned(),
        after,
    }
}

/// What was used of it lately.
#[derive(Debug)]
struct Window {
    most: usize,
    span: Duration,
    /// When requests of the last span began, oldest first; never more than `most`.
    begun: VecDeque<Instant>,
    closed_until: Option<Instant>,
    /// What an answer said that is left, less what was begun since, and until when.
    heard: Option<(u64, Instant)>,
}

impl Window {
    fn new(most: u64, span: Duration) -> Self {
        Self {
            most: bounded(most),
            span,
            begun: VecDeque::new(),
            closed_until: None,
            heard: None,
        }
    }

    /// Takes one, or says when it is worth to ask again.
    fn take(&mut self, now: Instant) -> Result<(), Instant> {
        if let Some(until) = self.closed_until.filter(|until| *until > now) {
            return Err(until);
        }
        self.closed_until = None;
        self.heard = self.heard.filter(|(_, until)| *until > now);
        if let Some((0, until)) = self.heard {
            return Err(until);
        }
        while let Some(oldest) = self.begun.front().copied()
            && (oldest + self.span <= now || self.begun.len() > self.most)
        {
            self.begun.pop_front();
        }
        if self.begun.len() >= self.most {
            let oldest = self.begun.front().copied().unwrap_or(now);
            return Err(oldest + self.span);
        }
        self.begun.push_back(now);
        if let Some((left, _)) = &mut self.heard {
            *left -= 1;
        }
        Ok(())
    }

    fn is_as_new(&self, now: Instant) -> bool {
        let is_over = |until: Option<Instant>| until.is_none_or(|until| until <= now);
        let last = self.begun.back().map(|last| *last + self.span);
        is_over(last) && is_over(self.closed_until) && is_over(self.heard.map(|(_, until)| until))
    }

    fn keeps_to(&mut self, policy: Left) {
        if policy.requests > 0 && !policy.within.is_zero() {
            self.most = bounded(policy.requests);
            self.span = policy.within.min(MOST);
        }
    }

    /// Answers come out of order, and some requests are on their way: within one period
    /// the least that was heard counts.
    fn hears(&mut self, left: Left, now: Instant) {
        let until = now + left.within.min(MOST);
        let known = self.heard.filter(|(_, until)| *until > now);
        self.heard = Some(match known {
            Some((known, known_until)) => (known.min(left.requests), known_until.min(until)),
            None => (left.requests, until),
        });
    }

    fn closed_for(&mut self, pause: Duration, now: Instant) {
        let until = now + pause;
        self.closed_until = Some(self.closed_until.map_or(until, |known| known.max(until)));
    }
}

/// Never none at all, and not more than memory should be spent on.
fn bounded(most: u64) -> usize {
    usize::try_from(most.clamp(1, 100_000)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const SPAN: Duration = Duration::from_secs(300);

    fn left(requests: u64, seconds: u64) -> Left {
        Left {
            requests,
            within: Duration::from_secs(seconds),
        }
    }

    #[test]
    fn so_many_are_let_in_within_every_span() {
        let (begin, mut window) = (Instant::now(), Window::new(3, SPAN));
        for step in 0..3 {
            window.take(begin + Duration::from_secs(step)).unwrap();
        }
        let now = begin + Duration::from_secs(100);
        assert_eq!(window.take(now), Err(begin + SPAN));
        window.take(begin + SPAN).unwrap();
        let next = window.take(begin + SPAN).unwrap_err();
        assert_eq!(next, begin + Duration::from_secs(1) + SPAN);
    }

    #[test]
    fn what_others_use_of_it_counts() {
        let (now, mut window) = (Instant::now(), Window::new(1200, SPAN));
        window.hears(left(2, 30), now);
        window.take(now).unwrap();
        window.take(now).unwrap();
        let free = now + Duration::from_secs(30);
        assert_eq!(window.take(now), Err(free));
        // An answer to an earlier request, which knew of more.
        window.hears(left(50, 29), now);
        assert_eq!(window.take(now), Err(now + Duration::from_secs(29)));
        window.take(free).unwrap();
    }

    #[test]
    fn nothing_is_asked_while_it_is_closed() {
        let (now, mut window) = (Instant::now(), Window::new(1200, SPAN));
        window.closed_for(Duration::from_secs(60), now);
        window.closed_for(Duration::from_secs(10), now);
        assert_eq!(window.take(now), Err(now + Duration::from_secs(60)));
        assert!(!window.is_as_new(now));
        let open = now + Duration::from_secs(60);
        assert!(window.is_as_new(open));
        window.take(open).unwrap();
        assert!(!window.is_as_new(open));
        assert!(window.is_as_new(open + SPAN));
    }

    #[test]
    fn a_policy_of_the_account_takes_the_place_of_the_usual_one() {
        let (now, mut window) = (Instant::now(), Window::new(1200, SPAN));
        window.keeps_to(left(2, 10));
        window.take(now).unwrap();
        window.take(now).unwrap();
        assert_eq!(window.take(now), Err(now + Duration::from_secs(10)));
        window.keeps_to(left(0, 0));
        assert_eq!(window.most, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_wait_is_sat_out_and_a_long_one_is_told() {
        let quick = Budget::new(1, Duration::from_secs(2));
        quick.take().await.unwrap();
        let begun = Instant::now();
        quick.take().await.unwrap();
        assert!(begun.elapsed() >= Duration::from_secs(2));
        let slow = Budget::new(1, SPAN);
        slow.take().await.unwrap();
        let Err(Trouble::Paused { after, .. }) = slow.take().await else {
            panic!("it was let in");
        };
        assert_eq!(after, SPAN);
    }

    proptest! {
        #[test]
        fn no_span_ever_holds_more_than_the_limit(
            most in 1_u64..20,
            steps in prop::collection::vec(0_u64..40, 0..200),
        ) {
            let span = Duration::from_secs(100);
            let mut window = Window::new(most, span);
            let mut now = Instant::now();
            let mut begun: Vec<Instant> = Vec::new();
            for step in steps {
                now += Duration::from_secs(step);
                if window.take(now).is_ok() {
                    begun.push(now);
                }
            }
            for first in &begun {
                let within = begun.iter().filter(|at| *at >= first && **at < *first + span);
                prop_assert!(within.count() as u64 <= most);
            }
        }
    }
}
