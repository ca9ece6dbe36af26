//! What a target stands on while it delivers one file.

use super::Pass;
use crate::delivery::{Claim, DeliveryState};
use crate::source::LookedAt;
use crate::sql::claim::{self, Looked};
use crate::target::{Content, Ground, Item, State, Trouble};
use crate::trouble;
use futures::future::BoxFuture;
use futures::stream::StreamExt;
use serde_json::Value;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// Of one delivery.
pub(super) struct Standing<'a> {
    pub(super) pass: &'a Pass,
    pub(super) claim: &'a Claim,
    pub(super) place: &'a str,
    pub(super) looked: &'a LookedAt,
    pub(super) item: &'a Item,
    /// The name of its target.
    pub(super) target: &'a str,
    /// Whether what was looked at is recorded.
    pub(super) noted: AtomicBool,
    /// What troubled the source while the target read from it.
    pub(super) of_source: Arc<OnceLock<Trouble>>,
}

impl Standing<'_> {
    fn seen(&self) -> Looked<'_> {
        Looked {
            size: self.item.size,
            content: self.item.content.as_deref().unwrap_or_default(),
            target: self.target,
            media_type: &self.item.media_type,
        }
    }

    /// Records what was looked at, where that has not gone along with anything else.
    pub(super) async fn note(&self) -> Result<(), Trouble> {
        if self.noted.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.keep(Some(self.seen()), None).await
    }

    /// Hands on what the target says, and keeps that it is the target's own, where it is.
    pub(super) fn said<T>(&self, said: Result<T, Trouble>) -> Result<T, Trouble> {
        match said {
            Err(trouble) if self.of_source.get() == Some(&trouble) => Err(trouble),
            said => self.pass.gates.said(self.claim.id, self.target, said),
        }
    }

    async fn keep(
        &self,
        looked: Option<Looked<'_>>,
        reached: Option<(DeliveryState, &str)>,
    ) -> Result<(), Trouble> {
        let (ledger, now) = (&self.pass.ledger, self.pass.syncs.now());
        held(claim::note(ledger, self.claim, looked, reached, now).await)
    }
}

/// Whether what was written is still this worker's to write.
pub(super) fn held(written: storage::Result<bool>) -> Result<(), Trouble> {
    if written.map_err(|error| trouble::of_own(&error))? {
        Ok(())
    } else {
        Err(lost())
    }
}

impl fmt::Debug for Standing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Standing({:?})", self.claim)
    }
}

/// Somebody else has it by now: this process was too slow, or asleep.
pub(super) fn lost() -> Trouble {
    Trouble::Later {
        reason: "another worker has taken this delivery up".to_owned(),
        after: None,
    }
}

impl Ground for Standing<'_> {
    fn open(&self, offset: u64) -> BoxFuture<'_, Result<Content, Trouble>> {
        Box::pin(async move {
            let source = &self.pass.opened.source;
            let opened = source.open(self.place, self.looked, offset).await;
            let of_source = Arc::clone(&self.of_source);
            match opened {
                Ok(content) => Ok(content
                    .inspect(move |piece| {
                        if let Err(trouble) = piece {
                            let _ = of_source.set(trouble.clone());
                        }
                    })
                    .boxed()),
                Err(trouble) => {
                    let _ = of_source.set(trouble.clone());
                    Err(trouble)
                }
            }
        })
    }

    fn record<'a>(&'a self, state: State, known: &'a Value) -> BoxFuture<'a, Result<(), Trouble>> {
        Box::pin(async move {
            let (state, known) = (DeliveryState::from(state), known.to_string());
            // One write instead of two before anything is sent.
            let looked = (!self.noted.load(Ordering::Relaxed)).then(|| self.seen());
            self.keep(looked, Some((state, known.as_str()))).await?;
            self.noted.store(true, Ordering::Relaxed);
            Ok(())
        })
    }

    fn arrived(&self, bytes: u64) {
        self.pass.board.arrived(self.claim.id, bytes);
    }

    fn link(&self) -> Option<String> {
        self.pass.opened.source.link(self.place)
    }

    fn say(&self, line: &str) {
        self.pass.board.say(line.to_owned());
    }
}
