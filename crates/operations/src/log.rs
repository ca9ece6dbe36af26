//! The log of an operation: numbered lines, compressed in segments.
//!
//! A line gets its number when it is written, and is shown to nobody before it is
//! stored: so a number means one line for ever, also across a crash.

pub(crate) mod line;
mod plain;
pub(crate) mod reader;
pub(crate) mod segment;
pub(crate) mod sink;
pub(crate) mod writer;

pub use line::{Line, Stream};
pub use reader::{Colours, LogPage, LogText, SearchPage, SearchQuery};
pub use writer::LineWriter;
