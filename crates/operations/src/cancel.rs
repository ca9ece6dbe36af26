//! Asking operations to end: one, the children of one, and those whose parent ended
//! with nobody left to ask.

use crate::engine::Engine;
use crate::running::Stop;
use crate::{Result, messages, sql};
use base::OperationId;

/// Why children of an operation end that did not succeed.
const WITH_PARENT: &str = "cancelled with the operation that started it";

/// What became of asking for an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It waited, and has ended.
    Ended,
    /// It runs, and will end.
    Runs,
    /// It had ended, or there is none.
    TooLate,
}

impl Engine {
    /// Ends one that waits, and asks one that runs to end. The reason is recorded with
    /// it, and shown when it has ended.
    pub(crate) async fn ask_to_end(&self, id: OperationId, reason: &str) -> Result<Asked> {
        let mut tx = self.db.begin().await?;
        let asked = if sql::end::cancel_queued(&mut tx, id, reason, self.clock.now()).await? {
            Asked::Ended
        } else if sql::end::request_cancel(&mut tx, id, reason).await? {
            Asked::Runs
        } else {
            return Ok(Asked::TooLate);
        };
        tx.commit().await?;
        self.changes.wake();
        match self.running.get(id) {
            Some(running) => running.stop(Stop::Cancel),
            None if asked == Asked::Runs => messages::cancel(&self.bus, id),
            None => {}
        }
        self.logs.wake(id);
        // Others may wait for its key or its place.
        self.queued.notify_one();
        messages::changed(&self.bus);
        Ok(asked)
    }

    /// Cancels the children of an operation that did not succeed, and theirs. What is
    /// missed here is found by [`Engine::cancel_abandoned`].
    pub(crate) async fn cancel_children(&self, parent: OperationId) {
        let mut parents = vec![parent];
        while let Some(parent) = parents.pop() {
            match self.cancel_children_of(parent).await {
                Ok(ended) => parents.extend(ended),
                Err(error) => {
                    tracing::warn!(%error, %parent, "the children could not be cancelled yet");
                    return;
                }
            }
        }
    }

    /// Which of them ended at once: their children are left. One that runs sees to
    /// its own at its end.
    async fn cancel_children_of(&self, parent: OperationId) -> Result<Vec<OperationId>> {
        let mut ended = Vec::new();
        for child in sql::end::unfinished_children(&self.db, parent).await? {
            if self.ask_to_end(child, WITH_PARENT).await? == Asked::Ended {
                ended.push(child);
            }
        }
        Ok(ended)
    }

    /// Cancels the children of all that ended without success and whose worker did not
    /// live to do it.
    pub(crate) async fn cancel_abandoned(&self) -> Result<()> {
        loop {
            let children = sql::end::abandoned_children(&self.db).await?;
            if children.is_empty() {
                return Ok(());
            }
            for child in children {
                self.ask_to_end(child, WITH_PARENT).await?;
            }
        }
    }
}
