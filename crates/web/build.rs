//! Sees to it that the console's files are taken in when they were built. It never
//! builds them itself: `cargo build` needs no Node.

use std::path::Path;

const REQUIRED: &str = "LONGSHORE_REQUIRE_CONSOLE";

fn main() {
    println!("cargo::rerun-if-env-changed={REQUIRED}");
    let dist = Path::new("../../console/dist");
    // A folder that is missing would count as changed at every build. Where it
    // cannot be made, that is all that happens.
    if !dist.exists() {
        let _ = std::fs::create_dir(dist);
    }
    println!("cargo::rerun-if-changed={}", dist.display());
    let required = std::env::var(REQUIRED).is_ok_and(|value| value == "1");
    if required && !dist.join("index.html").is_file() {
        println!(
            "cargo::error=the console is not built and {REQUIRED}=1 asks for it; run `cargo xtask build`, or `npm ci && npm run build` in console/"
        );
        std::process::exit(1);
    }
}
