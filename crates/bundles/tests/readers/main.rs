//! Names and archives as the world's readers see them: unzip, 7-Zip, libarchive,
//! Python and Java, by file and by stream. A reader that is not installed is named
//! and left out, unless `LONGSHORE_REQUIRE_PEERS` is set.

#![allow(clippy::unwrap_used)]

mod built;
mod counts;
mod forms;
mod large;
mod names;
mod properties;
mod reader;
mod rows;
mod strict;
