//! Operations: every piece of work that takes time.
//!
//! An operation is stored before it begins, run once however many replicas there
//! are, logged line by line, watched live without a gap, cancelled, retried and
//! scheduled; and a restart neither loses it nor runs it twice. A feature declares
//! a [`Kind`], gives it to [`Kinds`], and submits a [`NewOperation`].
//!
//! Invariants: what is accepted is stored; every write of an attempt carries its
//! number and its worker, so one that lost its lease cannot write; a line is shown
//! to nobody before it is stored; nothing here knows what any kind does.

mod attempt;
mod cancel;
mod context;
mod engine;
mod error;
mod failure;
mod kind;
mod leases;
mod list;
mod live;
mod log;
mod messages;
mod operation;
mod pace;
pub mod properties;
mod reading;
mod retention;
mod retry;
mod running;
mod schedule;
mod scribe;
mod secrets;
mod sql;
mod state;
mod stopping;
mod worker;

pub use context::Context;
pub use engine::{EngineSettings, Operations, Submitted};
pub use error::{Error, Result};
pub use failure::Failure;
pub use kind::{Kind, KindInfo, Kinds, Outcome, Place, Retained, Settings, WhenWaiting};
pub use list::{Filter, ListPage, Order, Position, Query, Sort};
pub use live::{Change, ChangeFollower, LiveLines, LogEvent, LogFollower};
pub use log::{Colours, Line, LineWriter, LogPage, LogText, SearchPage, SearchQuery, Stream};
pub use operation::{NewOperation, Operation, OperationError, Progress, Transfer, Transition};
pub use retention::{Retention, RetentionInput};
pub use retry::RetryPolicy;
pub use schedule::{Missed, NewSchedule, Schedule, ScheduleChange, ScheduleRecord, Timing};
pub use state::{State, UnknownState};
