//! Removing at the target what was deleted at the source: only where the rule wants it.

use super::Pass;
use crate::delivery::Delivery;
use crate::sql;
use crate::target::Trouble;
use ::operations::Failure;
use base::DeliveryId;

/// Deliveries that are looked at together.
const PAGE: usize = 200;
/// From so many on, that all of a page is missing is not believed.
const SUSPICIOUS: usize = 20;

impl Pass {
    pub(super) async fn remove_what_is_gone(&self) -> Result<(), Failure> {
        let mut after: Option<DeliveryId> = None;
        loop {
            self.context.check()?;
            let db = self.syncs.db();
            let page = sql::delivery::delivered(db, self.opened.sync.id, after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.id);
            let keys: Vec<String> = page.iter().map(|one| one.item.clone()).collect();
            let missing = self.opened.source.missing(&keys).await;
            let missing = missing.map_err(|trouble| match trouble {
                Trouble::Later { reason, .. } | Trouble::Paused { reason, .. } => {
                    Failure::passing("source", reason)
                }
                trouble => Failure::lasting("source", trouble.to_string()),
            })?;
            if missing.len() == page.len() && page.len() >= SUSPICIOUS {
                return Err(Failure::lasting(
                    "source-empty",
                    "All files of a whole page are missing at the source, so nothing is removed at the target; look whether the source is the right one.",
                ));
            }
            let gone = page.iter().filter(|one| missing.contains(&one.item));
            for delivery in gone {
                self.remove(delivery).await?;
            }
            self.board.flush().await;
        }
    }

    async fn remove(&self, delivery: &Delivery) -> Result<(), Failure> {
        let routes = &self.opened.sync.rule.targets;
        let index = routes
            .iter()
            .position(|route| Some(&route.name) == delivery.target.as_ref());
        let target = index.and_then(|index| self.opened.targets.get(index));
        if let (Some(target), Some(known)) = (target, &delivery.known)
            && let Err(trouble) = target.remove(known).await
        {
            // The next pass tries again.
            let line = format!(
                "{} was deleted at the source and could not be removed at its target: {trouble}.",
                delivery.item
            );
            self.board.say(line);
            return match trouble {
                Trouble::Everything { reason } => Err(Failure::lasting("target", reason)),
                _ => Ok(()),
            };
        }
        let reason = "it was deleted at its source";
        if sql::delivery::removed(self.syncs.db(), delivery, reason, self.syncs.now()).await? {
            self.board.count(|tally| tally.removed += 1);
            let line = format!(
                "{} was deleted at the source and is removed at its target.",
                delivery.item
            );
            self.board.say(line);
        }
        Ok(())
    }
}
