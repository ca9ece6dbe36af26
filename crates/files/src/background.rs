//! What goes on also when nobody waits for it any more: a client that leaves, or whose patience
//! ends, leaves nothing half-done. It ends with the program.

use crate::{Files, Result};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What is nearly done when the program ends may still be done in this time, which is less than
/// the program waits for it.
const LAST: Duration = Duration::from_secs(5);

impl Files {
    /// Does something to its end, or until the program ends. Who stops waiting for it does not
    /// stop it.
    ///
    /// # Errors
    /// Its own, and [`storage::Error::Stopped`].
    pub(crate) async fn in_the_background<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        // In a box of its own: what copies a file is large, and would lie on the stack several
        // times on its way into the task.
        let work = unless_over(self.stop(), Box::pin(work));
        let done = self.tasks().spawn(work).await;
        done.ok().flatten().ok_or(storage::Error::Stopped)?
    }
}

/// What something comes to; nothing when the program ends before it does.
pub(crate) async fn unless_over<T>(
    stop: CancellationToken,
    work: impl Future<Output = T>,
) -> Option<T> {
    let is_over = async {
        stop.cancelled().await;
        tokio::time::sleep(LAST).await;
    };
    tokio::select! {
        biased;
        done = work => Some(done),
        () = is_over => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_ends_by_itself_ends_and_nothing_outlives_the_program() {
        let stop = CancellationToken::new();
        assert_eq!(unless_over(stop.clone(), async { 1 }).await, Some(1));
        stop.cancel();
        let nearly = async {
            tokio::time::sleep(LAST / 2).await;
            2
        };
        assert_eq!(unless_over(stop.clone(), nearly).await, Some(2));
        let never = std::future::pending::<u8>();
        assert_eq!(unless_over(stop, never).await, None);
    }
}
