//! What holds for any names and any entries.

use crate::built::{Built, FORMS, Form, name, noise, text};
use crate::strict;
use longshore_bundles::name::properties::check_any;
use longshore_bundles::zip::{ArchiveLength, Packing};
use proptest::prelude::*;

/// Pieces that names go wrong with.
fn troublesome() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-c./\\\\: ]{0,6}",
        2 => any::<char>().prop_map(String::from),
        1 => prop::sample::select(vec![
            "..", "../", "CON", "com¹", "nul.", "LPT9", "\u{202e}", "\u{200b}", "\u{ad}", "e\u{301}",
            "ﬁ", "ß", "ẞ", "SS", "İ", "ı", "\u{212a}", "․", "‥", "／", "＼", "℀", " (2)", ".tar.gz",
            ".jpg", "%2f", "%2e%2e", "\0", "\u{9b}", "\u{3000}", "日本語", "😀", "_longshore-report.json",
        ]).prop_map(str::to_owned),
        1 => (any::<char>(), 200_usize..300).prop_map(|(c, n)| String::from(c).repeat(n)),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn form() -> impl Strategy<Value = Form> {
    prop::sample::select(FORMS.to_vec())
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let size = prop_oneof![0_usize..10, 65_530_usize..65_545, 0_usize..200_000];
    (size, any::<bool>()).prop_map(|(size, random)| if random { noise(size) } else { text(size) })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_proposals_become_names_that_are_harmless_and_differ(
        proposals in prop::collection::vec(troublesome(), 1..12)
    ) {
        check_any(proposals.join("\n").as_bytes());
        check_any([proposals.clone(), proposals].concat().join("\n").as_bytes());
    }

    #[test]
    fn any_bytes_become_harmless_names(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        check_any(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn any_entries_are_read_back_byte_for_byte(
        entries in prop::collection::vec((form(), body(), 1_usize..100_000, any::<bool>()), 0..6)
    ) {
        let mut built = Built::default();
        let mut expected = Vec::new();
        for (n, (form, body, part, whole)) in entries.into_iter().enumerate() {
            let name = name(&format!("{n}é"));
            if whole || matches!(form, Form::Whole(_) | Form::Known) {
                built.add(&name, &body, form, part);
                expected.push((name.to_string(), body));
            } else {
                built.abandon(&name, &body, form);
            }
        }
        built.end();
        let read = strict::read(&built.bytes);
        let read: Vec<_> = read.into_iter().map(|entry| (entry.name, entry.body)).collect();
        prop_assert!(read == expected);
    }

    #[test]
    fn the_length_of_any_stored_entries_is_told_ahead(
        entries in prop::collection::vec((0_usize..200_000, any::<bool>()), 0..6)
    ) {
        let mut built = Built::default();
        let mut length = ArchiveLength::new();
        for (n, (size, streamed)) in entries.into_iter().enumerate() {
            let name = name(&format!("{n}é"));
            let form = if streamed { Form::Sized } else { Form::Whole(Packing::Store) };
            if streamed {
                length.add_streamed(&name, size as u64);
            } else {
                length.add(&name, size as u64);
            }
            built.add(&name, &noise(size), form, 30_000);
        }
        built.end();
        prop_assert_eq!(length.total(), Some(built.bytes.len() as u64));
    }
}
