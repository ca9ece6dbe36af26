//! The bus: short messages between the parts of Longshore and between replicas.
//!
//! In one process a message goes by memory; replicas on one Postgres also hear of
//! it by LISTEN and NOTIFY. A message is a hint and never the truth: who misses
//! one hears [`BusEvent::Reset`] instead and looks into the database. So whoever
//! says something need not wait for the others to be told: [`Bus::hint`].

mod outbox;

use crate::db::{Db, Pools};
use crate::{Error, Result};
use outbox::Outbox;
use sqlx::postgres::PgListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// How many messages a slow listener may be behind before it is told to look for itself.
const BACKLOG: usize = 1024;
const CHANNEL: &str = "longshore";
/// How long a lost connection waits before the next try.
const RECONNECT: Duration = Duration::from_secs(1);
/// What Postgres takes in one NOTIFY is 8,000 bytes.
const LONGEST: usize = 7_500;

/// What a listener hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusEvent {
    /// A message under a topic.
    Message {
        /// What it is about, such as `operation`.
        topic: Arc<str>,
        /// The message, in a form that the topic's owner knows.
        text: Arc<str>,
    },
    /// Messages may have been missed: whatever was cached may be old.
    Reset,
}

/// The bus. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Bus {
    node: Uuid,
    local: broadcast::Sender<BusEvent>,
    heard: watch::Receiver<bool>,
    db: Db,
    /// What waits to be told to other replicas, where there can be any.
    outbox: Option<Arc<Outbox>>,
}

/// One who listens.
#[derive(Debug)]
pub struct BusReceiver(broadcast::Receiver<BusEvent>);

impl BusReceiver {
    /// The next event. `None` when the bus is gone. Cancel-safe.
    pub async fn next(&mut self) -> Option<BusEvent> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(RecvError::Lagged(_)) => Some(BusEvent::Reset),
            Err(RecvError::Closed) => None,
        }
    }
}

impl Bus {
    /// Starts the bus. Its tasks belong to `tasks` and end with `stop`.
    #[must_use]
    pub fn start(db: &Db, tasks: &TaskTracker, stop: CancellationToken) -> Self {
        let (local, _) = broadcast::channel(BACKLOG);
        let (hears, heard) = watch::channel(true);
        let node = Uuid::now_v7();
        let mut outbox = None;
        if let Pools::Postgres(pool) = &db.pools {
            let waiting = Arc::new(Outbox::default());
            outbox = Some(Arc::clone(&waiting));
            tasks.spawn(outbox::run(waiting, db.clone(), node, stop.clone()));
            hears.send_replace(false);
            let listener = Listener {
                pool: pool.clone(),
                node,
                local: local.clone(),
                hears,
            };
            tasks.spawn(async move {
                stop.run_until_cancelled(listener.run()).await;
            });
        }
        Self {
            node,
            local,
            heard,
            db: db.clone(),
            outbox,
        }
    }

    /// Listens from now on.
    #[must_use]
    pub fn listen(&self) -> BusReceiver {
        BusReceiver(self.local.subscribe())
    }

    /// Whether messages of other replicas arrive now. While they don't, nothing
    /// that another replica may have changed should be answered from a cache.
    #[must_use]
    pub fn hears_others(&self) -> bool {
        *self.heard.borrow()
    }

    /// Tells everybody, this process at once, and other replicas as soon as may be,
    /// without waiting for it. Equal messages that still wait go out as one.
    pub fn hint(&self, topic: &str, text: &str) {
        self.tell_here(topic, text);
        if let Some(outbox) = &self.outbox {
            outbox.put(format!("{topic}\n{text}"));
        }
    }

    /// Tells everybody, this process at once, and waits until other replicas are told.
    ///
    /// # Errors
    /// When other replicas could not be told. This process has heard it all the same.
    pub async fn publish(&self, topic: &str, text: &str) -> Result<()> {
        self.tell_here(topic, text);
        if matches!(self.db.pools, Pools::Postgres(_)) {
            notify(&self.db, self.node, &format!("{topic}\n{text}")).await?;
        }
        Ok(())
    }

    fn tell_here(&self, topic: &str, text: &str) {
        // No listener is no error: then nobody caches anything.
        let _ = self.local.send(BusEvent::Message {
            topic: topic.into(),
            text: text.into(),
        });
    }
}

/// Tells other replicas: a topic and a text, one a line.
async fn notify(db: &Db, node: Uuid, message: &str) -> Result<()> {
    let payload = format!("{}\n{message}", node.simple());
    if payload.len() > LONGEST {
        return Err(Error::Database(sqlx::Error::Protocol(format!(
            "a bus message of {} bytes is too long",
            payload.len()
        ))));
    }
    db.all("SELECT pg_notify($1, $2)", crate::values![CHANNEL, payload])
        .await?;
    Ok(())
}

struct Listener {
    pool: sqlx::PgPool,
    node: Uuid,
    local: broadcast::Sender<BusEvent>,
    hears: watch::Sender<bool>,
}

impl Listener {
    async fn run(self) {
        loop {
            if let Err(error) = self.listen().await {
                tracing::warn!(%error, "the line to the other replicas is broken; connecting again");
            }
            self.hears.send_replace(false);
            tokio::time::sleep(RECONNECT).await;
        }
    }

    /// Listens until the connection breaks.
    async fn listen(&self) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.listen(CHANNEL).await?;
        self.hears.send_replace(true);
        let _ = self.local.send(BusEvent::Reset);
        while let Some(notification) = listener.try_recv().await? {
            self.pass_on(notification.payload());
        }
        Ok(())
    }

    fn pass_on(&self, payload: &str) {
        let mut parts = payload.splitn(3, '\n');
        let (Some(node), Some(topic), Some(text)) = (parts.next(), parts.next(), parts.next())
        else {
            return;
        };
        if node == self.node.simple().to_string() {
            return;
        }
        let event = if topic == outbox::LOST {
            BusEvent::Reset
        } else {
            BusEvent::Message {
                topic: topic.into(),
                text: text.into(),
            }
        };
        let _ = self.local.send(event);
    }
}
