//! What a target stands on in a test: a file, what was recorded of it, and moments at which
//! everything ends.

use crate::syncs::target::{Content, Delivered, Ground, Item, State, Target, Trouble};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use testing::within;
use tokio::sync::watch;

const PIECE: usize = 64 * 1024;
/// How often a delivery is attempted.
const ATTEMPTS: usize = 40;

/// A file of a test.
#[derive(Clone)]
pub(crate) struct Cargo {
    pub(crate) item: Item,
    pub(crate) content: testing::Content,
}

impl Cargo {
    pub(crate) fn picture(key: &str, size: u64) -> Self {
        Self::new(key, "a picture.png", "image/png", size)
    }

    pub(crate) fn film(key: &str, size: u64) -> Self {
        Self::new(key, "a film.mp4", "video/mp4", size)
    }

    fn new(key: &str, name: &str, media_type: &str, size: u64) -> Self {
        Self {
            item: Item {
                key: key.to_owned(),
                name: name.to_owned(),
                media_type: media_type.to_owned(),
                size,
                content: Some(format!("etag-{size}")),
                md5: None,
                metadata: BTreeMap::new(),
            },
            content: testing::Content::seeded(size, size),
        }
    }

    /// The same file with another content.
    pub(crate) fn changed(&self) -> Self {
        let mut changed = self.clone();
        changed.item.content = Some("etag-of-another".to_owned());
        changed.content = testing::Content::seeded(77, self.item.size);
        changed
    }

    /// The SHA-256 of its content, in hexadecimal.
    pub(crate) fn sha256(&self) -> String {
        use sha2::{Digest, Sha256};
        let (mut hash, mut at, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 20]);
        loop {
            let count = self.content.read(at, &mut buffer);
            if count == 0 {
                return data_encoding::HEXLOWER.encode(&hash.finalize());
            }
            hash.update(&buffer[..count]);
            at += count as u64;
        }
    }
}

/// The ground under one delivery.
pub(crate) struct Shore {
    content: testing::Content,
    known: Mutex<Option<(State, Value)>>,
    lines: Mutex<Vec<String>>,
    arrived: AtomicU64,
    opened: AtomicUsize,
    /// How many bytes the source gives before it breaks off.
    breaks_after: Mutex<Option<u64>>,
    /// What cannot be recorded once.
    refuses: Mutex<Option<State>>,
    /// Moments until everything stands still; none where nothing does.
    left: Mutex<usize>,
    held: watch::Sender<bool>,
}

impl fmt::Debug for Shore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shore")
    }
}

impl Shore {
    pub(crate) fn of(cargo: &Cargo) -> Self {
        Self {
            content: cargo.content.clone(),
            known: Mutex::default(),
            lines: Mutex::default(),
            arrived: AtomicU64::new(0),
            opened: AtomicUsize::new(0),
            breaks_after: Mutex::default(),
            refuses: Mutex::default(),
            left: Mutex::default(),
            held: watch::Sender::new(false),
        }
    }

    pub(crate) fn known(&self) -> Option<(State, Value)> {
        self.known.lock().unwrap().clone()
    }

    /// Knows what another one has recorded.
    pub(crate) fn take_over(&self, other: &Self) {
        *self.known.lock().unwrap() = other.known();
    }

    pub(crate) fn forget(&self) {
        *self.known.lock().unwrap() = None;
    }

    pub(crate) fn lines(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    pub(crate) fn arrived_bytes(&self) -> u64 {
        self.arrived.load(Ordering::SeqCst)
    }

    pub(crate) fn times_opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    pub(crate) fn breaks_after(&self, bytes: u64) {
        *self.breaks_after.lock().unwrap() = Some(bytes);
    }

    /// Records nothing of this state, once: somebody else has the delivery.
    pub(crate) fn refuses(&self, state: State) {
        *self.refuses.lock().unwrap() = Some(state);
    }

    /// Stands still at moment `nth` from now, counted from 1: a file is opened, and
    /// something is about to be recorded or was.
    pub(crate) fn hold_at(&self, nth: usize) {
        *self.left.lock().unwrap() = nth;
        self.held.send_replace(false);
    }

    pub(crate) async fn holds(&self) {
        let mut held = self.held.subscribe();
        within("the shore to stand still", held.wait_for(|held| *held))
            .await
            .unwrap();
    }

    async fn moment(&self) {
        let stands = {
            let mut left = self.left.lock().unwrap();
            let stands = *left == 1;
            *left = left.saturating_sub(1);
            stands
        };
        if stands {
            self.held.send_replace(true);
            std::future::pending::<()>().await;
        }
    }

    /// One attempt with what is known.
    pub(crate) async fn attempt(
        &self,
        target: &dyn Target,
        item: &Item,
    ) -> Result<Delivered, Trouble> {
        let known = self.known();
        let known = known.as_ref().map(|(state, known)| (*state, known));
        within("an attempt", target.deliver(item, known, self)).await
    }

    /// Attempts until it is delivered, and looks until it is ready; its id and thumbnail.
    pub(crate) async fn deliver(
        &self,
        target: &dyn Target,
        item: &Item,
    ) -> (String, Option<String>) {
        for _ in 0..ATTEMPTS {
            match self.attempt(target, item).await {
                Ok(Delivered::Ready(receipt)) => return (receipt.id, receipt.thumbnail),
                Ok(Delivered::Working { .. }) => return self.look(target, item).await,
                Err(Trouble::Paused { after, .. }) => tokio::time::sleep(after).await,
                Err(Trouble::Later { .. }) => {}
                Err(trouble) => panic!("{trouble:?}"),
            }
        }
        panic!("not delivered after {ATTEMPTS} attempts:\n{}", self.lines());
    }

    async fn look(&self, target: &dyn Target, item: &Item) -> (String, Option<String>) {
        let (_, known) = self.known().unwrap();
        for _ in 0..ATTEMPTS {
            match target.look(item, &known).await {
                Ok(Some(Delivered::Ready(receipt))) => return (receipt.id, receipt.thumbnail),
                Err(Trouble::Paused { after, .. }) => tokio::time::sleep(after).await,
                Ok(Some(Delivered::Working { .. })) | Err(Trouble::Later { .. }) => {}
                other => panic!("{other:?}"),
            }
        }
        panic!("never ready");
    }
}

impl Ground for Shore {
    fn open(&self, offset: u64) -> BoxFuture<'_, Result<Content, Trouble>> {
        Box::pin(async move {
            self.moment().await;
            self.opened.fetch_add(1, Ordering::SeqCst);
            let (content, breaks) = (self.content.clone(), *self.breaks_after.lock().unwrap());
            let pieces = stream::unfold(offset, move |at| {
                let content = content.clone();
                async move {
                    if breaks.is_some_and(|breaks| at >= breaks) {
                        let reason = "the source fell into the water".to_owned();
                        return Some((
                            Err(Trouble::Later {
                                reason,
                                after: None,
                            }),
                            at,
                        ));
                    }
                    let mut buffer = vec![0; PIECE];
                    let count = content.read(at, &mut buffer);
                    buffer.truncate(count);
                    (count > 0).then(|| (Ok(Bytes::from(buffer)), at + count as u64))
                }
            });
            Ok(pieces.boxed())
        })
    }

    fn record<'a>(&'a self, state: State, known: &'a Value) -> BoxFuture<'a, Result<(), Trouble>> {
        Box::pin(async move {
            self.moment().await;
            let refused = self
                .refuses
                .lock()
                .unwrap()
                .take_if(|refused| *refused == state);
            if refused.is_some() {
                let reason = "the delivery is somebody else's by now".to_owned();
                return Err(Trouble::Later {
                    reason,
                    after: None,
                });
            }
            *self.known.lock().unwrap() = Some((state, known.clone()));
            self.moment().await;
            Ok(())
        })
    }

    fn arrived(&self, bytes: u64) {
        self.arrived.store(bytes, Ordering::SeqCst);
    }

    fn say(&self, line: &str) {
        self.lines.lock().unwrap().push(line.to_owned());
    }
}
