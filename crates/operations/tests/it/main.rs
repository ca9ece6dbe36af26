//! Stories of operations, each on both databases.

extern crate longshore_operations as operations;

mod durable;
mod engine;
mod following;
mod lists;
mod logs;
mod retention;
mod schedules;
mod world;
