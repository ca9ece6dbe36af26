//! Stories of operations, each on both databases.

extern crate longshore_operations as operations;

mod cancels;
mod durable;
mod engine;
mod example;
mod following;
mod leases;
mod lists;
mod logs;
mod replicas;
mod retention;
mod schedules;
mod script;
mod streams;
mod texts;
mod world;
