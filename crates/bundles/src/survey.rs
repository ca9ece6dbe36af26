//! Asking every source for its head, before any body is fetched.

use crate::gather::{About, Gather, Miss};
use futures::stream::{self, StreamExt};

/// What every source said of itself, in the order of the sources.
pub(crate) type Survey = Vec<(usize, Result<About, Miss>)>;

/// Asks every source for its head.
pub(crate) async fn survey(gather: &Gather) -> Survey {
    stream::iter(0..gather.sources.len())
        .map(async |index| (index, gather.head(index).await))
        .buffered(gather.concurrent)
        .collect()
        .await
}
