//! The table of names, row by row, and what readers make of the names in it.

use crate::built::{Built, Form};
use crate::reader::Reader;
use longshore_bundles::name::{EntryName, NameRegister, NameSources};
use longshore_bundles::zip::Packing;
use url::Url;

const TABLE: &str = include_str!("../zip-names.tsv");

/// Rows whose expectation is deliberately another one here, and why.
const OTHERWISE: [(&str, &str); 1] = [(
    "45",
    "our report is called _longshore-report.json, so that is the name kept free",
)];

pub(crate) struct Row {
    pub(crate) id: &'static str,
    pub(crate) kind: &'static str,
    input: &'static str,
    expected: &'static str,
}

pub(crate) fn rows() -> impl Iterator<Item = Row> {
    TABLE.lines().skip(1).map(|line| {
        let mut cells = line.split('\t');
        let mut cell = || cells.next().unwrap();
        Row {
            id: cell(),
            kind: cell(),
            input: cell(),
            expected: cell(),
        }
    })
}

/// Reads `\x7f`, `\u202e`, `\r`, `\\`, `\"`; any other backslash is one.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let code = |length: usize| {
            let digits = rest.get(2..2 + length)?;
            char::from_u32(u32::from_str_radix(digits, 16).ok()?)
        };
        let (decoded, length) = match (c, rest.as_bytes().get(1)) {
            ('\\', Some(b'x')) => (code(2), 4),
            ('\\', Some(b'u')) => (code(4), 6),
            ('\\', Some(b'r')) => (Some('\r'), 2),
            ('\\', Some(b'n')) => (Some('\n'), 2),
            ('\\', Some(b't')) => (Some('\t'), 2),
            ('\\', Some(b'"')) => (Some('"'), 2),
            ('\\', Some(b'\\')) => (Some('\\'), 2),
            _ => (None, 0),
        };
        match decoded {
            Some(decoded) => {
                out.push(decoded);
                rest = &rest[length..];
            }
            None => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}

/// Reads `300 x 'a' + .jpg`, and what is not written so as itself.
fn repeated(text: &str) -> String {
    let parts = || {
        let (count, rest) = text.split_once(" x '")?;
        let (unit, rest) = rest.split_once("' + ")?;
        let tail = rest.split(' ').next()?;
        Some(unit.repeat(count.parse().ok()?) + tail)
    };
    parts().unwrap_or_else(|| unescaped(text))
}

/// The name that a row of the kind `name` leads to.
fn named(row: &Row) -> EntryName {
    let input = row.input;
    let mut sources = NameSources::default();
    let (url, path, header);
    if let Some((plain, content_type)) = input.split_once(" (type ") {
        url = Url::parse(plain).unwrap();
        sources.url = Some(&url);
        sources.content_type = content_type.strip_suffix(')');
    } else if input.starts_with("http://") {
        url = Url::parse(input).unwrap();
        sources.url = Some(&url);
        // Row 03 says so in words.
        sources.content_type = (row.id == "03").then_some("image/jpeg");
    } else if input == "bytes ff fe .jpg (not UTF-8)" {
        url = Url::parse("http://h/%ff%fe.jpg").unwrap();
        sources.url = Some(&url);
    } else if let Some(value) = input.strip_prefix("Content-Disposition: ") {
        header = format!("attachment; {}", unescaped(value));
        sources.disposition = Some(header.as_bytes());
    } else {
        let given = input.strip_prefix("name=").unwrap_or(input);
        path = match given {
            "80 nested dirs" => "dir/".repeat(80) + "x.jpg",
            _ => repeated(given.strip_suffix(" (NFD)").unwrap_or(given)),
        };
        sources.path = Some(&path);
    }
    EntryName::choose(&sources)
}

fn names() -> Vec<(Row, EntryName)> {
    let names = rows().filter(|row| row.kind == "name");
    names
        .map(|row| (named(&row), row))
        .map(|(name, row)| (row, name))
        .collect()
}

#[test]
fn every_name_of_the_table_is_cleaned_as_it_says() {
    let names = names();
    assert_eq!(names.len(), 37);
    for (row, name) in names {
        if row.id == "31" {
            assert_eq!(name.as_str(), "dir/".repeat(31) + "x.jpg");
            continue;
        }
        assert_eq!(
            name.as_str(),
            repeated(row.expected),
            "row {}: {}",
            row.id,
            row.input
        );
    }
}

#[test]
fn a_path_of_long_folders_stays_below_1024_bytes() {
    let name = EntryName::from_path(&("d".repeat(200) + "/").repeat(20)).unwrap();
    assert!(name.as_str().len() < 1024);
}

/// What the names of a row become, one after the other; the row's number.
#[track_caller]
fn assigned(id: &'static str, wanted: &[&str], expected: &[&str]) -> &'static str {
    let row = rows().find(|row| row.id == id).unwrap();
    assert_eq!(row.kind, "dup");
    let mut register = NameRegister::new();
    let given: Vec<EntryName> = wanted
        .iter()
        .map(|name| register.assign(&EntryName::from_path(name).unwrap()))
        .collect();
    let given: Vec<&str> = given.iter().map(EntryName::as_str).collect();
    assert_eq!(given, expected, "row {id}: {}", row.input);
    // Where the table lists names and nothing else, it lists these.
    if !row.expected.contains(['(', ' ']) || row.expected == expected.join(", ") {
        assert_eq!(row.expected, expected.join(", "));
    }
    id
}

#[test]
fn every_duplicate_of_the_table_is_told_apart() {
    let mut tried = vec![
        assigned("38", &["cover.jpg"; 2], &["cover.jpg", "cover (2).jpg"]),
        assigned(
            "39",
            &["cover.jpg", "cover.jpg", "cover.jpg", "cover (2).jpg"],
            &[
                "cover.jpg",
                "cover (2).jpg",
                "cover (3).jpg",
                "cover (2) (2).jpg",
            ],
        ),
        assigned("40", &["A.jpg", "a.JPG"], &["A.jpg", "a (2).JPG"]),
        assigned("41", &["é.jpg", "e\u{301}.jpg"], &["é.jpg", "é (2).jpg"]),
        assigned("42", &["ﬁle.jpg", "file.jpg"], &["ﬁle.jpg", "file (2).jpg"]),
        assigned("43", &["a/b.jpg", "a"], &["a/b.jpg", "a (2)"]),
        assigned("43", &["a", "a/b.jpg"], &["a", "a (2)/b.jpg"]),
        assigned("44", &["same.jpg"; 2], &["same.jpg", "same (2).jpg"]),
        assigned("45", &["_manifest.json"], &["_manifest.json"]),
        assigned(
            "45",
            &["_longshore-report.json"],
            &["_longshore-report (2).json"],
        ),
        assigned("46", &["a.tar.gz"; 2], &["a.tar.gz", "a (2).tar.gz"]),
        // Row 47 has a test of its own.
        "47",
    ];
    tried.dedup();
    let rows: Vec<&str> = rows()
        .filter(|row| row.kind == "dup")
        .map(|row| row.id)
        .collect();
    assert_eq!(tried, rows);
    assert_eq!(OTHERWISE.map(|(id, _)| id), ["45"]);
}

/// A search that begins anew for each name would not end within a test's time.
#[test]
fn row_47_seventy_thousand_equal_names_are_all_told_apart() {
    let name = EntryName::from_path("a.jpg").unwrap();
    let mut register = NameRegister::new();
    let mut given: Vec<EntryName> = (0..70_000).map(|_| register.assign(&name)).collect();
    assert_eq!(given[69_999].as_str(), "a (70000).jpg");
    given.sort();
    given.dedup();
    assert_eq!(given.len(), 70_000);
}

#[test]
fn every_reader_unpacks_every_name_of_the_table_inside_its_folder() {
    let mut built = Built::default();
    let mut register = NameRegister::new();
    let duplicates = [
        "a",
        "a/b.jpg",
        "A.jpg",
        "a.JPG",
        "é.jpg",
        "e\u{301}.jpg",
        "ﬁle.jpg",
        "file.jpg",
    ];
    let duplicates = duplicates
        .iter()
        .map(|name| EntryName::from_path(name).unwrap());
    let forms = [Form::Whole(Packing::Store), Form::Sized, Form::Deflated];
    let wanted = names().into_iter().map(|(_, name)| name).chain(duplicates);
    for (wanted, form) in wanted.zip(forms.into_iter().cycle()) {
        let name = register.assign(&wanted);
        built.add(&name, wanted.as_str().as_bytes(), form, 7);
    }
    let (_folder, path) = built.stored();
    for reader in Reader::installed() {
        assert_eq!(reader.unpack(&path), built.files, "{reader:?}");
    }
}
