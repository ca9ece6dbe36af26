//! What is put on the record when somebody changes a schedule.

use access::{Access, AccessError, AuditEntry, Caller, Doer};
use operations::{Schedule, ScheduleRecord};
use serde_json::{Value, json};
use std::sync::Arc;
use storage::Tx;

/// The longest input that an entry shows, in bytes; of a longer one it tells the length.
const LONGEST_INPUT: usize = 4 << 10;

/// Notes what one caller does.
pub(super) struct OnTheRecord<'a> {
    access: &'a Access,
    doer: Doer,
}

impl<'a> OnTheRecord<'a> {
    pub(super) fn of(access: &'a Access, caller: &Caller) -> Self {
        Self {
            access,
            doer: Doer::from(caller),
        }
    }

    fn entry(&self, before: Option<&Schedule>, after: Option<&Schedule>) -> AuditEntry {
        let action = match (before, after) {
            (None, _) => "schedule.created",
            (Some(_), Some(_)) => "schedule.changed",
            (Some(_), None) => "schedule.deleted",
        };
        let name = before.or(after).map_or("", |schedule| &schedule.name);
        let mut entry = AuditEntry::new(&self.doer, action, format!("schedule:{name}"));
        if let Some(before) = before {
            entry = entry.before(shown(before));
        }
        if let Some(after) = after {
            entry = entry.after(shown(after));
        }
        entry
    }
}

impl ScheduleRecord for OnTheRecord<'_> {
    async fn note(
        &self,
        tx: &mut Tx,
        before: Option<&Schedule>,
        after: Option<&Schedule>,
    ) -> Result<(), storage::Error> {
        let entry = self.entry(before, after);
        self.access
            .audit_in(tx, entry)
            .await
            .map_err(|error| match error {
                AccessError::Storage(error) => {
                    Arc::try_unwrap(error).unwrap_or(storage::Error::Stopped)
                }
                // Making an entry fails with the database, and with nothing else.
                _ => storage::Error::Stopped,
            })
    }
}

fn shown(schedule: &Schedule) -> Value {
    let length = schedule.input.to_string().len();
    let input = if length > LONGEST_INPUT {
        json!(format!("{length} bytes"))
    } else {
        schedule.input.clone()
    };
    json!({
        "kind": schedule.kind,
        "title": schedule.title,
        "input": input,
        "cron": schedule.cron,
        "zone": schedule.zone,
        "missed": schedule.missed,
        "enabled": schedule.enabled,
    })
}
