//! Every statement of this crate.

pub(crate) mod claim;
pub(crate) mod delivery;
pub(crate) mod done;
pub(crate) mod known;
pub(crate) mod pass;
pub(crate) mod rows;
pub(crate) mod summary;
pub(crate) mod sync;
