//! An archive as its readers see it: our own plain reading of the central directory,
//! and the tools that people have.

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::process::Stdio;
use testing::{installed, within};
use tokio::process::Command;

/// A member of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) content: Vec<u8>,
    /// 0 stored, 8 deflated (APPNOTE 4.4.5).
    pub(crate) method: u16,
    /// Seconds of the extended timestamp (0x5455).
    pub(crate) modified: Option<u32>,
}

fn number(bytes: &[u8], at: usize, length: usize) -> usize {
    let digits = bytes[at..at + length].iter().rev();
    digits.fold(0, |sum, byte| sum << 8 | usize::from(*byte))
}

/// The members in the order of the directory, each with its checksum verified. For
/// archives that need no ZIP64.
pub(crate) fn members(archive: &[u8]) -> Vec<Member> {
    let end = archive.len() - 22;
    assert_eq!(
        &archive[end..end + 4],
        b"PK\x05\x06",
        "it ends as a ZIP does"
    );
    let mut at = number(archive, end + 16, 4);
    let mut members = Vec::new();
    for _ in 0..number(archive, end + 10, 2) {
        assert_eq!(
            &archive[at..at + 4],
            b"PK\x01\x02",
            "an entry of the directory"
        );
        let (name, extra) = (number(archive, at + 28, 2), number(archive, at + 30, 2));
        let comment = number(archive, at + 32, 2);
        let extras = &archive[at + 46 + name..at + 46 + name + extra];
        members.push(member(archive, at, name, extras));
        at += 46 + name + extra + comment;
    }
    assert_eq!(at, end, "nothing stands between the directory and its end");
    members
}

fn member(archive: &[u8], at: usize, name: usize, extras: &[u8]) -> Member {
    let method = u16::try_from(number(archive, at + 10, 2)).expect("two bytes");
    let (packed, size) = (number(archive, at + 20, 4), number(archive, at + 24, 4));
    let local = number(archive, at + 42, 4);
    assert_eq!(&archive[local..local + 4], b"PK\x03\x04", "a local header");
    let from = local + 30 + number(archive, local + 26, 2) + number(archive, local + 28, 2);
    let body = &archive[from..from + packed];
    let content = match method {
        0 => body.to_vec(),
        8 => {
            let mut content = Vec::new();
            flate2::read::DeflateDecoder::new(body)
                .read_to_end(&mut content)
                .expect("what is deflated inflates");
            content
        }
        other => panic!("method {other}"),
    };
    assert_eq!(content.len(), size, "the size is right");
    let crc = number(archive, at + 16, 4);
    assert_eq!(
        crc32fast::hash(&content) as usize,
        crc,
        "the checksum is right"
    );
    Member {
        name: String::from_utf8(archive[at + 46..at + 46 + name].to_vec()).expect("UTF-8"),
        content,
        method,
        modified: timestamp(extras),
    }
}

fn timestamp(mut extras: &[u8]) -> Option<u32> {
    while extras.len() >= 4 {
        let length = number(extras, 2, 2);
        if number(extras, 0, 2) == 0x5455 && length >= 5 {
            return u32::try_from(number(extras, 5, 4)).ok();
        }
        extras = &extras[4 + length..];
    }
    None
}

/// The contents by name, without the report.
pub(crate) fn contents(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let all = members(archive).into_iter();
    all.filter(|member| !member.name.starts_with("_longshore-report"))
        .map(|member| (member.name, member.content))
        .collect()
}

/// The report of what is missing, and that its text stands beside it.
pub(crate) fn report(archive: &[u8]) -> Option<Value> {
    let all = members(archive);
    let find = |name: &str| all.iter().find(|member| member.name == name);
    let json = find("_longshore-report.json")?;
    assert!(find("_longshore-report.txt").is_some(), "for people, too");
    assert_eq!(
        all.len(),
        all.iter().position(|member| member == json)? + 2,
        "they come last"
    );
    Some(serde_json::from_slice(&json.content).expect("the report is JSON"))
}

/// The codes of what is missing, by the number of the source.
pub(crate) fn reasons(archive: &[u8]) -> BTreeMap<u64, String> {
    let report = report(archive).expect("something is missing");
    let missing = report["missing"].as_array().expect("a list").iter();
    missing
        .map(|row| {
            let code = row["reason"]["code"].as_str().expect("a code");
            (row["source"].as_u64().expect("a number"), code.to_owned())
        })
        .collect()
}

/// Reads every entry of a small script's archive and counts them.
const PYTHON: &str = "import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
bad = archive.testzip()
assert bad is None, bad
print(len(archive.namelist()))";

/// Lets unzip, Python, 7z and bsdtar read all of it; each must be content with it,
/// and Python must count so many entries.
pub(crate) async fn is_sound(archive: &[u8], entries: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("archive.zip");
    std::fs::write(&file, archive).expect("a temporary folder takes files");
    let file = file.to_string_lossy().into_owned();
    let readers: [(&str, &[&str]); 4] = [
        ("unzip", &["-tqq", &file]),
        ("python3", &["-c", PYTHON, &file]),
        ("7z", &["t", "-bd", &file]),
        ("bsdtar", &["-xOf", &file]),
    ];
    for (reader, arguments) in readers {
        let Some(program) = installed(reader) else {
            continue;
        };
        let said = run(program, arguments).await;
        if reader == "python3" {
            assert_eq!(said.trim(), entries.to_string(), "entries");
        }
    }
}

/// Runs a tool to its end, which must be a good one; its standard output.
pub(crate) async fn run(program: PathBuf, arguments: &[&str]) -> String {
    let output = Command::new(&program)
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = within("a tool", output).await.expect("it can be started");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{} {arguments:?}: {}\n{}{}",
        program.display(),
        output.status,
        &said[..said.len().min(2000)],
        String::from_utf8_lossy(&output.stderr)
    );
    said
}
