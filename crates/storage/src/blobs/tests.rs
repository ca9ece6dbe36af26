//! What is written is read back, and what is not finished leaves nothing.

use super::*;
use bytes::Bytes;
use futures::StreamExt;
use sha2::{Digest, Sha256};

fn blobs() -> (tempfile::TempDir, Blobs) {
    let root = tempfile::tempdir().expect("a temporary directory");
    let blobs = Blobs::open(&root.path().join("blobs")).expect("an empty directory");
    (root, blobs)
}

fn files_below(path: &Path) -> usize {
    std::fs::read_dir(path)
        .expect("readable")
        .map(|entry| entry.expect("readable"))
        .map(|entry| {
            if entry.path().is_dir() {
                files_below(&entry.path())
            } else {
                usize::from(entry.path().extension().is_none())
            }
        })
        .sum()
}

#[tokio::test]
async fn what_was_written_is_read_back_whole_and_in_ranges() {
    let (_root, blobs) = blobs();
    let content: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let mut writer = blobs.create().await.expect("begun");
    for part in content.chunks(70_001) {
        writer
            .write(Bytes::copy_from_slice(part))
            .await
            .expect("written");
    }
    let stored = writer.finish().await.expect("stored");
    assert_eq!(stored.size, content.len() as u64);
    assert_eq!(stored.sha256, <[u8; 32]>::from(Sha256::digest(&content)));
    let file = blobs.read(stored.name).await.expect("there");
    for range in [
        0..u64::MAX,
        0..1,
        524_287..524_289,
        2_999_999..9_000_000,
        5_000_000..6_000_000,
        7..7,
    ] {
        let chunks: Vec<_> = file.stream(range.clone()).collect().await;
        let read: Vec<u8> = chunks
            .into_iter()
            .flat_map(|chunk| chunk.expect("readable"))
            .collect();
        let end = usize::try_from(range.end)
            .unwrap_or(usize::MAX)
            .min(content.len());
        let start = usize::try_from(range.start).expect("small").min(end);
        assert_eq!(read, content[start..end]);
    }
}

#[tokio::test]
async fn every_folder_is_there_before_the_first_content_comes() {
    let (root, blobs) = blobs();
    let folders = || {
        let entries = std::fs::read_dir(root.path().join("blobs")).expect("readable");
        let names = entries.map(|entry| entry.expect("readable").file_name());
        let mut names: Vec<_> = names
            .map(|name| name.into_string().expect("text"))
            .collect();
        names.sort();
        names
    };
    let at_first = folders();
    let shards = (0..256).map(|shard| format!("{shard:02x}"));
    for name in shards.chain(["incoming".to_owned(), "partial".to_owned()]) {
        assert!(at_first.contains(&name), "{name}");
    }
    // Nobody makes one when it is wanted: it would have to be synced before others use it.
    let mut writer = blobs.create().await.expect("begun");
    let cargo = Bytes::from_static(b"cargo");
    writer.write(cargo).await.expect("written");
    writer.finish().await.expect("stored");
    blobs.begin_partial().await.expect("begun");
    assert_eq!(folders(), at_first);
    // As it was left by somebody who shares the root, or by an older Longshore.
    let kept = Blobs::open(&root.path().join("blobs"));
    kept.expect("what is there stays");
}

#[tokio::test]
async fn a_small_blob_is_read_as_it_is_opened_and_a_large_one_is_not() {
    let (_root, blobs) = blobs();
    let mut writer = blobs.create_with_md5();
    writer
        .write(Bytes::from_static(b"cargo"))
        .await
        .expect("written");
    let stored = writer.finish().await.expect("stored");
    assert!(stored.md5.is_some());
    let (blob, content) = blobs.read_small(stored.name, 5).await.expect("there");
    assert_eq!((blob.size(), content.as_deref()), (5, Some(&b"cargo"[..])));
    let (blob, content) = blobs.read_small(stored.name, 4).await.expect("there");
    assert_eq!((blob.size(), content), (5, None));
}

#[tokio::test]
async fn a_blob_of_any_length_is_hashed_as_it_is_read() {
    let (root, blobs) = blobs();
    // Within one go, at its end, over several, and so long that the disk begins ahead.
    for length in [0, 1, 4096, (512 << 10) - 1, 512 << 10, 40 << 20] {
        let content: Vec<u8> = (0..length).map(|n: u32| (n % 249) as u8).collect();
        let mut writer = blobs.create_with_md5();
        for part in content.chunks(65_537) {
            let part = Bytes::copy_from_slice(part);
            writer.write(part).await.expect("written");
        }
        let stored = writer.finish().await.expect("stored");
        assert_eq!(stored.size, u64::from(length));
        assert_eq!(stored.sha256, <[u8; 32]>::from(Sha256::digest(&content)));
        assert_eq!(stored.md5, Some(<[u8; 16]>::from(Md5::digest(&content))));
        let (_, read) = blobs
            .read_small(stored.name, u64::MAX)
            .await
            .expect("there");
        assert!(read.is_some_and(|read| read == content));
        assert!(blobs.delete(stored.name).await.expect("deleted"));
    }
    assert_eq!(files_below(root.path()), 0);
}

#[tokio::test]
async fn a_small_blob_makes_no_file_before_its_end_and_none_where_it_fails() {
    let (root, blobs) = blobs();
    let mut writer = blobs.create_with_md5();
    let cargo = Bytes::from_static(b"cargo");
    writer.write(cargo.clone()).await.expect("written");
    assert_eq!(files_below(root.path()), 0);
    drop(writer);
    let mut writer = blobs.create_with_md5();
    writer.write(cargo).await.expect("written");
    // Where its folder was, there is a file.
    let target = blobs.path(writer.name());
    let folder = target.parent().expect("a folder");
    std::fs::remove_dir(folder).expect("removed");
    std::fs::write(folder.with_extension("x"), b"").expect("written");
    std::fs::rename(folder.with_extension("x"), folder).expect("renamed");
    writer.finish().await.expect_err("no folder");
    assert_eq!(files_below(root.path()), 1);
}

#[tokio::test]
async fn a_blob_that_was_not_finished_leaves_no_bytes() {
    let (root, blobs) = blobs();
    let mut writer = blobs.create().await.expect("begun");
    writer
        .write(Bytes::from(vec![1; 2 << 20]))
        .await
        .expect("written");
    assert_eq!(files_below(root.path()), 1);
    drop(writer);
    assert_eq!(files_below(root.path()), 0);
}

#[tokio::test]
async fn what_a_crash_left_is_swept_and_what_moves_is_not() {
    let (_root, blobs) = blobs();
    std::fs::write(blobs.incoming.folder().join("left"), b"x").expect("written");
    assert_eq!(
        blobs
            .sweep_incoming(Duration::from_secs(3600))
            .await
            .expect("swept"),
        0
    );
    assert_eq!(
        blobs.sweep_incoming(Duration::ZERO).await.expect("swept"),
        1
    );
}

#[tokio::test]
async fn whoever_opens_the_blobs_finds_nothing_half_written() {
    let (root, blobs) = blobs();
    std::fs::write(root.path().join("blobs/incoming/left"), b"x").expect("written");
    drop(blobs);
    Blobs::open(&root.path().join("blobs")).expect("they are ours");
    assert_eq!(files_below(root.path()), 0);
}

#[tokio::test]
async fn who_comes_later_leaves_alone_what_others_write() {
    let (root, blobs) = blobs();
    let mut writer = blobs.create().await.expect("begun");
    let other = Blobs::open(&root.path().join("blobs")).expect("it is shared");
    assert_eq!(
        other.sweep_incoming(Duration::ZERO).await.expect("swept"),
        0
    );
    writer
        .write(Bytes::from_static(b"cargo"))
        .await
        .expect("written");
    let stored = writer.finish().await.expect("stored");
    other.read(stored.name).await.expect("both see it");
}

#[tokio::test]
async fn what_a_process_that_is_gone_wrote_is_swept() {
    let (root, blobs) = blobs();
    let all = root.path().join("blobs/incoming");
    // As it is after a crash: a folder with a file, and a lock that nobody holds.
    let gone = all.join("01890a5dac96774bbcceb302099a8057");
    std::fs::create_dir(&gone).expect("made");
    std::fs::write(gone.with_extension("lock"), b"").expect("written");
    std::fs::write(gone.join("half"), b"x").expect("written");
    assert_eq!(
        blobs.sweep_incoming(Duration::ZERO).await.expect("swept"),
        1
    );
    assert!(!gone.exists() && !gone.with_extension("lock").exists());
}

#[tokio::test]
async fn a_blob_that_goes_while_all_are_listed_is_left_out() {
    let (root, blobs) = blobs();
    let shard = root.path().join("blobs/00");
    for number in [0x100_u128, 0x200, 0x300] {
        let name = BlobName::from(Uuid::from_u128(number));
        std::fs::write(blobs.path(name), b"x").expect("written");
    }
    let (told, listed) = std::sync::mpsc::channel();
    blobs
        .list(move |name, _| {
            // All the others go while this one is told.
            for entry in std::fs::read_dir(&shard).expect("there") {
                let entry = entry.expect("readable");
                if entry.file_name().to_str() != Some(&name.to_string()) {
                    std::fs::remove_file(entry.path()).expect("removed");
                }
            }
            told.send(name).expect("the test waits");
            ControlFlow::Continue(())
        })
        .await
        .expect("the list goes on");
    assert_eq!(listed.iter().count(), 1);
}

#[tokio::test]
async fn a_list_ends_where_nobody_wants_more_of_it() {
    let (_root, blobs) = blobs();
    for number in [0x100_u128, 0x201, 0x302] {
        let name = BlobName::from(Uuid::from_u128(number));
        std::fs::write(blobs.path(name), b"x").expect("written");
    }
    let (told, listed) = std::sync::mpsc::channel();
    let all = blobs.list(move |name, _| {
        told.send(name).expect("the test waits");
        ControlFlow::Break(())
    });
    all.await.expect("that is no failure");
    assert_eq!(listed.iter().count(), 1);
}

#[test]
fn one_who_stops_waiting_for_the_end_leaves_neither_file() {
    let (root, blobs) = blobs();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(1)
        .build()
        .expect("a runtime");
    let until = |holds: &dyn Fn() -> bool| {
        let begun = std::time::Instant::now();
        while !holds() {
            assert!(begun.elapsed() < Duration::from_secs(20), "in time");
            std::thread::yield_now();
        }
    };
    let mut writer = runtime.block_on(blobs.create()).expect("begun");
    let written = async {
        writer.write(Bytes::from_static(b"cargo")).await?;
        writer.flush().await
    };
    runtime.block_on(written).expect("written");
    let target = blobs.path(writer.name());
    let mut finish = Box::pin(writer.finish());
    // The only blocking thread is busy until the end has been asked for.
    let (go, wait) = std::sync::mpsc::channel::<()>();
    runtime.spawn_blocking(move || wait.recv());
    let begun = runtime.block_on(async { futures::poll!(finish.as_mut()) });
    assert!(begun.is_pending());
    go.send(()).expect("it waits");
    until(&|| target.exists());
    // The blob is at its place, and nobody asks any more.
    drop(finish);
    until(&|| files_below(root.path()) == 0);
}

#[tokio::test]
async fn a_deleted_blob_is_gone_but_not_for_who_reads_it() {
    let (_root, blobs) = blobs();
    let mut writer = blobs.create().await.expect("begun");
    writer
        .write(Bytes::from_static(b"cargo"))
        .await
        .expect("written");
    let name = writer.finish().await.expect("stored").name;
    let open = blobs.read(name).await.expect("there");
    assert!(blobs.delete(name).await.expect("deleted"));
    assert!(!blobs.delete(name).await.expect("nothing to delete"));
    assert!(matches!(blobs.read(name).await, Err(Error::NoBlob)));
    let read: Vec<_> = open.stream(0..5).collect().await;
    assert_eq!(read.len(), 1);
    assert_eq!(
        read[0].as_ref().expect("readable"),
        &Bytes::from_static(b"cargo")
    );
}

#[tokio::test]
async fn a_tail_sees_the_blob_grow_and_its_end() {
    let (_root, blobs) = blobs();
    let mut writer = blobs.create().await.expect("begun");
    let mut tail = writer.tail().expect("open");
    let reader = tokio::spawn(async move {
        let mut read = Vec::new();
        while let Some(bytes) = tail.next().await.expect("readable") {
            read.extend_from_slice(&bytes);
        }
        read
    });
    for part in [&b"first "[..], b"second ", b"third"] {
        writer
            .write(Bytes::copy_from_slice(part))
            .await
            .expect("written");
        writer.flush().await.expect("flushed");
    }
    writer.finish().await.expect("stored");
    assert_eq!(reader.await.expect("ended"), b"first second third");
}

#[tokio::test]
async fn a_blob_that_shrank_ends_with_an_error_and_not_cleanly() {
    let (_root, blobs) = blobs();
    let mut writer = blobs.create().await.expect("begun");
    writer
        .write(Bytes::from(vec![7; 600_000]))
        .await
        .expect("written");
    let name = writer.finish().await.expect("stored").name;
    let file = blobs.read(name).await.expect("there");
    std::fs::File::options()
        .write(true)
        .open(blobs.path(name))
        .expect("there")
        .set_len(100)
        .expect("cut");
    let chunks: Vec<_> = file.stream(0..600_000).collect().await;
    assert!(chunks.iter().any(std::result::Result::is_err));
}
