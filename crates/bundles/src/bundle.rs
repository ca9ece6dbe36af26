//! A bundle: a ZIP being made, or kept.

mod accept;
mod look_up;
mod remove;

pub(crate) use accept::check_span;

use crate::source::SourceRequest;
use access::{Caller, Role, Scope};
use base::{BundleId, Timestamp};
use operations::{Operation, State};
use serde::{Deserialize, Serialize};

/// A request for a bundle.
#[derive(Clone, Debug)]
pub struct NewBundle {
    /// The archive's name, with or without `.zip`.
    pub name: Option<String>,
    /// What it shall hold: 1 to 100,000 addresses.
    pub sources: Vec<SourceRequest>,
    /// How it is made.
    pub options: Options,
}

/// How a bundle is made.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Kept until it expires, or else given once, as it is made.
    pub keep: bool,
    /// In which order the entries stand.
    pub order: EntryOrder,
    /// Whether what can be compressed is.
    pub compress: Compress,
    /// Fails when anything is missing, instead of listing it in the archive.
    pub strict: bool,
    /// Asks every source for its size first, compresses nothing, and tells the length
    /// of a streamed archive before its first byte. Where a source does not say its
    /// size, no length is told. A source that changes meanwhile breaks the archive off.
    pub exact_length: bool,
    /// Seconds for which it is kept. At most a year.
    #[schema(minimum = 1, maximum = 31_536_000)]
    pub expires_in: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            keep: true,
            order: EntryOrder::Arrival,
            compress: Compress::Auto,
            strict: false,
            exact_length: false,
            expires_in: None,
        }
    }
}

/// The order of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EntryOrder {
    /// As they come.
    Arrival,
    /// As they were asked for.
    Source,
}

/// What is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Compress {
    /// Types that gain by it.
    Auto,
    /// Nothing.
    Never,
}

/// A bundle, as it stands.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Bundle {
    /// Its id, which is that of its operation.
    #[schema(value_type = String, format = Uuid)]
    pub id: BundleId,
    /// The archive's name, with `.zip`.
    pub name: String,
    /// Where its operation stands.
    pub state: State,
    /// How many sources were asked for.
    pub sources: u64,
    /// How many of them are in the archive, so far.
    pub done: u64,
    /// How many of them are missing; known when it is made.
    pub failed: u64,
    /// Bytes of the files, so far.
    pub bytes: u64,
    /// The archive's length in bytes, once it is kept.
    pub size: Option<u64>,
    /// Whether it is kept, or was streamed.
    pub kept: bool,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When the kept archive is removed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// Where the archive is fetched, while there is one to be had.
    pub archive_url: Option<String>,
    /// Its operation, while that is on record.
    pub operation: Option<Operation>,
    /// What this caller can do with it as it stands: `cancel`, `again`, `link`,
    /// `retry_failed`, `delete`.
    #[schema(value_type = Vec<String>)]
    pub actions: Vec<&'static str>,
}

/// A bundle as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct StoredBundle {
    pub(crate) id: BundleId,
    pub(crate) name: String,
    pub(crate) kept: bool,
    /// The state it ended in, noted for when its operation is not on record any more.
    pub(crate) ended: Option<State>,
    pub(crate) sources: u64,
    pub(crate) done: u64,
    pub(crate) failed: u64,
    pub(crate) bytes: u64,
    pub(crate) blob: Option<storage::BlobName>,
    pub(crate) size: Option<u64>,
    pub(crate) sha256: Option<Vec<u8>>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
}

impl StoredBundle {
    /// Whether its time is over, though its bytes may not have been swept yet.
    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// Where it stands.
    fn state(&self, operation: Option<&Operation>) -> State {
        match operation {
            Some(operation) => operation.state,
            None => self.ended.unwrap_or(State::Failed),
        }
    }

    /// What `rights` allow to be done with it.
    fn actions(&self, operation: Option<&Operation>, rights: Rights) -> Vec<&'static str> {
        let state = self.state(operation);
        let mut actions = Vec::new();
        if !state.is_ended() {
            let cancelling = operation.is_some_and(|operation| operation.cancel_requested);
            if rights.operates && !cancelling {
                actions.push("cancel");
            }
            return actions;
        }
        if rights.makes && self.blob.is_some() {
            actions.push("link");
        }
        // What was asked for is on record with the operation, and goes with it.
        if rights.makes && self.failed > 0 && operation.is_some() {
            actions.push("retry_failed");
        }
        if rights.operates && rights.makes && operation.is_some() {
            actions.push("again");
        }
        if rights.makes {
            actions.push("delete");
        }
        actions
    }

    /// How it is shown, with its operation. `flows`: whether the stream of one that is
    /// not kept can still be taken.
    pub(crate) fn shown(self, operation: Option<Operation>, flows: bool, rights: Rights) -> Bundle {
        let state = self.state(operation.as_ref());
        let actions = self.actions(operation.as_ref(), rights);
        let progress = operation
            .as_ref()
            .and_then(|operation| operation.progress.as_ref());
        let (mut done, mut bytes) = (self.done, self.bytes);
        if !state.is_ended()
            && let Some(progress) = progress
        {
            (done, bytes) = (progress.done, progress.bytes.unwrap_or(0));
        }
        let has_archive = if self.kept {
            self.blob.is_some() || !state.is_ended()
        } else {
            flows
        };
        Bundle {
            id: self.id,
            name: self.name,
            state,
            sources: self.sources,
            done,
            failed: self.failed,
            bytes,
            size: self.size,
            kept: self.kept,
            created_at: self.created_at,
            expires_at: self.expires_at,
            archive_url: has_archive.then(|| archive_path(self.id)),
            operation,
            actions,
        }
    }
}

/// What a caller may do with bundles and with their operations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rights {
    makes: bool,
    operates: bool,
}

impl From<&Caller> for Rights {
    fn from(caller: &Caller) -> Self {
        Self {
            makes: caller.may(Role::Operator, Scope::BundlesWrite),
            operates: caller.may(Role::Operator, Scope::OperationsWrite),
        }
    }
}

/// Where the archive of a bundle is fetched.
pub(crate) fn archive_path(id: BundleId) -> String {
    format!("/api/v1/bundles/{id}/archive")
}

/// A bundle that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its id.
    pub id: BundleId,
}
