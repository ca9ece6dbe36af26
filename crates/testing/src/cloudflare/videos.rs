//! Stream: films by names that anybody may give twice.

use super::store::Store;
use super::uploads;
use super::wire::{Head, Reply};
use super::{ACCOUNT, Shared};
use data_encoding::BASE64;
use serde_json::{Map, Value, json};

/// The largest film, in bytes.
const MOST: u64 = 30_000_000_000;

pub(super) async fn create(head: &Head, shared: &Shared) -> Reply {
    if head.header("tus-resumable") != Some("1.0.0") {
        return Reply::error(412, 10004, "Tus-Resumable must be 1.0.0");
    }
    let length = head
        .header("upload-length")
        .and_then(|length| length.parse().ok());
    let Some(length) = length.filter(|length| *length <= MOST) else {
        return Reply::error(400, 10005, "Upload-Length is missing or too large");
    };
    let Some(meta) = metadata(head.header("upload-metadata").unwrap_or_default()) else {
        return Reply::error(400, 10005, "Upload-Metadata could not be decoded");
    };
    let creator = head.header("upload-creator").map(str::to_owned);
    if creator.as_ref().is_some_and(|creator| creator.len() > 64) {
        return Reply::error(400, 10005, "Upload-Creator is longer than 64 characters");
    }
    let behind = match &shared.behind {
        None => None,
        Some(url) => match uploads::make_behind(url, length).await {
            Ok(place) => Some(place),
            Err(error) => return Reply::text(502, &format!("the tus server: {error}")),
        },
    };
    let (uid, key) = shared.store.add_video(meta, length, creator, behind);
    let place = format!(
        "http://{}/tus/{uid}?tusv2=true&account={ACCOUNT}&key={key}",
        shared.uploads()
    );
    Reply::empty(201)
        .header("Location", place)
        .header("stream-media-id", uid)
        .header("Tus-Resumable", "1.0.0")
}

/// The pairs of `Upload-Metadata`; nothing where they are none.
fn metadata(text: &str) -> Option<Map<String, Value>> {
    let mut all = Map::new();
    for pair in text
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
    {
        let (name, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let value = BASE64.decode(value.as_bytes()).ok()?;
        all.insert(name.to_owned(), json!(String::from_utf8(value).ok()?));
    }
    Some(all)
}

fn missing() -> Reply {
    Reply::error(404, 10003, "Not Found: video not found")
}

pub(super) fn get(uid: &str, store: &Store) -> Reply {
    store.look_at(uid).map_or_else(missing, Reply::result)
}

pub(super) fn list(head: &Head, store: &Store) -> Reply {
    let (name, search) = (head.parameter("video_name"), head.parameter("search"));
    let videos = store.list_videos(|video| {
        name.as_ref().is_none_or(|name| video.name() == name)
            && search
                .as_ref()
                .is_none_or(|text| video.name().contains(text.as_str()))
    });
    let limit = head.parameter("limit").and_then(|limit| limit.parse().ok());
    let videos: Vec<_> = videos.into_iter().take(limit.unwrap_or(1000)).collect();
    Reply::result(Value::Array(videos))
}

pub(super) fn delete(uid: &str, store: &Store) -> Reply {
    if store.remove_video(uid) {
        Reply::empty(200)
    } else {
        missing()
    }
}
