//! The buckets that this process knows: all of them, read again when they change.
//!
//! Every request looks a bucket up, by its name or its host, so they are kept in
//! memory. A change is counted in the database, told on the bus, and the count is
//! looked at every second for who missed it; what must hold in spite of that (no file
//! in a deleted bucket) the database sees to.

use super::{AuthorisedBy, Bucket};
use crate::grant::{Grants, SharedGrants};
use crate::webhook::Webhook;
use crate::{Result, sql};
use base::BucketId;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use storage::{Bus, BusEvent, BusReceiver, Db};
use tokio_util::sync::CancellationToken;

/// The bus topic.
const TOPIC: &str = "buckets";
/// How often the count of changes is looked at.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
struct Snapshot {
    number: i64,
    by_name: HashMap<String, Arc<Bucket>>,
    by_id: HashMap<BucketId, Arc<Bucket>>,
    by_host: HashMap<String, Arc<Bucket>>,
    webhooks: HashMap<BucketId, Vec<Arc<Webhook>>>,
    grants: SharedGrants,
    /// Whether any of them asks somebody else.
    asks_elsewhere: bool,
}

/// The buckets. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Buckets {
    db: Db,
    bus: Bus,
    current: Arc<RwLock<Arc<Snapshot>>>,
}

impl Buckets {
    pub(crate) async fn open(db: Db, bus: Bus) -> Result<(Self, Listening)> {
        // It listens before it reads, so that no change falls in between.
        let heard = bus.listen();
        let buckets = Self {
            db,
            bus,
            current: Arc::default(),
        };
        buckets.refresh().await?;
        let listening = Listening {
            buckets: buckets.clone(),
            heard,
        };
        Ok((buckets, listening))
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn named(&self, name: &str) -> Option<Arc<Bucket>> {
        self.snapshot().by_name.get(name).cloned()
    }

    pub(crate) fn with_id(&self, id: BucketId) -> Option<Arc<Bucket>> {
        self.snapshot().by_id.get(&id).cloned()
    }

    /// The bucket of a host name in the form of [`super::host_name`].
    pub(crate) fn of_host(&self, host: &str) -> Option<Arc<Bucket>> {
        self.snapshot().by_host.get(host).cloned()
    }

    /// Whether somebody else decides in any of them.
    pub(crate) fn any_asks_elsewhere(&self) -> bool {
        self.snapshot().asks_elsewhere
    }

    /// Who is told of what happens in a bucket.
    pub(crate) fn webhooks(&self, bucket: BucketId) -> Vec<Arc<Webhook>> {
        let snapshot = self.snapshot();
        snapshot.webhooks.get(&bucket).cloned().unwrap_or_default()
    }

    /// Who is told of anything.
    pub(crate) fn all_webhooks(&self) -> Vec<Arc<Webhook>> {
        let snapshot = self.snapshot();
        snapshot.webhooks.values().flatten().cloned().collect()
    }

    pub(crate) fn grants(&self) -> SharedGrants {
        Arc::clone(&self.snapshot().grants)
    }

    /// All, by name.
    pub(crate) fn all(&self) -> Vec<Arc<Bucket>> {
        let mut all: Vec<_> = self.snapshot().by_name.values().cloned().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// Reads them again. Of two that read at once, the newer reading stays.
    pub(crate) async fn refresh(&self) -> Result<()> {
        let number = sql::bucket::changes(&self.db).await?;
        let mut snapshot = Snapshot {
            number,
            ..Snapshot::default()
        };
        snapshot.grants = Arc::new(Grants::new(sql::grant::all(&self.db).await?));
        for bucket in sql::bucket::all(&self.db).await? {
            let bucket = Arc::new(bucket);
            snapshot.asks_elsewhere |= bucket.authoriser == AuthorisedBy::Endpoint;
            for host in &bucket.hosts {
                snapshot.by_host.insert(host.clone(), Arc::clone(&bucket));
            }
            let name = bucket.name.as_str().to_owned();
            snapshot.by_name.insert(name, Arc::clone(&bucket));
            snapshot.by_id.insert(bucket.id, bucket);
        }
        for webhook in sql::event::webhooks(&self.db).await? {
            let webhook = Arc::new(webhook);
            let of_bucket = snapshot.webhooks.entry(webhook.bucket);
            of_bucket.or_default().push(webhook);
        }
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if snapshot.number >= current.number {
            *current = Arc::new(snapshot);
        }
        Ok(())
    }

    /// After a change: here at once, and elsewhere as soon as may be.
    pub(crate) async fn changed(&self) -> Result<()> {
        self.refresh().await?;
        self.bus.hint(TOPIC, "changed");
        Ok(())
    }

    async fn refresh_if_changed(&self) -> Result<()> {
        if sql::bucket::changes(&self.db).await? != self.snapshot().number {
            self.refresh().await?;
        }
        Ok(())
    }
}

/// What keeps the buckets fresh.
#[derive(Debug)]
pub(crate) struct Listening {
    buckets: Buckets,
    heard: BusReceiver,
}

impl Listening {
    /// Listens until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            let look = tokio::select! {
                () = stop.cancelled() => return,
                event = self.heard.next() => match event {
                    None => return,
                    Some(BusEvent::Reset) => true,
                    Some(BusEvent::Message { topic, .. }) => &*topic == TOPIC,
                },
                () = tokio::time::sleep(LOOK) => true,
            };
            if look && let Err(error) = self.buckets.refresh_if_changed().await {
                tracing::warn!(%error, "the buckets could not be read again");
            }
        }
    }
}
