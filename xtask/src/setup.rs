//! What tests need on a machine, and installing it: Debian's packages as root on
//! Debian, a list of what is missing everywhere else.
//!
//! It may run any number of times. It installs only what is not there, configures
//! nothing, and starts no service (nor lets Debian start one).

use crate::place::{self, Place};
use crate::process::{Failure, Run};
use crate::{cloudflare, console, deny, mail, postgres, s3_clients, schemathesis, tus, valkey};

/// A program that tests use: how it is found, what brings it, what it is for.
struct Need {
    found: fn() -> bool,
    package: &'static str,
    purpose: &'static str,
}

const NEEDS: [Need; 16] = [
    Need {
        found: || postgres::programs().is_some(),
        package: "postgresql",
        purpose: "every database test runs on Postgres too",
    },
    Need {
        found: || place::program("redis-server").is_some(),
        package: "redis-server",
        purpose: "the cache that replicas share is tested with it",
    },
    Need {
        found: || place::program("nginx").is_some(),
        package: "nginx",
        purpose: "the sample configuration is tested behind a real nginx",
    },
    Need {
        found: console::has_chromium,
        package: console::HEADLESS,
        purpose: "the console is tested in a real browser",
    },
    Need {
        found: || place::program("unzip").is_some(),
        package: "unzip",
        purpose: "archives are read by unzip",
    },
    Need {
        found: || place::program("7z").is_some(),
        package: "p7zip-full",
        purpose: "archives are read by 7z",
    },
    Need {
        found: || place::program("bsdtar").is_some(),
        package: "libarchive-tools",
        purpose: "archives are read by bsdtar",
    },
    Need {
        found: || place::program("jar").is_some(),
        package: "default-jdk-headless",
        purpose: "archives are read by Java's jar",
    },
    Need {
        found: || place::program("zip").is_some(),
        package: "zip",
        purpose: "the benchmark of the 2020 way zips with it",
    },
    Need {
        found: || place::program("wget").is_some(),
        package: "wget",
        purpose: "the benchmark of the 2020 way fetches with it",
    },
    Need {
        found: || place::program("curl").is_some(),
        package: "curl",
        purpose: "stories speak HTTP with it as a person would",
    },
    Need {
        found: || place::program("zsh").is_some(),
        package: "zsh",
        purpose: "completions are read by zsh",
    },
    Need {
        found: || place::program("fish").is_some(),
        package: "fish",
        purpose: "completions are read by fish",
    },
    Need {
        found: || place::program("rclone").is_some(),
        package: "rclone",
        purpose: "the S3 port is asked by it",
    },
    Need {
        found: || place::program("strace").is_some(),
        package: "strace",
        purpose: "what is acknowledged was synced before, as the kernel was asked",
    },
    Need {
        found: schemathesis::can_be_installed,
        package: "python3-venv",
        purpose: "schemathesis, Python's zipfile, and S3 clients",
    },
];

fn missing() -> Vec<&'static Need> {
    NEEDS.iter().filter(|need| !(need.found)()).collect()
}

/// Installs what is missing where that can be done; what is still missing afterwards.
///
/// # Errors
/// When something is missing and peers are required.
pub(crate) fn ensure() -> Result<Vec<String>, Failure> {
    let wanted = missing();
    if !wanted.is_empty() && place::is_debian() && place::is_root() {
        install(&wanted)?;
    }
    let lacking: Vec<String> = missing()
        .iter()
        .map(|need| format!("{}: {}", need.package, need.purpose))
        .collect();
    if !lacking.is_empty() && place::peers_required() {
        return Err(Failure::new(format!(
            "required here and not installed: {}",
            lacking.join("; ")
        )));
    }
    Ok(lacking)
}

fn install(wanted: &[&Need]) -> Result<(), Failure> {
    let apt = |words: &[&str]| {
        Run::new("apt-get")
            .args([
                "--quiet",
                "--option=Dpkg::Use-Pty=0",
                "--option=Acquire::Retries=3",
            ])
            .args(words)
            .env("DEBIAN_FRONTEND", "noninteractive")
            // The runlevel in which Debian's packages start no service.
            .env("RUNLEVEL", "1")
            .minutes(12)
    };
    // A stale list is as good as none where the network is shut; installing decides.
    if let Err(failure) = apt(&["update"]).stream() {
        println!("going on with the package lists that are here: {failure}");
    }
    let packages: Vec<&str> = wanted.iter().map(|need| need.package).collect();
    apt(&["install", "--yes", "--no-install-recommends"])
        .args(packages)
        .stream()
        .map(drop)
}

/// Says what is missing, and how it is had.
pub(crate) fn tell_what_is_missing() {
    let lacking = missing();
    if lacking.is_empty() {
        return;
    }
    println!("Not installed, so what needs it is skipped:");
    for need in &lacking {
        println!("  {:<22} {}", need.package, need.purpose);
    }
    let packages: Vec<&str> = lacking.iter().map(|need| need.package).collect();
    println!(
        "On Debian: `sudo apt-get install --no-install-recommends {}`, or `cargo xtask setup` as root.",
        packages.join(" ")
    );
}

/// `cargo xtask setup`
pub(crate) fn command(place: &Place) -> Result<(), Failure> {
    ensure()?;
    tell_what_is_missing();
    deny::program(place)?;
    schemathesis::program(place)?;
    let servers = [mail::install(place), valkey::install(place)];
    for peer in tus::install(place)
        .into_iter()
        .chain(servers.into_iter().flatten())
    {
        println!("Left out: {peer}");
    }
    s3_clients::install(place)?;
    cloudflare::install(place)?;
    match console::obstacle(place) {
        Some(obstacle) => println!("The console is left out: {obstacle}"),
        None => console::install(place)?,
    }
    println!("\nSet up. `cargo xtask test` runs everything.");
    Ok(())
}
