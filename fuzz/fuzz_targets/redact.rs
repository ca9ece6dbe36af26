//! Any secrets, any text, any chunks.
#![no_main]

use base::redact::properties::check_any;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| check_any(data));
