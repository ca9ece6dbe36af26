//! One attempt at one file: from where it stands, as far as it goes.

use super::ground::{Standing, held};
use super::route::{Chosen, choose, item_of};
use super::{Pass, Turn};
use crate::delivery::{Claimed, Delivery, DeliveryState};
use crate::rule::SourceRule;
use crate::source::{LookedAt, Mark, Still, Told};
use crate::sql::claim::{self, Said};
use crate::target::{Delivered, Receipt, Target, Trouble};
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Why nothing is sent of a file that its source has no more.
const GONE: &str = "it was deleted at its source before it was delivered";
/// What there is to say of one that is at its target by then.
const GONE_MEANWHILE: &str = "it was deleted at its source meanwhile";

/// How an attempt ended that had no trouble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    /// It is served, and its source knows.
    Marked(Told),
    /// It is there; the target works on it.
    Working(Duration),
    /// No target takes it, or it is not there any more.
    Skipped(String),
}

/// A target, by its place in the rule.
struct To<'a> {
    name: &'a str,
    target: &'a Arc<dyn Target>,
}

impl Pass {
    pub(super) async fn attempt(&self, claimed: &Claimed, turn: Turn) -> Result<Reached, Trouble> {
        let state = claimed.delivery.state;
        // It is served already: all that is left is to say so.
        if state == DeliveryState::Verified {
            drop(turn);
            let delivery = &claimed.delivery;
            let receipt = Receipt {
                id: delivery.remote_id.clone().unwrap_or_default(),
                thumbnail: delivery.thumbnail.clone(),
                known: None,
            };
            return self.mark(claimed, receipt).await;
        }
        if state == DeliveryState::Working
            && let Some(delivered) = self.look(claimed).await?
        {
            drop(turn);
            return self.reached(claimed, delivered).await;
        }
        let claimed = &match self.still(claimed).await? {
            ControlFlow::Continue(claimed) => claimed,
            ControlFlow::Break(reached) => return Ok(reached),
        };
        let is_expected_there = match state {
            DeliveryState::Working => true,
            DeliveryState::Again => !self.is_another(&claimed.delivery).await?,
            _ => false,
        };
        if state == DeliveryState::Again
            && is_expected_there
            && let Some(delivered) = self.look(claimed).await?
        {
            drop(turn);
            return self.reached(claimed, delivered).await;
        }
        if is_expected_there {
            self.board.say(format!(
                "{}: the target has it no more, or something else in its place; it is delivered anew.",
                claimed.delivery.name
            ));
        }
        self.send(claimed, turn, !is_expected_there).await
    }

    /// Asks the source once more, before anything is sent: how it is delivered by what the
    /// source says by now, or how the attempt ends where it is not to be delivered any more.
    async fn still(&self, claimed: &Claimed) -> Result<ControlFlow<Reached, Claimed>, Trouble> {
        let delivery = &claimed.delivery;
        let (ledger, claim, now) = (&self.ledger, &claimed.claim, self.syncs.now());
        let source = &self.opened.source;
        match source.still(&delivery.item, &delivery.told).await? {
            Still::AsTold => Ok(ControlFlow::Continue(claimed.clone())),
            Still::Wanted(found) => {
                let mut corrected = claimed.clone();
                if corrected.delivery.correct(&found) {
                    held(claim::correct(ledger, claim, &found, now).await)?;
                }
                Ok(ControlFlow::Continue(corrected))
            }
            Still::Gone => {
                self.abandon(delivery).await?;
                held(claim::unsee(ledger, claim, now).await)?;
                Ok(ControlFlow::Break(match delivery.state {
                    // It is there as a whole, and is removed there where that is wanted.
                    DeliveryState::Uploaded | DeliveryState::Again => {
                        Reached::Marked(Told::But(GONE_MEANWHILE.to_owned()))
                    }
                    _ => Reached::Skipped(GONE.to_owned()),
                }))
            }
            Still::ByOthers(id) => {
                self.abandon(delivery).await?;
                held(claim::of_others(ledger, claim, &id, now).await)?;
                let told = Told::But(by_others(&id));
                Ok(ControlFlow::Break(Reached::Marked(told)))
            }
        }
    }

    /// The target that has a delivery, if the rule still has that one.
    fn target_of(&self, delivery: &Delivery) -> Option<To<'_>> {
        let name = delivery.target.as_deref()?;
        let routes = &self.opened.sync.rule.targets;
        let index = routes.iter().position(|route| route.name == name)?;
        self.to(index)
    }

    fn to(&self, index: usize) -> Option<To<'_>> {
        let route = self.opened.sync.rule.targets.get(index)?;
        let target = self.opened.targets.get(index)?;
        Some(To {
            name: &route.name,
            target,
        })
    }

    /// Whether a file that is asked for again has another content by now.
    async fn is_another(&self, delivery: &Delivery) -> Result<bool, Trouble> {
        let looked = self.opened.source.look(&delivery.place).await?;
        let looked = looked.map(|looked| looked.content);
        Ok(looked.is_some() && delivery.content.is_some() && looked != delivery.content)
    }

    /// Asks the target how far it is with what it has.
    async fn look(&self, claimed: &Claimed) -> Result<Option<Delivered>, Trouble> {
        let delivery = &claimed.delivery;
        let (Some(to), Some(known)) = (self.target_of(delivery), &delivery.known) else {
            return Ok(None);
        };
        let said = to.target.look(&item_of(delivery, None), known).await;
        self.gates.said(delivery.id, to.name, said)
    }

    /// Sends it, or goes on with it where that is wanted and possible.
    async fn send(&self, claimed: &Claimed, turn: Turn, go_on: bool) -> Result<Reached, Trouble> {
        let delivery = &claimed.delivery;
        let Some(looked) = self.opened.source.look(&delivery.place).await? else {
            self.abandon(delivery).await?;
            return self.gone();
        };
        let item = item_of(delivery, Some(&looked));
        let index = match choose(&self.opened.sync.rule.targets, &(delivery, &item).into()) {
            Chosen::Target(index) => index,
            Chosen::Nothing(reason) => {
                self.abandon(delivery).await?;
                return Ok(Reached::Skipped(reason));
            }
            Chosen::BySize => return Ok(Reached::Skipped("its size is not known".to_owned())),
        };
        let Some(to) = self.to(index) else {
            return Ok(Reached::Skipped("its target is gone".to_owned()));
        };
        if let Some(reason) = to.target.unfit(&item) {
            return Ok(Reached::Skipped(reason));
        }
        let known = self
            .make_room(delivery, &looked, &to)
            .await?
            .filter(|_| go_on);
        let standing = Standing {
            pass: self,
            claim: &claimed.claim,
            place: &delivery.place,
            looked: &looked,
            item: &item,
            target: to.name,
            noted: AtomicBool::new(false),
            of_source: Arc::new(OnceLock::new()),
        };
        let state = delivery.reached.and_then(DeliveryState::at_target);
        self.board.begin(delivery.id, &item.name, item.size);
        let delivered = match self.gates.refuses(to.name, self.syncs.now()) {
            Some(refused) => Err(refused),
            None => to.target.deliver(&item, state.zip(known), &standing).await,
        };
        drop(turn);
        // What is recorded of another content belongs to that one until something is
        // recorded of this one.
        if known.is_some() || delivery.known.is_none() {
            standing.note().await?;
        }
        let delivered = standing.said(delivered)?;
        let sync = self.opened.sync.id;
        self.syncs.refusing().forget(sync, to.name);
        self.board.arrived(delivery.id, item.size);
        self.reached(claimed, delivered).await
    }

    /// What is left of an earlier attempt, if that was at the same target and of the same
    /// content. What another content left is removed where it would be in the way.
    async fn make_room<'a>(
        &self,
        delivery: &'a Delivery,
        looked: &LookedAt,
        to: &To<'_>,
    ) -> Result<Option<&'a Value>, Trouble> {
        let Some(known) = &delivery.known else {
            return Ok(None);
        };
        if delivery.target.as_deref() != Some(to.name) {
            self.abandon(delivery).await?;
            return Ok(None);
        }
        let same = delivery
            .content
            .as_ref()
            .is_none_or(|content| *content == looked.content);
        if same && delivery.reached.is_some() {
            return Ok(Some(known));
        }
        if to.target.replaces() {
            self.abandon(delivery).await?;
        } else {
            self.board.say(format!(
                "{}: its content is another one by now; what is there of the one before is removed.",
                delivery.name
            ));
            let removed = to.target.remove(known).await;
            self.gates.said(delivery.id, to.name, removed)?;
        }
        Ok(None)
    }

    /// Gives up what its target has of a file that is not whole there and never will be.
    /// Where the target does not let us, that is said and holds nothing up.
    async fn abandon(&self, delivery: &Delivery) -> Result<(), Trouble> {
        let (Some(to), Some(known)) = (self.target_of(delivery), &delivery.known) else {
            return Ok(());
        };
        match to.target.abandon(known).await {
            Err(Trouble::Refused { reason } | Trouble::Everything { reason }) => {
                self.board.say(format!(
                    "{}: what is there of it at the target {} could not be given up: {reason}.",
                    delivery.name, to.name
                ));
                Ok(())
            }
            given_up => self.gates.said(delivery.id, to.name, given_up),
        }
    }

    fn gone(&self) -> Result<Reached, Trouble> {
        match &self.opened.sync.rule.source {
            SourceRule::Rows { .. } => Err(Trouble::Refused {
                reason: "its content is not in the store; put it there, or correct its row's path"
                    .to_owned(),
            }),
            SourceRule::Store { .. } | SourceRule::Bucket { .. } => {
                Ok(Reached::Skipped(GONE.to_owned()))
            }
        }
    }

    /// Records what the target says, and tells the source.
    async fn reached(&self, claimed: &Claimed, delivered: Delivered) -> Result<Reached, Trouble> {
        match delivered {
            Delivered::Ready(receipt) => {
                self.said(claimed, DeliveryState::Verified, &receipt)
                    .await?;
                self.mark(claimed, receipt).await
            }
            Delivered::Working { receipt, again } => {
                self.said(claimed, DeliveryState::Working, &receipt).await?;
                let delivery = &claimed.delivery;
                let mark = Mark {
                    ready: false,
                    receipt,
                    told: delivery.told.clone(),
                };
                let told = self.opened.source.mark(&delivery.item, &mark).await?;
                // Once, and not at every look.
                if let Told::But(but) = told
                    && delivery.state != DeliveryState::Working
                {
                    self.board.say(format!("{}: {but}.", delivery.name));
                }
                Ok(Reached::Working(again))
            }
        }
    }

    async fn said(
        &self,
        claimed: &Claimed,
        state: DeliveryState,
        receipt: &Receipt,
    ) -> Result<(), Trouble> {
        let known = match &receipt.known {
            Some(known) => known.to_string(),
            None => json!({ "id": receipt.id }).to_string(),
        };
        // Before the source is told: after a crash its record is known as ours.
        let told = claimed.delivery.told_with(&receipt.id);
        let said = Said {
            state,
            remote_id: &receipt.id,
            thumbnail: receipt.thumbnail.as_deref().unwrap_or_default(),
            known: &known,
            told: &told,
            anew: receipt.known.is_some(),
        };
        held(claim::said(&self.ledger, &claimed.claim, said, self.syncs.now()).await)
    }

    async fn mark(&self, claimed: &Claimed, receipt: Receipt) -> Result<Reached, Trouble> {
        let delivery = &claimed.delivery;
        let mark = Mark {
            ready: true,
            receipt,
            told: delivery.told.clone(),
        };
        let told = self.opened.source.mark(&delivery.item, &mark).await?;
        Ok(Reached::Marked(told))
    }
}

/// How somebody else's delivery of a file is told of.
fn by_others(id: &str) -> String {
    if id.is_empty() {
        return "by somebody else meanwhile, who marked its row".to_owned();
    }
    format!("by somebody else meanwhile, who marked its row with the id `{id}`")
}
