//! A release: the optimised binary with the console inside, packed, with its checksum.

use crate::place::Place;
use crate::process::{Failure, Run};
use crate::program::{self, Console, Profile};

/// What lies beside the binary in the archive.
const BESIDE: [&str; 3] = ["LICENSE", "README.md", "CHANGELOG.md"];

/// `cargo xtask release`
pub(crate) fn command(place: &Place) -> Result<(), Failure> {
    program::build_console(place, Console::Required)?;
    program::compile(place, Profile::Release, Console::Required)?;
    let name = format!(
        "longshore-{}-{}-{}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    let dist = place.target.join("dist");
    let folder = dist.join(&name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .map_err(|error| Failure::about(&folder, "cannot be emptied", &error))?;
    }
    std::fs::create_dir_all(&folder)
        .map_err(|error| Failure::about(&folder, "cannot be made", &error))?;
    let binary = program::binary(place, Profile::Release);
    let beside = BESIDE.iter().map(|file| place.root.join(file));
    for source in beside.chain([binary]) {
        let target = folder.join(source.file_name().unwrap_or_default());
        std::fs::copy(&source, &target)
            .map_err(|error| Failure::about(&source, "cannot be packed", &error))?;
    }
    let archive = format!("{name}.tar.gz");
    // Sorted, without owners, so that two builds of one tree differ in the binary alone.
    Run::new("tar")
        .args([
            "--create",
            "--gzip",
            "--sort=name",
            "--owner=0",
            "--group=0",
            "--numeric-owner",
        ])
        .args(["--file", &archive, &name])
        .dir(&dist)
        .capture()?;
    let sum = Run::new("sha256sum")
        .args([&archive])
        .dir(&dist)
        .capture()?;
    let sums = dist.join(format!("{archive}.sha256"));
    std::fs::write(&sums, sum)
        .map_err(|error| Failure::about(&sums, "cannot be written", &error))?;
    println!("\n{}", dist.join(archive).display());
    Ok(())
}
