//! See `operations::properties::check_cron`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| operations::properties::check_cron(text));
