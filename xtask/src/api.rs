//! Generated files: openapi.json from the code, the console's types from it.

use crate::console;
use crate::place::Place;
use crate::process::{Failure, Run};

/// `cargo xtask gen-api`
pub(crate) fn generate(place: &Place) -> Result<(), Failure> {
    let target = place.root.join("openapi.json");
    let document = Run::cargo()
        .args(["run", "--quiet", "--bin", "longshore", "--", "openapi"])
        .dir(&place.root)
        .minutes(15)
        .into_command()
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| Failure::new(format!("cargo cannot start: {error}")))?;
    if !document.status.success() {
        return Err(Failure::new(
            "`longshore openapi` failed; openapi.json is as it was",
        ));
    }
    std::fs::write(&target, document.stdout)
        .map_err(|error| Failure::about(&target, "cannot be written", &error))?;
    println!("Wrote openapi.json.");
    match console::obstacle(place) {
        None => console::write_types(place),
        Some(obstacle) => {
            println!("The console's types are as they were: {obstacle}.");
            Ok(())
        }
    }
}
