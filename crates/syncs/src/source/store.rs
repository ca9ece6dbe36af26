//! Objects of an S3-compatible store.

use super::{Found, LookedAt, Source, SourcePage};
use crate::target::{Checked, Content, Trouble};
use crate::trouble;
use async_trait::async_trait;
use base::Timestamp;
use futures::stream::{self, StreamExt, TryStreamExt};
use std::collections::BTreeMap;
use std::time::Duration;
use storage::{Answered, ObjectError, ObjectStore, ObjectSummary};

/// How long an address for others is good.
const LINK: Duration = Duration::from_secs(3600);
/// Objects that are looked for at once.
const LOOKS: usize = 16;

/// A store.
#[derive(Clone, Debug)]
pub(crate) struct StoreSource {
    store: ObjectStore,
}

impl StoreSource {
    pub(crate) const fn new(store: ObjectStore) -> Self {
        Self { store }
    }

    pub(crate) const fn store(&self) -> &ObjectStore {
        &self.store
    }
}

/// The content of an object from byte `offset` on, if it is the one that was looked at.
pub(crate) async fn open_object(
    store: &ObjectStore,
    key: &str,
    looked: &LookedAt,
    offset: u64,
) -> Result<Content, Trouble> {
    if offset >= looked.size {
        return Ok(stream::empty().boxed());
    }
    let range = (offset > 0).then_some(offset..looked.size);
    let read = store.read(key, range, Some(&looked.etag)).await;
    let read = read.map_err(|error| trouble::of_source(&error))?;
    let head = read.head();
    if content_of(&head.etag, head.size, head.last_modified) != looked.content {
        return Err(trouble::changed());
    }
    let pieces = stream::try_unfold(read, |mut read| async move {
        let piece = read.next().await;
        let piece = piece.map_err(|error| trouble::of_source(&error))?;
        Ok::<_, Trouble>(piece.map(|piece| (piece, read)))
    });
    Ok(pieces.into_stream().boxed())
}

/// What tells a content from another one: the ETag where it is made of the content, as far
/// as its looks say; of any other kind it may stay what it was, so the length and the time go
/// along with it.
fn content_of(etag: &str, size: u64, modified: Timestamp) -> String {
    let (digest, parts) = etag.split_once('-').unwrap_or((etag, "1"));
    let of_content = digest.len() == 32
        && digest.bytes().all(|letter| letter.is_ascii_hexdigit())
        && parts.bytes().all(|letter| letter.is_ascii_digit());
    if of_content {
        return etag.to_owned();
    }
    // A list says more of the time than an answer to HEAD does.
    format!("{etag};{size};{}", modified.seconds())
}

fn content_in(listed: &ObjectSummary) -> Option<String> {
    let known = !listed.etag.is_empty();
    known.then(|| content_of(&listed.etag, listed.size, listed.last_modified))
}

/// Of a list without ETags: what changes when an object is put anew.
fn seen_in(listed: &ObjectSummary) -> Option<String> {
    let modified = listed.last_modified.seconds();
    listed
        .etag
        .is_empty()
        .then(|| format!("{};{modified}", listed.size))
}

/// What a name says of its type.
pub(crate) fn type_of(name: &str) -> &'static str {
    let end = name.rsplit('.').next().unwrap_or_default();
    let end = end.to_ascii_lowercase();
    TYPES
        .iter()
        .find(|(known, _)| *known == end)
        .map_or("", |(_, media_type)| media_type)
}

/// Of what is delivered most often; what a store says itself counts more.
const TYPES: [(&str, &str); 22] = [
    ("avif", "image/avif"),
    ("bmp", "image/bmp"),
    ("gif", "image/gif"),
    ("heic", "image/heic"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("webp", "image/webp"),
    ("avi", "video/x-msvideo"),
    ("m4v", "video/x-m4v"),
    ("mkv", "video/x-matroska"),
    ("mov", "video/quicktime"),
    ("mp4", "video/mp4"),
    ("mpeg", "video/mpeg"),
    ("mpg", "video/mpeg"),
    ("webm", "video/webm"),
    ("mp3", "audio/mpeg"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
];

#[async_trait]
impl Source for StoreSource {
    async fn page(&self, after: Option<&str>, limit: usize) -> Result<SourcePage, Trouble> {
        let page = self.store.list("", after, limit).await;
        let page = page.map_err(|error| trouble::of_source(&error))?;
        let files = page.objects.into_iter();
        // The marker of a folder is no file.
        let files = files.filter(|object| !object.key.ends_with('/') || object.size > 0);
        Ok(SourcePage {
            files: files
                .map(|object| Found {
                    content: content_in(&object),
                    seen: seen_in(&object),
                    name: object.key.rsplit('/').next().unwrap_or_default().to_owned(),
                    media_type: type_of(&object.key).to_owned(),
                    place: object.key.clone(),
                    key: object.key,
                    size: Some(object.size),
                    metadata: BTreeMap::new(),
                    creator: None,
                    asked: false,
                })
                .collect(),
            next: page.next,
        })
    }

    async fn look(&self, place: &str) -> Result<Option<LookedAt>, Trouble> {
        let head = match self.store.head(place).await {
            Err(ObjectError::Refused { status: 403, .. }) => {
                // An answer to HEAD does not say whether the key is wrong or this object is
                // closed; a list does.
                let listed = self.store.list("", None, 1).await;
                return Err(match listed.map_err(|error| trouble::of_source(&error)) {
                    Err(everything @ Trouble::Everything { .. }) => everything,
                    _ => Trouble::Refused {
                        reason: "the store does not let this access key read it; grant it, or correct its path"
                            .to_owned(),
                    },
                });
            }
            head => head.map_err(|error| trouble::of_source(&error))?,
        };
        Ok(head.map(|head| LookedAt {
            size: head.size,
            content: content_of(&head.etag, head.size, head.last_modified),
            etag: head.etag,
            md5: head.md5,
            media_type: head.headers.content_type.filter(|said| is_telling(said)),
        }))
    }

    async fn open(&self, place: &str, looked: &LookedAt, offset: u64) -> Result<Content, Trouble> {
        open_object(&self.store, place, looked, offset).await
    }

    fn link(&self, place: &str) -> Option<String> {
        self.store
            .presign_get(place, LINK, Answered::default())
            .ok()
    }

    async fn missing(&self, keys: &[String]) -> Result<Vec<String>, Trouble> {
        let looks = stream::iter(keys.to_vec()).map(|key| async move {
            let there = self.store.head(&key).await;
            let there = there.map_err(|error| trouble::of_source(&error))?;
            Ok::<_, Trouble>(there.is_none().then_some(key))
        });
        let looked: Vec<Option<String>> = looks.buffered(LOOKS).try_collect().await?;
        Ok(looked.into_iter().flatten().collect())
    }

    async fn check(&self) -> Vec<Checked> {
        let listed = self.store.list("", None, 1).await;
        vec![Checked {
            what: format!("Bucket `{}` of the store", self.store.bucket()),
            missing: listed.err().map(|error| error.to_string()),
        }]
    }
}

/// Whether a type says more than that there are bytes.
fn is_telling(media_type: &str) -> bool {
    !matches!(
        media_type,
        "" | "application/octet-stream" | "binary/octet-stream"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_that_is_not_made_of_the_content_is_not_all_that_counts() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000 + 7);
        for etag in [
            "5d41402abc4b2a76b9719d911017c592",
            "5D41402ABC4B2A76B9719D911017C592-12",
        ] {
            assert_eq!(content_of(etag, 3, at(1)), etag);
        }
        for etag in ["17-5a", "", "5d41402abc4b2a76b9719d911017c592-x"] {
            let content = content_of(etag, 3, at(1));
            assert_eq!(
                content,
                content_of(etag, 3, Timestamp::from_micros(1_900_000))
            );
            assert_ne!(content, content_of(etag, 4, at(1)));
            assert_ne!(content, content_of(etag, 3, at(2)));
        }
        let listed = |etag: &str, seconds| ObjectSummary {
            key: "a".to_owned(),
            size: 3,
            etag: etag.to_owned(),
            last_modified: at(seconds),
        };
        assert_eq!(content_in(&listed("", 1)), None);
        assert_ne!(seen_in(&listed("", 1)), seen_in(&listed("", 2)));
        assert_eq!(seen_in(&listed("17-5a", 1)), None);
        assert_eq!(
            content_in(&listed("17-5a", 1)).as_deref(),
            Some("17-5a;3;1")
        );
    }

    #[test]
    fn a_name_tells_its_type_where_it_has_an_ending() {
        assert_eq!(type_of("a/b.JPG"), "image/jpeg");
        assert_eq!(type_of("film.mp4"), "video/mp4");
        assert_eq!(type_of("README"), "");
    }
}
