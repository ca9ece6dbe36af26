//! What is done for a socket: an order read, submitted, abandoned, and its archive opened.

use super::Desk;
use crate::bundle::{NewBundle, Options};
use crate::request::{Order, SourcesWithin};
use access::Caller;
use base::{BundleId, OperationId};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// From this size on, a text is read on a blocking thread.
const LARGE: usize = 512 << 10;
/// How long what was made for a socket is kept, in seconds.
pub(super) const KEPT: u64 = 3600;

/// The order that a text is, if it is one.
pub(super) async fn read(text: Utf8Bytes, within: SourcesWithin) -> Option<Order> {
    if text.len() < LARGE {
        return Order::of(&text, within);
    }
    let read = tokio::task::spawn_blocking(move || Order::of(&text, within));
    read.await.ok().flatten()
}

/// Has an order made.
pub(super) async fn submit(desk: &Desk, caller: &Caller, order: Order) -> crate::Result<BundleId> {
    let new = NewBundle {
        name: None,
        sources: order.sources,
        options: Options {
            expires_in: Some(KEPT),
            ..Options::default()
        },
    };
    Ok(desk.bundles.create(new, caller, false).await?.id)
}

/// Cancels a bundle, unless somebody else follows its log or takes its archive in this
/// process. Who watches through another replica is not known here.
pub(super) async fn abandon(desk: &Desk, id: BundleId, caller: &Caller) {
    let (operations, operation) = (desk.bundles.operations(), OperationId::from(id));
    if operations.followers(operation) > 0 || desk.bundles.takers().any(id) {
        return;
    }
    if let Err(error) = operations.cancel(operation, &caller.actor()).await {
        tracing::debug!(%error, bundle = %id, "not cancelled after its socket closed");
    }
}

/// The archive of a bundle.
pub(super) async fn open(desk: &Desk, id: BundleId) -> crate::Result<storage::BlobFile> {
    let blob = desk.bundles.stored(id).await?.blob;
    Ok(desk
        .bundles
        .blobs()
        .read(blob.ok_or(crate::Error::Gone)?)
        .await?)
}
