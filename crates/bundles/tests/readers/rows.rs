//! Every row of the table is some test's business: a row that is added and that nobody
//! tries is found here.

use crate::names::{Row, rows};
use std::collections::BTreeSet;
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

/// A test that stands elsewhere, by the folder of this crate.
const FETCH: &str = "../fetch/tests/it/bodies.rs";

/// Which test tries which rows: the file, from the folder of this crate on, and its name.
const CLAIMED: [(RangeInclusive<u32>, &str, &str); 26] = [
    (
        1..=37,
        NAMES,
        "every_name_of_the_table_is_cleaned_as_it_says",
    ),
    (38..=46, NAMES, "every_duplicate_of_the_table_is_told_apart"),
    (
        47..=47,
        NAMES,
        "row_47_seventy_thousand_equal_names_are_all_told_apart",
    ),
    (
        48..=48,
        FORMS,
        "an_empty_body_is_stored_without_a_descriptor",
    ),
    (
        49..=50,
        FORMS,
        "every_reader_unpacks_every_form_and_size_alike",
    ),
    (
        50..=50,
        "../../tests/stories/arranging.rs",
        "sizes_from_nothing_to_beyond_the_buffer_come_whole",
    ),
    (
        51..=53,
        LARGE,
        "sizes_around_4_gib_are_found_by_every_reader",
    ),
    (
        53..=53,
        LARGE,
        "streams_around_4_gib_are_found_by_every_reader",
    ),
    (
        54..=54,
        LARGE,
        "small_entries_far_into_an_archive_are_found_by_every_reader",
    ),
    (
        55..=55,
        "tests/readers/counts.rs",
        "every_reader_counts_around_65_535_entries",
    ),
    (
        56..=56,
        FORMS,
        "the_report_alone_makes_an_archive_that_everybody_opens",
    ),
    (
        57..=57,
        LARGE,
        "a_last_entry_that_begins_at_the_mark_is_found_by_every_reader",
    ),
    (58..=58, FETCH, "a_body_shorter_than_announced_is_truncated"),
    (
        58..=58,
        "../../tests/stories/breaking.rs",
        "a_body_that_changed_meanwhile_is_dropped_and_the_archive_is_sound",
    ),
    (
        59..=59,
        FETCH,
        "a_body_longer_than_announced_is_not_read_over",
    ),
    (
        60..=60,
        "../../tests/stories/taking.rs",
        "a_bundle_grows_to_its_limit_and_no_further",
    ),
    (61..=61, FETCH, "grows_no_further_than_the_limit"),
    (
        62..=62,
        "../../tests/stories/taking/lengths.rs",
        "a_promised_length_that_a_source_breaks_is_never_ended_cleanly",
    ),
    (
        63..=63,
        FORMS,
        "unpacked_files_have_their_time_in_any_zone_and_an_ordinary_mode",
    ),
    (
        64..=64,
        FORMS,
        "times_out_of_range_are_read_without_complaint",
    ),
    (
        65..=65,
        FORMS,
        "an_entry_is_a_plain_file_that_needs_no_more_than_it_must",
    ),
    (66..=66, PACKING, "compressed_media_is_stored"),
    (67..=67, PACKING, "text_and_raw_pixels_are_deflated"),
    // Links and folders have other attributes.
    (
        68..=68,
        FORMS,
        "an_entry_is_a_plain_file_that_needs_no_more_than_it_must",
    ),
    (
        69..=69,
        "../../tests/stories/cancelling.rs",
        "a_streamed_bundle_is_cancelled_when_its_taker_goes_away",
    ),
    (
        70..=70,
        "../../tests/stories/taking.rs",
        "a_kept_archive_has_an_exact_length_and_is_had_in_parts",
    ),
];

const NAMES: &str = "tests/readers/names.rs";
const FORMS: &str = "tests/readers/forms.rs";
const LARGE: &str = "tests/readers/large.rs";
const PACKING: &str = "src/zip/packing.rs";

#[test]
fn every_row_of_the_table_is_claimed_by_a_test_that_is_there() {
    let stand: Vec<u32> = rows().map(|row| row.id.parse().unwrap()).collect();
    let claimed: BTreeSet<u32> = CLAIMED.iter().flat_map(|(rows, ..)| rows.clone()).collect();
    assert_eq!(stand, claimed.into_iter().collect::<Vec<_>>());
    for (rows, file, test) in CLAIMED {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.contains(&format!("fn {test}(")),
            "rows {rows:?}: {file} has no {test}"
        );
    }
}

#[test]
fn the_kinds_of_the_table_begin_and_end_where_their_tests_do() {
    let of = |kind: &str| {
        let ids = rows().filter(|row: &Row| row.kind == kind);
        ids.map(|row| row.id.parse().unwrap()).collect::<Vec<u32>>()
    };
    assert_eq!(of("name"), (1..=37).collect::<Vec<_>>());
    assert_eq!(of("dup"), (38..=47).collect::<Vec<_>>());
    assert_eq!(of("size"), (48..=62).collect::<Vec<_>>());
    assert_eq!(of("time"), (63..=64).collect::<Vec<_>>());
    assert_eq!(of("form"), (65..=70).collect::<Vec<_>>());
}
