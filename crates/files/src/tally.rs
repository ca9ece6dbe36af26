//! What came of looks at objects, and how often.

use crate::store::Observed;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt;

/// What a look changed in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A file that it did not know.
    Added,
    /// A file of which it knew another content.
    Updated,
    /// A file that is gone.
    Removed,
    /// Nothing.
    Unchanged,
}

impl From<Observed> for Change {
    fn from(observed: Observed) -> Self {
        match observed {
            Observed::Came(_) => Self::Added,
            Observed::Changed(_) => Self::Updated,
            Observed::Gone(_) => Self::Removed,
            Observed::Same(_) | Observed::Nothing | Observed::Ignored => Self::Unchanged,
        }
    }
}

/// How often what came of looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) added: u64,
    pub(crate) updated: u64,
    pub(crate) removed: u64,
    pub(crate) unchanged: u64,
}

impl Tally {
    /// One more.
    pub(crate) const fn count(&mut self, change: Change) {
        let counter = match change {
            Change::Added => &mut self.added,
            Change::Updated => &mut self.updated,
            Change::Removed => &mut self.removed,
            Change::Unchanged => &mut self.unchanged,
        };
        *counter += 1;
    }

    /// All looks.
    pub(crate) const fn all(&self) -> u64 {
        self.added + self.updated + self.removed + self.unchanged
    }

    /// As an operation leaves it behind.
    pub(crate) fn outcome(&self) -> Value {
        json!(self)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} added, {} updated, {} removed, {} unchanged",
            self.added, self.updated, self.removed, self.unchanged
        )
    }
}
