//! What is marked is kept over any end of the process, and nothing beyond it.

use super::*;
use futures::StreamExt;
use std::path::Path;

/// The blobs below a folder, as a process that starts finds them.
fn started(root: &Path) -> Blobs {
    Blobs::open(&root.join("blobs")).expect("they are ours")
}

fn content(length: u32) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8).collect()
}

async fn read(blobs: &Blobs, name: BlobName) -> Vec<u8> {
    let file = blobs.read(name).await.expect("there");
    let chunks: Vec<_> = file.stream(0..u64::MAX).collect().await;
    let bytes = chunks.into_iter().map(|chunk| chunk.expect("readable"));
    bytes.flatten().collect()
}

#[tokio::test]
async fn it_goes_on_at_any_byte_after_the_process_has_ended() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let content = content(2_500_000);
    let mut mark = started(root.path()).begin_partial().await.expect("begun");
    let mut at = 0;
    for step in [0, 1, 62, 1, 1, 63, 900_000, 1_048_576, 500_000, 51_296] {
        let blobs = started(root.path());
        let mut partial = blobs.resume_partial(&mark).await.expect("there");
        assert_eq!(partial.position(), at as u64);
        let bytes = Bytes::copy_from_slice(&content[at..at + step]);
        partial.write(bytes).await.expect("written");
        mark = partial.sync().await.expect("synced");
        at += step;
        // What comes now is promised to nobody, and the process ends before it is.
        let lost = Bytes::from(vec![0xff; 1 << 20]);
        partial.write(lost).await.expect("written");
    }
    assert_eq!(at, content.len());
    let blobs = started(root.path());
    let partial = blobs.resume_partial(&mark).await.expect("there");
    let beginning = partial.beginning(10).await.expect("readable");
    assert_eq!(beginning, content[..10]);
    let stored = partial.finish().await.expect("stored");
    assert_eq!(stored.size, content.len() as u64);
    assert_eq!(stored.sha256, <[u8; 32]>::from(Sha256::digest(&content)));
    assert_eq!(stored.md5, Some(Md5::digest(&content).into()));
    assert!(read(&blobs, stored.name).await == content);
}

#[tokio::test]
async fn hashes_that_a_mark_does_not_have_are_made_again() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let blobs = started(root.path());
    let content = content(1_500_000);
    let mark = blobs.begin_partial().await.expect("begun");
    let mut partial = blobs.resume_partial(&mark).await.expect("there");
    let bytes = Bytes::copy_from_slice(&content);
    partial.write(bytes).await.expect("written");
    let mut mark = partial.sync().await.expect("synced");
    mark.hashes = b"of another version".to_vec();
    let partial = blobs.resume_partial(&mark).await.expect("there");
    let stored = partial.finish().await.expect("stored");
    assert_eq!(stored.sha256, <[u8; 32]>::from(Sha256::digest(&content)));
    assert_eq!(stored.md5, Some(Md5::digest(&content).into()));
}

#[tokio::test]
async fn it_can_be_finished_again_after_a_crash_at_the_end() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let blobs = started(root.path());
    let mark = blobs.begin_partial().await.expect("begun");
    let mut partial = blobs.resume_partial(&mark).await.expect("there");
    let cargo = Bytes::from_static(b"cargo");
    partial.write(cargo).await.expect("written");
    let mark = partial.sync().await.expect("synced");
    let first = partial.finish().await.expect("stored");
    let again = started(root.path()).resume_partial(&mark).await;
    let again = again.expect("at its last place");
    assert_eq!(again.beginning(3).await.expect("readable"), "car");
    assert_eq!(again.finish().await.expect("stored"), first);
    assert_eq!(read(&blobs, first.name).await, b"cargo");
}

#[tokio::test]
async fn it_is_no_blob_until_it_is_whole_and_goes_when_it_is_told() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let blobs = started(root.path());
    let none = blobs.list_partial(Duration::ZERO).await.expect("listed");
    assert!(none.is_empty());
    let mark = blobs.begin_partial().await.expect("begun");
    assert!(matches!(blobs.read(mark.name).await, Err(Error::NoBlob)));
    let (told, listed) = std::sync::mpsc::channel();
    let each = move |name, _| {
        told.send(name).expect("the test waits");
        std::ops::ControlFlow::Continue(())
    };
    blobs.list(each).await.expect("listed");
    assert_eq!(listed.iter().count(), 0);
    let there = blobs.list_partial(Duration::ZERO).await.expect("listed");
    assert_eq!(there, [mark.name]);
    let long = Duration::from_secs(3600);
    let old = blobs.list_partial(long).await.expect("listed");
    assert!(old.is_empty());
    assert!(blobs.delete_partial(mark.name).await.expect("removed"));
    assert!(!blobs.delete_partial(mark.name).await.expect("gone"));
    let gone = blobs.resume_partial(&mark).await;
    assert!(matches!(gone, Err(Error::NoBlob)));
}

#[tokio::test]
async fn bytes_that_the_disk_lost_are_not_made_up() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let blobs = started(root.path());
    let mut mark = blobs.begin_partial().await.expect("begun");
    mark.length = 5;
    let resumed = blobs.resume_partial(&mark).await;
    assert!(matches!(resumed, Err(Error::NoBlob)));
}

#[tokio::test]
async fn what_another_has_promised_since_a_mark_was_read_stays() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let (one, other) = (started(root.path()), started(root.path()));
    let read_before = one.begin_partial().await.expect("begun");
    let mut partial = one.resume_partial(&read_before).await.expect("there");
    let cargo = Bytes::from_static(b"cargo of one");
    partial.write(cargo).await.expect("written");
    let promised = partial.sync().await.expect("synced");
    // Whoever goes on from there sends the same, and is refused in the end.
    let mut late = other.resume_partial(&read_before).await.expect("there");
    let less = Bytes::from_static(b"cargo");
    late.write(less).await.expect("written");
    late.sync().await.expect("synced");
    let partial = one.resume_partial(&promised).await.expect("not cut off");
    let stored = partial.finish().await.expect("stored");
    assert_eq!(read(&one, stored.name).await, b"cargo of one");
}

#[tokio::test]
async fn what_nobody_promised_is_not_in_the_end() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let blobs = started(root.path());
    let mark = blobs.begin_partial().await.expect("begun");
    let mut partial = blobs.resume_partial(&mark).await.expect("there");
    let lost = Bytes::from_static(b"much more than was promised");
    partial.write(lost).await.expect("written");
    partial.sync().await.expect("synced");
    let mut partial = blobs.resume_partial(&mark).await.expect("there");
    let cargo = Bytes::from_static(b"cargo");
    partial.write(cargo).await.expect("written");
    let stored = partial.finish().await.expect("stored");
    assert_eq!(read(&blobs, stored.name).await, b"cargo");
}
