//! The live socket, `/api/v1/live`: one WebSocket for all that a page watches.
//!
//! A client subscribes to topics and is told what changes. Every message carries a
//! number; after a broken connection the client subscribes again with the last one
//! it saw, and goes on without a gap or a repeat. Each subscription is a position
//! in what is stored: a slow client is behind, and nobody keeps a queue for it.
//!
//! Where a proxy passes no WebSockets on, `POST /api/v1/live/poll` says the same.

mod files;
mod follower;
mod messages;
mod poll;
mod session;
mod subscriptions;
mod unopened;

pub use files::{FileEvent, FileFeed, FileNews, FollowFiles, FollowedFiles, NotFollowed};

use crate::routes;
use crate::{Answer, AnswerTime, By, Requirement, RouteLimits, Routes, SettingsSource, Upgrade};
use access::{Access, Role, Scope};
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use messages::{FromClient, ToClient};
use operations::Operations;
use session::Session;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use unopened::Unopened;

/// The longest message of a client, in bytes.
const LONGEST: usize = 64 << 10;

/// The limits of one live socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveLimits {
    /// Topics that one socket may follow.
    pub subscriptions: usize,
    /// How often the other side is asked whether it lives. Proxies close after 60 s.
    pub ping: Duration,
    /// How long a message may take to be taken.
    pub send: Duration,
}

/// What sockets share.
#[derive(Clone, Debug)]
pub(crate) struct Hub {
    operations: Operations,
    files: Option<Arc<dyn FileFeed>>,
    access: Access,
    settings: SettingsSource,
    shutdown: CancellationToken,
    unopened: Arc<Unopened>,
}

impl Hub {
    /// The limits of who begins to watch now.
    fn limits(&self) -> LiveLimits {
        self.settings.borrow().live
    }

    /// The first message to everybody; `missing` is why there is no socket.
    fn hello(&self, missing: Vec<&'static str>) -> Bytes {
        let changed = self.operations.newest_change();
        ToClient::Hello { changed, missing }.encoded()
    }
}

/// The routes. Sockets are told when `shutdown` comes, and closed.
pub fn routes(
    operations: Operations,
    files: Option<Arc<dyn FileFeed>>,
    access: Access,
    settings: SettingsSource,
    shutdown: CancellationToken,
) -> Routes {
    let flows = RouteLimits::default().time(AnswerTime::OwnLimit).always();
    let sees = Requirement::Role(Role::Viewer, Scope::OperationsRead);
    Routes::new()
        .add_within(flows, sees, routes!(live))
        .add_within(flows, sees, routes!(poll::poll))
        .schema::<FromClient>()
        .schema::<ToClient>()
        .with_state(Hub {
            operations,
            files,
            access,
            settings,
            shutdown,
            unopened: Arc::default(),
        })
}

/// Watch live: a WebSocket that takes `FromClient` and gives `ToClient` messages.
#[utoipa::path(
    get, path = "/api/v1/live", tag = "operations",
    responses(
        (status = 101, description = "The socket."),
        (status = 426, description = "The request does not ask for a WebSocket, or a proxy does not pass it on.", body = crate::ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn live(State(hub): State<Hub>, By(caller): By, upgrade: Upgrade) -> Answer<Response> {
    hub.unopened.note(&caller, upgrade.lacking());
    let upgrade = upgrade.required()?;
    Ok(upgrade
        .max_message_size(LONGEST)
        .max_frame_size(LONGEST)
        // Beyond this much that the other side has not taken, sending waits.
        .write_buffer_size(16 << 10)
        .max_write_buffer_size(2 << 20)
        .on_upgrade(|socket| Session::new(hub, caller, socket).run()))
}
