//! Many entries: below, at and above the number where the end needs its long form.

use crate::built::{Built, time};
use crate::reader::Reader;
use longshore_bundles::name::EntryName;
use longshore_bundles::zip::{Packing, archive_length};

#[test]
fn every_reader_counts_around_65_535_entries() {
    for count in [65_534, 65_535, 65_536, 70_000] {
        let names: Vec<EntryName> = (0..count)
            .map(|n| EntryName::from_path(&format!("d{}/{n}", n % 10)).unwrap())
            .collect();
        let mut built = Built::default();
        for name in &names {
            let body = vec!["x".into()];
            built
                .archive
                .whole(name, time(), body, Packing::Store, &mut built.out)
                .unwrap();
            if built.out.len() > 64 * 1024 {
                built.take();
            }
        }
        built.take();
        let (_folder, path) = built.stored();
        let told = archive_length(names.iter().map(|name| (name, 1)));
        assert_eq!(told, Some(built.bytes.len() as u64));
        let long_end = built.bytes[built.bytes.len() - 98..].starts_with(b"PK\x06\x06");
        assert_eq!(long_end, count >= 65_535);
        for reader in Reader::installed() {
            assert_eq!(reader.test(&path), count, "{reader:?}");
        }
    }
}
