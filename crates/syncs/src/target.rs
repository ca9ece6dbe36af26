//! What every target of a sync can do: take one file, and say how far it is with it.
//!
//! A target keeps no state of its own. What it must know after a crash it records through
//! [`Ground::record`] before the step that cannot be taken back, and is handed again.

pub(crate) mod bucket;
pub mod cloudflare;
mod pouring;
pub(crate) mod store;
pub(crate) mod webhook;

use crate::rule::KeyTemplate;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The file that is to be delivered.
#[derive(Clone, Debug)]
pub struct Item {
    /// What names it under its sync: a row's id, or a path. Never changes.
    pub key: String,
    /// The name that people know it by.
    pub name: String,
    /// Its media type, such as `image/png`.
    pub media_type: String,
    /// Its size in bytes.
    pub size: u64,
    /// What tells its content from another's: an entity tag or a digest of the source.
    pub content: Option<String>,
    /// The MD5 of its content in small letters, where its source names it.
    pub md5: Option<String>,
    /// What is to be kept beside it at the target, in the order of its names.
    pub metadata: BTreeMap<String, Value>,
}

/// A part of the file's content, as it comes.
pub type Content = BoxStream<'static, Result<Bytes, Trouble>>;

/// What a target stands on while it delivers one file. Cancelled by being dropped.
pub trait Ground: fmt::Debug + Send + Sync {
    /// The content from byte `offset` on; all of it is the item's size. Fails when the
    /// source's content is not any more what the item says.
    fn open(&self, offset: u64) -> BoxFuture<'_, Result<Content, Trouble>>;

    /// Keeps what a later attempt must know, durably, before it returns. Fails where the
    /// delivery is not this worker's any more: then nothing more may be sent.
    fn record<'a>(&'a self, state: State, known: &'a Value) -> BoxFuture<'a, Result<(), Trouble>>;

    /// Tells how many bytes the target has by now.
    fn arrived(&self, bytes: u64);

    /// An address at which others get the content for an hour, where the source has one.
    fn link(&self) -> Option<String> {
        None
    }

    /// A line for people in the log of the pass, such as why something is tried again.
    fn say(&self, line: &str);
}

/// How far a delivery is at its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is about to be made there: a target that is asked again looks whether it was.
    Intended,
    /// It is there, not yet with its whole content.
    Created,
    /// All of its content is there.
    Uploaded,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// It is there and served.
    Ready(Receipt),
    /// Its content is there; the target works on it. Look again after so long.
    Working {
        /// What is known by now.
        receipt: Receipt,
        /// When it is worth to look again.
        again: Duration,
    },
}

impl Delivered {
    /// It is served under this id.
    pub(crate) fn ready(id: &str) -> Self {
        Self::Ready(Receipt {
            id: id.to_owned(),
            ..Receipt::default()
        })
    }

    /// The same, and this is known of it from now on.
    pub(crate) fn known(id: &str, known: Value) -> Self {
        Self::Ready(Receipt {
            id: id.to_owned(),
            known: Some(known),
            ..Receipt::default()
        })
    }
}

/// The key of a file at a target that has keys or paths.
fn key_at(template: &KeyTemplate, item: &Item) -> Result<String, String> {
    let key = template.key(item);
    key.ok_or_else(|| {
        "its key at the target would be empty or longer than 1024 bytes; change the target's `key`"
            .to_owned()
    })
}

/// What is foreseen of a file by its key there.
fn foreseen_at(template: &KeyTemplate, item: &Item) -> Result<Option<Receipt>, String> {
    let id = key_at(template, item)?;
    Ok(Some(Receipt {
        id,
        ..Receipt::default()
    }))
}

/// Says that nothing need be sent of a file.
fn say_it_is_there(ground: &dyn Ground, item: &Item) {
    ground.say(&format!(
        "{}: it is there already, from an attempt of before.",
        item.name
    ));
}

/// What a target says of a delivered file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Its id at the target.
    pub id: String,
    /// The address of a small picture of it.
    pub thumbnail: Option<String>,
    /// What takes the place of what was recorded, in the same step as that it is there.
    pub known: Option<Value>,
}

/// What became of removing something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// It is there no more.
    Gone,
    /// It stays: nothing there says that this sync has made it.
    Left,
}

/// Why an attempt did not end well. The text says what happened and never a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// It may go well later.
    #[error("{reason}")]
    Later {
        /// What happened.
        reason: String,
        /// How long the target asks to wait, where it says so.
        after: Option<Duration>,
    },
    /// The target takes nothing for a while, whatever the file: its limit of requests is
    /// reached, or it has too much to work on. No attempt of the file's is used up.
    #[error("{reason}")]
    Paused {
        /// What happened.
        reason: String,
        /// When it is worth to ask again.
        after: Duration,
    },
    /// This file cannot be delivered as it is.
    #[error("{reason}")]
    Refused {
        /// What the target says, and what to do.
        reason: String,
    },
    /// Nothing can be delivered, whatever the file: a credential, a right or a quota is
    /// missing. Of a target that holds for what goes there, of a source for the sync.
    #[error("{reason}")]
    Everything {
        /// What happened, and what to do.
        reason: String,
    },
}

/// Takes files of one sync.
#[async_trait::async_trait]
pub trait Target: fmt::Debug + Send + Sync {
    /// Why this file is none for this target, in a sentence, if it is not.
    fn unfit(&self, item: &Item) -> Option<String>;

    /// Delivers a file, or goes on with it. `known` is what was recorded last.
    async fn deliver(
        &self,
        item: &Item,
        known: Option<(State, &Value)>,
        ground: &dyn Ground,
    ) -> Result<Delivered, Trouble>;

    /// What it would say of a file, as far as that can be told without asking anybody: the id
    /// and the address of a picture are as long as real ones. `None`: that cannot be told.
    ///
    /// # Errors
    /// Why it takes no file with this key.
    fn foresee(&self, _item: &Item) -> Result<Option<Receipt>, String> {
        Ok(None)
    }

    /// Looks how far the target is with what it has. `None`: it has it no more, or something
    /// else in its place.
    async fn look(&self, item: &Item, known: &Value) -> Result<Option<Delivered>, Trouble>;

    /// Whether another content of the same file takes the place of the one before by itself.
    /// Otherwise that one is removed first.
    fn replaces(&self) -> bool {
        false
    }

    /// Gives up what is there of a file that is not whole, by what was recorded. What is
    /// served stays.
    async fn abandon(&self, _known: &Value) -> Result<(), Trouble> {
        Ok(())
    }

    /// Removes it there, unless it is somebody else's. It is no error when it is not there.
    async fn remove(&self, known: &Value) -> Result<Removed, Trouble>;

    /// Whether the target can be reached and this credential may write there: one line for
    /// each thing looked at, with what is missing and how to mend it.
    async fn check(&self) -> Vec<Checked>;
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What was looked at, such as "Cloudflare token".
    pub what: String,
    /// What is missing and how to mend it; nothing where all is well.
    pub missing: Option<String>,
}
