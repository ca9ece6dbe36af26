//! Schedules: operations that begin by the clock.
//!
//! People make schedules of the kinds that allow it, and every change is put on the
//! record in its own transaction; Longshore's own schedules come with the program.

mod runner;
mod timing;

pub(crate) use runner::run;
pub use timing::Timing;

use crate::engine::Operations;
use crate::{Error, Result, messages, sql};
use base::{Actor, Name, OperationId, ScheduleId, Timestamp};
use serde::{Deserialize, Serialize};
use storage::Tx;

/// Schedules that people may make, all together.
pub(crate) const MOST: u64 = 1000;

/// What is done about runs that were due while Longshore was down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// One run makes up for all of them.
    RunOnce,
    /// They are left out.
    Skip,
}

impl Missed {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::RunOnce => "run_once",
            Self::Skip => "skip",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "run_once" => Some(Self::RunOnce),
            "skip" => Some(Self::Skip),
            _ => None,
        }
    }
}

/// A schedule.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Schedule {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: ScheduleId,
    /// Its name.
    pub name: String,
    /// The kind of operation it starts.
    pub kind: String,
    /// With this title.
    pub title: String,
    /// With this input.
    #[schema(value_type = Object)]
    pub input: serde_json::Value,
    /// When: a cron expression.
    pub cron: String,
    /// In this time zone.
    pub zone: String,
    /// The expression in words.
    pub words: String,
    /// What is done about runs missed while Longshore was down.
    pub missed: Missed,
    /// Whether it runs at all.
    pub enabled: bool,
    /// Who made it.
    #[schema(value_type = String)]
    pub created_by: Actor,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// The next five runs; none when it is off.
    #[schema(value_type = Vec<String>)]
    pub next_runs: Vec<Timestamp>,
    /// The last run.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_run: Option<Timestamp>,
    /// The operation that it started last.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub last_operation: Option<OperationId>,
}

/// A schedule to be made.
#[derive(Clone, Debug)]
pub struct NewSchedule {
    /// Its name.
    pub name: Name,
    /// The kind of operation it starts.
    pub kind: String,
    /// With this title; empty for the kind's own.
    pub title: String,
    /// With this input.
    pub input: serde_json::Value,
    /// When.
    pub timing: Timing,
    /// What is done about missed runs.
    pub missed: Missed,
    /// Whether it runs at all.
    pub enabled: bool,
}

/// What changes in a schedule; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct ScheduleChange {
    /// When.
    pub timing: Option<Timing>,
    /// With this input.
    pub input: Option<serde_json::Value>,
    /// What is done about missed runs.
    pub missed: Option<Missed>,
    /// Whether it runs at all.
    pub enabled: Option<bool>,
}

/// A schedule as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct StoredSchedule {
    pub(crate) schedule: Schedule,
    pub(crate) next_run: Option<Timestamp>,
}

/// Puts what people do to schedules on the record, within the transaction of the
/// change, so that there is never one without the other.
pub trait ScheduleRecord: Sync {
    /// Notes a change: without `before` one is made, without `after` it is deleted.
    fn note(
        &self,
        tx: &mut Tx,
        before: Option<&Schedule>,
        after: Option<&Schedule>,
    ) -> impl Future<Output = Result<(), storage::Error>> + Send;
}

/// No record: for what Longshore does by itself.
impl ScheduleRecord for () {
    async fn note(
        &self,
        _tx: &mut Tx,
        _before: Option<&Schedule>,
        _after: Option<&Schedule>,
    ) -> Result<(), storage::Error> {
        Ok(())
    }
}

impl Operations {
    /// Every schedule, by name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn schedules(&self) -> Result<Vec<Schedule>> {
        let stored = sql::schedule::all(self.db()).await?;
        Ok(stored
            .into_iter()
            .map(|stored| self.shown(stored))
            .collect())
    }

    /// A schedule.
    ///
    /// # Errors
    /// When there is none, or the database does not answer.
    pub async fn schedule(&self, id: ScheduleId) -> Result<Schedule> {
        let stored = sql::schedule::get(self.db(), id)
            .await?
            .ok_or(Error::NoSchedule)?;
        Ok(self.shown(stored))
    }

    /// Makes a schedule for `actor`.
    ///
    /// # Errors
    /// A name that is taken, a kind that is unknown or not for schedules, an input that
    /// the kind does not take, too many schedules.
    pub async fn create_schedule(
        &self,
        new: NewSchedule,
        actor: &Actor,
        record: &impl ScheduleRecord,
    ) -> Result<Schedule> {
        self.check_schedulable(&new.kind)?;
        let input = self.checked_input(&new.kind, &new.input)?;
        let mut tx = self.0.db.begin().await?;
        sql::schedule::lock(&mut tx).await?;
        if sql::schedule::count(&mut tx).await? >= MOST {
            return Err(Error::TooManySchedules(MOST));
        }
        let schedule = self.insert_schedule(&mut tx, &new, &input, actor).await?;
        record.note(&mut tx, None, Some(&schedule)).await?;
        tx.commit().await?;
        self.schedules_changed().await;
        Ok(schedule)
    }

    /// Makes a schedule of Longshore's own, unless there is one of that name. Its kind
    /// need not be one that people may schedule.
    ///
    /// # Errors
    /// An unknown kind, an input that it does not take, or the database.
    pub async fn ensure_schedule(&self, new: NewSchedule) -> Result<()> {
        let input = self.checked_input(&new.kind, &new.input)?;
        let mut tx = self.0.db.begin().await?;
        let made = self
            .insert_schedule(&mut tx, &new, &input, &Actor::system())
            .await;
        match made {
            Err(Error::ScheduleExists(_)) => return Ok(()),
            made => made?,
        };
        tx.commit().await?;
        self.schedules_changed().await;
        Ok(())
    }

    /// Changes a schedule. When one of Longshore's own runs is for people to say, too; what
    /// it does, of a kind that is not for them to schedule, is not.
    ///
    /// # Errors
    /// When there is none, its kind is unknown, or the input does not fit or is not theirs
    /// to change.
    pub async fn change_schedule(
        &self,
        id: ScheduleId,
        change: ScheduleChange,
        record: &impl ScheduleRecord,
    ) -> Result<Schedule> {
        let mut tx = self.0.db.begin().await?;
        sql::schedule::lock(&mut tx).await?;
        let stored = sql::schedule::get_in(&mut tx, id)
            .await?
            .ok_or(Error::NoSchedule)?;
        let before = self.shown(stored);
        let mut schedule = before.clone();
        if let Some(timing) = &change.timing {
            let (cron, zone) = timing.parts();
            cron.clone_into(&mut schedule.cron);
            zone.clone_into(&mut schedule.zone);
        }
        if let Some(input) = change.input
            && input != before.input
        {
            self.check_schedulable(&schedule.kind)?;
            schedule.input = input;
        }
        schedule.missed = change.missed.unwrap_or(schedule.missed);
        schedule.enabled = change.enabled.unwrap_or(schedule.enabled);
        let input = self.checked_input(&schedule.kind, &schedule.input)?;
        let timing = Timing::parse(&schedule.cron, &schedule.zone)?;
        let next = self.next_run(&timing, schedule.enabled);
        sql::schedule::update(&mut tx, &schedule, &input, next).await?;
        let after = self.stored_schedule(&mut tx, id).await?;
        record.note(&mut tx, Some(&before), Some(&after)).await?;
        tx.commit().await?;
        self.schedules_changed().await;
        Ok(after)
    }

    /// Deletes a schedule. What it started goes on. One of Longshore's own is back
    /// after the next start.
    ///
    /// # Errors
    /// When there is none.
    pub async fn delete_schedule(
        &self,
        id: ScheduleId,
        record: &impl ScheduleRecord,
    ) -> Result<()> {
        let mut tx = self.0.db.begin().await?;
        sql::schedule::lock(&mut tx).await?;
        let before = self.stored_schedule(&mut tx, id).await?;
        sql::schedule::delete(&mut tx, id).await?;
        record.note(&mut tx, Some(&before), None).await?;
        tx.commit().await?;
        self.schedules_changed().await;
        Ok(())
    }

    async fn insert_schedule(
        &self,
        tx: &mut Tx,
        new: &NewSchedule,
        input: &str,
        actor: &Actor,
    ) -> Result<Schedule> {
        let id = ScheduleId::new();
        let next = self.next_run(&new.timing, new.enabled);
        let now = self.now();
        match sql::schedule::insert(tx, id, new, input, actor, now, next).await {
            Err(Error::Storage(error)) if error.is_conflict() => {
                Err(Error::ScheduleExists(new.name.to_string()))
            }
            Err(error) => Err(error),
            Ok(()) => self.stored_schedule(tx, id).await,
        }
    }

    async fn stored_schedule(&self, tx: &mut Tx, id: ScheduleId) -> Result<Schedule> {
        let stored = sql::schedule::get_in(tx, id)
            .await?
            .ok_or(Error::NoSchedule)?;
        Ok(self.shown(stored))
    }

    fn next_run(&self, timing: &Timing, enabled: bool) -> Option<Timestamp> {
        if enabled {
            timing.next(self.now())
        } else {
            None
        }
    }

    /// What people put on a schedule must be of a kind that is meant for it. Of one that
    /// nobody knows this says nothing.
    ///
    /// # Errors
    /// [`Error::NotSchedulable`].
    pub fn check_schedulable(&self, kind: &str) -> Result<()> {
        match self.0.kinds.get(kind) {
            Some(known) if !known.settings.schedulable => {
                Err(Error::NotSchedulable(kind.to_owned()))
            }
            _ => Ok(()),
        }
    }

    fn checked_input(&self, kind: &str, input: &serde_json::Value) -> Result<String> {
        let known = self
            .0
            .kinds
            .get(kind)
            .ok_or_else(|| Error::UnknownKind(kind.chars().take(100).collect()))?;
        let text = input.to_string();
        known.check(&text).map_err(|reason| Error::Input {
            kind: kind.to_owned(),
            reason,
        })?;
        Ok(text)
    }

    fn shown(&self, stored: StoredSchedule) -> Schedule {
        let mut schedule = stored.schedule;
        // A stored expression was parsed before; a zone may have left the database since.
        if let Ok(timing) = Timing::parse(&schedule.cron, &schedule.zone) {
            schedule.words = timing.words();
            if schedule.enabled {
                schedule.next_runs = timing.upcoming(self.now());
            }
        }
        schedule
    }

    async fn schedules_changed(&self) {
        self.0.scheduled.notify_one();
        messages::schedules(&self.0.bus);
    }
}
