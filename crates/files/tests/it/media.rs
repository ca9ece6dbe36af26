//! What pictures say of themselves is found with them, and rubbish is stored all the same.

use crate::world::{World, path, writer};
use bytes::Bytes;
use files::{File, NewFile};
use testing::on_both;

/// A directory of a TIFF file (TIFF 6.0, section 2): tag, type, count, value or offset.
fn directory(entries: &[(u16, u16, u32, [u8; 4])]) -> Vec<u8> {
    let mut bytes = u16::try_from(entries.len()).unwrap().to_le_bytes().to_vec();
    for (tag, kind, count, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend(value);
    }
    bytes.extend([0; 4]);
    bytes
}

const ASCII: u16 = 2;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;

/// A picture of 640 by 480 that was taken at 52° 30′ N, 13° 15′ W.
fn picture() -> Vec<u8> {
    // The header, two entries, one entry, four entries, the date, two positions.
    let (first, exif, gps, date, north) = (8_u32, 38_u32, 56_u32, 110_u32, 130_u32);
    let west = north + 24;
    let mut tiff = b"II*\0".to_vec();
    tiff.extend(first.to_le_bytes());
    tiff.extend(directory(&[
        (0x8769, LONG, 1, exif.to_le_bytes()),
        (0x8825, LONG, 1, gps.to_le_bytes()),
    ]));
    tiff.extend(directory(&[(0x9003, ASCII, 20, date.to_le_bytes())]));
    tiff.extend(directory(&[
        (1, ASCII, 2, *b"N\0\0\0"),
        (2, RATIONAL, 3, north.to_le_bytes()),
        (3, ASCII, 2, *b"W\0\0\0"),
        (4, RATIONAL, 3, west.to_le_bytes()),
    ]));
    assert_eq!(tiff.len(), 110);
    tiff.extend(b"2024:05:06 07:08:09\0");
    for number in [52_u32, 1, 30, 1, 0, 1, 13, 1, 15, 1, 0, 1] {
        tiff.extend(number.to_le_bytes());
    }
    let mut exif = b"Exif\0\0".to_vec();
    exif.extend(tiff);
    let mut jpeg = vec![0xff, 0xd8, 0xff, 0xe1];
    jpeg.extend(u16::try_from(exif.len() + 2).unwrap().to_be_bytes());
    jpeg.extend(exif);
    // A frame of 640 by 480 (ITU-T T.81, B.2.2), and no picture in it.
    jpeg.extend([0xff, 0xc0, 0, 11, 8, 1, 0xe0, 2, 0x80, 1, 1, 0x11, 0]);
    jpeg.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0, 0xff, 0xd9]);
    jpeg
}

async fn put(world: &World, at: &str, content: Vec<u8>) -> File {
    let new = NewFile::at(path(at));
    let mut incoming = world
        .files
        .put(&world.bucket, writer("anna"), new)
        .await
        .unwrap();
    incoming.write(Bytes::from(content)).await.unwrap();
    incoming.finish().await.unwrap()
}

#[tokio::test]
async fn a_picture_tells_when_and_where_it_was_taken() {
    on_both(|database| async move {
        let world = World::open(&database).await;
        put(&world, "a.jpg", picture()).await;
        let found = world
            .files
            .file(&world.bucket, &path("a.jpg"))
            .await
            .unwrap();
        assert_eq!(found.media_type, "image/jpeg");
        assert_eq!((found.width, found.height), (Some(640), Some(480)));
        assert_eq!(
            (found.latitude, found.longitude),
            (Some(52.5), Some(-13.25))
        );
        let taken = found.taken_at.unwrap();
        assert_eq!(taken.seconds(), 1_714_979_289);
        world.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_picture_that_is_none_is_stored_as_it_is() {
    on_both(|database| async move {
        let world = World::open(&database).await;
        let whole = picture();
        for length in [3, 20, 60, 150, 190] {
            let at = format!("{length}.jpg");
            let stored = put(&world, &at, whole[..length].to_vec()).await;
            assert_eq!(stored.size, length as u64);
            assert_eq!(stored.sniffed_type, "image/jpeg");
        }
        world.close().await;
    })
    .await;
}
