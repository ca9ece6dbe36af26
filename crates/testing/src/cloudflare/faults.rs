//! What goes wrong, to order: at which step, before or after the deed, and how it is told.

use super::wire::Reply;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Whether a token is one.
    VerifyToken,
    /// A token for batches of images.
    BatchToken,
    /// To make a picture.
    ImageCreate,
    /// What is known of a picture.
    ImageGet,
    /// The bytes of a picture.
    ImageBlob,
    /// To remove a picture.
    ImageDelete,
    /// To list pictures.
    ImageList,
    /// To make a film.
    VideoCreate,
    /// What is known of a film.
    VideoGet,
    /// To list films.
    VideoList,
    /// To remove a film.
    VideoDelete,
    /// Where an upload stands.
    UploadHead,
    /// To take a piece of an upload.
    UploadPatch,
    /// Anything else.
    Other,
}

/// Something that goes wrong with one request.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Whether what was asked for is done all the same.
    pub(super) acts: bool,
    /// After so many bytes of the body.
    pub(super) within: Option<u64>,
    /// What is said; nothing for a connection that ends.
    pub(super) reply: Option<Reply>,
    /// Nothing is said, and the connection stays.
    pub(super) silent: bool,
}

impl Fault {
    const fn new(reply: Option<Reply>) -> Self {
        Self {
            acts: false,
            within: None,
            reply,
            silent: false,
        }
    }

    /// The edge's page for a status, such as 524.
    #[must_use]
    pub fn page(status: u16) -> Self {
        let page = format!(
            "<!DOCTYPE html><html><head><title>api.cloudflare.com | {status}</title></head></html>"
        );
        Self::new(Some(Reply::text(status, &page)))
    }

    /// An error in Cloudflare's envelope.
    #[must_use]
    pub fn said(status: u16, code: i64, message: &str) -> Self {
        Self::new(Some(Reply::error(status, code, message)))
    }

    /// An error as bare text.
    #[must_use]
    pub fn text(status: u16, text: &str) -> Self {
        Self::new(Some(Reply::text(status, text)))
    }

    /// The connection ends without a word.
    #[must_use]
    pub const fn hang_up() -> Self {
        Self::new(None)
    }

    /// Nothing comes, until the client leaves.
    #[must_use]
    pub const fn silence() -> Self {
        let mut silence = Self::new(None);
        silence.silent = true;
        silence
    }

    /// What was asked for is done all the same.
    #[must_use]
    pub const fn though_done(mut self) -> Self {
        self.acts = true;
        self
    }

    /// After so many bytes of the body, which an upload keeps.
    #[must_use]
    pub const fn within(mut self, bytes: u64) -> Self {
        self.within = Some(bytes);
        self
    }

    /// With a header more, such as `Retry-After`.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.reply = self.reply.map(|reply| reply.header(name, value));
        self
    }
}

/// So many requests within so long.
#[derive(Debug)]
struct Limit {
    requests: u64,
    span: Duration,
    begun: Instant,
    used: u64,
}

/// Where a request stands still.
#[derive(Clone, Copy, Debug, Default)]
struct Hold {
    /// Moments still to pass; none where nothing is to be held.
    left: usize,
    /// Turns with every order, so that those of an earlier one are let go.
    turn: u64,
    held: bool,
}

#[derive(Default)]
pub(super) struct Faults {
    ordered: Mutex<HashMap<Step, VecDeque<Fault>>>,
    steps: Mutex<Vec<Step>>,
    latency: Mutex<Duration>,
    handshake: Mutex<Duration>,
    limit: Mutex<Option<Limit>>,
    hold: watch::Sender<Hold>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Faults {
    pub(super) fn order(&self, step: Step, fault: Fault) {
        let mut ordered = locked(&self.ordered);
        ordered.entry(step).or_default().push_back(fault);
    }

    /// Notes a step, and gives what goes wrong with it.
    pub(super) fn begin(&self, step: Step) -> Option<Fault> {
        locked(&self.steps).push(step);
        locked(&self.ordered).get_mut(&step)?.pop_front()
    }

    pub(super) fn count(&self, step: Step) -> usize {
        let steps = locked(&self.steps);
        steps.iter().filter(|known| **known == step).count()
    }

    pub(super) fn steps(&self) -> Vec<Step> {
        locked(&self.steps).clone()
    }

    pub(super) fn latency(&self, latency: Duration) {
        *locked(&self.latency) = latency;
    }

    pub(super) fn handshake(&self, handshake: Duration) {
        *locked(&self.handshake) = handshake;
    }

    /// What a new connection costs before its first request.
    pub(super) async fn shake_hands(&self) {
        let handshake = *locked(&self.handshake);
        if !handshake.is_zero() {
            tokio::time::sleep(handshake).await;
        }
    }

    pub(super) async fn wait(&self) {
        let latency = *locked(&self.latency);
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
    }

    pub(super) fn limit(&self, requests: u64, seconds: u64) {
        *locked(&self.limit) = Some(Limit {
            requests,
            span: Duration::from_secs(seconds),
            begun: Instant::now(),
            used: 0,
        });
    }

    /// Counts a request; the headers of its answer, and whether it is one too many.
    pub(super) fn counted(&self) -> (Vec<(String, String)>, bool) {
        let mut limit = locked(&self.limit);
        let Some(limit) = limit.as_mut() else {
            return (Vec::new(), false);
        };
        if limit.begun.elapsed() >= limit.span {
            (limit.begun, limit.used) = (Instant::now(), 0);
        }
        let too_many = limit.used >= limit.requests;
        limit.used = (limit.used + 1).min(limit.requests);
        let left = limit.requests - limit.used;
        let wait = limit.span.saturating_sub(limit.begun.elapsed()).as_secs() + 1;
        let (most, span) = (limit.requests, limit.span.as_secs());
        let mut headers = vec![
            (
                "Ratelimit".to_owned(),
                format!("\"default\";r={left};t={wait}"),
            ),
            (
                "Ratelimit-Policy".to_owned(),
                format!("\"default\";q={most};w={span}"),
            ),
        ];
        if too_many {
            headers.push(("Retry-After".to_owned(), wait.to_string()));
        }
        (headers, too_many)
    }

    pub(super) fn hold_at(&self, nth: usize) {
        self.hold.send_modify(|hold| {
            *hold = Hold {
                left: nth,
                turn: hold.turn + 1,
                held: false,
            };
        });
    }

    pub(super) fn let_go(&self) {
        self.hold_at(0);
    }

    pub(super) async fn holds(&self) {
        let mut hold = self.hold.subscribe();
        let _ = hold.wait_for(|hold| hold.held).await;
    }

    pub(super) fn has_held(&self) -> bool {
        self.hold.borrow().held
    }

    /// A moment passes; or it is the one to stand still at, and then the connection ends.
    pub(super) async fn moment(&self) -> io::Result<()> {
        let mut mine = None;
        self.hold.send_modify(|hold| {
            if hold.left > 0 {
                hold.left -= 1;
                if hold.left == 0 {
                    hold.held = true;
                    mine = Some(hold.turn);
                }
            }
        });
        let Some(mine) = mine else { return Ok(()) };
        let mut hold = self.hold.subscribe();
        let _ = hold.wait_for(|hold| hold.turn != mine).await;
        Err(io::ErrorKind::ConnectionReset.into())
    }
}
