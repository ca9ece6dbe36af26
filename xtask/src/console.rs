//! The console's own commands, through npm: install, check, build, test.
//!
//! npm is called only for what changed: the packages when package-lock.json did,
//! the build when a source is newer than what was built.

use crate::place::{self, Place};
use crate::process::{Failure, Run};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Vite 8 wants at least this Node, and the lock file this npm.
const NODE: (u32, u32) = (20, 19);
const NPM: (u32, u32) = (10, 0);

/// Debian's Chromium that draws into memory only, for half of the processor's time
/// (docs/decisions/0027-what-makes-the-tests-quick.md).
pub(crate) const HEADLESS: &str = "chromium-headless-shell";

/// What lies in the console's folder and is no source of its build.
const NO_SOURCES: [&str; 5] = [
    "node_modules",
    "dist",
    "e2e",
    "test-results",
    "playwright-report",
];

/// The browser that tests drive: Chromium without a window system, where there is that one.
pub(crate) fn chromium() -> Option<PathBuf> {
    place::program(HEADLESS).or_else(|| place::program("chromium"))
}

/// Whether the browser is there: where setup may install it, in the form that it would.
pub(crate) fn has_chromium() -> bool {
    let installs = place::is_debian() && place::is_root();
    place::program(HEADLESS).is_some() || !installs && chromium().is_some()
}

/// Why the console cannot be built here, if it cannot.
pub(crate) fn obstacle(place: &Place) -> Option<String> {
    if place.console().is_none() {
        return Some("there is no console/package.json".to_owned());
    }
    let wanted = [("node", NODE), ("npm", NPM)];
    wanted.iter().find_map(|(name, least)| {
        let Some(program) = place::program(name) else {
            return Some(format!(
                "{name} is not installed; Node {}.{} or newer brings it",
                NODE.0, NODE.1
            ));
        };
        let says = Run::new(program).args(["--version"]).capture().ok()?;
        let found = version(&says)?;
        (found < *least).then(|| {
            format!(
                "{name} {}.{} is too old; {}.{} or newer is needed",
                found.0, found.1, least.0, least.1
            )
        })
    })
}

/// The first two numbers of `v20.19.1`, on whichever line begins so.
fn version(says: &str) -> Option<(u32, u32)> {
    says.lines().find_map(|line| {
        let mut numbers = line.trim().trim_start_matches('v').split('.');
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    })
}

/// Installs the packages, when the lock file is another than last time.
pub(crate) fn install(place: &Place) -> Result<(), Failure> {
    let console = folder(place)?;
    let lock = console.join("package-lock.json");
    let installed = console.join("node_modules/.longshore-lock");
    let wanted =
        std::fs::read(&lock).map_err(|error| Failure::about(&lock, "cannot be read", &error))?;
    if std::fs::read(&installed).is_ok_and(|last| last == wanted) {
        return Ok(());
    }
    npm(&console)
        .args(["ci", "--no-audit", "--no-fund"])
        .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")
        .stream()?;
    std::fs::write(&installed, wanted)
        .map_err(|error| Failure::about(&installed, "cannot be written", &error))
}

/// Builds it, when a source is newer than what was built.
pub(crate) fn build(place: &Place) -> Result<(), Failure> {
    let console = folder(place)?;
    install(place)?;
    let built = modified(&console.join("dist/index.html"));
    let newest = newest_source(&console)?;
    if built.is_some() && built > newest {
        println!("The console is built already.");
        return Ok(());
    }
    npm(&console).args(["run", "build"]).stream().map(drop)
}

/// Types and style.
pub(crate) fn check(place: &Place) -> Result<String, Failure> {
    install(place)?;
    npm(&folder(place)?).args(["run", "check"]).stream()
}

/// Fails when the types in the tree are not those of openapi.json.
pub(crate) fn types_are_fresh(place: &Place) -> Result<String, Failure> {
    let console = folder(place)?;
    let committed = console.join("src/api/schema.d.ts");
    let fresh = place.scratch("api-types")?.join("schema.d.ts");
    npx(&console)
        .args(["openapi-typescript", "../openapi.json", "-o"])
        .args([&fresh])
        .capture()?;
    let read = |path: &Path| {
        std::fs::read_to_string(path)
            .map_err(|error| Failure::about(path, "cannot be read", &error))
    };
    if read(&committed)? == read(&fresh)? {
        Ok(String::new())
    } else {
        Err(Failure::new(
            "console/src/api/schema.d.ts is not what openapi.json says; run `cargo xtask gen-api`",
        ))
    }
}

/// Writes the types of openapi.json into the tree.
pub(crate) fn write_types(place: &Place) -> Result<(), Failure> {
    install(place)?;
    npm(&folder(place)?)
        .args(["run", "gen:api"])
        .stream()
        .map(drop)
}

/// The tests of its logic.
pub(crate) fn unit_tests(place: &Place) -> Result<String, Failure> {
    install(place)?;
    npm(&folder(place)?)
        .args(["test"])
        .env("CI", "true")
        .minutes(5)
        .stream()
}

/// Why the browser cannot be tested here, if it cannot.
pub(crate) fn browser_obstacle(place: &Place) -> Option<String> {
    if !folder(place).is_ok_and(|console| console.join("e2e").is_dir()) {
        return Some("there is no console/e2e".to_owned());
    }
    match chromium() {
        Some(_) => None,
        None => Some("Chromium is not installed (`cargo xtask setup`)".to_owned()),
    }
}

/// The tests in a real browser, against the real binary, which they start themselves.
pub(crate) fn browser_tests(
    place: &Place,
    binary: &Path,
    environment: &[(String, String)],
) -> Result<String, Failure> {
    let console = folder(place)?;
    install(place)?;
    npm(&console)
        .args(["run", "e2e"])
        .env("LONGSHORE_BIN", binary)
        .env("LONGSHORE_CHROMIUM", chromium().unwrap_or_default())
        .envs(environment)
        .minutes(25)
        .stream()
}

fn folder(place: &Place) -> Result<PathBuf, Failure> {
    place
        .console()
        .ok_or_else(|| Failure::new("there is no console/package.json"))
}

fn npm(console: &Path) -> Run {
    Run::new(place::program("npm").unwrap_or_else(|| "npm".into())).dir(console)
}

fn npx(console: &Path) -> Run {
    Run::new(place::program("npx").unwrap_or_else(|| "npx".into()))
        .args(["--no-install"])
        .dir(console)
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path)
        .and_then(|about| about.modified())
        .ok()
}

/// When the newest source was changed.
fn newest_source(console: &Path) -> Result<Option<SystemTime>, Failure> {
    let entries = std::fs::read_dir(console)
        .map_err(|error| Failure::about(console, "cannot be listed", &error))?;
    Ok(entries
        .flatten()
        .filter(|entry| !NO_SOURCES.iter().any(|name| entry.file_name() == *name))
        .filter_map(|entry| newest_in(&entry.path()))
        .max())
}

/// When the newest file at or below `path` was changed, or one of its folders, as
/// the removal of a file does.
fn newest_in(path: &Path) -> Option<SystemTime> {
    let below = std::fs::read_dir(path).into_iter().flatten().flatten();
    below
        .filter_map(|entry| newest_in(&entry.path()))
        .chain(modified(path))
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_node_and_npm_write_them() {
        assert_eq!(version("v20.19.1\n"), Some((20, 19)));
        assert_eq!(
            version("npm warn old configuration\n11.19.1\n"),
            Some((11, 19))
        );
        assert_eq!(version("no version"), None);
    }
}
