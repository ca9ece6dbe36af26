//! The record of an operation, as everybody sees it.

use crate::State;
use crate::kind::Kind;
use base::{Actor, OperationId, Timestamp, Trigger};
use serde::{Deserialize, Serialize};

/// An operation, as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Operation {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: OperationId,
    /// The kind of work.
    pub kind: String,
    /// What it does, in a few words.
    pub title: String,
    /// Where it stands.
    pub state: State,
    /// What it is about, such as `stack:web`.
    pub subject: Option<String>,
    /// The server it works on.
    pub server: Option<String>,
    /// Who asked for it.
    #[schema(value_type = String)]
    pub actor: Actor,
    /// What set it off.
    #[schema(value_type = String)]
    pub trigger: Trigger,
    /// Operations under one key run one after the other.
    pub key: Option<String>,
    /// The operation that started it.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub parent: Option<OperationId>,
    /// The operation that it repeats.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub retry_of: Option<OperationId>,
    /// How often it was begun.
    pub attempt: u64,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it may begin, or its next attempt may.
    #[schema(value_type = String, format = DateTime)]
    pub run_at: Timestamp,
    /// When it began first.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// How far it is.
    pub progress: Option<Progress>,
    /// Why it did not succeed.
    pub error: Option<OperationError>,
    /// What it left behind.
    #[schema(value_type = Option<Object>)]
    pub outcome: Option<serde_json::Value>,
    /// The number of its last log line that is stored.
    pub last_seq: u64,
    /// The number of its last change, counted over all operations.
    pub changed: u64,
    /// Whether somebody asked for its end.
    pub cancel_requested: bool,
}

impl Operation {
    /// What can be done with it as it stands.
    #[must_use]
    pub fn actions(&self) -> &'static [&'static str] {
        match self.state {
            State::Queued | State::Running if self.cancel_requested => &[],
            State::Queued | State::Running => &["cancel"],
            _ => &["retry"],
        }
    }
}

/// Why an operation did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OperationError {
    /// A word for programs.
    pub code: String,
    /// A sentence for people: what happened and what to do.
    pub message: String,
}

/// How far an operation is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Progress {
    /// How much is done, in `unit`.
    pub done: u64,
    /// Of how much, where that is known.
    pub total: Option<u64>,
    /// Whether `total` is what is known so far, and may grow.
    #[serde(default)]
    pub total_grows: bool,
    /// What is counted, such as `files` or `bytes`.
    pub unit: String,
    /// How many bytes have moved so far, where something else is counted.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// How many bytes a second moved lately, where bytes are counted. Reckoned for every
    /// kind when something moves, and nothing once it has ended.
    #[serde(default)]
    pub bytes_per_second: Option<u64>,
    /// How many seconds are left at the pace of late, where that can be said. Reckoned as
    /// the rate is.
    #[serde(default)]
    pub seconds_left: Option<u64>,
    /// What is going on, in a few words.
    pub message: Option<String>,
    /// What moves right now, at most 32.
    #[serde(default)]
    pub transfers: Vec<Transfer>,
}

/// One of several things that move at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Transfer {
    /// Its name.
    pub name: String,
    /// Its number among the things that the operation is about, from 0.
    #[serde(default)]
    pub index: Option<u64>,
    /// How many bytes have arrived.
    pub done: u64,
    /// Of how many, where that is known.
    pub total: Option<u64>,
}

/// One step of an operation's life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Transition {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Into which state.
    pub state: State,
    /// Why.
    pub reason: String,
}

/// An operation to be stored.
#[derive(Clone, Debug)]
pub struct NewOperation {
    pub(crate) kind: String,
    pub(crate) title: String,
    pub(crate) input: String,
    pub(crate) actor: Actor,
    pub(crate) trigger: Trigger,
    pub(crate) subject: String,
    pub(crate) server: String,
    pub(crate) key: String,
    pub(crate) parent: Option<OperationId>,
    pub(crate) retry_of: Option<OperationId>,
    pub(crate) run_at: Option<Timestamp>,
    pub(crate) pinned: bool,
    pub(crate) id: OperationId,
}

impl NewOperation {
    /// An operation of kind `K` about `input`, asked for by `actor`.
    ///
    /// # Errors
    /// When the input cannot be written as JSON.
    pub fn of<K: Kind>(input: &K::Input, actor: Actor, trigger: Trigger) -> crate::Result<Self> {
        let input = serde_json::to_string(input).map_err(|error| crate::Error::Input {
            kind: K::NAME.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Self::raw(K::NAME, input, actor, trigger))
    }

    pub(crate) fn raw(kind: &str, input: String, actor: Actor, trigger: Trigger) -> Self {
        Self {
            kind: kind.to_owned(),
            title: String::new(),
            input,
            actor,
            trigger,
            subject: String::new(),
            server: String::new(),
            key: String::new(),
            parent: None,
            retry_of: None,
            run_at: None,
            pinned: false,
            id: OperationId::new(),
        }
    }

    /// Its id, known before it is stored.
    #[must_use]
    pub const fn id(&self) -> OperationId {
        self.id
    }

    /// What it does, in a few words. Without one, the kind's title is shown.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// What it is about, such as `stack:web`.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }

    /// The server it works on.
    #[must_use]
    pub fn server(mut self, server: impl Into<String>) -> Self {
        self.server = server.into();
        self
    }

    /// Operations under one key run one after the other, in the order of their coming.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    /// Not before this time.
    #[must_use]
    pub const fn run_at(mut self, at: Timestamp) -> Self {
        self.run_at = Some(at);
        self
    }

    /// Only this process may run it, because something here waits for what it makes.
    #[must_use]
    pub const fn here(mut self) -> Self {
        self.pinned = true;
        self
    }

    pub(crate) const fn child_of(mut self, parent: OperationId) -> Self {
        self.parent = Some(parent);
        self
    }

    pub(crate) const fn repeating(mut self, earlier: OperationId) -> Self {
        self.retry_of = Some(earlier);
        self
    }
}
