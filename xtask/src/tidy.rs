//! Whether the tree is as the house wants it: sizes, names, who imports whom, where
//! SQL and axum may stand.
//!
//! The rules are tables in [`tidy::rules`](rules) and [`tidy::layers`](layers); every
//! finding says the rule and the remedy. It reads files and changes none.

mod layers;
mod rules;
mod rust;

use crate::process::Failure;
use rust::RustSource;
use std::fmt;
use std::path::Path;

/// What is made, not written.
const MADE: [&str; 10] = [
    ".git",
    ".terraform",
    "target",
    "node_modules",
    "dist",
    "longshore-data",
    "test-results",
    "playwright-report",
    "corpus",
    "artifacts",
];

/// Whether what has this name is made, not written.
pub(crate) fn is_made(name: &str) -> bool {
    MADE.contains(&name)
}

/// A file of the tree.
pub(crate) struct File {
    /// Relative to the root, with `/`.
    path: String,
    /// Its text; empty where it is not UTF-8.
    text: String,
    /// The same, taken apart, when it is Rust.
    rust: Option<RustSource>,
}

impl File {
    fn new(path: String, text: String) -> Self {
        let rust = path.ends_with(".rs").then(|| RustSource::new(&text));
        Self { path, text, rust }
    }

    /// The last part of its path.
    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// Something that is not as it should be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    text: String,
    /// A warning is shown and passes.
    warning: bool,
}

impl Finding {
    fn error(path: &str, line: usize, text: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            text: text.into(),
            warning: false,
        }
    }

    fn warning(path: &str, line: usize, text: impl Into<String>) -> Self {
        Self {
            warning: true,
            ..Self::error(path, line, text)
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.warning { "warning: " } else { "" };
        write!(f, "{}:{}: {kind}{}", self.path, self.line, self.text)
    }
}

/// Reads the tree and judges it; a failure lists every finding that is no warning.
pub(crate) fn check(root: &Path) -> Result<String, Failure> {
    let mut files = Vec::new();
    read_below(root, "", &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let findings = judge(&files);
    for finding in findings.iter().filter(|finding| finding.warning) {
        println!("{finding}");
    }
    let wrong: Vec<String> = findings
        .iter()
        .filter(|finding| !finding.warning)
        .map(Finding::to_string)
        .collect();
    if wrong.is_empty() {
        println!("{} files are tidy.", files.len());
        Ok(String::new())
    } else {
        Err(Failure::new(format!(
            "the tree is not tidy:\n{}",
            wrong.join("\n")
        )))
    }
}

/// Every finding of every rule.
fn judge(files: &[File]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = files.iter().flat_map(rules::of_one_file).collect();
    findings.extend(rules::of_all_files(files));
    findings.extend(layers::findings(files));
    findings
}

fn read_below(root: &Path, below: &str, files: &mut Vec<File>) -> Result<(), Failure> {
    let folder = root.join(below);
    let entries = std::fs::read_dir(&folder)
        .map_err(|error| Failure::about(&folder, "cannot be listed", &error))?;
    for entry in entries.flatten() {
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
            continue;
        };
        let path = if below.is_empty() {
            name.clone()
        } else {
            format!("{below}/{name}")
        };
        // A file that somebody removes meanwhile is no finding.
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() {
            if !is_made(&name) {
                read_below(root, &path, files)?;
            }
        // In a worktree of git, `.git` is a file.
        } else if kind.is_file() && !is_made(&name) {
            let Ok(bytes) = std::fs::read(entry.path()) else {
                continue;
            };
            files.push(File::new(
                path,
                String::from_utf8(bytes).unwrap_or_default(),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_tree_is_tidy() {
        let place = crate::place::Place::find().expect("the checkout is there");
        if let Err(failure) = check(&place.root) {
            panic!("{failure}");
        }
    }

    /// Judges files given as path and text; the findings as text.
    fn check_files(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<File> = files
            .iter()
            .map(|(path, text)| File::new((*path).to_owned(), (*text).to_owned()))
            .collect();
        judge(&files).iter().map(Finding::to_string).collect()
    }

    /// One file, and a word of the one finding that it must cause; none when empty.
    fn check_one(path: &str, text: &str, expected: &str) {
        let findings = check_files(&[(path, text)]);
        if expected.is_empty() {
            assert!(findings.is_empty(), "{path} {text:?}: {findings:?}");
        } else {
            assert!(
                findings.len() == 1 && findings[0].contains(expected),
                "{path} {text:?} should cause one finding with {expected:?}: {findings:?}"
            );
        }
    }

    #[test]
    fn long_files_warn_and_longer_ones_fail() {
        let lines = |count: usize| format!("//! Doc.\n{}", "fn a() {}\n".repeat(count - 1));
        check_one("crates/base/src/a.rs", &lines(400), "");
        check_one("crates/base/src/a.rs", &lines(401), "warning");
        check_one("crates/base/src/a.rs", &lines(601), "601 lines");
        check_one("console/src/Page.tsx", &"x;\n".repeat(601), "601 lines");
        check_one("console/src/api/schema.d.ts", &"x;\n".repeat(6000), "");
    }

    #[test]
    fn every_module_says_what_it_is_for() {
        check_one("crates/base/src/a.rs", "use std::fmt;\n", "`//!`");
        check_one(
            "crates/base/src/a.rs",
            "#![forbid(unsafe_code)]\n//! Doc.\n",
            "",
        );
    }

    #[test]
    fn names_that_say_nothing_are_refused() {
        check_one("crates/base/src/utils.rs", "//! Doc.\n", "`utils`");
        check_one("crates/base/src/job_manager.rs", "//! Doc.\n", "`manager`");
        check_one("console/src/helpers/a.ts", "", "`helpers`");
        check_one("crates/base/src/a/mod.rs", "//! Doc.\n", "mod.rs");
    }

    #[test]
    fn sql_stands_in_sql_files() {
        let code = |text: &str| format!("//! Doc.\nconst A: &str = {text};\n");
        let select = code("\"SELECT id FROM operation WHERE id = $1\"");
        check_one("crates/operations/src/store.rs", &select, "sql.rs");
        check_one("crates/operations/src/sql.rs", &select, "");
        check_one("crates/operations/src/sql/claim.rs", &select, "");
        check_one("crates/storage/src/db.rs", &select, "");
        check_one("crates/operations/tests/it/main.rs", &select, "");
        check_one(
            "crates/operations/src/a.rs",
            &code("r#\"\n  delete from a\n\"#"),
            "sql.rs",
        );
        check_one(
            "crates/operations/src/a.rs",
            &code("\"Select a file from the list\""),
            "",
        );
        check_one(
            "crates/operations/src/a.rs",
            "//! Doc.\n// \"select a from b\"\n",
            "",
        );
        let tested = format!(
            "//! Doc.\n#[cfg(test)]\nmod tests {{\n    {}}}\n",
            &select[9..]
        );
        check_one("crates/operations/src/a.rs", &tested, "");
    }

    #[test]
    fn axum_stands_where_http_is_spoken() {
        let text = "//! Doc.\nuse axum::Router;\n";
        check_one("crates/bundles/src/lib.rs", text, "axum");
        check_one("crates/bundles/src/http.rs", text, "");
        check_one("crates/bundles/src/http/archive.rs", text, "");
        check_one("crates/web/src/lib.rs", text, "");
        check_one("src/serve/routes.rs", text, "");
        check_one("src/commands/bundle.rs", text, "axum");
        check_one(
            "crates/bundles/src/lib.rs",
            "//! Doc.\n// like axum::Router\n",
            "",
        );
    }

    #[test]
    fn crates_import_downwards_only() {
        let manifest =
            |dependency: &str| format!("[dependencies]\n{dependency}.workspace = true\n");
        check_one("crates/bundles/Cargo.toml", &manifest("web"), "");
        check_one(
            "crates/web/Cargo.toml",
            &manifest("bundles"),
            "may not import",
        );
        check_one(
            "crates/files/Cargo.toml",
            &manifest("bundles"),
            "may not import",
        );
        check_one(
            "crates/base/Cargo.toml",
            &manifest("storage"),
            "may not import",
        );
        check_one("crates/surprise/Cargo.toml", &manifest("base"), "layers");
        check_one(
            "crates/base/Cargo.toml",
            "[dependencies]\nserde = \"1\"\n",
            "workspace",
        );
        let dev = "[dev-dependencies]\ntesting.workspace = true\n";
        check_one("crates/bundles/Cargo.toml", dev, "");
    }

    #[test]
    fn every_migration_is_numbered_and_listed() {
        let list = (
            "crates/storage/src/migrations.rs",
            "//! Doc.\nconst A: &str = \"0001_a\";\n",
        );
        assert!(check_files(&[list, ("migrations/0001_a.sql", "")]).is_empty());
        let gap = check_files(&[
            list,
            ("migrations/0001_a.sql", ""),
            ("migrations/0003_c.sql", ""),
        ]);
        assert_eq!(gap.len(), 2, "a gap, and one not listed: {gap:?}");
    }

    #[test]
    fn tests_come_last() {
        let text = "//! Doc.\n#[cfg(test)]\nmod tests {\n    fn a() {}\n}\n\nfn b() {}\n";
        check_one("crates/base/src/a.rs", text, "last");
    }

    #[test]
    fn paths_of_a_machine_and_unfinished_work_are_refused() {
        let text = format!("see {}/notes.md\n", concat!("/", "work"));
        check_one("docs/a.md", &text, "machine");
        let text = format!("//! Doc.\n#[{}]\nfn a() {{}}\n", "ignore");
        check_one("crates/base/src/a.rs", &text, "ignored");
    }
}
