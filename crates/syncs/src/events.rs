//! New files of a bucket start at once: what comes is noted and a pass is asked for.
//!
//! An event is a hint. What is lost is found by the next pass, which lists the bucket.

use crate::buckets::BucketNews;
use crate::operations::{PassInput, pass};
use crate::pass::sort;
use crate::source::bucket::found;
use crate::sql::delivery::Noting;
use crate::sync::Sync;
use crate::{Result, Syncs, sql};
use base::{Actor, Trigger};
use futures::stream::{self, BoxStream, StreamExt};
use std::collections::BTreeMap;
use std::time::Duration;
use storage::{BusEvent, BusReceiver};
use tokio_util::sync::CancellationToken;

/// The bus topic: syncs have changed.
const TOPIC: &str = "syncs";
/// What comes within this time is delivered by one pass.
const GATHER: Duration = Duration::from_millis(200);
/// Files that are gathered at once.
const MOST: usize = 1000;

/// Waits until syncs have changed, as far as this process hears of it.
async fn changed(bus: &mut BusReceiver) {
    loop {
        match bus.next().await {
            Some(BusEvent::Message { topic, .. }) if &*topic != TOPIC => {}
            Some(_) => return,
            None => std::future::pending().await,
        }
    }
}

impl Syncs {
    /// Tells this and other processes that a sync has changed.
    pub(crate) fn told(&self, sync: &Sync) {
        self.bus().hint(TOPIC, &sync.name);
    }

    /// Listens to what comes into buckets, until `stop`.
    ///
    /// # Errors
    /// Where this process has no buckets.
    pub fn listen(&self, stop: CancellationToken) -> Result<()> {
        let buckets = self.buckets()?;
        let syncs = self.clone();
        self.tasks().spawn(async move {
            let mut bus = syncs.bus().listen();
            loop {
                let fed = syncs.fed_from_buckets().await;
                // Watching buckets costs their writers something, so it is done where it is
                // of use.
                let news = if fed.is_empty() {
                    stream::pending().boxed()
                } else {
                    buckets.news()
                };
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = changed(&mut bus) => {}
                    () = syncs.watch(&fed, news) => return,
                }
            }
        });
        Ok(())
    }

    /// Has what comes delivered, as long as something does.
    async fn watch(&self, fed: &[Sync], mut news: BoxStream<'static, BucketNews>) {
        while let Some(first) = news.next().await {
            let mut all = vec![first];
            let gathering = async {
                while all.len() < MOST {
                    match news.next().await {
                        Some(more) => all.push(more),
                        None => return,
                    }
                }
            };
            let _ = tokio::time::timeout(GATHER, gathering).await;
            self.came(fed, &all).await;
        }
    }

    /// The syncs that buckets feed.
    async fn fed_from_buckets(&self) -> Vec<Sync> {
        match self.all().await {
            Ok(syncs) => syncs
                .into_iter()
                .filter(|sync| sync.bucket().is_some() && !sync.paused)
                .collect(),
            Err(error) => {
                tracing::warn!(%error, "syncs could not be read; new files wait for their schedules");
                Vec::new()
            }
        }
    }

    async fn came(&self, fed: &[Sync], news: &[BucketNews]) {
        for sync in fed {
            let Some((bucket, prefix)) = sync.bucket() else {
                continue;
            };
            let here = news.iter().filter(|one| one.bucket == bucket);
            let mut paths = BTreeMap::new();
            let mut whole = false;
            for one in here {
                match &one.path {
                    Some(path) if path.starts_with(prefix) => {
                        paths.insert(path.as_str(), ());
                    }
                    Some(_) => {}
                    None => whole = true,
                }
            }
            if paths.is_empty() && !whole {
                continue;
            }
            let paths: Vec<&str> = paths.into_keys().collect();
            if let Err(error) = self.start(sync, (bucket, &paths), whole).await {
                tracing::warn!(%error, sync = %sync.name, "new files wait for the next pass");
            }
        }
    }

    /// Notes what came, and has a pass deliver it without listing the bucket.
    async fn start(
        &self,
        sync: &Sync,
        (bucket, paths): (&str, &[&str]),
        whole: bool,
    ) -> Result<()> {
        let buckets = self.buckets()?;
        let now = self.now();
        let mut files = Vec::new();
        for path in paths {
            if let Some(file) = buckets.look(bucket, path).await? {
                files.push(found(file));
            }
        }
        let mut tx = self.db().begin().await?;
        let mut news = whole;
        for file in &files {
            let (target, unfit) = sort(&sync.rule.targets, file);
            let noting = Noting {
                found: file,
                unfit: unfit.as_deref(),
                target,
                read_at: now,
                now,
            };
            let noted = sql::delivery::note(&mut tx, sync.id, noting).await?;
            news |= noted && unfit.is_none();
        }
        if !news {
            return Ok(tx.commit().await?);
        }
        // What is not known of in particular is found by looking.
        let input = if whole {
            PassInput::of(sync)
        } else {
            PassInput::of_recorded(sync)
        };
        let new = pass(sync, &input, (Actor::system(), Trigger::System))?
            .key(format!("sync-new:{}", sync.id));
        let submitted = self.operations().submit_in(&mut tx, new).await?;
        tx.commit().await?;
        self.operations().announce(submitted);
        tracing::debug!(sync = %sync.name, files = files.len(), "new files");
        Ok(())
    }
}
