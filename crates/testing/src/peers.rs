//! Which peers there are, and what a test does when one is missing: it says so and
//! passes, or fails where peers are required.

use std::path::PathBuf;

/// The variable that names a PostgreSQL in which tests may make databases of their own.
pub const POSTGRES: &str = "LONGSHORE_TEST_POSTGRES";
/// The variable that makes a missing peer a failure, as in CI.
pub const REQUIRE_PEERS: &str = "LONGSHORE_REQUIRE_PEERS";

/// Folders that hold programs and that a person's PATH may lack.
const ALSO: [&str; 2] = ["/usr/sbin", "/sbin"];

/// The path of a program that a test wants, or nothing, after saying that the test
/// is skipped.
///
/// # Panics
/// When it is missing and `LONGSHORE_REQUIRE_PEERS` is set.
#[must_use]
pub fn installed(program: &str) -> Option<PathBuf> {
    let found = find(program);
    if found.is_none() {
        missing(
            program,
            "install it, or let `cargo xtask setup` do so as root on Debian",
        );
    }
    found
}

/// The variable that names the folder in which S3 clients are: `python` with boto3, `aws`
/// and `s3cmd`. `cargo xtask peers` sets it.
pub const S3_CLIENTS: &str = "LONGSHORE_TEST_S3_CLIENTS";

/// The path of an S3 client that a test wants, or nothing, after saying that the test is
/// skipped.
///
/// # Panics
/// When it is missing and `LONGSHORE_REQUIRE_PEERS` is set.
#[must_use]
pub fn s3_client(program: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(S3_CLIENTS).map(PathBuf::from);
    let found = folder
        .map(|folder| folder.join(program))
        .filter(|candidate| candidate.is_file());
    if found.is_none() {
        missing(program, "`cargo xtask setup` installs it");
    }
    found
}

/// The variable that names the program of an S3-compatible store, s3s-fs. `cargo xtask
/// peers` sets it.
pub const S3_STORE: &str = "LONGSHORE_TEST_S3_STORE";

/// The program of an S3-compatible store, or nothing, after saying that the test is
/// skipped.
///
/// # Panics
/// When it is missing and `LONGSHORE_REQUIRE_PEERS` is set.
pub(crate) fn s3_store() -> Option<PathBuf> {
    let found = std::env::var_os(S3_STORE).map(PathBuf::from);
    let found = found.filter(|program| program.is_file());
    if found.is_none() {
        missing("s3s-fs", "`cargo xtask peers -- COMMAND` compiles it");
    }
    found
}

/// The variable that names the folder in which Cloudflare's own clients (npm's in
/// `node_modules`, PyPI's behind `bin/python`) and the tus server `@tus/server` are.
/// `cargo xtask peers` sets it.
pub const CLOUDFLARE: &str = "LONGSHORE_TEST_CLOUDFLARE";

/// The folder of Cloudflare's clients, or nothing, after saying that the test is skipped.
///
/// # Panics
/// When it is missing and `LONGSHORE_REQUIRE_PEERS` is set.
#[must_use]
pub fn cloudflare_peer() -> Option<PathBuf> {
    let folder = std::env::var_os(CLOUDFLARE).map(PathBuf::from);
    let found = folder.filter(|folder| folder.join("node_modules").is_dir());
    if found.is_none() {
        missing("Cloudflare's clients", "`cargo xtask setup` installs them");
    }
    found
}

/// A program in PATH or where system programs are.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(ALSO.iter().map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

/// Says that a peer is missing, or may not do what it is wanted for.
///
/// # Panics
/// Where peers are required: `LONGSHORE_REQUIRE_PEERS` is set.
pub fn missing(peer: &str, remedy: &str) {
    let required =
        std::env::var(REQUIRE_PEERS).is_ok_and(|value| !matches!(value.as_str(), "" | "0"));
    assert!(
        !required,
        "{peer} is required here ({REQUIRE_PEERS}) and missing: {remedy}"
    );
    eprintln!("skipped, {peer} is missing: {remedy}");
}
