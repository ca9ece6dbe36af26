//! One who follows the files of a bucket, and is told what it may list.

use super::BATCH;
use crate::bucket::Bucket;
use crate::event::Noted;
use crate::permit::Permission;
use crate::sql::feed::Numbered;
use crate::{Files, Result, sql};
use access::{AccessError, Caller, Role, Scope};
use async_trait::async_trait;
use base::BucketId;
use tokio::sync::watch;
use web::{FileEvent, FileFeed, FileNews, FollowFiles, FollowedFiles, NotFollowed};

struct Following {
    files: Files,
    caller: Caller,
    /// Changes when what somebody may do has.
    rights: watch::Receiver<u64>,
    bucket: BucketId,
    prefix: String,
    position: u64,
    newest: watch::Receiver<u64>,
    /// It begins after a number that was never given.
    lost: bool,
}

#[async_trait]
impl FileFeed for Files {
    async fn follow(
        &self,
        caller: &Caller,
        files: FollowFiles<'_>,
    ) -> Result<Box<dyn FollowedFiles>, NotFollowed> {
        let not_found = || NotFollowed::NotFound(files.bucket.chars().take(80).collect());
        let bucket = self.bucket(files.bucket).map_err(|_| not_found())?;
        let may = caller.may(Role::Viewer, Scope::FilesRead)
            && !self.listable(caller, &bucket).is_empty();
        if !may {
            return Err(not_found());
        }
        let feed = self.feed();
        // Subscribed before it looks, so that nothing falls in between.
        let newest = feed.newest.subscribe();
        let rights = self.access().changed();
        feed.wake.notify_one();
        let now = feed.numbered().await.map_err(unavailable)?;
        let lost = files.since.is_some_and(|since| since > now);
        Ok(Box::new(Following {
            files: self.clone(),
            caller: caller.clone(),
            rights,
            bucket: bucket.id,
            prefix: files.prefix.to_owned(),
            position: files.since.unwrap_or(now).min(now),
            newest,
            lost,
        }))
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn unavailable(error: crate::Error) -> NotFollowed {
    tracing::debug!(%error, "changes of files could not be read");
    NotFollowed::Unavailable("changes of files cannot be read at the moment".to_owned())
}

#[async_trait]
impl FollowedFiles for Following {
    fn position(&self) -> u64 {
        self.position
    }

    async fn next(&mut self) -> Result<FileNews, NotFollowed> {
        if self.lost {
            self.lost = false;
            return Ok(missed());
        }
        let position = self.position;
        // The feed outlives its followers, so its sender is not gone.
        let newest = match self.newest.wait_for(|newest| *newest > position).await {
            Ok(newest) => *newest,
            Err(_) => position,
        };
        self.recheck().await?;
        if let Some(changes) = self.files.feed().since(position) {
            return Ok(self.told(changes.iter().map(|change| &**change)));
        }
        self.stored(newest).await.map_err(unavailable)
    }
}

fn missed() -> FileNews {
    FileNews {
        missed: true,
        events: Vec::new(),
    }
}

impl Following {
    /// What is further back than the ring.
    async fn stored(&mut self, newest: u64) -> Result<FileNews> {
        let db = self.files.db().clone();
        let changes = sql::feed::after(&db, self.position, BATCH).await?;
        // Looked at after reading: what was forgotten meanwhile is missed, too.
        let forgotten = sql::feed::forgotten(&db).await?;
        if self.position < forgotten {
            self.position = forgotten;
            return Ok(missed());
        }
        if changes.is_empty() {
            // Their bucket is gone.
            self.position = newest;
        }
        Ok(self.told(changes.iter()))
    }

    fn told<'a>(&mut self, changes: impl Iterator<Item = &'a Numbered>) -> FileNews {
        let bucket = self.files.buckets().with_id(self.bucket);
        let mut news = FileNews::default();
        for change in changes {
            self.position = change.number;
            if change.bucket != self.bucket {
                continue;
            }
            let event = bucket
                .as_deref()
                .and_then(|bucket| self.shown(bucket, &change.change));
            news.events
                .extend(event.map(|event| (change.number, event)));
        }
        news
    }

    /// A change as far as it may be seen: of a move only the side that is.
    fn shown(&self, bucket: &Bucket, change: &Noted) -> Option<FileEvent> {
        let sees = |path: &str| {
            path.starts_with(&self.prefix)
                && self
                    .files
                    .may(Some(&self.caller), bucket, path, Permission::List)
        };
        let from = change.from.as_deref();
        let (there, before) = (sees(&change.path), from.filter(|from| sees(from)));
        let (kind, path, from) = match (there, before, from) {
            (true, before @ Some(_), _) => (change.happened.as_str(), &*change.path, before),
            (true, None, None) => (change.happened.as_str(), &*change.path, None),
            (true, None, Some(_)) => ("file.put", &*change.path, None),
            (false, Some(before), _) => ("file.deleted", before, None),
            (false, None, _) => return None,
        };
        Some(FileEvent {
            id: change.id,
            kind: kind.to_owned(),
            at: change.at,
            bucket: bucket.name.to_string(),
            path: path.to_owned(),
            from: from.map(str::to_owned),
            actor: change.actor.clone(),
            file: there
                .then(|| serde_json::from_str(&change.file).ok())
                .flatten(),
        })
    }

    /// Looks again at who this is, when somebody's rights have changed.
    async fn recheck(&mut self) -> Result<(), NotFollowed> {
        if !self.rights.has_changed().unwrap_or(false) {
            return Ok(());
        }
        self.rights.mark_unchanged();
        let gone = || NotFollowed::NotFound("of this subscription".to_owned());
        match self.files.access().recheck(&self.caller).await {
            Ok(caller) if caller.may(Role::Viewer, Scope::FilesRead) => {
                self.caller = caller;
                Ok(())
            }
            Ok(_) | Err(AccessError::Unauthenticated | AccessError::Expired) => Err(gone()),
            Err(error) => Err(unavailable(error.into())),
        }
    }
}
