//! What a video says of itself: when and where it was taken, and how large it is.

use super::answer;
use crate::afloat::{Berth, on_disk_and_in_store};
use reqwest::Method;
use serde_json::Value;
use testing::TestServer;

/// From 1904, which these files count from, to 1970 (ISO/IEC 14496-12, 8.2.2).
const EPOCH: u32 = 2_082_844_800;
/// 2024-05-06T07:08:09Z.
const TAKEN: u32 = 1_714_979_289;

/// A box: its length, its kind, what is in it.
fn boxed(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u32::try_from(content.len() + 8).expect("it is small");
    [&length.to_be_bytes()[..], kind, &content].concat()
}

fn long(number: u32) -> [u8; 4] {
    number.to_be_bytes()
}

/// A movie of 640 by 480, taken at 52.5° N, 13.25° W.
fn movie() -> Vec<u8> {
    let when = long(EPOCH + TAKEN);
    let matrix = [long(0x1_0000), long(0), long(0), long(0), long(0x1_0000)].concat();
    let matrix = [&matrix[..], &[0; 12], &long(0x4000_0000)].concat();
    let second = [long(1000), long(1000)].concat();
    let loudness = [&long(0x1_0000)[..], &[1, 0], &[0; 10]].concat();
    let head: [&[u8]; 8] = [
        &[0; 4],
        &when,
        &when,
        &second,
        &loudness,
        &matrix,
        &[0; 24],
        &long(2),
    ];
    let pixels = [long(640 << 16), long(480 << 16)].concat();
    let track: [&[u8]; 8] = [
        &[0, 0, 0, 7],
        &when,
        &when,
        &long(1),
        &[0; 4],
        &long(1000),
        &[0; 16],
        &matrix,
    ];
    let track = boxed(b"tkhd", &[&track.concat(), &pixels]);
    let handler = boxed(b"hdlr", &[&[0; 8], b"vide", &[0; 13]]);
    let position = b"+52.5000-013.2500/";
    let length = [0, 18, 0x15, 0xc7];
    boxed(
        b"moov",
        &[
            &boxed(b"mvhd", &head),
            &boxed(b"trak", &[&track, &boxed(b"mdia", &[&handler])]),
            &boxed(b"udta", &[&boxed(b"\xa9xyz", &[&length, position])]),
        ],
    )
}

fn kind() -> Vec<u8> {
    boxed(b"ftyp", &[b"mp42", &[0; 4], b"mp42isom"])
}

async fn put(server: &TestServer, name: &str, content: Vec<u8>) -> Value {
    let path = format!("/api/v1/buckets/files/files/{name}");
    let (status, _, body) = answer(server.request(Method::PUT, &path).body(content)).await;
    let file = serde_json::from_slice(&body).expect("a file");
    assert_eq!(status, 201, "{file}");
    file
}

fn tells(file: &Value) {
    assert_eq!(file["sniffed_type"], "video/mp4", "{file}");
    assert_eq!(file["taken_at"], "2024-05-06T07:08:09.000000Z", "{file}");
    assert_eq!(file["width"], 640, "{file}");
    assert_eq!(file["height"], 480, "{file}");
    assert_eq!(file["latitude"], 52.5, "{file}");
    assert_eq!(file["longitude"], -13.25, "{file}");
}

on_disk_and_in_store!(a_video_tells_when_and_where_it_was_taken_and_how_large_it_is);
async fn a_video_tells_when_and_where_it_was_taken_and_how_large_it_is(berth: Berth) {
    let server = berth.usual().await;
    let pictures = boxed(b"mdat", &[&vec![7; 1 << 20]]);
    let first = [kind(), movie(), pictures.clone()].concat();
    tells(&put(&server, "first.mp4", first).await);
    let (_, file) = server.get("/api/v1/buckets/files/details/first.mp4").await;
    tells(&file);
    // Cameras write it behind the pictures.
    let last = [kind(), pictures, movie()].concat();
    tells(&put(&server, "last.mp4", last.clone()).await);
    // What somebody else put into the store is looked at in the same way.
    if let Some(store) = server.store() {
        std::fs::write(store.folder().join("theirs.mp4"), last).expect("put");
        let path = "/api/v1/buckets/files/files/theirs.mp4";
        let (status, _, _) = answer(server.request(Method::HEAD, path)).await;
        assert_eq!(status, 200);
        let (_, file) = server.get("/api/v1/buckets/files/details/theirs.mp4").await;
        tells(&file);
    }
}
