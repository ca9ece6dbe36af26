//! Whether what stands in deploy/ is true of the program: its settings are real, those
//! that a deployment needs are given, the Terraform module holds together, and its files are
//! those that the documents name.
//!
//! It reads files and starts nothing but `terraform fmt`, which needs neither an account
//! nor the network. What only a provider knows (`terraform validate`) it cannot know.

mod declared;
mod hcl;
mod layout;
mod left;
mod named;
mod tokens;

use crate::place::{self, Place};
use crate::process::{Failure, Run};
use crate::report::Report;
use declared::Module;
use hcl::Body;
use left::LEFT_AT_DEFAULT;
use std::collections::BTreeSet;
use std::path::Path;

/// The module, below the root.
const MODULE: &str = "deploy/terraform";
const EXAMPLES: &str = "deploy/terraform/examples";
const COMPOSE: &str = "deploy/compose.yaml";
/// Lists every setting; a test of `base` holds it against the source.
const REFERENCE: &str = "docs/configuration.md";

/// The maps of the module that become the environment of the service.
const ENVIRONMENT: [&str; 2] = ["settings", "secret_settings"];

/// What the module gives besides: its log is read by a machine, and its load balancer keeps
/// connections for longer than Longshore does by default.
const MODULE_TOO: [&str; 2] = ["log.format", "http.header_timeout"];

/// What compose gives besides: its S3 server stands on a private network.
const COMPOSE_TOO: [&str; 1] = ["fetch.allow"];

/// What compose gives in a file, because it holds a password.
const IN_A_FILE: [&str; 1] = ["database"];

/// Variables that are no settings, yet mean something to the program or its build.
const BESIDE_SETTINGS: [&str; 3] = [
    "LONGSHORE_CONFIG",
    "LONGSHORE_ADMIN_PASSWORD",
    "LONGSHORE_REQUIRE_CONSOLE",
];

/// The steps of a check.
pub(crate) fn steps(place: &Place, report: &mut Report) {
    report.step("deploy: true of the program", || check(&place.root));
    match place::program("terraform") {
        Some(terraform) => {
            report.step("deploy: terraform fmt", || {
                Run::new(terraform)
                    .args(["fmt", "-check", "-diff", "-recursive", MODULE])
                    // It would ask its maker's server for a newer version.
                    .env("CHECKPOINT_DISABLE", "1")
                    .dir(&place.root)
                    .minutes(2)
                    .stream()
            });
        }
        None => report.skip(
            "deploy: terraform fmt",
            "terraform is not installed; indentation and alignment were checked without it",
        ),
    }
}

/// Everything that is wrong in deploy/, a line each.
fn check(root: &Path) -> Result<String, Failure> {
    let known = settings(&read(&root.join(REFERENCE))?);
    let mut wrong = Vec::new();
    let mut modules = vec![MODULE.to_owned()];
    for name in names(&root.join(EXAMPLES))? {
        modules.push(format!("{EXAMPLES}/{name}"));
    }
    for folder in &modules {
        let module = read_module(root, folder, &mut wrong)?;
        wrong.extend(module.findings());
        if folder == MODULE {
            wrong.extend(environment(&module, &known));
        }
    }
    wrong.extend(left_that_is_none(&known));
    wrong.extend(named::findings(root)?);
    let compose = read(&root.join(COMPOSE))?;
    wrong.extend(given_by_compose(&compose, &known));
    mentioned(root, "deploy", &known, &mut wrong)?;
    if wrong.is_empty() {
        println!("deploy/ is true of {} settings.", known.len());
        Ok(String::new())
    } else {
        Err(Failure::new(format!(
            "deploy/ is not as it should be:\n{}",
            wrong.join("\n")
        )))
    }
}

/// Reads the HCL of a folder, and tells of what is not laid out or cannot be read.
fn read_module(root: &Path, folder: &str, wrong: &mut Vec<String>) -> Result<Module, Failure> {
    let mut module = Module::new(folder);
    for name in names(&root.join(folder))? {
        if !name.ends_with(".tf") {
            continue;
        }
        let path = format!("{folder}/{name}");
        let text = read(&root.join(&path))?;
        for (line, what) in layout::findings(&text) {
            wrong.push(format!("{path}:{line}: {what}"));
        }
        match Body::parse(&text) {
            Ok(body) => module.add(&path, body),
            Err((line, what)) => wrong.push(format!("{path}:{line}: {what}")),
        }
    }
    Ok(module)
}

/// What the module gives to the service, held against the settings that there are.
fn environment(module: &Module, known: &BTreeSet<String>) -> Vec<String> {
    let mut given = BTreeSet::new();
    let mut wrong = Vec::new();
    for name in ENVIRONMENT {
        match module.keys_of_local(name) {
            Some(keys) => given.extend(keys),
            None => wrong.push(format!(
                "{MODULE}: there is no map `{name}` among its locals; the service gets its environment from it"
            )),
        }
    }
    for key in &given {
        if !is_known(key, known) {
            wrong.push(format!("{MODULE}: `{key}` is no setting of {REFERENCE}"));
        }
    }
    for key in needed(known, &MODULE_TOO) {
        if !given.contains(&key) {
            wrong.push(format!(
                "{MODULE}: `{key}` is not given; add it to `settings` in service.tf or to `secret_settings`, or name it in xtask/src/deploy/left.rs"
            ));
        }
    }
    wrong
}

/// The same for compose, which is not read as YAML: a key of a map ends with a colon.
fn given_by_compose(text: &str, known: &BTreeSet<String>) -> Vec<String> {
    let in_a_file: Vec<String> = IN_A_FILE.iter().map(|key| variable(key)).collect();
    let gives = |key: &str| {
        text.lines()
            .any(|line| line.trim_start().starts_with(&format!("{key}: ")))
    };
    needed(known, &COMPOSE_TOO)
        .filter(|key| !in_a_file.contains(key))
        .chain(["LONGSHORE_CONFIG".to_owned()])
        .filter(|key| !gives(key))
        .map(|key| {
            format!(
                "{COMPOSE}: `{key}` is not given; add it, or name it in xtask/src/deploy/left.rs"
            )
        })
        .collect()
}

/// What a deployment must give: whatever is not left at its default, and some besides.
fn needed(known: &BTreeSet<String>, besides: &[&str]) -> impl Iterator<Item = String> {
    let left = LEFT_AT_DEFAULT.iter().filter(|key| !besides.contains(key));
    let left: BTreeSet<String> = left.map(|key| variable(key)).collect();
    known
        .iter()
        .filter(move |key| !left.contains(*key))
        .cloned()
}

/// What is left at its default and is no setting (any more).
fn left_that_is_none(known: &BTreeSet<String>) -> impl Iterator<Item = String> {
    let left = LEFT_AT_DEFAULT.iter();
    left.filter(|key| !known.contains(&variable(key)))
        .map(|key| format!("xtask/src/deploy/left.rs: `{key}` is left at its default, and is no setting of {REFERENCE}"))
}

/// Looks for names of settings in all text below a folder.
fn mentioned(
    root: &Path,
    folder: &str,
    known: &BTreeSet<String>,
    wrong: &mut Vec<String>,
) -> Result<(), Failure> {
    for name in names(&root.join(folder))? {
        let path = format!("{folder}/{name}");
        let full = root.join(&path);
        if full.is_dir() {
            if !crate::tidy::is_made(&name) {
                mentioned(root, &path, known, wrong)?;
            }
            continue;
        }
        for (index, line) in read(&full)?.lines().enumerate() {
            for key in variables_in(line).filter(|key| !is_known(key, known)) {
                wrong.push(format!(
                    "{path}:{}: `{key}` is no setting of {REFERENCE}",
                    index + 1
                ));
            }
        }
    }
    Ok(())
}

fn is_known(key: &str, known: &BTreeSet<String>) -> bool {
    known.contains(key) || BESIDE_SETTINGS.contains(&key)
}

/// The words of a line that look like variables of Longshore.
fn variables_in(line: &str) -> impl Iterator<Item = &str> {
    line.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .filter(|word| {
            word.strip_prefix("LONGSHORE_")
                .is_some_and(|rest| !rest.is_empty())
        })
}

/// The variable of a setting, as the program derives it.
fn variable(key: &str) -> String {
    format!("LONGSHORE_{}", key.replace('.', "_").to_ascii_uppercase())
}

/// Every setting that has a variable, out of the tables of the reference.
fn settings(reference: &str) -> BTreeSet<String> {
    let mut group = String::new();
    let mut found = BTreeSet::new();
    let tables = reference
        .lines()
        .skip_while(|line| *line != "## All settings")
        .skip(1)
        .take_while(|line| !line.starts_with("## "));
    for line in tables {
        if let Some(heading) = line.strip_prefix("### ") {
            group = heading
                .strip_prefix("`[")
                .and_then(|rest| rest.strip_suffix("]`"))
                .map_or_else(String::new, |name| format!("{name}."));
        } else if let Some((key, _)) = line.strip_prefix("| `").and_then(|row| row.split_once('`'))
            && !key.contains('<')
        {
            found.insert(variable(&format!("{group}{key}")));
        }
    }
    found
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Result<Vec<String>, Failure> {
    let entries = std::fs::read_dir(folder)
        .map_err(|error| Failure::about(folder, "cannot be listed", &error))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str().map(str::to_owned))
        .collect();
    names.sort();
    Ok(names)
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::about(path, "cannot be read", &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> std::path::PathBuf {
        Place::find().expect("the checkout is there").root
    }

    #[test]
    fn what_stands_in_deploy_is_true_of_the_program() {
        if let Err(failure) = check(&root()) {
            panic!("{failure}");
        }
    }

    #[test]
    fn the_reference_names_the_settings_of_every_group() {
        let reference = read(&root().join(REFERENCE)).expect("it is there");
        let known = settings(&reference);
        for key in [
            "LONGSHORE_LISTEN",
            "LONGSHORE_DATABASE",
            "LONGSHORE_HTTP_HEADER_TIMEOUT",
            "LONGSHORE_OPERATIONS_RETENTION_AGE",
        ] {
            assert!(known.contains(key), "{key} of {known:?}");
        }
    }

    fn known(keys: &[&str]) -> BTreeSet<String> {
        keys.iter().map(|key| variable(key)).collect()
    }

    fn module(settings: &str) -> Module {
        let text =
            format!("locals {{\n  settings = {{\n{settings}  }}\n  secret_settings = {{}}\n}}\n");
        let mut module = Module::new("m");
        module.add("m/service.tf", Body::parse(&text).expect("it can be read"));
        module
    }

    #[test]
    fn a_setting_that_is_none_and_one_that_is_missing_are_told() {
        let known = known(&["listen", "fetch.concurrent"]);
        let right = module("    LONGSHORE_LISTEN = \"0.0.0.0:8011\"\n");
        assert!(environment(&right, &known).is_empty());
        let wrong = environment(&module("    LONGSHORE_LISEN = \"0.0.0.0:8011\"\n"), &known);
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(wrong[0].contains("`LONGSHORE_LISEN` is no setting"));
        assert!(wrong[1].contains("`LONGSHORE_LISTEN` is not given"));
    }

    #[test]
    fn a_new_setting_is_given_or_left_at_its_default_on_purpose() {
        let today = module("    LONGSHORE_LISTEN = \"0.0.0.0:8011\"\n");
        let compose = "    LONGSHORE_LISTEN: 0.0.0.0:8011\n    LONGSHORE_CONFIG: /a\n";
        let left = known(&["listen", "files.cache"]);
        assert!(environment(&today, &left).is_empty());
        assert!(given_by_compose(compose, &left).is_empty());
        let with_a_new_one = known(&["listen", "files.glitter"]);
        for wrong in [
            environment(&today, &with_a_new_one),
            given_by_compose(compose, &with_a_new_one),
        ] {
            assert_eq!(wrong.len(), 1, "{wrong:?}");
            assert!(wrong[0].contains("`LONGSHORE_FILES_GLITTER` is not given"));
        }
    }

    #[test]
    fn what_is_left_at_its_default_is_a_setting_and_named_once() {
        let reference = read(&root().join(REFERENCE)).expect("it is there");
        let left: BTreeSet<&&str> = LEFT_AT_DEFAULT.iter().collect();
        assert_eq!(left.len(), LEFT_AT_DEFAULT.len());
        assert_eq!(left_that_is_none(&settings(&reference)).count(), 0);
        assert!(left_that_is_none(&known(&["listen"])).count() > 1);
    }

    #[test]
    fn other_variables_are_no_settings() {
        let reference = read(&root().join(REFERENCE)).expect("it is there");
        let known = settings(&reference);
        assert!(
            !known
                .iter()
                .any(|key| key.contains("LONGSHORE_METRICS_LONGSHORE"))
        );
    }

    #[test]
    fn compose_must_give_what_its_file_of_secrets_does_not() {
        let known = known(&["listen", "database"]);
        let text = "  environment:\n    LONGSHORE_LISTEN: 0.0.0.0:8011\n    LONGSHORE_CONFIG: /a\n";
        assert!(given_by_compose(text, &known).is_empty());
        let wrong = given_by_compose("# LONGSHORE_LISTEN: no\n", &known);
        assert_eq!(wrong.len(), 2, "{wrong:?}");
    }

    #[test]
    fn names_of_settings_are_found_in_any_text() {
        let found: Vec<&str> =
            variables_in("a ${LONGSHORE_DATA:-x} LONGSHORE_ `LONGSHORE_LOG_FORMAT`").collect();
        assert_eq!(found, ["LONGSHORE_DATA", "LONGSHORE_LOG_FORMAT"]);
    }
}
