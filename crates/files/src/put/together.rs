//! Files that come at the same time come to their places in one transaction: on SQLite every
//! transaction waits for the one before it and for the disk. (Postgres makes several at once,
//! and does that itself.) Each has an outcome of its own, as if it had come alone.

use super::commit::Uncommitted;
use super::place::{Coming, Placed, Placing};
use crate::bucket::Bucket;
use crate::expect::Expect;
use crate::file::File;
use crate::{Error, Files, Result};
use base::BucketId;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use storage::Dialect;
use tokio::sync::oneshot;

/// Files that come to their places together, at most.
const MOST: usize = 32;

type Outcome = Result<Placing, Uncommitted>;

/// A file, and who waits for it to be in its place.
#[derive(Debug)]
struct Waiting {
    bucket: Arc<Bucket>,
    file: File,
    expect: Expect,
    done: oneshot::Sender<Outcome>,
}

/// Those who wait: no more than there are requests under way.
#[derive(Debug, Default)]
pub(crate) struct Together(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// Whether a task works it off.
    working: bool,
}

impl Together {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing that it guards is left half-changed by a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody has to begin to work.
    fn push(&self, one: Waiting) -> bool {
        let mut queue = self.queue();
        queue.waiting.push(one);
        !std::mem::replace(&mut queue.working, true)
    }

    /// The next to be placed together: of one bucket, and each at another path. Nothing when
    /// nobody waits; then the next one begins anew.
    fn next(&self) -> Option<Vec<Waiting>> {
        let mut queue = self.queue();
        let Some(bucket) = queue.waiting.first().map(|first| first.file.bucket) else {
            queue.working = false;
            return None;
        };
        let (next, rest) = split(std::mem::take(&mut queue.waiting), bucket);
        queue.waiting = rest;
        Some(next)
    }
}

/// Those of a bucket that go together, and those after them.
fn split(waiting: Vec<Waiting>, bucket: BucketId) -> (Vec<Waiting>, Vec<Waiting>) {
    let mut paths = HashSet::new();
    let mut together = 0;
    waiting.into_iter().partition(|one| {
        let goes = together < MOST
            && one.file.bucket == bucket
            // Who comes second to a path finds what came first.
            && paths.insert(one.file.path.clone());
        together += usize::from(goes);
        goes
    })
}

/// Ends the turn of a task that ends before all is done: who waits is told so.
struct Turn<'a>(Option<&'a Together>);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(together) = self.0.take() {
            let mut queue = together.queue();
            queue.working = false;
            queue.waiting.clear();
        }
    }
}

impl Files {
    /// Makes `file` the current one at its path, together with others that come now.
    pub(super) async fn commit_together(
        &self,
        bucket: &Arc<Bucket>,
        file: File,
        expect: Expect,
    ) -> Result<File, Uncommitted> {
        if self.db().dialect() != Dialect::Sqlite {
            return self.commit(bucket, file, &expect, None).await;
        }
        let (done, told) = oneshot::channel();
        let begins = self.together().push(Waiting {
            bucket: Arc::clone(bucket),
            file,
            expect,
            done,
        });
        if begins {
            let files = self.clone();
            self.tasks().spawn(async move { files.work_off().await });
        }
        match told.await {
            Ok(outcome) => Ok(self.replaced(outcome?).await),
            Err(_) => Err(Uncommitted::Perhaps(storage::Error::Stopped.into())),
        }
    }

    async fn work_off(&self) {
        let mut turn = Turn(Some(self.together()));
        while let Some(next) = self.together().next() {
            let (waiting, coming): (Vec<_>, Vec<_>) = next
                .into_iter()
                .map(|one| (one.done, (one.bucket, one.file, one.expect)))
                .unzip();
            let outcomes = self.commit_all(coming).await;
            for (done, outcome) in waiting.into_iter().zip(outcomes) {
                // Who does not wait any more finds it in the catalogue, or the sweep does.
                let _ = done.send(outcome);
            }
        }
        turn.0 = None;
    }

    async fn commit_all(&self, coming: Vec<(Arc<Bucket>, File, Expect)>) -> Vec<Outcome> {
        if coming.len() > 1 {
            match self.try_all(&coming).await {
                Ok(outcomes) => return outcomes,
                Err(error) => {
                    tracing::debug!(%error, "files could not be placed together; one by one");
                }
            }
        }
        // One that cannot be written must not keep the others from it.
        let mut outcomes = Vec::with_capacity(coming.len());
        for (bucket, file, expect) in coming {
            let committed = self.commit(&bucket, file, &expect, None).await;
            outcomes.push(committed.map(|file| (file, None)));
        }
        outcomes
    }

    /// Places all of them, or none where it fails.
    async fn try_all(&self, coming: &[(Arc<Bucket>, File, Expect)]) -> Result<Vec<Outcome>> {
        let places = coming
            .iter()
            .map(|(bucket, file, _)| (bucket.id, file.path.as_str()));
        let mut tx = match self.alter(&places.collect::<Vec<_>>()).await {
            Ok(tx) => tx,
            // Of that, none is to blame: it would be the same for each.
            Err(error) => {
                let same = || Err(Uncommitted::Certainly(error.again().into()));
                return Ok(coming.iter().map(|_| same()).collect());
            }
        };
        let those = coming.iter().map(|(bucket, file, expect)| Coming {
            bucket,
            file: file.clone(),
            expect,
            aside: None,
            granted: false,
        });
        let Placed { outcomes, to_tell } = self.place_all(&mut tx, those.collect()).await?;
        if let Err(error) = tx.commit(to_tell).await {
            let same = || Err(Uncommitted::Perhaps(error.again().into()));
            return Ok(coming.iter().map(|_| same()).collect());
        }
        let outcomes = outcomes.into_iter();
        Ok(outcomes
            .map(|outcome| outcome.map_err(|error: Error| Uncommitted::Certainly(error)))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket::{AuthorisedBy, Storage};
    use base::Timestamp;

    fn waiting(bucket: BucketId, path: &str) -> Waiting {
        let described = Bucket {
            id: bucket,
            name: "b-1".parse().expect("a name"),
            storage: Storage::Disk {},
            hosts: Vec::new(),
            versions: false,
            public_read: false,
            by_role: true,
            authoriser: AuthorisedBy::Builtin,
            trash_seconds: 0,
            quota_bytes: None,
            quota_files: None,
            user_quota_bytes: None,
            redirect_above: None,
            created_at: Timestamp::from_micros(0),
        };
        Waiting {
            bucket: Arc::new(described),
            file: Files::file_for_test(bucket, path),
            expect: Expect::default(),
            done: oneshot::channel().0,
        }
    }

    fn paths(waiting: &[Waiting]) -> Vec<&str> {
        waiting.iter().map(|one| one.file.path.as_str()).collect()
    }

    #[test]
    fn those_of_one_bucket_go_together_each_at_a_path_of_its_own() {
        let (one, other) = (BucketId::new(), BucketId::new());
        let all = vec![
            waiting(one, "a"),
            waiting(other, "b"),
            waiting(one, "b"),
            waiting(one, "a"),
            waiting(one, "c"),
        ];
        let (together, rest) = split(all, one);
        assert_eq!(paths(&together), ["a", "b", "c"]);
        assert_eq!(paths(&rest), ["b", "a"]);
        let many = (0..MOST + 3).map(|number| waiting(one, &number.to_string()));
        let (together, rest) = split(many.collect(), one);
        assert_eq!((together.len(), rest.len()), (MOST, 3));
    }

    #[test]
    fn who_waits_is_told_when_the_work_ends_early() {
        let together = Together::default();
        let (done, mut told) = oneshot::channel();
        let mut one = waiting(BucketId::new(), "a");
        one.done = done;
        assert!(together.push(one));
        drop(Turn(Some(&together)));
        assert!(told.try_recv().is_err());
        assert!(
            together.push(waiting(BucketId::new(), "a")),
            "another begins"
        );
        assert!(!together.push(waiting(BucketId::new(), "b")));
    }
}
