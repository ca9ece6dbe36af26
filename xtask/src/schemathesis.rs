//! schemathesis: the running server against its own OpenAPI document. No answer may
//! be a 5xx, none may be one that the document does not name.

use crate::peers::Peers;
use crate::place::{self, Place};
use crate::process::{Failure, Run, lacking};
use crate::python;
use crate::served::Served;
use std::path::PathBuf;

const VERSION: &str = "4.32.5";
/// Requests made up for each operation of the document.
const EXAMPLES: &str = "15";
/// Seconds for each half, which it spends: where every operation has had its examples, it
/// makes up more.
const SECONDS: &str = "65";
/// What must hold of every answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_schema_conformance";

/// The paths of one half of the document. What leads to each other is in the same half, and
/// both take about as long.
const HALF: &str = "^/(api/v1/(buckets|signed|shares|access-keys)|s/|tus|hooks)";

/// What is left out where there is no PostgreSQL.
pub(crate) const ON_POSTGRES: &str = "schemathesis against a server on Postgres";

/// What is not tried, by its name in the document, and why. tests/stories/odd_requests.rs
/// makes odd requests of all of these up, and holds the answers against the same document.
const NOT_TRIED: [(&str, &str); 8] = [
    (
        "delete_token",
        "it could delete the token that it asks with; a story tries it",
    ),
    (
        "delete_user",
        "it could delete the user that it asks as; a story tries it",
    ),
    (
        "change_user",
        "it could take the role from the user that it asks as; a story tries it",
    ),
    (
        "poll",
        "its answer waits until something happens, beyond any limit of a request; a story \
         tries it",
    ),
    (
        "create_bundle",
        "now and then the tool finds no list of the three forms that a source has, and says \
         so as an error; a story tries it",
    ),
    ("tus_create", TUS),
    ("tus_append", TUS),
    ("tus_override", TUS),
];

/// The clients of tus try these as well, in the stories.
const TUS: &str = "the tool cannot write bodies of tus, application/offset+octet-stream";

/// Whether this machine's Python can make an environment for it.
pub(crate) fn can_be_installed() -> bool {
    place::program("python3").is_some_and(|python| {
        Run::new(python)
            .args(["-c", "import venv, ensurepip, zipfile"])
            .capture()
            .is_ok()
    })
}

/// The program, installed below the target directory on first use.
pub(crate) fn program(place: &Place) -> Result<Option<PathBuf>, Failure> {
    if !can_be_installed() {
        return Ok(None);
    }
    python::install(place, ("schemathesis", VERSION), "schemathesis")?;
    let folder = place.tools().join(format!("schemathesis-{VERSION}"));
    Ok(Some(folder.join("bin/schemathesis")))
}

/// Why it cannot be run here, if it cannot. Installs it on first use.
pub(crate) fn obstacle(place: &Place) -> Option<String> {
    match program(place) {
        Ok(Some(_)) => None,
        Ok(None) => Some("python3 with venv is not installed".to_owned()),
        Err(failure) => Some(lacking("schemathesis", &failure)),
    }
}

/// `cargo xtask schemathesis`
pub(crate) fn command(place: &Place) -> Result<(), Failure> {
    let peers = Peers::start(place)?;
    if peers.postgres().is_none() {
        println!("skipped: {ON_POSTGRES}, which is not installed (`cargo xtask setup`)");
    }
    run(place, peers.postgres()).map(drop)
}

/// Starts two servers and lets schemathesis at them: two processes, each for half of the
/// document, the one on Postgres where there is one, the other on SQLite. What takes the time
/// is Python making values up, and one process uses one core; two of its own workers trip over
/// each other in Python 3.11's parser (`AST constructor recursion depth mismatch`).
pub(crate) fn run(place: &Place, postgres: Option<&str>) -> Result<String, Failure> {
    let program = program(place)?
        .ok_or_else(|| Failure::new("python3 with venv is not installed (`cargo xtask setup`)"))?;
    let mut served = [
        Served::start(place, "served-1", postgres)?,
        Served::start(place, "served-2", None)?,
    ];
    let tokens = [token(&served[0])?, token(&served[1])?];
    let half = |which: usize, filter: &str| {
        let name = format!("schemathesis-{}", which + 1);
        println!("{name} meets {}", served[which].on());
        Ok::<_, Failure>(
            Run::new(&program)
                .args([
                    "run",
                    &format!("{}/api/v1/openapi.json", served[which].url()),
                ])
                .args(["--checks", CHECKS, filter, HALF])
                .args(["--max-examples", EXAMPLES, "--seed", "1", "--workers", "1"])
                .args([
                    "--header",
                    &format!("Authorization: Bearer {}", tokens[which]),
                ])
                .args(
                    NOT_TRIED
                        .iter()
                        .flat_map(|(name, _)| ["--exclude-operation-id", *name]),
                )
                .args(["--request-timeout", "10", "--max-time", SECONDS])
                .args(["--no-color"])
                .dir(&place.scratch(&name)?)
                .minutes(10),
        )
    };
    let one = half(0, "--include-path-regex")?;
    let other = half(1, "--exclude-path-regex")?;
    let (one, other) = std::thread::scope(|scope| {
        // What the one says is shown once it is over, so that nothing is mixed.
        let one = scope.spawn(|| one.capture());
        let other = other.stream();
        (one.join(), other)
    });
    let one = one.map_err(|_| Failure::new("schemathesis could not be waited for"))??;
    println!("{one}");
    let outputs = [one, other?];
    for (served, token) in served.iter_mut().zip(&tokens) {
        served.still_runs()?;
        token_still_opens(served, token)?;
    }
    everything_was_tried(&outputs)?;
    Ok(outputs.concat())
}

/// Fails when less was tried than the document describes, without what is left out on
/// purpose: a run that ends early or selects nothing would pass for a good one.
fn everything_was_tried(outputs: &[String; 2]) -> Result<(), Failure> {
    let (mut selected, mut tested) = (0, 0);
    let mut described = None;
    for output in outputs {
        let after = |label: &str| {
            let line = output
                .lines()
                .find_map(|line| line.trim().strip_prefix(label));
            line.map(str::trim).unwrap_or_default().to_owned()
        };
        let counts = after("Selected:").split_once('/').and_then(|(some, all)| {
            let tested = after("Tested:").parse::<usize>().ok()?;
            Some((some.parse::<usize>().ok()?, all.parse().ok()?, tested))
        });
        let Some((some, all, some_tested)) = counts else {
            return Err(Failure::new(
                "schemathesis did not say how many operations it tried",
            ));
        };
        selected += some;
        tested += some_tested;
        described = Some(all);
    }
    if tested < selected || described != Some(selected + NOT_TRIED.len()) {
        return Err(Failure::new(format!(
            "schemathesis tried {tested} of {} operations, and {} are left out on purpose",
            described.unwrap_or_default(),
            NOT_TRIED.len()
        )));
    }
    Ok(())
}

/// A token to make requests with: made-up passwords would soon be limited.
fn token(served: &Served) -> Result<String, Failure> {
    let answer = curl()?
        .args(["--user", &format!("admin:{}", served.password())])
        .args(["--header", "content-type: application/json"])
        .args([
            "--data",
            r#"{"name": "tried", "scopes": ["admin"], "expires_in": 86400}"#,
        ])
        .args([&format!("{}/api/v1/tokens", served.url())])
        .capture()?;
    let token = answer
        .split('"')
        .find(|part| part.starts_with("lsh_") && part.len() > 20);
    token
        .map(str::to_owned)
        .ok_or_else(|| Failure::new("the server gave no token to test with"))
}

/// Whatever came after the token was lost would have been refused, and passed for that.
fn token_still_opens(served: &Served, token: &str) -> Result<(), Failure> {
    curl()?
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args([&format!("{}/api/v1/about", served.url())])
        .capture()
        .map(drop)
        .map_err(|failure| {
            Failure::new(format!(
                "schemathesis locked itself out, so its later requests showed nothing: {failure}"
            ))
        })
}

fn curl() -> Result<Run, Failure> {
    let curl = place::program("curl")
        .ok_or_else(|| Failure::new("curl is not installed (`cargo xtask setup`)"))?;
    Ok(Run::new(curl).args(["--silent", "--show-error", "--fail", "--max-time", "10"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_tried_too_little_fails() {
        let output = |selected: &str, tested: &str| {
            format!("API Operations:\n  Selected: {selected}\n  Tested: {tested}\n")
        };
        let said = |selected: &str, tested: &str| {
            let all = 64 + NOT_TRIED.len();
            let other = output(&format!("20/{all}"), "20");
            everything_was_tried(&[output(selected, tested), other])
        };
        let all = |selected: usize| format!("{selected}/{}", 64 + NOT_TRIED.len());
        assert!(said(&all(44), "44").is_ok());
        for (selected, tested) in [
            (all(44).as_str(), "43"),
            (all(43).as_str(), "43"),
            ("0/0", "0"),
            ("", ""),
        ] {
            assert!(said(selected, tested).is_err(), "{selected} {tested}");
        }
    }
}
