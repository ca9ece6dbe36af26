//! New files of a bucket start at once: what comes is noted and a pass is asked for.
//!
//! Of each sync it is kept with what is noted up to which change that is. What a process that
//! died had heard and not noted, what could not be noted, and what came while nobody listened
//! is heard of again from there; who was missed too long looks through the bucket. So that
//! nobody is who has only heard nothing that concerns him, it is kept from time to time, too, up
//! to which change all of them have heard: once for all, since most of what comes concerns few.

use crate::buckets::{BucketNews, Buckets};
use crate::operations::{PassInput, pass};
use crate::pass::sort;
use crate::source::bucket::found;
use crate::sql::delivery::Noting;
use crate::sync::Sync;
use crate::target::Trouble;
use crate::{Result, Syncs, sql};
use base::{Actor, Trigger};
use futures::stream::{BoxStream, StreamExt};
use std::collections::BTreeSet;
use std::time::Duration;
use storage::{BusEvent, BusReceiver};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The bus topic: syncs have changed.
const TOPIC: &str = "syncs";
/// What comes within this time is delivered by one pass.
const GATHER: Duration = Duration::from_millis(200);
/// Files that are gathered at once.
const MOST: usize = 1000;
/// How long it takes until what could not be noted is heard of again.
const AGAIN: Duration = Duration::from_secs(5);
/// So often it is kept up to which change everything was heard.
const OFTEN: Duration = Duration::from_secs(2);

type News = BoxStream<'static, BucketNews>;

/// Why a stream of news is not listened to any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// No sync is fed by a bucket.
    NobodyFed,
    /// The server ends.
    NoMore,
}

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

/// Adds what comes within a moment.
async fn gather(news: &mut News, first: &mut BucketNews) {
    let gathering = async {
        while first.came.len() < MOST {
            match news.next().await {
                Some(more) => {
                    first.came.extend(more.came);
                    first.up_to = more.up_to;
                }
                None => return,
            }
        }
    };
    let _ = tokio::time::timeout(GATHER, gathering).await;
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
            stop.run_until_cancelled(syncs.hear(buckets.as_ref())).await;
        });
        Ok(())
    }

    async fn hear(&self, buckets: &dyn Buckets) {
        let mut bus = self.bus().listen();
        loop {
            match self.hear_on(buckets, &mut bus).await {
                // Watching buckets costs their writers something, so it is done where it is
                // of use.
                Ok(Ended::NobodyFed) => changed(&mut bus).await,
                Ok(Ended::NoMore) => return,
                Err(error) => {
                    tracing::warn!(%error, "new files of buckets could not be noted; trying again");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// Has what comes delivered, from where it was noted last.
    async fn hear_on(&self, buckets: &dyn Buckets, bus: &mut BusReceiver) -> Result<Ended> {
        let fed = self.fed().await?;
        let Some(least) = fed.iter().map(|(_, heard)| *heard).min() else {
            return Ok(Ended::NobodyFed);
        };
        let mut news = buckets.news(least);
        // Up to which change everything is heard, up to which that is kept, and since when.
        let (mut heard, mut kept, mut kept_at) = (least, least, Instant::now());
        loop {
            let mut came = BucketNews::default();
            tokio::select! {
                first = news.next() => match first {
                    Some(first) => came = first,
                    None => return Ok(Ended::NoMore),
                },
                () = changed(bus) => {}
                () = tokio::time::sleep_until(kept_at + OFTEN), if kept < heard => {}
            }
            if came != BucketNews::default() {
                gather(&mut news, &mut came).await;
                heard = came.up_to;
            }
            // Read after what came: whose sync was there before a file came is among them.
            let fed = self.fed().await?;
            if fed.is_empty() {
                return Ok(Ended::NobodyFed);
            }
            let mut failed = None;
            for (sync, heard) in &fed {
                // One that cannot be noted keeps none of the others from it.
                if let Err(error) = self.came((sync, *heard), &came, buckets).await {
                    failed.get_or_insert(error);
                }
            }
            if let Some(error) = failed {
                return Err(error);
            }
            if kept < heard && kept_at.elapsed() >= OFTEN {
                sql::sync::all_hear(self.db(), heard).await?;
                (kept, kept_at) = (heard, Instant::now());
            }
        }
    }

    /// The syncs that buckets feed, each with the change up to which all is noted of it.
    async fn fed(&self) -> Result<Vec<(Sync, u64)>> {
        let mut fed = sql::sync::awake(self.db()).await?;
        fed.retain(|(sync, _)| sync.bucket().is_some());
        Ok(fed)
    }

    /// Notes what came that a sync has not heard of, and has a pass deliver it without
    /// listing the bucket.
    async fn came(
        &self,
        (sync, heard): (&Sync, u64),
        news: &BucketNews,
        buckets: &dyn Buckets,
    ) -> Result<()> {
        let Some((bucket, prefix)) = sync.bucket() else {
            return Ok(());
        };
        let came = news.came.iter();
        let here = came.filter(|one| one.bucket == bucket && one.number > heard);
        let mut paths = BTreeSet::new();
        let mut whole = false;
        for one in here {
            match &one.path {
                Some(path) if path.starts_with(prefix) => {
                    paths.insert(path.as_str());
                }
                Some(_) => {}
                None => whole = true,
            }
        }
        if paths.is_empty() && !whole {
            return Ok(());
        }
        let mut files = Vec::new();
        for path in paths {
            match buckets.look(bucket, path).await {
                Ok(Some(file)) => files.push(found(file)),
                // It is gone again, or its bucket is.
                Ok(None) | Err(Trouble::Refused { .. } | Trouble::Everything { .. }) => {}
                Err(trouble) => return Err(trouble.into()),
            }
        }
        let now = self.now();
        let mut tx = self.db().begin().await?;
        // The sync before its deliveries, as whoever changes its rule does: otherwise each
        // could wait for the other.
        sql::sync::hear(&mut tx, sync.id, news.up_to).await?;
        let mut is_new = whole;
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
            if !noted {
                sql::delivery::stir(&mut tx, sync.id, file).await?;
            }
            is_new |= noted && unfit.is_none();
        }
        if !is_new {
            return Ok(tx.commit().await?);
        }
        // What is not known of in particular is found by looking. The keys are two, so that
        // neither takes the place of the other while it waits.
        let (input, key) = if whole {
            (PassInput::of(sync), sync.pass_key())
        } else {
            let key = format!("sync-new:{}", sync.id);
            (PassInput::of_news(sync), key)
        };
        let new = pass(sync, &input, (Actor::system(), Trigger::System))?.key(key);
        let submitted = self.operations().submit_in(&mut tx, new).await?;
        tx.commit().await?;
        self.operations().announce(submitted);
        tracing::debug!(sync = %sync.name, files = files.len(), "new files");
        Ok(())
    }
}
