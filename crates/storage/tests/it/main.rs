//! The database and the bus, on both databases.

extern crate longshore_storage as storage;

mod bus;
mod database;
mod transactions;
