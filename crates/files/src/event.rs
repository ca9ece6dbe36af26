//! What happens to files, told to those who want to know.
//!
//! An event is noted in the transaction of the change that it tells of, so it is told
//! exactly when that happened, and at least once. Telling it is an operation.

use crate::bucket::Bucket;
use crate::file::File;
use crate::path::FilePath;
use crate::webhook::Webhook;
use crate::{Files, sql};
use base::{BucketId, Timestamp};
use serde::Serialize;
use std::sync::Arc;
use storage::Tx;
use uuid::Uuid;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Happened {
    /// A content came to a path.
    #[serde(rename = "file.put")]
    Put,
    /// What is said of a file changed.
    #[serde(rename = "file.described")]
    Described,
    /// A file went to another path or bucket.
    #[serde(rename = "file.moved")]
    Moved,
    /// A file is not there any more.
    #[serde(rename = "file.deleted")]
    Deleted,
}

impl Happened {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Put => "file.put",
            Self::Described => "file.described",
            Self::Moved => "file.moved",
            Self::Deleted => "file.deleted",
        }
    }
}

/// A change as it is kept for those who watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Noted {
    pub(crate) id: Uuid,
    pub(crate) at: Timestamp,
    pub(crate) happened: String,
    pub(crate) path: String,
    /// Where it was, when it moved within its bucket.
    pub(crate) from: Option<String>,
    pub(crate) actor: String,
    /// The file, in JSON.
    pub(crate) file: String,
}

/// An event as it is told.
#[derive(Debug, Serialize)]
struct Event<'a> {
    id: Uuid,
    #[serde(rename = "type")]
    happened: Happened,
    at: Timestamp,
    bucket: &'a str,
    path: &'a str,
    /// Where it was, when it moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    actor: &'a str,
    file: &'a File,
}

/// Those who have something to be told once the change is committed.
#[derive(Debug, Default)]
#[must_use = "who is not woken is told only when the next event comes"]
pub(crate) struct ToTell(Vec<Arc<Webhook>>);

impl ToTell {
    /// Those of another event, too.
    pub(crate) fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
    }
}

impl Files {
    /// Notes an event for everybody who wants to know of it.
    pub(crate) async fn note(
        &self,
        tx: &mut Tx,
        bucket: &Bucket,
        happened: Happened,
        told: (&File, Option<&FilePath>),
        actor: &str,
    ) -> storage::Result<ToTell> {
        self.note_for_watchers(tx, bucket, happened, told, actor)
            .await?;
        self.note_for_webhooks(tx, bucket, happened, told, actor)
            .await
    }

    /// Notes an event for those who watch. Where it was before is a path of this bucket.
    pub(crate) async fn note_for_watchers(
        &self,
        tx: &mut Tx,
        bucket: &Bucket,
        happened: Happened,
        (file, from): (&File, Option<&FilePath>),
        actor: &str,
    ) -> storage::Result<()> {
        let noted = self.noted(happened, (file, from), actor);
        sql::feed::note(tx, bucket.id, &[noted]).await
    }

    /// Notes that files came, by their uploaders, for those who watch.
    pub(crate) async fn note_puts(
        &self,
        tx: &mut Tx,
        bucket: BucketId,
        files: &[&File],
    ) -> storage::Result<()> {
        let noted = files.iter();
        let noted = noted.map(|file| self.noted(Happened::Put, (file, None), &file.uploader));
        sql::feed::note(tx, bucket, &noted.collect::<Vec<_>>()).await
    }

    fn noted(
        &self,
        happened: Happened,
        (file, from): (&File, Option<&FilePath>),
        actor: &str,
    ) -> Noted {
        Noted {
            id: Uuid::now_v7(),
            at: self.now(),
            happened: happened.word().to_owned(),
            path: file.path.as_str().to_owned(),
            from: from.map(|from| from.as_str().to_owned()),
            actor: actor.to_owned(),
            file: serde_json::to_string(file).unwrap_or_default(),
        }
    }

    /// Notes an event for webhooks.
    pub(crate) async fn note_for_webhooks(
        &self,
        tx: &mut Tx,
        bucket: &Bucket,
        happened: Happened,
        (file, from): (&File, Option<&FilePath>),
        actor: &str,
    ) -> storage::Result<ToTell> {
        let path = file.path.as_str();
        let mut to_tell = ToTell::default();
        for webhook in self.buckets().webhooks(bucket.id) {
            let concerned = |path: &str| path.starts_with(&webhook.prefix);
            if !webhook.enabled
                || !(concerned(path) || from.is_some_and(|from| concerned(from.as_str())))
            {
                continue;
            }
            let event = Event {
                id: Uuid::now_v7(),
                happened,
                at: self.now(),
                bucket: bucket.name.as_str(),
                path,
                from: from.map(FilePath::as_str),
                actor,
                file,
            };
            let body = serde_json::to_string(&event).unwrap_or_default();
            sql::event::insert(tx, event.id, webhook.id, event.at, &body).await?;
            to_tell.0.push(webhook);
        }
        Ok(to_tell)
    }

    /// Sees to it that what was noted is told. After the commit.
    pub(crate) async fn tell(&self, to_tell: ToTell) {
        if self.feed().changed() {
            let files = self.clone();
            self.tasks().spawn(async move {
                if let Err(error) = files.forget_changes().await {
                    tracing::warn!(%error, "old changes of files could not be forgotten");
                }
            });
        }
        for webhook in to_tell.0 {
            self.wake(&webhook).await;
        }
    }
}
