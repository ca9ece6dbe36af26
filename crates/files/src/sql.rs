//! Every statement of this crate.

pub(crate) mod bucket;
pub(crate) mod file;
pub(crate) mod list;
pub(crate) mod parted;
pub(crate) mod usage;
