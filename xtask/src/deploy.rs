//! Whether what stands in deploy/ is true of the program: its settings are real, those
//! that a deployment needs are given, and the Terraform module holds together.
//!
//! It reads files and starts nothing but `terraform fmt`, which needs neither an account
//! nor the network. What only a provider knows (`terraform validate`) it cannot know.

mod declared;
mod hcl;
mod layout;
mod tokens;

use crate::place::{self, Place};
use crate::process::{Failure, Run};
use crate::report::Report;
use declared::Module;
use hcl::Body;
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

/// What a deployment for many must give. One that Longshore does not have yet is asked
/// for from the day on which it has it.
const NEEDED: [&str; 6] = [
    "listen",
    "data",
    "database",
    "public_url",
    "trusted_proxies",
    "cache",
];

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
    for key in needed(known) {
        if !given.contains(&key) {
            wrong.push(format!(
                "{MODULE}: `{key}` is not given; add it to `settings` in service.tf, or to `secret_settings`"
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
    needed(known)
        .filter(|key| !in_a_file.contains(key))
        .chain(["LONGSHORE_CONFIG".to_owned()])
        .filter(|key| !gives(key))
        .map(|key| format!("{COMPOSE}: `{key}` is not given"))
        .collect()
}

/// What a deployment must give, of what there is, as variables.
fn needed(known: &BTreeSet<String>) -> impl Iterator<Item = String> {
    NEEDED
        .iter()
        .map(|key| variable(key))
        .filter(|key| known.contains(key))
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
        .skip_while(|line| *line != "## All settings");
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
    fn a_setting_needed_at_scale_is_asked_for_once_there_is_one() {
        let today = module("    LONGSHORE_LISTEN = \"0.0.0.0:8011\"\n");
        assert!(environment(&today, &known(&["listen", "files.cache"])).is_empty());
        let wrong = environment(&today, &known(&["listen", "cache"]));
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert!(wrong[0].contains("LONGSHORE_CACHE"));
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
