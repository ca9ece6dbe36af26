//! An HTTP/1.1 origin that behaves as it is told: latency, sizes, broken bodies,
//! redirects, errors that pass, ranges, silence, bodies without an end.
//!
//! It is written on the bare socket, since no server library would break its promises
//! on demand. It counts what reaches it, never contacts anybody, and ends with its
//! connections when it is dropped.

mod answer;
mod content;
mod request;
mod serve;

pub use answer::Answer;
pub use content::Content;
pub use request::Seen;

use crate::deadline::within;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Requests that are remembered; older ones are forgotten.
const REMEMBERED: usize = 200_000;

/// What happened at an origin, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections open now.
    pub connections: usize,
    /// The most that were open at once.
    pub connections_peak: usize,
    /// Connections that there ever were.
    pub connections_in_all: usize,
    /// Requests that have come and whose answers are not wholly sent.
    pub requests: usize,
    /// The most of those at once.
    pub requests_peak: usize,
    /// Requests that there ever were.
    pub requests_in_all: usize,
}

/// Answers in order; the last one stays.
struct Script {
    answers: Vec<Answer>,
    next: usize,
}

type Fallback = dyn Fn(&Seen) -> Answer + Send + Sync;

/// What the connections of an origin share.
struct Shared {
    scripts: Mutex<HashMap<String, Script>>,
    fallback: Mutex<Arc<Fallback>>,
    seen: Mutex<Vec<Seen>>,
    counts: watch::Sender<Counts>,
    /// Turns true when answers that stalled shall go on.
    released: watch::Sender<bool>,
}

impl Shared {
    fn answer_to(&self, seen: &Seen) -> Answer {
        if let Some(script) = locked(&self.scripts).get_mut(&seen.path) {
            let answer = script.answers.get(script.next).cloned();
            script.next = (script.next + 1).min(script.answers.len().saturating_sub(1));
            return answer.unwrap_or_else(|| Answer::status(404));
        }
        let fallback = Arc::clone(&locked(&self.fallback));
        fallback(seen)
    }

    fn remember(&self, seen: Seen) {
        let mut all = locked(&self.seen);
        if all.len() == REMEMBERED {
            all.drain(..REMEMBERED / 2);
        }
        all.push(seen);
    }
}

/// A lock that outlives the panic of a test elsewhere.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running origin.
pub struct Origin {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
    /// Keeps count of the tasks that `stop` ends.
    _tasks: TaskTracker,
}

impl Origin {
    /// Starts one on a free port of 127.0.0.1; it answers 404 to everything.
    ///
    /// # Panics
    /// When no port is to be had.
    pub async fn start() -> Self {
        Self::start_on(IpAddr::V4(Ipv4Addr::LOCALHOST)).await
    }

    /// Starts one on a free port of another address of this machine, such as
    /// 127.0.0.2, so that it is another host.
    ///
    /// # Panics
    /// When no port is to be had.
    pub async fn start_on(address: IpAddr) -> Self {
        let listener = TcpListener::bind((address, 0))
            .await
            .unwrap_or_else(|error| panic!("an origin cannot listen on {address}: {error}"));
        let address = listener.local_addr().expect("a listener has an address");
        let shared = Arc::new(Shared {
            scripts: Mutex::default(),
            fallback: Mutex::new(Arc::new(|_: &Seen| Answer::status(404))),
            seen: Mutex::default(),
            counts: watch::Sender::new(Counts::default()),
            released: watch::Sender::new(false),
        });
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        tasks.spawn(serve::accept(
            listener,
            Arc::clone(&shared),
            stop.clone(),
            tasks.clone(),
        ));
        Self {
            address,
            shared,
            stop,
            _tasks: tasks,
        }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path (`/a.bin`) here.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers a path in this way from now on; its URL. The path is compared with
    /// its query.
    pub fn put(&self, path: &str, answer: Answer) -> String {
        self.put_in_turn(path, [answer])
    }

    /// Answers the first request of a path with the first of these, the next with
    /// the next; the last one stays. Its URL.
    pub fn put_in_turn(&self, path: &str, answers: impl IntoIterator<Item = Answer>) -> String {
        let script = Script {
            answers: answers.into_iter().collect(),
            next: 0,
        };
        locked(&self.shared.scripts).insert(path.to_owned(), script);
        self.url(path)
    }

    /// Answers every path that was not put in the way this function says.
    pub fn answer_others(&self, with: impl Fn(&Seen) -> Answer + Send + Sync + 'static) {
        *locked(&self.shared.fallback) = Arc::new(with);
    }

    /// Lets every answer that stalled go on, now and in future.
    pub fn release(&self) {
        self.shared.released.send_replace(true);
    }

    /// The counts now.
    #[must_use]
    pub fn counts(&self) -> Counts {
        *self.shared.counts.borrow()
    }

    /// Waits until the counts are as wanted; `what` is for the message when they
    /// never are. The counts then.
    ///
    /// # Panics
    /// After a minute.
    pub async fn when(&self, what: &str, wanted: impl Fn(&Counts) -> bool) -> Counts {
        let mut counts = self.shared.counts.subscribe();
        let found = within(what, async {
            counts.wait_for(wanted).await.map(|counts| *counts)
        });
        found
            .await
            .expect("an origin that is borrowed is not dropped")
    }

    /// Every request so far, oldest first.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        locked(&self.shared.seen).clone()
    }

    /// The requests of one path so far, oldest first.
    #[must_use]
    pub fn seen_of(&self, path: &str) -> Vec<Seen> {
        let all = locked(&self.shared.seen);
        all.iter()
            .filter(|seen| seen.path == path)
            .cloned()
            .collect()
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[cfg(test)]
mod tests;
