//! Everything that holds, shown: the check, the build, and every test there is.
//!
//! Everything is compiled once: clippy looks on while the debug build is made, which unit
//! tests, stories, browser and schemathesis share. The release build is for `run`,
//! `bench` and `release`.

use crate::peers::Peers;
use crate::place::{self, Place};
use crate::process::{Failure, Run};
use crate::program::{self, Console, Profile};
use crate::report::Report;
use crate::{
    check, cloudflare, console, deny, mail, memory, s3_clients, schemathesis, setup, tus, valkey,
};

/// `cargo xtask test`
pub(crate) fn command(place: &Place) -> Result<(), Failure> {
    let mut report = Report::new();
    // What fails here says so in its own step, which has it again. What setup and npm do is
    // mostly to wait for the network.
    let begun = beside(|| drop(deny::program(place)), || begin(place, &mut report));
    let Some(console) = begun else {
        return report.close();
    };
    check::steps(place, &mut report);
    let built = beside(
        || drop(install_clients(place)),
        || report.step("build, under clippy", || build(place, console)),
    );
    if built {
        tests(place, &mut report, console);
    } else {
        report.skip("every test", "the build failed");
    }
    report.close()
}

/// Installs what is missing, and builds the console; nothing, where that cannot be.
fn begin(place: &Place, report: &mut Report) -> Option<Console> {
    let mut lacking = Vec::new();
    let ready = report.step("setup", || {
        lacking = setup::ensure()?;
        Ok(String::new())
    });
    for need in &lacking {
        report.skip("tests that need another program", need);
    }
    ready.then(|| console_first(place, report))
}

/// Does `work`, and meanwhile has what it will need.
fn beside<T>(had: impl FnOnce() + Send, work: impl FnOnce() -> T) -> T {
    std::thread::scope(|scope| {
        scope.spawn(had);
        work()
    })
}

/// What stories and tests drive, and what drives the server, each in an environment of its own.
fn install_clients(place: &Place) -> Result<(), Failure> {
    s3_clients::install(place)?;
    cloudflare::install(place)?;
    tus::install(place);
    mail::install(place);
    valkey::install(place);
    schemathesis::program(place)?;
    Ok(())
}

/// Builds the console before anything is compiled, so that it is compiled in once.
fn console_first(place: &Place, report: &mut Report) -> Console {
    if let Some(obstacle) = console::obstacle(place) {
        report.skip_unless_required("console: build", &obstacle);
        return Console::StandIn;
    }
    if report.step("console: build", || {
        console::build(place).map(|()| String::new())
    }) {
        Console::Required
    } else {
        Console::StandIn
    }
}

/// What the data directories of all tests need at the most, with room to spare.
const ENOUGH_MEMORY: u64 = 6 << 30;

/// Why something meets SQLite only.
const NO_POSTGRES: &str = "it is not installed (`cargo xtask setup`)";

fn tests(place: &Place, report: &mut Report, console: Console) {
    let mut peers = None;
    report.step("peers", || {
        s3_clients::install(place)?;
        cloudflare::install(place)?;
        peers = Some(Peers::start(place)?);
        Ok(String::new())
    });
    let Some(peers) = peers else {
        report.skip("every test", "the peers did not start");
        return;
    };
    for skipped in &peers.skipped {
        report.skip("tests on a peer", skipped);
    }
    let scratch = memory::Folder::of("tests", ENOUGH_MEMORY);
    let mut environment = peers.environment.clone();
    if let Some(scratch) = &scratch {
        let path = scratch.path().display().to_string();
        environment.push(("TMPDIR".to_owned(), path));
    }
    if console == Console::Required {
        environment.push(("LONGSHORE_REQUIRE_CONSOLE".to_owned(), "1".to_owned()));
    }
    let mut lacking = Vec::new();
    report.step("clients of tus", || {
        lacking = tus::install(place);
        Ok(String::new())
    });
    for client in lacking {
        report.skip_unless_required("stories of tus", &client);
    }
    let mut lacking = None;
    report.step("a mail server", || {
        lacking = mail::install(place);
        Ok(String::new())
    });
    if let Some(server) = lacking {
        report.skip_unless_required("stories of mail", &server);
    }
    let mut lacking = None;
    report.step("a Valkey", || {
        lacking = valkey::install(place);
        Ok(String::new())
    });
    if let Some(server) = lacking {
        report.skip_unless_required("stories of Valkey", &server);
    }
    report.step("rust: units and stories", || {
        rust_tests(place, &environment)
    });
    report.step("rust: documentation", || {
        Run::cargo()
            .args(["test", "--locked", "--workspace", "--doc"])
            .args(FEATURES)
            .dir(&place.root)
            .envs(&environment)
            .envs(&check::linting())
            .minutes(10)
            .stream()
    });
    if console == Console::Required {
        report.step("console: units", || console::unit_tests(place));
        match console::browser_obstacle(place) {
            Some(obstacle) => report.skip_unless_required("console: browser", &obstacle),
            None => {
                report.step("console: browser", || {
                    let binary = program::binary(place, Profile::Debug);
                    console::browser_tests(place, &binary, &environment)
                });
                if peers.postgres().is_none() {
                    report.skip("console: browser on Postgres", NO_POSTGRES);
                }
            }
        }
    }
    let mut obstacle = None;
    report.step("schemathesis is there", || {
        obstacle = schemathesis::obstacle(place);
        Ok(String::new())
    });
    if let Some(obstacle) = obstacle {
        report.skip_unless_required("schemathesis", &obstacle);
        return;
    }
    report.step("schemathesis", || {
        schemathesis::run(place, peers.postgres())
    });
    if peers.postgres().is_none() {
        report.skip(schemathesis::ON_POSTGRES, NO_POSTGRES);
    }
}

/// The benchmarks are held to what everything else is.
const FEATURES: [&str; 2] = ["--features", "longshore-testing/bench"];

/// Compiles the binary and every test, with the features that the tests will ask for:
/// a build of the binary alone would compile half of the crates a second time. Clippy's
/// compiler compiles it, which refuses what clippy does.
fn build(place: &Place, console: Console) -> Result<String, Failure> {
    let run = Run::cargo()
        .args(["build", "--locked", "--workspace", "--all-targets"])
        .args(FEATURES)
        .dir(&place.root)
        .envs(&check::linting())
        .minutes(25);
    match console {
        Console::StandIn => run.stream(),
        Console::Required => run.env("LONGSHORE_REQUIRE_CONSOLE", "1").stream(),
    }
}

/// Units beside the code and stories against the binary, by nextest where it is.
fn rust_tests(place: &Place, environment: &[(String, String)]) -> Result<String, Failure> {
    let run = |words: &[&str]| {
        Run::cargo()
            .args(words)
            .args(["--locked", "--workspace", "--no-fail-fast"])
            .args(FEATURES)
            .dir(&place.root)
            .envs(environment)
            .envs(&check::linting())
            .minutes(40)
            .stream()
    };
    if place::program("cargo-nextest").is_some() {
        // A story mostly waits: for disks, peers and what it says that it waits for.
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = (3 * cores).to_string();
        run(&["nextest", "run", "--test-threads", &threads])
    } else {
        println!("cargo-nextest is not installed; `cargo test` runs the same tests, slower.");
        run(&["test", "--all-targets"])
    }
}
