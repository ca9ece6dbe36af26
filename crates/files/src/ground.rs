//! What has to be there before files are.

use access::Access;
use base::SharedClock;
use fetch::Client;
use storage::{Blobs, Bus, Db};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What files stand on.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The catalogue's database.
    pub db: Db,
    /// Where bytes lie, of files alone.
    pub blobs: Blobs,
    /// How replicas hear of changes.
    pub bus: Bus,
    /// Who is who.
    pub access: Access,
    /// How others are told of what happens.
    pub client: Client,
    /// What time it is.
    pub clock: SharedClock,
    /// Owns what runs in the background.
    pub tasks: TaskTracker,
    /// Ends it.
    pub stop: CancellationToken,
}
