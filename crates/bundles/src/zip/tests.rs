//! The archive as a whole, without a reader from outside: what is promised of
//! lengths and of broken entries.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::name::EntryName;
use base::Timestamp;
use bytes::Bytes;

fn name(text: &str) -> EntryName {
    EntryName::from_path(text).unwrap()
}

fn time() -> EntryTime {
    EntryTime::at(Timestamp::from_micros(1_795_230_000_000_000))
}

fn drain(out: &mut Pieces, into: &mut Vec<u8>) {
    while let Some(piece) = out.pop() {
        into.extend_from_slice(&piece);
    }
}

fn ended(archive: Archive, out: &mut Pieces) -> Vec<u8> {
    let told = archive.length();
    let mut bytes = Vec::new();
    drain(out, &mut bytes);
    let ending = archive.finish().unwrap();
    let length = ending.length();
    let before = bytes.len() as u64;
    for piece in ending {
        bytes.extend_from_slice(&piece);
    }
    assert_eq!(bytes.len() as u64, before + length);
    if before > 0 {
        assert_eq!(bytes.len() as u64, told);
    }
    bytes
}

/// A few entries of every form, with parts of `chunk` bytes.
fn every_form(archive: &mut Archive, chunk: usize, out: &mut Pieces) {
    let body: Vec<u8> = (0..150_000_u32).map(|n| (n % 250) as u8).collect();
    let parts = || body.chunks(chunk).map(Bytes::copy_from_slice);
    let size = body.len() as u64;
    let whole = parts().collect::<Vec<_>>();
    archive
        .whole(&name("stored"), time(), whole.clone(), Packing::Store, out)
        .unwrap();
    archive
        .whole(&name("deflated"), time(), whole, Packing::Deflate, out)
        .unwrap();
    archive
        .whole(&name("empty"), time(), vec![], Packing::Deflate, out)
        .unwrap();
    let mut entry = archive
        .known(&name("known"), time(), size, crc32fast::hash(&body), out)
        .unwrap();
    parts().for_each(|part| entry.push(part, out).unwrap());
    entry.finish(out).unwrap();
    let mut entry = archive
        .stream(&name("streamed"), time(), Some(size), out)
        .unwrap();
    parts().for_each(|part| entry.push(part, out).unwrap());
    entry.finish(out).unwrap();
    let mut entry = archive
        .deflate(&name("flowing"), time(), None, out)
        .unwrap();
    parts().for_each(|part| entry.push(part, out).unwrap());
    entry.finish(out).unwrap();
}

#[test]
fn the_same_entries_give_the_same_bytes_however_they_are_cut() {
    let made = [1_000, 65_536, 150_000].map(|chunk| {
        let (mut archive, mut out) = (Archive::new(), Pieces::new());
        every_form(&mut archive, chunk, &mut out);
        ended(archive, &mut out)
    });
    assert_eq!(made[0], made[1]);
    assert_eq!(made[0], made[2]);
}

#[test]
fn a_deflated_body_is_stored_where_that_is_shorter() {
    let (mut archive, mut out) = (Archive::new(), Pieces::new());
    let mut state = 1_u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_le_bytes()[3]
    })
    .take(50_000)
    .collect();
    for (body, shorter) in [(noise, false), (vec![7; 50_000], true), (vec![7], false)] {
        let body = vec![Bytes::from(body)];
        let written = archive
            .whole(&name("x"), time(), body, Packing::Deflate, &mut out)
            .unwrap();
        assert_eq!(written.compressed < written.size, shorter);
    }
}

#[test]
fn many_bodies_that_deflating_makes_longer_are_stored() {
    let (mut archive, mut out) = (Archive::new(), Pieces::new());
    let mut number = 1_u64;
    let mut noise = |size: usize| {
        let bytes = std::iter::repeat_with(|| {
            // xorshift64, which no compressor sees through.
            number ^= number << 13;
            number ^= number >> 7;
            number ^= number << 17;
            number as u8
        });
        Bytes::from_iter(bytes.take(size))
    };
    let mut sizes = 0;
    for entry in 0..300 {
        let body = noise(1 + entry * 97 % 40_000);
        sizes += body.len();
        let name = name(&format!("{entry}"));
        archive
            .whole(&name, time(), vec![body], Packing::Deflate, &mut out)
            .unwrap();
    }
    let bytes = ended(archive, &mut out);
    assert!(bytes.len() > sizes, "none became shorter");
}

#[test]
fn bodies_pass_through_without_being_copied() {
    let (mut archive, mut out) = (Archive::new(), Pieces::new());
    let body = Bytes::from(vec![3; 60_000]);
    archive
        .whole(
            &name("a"),
            time(),
            vec![body.clone()],
            Packing::Store,
            &mut out,
        )
        .unwrap();
    let mut entry = archive.stream(&name("b"), time(), None, &mut out).unwrap();
    entry.push(body.clone(), &mut out).unwrap();
    entry.finish(&mut out).unwrap();
    let passed = std::iter::from_fn(|| out.pop()).filter(|piece| piece.as_ptr() == body.as_ptr());
    assert_eq!(passed.count(), 2);
}

#[test]
fn the_length_told_ahead_is_the_length_written() {
    let (mut archive, mut out) = (Archive::new(), Pieces::new());
    let mut length = ArchiveLength::new();
    for (n, size) in [0_usize, 1, 65_535, 65_536, 200_000]
        .into_iter()
        .enumerate()
    {
        let body = Bytes::from(vec![5; size]);
        let whole = name(&format!("whole/{n}"));
        length.add(&whole, size as u64);
        archive
            .whole(&whole, time(), vec![body.clone()], Packing::Store, &mut out)
            .unwrap();
        let streamed = name(&format!("streamed/{n}é"));
        length.add_streamed(&streamed, size as u64);
        let mut entry = archive
            .stream(&streamed, time(), Some(size as u64), &mut out)
            .unwrap();
        entry.push(body, &mut out).unwrap();
        assert_eq!(entry.remaining(), Some(0));
        entry.finish(&mut out).unwrap();
    }
    assert_eq!(length.total(), Some(ended(archive, &mut out).len() as u64));
}

#[test]
fn lengths_that_cannot_be_are_refused() {
    let huge = name("huge");
    assert_eq!(archive_length([(&huge, u64::MAX)]), None);
    assert_eq!(
        archive_length([(&huge, u64::MAX / 2), (&huge, u64::MAX / 2)]),
        None
    );
    let mut length = ArchiveLength::new();
    length.add_streamed(&huge, u64::MAX - 3);
    assert_eq!(length.total(), None);
    assert_eq!(archive_length([]), Some(22));
}

#[test]
fn a_body_longer_than_declared_is_refused_and_the_entry_can_still_end() {
    let (mut archive, mut out) = (Archive::new(), Pieces::new());
    let mut entry = archive
        .stream(&name("a"), time(), Some(5), &mut out)
        .unwrap();
    entry.push("123".into(), &mut out).unwrap();
    let refused = entry.push("4567".into(), &mut out);
    assert_eq!(refused, Err(ZipError::TooLong { declared: 5 }));
    entry.push("45".into(), &mut out).unwrap();
    assert_eq!(entry.finish(&mut out).unwrap().size, 5);
}

#[test]
fn a_short_body_is_left_out_and_the_archive_goes_on() {
    let (mut archive, mut out) = (Archive::new(), Pieces::new());
    let mut entry = archive
        .stream(&name("short"), time(), Some(100), &mut out)
        .unwrap();
    entry.push("50 bytes".into(), &mut out).unwrap();
    assert_eq!(
        entry.finish(&mut out),
        Err(ZipError::TooShort {
            declared: 100,
            got: 8
        })
    );
    assert_eq!(archive.entries(), 0);
    archive
        .whole(
            &name("b"),
            time(),
            vec!["b".into()],
            Packing::Store,
            &mut out,
        )
        .unwrap();
    let bytes = ended(archive, &mut out);
    let central = bytes.windows(4).filter(|w| *w == b"PK\x01\x02").count();
    assert_eq!(central, 1);
}

#[test]
fn what_a_header_promised_and_did_not_come_breaks_the_archive() {
    let begin = |archive: &mut Archive, body: &'static str, out: &mut Pieces| {
        let mut entry = archive
            .known(&name("a"), time(), 3, crc32fast::hash(b"abc"), out)
            .unwrap();
        entry.push(body.into(), out).unwrap();
        entry.finish(out).map(|_| ())
    };
    for (body, error) in [
        (
            "ab",
            ZipError::TooShort {
                declared: 3,
                got: 2,
            },
        ),
        (
            "abd",
            ZipError::WrongChecksum {
                declared: 0x3524_41c2,
                got: crc32fast::hash(b"abd"),
            },
        ),
    ] {
        let (mut archive, mut out) = (Archive::new(), Pieces::new());
        assert_eq!(begin(&mut archive, body, &mut out), Err(error));
        let next = archive.whole(&name("b"), time(), vec![], Packing::Store, &mut out);
        assert_eq!(next, Err(ZipError::Broken));
        assert_eq!(archive.finish().err(), Some(ZipError::Broken));
    }
    let (mut archive, mut out) = (Archive::new(), Pieces::new());
    assert_eq!(begin(&mut archive, "abc", &mut out), Ok(()));
    let entry = archive.known(&name("a"), time(), 3, 0, &mut out).unwrap();
    assert_eq!(entry.abandon(&mut out), Err(ZipError::Broken));
}

#[test]
fn a_dropped_entry_breaks_the_archive() {
    let (mut archive, mut out) = (Archive::new(), Pieces::new());
    drop(archive.stream(&name("a"), time(), None, &mut out).unwrap());
    assert_eq!(archive.finish().err(), Some(ZipError::Broken));
}
