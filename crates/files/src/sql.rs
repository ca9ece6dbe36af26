//! Every statement of this crate.

pub(crate) mod bucket;
pub(crate) mod event;
pub(crate) mod feed;
pub(crate) mod file;
pub(crate) mod grant;
pub(crate) mod hook;
pub(crate) mod list;
pub(crate) mod parted;
pub(crate) mod share;
pub(crate) mod signature;
pub(crate) mod unfinished;
pub(crate) mod upload;
pub(crate) mod usage;
pub(crate) mod word;
