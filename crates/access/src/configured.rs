//! What Longshore is configured with, remembered from one start to the next, so that a
//! change of it is on the record however it was made.
//!
//! Values come as they may be shown; nothing here ever sees a secret.

use crate::{Access, AuditEntry, Doer, Result, sql};
use serde_json::{Map, Value};

/// The subject of such entries.
const SUBJECT: &str = "configuration";

impl Access {
    /// Notes what is in force at `place` (the data directory: replicas may differ), and
    /// records with `action` what differs from what was noted there last. The first
    /// time there is nothing to differ from.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn note_configuration(
        &self,
        by: &Doer,
        action: &str,
        place: &str,
        shown: &Map<String, Value>,
    ) -> Result<()> {
        let core = &self.core;
        let name = format!("configuration of {place}").replace('\0', "");
        let mut tx = core.db.begin().await?;
        let last = sql::setting::read_in(&mut tx, &name).await?;
        let now = Value::Object(shown.clone()).to_string();
        if last.as_ref() == Some(&now) {
            return Ok(());
        }
        sql::setting::put(&mut tx, &name, &now).await?;
        // One that cannot be read was written by another version: as good as none.
        let last = last.and_then(|text| serde_json::from_str(&text).ok());
        if let Some((before, after)) = last.and_then(|last| difference(&last, shown)) {
            let entry = AuditEntry::new(by, action, SUBJECT)
                .before(before)
                .after(after);
            core.record(&mut tx, entry).await?;
        }
        Ok(tx.commit().await?)
    }
}

/// The settings that differ, as they were and as they are; nothing where none does.
/// One that only one of two versions knows is no change that anybody made.
fn difference(before: &Map<String, Value>, after: &Map<String, Value>) -> Option<(Value, Value)> {
    let (mut was, mut is) = (Map::new(), Map::new());
    for (key, value) in after {
        if let Some(old) = before.get(key).filter(|old| *old != value) {
            was.insert(key.clone(), old.clone());
            is.insert(key.clone(), value.clone());
        }
    }
    (!is.is_empty()).then(|| (was.into(), is.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).expect("an object")
    }

    #[test]
    fn only_what_somebody_changed_differs() {
        let before = map(json!({ "a": "1", "b": null, "old": "1" }));
        let after = map(json!({ "a": "2", "b": null, "new": "1" }));
        let expected = (json!({ "a": "1" }), json!({ "a": "2" }));
        assert_eq!(difference(&before, &after), Some(expected));
        assert_eq!(difference(&after, &after), None);
    }
}
