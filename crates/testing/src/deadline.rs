//! Limits for tests: nothing in a test waits for ever.

use std::time::Duration;

/// How long a test waits for one thing, unless it says otherwise. Generous, since a
/// loaded machine is no failure; what must be quick is measured by benchmarks.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Awaits `work` for at most a minute.
///
/// # Panics
/// When the time is up, saying that it waited for `what`.
pub async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done,
        Err(_) => panic!("waited {} seconds for {what}", PATIENCE.as_secs()),
    }
}
