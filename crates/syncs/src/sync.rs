//! A sync: a rule with a name, made, changed, paused and deleted by people, or said by the
//! environment.

use crate::drop_in;
use crate::operations::{PassInput, SyncPass, pass};
use crate::rule::{Rule, SourceRule};
use crate::{Error, Result, Syncs, sql};
use ::operations::{Kind, Missed, NewSchedule, ScheduleChange};
use access::{AuditEntry, Doer};
use base::{Name, SyncId, Timestamp, Trigger};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The most syncs.
const MOST: u64 = 1000;
/// Held by whoever makes, changes or deletes one.
const SYNCS: i64 = 0x6c6f_6e67_7368_0011;
/// What the names of their schedules begin with; so their own are shorter than others.
const SCHEDULE: &str = "sync-";

/// Where a sync comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// People made it.
    People,
    /// Variables of the server's environment say it.
    Environment,
}

impl Origin {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::People => "",
            Self::Environment => "environment",
        }
    }

    pub(crate) fn of(text: &str) -> Self {
        if text == Self::Environment.as_str() {
            Self::Environment
        } else {
            Self::People
        }
    }
}

/// A sync.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Sync {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: SyncId,
    /// Its name.
    pub name: String,
    /// What it says.
    pub rule: Rule,
    /// Where it comes from.
    pub origin: Origin,
    /// Whether nothing is delivered for now.
    pub paused: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When it changed last.
    #[schema(value_type = String, format = DateTime)]
    pub changed_at: Timestamp,
}

impl Sync {
    /// What operations about it name.
    #[must_use]
    pub fn subject(&self) -> String {
        subject(&self.name)
    }

    /// Under which key its passes run, one after the other, by whatever they are set off.
    #[must_use]
    pub fn pass_key(&self) -> String {
        format!("schedule:{}", self.schedule_name())
    }

    /// And under which comparisons with its targets do.
    pub(crate) fn verify_key(&self) -> String {
        format!("sync-verify:{}", self.id)
    }

    pub(crate) fn schedule_name(&self) -> String {
        format!("{SCHEDULE}{}", self.name)
    }

    /// The bucket that it is fed from, and what paths begin with there.
    pub(crate) fn bucket(&self) -> Option<(&str, &str)> {
        match &self.rule.source {
            SourceRule::Bucket { bucket, prefix } => Some((bucket, prefix)),
            _ => None,
        }
    }
}

fn subject(name: &str) -> String {
    format!("sync:{name}")
}

/// A sync to be made.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSync {
    /// Its name, of at most 58 characters.
    #[schema(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,57}$")]
    pub name: Name,
    /// What it says.
    pub rule: Rule,
    /// Whether it begins paused.
    #[serde(default)]
    pub paused: bool,
}

/// What changes of a sync; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SyncChange {
    /// What it says.
    #[serde(default)]
    pub rule: Option<Rule>,
    /// Whether nothing is delivered for now.
    #[serde(default)]
    pub paused: Option<bool>,
}

impl Syncs {
    /// Every sync, by name.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn all(&self) -> Result<Vec<Sync>> {
        Ok(sql::sync::all(self.db()).await?)
    }

    /// A sync by its name.
    ///
    /// # Errors
    /// [`Error::NoSync`].
    pub async fn named(&self, name: &str) -> Result<Sync> {
        let found = sql::sync::named(self.db(), name).await?;
        found.ok_or_else(|| Error::NoSync(name.chars().take(80).collect()))
    }

    /// Makes a sync.
    ///
    /// # Errors
    /// A rule that cannot be, a name that is taken, a secret that is not kept here.
    pub async fn create(&self, by: &Doer, new: NewSync) -> Result<Sync> {
        if new.name.as_str().len() > Name::MAX - SCHEDULE.len() {
            return Err(Error::rule(
                "name",
                "a sync's name has at most 58 characters",
            ));
        }
        if new.name.as_str() == drop_in::NAME && self.variables().is_some() {
            return Err(Error::SyncExists(new.name));
        }
        self.check_rule(&new.rule).await?;
        let now = self.now();
        let sync = Sync {
            id: SyncId::new(),
            name: new.name.to_string(),
            rule: new.rule,
            origin: Origin::People,
            paused: new.paused,
            created_at: now,
            created_by: by.actor().to_string(),
            changed_at: now,
        };
        let heard = self.heard_by_now(&sync).await?;
        let mut tx = self.db().begin().await?;
        tx.lock(SYNCS).await?;
        if sql::sync::count(&mut tx).await? >= MOST {
            return Err(Error::TooMany(MOST));
        }
        match sql::sync::insert(&mut tx, &sync, by.actor()).await {
            Err(error) if error.is_conflict() => return Err(Error::SyncExists(new.name)),
            inserted => inserted?,
        }
        sql::sync::hear(&mut tx, sync.id, heard).await?;
        let entry = AuditEntry::new(by, "sync.created", sync.subject()).after(shown(&sync));
        self.access().audit_in(&mut tx, entry).await?;
        tx.commit().await?;
        self.settle_schedule(&sync).await?;
        self.told(&sync);
        Ok(sync)
    }

    /// Changes a sync. With another rule, what no target took is looked at anew. One that is
    /// resumed makes a pass, for what came and what came due while it was paused.
    ///
    /// # Errors
    /// [`Error::NoSync`], [`Error::OfEnvironment`], or a rule that cannot be.
    pub async fn change(
        &self,
        by: (&Doer, Trigger),
        name: &str,
        change: SyncChange,
    ) -> Result<Sync> {
        let before = self.named(name).await?;
        let mut sync = before.clone();
        if let Some(rule) = change.rule {
            if before.origin == Origin::Environment && rule != before.rule {
                return Err(Error::OfEnvironment(before.name));
            }
            self.check_rule(&rule).await?;
            sync.rule = rule;
        }
        sync.paused = change.paused.unwrap_or(sync.paused);
        sync.changed_at = self.now();
        self.store(&before, &sync, Some(by)).await?;
        Ok(sync)
    }

    /// Up to which change of files a sync need not hear of any: what is there by now is found
    /// by a pass.
    async fn heard_by_now(&self, sync: &Sync) -> Result<u64> {
        if sync.bucket().is_none() {
            return Ok(0);
        }
        Ok(self.buckets()?.newest().await?)
    }

    /// Stores a sync as it is now.
    async fn store(&self, before: &Sync, sync: &Sync, by: Option<(&Doer, Trigger)>) -> Result<()> {
        let is_resumed = before.paused && !sync.paused;
        let heard = if is_resumed || before.bucket().is_none() {
            self.heard_by_now(sync).await?
        } else {
            0
        };
        let mut tx = self.db().begin().await?;
        tx.lock(SYNCS).await?;
        let state = (&sync.rule, sync.paused);
        if !sql::sync::update(&mut tx, sync.id, state, sync.changed_at).await? {
            return Err(Error::NoSync(sync.name.clone()));
        }
        if before.rule != sync.rule {
            sql::delivery::reconsider(&mut tx, sync.id, sync.changed_at).await?;
        }
        sql::sync::hear(&mut tx, sync.id, heard).await?;
        let mut submitted = None;
        if let Some((by, trigger)) = by {
            let entry = AuditEntry::new(by, "sync.changed", sync.subject())
                .before(shown(before))
                .after(shown(sync));
            self.access().audit_in(&mut tx, entry).await?;
            if is_resumed {
                let by = (by.actor().clone(), trigger);
                let new = pass(sync, &PassInput::of(sync), by)?.key(sync.pass_key());
                submitted = Some(self.operations().submit_in(&mut tx, new).await?);
            }
        }
        tx.commit().await?;
        if let Some(submitted) = submitted {
            self.operations().announce(submitted);
        }
        if by.is_some() {
            self.settle_schedule(sync).await?;
            self.told(sync);
        }
        Ok(())
    }

    /// Whether people may delete it: what the environment says would be there again.
    pub(crate) fn may_be_deleted(&self, sync: &Sync) -> bool {
        sync.origin == Origin::People || self.variables().is_none()
    }

    /// Deletes a sync with what is known of its deliveries. What was delivered stays where
    /// it is.
    ///
    /// # Errors
    /// [`Error::NoSync`], [`Error::OfEnvironment`].
    pub async fn delete(&self, by: &Doer, name: &str) -> Result<()> {
        let sync = self.named(name).await?;
        if !self.may_be_deleted(&sync) {
            return Err(Error::OfEnvironment(sync.name));
        }
        let mut tx = self.db().begin().await?;
        tx.lock(SYNCS).await?;
        if !sql::sync::delete(&mut tx, sync.id).await? {
            return Err(Error::NoSync(sync.name));
        }
        let entry = AuditEntry::new(by, "sync.deleted", sync.subject()).before(shown(&sync));
        self.access().audit_in(&mut tx, entry).await?;
        tx.commit().await?;
        self.drop_schedule(&sync.schedule_name()).await?;
        self.told(&sync);
        Ok(())
    }

    /// Sees to it that the sync of the environment runs by the clock, and stands still where
    /// there is none any more. For a server: who runs it from time to time does not.
    ///
    /// # Errors
    /// As [`settle_environment`](Self::settle_environment).
    pub async fn schedule_environment(&self) -> Result<()> {
        if let Some(sync) = self.settle_environment().await? {
            return self.settle_schedule(&sync).await;
        }
        let stored = sql::sync::named(self.db(), drop_in::NAME).await?;
        match stored.filter(|sync| sync.origin == Origin::Environment) {
            Some(sync) => self.drop_schedule(&sync.schedule_name()).await,
            None => Ok(()),
        }
    }

    /// Sees to it that the sync of the environment is as its variables say; the sync, where
    /// there are any.
    ///
    /// # Errors
    /// A rule that cannot be, or whatever the database says.
    pub async fn settle_environment(&self) -> Result<Option<Sync>> {
        let Some(variables) = self.variables() else {
            return Ok(None);
        };
        let stored = sql::sync::named(self.db(), drop_in::NAME).await?;
        let rule = variables.rule()?;
        let Some(before) = stored else {
            return self.insert_environment(rule).await.map(Some);
        };
        if before.origin != Origin::Environment {
            return Err(Error::Environment(format!(
                "there is a sync `{}` that people made; delete or rename it, or unset the variables SPACES_*",
                drop_in::NAME
            )));
        }
        let mut sync = before.clone();
        sync.rule = rule;
        if sync.rule != before.rule {
            sync.changed_at = self.now();
            self.store(&before, &sync, None).await?;
        }
        Ok(Some(sync))
    }

    async fn insert_environment(&self, rule: Rule) -> Result<Sync> {
        let now = self.now();
        let by = base::Actor::system();
        let sync = Sync {
            id: SyncId::new(),
            name: drop_in::NAME.to_owned(),
            rule,
            origin: Origin::Environment,
            paused: false,
            created_at: now,
            created_by: by.to_string(),
            changed_at: now,
        };
        let mut tx = self.db().begin().await?;
        tx.lock(SYNCS).await?;
        match sql::sync::insert(&mut tx, &sync, &by).await {
            // Another replica was first.
            Err(error) if error.is_conflict() => {
                drop(tx);
                return self.named(drop_in::NAME).await;
            }
            inserted => inserted?,
        }
        tx.commit().await?;
        Ok(sync)
    }

    /// Sees to it that a sync runs when its rule says, and not while it is paused.
    async fn settle_schedule(&self, sync: &Sync) -> Result<()> {
        let name = sync.schedule_name();
        let Some(timing) = sync.rule.timing()? else {
            return self.drop_schedule(&name).await;
        };
        let input = serde_json::to_value(PassInput::of(sync)).unwrap_or_default();
        let operations = self.operations();
        let found = operations.schedules().await?;
        if let Some(schedule) = found.into_iter().find(|schedule| schedule.name == name) {
            let change = ScheduleChange {
                timing: Some(timing),
                input: Some(input),
                enabled: Some(!sync.paused),
                ..ScheduleChange::default()
            };
            operations.change_schedule(schedule.id, change, &()).await?;
            return Ok(());
        }
        let parsed: Name = name
            .parse()
            .map_err(|_| Error::rule("name", "a sync's name has at most 58 characters"))?;
        let new = NewSchedule {
            name: parsed,
            kind: SyncPass::NAME.to_owned(),
            title: format!("Sync {}", sync.name),
            input,
            timing,
            missed: Missed::RunOnce,
            enabled: !sync.paused,
        };
        Ok(operations.ensure_schedule(new).await?)
    }

    async fn drop_schedule(&self, name: &str) -> Result<()> {
        let operations = self.operations();
        let found = operations.schedules().await?;
        if let Some(schedule) = found.into_iter().find(|schedule| schedule.name == name) {
            match operations.delete_schedule(schedule.id, &()).await {
                // Somebody else was first.
                Ok(()) | Err(::operations::Error::NoSchedule) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Looks whether a rule can be: what it says, and whether its secrets are here.
    pub(crate) async fn check_rule(&self, rule: &Rule) -> Result<()> {
        rule.check()?;
        let kept = self.access().secrets().await?;
        for (field, name) in rule.secrets() {
            if !kept.iter().any(|secret| secret.name == name) {
                return Err(Error::NoSecret {
                    name: name.chars().take(100).collect(),
                    field: Some(field),
                });
            }
        }
        Ok(())
    }
}

/// A sync as the record shows it. A rule holds no secret.
fn shown(sync: &Sync) -> serde_json::Value {
    json!({ "rule": sync.rule, "paused": sync.paused })
}
