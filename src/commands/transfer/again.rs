//! Trying again: what failed on the way is tried until it brings nothing any more.

use crate::client::{Client, Error};
use std::time::Duration;
use tokio::time::sleep;

/// The first pause; every other one is twice as long.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest.
const LONGEST: Duration = Duration::from_secs(8);
/// Attempts in a row that bring nothing: about a quarter of a minute.
const FRUITLESS: u32 = 7;

/// Counts attempts.
#[derive(Debug, Default)]
pub(in crate::commands) struct Again {
    fruitless: u32,
}

impl Again {
    /// Something came of the last attempt.
    pub(in crate::commands) const fn moved(&mut self) {
        self.fruitless = 0;
    }

    /// Waits before the next attempt; whether there shall be one.
    pub(in crate::commands) async fn pause(&mut self, client: &Client) -> bool {
        if !client.has_met() {
            return false;
        }
        self.fruitless += 1;
        if self.fruitless >= FRUITLESS {
            return false;
        }
        sleep((PAUSE * (1 << (self.fruitless - 1))).min(LONGEST)).await;
        true
    }
}

/// Asks until there is an answer: what changes nothing may be asked again.
pub(in crate::commands) async fn patiently<T, Work>(
    client: &Client,
    ask: impl Fn() -> Work,
) -> Result<T, Error>
where
    Work: Future<Output = Result<T, Error>>,
{
    let mut again = Again::default();
    loop {
        match ask().await {
            Err(error) if error.may_pass() && again.pause(client).await => {}
            answer => return answer,
        }
    }
}

/// What asking more than once came to.
#[derive(Debug)]
pub(in crate::commands) struct Insisted<T> {
    /// The last answer.
    pub(in crate::commands) answer: Result<T, Error>,
    /// An answer before that was lost, so what was asked may have been done then.
    pub(in crate::commands) unheard: bool,
}

/// Has something done, asking again while it may yet pass. Doing it twice must do no harm.
pub(in crate::commands) async fn insist<T, Work>(
    client: &Client,
    ask: impl Fn() -> Work,
) -> Insisted<T>
where
    Work: Future<Output = Result<T, Error>>,
{
    let (mut again, mut unheard) = (Again::default(), false);
    loop {
        match ask().await {
            Err(error) if error.may_pass() && again.pause(client).await => {
                unheard |= error.may_be_done();
            }
            answer => return Insisted { answer, unheard },
        }
    }
}
