//! Every form of an entry in every reader, and what an archive says of its entries.

use crate::built::{Built, FORMS, Form, MOMENT, name, noise, text, time};
use crate::reader::{Reader, run};
use crate::strict;
use base::Timestamp;
use longshore_bundles::name::EntryName;
use longshore_bundles::report;
use longshore_bundles::zip::{EntryTime, Packing};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, UNIX_EPOCH};

const MIB: usize = 1024 * 1024;
/// [`MOMENT`], 2020-03-14 15:09:26, in the DOS form.
const DOS_MOMENT: u32 = 0x506E_792D;

#[test]
fn every_reader_unpacks_every_form_and_size_alike() {
    let mut built = Built::default();
    let sizes = [0, 1, 65_535, 65_536, MIB - 1, MIB, MIB + 1];
    for form in FORMS {
        for size in sizes {
            for (kind, body) in [("noise", noise(size)), ("text", text(size))] {
                let name = name(&format!("{form:?}/{kind}-{size}").replace(['(', ')'], "-"));
                built.add(&name, &body, form, 50_000);
            }
        }
    }
    let (_folder, path) = built.stored();
    assert_eq!(strict::read(&built.bytes).len(), built.files.len());
    for reader in Reader::installed() {
        assert_eq!(reader.test(&path), built.files.len(), "{reader:?}");
        assert!(
            reader.unpack(&path) == built.files,
            "{reader:?} found other files"
        );
    }
}

#[test]
fn an_entry_is_a_plain_file_that_needs_no_more_than_it_must() {
    let mut built = Built::default();
    for form in FORMS {
        built.add(
            &name(&format!("{form:?}").replace(['(', ')'], "-")),
            &text(1000),
            form,
            100,
        );
    }
    built.end();
    for (entry, form) in strict::read(&built.bytes).iter().zip(FORMS) {
        let streamed = !matches!(form, Form::Whole(_) | Form::Known);
        let stored = matches!(form, Form::Whole(Packing::Store) | Form::Known);
        assert_eq!(entry.method, if stored { 0 } else { 8 }, "{form:?}");
        assert_eq!(
            entry.flags,
            0x0800 | if streamed { 8 } else { 0 },
            "{form:?}"
        );
        assert_eq!(entry.needed, 20);
        assert_eq!(entry.made_by, 3 << 8 | 20);
        assert_eq!(entry.attributes, 0o100_644 << 16);
        let seconds = u32::try_from(MOMENT.seconds()).unwrap().to_le_bytes();
        assert_eq!(entry.extra, [&[0x55, 0x54, 5, 0, 1][..], &seconds].concat());
        assert_eq!(entry.dos, DOS_MOMENT);
        assert_eq!(entry.gap, 0);
    }
}

#[test]
fn an_empty_body_is_stored_without_a_descriptor() {
    let mut built = Built::default();
    built.add(&name("empty"), b"", Form::Whole(Packing::Deflate), 1);
    built.end();
    let entry = &strict::read(&built.bytes)[0];
    assert_eq!((entry.method, entry.flags & 8), (0, 0));
}

#[test]
fn unpacked_files_have_their_time_in_any_zone_and_an_ordinary_mode() {
    let mut built = Built::default();
    built.add(&name("a"), b"a", Form::Whole(Packing::Store), 1);
    built.add(&name("b"), b"b", Form::Sized, 1);
    let (_folder, path) = built.stored();
    let moment = UNIX_EPOCH + Duration::from_secs(MOMENT.seconds().unsigned_abs());
    // The others know only the DOS form, or do not set times or modes.
    let knowing = [Reader::Unzip, Reader::Bsdtar, Reader::SevenZip];
    for reader in Reader::installed().filter(|reader| knowing.contains(reader)) {
        let folder = tempfile::tempdir().unwrap();
        run(&mut reader.unpacking(&path, folder.path()));
        for file in ["a", "b"] {
            let about = folder.path().join(file).metadata().unwrap();
            assert_eq!(about.modified().unwrap(), moment, "{reader:?}");
            assert_eq!(about.permissions().mode() & 0o777, 0o644, "{reader:?}");
        }
    }
}

#[test]
fn times_out_of_range_are_read_without_complaint() {
    let mut built = Built::default();
    let headers = [
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Wed, 01 Jan 2200 00:00:00 GMT",
        "rubbish",
    ];
    for (n, header) in headers.into_iter().enumerate() {
        let time = EntryTime::of_header(Some(header), MOMENT);
        let name = name(&n.to_string());
        built
            .archive
            .whole(&name, time, vec![], Packing::Store, &mut built.out)
            .unwrap();
    }
    built.take();
    let (_folder, path) = built.stored();
    for reader in Reader::installed() {
        assert_eq!(reader.test(&path), 3, "{reader:?}");
    }
    let dos: Vec<u32> = strict::read(&built.bytes)
        .iter()
        .map(|entry| entry.dos)
        .collect();
    assert_eq!(dos, [0x0021_0000, 0xFF9F_BF7D, DOS_MOMENT]);
}

#[test]
fn an_abandoned_entry_is_found_only_by_those_who_read_the_stream() {
    let mut built = Built::default();
    let abandoned = [
        Form::Sized,
        Form::Unsized,
        Form::Deflated,
        Form::DeflatedSized,
    ];
    for (n, form) in abandoned.into_iter().enumerate() {
        built.add(&name(&format!("before-{n}")), &noise(1000), form, 100);
        built.abandon(&name(&format!("gone-{n}")), &noise(70_000), form);
        built.add(
            &name(&format!("after-{n}")),
            &text(1000),
            Form::Whole(Packing::Deflate),
            100,
        );
    }
    built.abandon(&name("gone-last"), b"", Form::Sized);
    let (_folder, path) = built.stored();
    let read = strict::read(&built.bytes);
    assert_eq!(read.iter().filter(|entry| entry.gap > 70_000).count(), 4);
    for reader in Reader::installed() {
        let mut found = reader.unpack(&path);
        if reader.streams() {
            let before = found.len();
            found.retain(|name, body| {
                let gone = name.starts_with("gone");
                assert!(!gone || name == "gone-last" || body[..70_000] == noise(70_000));
                !gone
            });
            assert_eq!(before - found.len(), 5, "{reader:?}");
        }
        assert!(found == built.files, "{reader:?} found other files");
    }
}

#[test]
fn an_archive_without_its_end_is_refused() {
    let mut built = Built::default();
    for n in 0..20 {
        built.add(
            &name(&n.to_string()),
            &noise(10_000),
            FORMS[n % FORMS.len()],
            1000,
        );
    }
    let (_folder, path) = built.stored();
    for cut in [1, 21, 22, 500, built.bytes.len() / 2] {
        let short = &built.bytes[..built.bytes.len() - cut];
        std::fs::write(&path, short).unwrap();
        for reader in Reader::with_directory().filter(|reader| *reader != Reader::Bsdtar) {
            let folder = tempfile::tempdir().unwrap();
            let output = reader.unpacking(&path, folder.path()).output().unwrap();
            assert!(
                !output.status.success(),
                "{reader:?} took it without its last {cut} bytes"
            );
        }
    }
}

#[test]
fn the_report_alone_makes_an_archive_that_everybody_opens() {
    let missing = (0..3).map(|source| report::Missing {
        source,
        url: "https://example.org/é.jpg".into(),
        state: report::MissingState::Failed,
        code: "not-found",
        message: "the server answered 404",
        entry: Some("é.jpg".into()),
        bytes: 0,
    });
    let summary = report::Summary {
        bundle: None,
        name: Some("all failed"),
        created_at: Timestamp::EPOCH,
        totals: report::Totals {
            sources: 3,
            entries: 0,
            missing: 3,
            bytes: 0,
        },
    };
    let mut built = Built::default();
    let names = EntryName::report_json();
    let json = report::json(summary, missing.clone()).collect();
    built
        .archive
        .whole(&names, time(), json, Packing::Deflate, &mut built.out)
        .unwrap();
    let names = EntryName::report_text();
    let mut entry = built
        .archive
        .deflate(&names, time(), None, &mut built.out)
        .unwrap();
    for piece in report::text(summary, missing) {
        entry.push(piece, &mut built.out).unwrap();
    }
    entry.finish(&mut built.out).unwrap();
    built.take();
    let (_folder, path) = built.stored();
    for reader in Reader::installed() {
        let found = reader.unpack(&path);
        let json = &found["_longshore-report.json"];
        let value: serde_json::Value = serde_json::from_slice(json).unwrap();
        assert_eq!(
            value["missing"][2]["url"], "https://example.org/é.jpg",
            "{reader:?}"
        );
        assert!(found["_longshore-report.txt"].starts_with(b"Some files are missing"));
    }
}
