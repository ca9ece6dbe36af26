//! Where ZIP64 appears, and that every length is the one written.

use super::*;

fn record(size: u64, compressed: u64, offset: u64, announced: Announced) -> Record<'static> {
    Record {
        name: "n",
        time: EntryTime::of_unix(0),
        method: Method::Deflated,
        announced,
        crc: 1,
        size,
        compressed,
        offset,
    }
}

fn written(write: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

#[test]
fn lengths_are_those_of_what_is_written() {
    let values = [0, 1, MARK_32 - 1, MARK_32, MARK_32 + 1, u64::MAX];
    for size in values {
        for compressed in values {
            for announced in [Announced::Known, Announced::Later, Announced::LaterZip64] {
                let record = record(size, compressed, size ^ compressed, announced);
                let local = written(|out| record.write_local(out)).len() as u64;
                let central =
                    written(|out| record.write_central(Spelling::Needed, out)).len() as u64;
                let descriptor = written(|out| record.write_descriptor(out)).len() as u64;
                assert_eq!(local, record.local_length());
                assert_eq!(central, record.central_length(Spelling::Needed));
                if announced.is_streamed() {
                    assert_eq!(descriptor, record.descriptor_length());
                }
            }
        }
    }
}

#[test]
fn zip64_appears_exactly_where_a_number_reads_as_the_mark() {
    let plain = 46 + 1 + 9;
    for (size, compressed, offset, extra) in [
        (MARK_32 - 1, MARK_32 - 1, MARK_32 - 1, 0),
        (MARK_32, 0, 0, 12),
        (0, MARK_32, 0, 12),
        (0, 0, MARK_32, 12),
        (MARK_32, MARK_32, 7, 20),
        (MARK_32, MARK_32, MARK_32, 28),
    ] {
        let record = record(size, compressed, offset, Announced::Known);
        let central = written(|out| record.write_central(Spelling::Needed, out));
        assert_eq!(record.central_length(Spelling::Needed), plain + extra);
        assert_eq!(
            central[6],
            if extra > 0 { 45 } else { 20 },
            "version needed"
        );
        let local = written(|out| record.write_local(out));
        let large = size >= MARK_32 || compressed >= MARK_32;
        assert_eq!(local[4], if large { 45 } else { 20 }, "version needed");
    }
}

#[test]
fn after_a_size_that_is_the_mark_the_next_zip64_field_holds_everything() {
    let marked = record(MARK_32, 3, 0, Announced::Known);
    let plain = record(1, 2, 3, Announced::Known);
    let far = record(1, 2, MARK_32 + 1, Announced::Known);
    let after = marked.spelling_after(Spelling::Needed);
    assert_eq!(after, Spelling::All);
    assert_eq!(
        plain.spelling_after(after),
        Spelling::All,
        "it has no ZIP64 field"
    );
    assert_eq!(
        plain.central_length(after),
        plain.central_length(Spelling::Needed)
    );
    assert_eq!(
        far.central_length(after),
        far.central_length(Spelling::Needed) + 16
    );
    assert_eq!(far.spelling_after(after), Spelling::Needed);
    let central = written(|out| far.write_central(after, out));
    assert_eq!(central.len() as u64, far.central_length(after));
    assert_eq!(central[20..28], [0xFF; 8]);
    let field = [
        &[1, 0, 24, 0][..],
        &[1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    assert_eq!(central[47..67], field);
}

#[test]
fn the_end_takes_its_long_form_from_65_535_entries_and_at_the_mark() {
    let end = |entries, offset, length| {
        let extent = Extent {
            entries,
            offset,
            length,
        };
        let bytes = written(|out| extent.write_end(out));
        assert_eq!(bytes.len() as u64, extent.end_length());
        bytes.len()
    };
    assert_eq!(end(65_534, MARK_32 - 1, MARK_32 - 1), 22);
    assert_eq!(end(65_535, 0, 0), 98);
    assert_eq!(end(1, MARK_32, 0), 98);
    assert_eq!(end(1, 0, MARK_32), 98);
}
