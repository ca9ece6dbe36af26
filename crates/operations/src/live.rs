//! Watching live: changes of operations, and lines of logs.
//!
//! Invariant: storage is the truth, and memory holds the newest of it, already
//! encoded. A follower is a position; it takes what memory holds from there on, or
//! reads storage when it is further behind. So nobody has a queue that could grow,
//! a slow follower costs the others nothing, and one who comes back with the last
//! number it saw goes on without a gap or a repeat.

pub(crate) mod changes;
pub(crate) mod logs;
mod reader;
pub(crate) mod ring;

pub use changes::{Change, ChangeFollower};
pub use logs::{LogEvent, LogFollower};
pub use ring::LiveLines;
