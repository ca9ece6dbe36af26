//! Who may import whom, as ARCHITECTURE.md draws it, and where a version may stand.

use super::{File, Finding};

/// Crates by floor, lowest first; a crate may import what stands on floors below it.
const FLOORS: [&[&str]; 7] = [
    &["base"],
    &["fetch"],
    &["storage"],
    &["operations"],
    &["access"],
    &["web"],
    &["files", "bundles", "syncs", "registry", "stacks"],
];

/// Imports that the floors alone do not tell: who, and what else of ours it may name.
const BESIDE: [(&str, &[&str]); 3] = [
    // The server's side has no database.
    ("agent", &["base", "fetch"]),
    // A server in a test is no part of the program; only tests and benchmarks name it.
    (
        "testing",
        &["base", "storage", "fetch", "operations", "access", "web"],
    ),
    // Commands of the workshop, standard library only.
    ("xtask", &[]),
];

/// Beyond its floor: stacks speak the agent's protocol.
const MORE: [(&str, &str); 1] = [("stacks", "agent")];

/// What tests of any crate may name.
const IN_TESTS: &str = "testing";

pub(super) fn findings(files: &[File]) -> Vec<Finding> {
    files
        .iter()
        .filter(|file| file.name() == "Cargo.toml")
        .flat_map(of_manifest)
        .collect()
}

/// The crate that a manifest describes, or nothing for the workspace's own.
fn crate_of(path: &str) -> Option<&str> {
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["crates", name, "Cargo.toml"] | [name, "Cargo.toml"] => Some(name),
        _ => None,
    }
}

/// Every crate of ours that `name` may import, or nothing for an unknown one.
fn allowed(name: &str) -> Option<Vec<&'static str>> {
    if let Some((_, also)) = BESIDE.iter().find(|(who, _)| *who == name) {
        return Some(also.to_vec());
    }
    let floor = FLOORS.iter().position(|floor| floor.contains(&name))?;
    let below = FLOORS[..floor]
        .iter()
        .flat_map(|floor| floor.iter().copied());
    let more = MORE
        .iter()
        .filter(|(who, _)| *who == name)
        .map(|(_, what)| *what);
    Some(below.chain(more).collect())
}

fn is_ours(name: &str) -> bool {
    name == IN_TESTS
        || FLOORS.iter().any(|floor| floor.contains(&name))
        || BESIDE.iter().any(|(who, _)| *who == name)
}

fn of_manifest(file: &File) -> Vec<Finding> {
    let Some(name) = crate_of(&file.path) else {
        return Vec::new();
    };
    // Fuzz targets are a workspace of their own, as cargo fuzz wants them.
    if name == "fuzz" {
        return Vec::new();
    }
    let Some(allowed) = allowed(name) else {
        return vec![Finding::error(
            &file.path,
            1,
            format!(
                "`{name}` stands on no floor; give it one in xtask/src/tidy/layers.rs and in ARCHITECTURE.md"
            ),
        )];
    };
    let mut findings = Vec::new();
    let mut section = "";
    for (index, line) in file.text.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']');
            continue;
        }
        if !section.ends_with("dependencies") || line.is_empty() || line.starts_with('#') {
            continue;
        }
        let dependency = line.split(['.', ' ', '=']).next().unwrap_or_default();
        let in_tests = section.ends_with("dev-dependencies") && dependency == IN_TESTS;
        if is_ours(dependency) && !in_tests && !allowed.contains(&dependency) {
            findings.push(Finding::error(
                &file.path,
                index + 1,
                format!(
                    "`{name}` may not import `{dependency}`: it stands beside it or above it. \
                     Own a small trait here and hand the implementation over in src/serve.rs"
                ),
            ));
        }
        if !line.contains("workspace = true") {
            findings.push(Finding::error(
                &file.path,
                index + 1,
                format!(
                    "`{dependency}` has a version of its own; versions stand in the workspace's \
                     Cargo.toml alone: `{dependency}.workspace = true`"
                ),
            ));
        }
    }
    findings
}
