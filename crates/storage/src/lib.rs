//! Where Longshore keeps things: the database, the blobs and the data directory, objects
//! in S3-compatible stores, the bus by which replicas hear of each other, and the cache
//! that they share.
//!
//! One schema and one SQL text serve both databases: SQLite, embedded, by default,
//! and Postgres beyond. Nothing outside this crate knows which of them runs.

mod blobs;
mod bus;
mod cache;
mod data_dir;
mod db;
mod error;
mod migrations;
mod objects;

pub use blobs::{
    BlobFile, BlobName, BlobReader, BlobStream, BlobTail, BlobWriter, Blobs, Mark, Partial,
    StoredBlob,
};
pub use bus::{Bus, BusEvent, BusReceiver};
pub use cache::{CacheSettings, Change, Fill, Looked, SharedCache};
pub use data_dir::{DataDir, Errand};
pub use db::{Answer, Column, Db, DbLimits, DbSettings, Dialect, Row, Schema, Sql, Tx, Value};
pub use error::{Error, Refusal, Result};
pub use migrations::newest_version;
pub use objects::{
    Answered, Ledger, MOST_AT_ONCE, MOST_PARTS, ObjectError, ObjectHead, ObjectHeaders, ObjectPage,
    ObjectRead, ObjectSettings, ObjectStore, ObjectSummary, ObjectWriter, SealedObject,
};
