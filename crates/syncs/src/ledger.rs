//! Writes of the deliveries of one pass, as many in one transaction as come at the same
//! time: a file is recorded several times on its way, and every transaction waits for the
//! disk.

use storage::{Db, Error, Result, Value};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;

/// Writes that wait, and that go together, at most.
const MOST: usize = 128;

/// One statement, and who waits for it to be kept.
struct Entry {
    sql: &'static str,
    values: Vec<Value>,
    done: oneshot::Sender<Result<bool>>,
}

/// Keeps what is written, durably, before it says so.
#[derive(Debug)]
pub(crate) struct Ledger {
    entries: mpsc::Sender<Entry>,
    _keeping: AbortOnDropHandle<()>,
}

impl Ledger {
    pub(crate) fn open(db: Db) -> Self {
        let (entries, waiting) = mpsc::channel(MOST);
        Self {
            entries,
            _keeping: AbortOnDropHandle::new(tokio::spawn(keep(db, waiting))),
        }
    }

    /// Runs a statement that changes one row or none; whether it did.
    pub(crate) async fn write(&self, sql: &'static str, values: Vec<Value>) -> Result<bool> {
        let (done, told) = oneshot::channel();
        let entry = Entry { sql, values, done };
        self.entries.send(entry).await.map_err(|_| Error::Stopped)?;
        told.await.map_err(|_| Error::Stopped)?
    }
}

async fn keep(db: Db, mut waiting: mpsc::Receiver<Entry>) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, MOST).await > 0 {
        if batch.len() > 1 && together(&db, &mut batch).await {
            continue;
        }
        // One that cannot be written must not keep the others from it.
        for entry in batch.drain(..) {
            let done = db.execute(entry.sql, entry.values).await;
            // Who does not wait any more has been told to stop.
            let _ = entry.done.send(done.map(|changed| changed == 1));
        }
    }
}

/// Writes all of a batch at once; whether that went well. Then it is empty.
async fn together(db: &Db, batch: &mut Vec<Entry>) -> bool {
    let written = async {
        let mut tx = db.begin().await?;
        let mut changed = Vec::with_capacity(batch.len());
        for entry in batch.iter() {
            changed.push(tx.execute(entry.sql, entry.values.clone()).await? == 1);
        }
        tx.commit().await?;
        Ok::<_, Error>(changed)
    };
    let Ok(changed) = written.await else {
        return false;
    };
    for (entry, changed) in batch.drain(..).zip(changed) {
        let _ = entry.done.send(Ok(changed));
    }
    true
}
