//! What people ask of a sync besides its rule: run it, look at it, try again.

mod plan;

pub use plan::{DryRun, Planned};

use crate::delivery::{Delivery, DeliveryFilter, DeliveryState};
use crate::mail::Unsent;
use crate::operations::{PassInput, SyncVerify, VerifyInput, pass};
use crate::sync::Sync;
use crate::tally::PassRecord;
use crate::target::Checked;
use crate::{Error, Result, Syncs, sql};
use ::operations::NewOperation;
use access::{AuditEntry, Doer};
use base::{Actor, DeliveryId, OperationId, Redactor, Timestamp, Trigger};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

/// How long checking may take.
const CHECKING: Duration = Duration::from_secs(60);

/// How a sync stands.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Status {
    /// The sync.
    #[serde(flatten)]
    pub sync: Sync,
    /// How many of its files are in each state.
    #[schema(value_type = Object)]
    pub counts: BTreeMap<&'static str, u64>,
    /// Its last pass, if there was one.
    pub last_pass: Option<PassRecord>,
    /// When it runs next by the clock.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_run: Option<Timestamp>,
    /// What can be done with it as it stands.
    pub actions: Vec<&'static str>,
}

impl Syncs {
    /// Has a pass made; its operation.
    ///
    /// # Errors
    /// [`Error::Paused`], or whatever the database says.
    pub async fn run(&self, sync: &Sync, actor: Actor, trigger: Trigger) -> Result<OperationId> {
        if sync.paused {
            return Err(Error::Paused(sync.name.clone()));
        }
        let new = pass(sync, &PassInput::of(sync), (actor, trigger))?.key(sync.pass_key());
        Ok(self.operations().submit(new).await?)
    }

    /// Has one pass made by this very process, that sets nothing else off; its operation.
    ///
    /// # Errors
    /// [`Error::Paused`], or whatever the database says.
    pub async fn run_here(&self, sync: &Sync, actor: Actor) -> Result<OperationId> {
        if sync.paused {
            return Err(Error::Paused(sync.name.clone()));
        }
        let input = PassInput {
            once: true,
            ..PassInput::of(sync)
        };
        // Without a key: claims see to it that no file is delivered twice, and a pass of
        // another process need not be waited for.
        let new = pass(sync, &input, (actor, Trigger::Person))?.here();
        Ok(self.operations().submit(new).await?)
    }

    /// Has what was delivered compared with what the targets have; its operation.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn verify(
        &self,
        sync: &Sync,
        again: bool,
        (actor, trigger): (Actor, Trigger),
    ) -> Result<OperationId> {
        let input = VerifyInput {
            sync: sync.id,
            again,
        };
        let new = NewOperation::of::<SyncVerify>(&input, actor, trigger)?
            .title(format!("Compare the sync {} with its targets", sync.name))
            .key(sync.verify_key())
            .subject(sync.subject());
        Ok(self.operations().submit(new).await?)
    }

    /// How a sync stands.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn status(&self, sync: Sync) -> Result<Status> {
        let counts = sql::delivery::counts(self.db(), sync.id).await?;
        let counts: BTreeMap<_, _> = counts
            .into_iter()
            .map(|(state, files)| (state.as_str(), files))
            .collect();
        let last_pass = self.passes(&sync, None, 1).await?;
        let timing = sync.rule.timing()?.filter(|_| !sync.paused);
        let mut actions = vec![if sync.paused { "resume" } else { "pause" }];
        if !sync.paused {
            actions.push("run");
        }
        if counts.get("failed").is_some_and(|failed| *failed > 0) {
            actions.push("retry");
        }
        if counts.get("marked").is_some_and(|marked| *marked > 0) {
            actions.push("verify");
        }
        if self.may_be_deleted(&sync) {
            actions.push("delete");
        }
        Ok(Status {
            next_run: timing.and_then(|timing| timing.next(self.now())),
            last_pass: last_pass.into_iter().next(),
            counts,
            sync,
            actions,
        })
    }

    /// The passes of a sync, the newest first.
    ///
    /// # Errors
    /// Whatever the database says.
    pub(crate) async fn passes(
        &self,
        sync: &Sync,
        before: Option<(Timestamp, Uuid)>,
        limit: usize,
    ) -> Result<Vec<PassRecord>> {
        let mut passes = Vec::new();
        for record in sql::pass::list(self.db(), sync.id, before, limit).await? {
            passes.push(self.settle_record(record).await?);
        }
        Ok(passes)
    }

    /// Deliveries of a sync, the last changed first.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn deliveries(
        &self,
        sync: &Sync,
        filter: &DeliveryFilter,
        before: Option<(Timestamp, Uuid)>,
        limit: usize,
    ) -> Result<Vec<Delivery>> {
        Ok(sql::delivery::list(self.db(), sync.id, filter, before, limit).await?)
    }

    /// One of them.
    ///
    /// # Errors
    /// [`Error::NoDelivery`].
    pub async fn delivery(&self, sync: &Sync, id: DeliveryId) -> Result<Delivery> {
        let found = sql::delivery::get(self.db(), sync.id, id).await?;
        found.ok_or(Error::NoDelivery)
    }

    /// Has failed files tried again: one, or all; how many.
    ///
    /// # Errors
    /// [`Error::NoDelivery`]; [`Error::State`] for one that has not failed.
    pub async fn retry(&self, by: &Doer, sync: &Sync, one: Option<DeliveryId>) -> Result<u64> {
        let mut tx = self.db().begin().await?;
        let retried = sql::delivery::retry(&mut tx, sync.id, one, self.now()).await?;
        if retried > 0 {
            let after = json!({ "deliveries": retried, "one": one.map(|one| one.to_string()) });
            let entry = AuditEntry::new(by, "sync.retried", sync.subject()).after(after);
            self.access().audit_in(&mut tx, entry).await?;
        }
        tx.commit().await?;
        if let (Some(one), 0) = (one, retried) {
            let delivery = self.delivery(sync, one).await?;
            return Err(Error::State {
                state: delivery.state.as_str(),
                what: "retried",
            });
        }
        Ok(retried)
    }

    /// Has a file that has ended delivered once more.
    ///
    /// # Errors
    /// [`Error::NoDelivery`]; [`Error::State`] for one that is on its way.
    pub async fn deliver_again(&self, by: &Doer, sync: &Sync, id: DeliveryId) -> Result<()> {
        let mut tx = self.db().begin().await?;
        if !sql::delivery::deliver_again(&mut tx, sync.id, id, self.now()).await? {
            drop(tx);
            let delivery = self.delivery(sync, id).await?;
            return Err(Error::State {
                state: match delivery.state {
                    DeliveryState::Marked if delivery.claimed => "being removed",
                    state => state.as_str(),
                },
                what: "delivered again",
            });
        }
        let entry = AuditEntry::new(by, "sync.delivered_again", sync.subject())
            .after(json!({ "delivery": id.to_string() }));
        self.access().audit_in(&mut tx, entry).await?;
        Ok(tx.commit().await?)
    }

    /// Looks whether everything that a sync needs is there: one line for each thing, with
    /// what is missing and how to mend it.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn check(&self, sync: Sync) -> Result<Vec<Checked>> {
        let not = |what: &str, missing: String| Checked {
            what: what.to_owned(),
            missing: Some(missing),
        };
        let opened = match self.open(sync).await {
            Ok(opened) => opened,
            Err(Error::Storage(error)) => return Err(error.into()),
            Err(error) => return Ok(vec![not("Rule", error.to_string())]),
        };
        let checking = async {
            let mut checked = opened.source.check().await;
            let routes = opened.sync.rule.targets.iter();
            for (route, target) in routes.zip(&opened.targets) {
                let of_target = target.check().await.into_iter().map(|one| Checked {
                    what: format!("{} ({})", one.what, route.name),
                    ..one
                });
                checked.extend(of_target);
            }
            checked.extend(opened.check_foreseen().await);
            checked.extend(self.check_mail(&opened.sync).await);
            checked
        };
        Ok(match tokio::time::timeout(CHECKING, checking).await {
            Ok(checked) => checked,
            Err(_) => vec![not(
                "Answers",
                format!("nothing answered within {} s", CHECKING.as_secs()),
            )],
        })
    }

    /// Looks at the mail server, where anybody is to be written to.
    async fn check_mail(&self, sync: &Sync) -> Option<Checked> {
        let report = sync.rule.report.as_ref()?;
        report.email.first()?;
        let looked = match self.settings().mail {
            Some(mail) => {
                let looked = mail.check().await;
                looked.map_err(|why| redacted(&why.to_string(), &mail.secrets()))
            }
            None => Err(Unsent::NoServer.to_string()),
        };
        Some(Checked {
            what: "Mail server".to_owned(),
            missing: looked.err(),
        })
    }
}

/// A text of somebody else without these secrets.
fn redacted(text: &str, secrets: &[SecretString]) -> String {
    let secrets = secrets.iter().map(|secret| secret.expose_secret());
    Redactor::new(secrets).redact(text).into_owned()
}
