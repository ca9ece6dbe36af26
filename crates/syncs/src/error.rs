//! What can go wrong with syncs (not with one file: that is a [`Trouble`]).

use crate::target::Trouble;
use base::Name;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such sync.
    #[error("there is no sync `{0}`")]
    NoSync(String),
    /// There is one of that name.
    #[error("there is a sync `{0}` already; choose another name")]
    SyncExists(Name),
    /// Too many.
    #[error("there are {0} syncs, and no more may be made; delete one first")]
    TooMany(u64),
    /// A part of the rule that cannot be.
    #[error("{reason}")]
    Rule {
        /// Which part.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It is what variables of the environment say.
    #[error(
        "the sync `{0}` comes from the environment of the server; change its variables and start it again"
    )]
    OfEnvironment(String),
    /// Nothing runs while it is paused.
    #[error("the sync `{0}` is paused; resume it first")]
    Paused(String),
    /// There is no such delivery.
    #[error("there is no such delivery under this sync")]
    NoDelivery,
    /// It cannot be asked of a delivery as it is.
    #[error("a delivery that is {state} cannot be {what}")]
    State {
        /// How it stands.
        state: &'static str,
        /// What was asked.
        what: &'static str,
    },
    /// A secret that is not kept here.
    #[error("there is no secret `{name}`; store it under this name first")]
    NoSecret {
        /// Its name.
        name: String,
        /// Which part of the rule names it, where that is known.
        field: Option<String>,
    },
    /// Variables that are missing or wrong.
    #[error("{0}")]
    Environment(String),
    /// The other side.
    #[error(transparent)]
    Trouble(#[from] Trouble),
    /// Access.
    #[error(transparent)]
    Access(#[from] access::AccessError),
    /// Operations.
    #[error(transparent)]
    Operations(#[from] operations::Error),
    /// Storage.
    #[error(transparent)]
    Storage(#[from] storage::Error),
}

impl Error {
    pub(crate) fn rule(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Rule {
            field: field.into(),
            reason: reason.into(),
        }
    }
}
