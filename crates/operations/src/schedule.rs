//! Schedules: operations that begin by the clock.
//!
//! A run is claimed and its operation stored in one transaction, so that it
//! happens once, however many replicas look at the clock.

use crate::engine::{Engine, Operations};
use crate::operation::NewOperation;
use crate::{Error, Result, messages, sql};
use base::{Actor, Name, OperationId, ScheduleId, Timestamp, Trigger};
use croner::Cron;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// A run later than this was missed, and its schedule's policy decides.
const LATE: Duration = Duration::from_secs(60);
/// The longest sleep without looking at the table.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// Runs shown in advance.
const SHOWN: usize = 5;

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

/// When something happens: a cron expression in a time zone. Only made by parsing.
#[derive(Clone, Debug)]
pub struct Timing {
    cron: Cron,
    zone: TimeZone,
    expression: String,
    zone_name: String,
}

impl Timing {
    /// Parses a cron expression of five fields (or six, with seconds first) and the
    /// name of a time zone of the IANA database.
    ///
    /// # Errors
    /// When either cannot be read.
    pub fn parse(expression: &str, zone: &str) -> Result<Self> {
        let expression = expression.trim();
        let bad = |reason: String| Error::Cron {
            expression: expression.chars().take(100).collect(),
            reason,
        };
        if expression.len() > 200 {
            return Err(bad("it is longer than 200 characters".to_owned()));
        }
        let cron = Cron::from_str(expression).map_err(|error| bad(error.to_string()))?;
        let zone_name = if zone.is_empty() { "UTC" } else { zone };
        let zone = TimeZone::get(zone_name)
            .map_err(|_| Error::Zone(zone_name.chars().take(100).collect()))?;
        Ok(Self {
            cron,
            zone,
            expression: expression.to_owned(),
            zone_name: zone_name.to_owned(),
        })
    }

    /// The first run after `after`; `None` when there is none any more.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let after = jiff::Timestamp::from(after).to_zoned(self.zone.clone());
        let next = self.cron.find_next_occurrence(&after, false).ok()?;
        Some(next.timestamp().into())
    }

    /// The next five runs after `after`.
    #[must_use]
    pub fn upcoming(&self, after: Timestamp) -> Vec<Timestamp> {
        std::iter::successors(self.next(after), |last| self.next(*last))
            .take(SHOWN)
            .collect()
    }

    /// The expression and the zone, as they are stored.
    pub(crate) fn parts(&self) -> (&str, &str) {
        (&self.expression, &self.zone_name)
    }

    /// The expression in words.
    #[must_use]
    pub fn words(&self) -> String {
        self.cron.describe()
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
    /// A name that is taken, an unknown kind, an input that the kind does not take.
    pub async fn create_schedule(&self, new: NewSchedule, actor: &Actor) -> Result<Schedule> {
        let input = self.checked_input(&new.kind, &new.input)?;
        let id = ScheduleId::new();
        let now = self.0.clock.now();
        let next = if new.enabled {
            new.timing.next(now)
        } else {
            None
        };
        match sql::schedule::insert(self.db(), id, &new, &input, actor, now, next).await {
            Err(Error::Storage(error)) if error.is_conflict() => {
                return Err(Error::ScheduleExists(new.name.to_string()));
            }
            result => result?,
        }
        self.schedules_changed().await;
        self.schedule(id).await
    }

    /// Makes a schedule of Longshore's own, unless there is one of that name.
    ///
    /// # Errors
    /// As [`Operations::create_schedule`].
    pub async fn ensure_schedule(&self, new: NewSchedule) -> Result<()> {
        match self.create_schedule(new, &Actor::system()).await {
            Ok(_) | Err(Error::ScheduleExists(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Changes a schedule.
    ///
    /// # Errors
    /// When there is none, or the input does not fit.
    pub async fn change_schedule(
        &self,
        id: ScheduleId,
        change: ScheduleChange,
    ) -> Result<Schedule> {
        let stored = sql::schedule::get(self.db(), id)
            .await?
            .ok_or(Error::NoSchedule)?;
        let mut schedule = stored.schedule;
        if let Some(timing) = change.timing {
            schedule.cron = timing.expression;
            schedule.zone = timing.zone_name;
        }
        if let Some(input) = change.input {
            schedule.input = input;
        }
        schedule.missed = change.missed.unwrap_or(schedule.missed);
        schedule.enabled = change.enabled.unwrap_or(schedule.enabled);
        let input = self.checked_input(&schedule.kind, &schedule.input)?;
        let next = if schedule.enabled {
            Timing::parse(&schedule.cron, &schedule.zone)?.next(self.0.clock.now())
        } else {
            None
        };
        if !sql::schedule::update(self.db(), &schedule, &input, next).await? {
            return Err(Error::NoSchedule);
        }
        self.schedules_changed().await;
        self.schedule(id).await
    }

    /// Deletes a schedule. What it started goes on.
    ///
    /// # Errors
    /// When there is none.
    pub async fn delete_schedule(&self, id: ScheduleId) -> Result<()> {
        if !sql::schedule::delete(self.db(), id).await? {
            return Err(Error::NoSchedule);
        }
        self.schedules_changed().await;
        Ok(())
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
                schedule.next_runs = timing.upcoming(self.0.clock.now());
            }
        }
        schedule
    }

    async fn schedules_changed(&self) {
        self.0.scheduled.notify_one();
        messages::schedules(&self.0.bus).await;
    }
}

/// Starts what is due, until the engine closes.
pub(crate) async fn run(engine: Arc<Engine>) {
    while !engine.closing.is_cancelled() {
        let wait = match run_due(&engine).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(%error, "schedules could not be read; trying again");
                Duration::from_secs(5)
            }
        };
        tokio::select! {
            () = engine.closing.cancelled() => {}
            () = engine.scheduled.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn run_due(engine: &Arc<Engine>) -> Result<Duration> {
    let now = engine.clock.now();
    for due in sql::schedule::due(&engine.db, now).await? {
        run_one(engine, due, now).await?;
    }
    let next = sql::schedule::next_due(&engine.db).await?;
    Ok(next.map_or(LONGEST_SLEEP, |next| {
        next.since(engine.clock.now()).min(LONGEST_SLEEP)
    }))
}

async fn run_one(engine: &Arc<Engine>, due: StoredSchedule, now: Timestamp) -> Result<()> {
    let StoredSchedule { schedule, next_run } = due;
    let Some(planned) = next_run else {
        return Ok(());
    };
    let next = Timing::parse(&schedule.cron, &schedule.zone)?.next(now);
    let missed = now.since(planned) > LATE;
    let runs = !missed || schedule.missed == Missed::RunOnce;
    let title = match (schedule.title.as_str(), engine.kinds.get(&schedule.kind)) {
        ("", Some(kind)) => kind.settings.title.to_owned(),
        (title, _) => title.to_owned(),
    };
    let new = NewOperation::raw(
        &schedule.kind,
        schedule.input.to_string(),
        Actor::schedule(&schedule.name),
        Trigger::Schedule,
    )
    .title(title)
    // One run at a time: a run that takes longer than its interval delays the next.
    .key(format!("schedule:{}", schedule.name));
    let mut tx = engine.db.begin().await?;
    let operation = runs.then_some(new.id());
    if !sql::schedule::claim_run(&mut tx, schedule.id, planned, next, now, operation).await? {
        // Another replica was first.
        return Ok(());
    }
    if runs {
        sql::operation::insert(&mut tx, &new, &engine.worker, now).await?;
    }
    tx.commit().await?;
    if runs {
        engine.queued.notify_one();
        engine.changes.wake();
        messages::queued(&engine.bus).await;
        messages::changed(&engine.bus).await;
    } else {
        tracing::info!(schedule = %schedule.name, %planned, "a missed run is left out");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_daily_run_stays_at_its_hour_across_summer_time() {
        let timing = Timing::parse("30 3 * * *", "Europe/Berlin").expect("valid");
        let runs = timing.upcoming(at("2026-03-27T12:00:00Z"));
        assert_eq!(runs[0], at("2026-03-28T02:30:00Z"));
        assert_eq!(runs[1], at("2026-03-29T01:30:00Z"));
    }

    #[test]
    fn what_is_not_a_time_is_refused_with_what_to_write() {
        for (cron, zone) in [
            ("", "UTC"),
            ("* * * *", "UTC"),
            ("61 * * * *", "UTC"),
            ("* * * * *", "Mars/Base"),
        ] {
            let error = Timing::parse(cron, zone).expect_err("refused").to_string();
            assert!(error.contains("write"), "{error}");
        }
    }

    #[test]
    fn a_date_that_never_comes_has_no_next_run() {
        let timing = Timing::parse("0 0 30 2 *", "UTC");
        assert!(
            timing.is_err()
                || timing.is_ok_and(|timing| timing.next(at("2026-01-01T00:00:00Z")).is_none())
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_text_is_parsed_or_refused_without_a_panic(text in "[-0-9*/,LW#?A-Za-z ]{0,40}") {
            if let Ok(timing) = Timing::parse(&text, "America/New_York") {
                let runs = timing.upcoming(at("2026-11-01T05:00:00Z"));
                prop_assert!(runs.windows(2).all(|pair| pair[0] < pair[1]));
            }
        }
    }
}
