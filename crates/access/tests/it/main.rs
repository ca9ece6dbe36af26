//! The stories of access, each on both databases.

#![allow(clippy::unwrap_used)]

extern crate longshore_access as access;

mod house;
mod sessions;
mod users;
