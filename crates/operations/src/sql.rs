//! Every statement of this crate.

pub(crate) mod end;
pub(crate) mod lease;
pub(crate) mod list;
pub(crate) mod log;
pub(crate) mod operation;
pub(crate) mod queue;
pub(crate) mod retention;
pub(crate) mod schedule;
