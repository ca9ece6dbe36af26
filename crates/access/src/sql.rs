//! Every statement of this crate.

pub(crate) mod access_key;
pub(crate) mod account;
pub(crate) mod attempt;
pub(crate) mod audit;
pub(crate) mod secret;
pub(crate) mod session;
pub(crate) mod setting;
pub(crate) mod token;
