//! A delivery: one file under one sync, from being found to being marked.
//!
//! `pending → intended → created → uploaded → verified → marked` is the way of a file;
//! `working` is at its target, which is not ready with it; `again` was marked and is asked
//! for once more. `marked`, `skipped`, `failed` and `removed` are the ends. Whoever works
//! on one holds a claim with a lease, and writes under its number.

use crate::source::Found;
use base::{DeliveryId, OperationId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Ids that are remembered of what its source was told.
const MOST_TOLD: usize = 32;

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// Found, and nothing was sent.
    Pending,
    /// About to be made at the target.
    Intended,
    /// There, without its whole content.
    Created,
    /// There with its whole content.
    Uploaded,
    /// The target works on it.
    Working,
    /// It was delivered, and its source asks for it once more.
    Again,
    /// Served; its source does not know yet.
    Verified,
    /// Served, and its source knows.
    Marked,
    /// No target takes it.
    Skipped,
    /// It was tried as often as it may be, or was refused.
    Failed,
    /// It was deleted at its source and removed at its target.
    Removed,
}

impl DeliveryState {
    /// Every state, in the order of its way.
    pub const ALL: [Self; 11] = [
        Self::Pending,
        Self::Intended,
        Self::Created,
        Self::Uploaded,
        Self::Working,
        Self::Again,
        Self::Verified,
        Self::Marked,
        Self::Skipped,
        Self::Failed,
        Self::Removed,
    ];

    /// The word that is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Intended => "intended",
            Self::Created => "created",
            Self::Uploaded => "uploaded",
            Self::Working => "working",
            Self::Again => "again",
            Self::Verified => "verified",
            Self::Marked => "marked",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Removed => "removed",
        }
    }

    /// The state of a word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether nothing more is done with it by itself.
    #[must_use]
    pub const fn is_ended(self) -> bool {
        matches!(
            self,
            Self::Marked | Self::Skipped | Self::Failed | Self::Removed
        )
    }

    /// What the target was told to remember, as it names it.
    pub(crate) const fn at_target(self) -> Option<crate::target::State> {
        match self {
            Self::Intended => Some(crate::target::State::Intended),
            Self::Created => Some(crate::target::State::Created),
            Self::Uploaded => Some(crate::target::State::Uploaded),
            _ => None,
        }
    }
}

impl From<crate::target::State> for DeliveryState {
    fn from(state: crate::target::State) -> Self {
        match state {
            crate::target::State::Intended => Self::Intended,
            crate::target::State::Created => Self::Created,
            crate::target::State::Uploaded => Self::Uploaded,
        }
    }
}

/// A delivery, as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Delivery {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: DeliveryId,
    /// What names the file in its source: the id of a row, or a path.
    pub item: String,
    /// Where its content is there.
    pub place: String,
    /// The name that people know it by.
    pub name: String,
    /// Its media type.
    #[serde(rename = "type")]
    pub media_type: String,
    /// Its size, once it was looked at.
    pub size: Option<u64>,
    /// What tells its content from another's, once it was looked at.
    pub content: Option<String>,
    /// What goes along with it.
    #[schema(value_type = Object)]
    pub metadata: BTreeMap<String, Value>,
    /// Who made it, where its source says so.
    pub creator: Option<String>,
    /// The target that has it, by its name in the sync.
    pub target: Option<String>,
    /// How far it is.
    pub state: DeliveryState,
    /// Its id at the target.
    pub remote_id: Option<String>,
    /// The address of a small picture of it.
    pub thumbnail: Option<String>,
    /// How often it was begun.
    pub attempt: u64,
    /// How many of these went wrong.
    pub failures: u64,
    /// Why it is where it is, in a sentence.
    pub reason: Option<String>,
    /// When it is tried next, or looked at again; nothing at its end.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_at: Option<Timestamp>,
    /// Whether somebody works on it now.
    pub claimed: bool,
    /// The pass that had it last.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub operation: Option<OperationId>,
    /// When it was found.
    #[schema(value_type = String, format = DateTime)]
    pub found_at: Timestamp,
    /// When it changed last.
    #[schema(value_type = String, format = DateTime)]
    pub changed_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// What its target wants to know after a crash.
    #[serde(skip)]
    pub(crate) known: Option<Value>,
    /// How far it is there by that.
    #[serde(skip)]
    pub(crate) reached: Option<DeliveryState>,
    /// How often its target asked to wait.
    #[serde(skip)]
    pub(crate) waits: u64,
    /// The ids that its source was told, or was about to be told, the newest last.
    #[serde(skip)]
    pub(crate) told: Vec<String>,
}

impl Delivery {
    /// Takes what its source says of it by now; whether that is anything else than before.
    pub(crate) fn correct(&mut self, found: &Found) -> bool {
        let same = self.place == found.place
            && self.name == found.name
            && self.media_type == found.media_type
            && self.metadata == found.metadata
            && self.creator == found.creator;
        if !same {
            self.place.clone_from(&found.place);
            self.name.clone_from(&found.name);
            self.media_type.clone_from(&found.media_type);
            self.metadata.clone_from(&found.metadata);
            self.creator.clone_from(&found.creator);
        }
        !same
    }

    /// The ids that its source may have once it is told this one.
    pub(crate) fn told_with(&self, id: &str) -> Vec<String> {
        let mut told = self.told.clone();
        if !told.iter().any(|known| known == id) {
            told.push(id.to_owned());
        }
        let spare = told.len().saturating_sub(MOST_TOLD);
        told.drain(..spare);
        told
    }

    /// What can be done with it as it stands.
    #[must_use]
    pub const fn actions(&self) -> &'static [&'static str] {
        match self.state {
            DeliveryState::Failed => &["retry"],
            DeliveryState::Marked | DeliveryState::Removed | DeliveryState::Skipped => {
                &["deliver_again"]
            }
            _ => &[],
        }
    }
}

/// A delivery that is somebody's to work on, until its lease is over.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    pub(crate) delivery: Delivery,
    /// Who has it.
    pub(crate) claim: Claim,
}

/// What every write of a worker shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) id: DeliveryId,
    pub(crate) worker: String,
    pub(crate) attempt: u64,
}

/// Which deliveries are listed.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// In this state.
    pub state: Option<DeliveryState>,
    /// At this target.
    pub target: Option<String>,
    /// Of this media type, such as `image/png` or `image/*`.
    pub media_type: Option<String>,
    /// Whose key, place or name has this in it.
    pub text: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_one_word() {
        for state in DeliveryState::ALL {
            assert_eq!(DeliveryState::parse(state.as_str()), Some(state));
        }
        assert_eq!(DeliveryState::parse("done"), None);
    }
}
