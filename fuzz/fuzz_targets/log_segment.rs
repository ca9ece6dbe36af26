//! See `operations::properties::check_segment`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| operations::properties::check_segment(bytes));
