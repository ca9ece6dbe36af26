//! Comparing what was delivered with what the targets have.

use super::failure;
use crate::delivery::Delivery;
use crate::keys::Keys;
use crate::open::Opened;
use crate::pass::item_of;
use crate::rule::TargetRule;
use crate::sync::Sync;
use crate::target::{Target, Trouble};
use crate::{Syncs, sql};
use ::operations::{Context, Failure, Kind, Outcome, Place, RetryPolicy, Settings};
use base::{DeliveryId, SyncId};
use futures::{StreamExt, stream};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// Deliveries that are read at once.
const PAGE: usize = 200;
/// How many are looked at, at once.
const LOOKS: usize = 4;
/// The longest pause of a target that is waited for, and the shortest.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// How often that is done for one file: others use what the target takes by then.
const MOST_PAUSES: u32 = 10;

/// Looks whether everything that was delivered is still at its target.
#[derive(Clone, Debug)]
pub struct SyncVerify(pub(crate) Syncs);

/// Of which sync, and what is done about what is missing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifyInput {
    /// The sync.
    pub sync: SyncId,
    /// Whether what is missing is delivered again.
    #[serde(default)]
    pub again: bool,
}

/// How far it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Verified {
    after: Option<DeliveryId>,
    there: u64,
    missing: u64,
    unknown: u64,
}

/// What looking at one came to.
enum Seen {
    There,
    Missing,
    /// Nobody could say, for this reason.
    Unknown(String),
}

impl Kind for SyncVerify {
    const NAME: &'static str = "sync-verify";
    type Input = VerifyInput;

    fn settings(&self) -> Settings {
        Settings::new("Compare a sync with its targets")
            .limit(2)
            .resumable()
            .schedulable()
            .scope("syncs:write")
            .retry(RetryPolicy::exponential(
                6,
                Duration::from_secs(5),
                Duration::from_secs(300),
            ))
    }

    async fn place(&self, input: &VerifyInput) -> Result<Place, storage::Error> {
        self.0.place(input.sync, Sync::verify_key).await
    }

    async fn run(&self, input: VerifyInput, context: Context) -> Result<Outcome, Failure> {
        let sync = self.0.running(input.sync).await?;
        let keys = Keys::of(self.0.access().clone(), &sync, self.0.variables().cloned());
        let secrets = keys.of_environment();
        context.redact(secrets.iter().map(|secret| secret.expose_secret()));
        let opened = self.0.open(sync).await.map_err(failure)?;
        self.compare(&opened, &input, &context).await
    }
}

impl SyncVerify {
    /// Looks at everything that was delivered, from where an attempt of before has come to.
    pub(crate) async fn compare(
        &self,
        opened: &Opened,
        input: &VerifyInput,
        context: &Context,
    ) -> Result<Outcome, Failure> {
        let mut verified: Verified = context.restored().unwrap_or_default();
        loop {
            context.check()?;
            let (db, id) = (self.0.db(), opened.sync.id);
            let page = sql::delivery::delivered(db, id, verified.after, PAGE).await?;
            let Some(last) = page.last() else { break };
            verified.after = Some(last.id);
            self.page(page, opened, input, (context, &mut verified))
                .await?;
            context.progress(|progress| {
                "files".clone_into(&mut progress.unit);
                progress.done = verified.there + verified.missing + verified.unknown;
            });
            context.checkpoint(&verified).await?;
        }
        let Verified {
            there,
            missing,
            unknown,
            ..
        } = verified;
        context
            .log(format!(
                "{there} are at their target, {missing} are missing there, of {unknown} nobody could say."
            ))
            .await;
        Ok(serde_json::json!({ "there": there, "missing": missing, "unknown": unknown }))
    }

    async fn page(
        &self,
        page: Vec<Delivery>,
        opened: &Opened,
        input: &VerifyInput,
        (context, verified): (&Context, &mut Verified),
    ) -> Result<(), Failure> {
        let looks = stream::iter(page).map(|delivery| async move {
            let seen = see(opened, &delivery, context).await;
            (delivery, seen)
        });
        let mut looks = std::pin::pin!(looks.buffered(LOOKS));
        while let Some((delivery, seen)) = looks.next().await {
            context.check()?;
            match seen? {
                Seen::There => verified.there += 1,
                Seen::Missing => {
                    verified.missing += 1;
                    self.missing(&delivery, input, context).await?;
                }
                Seen::Unknown(why) => {
                    verified.unknown += 1;
                    context
                        .log(format!("{} could not be looked at: {why}.", delivery.item))
                        .await;
                }
            }
        }
        Ok(())
    }

    async fn missing(
        &self,
        delivery: &Delivery,
        input: &VerifyInput,
        context: &Context,
    ) -> Result<(), Failure> {
        const GONE: &str = "the target has it no more, or something else in its place";
        let db = self.0.db();
        let then = if input.again {
            let mut tx = db.begin().await?;
            let now = self.0.now();
            let again = sql::delivery::deliver_again(&mut tx, input.sync, delivery.id, now).await?;
            tx.commit().await?;
            if again {
                "; it is delivered again"
            } else {
                "; somebody delivers or removes it by now"
            }
        } else {
            sql::delivery::note_reason(db, delivery, GONE).await?;
            ""
        };
        context
            .log(format!("{} is missing at its target{then}.", delivery.item))
            .await;
        Ok(())
    }
}

/// Looks at one, as soon as its target lets us.
async fn see(opened: &Opened, delivery: &Delivery, context: &Context) -> Result<Seen, Failure> {
    let routes = &opened.sync.rule.targets;
    let index = routes
        .iter()
        .position(|route| Some(&route.name) == delivery.target.as_ref());
    let route = index.and_then(|index| routes.get(index));
    if route.is_some_and(|route| matches!(route.to, TargetRule::Webhook { .. })) {
        return Ok(Seen::Unknown("a webhook is told and not asked".to_owned()));
    }
    let target: Option<&Arc<dyn Target>> = index.and_then(|index| opened.targets.get(index));
    let Some(target) = target else {
        let why = "its target is not part of the sync any more";
        return Ok(Seen::Unknown(why.to_owned()));
    };
    let Some(known) = &delivery.known else {
        let why = "somebody else delivered it, and where to is not known";
        return Ok(Seen::Unknown(why.to_owned()));
    };
    let mut pauses = 0;
    loop {
        return match target.look(&item_of(delivery, None), known).await {
            Ok(Some(_)) => Ok(Seen::There),
            Ok(None) => Ok(Seen::Missing),
            Err(Trouble::Everything { reason }) => Err(Failure::lasting("target", reason)),
            Err(Trouble::Paused { reason, after }) => {
                pauses += 1;
                if after > LONGEST_PAUSE || pauses > MOST_PAUSES {
                    // It goes on from here.
                    return Err(Failure::passing("target", reason));
                }
                context.sleep(after.max(SHORTEST_PAUSE)).await?;
                continue;
            }
            Err(trouble) => Ok(Seen::Unknown(trouble.to_string())),
        };
    }
}
