//! The database, the bus and the shared cache, on both databases.

extern crate longshore_storage as storage;

mod bus;
mod cache;
mod database;
mod transactions;
