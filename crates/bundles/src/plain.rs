//! An archive of bodies that are at hand and whose sizes are known: nothing is fetched,
//! nothing is compressed, and where all of them are named ahead its length is known
//! before its first byte.
//!
//! One body is open at a time. A body that is not as it was said breaks the archive off;
//! it never ends cleanly then.

use crate::name::{EntryName, NameRegister};
use crate::zip::{Archive, ArchiveLength, EntryTime, Pieces};
use base::Timestamp;
use bytes::Bytes;
use futures::SinkExt;
use futures::channel::mpsc::{self, Sender};
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use std::fmt;
use std::io;

/// Bytes of a body.
pub type BodyStream = BoxStream<'static, io::Result<Bytes>>;

/// Opens a body, when it is its turn.
pub type Open = Box<dyn FnOnce() -> BoxFuture<'static, io::Result<BodyStream>> + Send>;

/// A body for an archive.
pub struct Body {
    /// The path that is wanted in the archive. Cleaned, and kept apart from others.
    pub path: String,
    /// Exactly so many bytes.
    pub size: u64,
    /// When it was changed.
    pub modified: Timestamp,
    /// Opens it.
    pub open: Open,
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({:?}, {})", self.path, self.size)
    }
}

/// An archive about to be sent.
pub struct Plain {
    /// Its exact length, where all bodies are named ahead.
    pub length: Option<u64>,
    /// Its bytes.
    pub bytes: BodyStream,
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plain({:?})", self.length)
    }
}

/// Bodies that are named while the archive is written.
pub type Following = BoxStream<'static, io::Result<Body>>;

/// The archive of the `first` bodies and of those that `follow`.
#[must_use]
pub fn plain(first: Vec<Body>, follow: Option<Following>) -> Plain {
    let mut names = Names::default();
    let mut length = ArchiveLength::new();
    let mut named = Vec::with_capacity(first.len());
    for body in first {
        let name = names.give(&body.path);
        length.add_streamed(&name, body.size);
        named.push((name, body));
    }
    let length = match follow {
        None => length.total(),
        Some(_) => None,
    };
    // One piece waits while the next is made: whoever takes slowly is waited for.
    let (sender, pieces) = mpsc::channel(0);
    let writing = write(named, names, follow, sender);
    // Writing and taking are one task, which ends with whoever takes.
    let ended = stream::once(writing).filter_map(|ended| async move { ended.err().map(Err) });
    let bytes = stream::select(pieces.map(Ok), ended).boxed();
    Plain { length, bytes }
}

#[derive(Default)]
struct Names {
    given: NameRegister,
    count: usize,
}

impl Names {
    fn give(&mut self, path: &str) -> EntryName {
        self.count += 1;
        let wanted =
            EntryName::from_path(path).unwrap_or_else(|| EntryName::numbered(self.count, None));
        self.given.assign(&wanted)
    }
}

async fn write(
    first: Vec<(EntryName, Body)>,
    mut names: Names,
    follow: Option<Following>,
    mut out: Sender<Bytes>,
) -> io::Result<()> {
    let mut archive = Archive::new();
    for (name, body) in first {
        entry(&mut archive, &name, body, &mut out).await?;
    }
    if let Some(mut follow) = follow {
        while let Some(body) = follow.try_next().await? {
            let name = names.give(&body.path);
            entry(&mut archive, &name, body, &mut out).await?;
        }
    }
    for piece in archive.finish().map_err(io::Error::other)? {
        send(&mut out, piece).await?;
    }
    Ok(())
}

async fn entry(
    archive: &mut Archive,
    name: &EntryName,
    body: Body,
    out: &mut Sender<Bytes>,
) -> io::Result<()> {
    let mut parts = (body.open)().await?;
    let mut pieces = Pieces::new();
    let time = EntryTime::at(body.modified);
    let begun = archive.stream(name, time, Some(body.size), &mut pieces);
    let mut entry = begun.map_err(io::Error::other)?;
    while let Some(part) = parts.try_next().await? {
        entry.push(part, &mut pieces).map_err(io::Error::other)?;
        while let Some(piece) = pieces.pop() {
            send(out, piece).await?;
        }
    }
    entry.finish(&mut pieces).map_err(io::Error::other)?;
    while let Some(piece) = pieces.pop() {
        send(out, piece).await?;
    }
    Ok(())
}

async fn send(out: &mut Sender<Bytes>, piece: Bytes) -> io::Result<()> {
    let sent = out.send(piece).await;
    sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(path: &str, parts: &[&'static str], size: u64) -> Body {
        let parts: Vec<_> = parts
            .iter()
            .map(|part| Ok(Bytes::from_static(part.as_bytes())))
            .collect();
        Body {
            path: path.to_owned(),
            size,
            modified: Timestamp::EPOCH,
            open: Box::new(move || {
                let parts = stream::iter(parts).boxed();
                Box::pin(async move { Ok(parts) })
            }),
        }
    }

    async fn all(plain: Plain) -> io::Result<Vec<u8>> {
        let parts: Vec<Bytes> = plain.bytes.try_collect().await?;
        Ok(parts.concat())
    }

    #[tokio::test]
    async fn the_length_is_the_one_that_was_told() {
        let bodies = vec![
            body("a.txt", &["he", "llo"], 5),
            body("deep/a.txt", &[], 0),
            body("a.txt", &["again"], 5),
            body("../..", &["x"], 1),
        ];
        let plain = plain(bodies, None);
        let told = plain.length.expect("all are known");
        let archive = all(plain).await.expect("whole");
        assert_eq!(archive.len() as u64, told);
        let text = String::from_utf8_lossy(&archive);
        for name in ["a.txt", "deep/a.txt", "a (2).txt"] {
            assert!(text.contains(name), "{name}");
        }
    }

    #[tokio::test]
    async fn what_follows_is_written_and_no_length_is_told() {
        let follow = stream::iter([Ok(body("b", &["b"], 1))]).boxed();
        let flowing = plain(vec![body("a", &["a"], 1)], Some(follow));
        assert_eq!(flowing.length, None);
        let whole = plain(vec![body("a", &["a"], 1), body("b", &["b"], 1)], None);
        assert_eq!(
            all(flowing).await.expect("whole"),
            all(whole).await.expect("whole")
        );
    }

    #[tokio::test]
    async fn a_body_that_is_not_as_it_was_said_breaks_the_archive_off() {
        for (parts, size) in [(&["abc"][..], 2), (&["abc"][..], 4), (&[][..], 1)] {
            let archive = plain(vec![body("a", parts, size)], None);
            assert!(all(archive).await.is_err(), "{size}");
        }
        let failing = Body {
            open: Box::new(|| Box::pin(async { Err(io::ErrorKind::NotFound.into()) })),
            ..body("a", &[], 1)
        };
        assert!(all(plain(vec![failing], None)).await.is_err());
    }
}
