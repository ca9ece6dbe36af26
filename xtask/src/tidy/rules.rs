//! The rules for files and names, each a table or a short function with its remedy.

use super::rust::RustSource;
use super::{File, Finding};

/// More lines than this are looked at.
const LONG: usize = 400;
/// More lines than this fail.
const TOO_LONG: usize = 600;
/// The face of a feature crate has at most this many.
const FACE: usize = 150;

/// Written by programs, so no rule on size or style holds.
const GENERATED: [&str; 4] = [
    "console/src/api/schema.d.ts",
    "console/package-lock.json",
    "Cargo.lock",
    "openapi.json",
];

/// Feature crates, whose `lib.rs` says what the part is and hands out its handle.
const FEATURES: [&str; 5] = ["files", "bundles", "syncs", "registry", "stacks"];

/// Words that say nothing about what is inside.
const EMPTY_WORDS: [&str; 9] = [
    "util", "utils", "helper", "helpers", "common", "manager", "managers", "misc", "stuff",
];

/// Libraries that one place knows: the library, where it may stand, what to do instead.
const AT_HOME: [(&str, &[&str], &str); 9] = [
    (
        "axum",
        &[
            "crates/web/",
            "crates/testing/",
            "src/serve",
            "tests/",
            "*/http.rs",
            "*/http/",
            "*/s3.rs",
            "*/s3/",
            "*/tus.rs",
            "*/tests/",
        ],
        "move what speaks HTTP to this crate's http.rs",
    ),
    (
        "sqlx",
        &["crates/storage/", "crates/testing/"],
        "use storage::Db",
    ),
    (
        "redis",
        // In `testing` it is the program.
        &["crates/storage/", "crates/testing/"],
        "use storage::SharedCache",
    ),
    (
        "reqwest",
        &[
            "crates/fetch/",
            "crates/testing/",
            "src/",
            "tests/",
            "*/tests/",
        ],
        "outbound requests go through the fetch crate, which checks addresses",
    ),
    (
        "lettre",
        &["*/mail.rs"],
        "hand mail over in this crate's mail.rs",
    ),
    ("object_store", &["crates/storage/"], "use storage::Blobs"),
    ("rusty_s3", &["crates/storage/"], "use storage::ObjectStore"),
    (
        "quick_xml",
        &["crates/storage/"],
        "use storage::ObjectStore",
    ),
    (
        "bollard",
        &["crates/agent/"],
        "the engine is the agent's; speak its protocol",
    ),
];

/// Where SQL may stand.
const SQL_AT_HOME: [&str; 7] = [
    "*/tests.rs",
    "*/sql.rs",
    "*/sql/",
    "crates/storage/",
    "crates/testing/",
    "tests/",
    "*/tests/",
];

/// How statements begin, and what else they hold.
const STATEMENTS: [(&str, &str); 9] = [
    ("select ", " from "),
    ("insert into ", " "),
    ("update ", " set "),
    ("delete from ", ""),
    ("with ", " as ("),
    ("create table ", ""),
    ("create index ", ""),
    ("alter table ", ""),
    ("drop table ", ""),
];

/// Text that may stand in no file: the text in two halves (so that this file passes),
/// which files are looked at, and what to do.
const REFUSED: [(&str, &str, &str, &str); 9] = [
    (
        "/",
        "work/",
        "",
        "a path of one machine: say it relative to the checkout",
    ),
    (
        "/",
        "farm/",
        "",
        "a path of one machine: say it relative to the checkout",
    ),
    (
        "/",
        "tmp/brief",
        "",
        "a path of one machine: say it relative to the checkout",
    ),
    (
        "/",
        "root/",
        "",
        "a path of one machine: say it relative to the home directory",
    ),
    (
        "#[",
        "ignore",
        ".rs",
        "an ignored test is none: mend it or remove it",
    ),
    (
        "unimplement",
        "ed!(",
        ".rs",
        "unfinished work: do it or leave it out",
    ),
    ("FIX", "ME", "", "unfinished work: do it, or file an issue"),
    ("TO", "DO:", "", "unfinished work: do it, or file an issue"),
    (
        "\"resolved\"",
        ": \"http",
        "package-lock.json",
        "a lock file names no host: omit-lockfile-registry-resolved=true in .npmrc",
    ),
];

/// What one file can break by itself.
pub(super) fn of_one_file(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    names(file, &mut findings);
    refused(file, &mut findings);
    if GENERATED.contains(&file.path.as_str()) {
        return findings;
    }
    size(file, &mut findings);
    if let Some(rust) = &file.rust {
        module_docs(file, rust, &mut findings);
        tests_last(file, rust, &mut findings);
        libraries(file, rust, &mut findings);
        statements(file, rust, &mut findings);
    }
    findings
}

/// What files break together.
pub(super) fn of_all_files(files: &[File]) -> Vec<Finding> {
    let listed: String = files
        .iter()
        .filter(|file| file.path.starts_with("crates/storage/src/"))
        .map(|file| file.text.as_str())
        .collect();
    let migrations = files
        .iter()
        .filter(|file| file.path.starts_with("migrations/") && file.name().ends_with(".sql"));
    let mut findings = Vec::new();
    for (index, file) in migrations.enumerate() {
        let expected = format!("{:04}_", index + 1);
        if !file.name().starts_with(&expected) {
            findings.push(Finding::error(
                &file.path,
                1,
                format!("migrations are numbered without gap or repeat; this one should begin with `{expected}`"),
            ));
        }
        let name = file.name().trim_end_matches(".sql");
        if !listed.contains(&format!("\"{name}\"")) && !listed.contains(&format!("/{name}.sql")) {
            findings.push(Finding::error(
                &file.path,
                1,
                "this migration never runs: list it in crates/storage/src/migrations.rs",
            ));
        }
    }
    findings
}

fn size(file: &File, findings: &mut Vec<Finding>) {
    let counted = [".rs", ".ts", ".tsx", ".css", ".sh"];
    if !counted.iter().any(|ending| file.path.ends_with(ending)) {
        return;
    }
    let lines = file.text.lines().count();
    if lines > TOO_LONG {
        findings.push(Finding::error(
            &file.path,
            lines,
            format!(
                "{lines} lines, at most {TOO_LONG}; split it by what changes for different reasons"
            ),
        ));
    } else if lines > LONG {
        findings.push(Finding::warning(
            &file.path,
            lines,
            format!("{lines} lines, {LONG} are enough; is there a second room inside it?"),
        ));
    }
    let face = FEATURES
        .iter()
        .any(|name| file.path == format!("crates/{name}/src/lib.rs"));
    if face && lines > FACE {
        findings.push(Finding::error(
            &file.path,
            lines,
            format!("{lines} lines; a feature's lib.rs has at most {FACE}: what the part is, and its handle"),
        ));
    }
}

fn names(file: &File, findings: &mut Vec<Finding>) {
    if file.name() == "mod.rs" {
        findings.push(Finding::error(
            &file.path,
            1,
            "no mod.rs: a module `name` is name.rs, with its children in name/",
        ));
    }
    let words = file
        .path
        .split(['/', '.', '_', '-'])
        .map(str::to_ascii_lowercase)
        .collect::<Vec<_>>();
    if let Some(word) = words
        .iter()
        .find(|word| EMPTY_WORDS.contains(&word.as_str()))
    {
        findings.push(Finding::error(
            &file.path,
            1,
            format!("`{word}` says nothing; name the file for the one thing it knows"),
        ));
    }
}

fn refused(file: &File, findings: &mut Vec<Finding>) {
    for (first, second, ending, remedy) in REFUSED {
        if !file.path.ends_with(ending) {
            continue;
        }
        let text = format!("{first}{second}");
        let found = file.text.lines().position(|line| stands_alone(line, &text));
        if let Some(index) = found {
            findings.push(Finding::error(
                &file.path,
                index + 1,
                format!("`{text}`: {remedy}"),
            ));
        }
    }
}

/// Whether `text` stands in the line as a whole: `/x/` not as a part of `a/x/`.
fn stands_alone(line: &str, text: &str) -> bool {
    line.match_indices(text).any(|(at, _)| {
        !text.starts_with('/')
            || !line[..at]
                .chars()
                .next_back()
                .is_some_and(|letter| letter.is_alphanumeric() || "._-}*".contains(letter))
    })
}

fn module_docs(file: &File, rust: &RustSource, findings: &mut Vec<Finding>) {
    let documented = file
        .text
        .lines()
        .find(|line| !line.trim().is_empty() && !line.starts_with("#!["))
        .is_some_and(|line| line.starts_with("//!"));
    if !documented && !rust.code.is_empty() {
        findings.push(Finding::error(
            &file.path,
            1,
            "the first lines of a module say what it is for and what it must never do: begin with `//!`",
        ));
    }
}

fn tests_last(file: &File, rust: &RustSource, findings: &mut Vec<Finding>) {
    let Some(begin) = rust.tests_begin else {
        return;
    };
    // rustfmt puts the bracket that closes an outer module alone in the first column.
    let after = rust
        .code
        .iter()
        .enumerate()
        .skip(begin)
        .skip_while(|(_, line)| *line != "}");
    let follows = after.skip(1).find(|(_, line)| !line.trim().is_empty());
    if let Some((index, _)) = follows.filter(|_| !rust.code[begin].ends_with(';')) {
        findings.push(Finding::error(
            &file.path,
            index + 1,
            "tests are last in a module; move this above them",
        ));
    }
}

fn libraries(file: &File, rust: &RustSource, findings: &mut Vec<Finding>) {
    for (library, home, remedy) in AT_HOME {
        if at_home(&file.path, home) {
            continue;
        }
        let used = rust
            .code
            .iter()
            .enumerate()
            .position(|(index, line)| names_crate(line, library) && !rust.is_test(index + 1));
        if let Some(index) = used {
            findings.push(Finding::error(
                &file.path,
                index + 1,
                format!("`{library}` is not known here: {remedy}"),
            ));
        }
    }
}

/// Whether a line of code names a crate: `name::` or `use name` as a whole word.
fn names_crate(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let starts =
            !before.is_some_and(|letter| letter.is_alphanumeric() || "_:.".contains(letter));
        let after = &line[at + name.len()..];
        starts
            && (after.starts_with("::")
                || (line.trim_start().starts_with("use ") && after.starts_with([';', ' '])))
    })
}

fn statements(file: &File, rust: &RustSource, findings: &mut Vec<Finding>) {
    if at_home(&file.path, &SQL_AT_HOME) || file.path.starts_with("xtask/") {
        return;
    }
    for literal in &rust.literals {
        if is_statement(&literal.text) && !rust.is_test(literal.line) {
            findings.push(Finding::error(
                &file.path,
                literal.line,
                "SQL stands in sql.rs: a constant there, beside the function that runs it",
            ));
        }
    }
}

/// Whether a string is SQL. Keywords are written in one case, all small or all
/// capital, which tells a statement from a sentence that begins with `Select`.
fn is_statement(text: &str) -> bool {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    STATEMENTS.iter().any(|(begins, holds)| {
        let capital = (begins.to_ascii_uppercase(), holds.to_ascii_uppercase());
        let small = ((*begins).to_owned(), (*holds).to_owned());
        [small, capital].iter().any(|(begins, holds)| {
            words
                .strip_prefix(begins.as_str())
                .is_some_and(|rest| rest.contains(holds.as_str()))
        })
    })
}

/// Whether a path is in one of the places: a beginning, or `*/` and an ending or a folder.
fn at_home(path: &str, places: &[&str]) -> bool {
    places.iter().any(|place| match place.strip_prefix('*') {
        Some(folder) if folder.ends_with('/') => path.contains(folder),
        Some(ending) => path.ends_with(ending),
        None => path.starts_with(place),
    })
}
