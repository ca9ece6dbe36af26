//! See `operations::properties::check_resuming`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| operations::properties::check_resuming(bytes));
