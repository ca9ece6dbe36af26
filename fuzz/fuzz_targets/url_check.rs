//! Any text as a URL, and any bytes as the `Location` of a redirect.
#![no_main]

use fetch::properties::{check_any, check_any_location};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    check_any_location(data);
    if let Ok(text) = std::str::from_utf8(data) {
        check_any(text);
    }
});
