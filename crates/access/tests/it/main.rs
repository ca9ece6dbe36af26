//! The stories of access, each on both databases.

#![allow(clippy::unwrap_used)]

extern crate longshore_access as access;

mod access_keys;
mod audit;
mod guessing;
mod house;
mod limits;
mod remembering;
mod replicas;
mod secrets;
mod sessions;
mod tokens;
mod users;
