//! What was begun in parts in a store and is not whole yet: whoever remembers it can give
//! it up after a crash. A store cannot be asked for that: it lists what others began, too.

use super::ObjectStore;
use std::fmt;
use std::sync::Arc;

/// Remembers what is begun in parts. It is told after the store has begun and after it has
/// ended; of a crash in between, the store's own rule for unfinished uploads takes care.
#[async_trait::async_trait]
pub trait Ledger: fmt::Debug + Send + Sync {
    /// The store takes parts of `key` from now on, under this id.
    async fn begun(&self, key: &str, id: &str);

    /// It is an object, or it was given up.
    async fn ended(&self, id: &str);
}

impl ObjectStore {
    /// Has it remembered what is begun in parts. Only the first one counts.
    #[must_use]
    pub fn remembered_by(self, ledger: Arc<dyn Ledger>) -> Self {
        let _ = self.0.ledger.set(ledger);
        self
    }

    pub(super) async fn has_begun(&self, key: &str, id: &str) {
        if let Some(ledger) = self.0.ledger.get() {
            ledger.begun(key, id).await;
        }
    }

    pub(super) async fn has_ended(&self, id: &str) {
        if let Some(ledger) = self.0.ledger.get() {
            ledger.ended(id).await;
        }
    }
}
