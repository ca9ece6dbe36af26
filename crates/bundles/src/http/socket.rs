//! The protocol of 2020: a WebSocket that takes a JSON array of URLs and answers
//! with one text message for each finished file, and then with the ZIP.
//!
//! A message that is not an array comes back as it was. A second array while one is
//! made waits for its turn. The ZIP is one binary message below 64 MiB, in as many
//! frames as it takes, and a text message with a signed link above. When the socket
//! closes, what is made for it and watched by nobody else is cancelled, unless the
//! client asked to keep it (an object `{"urls": […], "keep": true}` instead of the
//! array).

mod outgoing;
mod queue;
mod session;
mod words;
mod work;

use super::{Desk, may_make};
use access::Caller;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Method, Uri};
use session::Session;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use web::{Answer, By, Client, FrameUpgrade, Upgrade};

/// The longest message taken: 100,000 addresses of 330 bytes.
const LONGEST: usize = 32 << 20;

/// The WebSocket of the protocol of 2020.
#[utoipa::path(
    get, path = "/ws", tag = "bundles",
    responses(
        (status = 101, description = "The socket."),
        (status = 426, description = "It is not an upgrade."),
    )
)]
pub(super) async fn bundle_socket(
    State(desk): State<Desk>,
    By(caller): By,
    client: Client,
    upgrade: Upgrade,
) -> Answer<Response> {
    Ok(open(desk, caller, client, upgrade.required_to_frames()?))
}

/// The console, or the WebSocket of 2020 when the request asks for an upgrade.
#[utoipa::path(
    get, path = "/", tag = "console",
    responses(
        (status = 200, description = "The console.", body = String, content_type = "text/html"),
        (status = 101, description = "The socket, for an upgrade."),
        (status = 401, description = "An upgrade by nobody.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "An upgrade by somebody who may not make bundles.", body = web::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn front_page(
    State(desk): State<Desk>,
    caller: Option<By>,
    client: Client,
    upgrade: Upgrade,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Answer<Response> {
    let Some(upgrade) = upgrade.to_frames() else {
        return Ok(web::console_page(&method, &uri, &headers));
    };
    let caller = may_make(caller.as_deref())?.clone();
    Ok(open(desk, caller, client, upgrade))
}

/// Whether a caller may do what both routes require, as long as the socket is open.
fn may_stay(caller: &Caller) -> bool {
    may_make(Some(caller)).is_ok()
}

fn open(desk: Desk, caller: Caller, client: Client, upgrade: FrameUpgrade) -> Response {
    let config = WebSocketConfig::default()
        .max_message_size(Some(LONGEST))
        .max_frame_size(Some(LONGEST))
        // What goes out is cut into pieces well below.
        .write_buffer_size(16 << 10)
        .max_write_buffer_size(4 << 20);
    upgrade.grant(config, |socket| {
        Session::new(desk, caller, client, socket).run()
    })
}
