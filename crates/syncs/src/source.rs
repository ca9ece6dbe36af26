//! Where files come from: what is to be delivered, its content, and who is told that it
//! was.
//!
//! A source tells of files a page at a time, in an order of its own, so that a million of
//! them take no more memory than a thousand. What it says twice is noted once.

pub(crate) mod bucket;
pub(crate) mod rows;
pub(crate) mod store;

use crate::target::{Checked, Content, Receipt, Trouble};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// A file that a source tells of.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// What names it in its source.
    pub key: String,
    /// Where its content is there.
    pub place: String,
    /// The name that people know it by.
    pub name: String,
    /// Its media type; empty where that is not known by now.
    pub media_type: String,
    /// Its size, if it is known by now.
    pub size: Option<u64>,
    /// What tells its content from another's, if it is known by now.
    pub content: Option<String>,
    /// Where that is not known: what changes when it, or what is said of it, may have changed.
    pub seen: Option<String>,
    /// What goes along with it.
    pub metadata: BTreeMap<String, Value>,
    /// Who made it, where that is known: for people, and not for the target.
    pub creator: Option<String>,
    /// Whether being told of means to be asked for: one that was delivered before is then
    /// delivered again.
    pub asked: bool,
}

/// A page of what a source tells.
#[derive(Clone, Debug, Default)]
pub struct SourcePage {
    /// The files.
    pub files: Vec<Found>,
    /// After what the next page begins; nothing at the end.
    pub next: Option<String>,
}

/// What is known of a file's content once it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookedAt {
    /// Its size in bytes.
    pub size: u64,
    /// What tells its content from another's.
    pub content: String,
    /// By what its source knows it again when it is read.
    pub etag: String,
    /// Its MD5 in small letters, where its source names it.
    pub md5: Option<String>,
    /// Its media type, where its source knows one.
    pub media_type: Option<String>,
}

/// What a source is told of a file that is at its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Whether it is served already.
    pub ready: bool,
    /// What the target says of it.
    pub receipt: Receipt,
    /// The ids that the source may have of it from us by now.
    pub told: Vec<String>,
}

/// What a source says of a file when it is asked once more.
#[derive(Clone, Debug, PartialEq)]
pub enum Still {
    /// Nothing but what it said when it told of it.
    AsTold,
    /// It is to be delivered, or was delivered by us, and this is said of it now.
    Wanted(Box<Found>),
    /// It is not there any more.
    Gone,
    /// Somebody else has delivered it, under this id; an empty one where none is known.
    ByOthers(String),
}

/// What became of telling it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It knows.
    Done,
    /// It knows, and there is something to say about it.
    But(String),
}

/// Has files that are to be delivered.
#[async_trait::async_trait]
pub trait Source: fmt::Debug + Send + Sync {
    /// Files that are to be delivered, after the place `after`.
    async fn page(&self, after: Option<&str>, limit: usize) -> Result<SourcePage, Trouble>;

    /// Asks once more for a file before it is sent: since it was told of, it may have been
    /// corrected, deleted, or delivered by somebody else. `told` are the ids that the source
    /// may have of it from us.
    async fn still(&self, _key: &str, _told: &[String]) -> Result<Still, Trouble> {
        Ok(Still::AsTold)
    }

    /// Some of its files, to be delivered or not, by which a rule is tried before anything
    /// is sent.
    async fn samples(&self, _limit: usize) -> Result<Vec<Found>, Trouble> {
        Ok(Vec::new())
    }

    /// Looks at the content of a file. None: it is not there any more.
    async fn look(&self, place: &str) -> Result<Option<LookedAt>, Trouble>;

    /// The content from byte `offset` on. Fails when it is not any more what was looked at.
    async fn open(&self, place: &str, looked: &LookedAt, offset: u64) -> Result<Content, Trouble>;

    /// An address at which others get the content for an hour, where there is one.
    fn link(&self, _place: &str) -> Option<String> {
        None
    }

    /// Tells the source that a file is at its target. Telling it twice is as good as once.
    async fn mark(&self, _key: &str, _mark: &Mark) -> Result<Told, Trouble> {
        Ok(Told::Done)
    }

    /// Which of these files are not there any more.
    async fn missing(&self, keys: &[String]) -> Result<Vec<String>, Trouble>;

    /// How many files are to be delivered, where that can be said at once.
    async fn waiting(&self) -> Result<Option<u64>, Trouble> {
        Ok(None)
    }

    /// Whether it can be read, and written where it must be.
    async fn check(&self) -> Vec<Checked>;

    /// Whether it can hold what it would be told of files, such as these.
    async fn check_told(&self, _receipts: &[Receipt]) -> Vec<Checked> {
        Vec::new()
    }
}
