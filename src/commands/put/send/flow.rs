//! A body on its way: read in pieces, summed up, and watched over.

use crate::client::{Error, RemoteFile};
use crate::commands::transfer::{Hasher, Moving, Sums};
use bytes::Bytes;
use futures::stream;
use reqwest::Body;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::sleep;

/// Read and sent at once.
const PIECE: usize = 256 << 10;
/// How long nothing may move before it is given up: the server may need it for making
/// a large file durable.
const SILENCE: Duration = Duration::from_secs(120);

/// See the module. Cheap to clone.
#[derive(Clone)]
pub(super) struct Flow(Arc<Inner>);

struct Inner {
    moving: Moving,
    bytes: AtomicU64,
    /// Whether its source is waited for, which may take as long as it likes.
    reads: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    hasher: Option<Hasher>,
    unread: Option<io::Error>,
}

impl Flow {
    pub(super) fn new(moving: &Moving) -> Self {
        Self(Arc::new(Inner {
            moving: moving.clone(),
            bytes: AtomicU64::new(0),
            reads: AtomicBool::new(false),
            state: Mutex::new(State {
                hasher: Some(Hasher::sha256()),
                unread: None,
            }),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The body that `from` gives.
    pub(super) fn body(&self, from: impl AsyncRead + Send + 'static) -> Body {
        let from: Pin<Box<dyn AsyncRead + Send>> = Box::pin(from);
        let pieces = stream::unfold((self.clone(), from), |(flow, mut from)| async move {
            let mut piece = vec![0; PIECE];
            flow.0.reads.store(true, Ordering::Relaxed);
            let read = from.read(&mut piece).await;
            flow.0.reads.store(false, Ordering::Relaxed);
            match read {
                Ok(0) => None,
                Ok(count) => {
                    piece.truncate(count);
                    flow.take(&piece);
                    Some((Ok(Bytes::from(piece)), (flow, from)))
                }
                Err(error) => {
                    let told = io::Error::new(error.kind(), "its source cannot be read");
                    flow.state().unread = Some(error);
                    Some((Err(told), (flow, from)))
                }
            }
        });
        Body::wrap_stream(pieces)
    }

    fn take(&self, piece: &[u8]) {
        let count = piece.len() as u64;
        self.0.bytes.fetch_add(count, Ordering::Relaxed);
        self.0.moving.moved(count);
        if let Some(hasher) = &mut self.state().hasher {
            hasher.take(piece);
        }
    }

    /// Awaits the answer to it, as long as something moves.
    pub(super) async fn watch<T>(
        &self,
        sending: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        tokio::select! {
            sent = sending => sent,
            () = self.stuck() => Err(Error::Unreachable(format!(
                "the server has taken nothing for {} seconds", SILENCE.as_secs()
            ))),
        }
    }

    /// Waits until nothing has moved for too long.
    async fn stuck(&self) {
        let mut seen = 0;
        loop {
            sleep(SILENCE).await;
            let now = self.0.bytes.load(Ordering::Relaxed);
            if now == seen && !self.0.reads.load(Ordering::Relaxed) {
                return;
            }
            seen = now;
        }
    }

    /// Whether the server has what was sent, as far as that can be told.
    pub(super) fn is_of(&self, put: &RemoteFile) -> bool {
        let sent = self.state().hasher.take().map(Hasher::sums);
        match Sums::of(put) {
            told @ Sums::Sha256(_) => sent == Some(told),
            _ => true,
        }
    }

    /// Why the source could not be read, if it could not.
    pub(super) fn unread(&self) -> Option<io::Error> {
        self.state().unread.take()
    }
}
