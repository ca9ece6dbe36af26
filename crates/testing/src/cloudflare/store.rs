//! What the double has: pictures and films, by their digests.

use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Pictures of up to so many bytes can be asked for again.
const KEPT: usize = 64 * 1024;

/// A picture that the double has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredImage {
    /// Its id.
    pub id: String,
    /// The file name that it came with.
    pub filename: String,
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 of its content, in hexadecimal.
    pub sha256: String,
    /// What is kept beside it.
    pub meta: Value,
    /// Whether it requires signed URLs.
    pub signed: bool,
    /// Who made it.
    pub creator: Option<String>,
}

/// A film that the double has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredVideo {
    /// Its id.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// What is kept beside it.
    pub meta: Value,
    /// How many bytes it shall have.
    pub length: u64,
    /// How many have come.
    pub received: u64,
    /// The SHA-256 of those that have come here, in hexadecimal.
    pub sha256: String,
    /// How far it is, in Cloudflare's words.
    pub state: &'static str,
    /// Where its content is, if it is behind the double.
    pub behind: Option<String>,
    /// Who made it.
    pub creator: Option<String>,
}

pub(super) struct Image {
    pub(super) stored: StoredImage,
    content: Option<Vec<u8>>,
    number: usize,
}

pub(super) struct Video {
    pub(super) uid: String,
    pub(super) meta: Map<String, Value>,
    pub(super) length: u64,
    pub(super) received: u64,
    pub(super) creator: Option<String>,
    pub(super) behind: Option<String>,
    /// What allows to write to it.
    pub(super) key: String,
    hash: Sha256,
    locked: bool,
    /// How often it was looked at since it has come.
    looks: u32,
    failed: Option<String>,
    /// How long it takes until it is ready, and when it had come.
    ready_after: Duration,
    came: Option<Instant>,
}

#[derive(Default)]
struct Inner {
    images: BTreeMap<String, Image>,
    made: usize,
    videos: Vec<Video>,
    looks_until_ready: u32,
    ready_after: Duration,
    refuse: Option<String>,
    no_batches: bool,
    batch_tokens: Vec<String>,
}

#[derive(Default)]
pub(super) struct Store(Mutex<Inner>);

/// Whether something was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    New,
    Exists,
}

impl Store {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn images(&self) -> Vec<StoredImage> {
        let inner = self.inner();
        inner
            .images
            .values()
            .map(|image| image.stored.clone())
            .collect()
    }

    pub(super) fn videos(&self) -> Vec<StoredVideo> {
        self.inner().videos.iter().map(Video::stored).collect()
    }

    pub(super) fn looks_until_ready(&self, looks: u32) {
        self.inner().looks_until_ready = looks;
    }

    pub(super) fn ready_after(&self, time: Duration) {
        self.inner().ready_after = time;
    }

    pub(super) fn refuse_films(&self, reason: &str) {
        self.inner().refuse = Some(reason.to_owned());
    }

    pub(super) fn spoil_film(&self, uid: &str, reason: &str) {
        self.with_video(uid, |video| video.failed = Some(reason.to_owned()));
    }

    pub(super) fn has_batches(&self, has: bool) {
        self.inner().no_batches = !has;
    }

    pub(super) fn end_batch_tokens(&self) {
        self.inner().batch_tokens.clear();
    }

    /// A new token for batches, where there are any.
    pub(super) fn batch_token(&self) -> Option<String> {
        let mut inner = self.inner();
        if inner.no_batches {
            return None;
        }
        let token = format!("batch-{}", id());
        inner.batch_tokens.push(token.clone());
        Some(token)
    }

    pub(super) fn takes_batch_token(&self, token: &str) -> bool {
        self.inner().batch_tokens.iter().any(|known| known == token)
    }

    pub(super) fn put_image(&self, id: &str, content: &[u8], meta: Value) {
        self.add_image(
            StoredImage {
                id: id.to_owned(),
                filename: "theirs".to_owned(),
                size: content.len() as u64,
                sha256: String::new(),
                meta,
                signed: false,
                creator: None,
            },
            content,
        );
    }

    /// Adds a picture unless its id is taken.
    pub(super) fn add_image(&self, mut image: StoredImage, content: &[u8]) -> Added {
        let mut inner = self.inner();
        if inner.images.contains_key(&image.id) {
            return Added::Exists;
        }
        image.sha256 = HEXLOWER.encode(&Sha256::digest(content));
        let number = inner.made;
        inner.made += 1;
        inner.images.insert(
            image.id.clone(),
            Image {
                stored: image,
                content: (content.len() <= KEPT).then(|| content.to_vec()),
                number,
            },
        );
        Added::New
    }

    pub(super) fn image(&self, id: &str) -> Option<StoredImage> {
        self.inner()
            .images
            .get(id)
            .map(|image| image.stored.clone())
    }

    pub(super) fn blob(&self, id: &str) -> Option<Vec<u8>> {
        self.inner().images.get(id)?.content.clone()
    }

    pub(super) fn remove_image(&self, id: &str) -> bool {
        self.inner().images.remove(id).is_some()
    }

    /// The newest first.
    pub(super) fn images_by_age(&self) -> Vec<StoredImage> {
        let inner = self.inner();
        let mut images: Vec<_> = inner.images.values().collect();
        images.sort_by_key(|image| std::cmp::Reverse(image.number));
        images
            .into_iter()
            .map(|image| image.stored.clone())
            .collect()
    }

    pub(super) fn put_video(&self, name: &str, content: &[u8]) -> String {
        let meta = Map::from_iter([("name".to_owned(), json!(name))]);
        let length = content.len() as u64;
        let uid = self.add_video(meta, length, None, None).0;
        self.take_piece(&uid, content);
        uid
    }

    /// Makes a film; its id and what allows to write to it.
    pub(super) fn add_video(
        &self,
        meta: Map<String, Value>,
        length: u64,
        creator: Option<String>,
        behind: Option<String>,
    ) -> (String, String) {
        let mut inner = self.inner();
        let (failed, ready_after) = (inner.refuse.clone(), inner.ready_after);
        let (uid, key) = (id(), id());
        inner.videos.push(Video {
            uid: uid.clone(),
            meta,
            length,
            received: 0,
            creator,
            behind,
            key: key.clone(),
            hash: Sha256::new(),
            locked: false,
            looks: 0,
            failed,
            ready_after,
            came: None,
        });
        (uid, key)
    }

    /// What is made of a film, if there is one with this id.
    pub(super) fn with_video<T>(&self, uid: &str, of: impl FnOnce(&mut Video) -> T) -> Option<T> {
        let mut inner = self.inner();
        let video = inner.videos.iter_mut().find(|video| video.uid == uid)?;
        Some(of(video))
    }

    /// A film as Cloudflare shows it to somebody who looks.
    pub(super) fn look_at(&self, uid: &str) -> Option<Value> {
        let until = self.inner().looks_until_ready;
        self.with_video(uid, |video| {
            if video.received == video.length {
                video.looks += 1;
            }
            video.shown(until)
        })
    }

    pub(super) fn list_videos(&self, wanted: impl Fn(&Video) -> bool) -> Vec<Value> {
        let inner = self.inner();
        let until = inner.looks_until_ready;
        let wanted = inner.videos.iter().rev().filter(|video| wanted(video));
        wanted.map(|video| video.shown(until)).collect()
    }

    pub(super) fn remove_video(&self, uid: &str) -> bool {
        let mut inner = self.inner();
        let before = inner.videos.len();
        inner.videos.retain(|video| video.uid != uid);
        inner.videos.len() < before
    }

    pub(super) fn take_piece(&self, uid: &str, piece: &[u8]) {
        self.with_video(uid, |video| {
            video.hash.update(piece);
            video.received += piece.len() as u64;
            if video.received == video.length {
                video.came = Some(Instant::now());
            }
        });
    }

    /// Locks an upload for one request; nothing where another has it.
    pub(super) fn lock<'a>(&'a self, uid: &'a str) -> Option<Locked<'a>> {
        let taken = self.with_video(uid, |video| std::mem::replace(&mut video.locked, true))?;
        (!taken).then_some(Locked { store: self, uid })
    }
}

/// An upload that nobody else writes to.
pub(super) struct Locked<'a> {
    store: &'a Store,
    uid: &'a str,
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.store
            .with_video(self.uid, |video| video.locked = false);
    }
}

impl Video {
    pub(super) fn name(&self) -> &str {
        self.meta
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    fn state(&self, until: u32) -> &'static str {
        match self.looks {
            _ if self.received < self.length => "pendingupload",
            _ if self.failed.is_some() => "error",
            _ if self.is_worked_on() => "inprogress",
            0 if until > 0 => "queued",
            looks if looks <= until && until > 0 => "inprogress",
            _ => "ready",
        }
    }

    /// Whether its time until it is ready is not over.
    fn is_worked_on(&self) -> bool {
        let came = self.came.filter(|_| !self.ready_after.is_zero());
        came.is_some_and(|came| came.elapsed() < self.ready_after)
    }

    fn stored(&self) -> StoredVideo {
        StoredVideo {
            uid: self.uid.clone(),
            name: self.name().to_owned(),
            meta: Value::Object(self.meta.clone()),
            length: self.length,
            received: self.received,
            sha256: HEXLOWER.encode(&self.hash.clone().finalize()),
            state: self.state(0),
            behind: self.behind.clone(),
            creator: self.creator.clone(),
        }
    }

    /// As Cloudflare shows it.
    fn shown(&self, until: u32) -> Value {
        let state = self.state(until);
        let host = "https://customer-x.cloudflarestream.com";
        let uid = &self.uid;
        let mut status = json!({ "state": state, "errorReasonCode": "", "errorReasonText": "" });
        if state == "error" {
            status["errorReasonCode"] = json!("ERR_NON_VIDEO");
            status["errorReasonText"] = json!(self.failed);
        }
        if state == "inprogress" {
            status["pctComplete"] = json!("51");
        }
        // Before it has come its size is not known.
        let size = if state == "pendingupload" {
            0
        } else {
            self.length
        };
        json!({
            "uid": uid,
            "creator": self.creator,
            "thumbnail": format!("{host}/{uid}/thumbnails/thumbnail.jpg"),
            "thumbnailTimestampPct": 0,
            "readyToStream": state == "ready",
            "status": status,
            "meta": self.meta,
            "created": "2026-01-01T00:00:00.000000Z",
            "modified": "2026-01-01T00:00:00.000000Z",
            "uploaded": "2026-01-01T00:00:00.000000Z",
            "scheduledDeletion": null,
            "size": size,
            "preview": format!("{host}/{uid}/watch"),
            "allowedOrigins": [],
            "requireSignedURLs": self.meta.contains_key("requiresignedurls"),
            "uploadExpiry": null,
            "maxSizeBytes": null,
            "maxDurationSeconds": null,
            "duration": -1,
            "input": { "width": -1, "height": -1 },
            "playback": {
                "hls": format!("{host}/{uid}/manifest/video.m3u8"),
                "dash": format!("{host}/{uid}/manifest/video.mpd"),
            },
            "watermark": null,
            "clippedFrom": null,
            "publicDetails": null,
        })
    }
}

/// An id as Cloudflare makes them: 32 hexadecimal digits.
pub(super) fn id() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}
