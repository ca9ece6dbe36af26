//! What is known of files that a source tells of, as far as it decides whether a pass does
//! something with them.

use crate::delivery::DeliveryState;
use crate::source::Found;
use base::SyncId;
use std::collections::BTreeMap;
use storage::{Db, Error, Result, Value, values};

/// What is known of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) state: DeliveryState,
    content: String,
    seen: String,
}

/// What is known of these, by their keys, in one statement.
pub(crate) async fn of(db: &Db, sync: SyncId, files: &[Found]) -> Result<BTreeMap<String, Known>> {
    if files.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut values: Vec<Value> = values![sync.uuid()];
    let mut keys = Vec::with_capacity(files.len());
    for found in files {
        values.push(found.key.as_str().into());
        keys.push(format!("${}", values.len()));
    }
    let sql = format!(
        "SELECT item, state, content, seen FROM delivery WHERE sync = $1 AND item IN ({})",
        keys.join(", ")
    );
    let mut known = BTreeMap::new();
    for row in &db.all(sql, values).await? {
        let state: String = row.get("state")?;
        let one = Known {
            state: DeliveryState::parse(&state).ok_or(Error::Stored("a delivery"))?,
            content: row.get("content")?,
            seen: row.get("seen")?,
        };
        known.insert(row.get("item")?, one);
    }
    Ok(known)
}

impl Known {
    /// Whether a pass that is told of it does something with it: what is on its way goes on,
    /// and what has ended begins anew by the same conditions as
    /// [`note`](super::delivery::note) says.
    pub(crate) fn is_wanted(&self, found: &Found) -> bool {
        let is_another = match (&found.content, &found.seen) {
            (Some(content), _) => !self.content.is_empty() && *content != self.content,
            (None, Some(seen)) => !self.seen.is_empty() && *seen != self.seen,
            (None, None) => false,
        };
        match self.state {
            DeliveryState::Marked => is_another || found.asked,
            // Nothing is seen any more of what its source had no more.
            DeliveryState::Skipped | DeliveryState::Failed if found.asked => {
                let seen = found.seen.as_ref();
                seen.is_some_and(|seen| *seen != self.seen)
            }
            DeliveryState::Skipped | DeliveryState::Failed => is_another,
            // It is looked at, and not sent.
            DeliveryState::Working => false,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(content: Option<&str>, seen: Option<&str>, asked: bool) -> Found {
        Found {
            key: "a".to_owned(),
            place: "a".to_owned(),
            name: "a".to_owned(),
            media_type: String::new(),
            size: None,
            content: content.map(str::to_owned),
            seen: seen.map(str::to_owned),
            metadata: BTreeMap::new(),
            creator: None,
            asked,
        }
    }

    #[test]
    fn what_rests_is_wanted_only_when_it_is_another() {
        use DeliveryState::{Failed, Marked, Pending, Removed, Skipped, Uploaded, Working};
        let known_of = |state, seen: &str| Known {
            state,
            content: "v1".to_owned(),
            seen: seen.to_owned(),
        };
        let is_wanted = |state, found: &Found| known_of(state, "s1").is_wanted(found);
        let row_of = |seen| found(None, Some(seen), true);
        let row = found(None, None, true);
        for (state, wanted) in [
            (Pending, true),
            (Uploaded, true),
            (Removed, true),
            (Marked, true),
            (Working, false),
            (Skipped, false),
            (Failed, false),
        ] {
            assert_eq!(is_wanted(state, &row), wanted, "{state:?}");
        }
        let is_told_again = known_of(DeliveryState::Skipped, "").is_wanted(&row_of("s1"));
        assert!(is_told_again, "it was gone, and is there again");
        for state in [Skipped, Failed] {
            assert!(!known_of(state, "s1").is_wanted(&row_of("s1")), "{state:?}");
            assert!(known_of(state, "s1").is_wanted(&row_of("s2")), "{state:?}");
        }
        for (same, another) in [
            (
                found(Some("v1"), None, false),
                found(Some("v2"), None, false),
            ),
            (
                found(None, Some("s1"), false),
                found(None, Some("s2"), false),
            ),
        ] {
            for state in [Marked, Skipped, Failed] {
                assert!(!is_wanted(state, &same), "{state:?}");
                assert!(is_wanted(state, &another), "{state:?}");
            }
        }
    }
}
