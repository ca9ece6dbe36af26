//! Every statement of this crate.

pub(crate) mod bucket;
pub(crate) mod event;
pub(crate) mod file;
pub(crate) mod list;
pub(crate) mod upload;
pub(crate) mod usage;
pub(crate) mod word;
