//! The stories of files, each on both databases.

#![allow(clippy::unwrap_used)]

extern crate longshore_files as files;

mod buckets;
mod contents;
mod lists;
mod media;
mod past;
mod together;
mod watching;
mod world;
