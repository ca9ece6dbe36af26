//! Removing at the target what was deleted at the source: only where the rule wants it.
//!
//! A source of which nothing that was delivered is left is not believed. A file is removed
//! under a claim, so that nobody delivers it meanwhile, and its source is asked before and
//! after: what comes back at that very moment is delivered anew.

use super::Pass;
use super::settle::SHORTEST_PAUSE;
use super::waiting::ONLY_WAITING;
use crate::delivery::{Claim, Delivery};
use crate::sql;
use crate::sql::claim;
use crate::target::{Removed, Target, Trouble};
use ::operations::Failure;
use base::DeliveryId;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Deliveries that are looked at together.
const PAGE: usize = 200;

/// Some of what was delivered.
struct Page {
    last: DeliveryId,
    /// What of it is not at the source any more.
    gone: Vec<Delivery>,
    is_all_gone: bool,
}

/// How removing goes.
#[derive(Debug, Default)]
struct Removing {
    /// Targets at which nothing is removed for now, by their places in the rule.
    shut: BTreeSet<usize>,
    /// Files of which nobody can say any more where they are.
    out_of_reach: u64,
    /// Files that stay for now, since nothing is removed at their targets.
    put_off: u64,
    /// How long it has waited for targets since something was removed.
    waited: Duration,
}

impl Removing {
    /// How long a pause is waited for; nothing where that is too long.
    fn waits(&mut self, pause: Duration) -> Option<Duration> {
        let pause = pause.max(SHORTEST_PAUSE);
        let waited = self.waited.saturating_add(pause);
        if waited > ONLY_WAITING {
            return None;
        }
        self.waited = waited;
        Some(pause)
    }
}

/// A file that is to be removed, where it is.
struct There<'a> {
    delivery: &'a Delivery,
    index: usize,
    name: &'a str,
    target: &'a Arc<dyn Target>,
    known: &'a Value,
}

impl Pass {
    pub(super) async fn remove_what_is_gone(&self) -> Result<(), Failure> {
        let mut removing = Removing::default();
        let (mut after, mut doubted, mut is_sure) = (None, None, false);
        while let Some(page) = self.delivered_after(after).await? {
            after = Some(page.last);
            if page.is_all_gone && !is_sure {
                // Not before anything is known to be there.
                doubted = after;
                continue;
            }
            is_sure = true;
            self.remove_all(&page, &mut removing).await?;
        }
        if let Some(last) = doubted {
            if !is_sure {
                return Err(Failure::lasting(
                    "source-empty",
                    "Nothing that was delivered is at the source any more, so nothing is removed at the targets; look whether the source is the right one.",
                ));
            }
            self.remove_up_to(last, &mut removing).await?;
        }
        if removing.out_of_reach > 0 {
            self.board.say(format!(
                "{} files were deleted at the source and stay at targets that are not part of the sync any more.",
                removing.out_of_reach
            ));
        }
        if removing.put_off > 0 {
            self.board.say(format!(
                "{} files were deleted at the source and stay at their targets for now; the next pass tries again.",
                removing.put_off
            ));
        }
        self.board.flush().await;
        Ok(())
    }

    /// The next page of what was delivered; nothing at the end.
    async fn delivered_after(&self, after: Option<DeliveryId>) -> Result<Option<Page>, Failure> {
        self.context.check()?;
        let sync = self.opened.sync.id;
        let page = sql::delivery::delivered(self.syncs.db(), sync, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(None);
        };
        let last = last.id;
        let keys: Vec<String> = page.iter().map(|one| one.item.clone()).collect();
        let missing = self.missing(&keys).await?;
        let is_all_gone = missing.len() == page.len();
        let mut gone = page;
        gone.retain(|one| missing.contains(&one.item));
        Ok(Some(Page {
            last,
            gone,
            is_all_gone,
        }))
    }

    /// Which of these files are not at the source.
    async fn missing(&self, keys: &[String]) -> Result<Vec<String>, Failure> {
        let missing = self.opened.source.missing(keys).await;
        missing.map_err(|trouble| match trouble {
            Trouble::Later { reason, .. } | Trouble::Paused { reason, .. } => {
                Failure::passing("source", reason)
            }
            trouble => Failure::lasting("source", trouble.to_string()),
        })
    }

    async fn is_gone(&self, delivery: &Delivery) -> Result<bool, Failure> {
        let missing = self.missing(std::slice::from_ref(&delivery.item)).await?;
        Ok(!missing.is_empty())
    }

    /// Removes what was doubted at first, up to the last of it.
    async fn remove_up_to(&self, last: DeliveryId, removing: &mut Removing) -> Result<(), Failure> {
        let mut after = None;
        while let Some(page) = self.delivered_after(after).await? {
            self.remove_all(&page, removing).await?;
            if page.last >= last {
                break;
            }
            after = Some(page.last);
        }
        Ok(())
    }

    async fn remove_all(&self, page: &Page, removing: &mut Removing) -> Result<(), Failure> {
        for delivery in &page.gone {
            self.context.check()?;
            let Some(there) = self.there(delivery) else {
                removing.out_of_reach += 1;
                continue;
            };
            if removing.shut.contains(&there.index) {
                removing.put_off += 1;
                continue;
            }
            self.remove(&there, removing).await?;
        }
        self.board.flush().await;
        Ok(())
    }

    /// Where a file is, if its target is still one of the sync's.
    fn there<'a>(&'a self, delivery: &'a Delivery) -> Option<There<'a>> {
        let routes = &self.opened.sync.rule.targets;
        let name = delivery.target.as_deref()?;
        let index = routes.iter().position(|route| route.name == name)?;
        Some(There {
            delivery,
            index,
            name,
            target: self.opened.targets.get(index)?,
            known: delivery.known.as_ref()?,
        })
    }

    async fn remove(&self, there: &There<'_>, removing: &mut Removing) -> Result<(), Failure> {
        let (db, delivery) = (self.syncs.db(), there.delivery);
        let claimed = claim::claim_delivered(db, self.claimer(), delivery).await?;
        let Some(claim) = claimed else {
            // Somebody delivers it again, or removes it, too.
            return Ok(());
        };
        self.held.take(std::iter::once(&claim));
        let removed = self.remove_claimed(there, &claim, removing).await;
        self.held.let_go(&claim);
        if !matches!(removed, Ok(true)) {
            self.give_back(std::slice::from_ref(&claim)).await;
            return removed.map(drop);
        }
        // Who put it back before it was recorded as removed was not heard.
        if self.is_gone(delivery).await? {
            return Ok(());
        }
        let mut tx = db.begin().await?;
        let now = self.syncs.now();
        sql::delivery::deliver_again(&mut tx, self.opened.sync.id, delivery.id, now).await?;
        tx.commit().await?;
        self.board.say(format!(
            "{} came back to the source meanwhile; it is delivered anew.",
            delivery.item
        ));
        Ok(())
    }

    /// Whether it is recorded as removed, and the claim is over thereby.
    async fn remove_claimed(
        &self,
        there: &There<'_>,
        claim: &Claim,
        removing: &mut Removing,
    ) -> Result<bool, Failure> {
        let item = &there.delivery.item;
        let removed = loop {
            // Each time: it may be back by then.
            if !self.is_gone(there.delivery).await? {
                return Ok(false);
            }
            let trouble = match there.target.remove(there.known).await {
                Ok(removed) => break removed,
                Err(trouble) => trouble,
            };
            let wait = match &trouble {
                Trouble::Paused { after, .. } => removing.waits(*after),
                _ => None,
            };
            let Some(wait) = wait else {
                self.not_removed(there, &trouble, removing);
                return Ok(false);
            };
            self.context.sleep(wait).await?;
        };
        removing.waited = Duration::ZERO;
        let reason = match removed {
            Removed::Gone => "it was deleted at its source",
            Removed::Left => {
                "it was deleted at its source; what its target has is not of this sync"
            }
        };
        let now = self.syncs.now();
        if !claim::removed(self.syncs.db(), claim, reason, now).await? {
            return Ok(false);
        }
        match removed {
            Removed::Gone => {
                self.board.count(|tally| tally.removed += 1);
                self.board.say(format!(
                    "{item} was deleted at the source and is removed at its target."
                ));
            }
            Removed::Left => self.board.say(format!(
                "{item} was deleted at the source; what its target has stays, since nothing there says that it is of this sync."
            )),
        }
        Ok(true)
    }

    /// The next pass tries again. What troubles a target for every file keeps none of the
    /// others from being removed.
    fn not_removed(&self, there: &There<'_>, trouble: &Trouble, removing: &mut Removing) {
        let item = &there.delivery.item;
        let reason = self.context.redacted(&trouble.to_string());
        self.board.say(format!(
            "{item} was deleted at the source and could not be removed at its target: {reason}."
        ));
        match trouble {
            Trouble::Everything { .. } => {
                removing.shut.insert(there.index);
                removing.put_off += 1;
                self.gates.close(there.name, &reason);
            }
            Trouble::Paused { after, .. } => {
                removing.shut.insert(there.index);
                removing.put_off += 1;
                let until = self.syncs.now().plus(*after);
                self.gates.pause(there.name, &reason, until);
            }
            Trouble::Later { .. } | Trouble::Refused { .. } => {}
        }
    }
}
