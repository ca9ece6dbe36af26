//! The background of the shared cache: connects, asks the database what there is to be
//! believed, opens the cache when it is closed and this replica reaches a server, and
//! closes it when it is open elsewhere.

use super::line::Server;
use super::moment::Moment;
use super::trust::{Opening, State};
use super::{Inner, sql};
use data_encoding::BASE64URL_NOPAD;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the database is asked: several times within a lease.
const LOOK: Duration = Duration::from_millis(150);
/// How often the server is asked whether it is still who it was.
const CHECK: Duration = Duration::from_secs(1);
/// How long it waits after it could not connect: from the one to the other.
const CONNECT: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));
/// How long the cache stays closed that was closed soon after it was opened: from the one
/// to the other. So a replica that is cut off for good costs the others little.
const OPEN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));
/// An opening that lasted so long was a good one.
const GOOD: Duration = Duration::from_secs(600);

/// Keeps the cache until `stop`.
pub(super) async fn run(inner: Arc<Inner>, stop: CancellationToken) {
    let now = Moment::now();
    let keeper = Keeper {
        connect: Patience::default(),
        checked: now,
        openings: Openings::default(),
        inner,
    };
    stop.run_until_cancelled(keeper.keep()).await;
}

/// When something may be tried again that failed.
#[derive(Debug, Default)]
struct Patience {
    wait: Duration,
    until: Option<Moment>,
}

impl Patience {
    fn is_over(&self, now: Moment) -> bool {
        self.until.is_none_or(|until| now >= until)
    }

    fn failed(&mut self, now: Moment, (least, most): (Duration, Duration)) {
        self.wait = (self.wait * 2).clamp(least, most);
        self.until = Some(now.plus(self.wait));
    }
}

/// When the cache was opened, and when it may be opened again.
#[derive(Debug, Default)]
struct Openings {
    number: Option<i64>,
    opened: Option<Moment>,
    patience: Patience,
}

impl Openings {
    /// Takes notice of how it is.
    fn notice(&mut self, state: &State, now: Moment) {
        if self.number == Some(state.number) {
            return;
        }
        self.number = Some(state.number);
        if state.open.is_some() {
            self.opened = Some(now);
            return;
        }
        match self.opened {
            Some(opened) if now.since(opened) < GOOD => self.patience.failed(now, OPEN),
            _ => self.patience = Patience::default(),
        }
    }
}

struct Keeper {
    inner: Arc<Inner>,
    connect: Patience,
    checked: Moment,
    openings: Openings,
}

impl Keeper {
    async fn keep(mut self) {
        loop {
            let server = self.server().await;
            if let Err(error) = self.look(server).await {
                tracing::debug!(%error, "the database does not say how the shared cache is");
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = self.inner.line.lost.notified() => {}
            }
        }
    }

    /// The server, if it is reached by now.
    async fn server(&mut self) -> Option<Arc<Server>> {
        let now = Moment::now();
        let line = &self.inner.line;
        if let Some(server) = line.server() {
            if now.since(self.checked) >= CHECK {
                self.checked = now;
                line.check(&server).await;
            }
            return line.server();
        }
        if !self.connect.is_over(now) {
            return None;
        }
        let first = self.connect.wait.is_zero();
        match line.connect().await {
            Ok(()) => {
                if !first {
                    tracing::info!("the server of the shared cache answers again");
                }
                self.connect = Patience::default();
            }
            Err(reason) => {
                if first {
                    tracing::warn!(
                        reason,
                        "the shared cache cannot be reached; going on without it"
                    );
                }
                self.connect.failed(Moment::now(), CONNECT);
            }
        }
        line.server()
    }

    async fn look(&mut self, server: Option<Arc<Server>>) -> crate::Result<()> {
        let inner = Arc::clone(&self.inner);
        let state = inner.confirm().await?;
        let now = Moment::now();
        self.openings.notice(&state, now);
        metrics::gauge!("longshore_cache_open").set(if inner.open().is_some() { 1.0 } else { 0.0 });
        let Some(server) = server else { return Ok(()) };
        match &state.open {
            Some(opening) if opening.server == server.id => {}
            // It was started again, or is another one than the others have.
            Some(_) => self.openings.notice(&inner.close(state.number).await?, now),
            None => {
                let quiet = inner.trust.quiet_in(state.number, now).is_zero();
                if quiet && self.openings.patience.is_over(now) {
                    let opening = Opening {
                        word: word().into(),
                        server: Arc::clone(&server.id),
                    };
                    sql::open(&inner.db, state.number, &opening).await?;
                    inner.confirm().await?;
                }
            }
        }
        Ok(())
    }
}

/// A word that was never said.
fn word() -> String {
    let mut word = [0; 12];
    rand::fill(&mut word);
    BASE64URL_NOPAD.encode(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(number: i64, server: &str) -> State {
        State {
            number,
            open: (!server.is_empty()).then(|| Opening {
                word: word().into(),
                server: server.into(),
            }),
        }
    }

    #[test]
    fn a_cache_that_is_closed_again_and_again_is_opened_ever_less_often() {
        let start = Moment::now();
        let later = |seconds| start.plus(Duration::from_secs(seconds));
        let mut openings = Openings::default();
        openings.notice(&state(0, ""), start);
        assert!(openings.patience.is_over(start), "the first time at once");
        openings.notice(&state(1, "a"), start);
        openings.notice(&state(2, ""), later(10));
        assert!(!openings.patience.is_over(later(10)));
        assert!(openings.patience.is_over(later(11)));
        openings.notice(&state(3, "a"), later(11));
        openings.notice(&state(4, ""), later(12));
        assert!(!openings.patience.is_over(later(13)));
        assert!(openings.patience.is_over(later(14)));
        openings.notice(&state(5, "a"), later(14));
        openings.notice(&state(6, ""), later(2000));
        assert!(
            openings.patience.is_over(later(2000)),
            "it went well for long"
        );
    }

    #[test]
    fn waiting_is_bounded() {
        let now = Moment::now();
        let mut patience = Patience::default();
        for _ in 0..100 {
            patience.failed(now, CONNECT);
        }
        assert_eq!(patience.wait, CONNECT.1);
        assert!(super::super::QUIET > super::super::LEASE);
    }
}
