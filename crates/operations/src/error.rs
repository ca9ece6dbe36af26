//! What can go wrong with the record of operations (not in an operation: that is
//! a [`crate::Failure`]).

use base::OperationId;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such operation.
    #[error("there is no operation {0}; it may have been removed by age")]
    NoOperation(OperationId),
    /// There is no such schedule.
    #[error("there is no such schedule")]
    NoSchedule,
    /// A schedule of that name exists.
    #[error("there is a schedule named `{0}` already; choose another name")]
    ScheduleExists(String),
    /// No part of Longshore does work of that kind.
    #[error("`{0}` is not a kind of operation that this server knows")]
    UnknownKind(String),
    /// People may not put that kind on a schedule.
    #[error(
        "an operation of kind `{0}` cannot be put on a schedule; choose a kind that can, and of a schedule that Longshore has by itself change only when it runs"
    )]
    NotSchedulable(String),
    /// There are as many schedules as there may be.
    #[error("there are {0} schedules, and no more may be made; delete one first")]
    TooManySchedules(u64),
    /// The input does not fit the kind.
    #[error("the input does not fit an operation of kind `{kind}`: {reason}")]
    Input {
        /// The kind.
        kind: String,
        /// What does not fit.
        reason: String,
    },
    /// It has ended already, or not yet.
    #[error("the operation is {state}, so it cannot be {action}")]
    State {
        /// Its state.
        state: crate::State,
        /// What was asked: `cancelled`, `retried`.
        action: &'static str,
    },
    /// A cron expression that cannot be read.
    #[error(
        "`{expression}` is not a cron expression ({reason}); write five fields, such as `*/10 * * * *`"
    )]
    Cron {
        /// As it was given.
        expression: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A time zone that is not known.
    #[error("`{0}` is not a time zone; write a name such as `Europe/Berlin` or `UTC`")]
    Zone(String),
    /// A search pattern that cannot be read.
    #[error("the search pattern cannot be used: {0}")]
    Pattern(String),
    /// A stored value that this version does not understand.
    #[error("the stored {0} cannot be read")]
    Stored(&'static str),
    /// The engine is stopping or was stopped.
    #[error("Longshore is stopping; try again when it is back")]
    Stopping,
    /// The worker that ran it lost its lease, so it may not write any more.
    #[error("another worker has taken the operation up")]
    LeaseLost,
    /// The database.
    #[error(transparent)]
    Storage(#[from] storage::Error),
}
