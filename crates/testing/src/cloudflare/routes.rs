//! Which request asks for what.

use super::faults::Step;
use super::wire::{Connection, Head, Reply, decoded};
use super::{ACCOUNT, Host, Shared, images, uploads, videos};
use serde_json::json;
use std::io;

/// What is asked for, with what names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    VerifyToken,
    BatchToken,
    ImageCreate,
    ImageGet(String),
    ImageBlob(String),
    ImageDelete(String),
    ImageList,
    ImageStats,
    VideoCreate,
    VideoGet(String),
    VideoList,
    VideoDelete(String),
    UploadHead(String),
    UploadPatch(String),
    Nowhere,
}

impl Route {
    pub(super) const fn step(&self) -> Step {
        match self {
            Self::VerifyToken => Step::VerifyToken,
            Self::BatchToken => Step::BatchToken,
            Self::ImageCreate => Step::ImageCreate,
            Self::ImageGet(_) => Step::ImageGet,
            Self::ImageBlob(_) => Step::ImageBlob,
            Self::ImageDelete(_) => Step::ImageDelete,
            Self::ImageList => Step::ImageList,
            Self::VideoCreate => Step::VideoCreate,
            Self::VideoGet(_) => Step::VideoGet,
            Self::VideoList => Step::VideoList,
            Self::VideoDelete(_) => Step::VideoDelete,
            Self::UploadHead(_) => Step::UploadHead,
            Self::UploadPatch(_) => Step::UploadPatch,
            Self::ImageStats | Self::Nowhere => Step::Other,
        }
    }
}

pub(super) fn route(host: Host, head: &Head) -> Route {
    let path: Vec<&str> = head.path.split('/').skip(1).collect();
    match (host, path.as_slice()) {
        (Host::Api, ["client", "v4", "user", "tokens", "verify"]) => Route::VerifyToken,
        (Host::Api, ["client", "v4", "accounts", account, rest @ ..]) if *account == ACCOUNT => {
            in_account(&head.method, rest)
        }
        (Host::Batch, ["images", ..]) => in_account(&head.method, &path),
        (Host::Uploads, ["tus", uid]) => match head.method.as_str() {
            "HEAD" => Route::UploadHead(decoded(uid)),
            "PATCH" => Route::UploadPatch(decoded(uid)),
            _ => Route::Nowhere,
        },
        _ => Route::Nowhere,
    }
}

fn in_account(method: &str, path: &[&str]) -> Route {
    match (method, path) {
        ("GET", ["tokens", "verify"]) => Route::VerifyToken,
        ("GET", ["images", "v1", "batch_token"]) => Route::BatchToken,
        ("GET", ["images", "v1", "stats"]) => Route::ImageStats,
        ("POST", ["images", "v1"]) => Route::ImageCreate,
        ("GET", ["images", "v1", id]) => Route::ImageGet(decoded(id)),
        ("GET", ["images", "v1", id, "blob"]) => Route::ImageBlob(decoded(id)),
        ("DELETE", ["images", "v1", id]) => Route::ImageDelete(decoded(id)),
        ("GET", ["images", "v2"]) => Route::ImageList,
        ("POST", ["stream"]) => Route::VideoCreate,
        ("GET", ["stream"]) => Route::VideoList,
        ("GET", ["stream", uid]) => Route::VideoGet(decoded(uid)),
        ("DELETE", ["stream", uid]) => Route::VideoDelete(decoded(uid)),
        _ => Route::Nowhere,
    }
}

/// Does what is asked for. An error is a client that left in the middle.
pub(super) async fn act(
    route: &Route,
    head: &Head,
    connection: &mut Connection,
    shared: &Shared,
) -> io::Result<Reply> {
    match route {
        Route::ImageCreate => return images::create(head, connection, shared).await,
        Route::UploadPatch(uid) => {
            return uploads::take(uid, head, connection, shared, None).await;
        }
        _ => connection.discard().await?,
    }
    let store = &shared.store;
    Ok(match route {
        Route::VerifyToken => Reply::result(json!({ "id": ACCOUNT, "status": "active" })),
        Route::BatchToken => match store.batch_token() {
            Some(token) => Reply::result(json!({
                "token": token, "expiresAt": "2099-08-09T15:33:56.273411222Z",
            })),
            None => Reply::error(403, 5403, "The account is not authorized to use batches"),
        },
        Route::ImageStats => Reply::result(json!({
            "count": { "allowed": 100_000, "current": store.images().len() },
        })),
        Route::ImageGet(id) => images::get(id, store),
        Route::ImageBlob(id) => images::blob(id, store),
        Route::ImageDelete(id) => images::delete(id, store),
        Route::ImageList => images::list(head, store),
        Route::VideoCreate => videos::create(head, shared).await,
        Route::VideoGet(uid) => videos::get(uid, store),
        Route::VideoList => videos::list(head, store),
        Route::VideoDelete(uid) => videos::delete(uid, store),
        Route::UploadHead(uid) => uploads::standing(uid, head, shared).await,
        Route::Nowhere | Route::ImageCreate | Route::UploadPatch(_) => Reply::error(
            404,
            7003,
            "Could not route to the path, perhaps your object identifier is invalid?",
        ),
    })
}
