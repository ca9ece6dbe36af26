//! Any bytes as paths, headers and URLs that propose a name, one a line.
#![no_main]

use bundles::name::properties::check_any;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| check_any(data));
