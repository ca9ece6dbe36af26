//! What a film that others put into a store says of itself, where that stands far from its
//! beginning. Of what comes through this server it is seen as it passes.

use crate::file::{File, Object};
use crate::media::{self, movie};
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::io::Cursor;
use std::ops::Range;
use std::time::Duration;
use storage::ObjectStore;

/// How long it is looked for. A file of which it is not found in time is stored without it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Notes what the store's own bytes of a film say of it, where what it begins with does not
/// tell all.
pub(super) async fn look(store: &ObjectStore, file: &mut File, beginning: &Bytes) {
    let Some(object) = &file.object else { return };
    if !file.sniffed_type.starts_with("video/") || file.size <= beginning.len() as u64 {
        return;
    }
    let fetch = |range| piece(store, object, range);
    let found = movie::without_pictures(beginning, file.size, fetch);
    let found = tokio::time::timeout(PATIENCE, found).await;
    if let Ok(Some(film)) = found {
        media::look(Cursor::new(film)).await.describe(file);
    }
}

/// A part of an object; nothing where it cannot be read, as it is a hint only.
fn piece<'a>(
    store: &'a ObjectStore,
    object: &'a Object,
    range: Range<u64>,
) -> BoxFuture<'a, Option<Bytes>> {
    async move {
        super::observe::part(store, &object.key, &object.etag, range)
            .await
            .inspect_err(|error| tracing::debug!(%error, "a film could not be looked at"))
            .ok()
    }
    .boxed()
}
