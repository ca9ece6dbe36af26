//! The programs that read our archives, and one way to use them all.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A program that reads archives, and how it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    Unzip,
    SevenZip,
    Bsdtar,
    /// bsdtar that cannot seek, and so never sees the directory.
    BsdtarPiped,
    Python,
    Jar,
    /// Java's `ZipInputStream`, which never sees the directory either.
    JavaStream,
}

/// Content by name.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

const ALL: [Reader; 7] = [
    Reader::Unzip,
    Reader::SevenZip,
    Reader::Bsdtar,
    Reader::BsdtarPiped,
    Reader::Python,
    Reader::Jar,
    Reader::JavaStream,
];

const PYTHON_TEST: &str = "import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
bad = archive.testzip()
assert bad is None, bad
print(len(archive.namelist()))";

const PYTHON_UNPACK: &str = "import sys, zipfile
zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])";

const UNPACK_JAVA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/readers/Unpack.java");

impl Reader {
    /// Those that are installed; what is missing is said once.
    pub(crate) fn installed() -> impl Iterator<Item = Self> {
        ALL.into_iter().filter(|reader| reader.is_installed())
    }

    /// Those that look into the directory at the archive's end.
    pub(crate) fn with_directory() -> impl Iterator<Item = Self> {
        Self::installed().filter(|reader| !reader.streams())
    }

    pub(crate) fn streams(self) -> bool {
        matches!(self, Self::BsdtarPiped | Self::JavaStream)
    }

    fn program(self) -> &'static str {
        match self {
            Self::Unzip => "unzip",
            Self::SevenZip => "7z",
            Self::Bsdtar | Self::BsdtarPiped => "bsdtar",
            Self::Python => "python3",
            Self::Jar => "jar",
            Self::JavaStream => "java",
        }
    }

    fn is_installed(self) -> bool {
        let path = std::env::var_os("PATH").unwrap_or_default();
        if std::env::split_paths(&path).any(|folder| folder.join(self.program()).is_file()) {
            return true;
        }
        assert!(
            std::env::var_os("LONGSHORE_REQUIRE_PEERS").is_none(),
            "{} is required here and not installed",
            self.program()
        );
        println!(
            "skipped: {self:?}, because {} is not installed",
            self.program()
        );
        false
    }

    /// Reads every entry to its end and checks it, as far as the program can; the
    /// number of entries. Panics with what the program says if it finds fault.
    pub(crate) fn test(self, archive: &Path) -> usize {
        match self {
            Self::Unzip => {
                run(command("unzip").arg("-tqq").arg(archive));
                lines(&run(command("unzip").arg("-Z1").arg(archive)))
            }
            Self::SevenZip => {
                run(command("7z").arg("t").arg(archive));
                let listed = run(command("7z").args(["l", "-ba", "-slt"]).arg(archive));
                listed
                    .lines()
                    .filter(|line| line.starts_with("Path = "))
                    .count()
            }
            Self::Bsdtar => {
                run(command("bsdtar")
                    .arg("-xOf")
                    .arg(archive)
                    .stdout(Stdio::null()));
                lines(&run(command("bsdtar").arg("-tf").arg(archive)))
            }
            Self::BsdtarPiped => {
                let through = ["-c", "cat \"$1\" | bsdtar -xOf - >/dev/null", "sh"];
                run(command("sh").args(through).arg(archive));
                let list = ["-c", "cat \"$1\" | bsdtar -tf -", "sh"];
                lines(&run(command("sh").args(list).arg(archive)))
            }
            Self::Python => number(&run(command("python3")
                .args(["-c", PYTHON_TEST])
                .arg(archive))),
            Self::Jar => lines(&run(jar().arg("tf").arg(archive))),
            Self::JavaStream => number(&run(java().stdin(File::open(archive).unwrap()))),
        }
    }

    /// Unpacks the archive and gives what is then in the folder.
    pub(crate) fn unpack(self, archive: &Path) -> Files {
        let outside = tempfile::tempdir().unwrap();
        let inside = outside.path().join("in");
        fs::create_dir(&inside).unwrap();
        run(&mut self.unpacking(archive, &inside));
        let there: Vec<_> = fs::read_dir(outside.path()).unwrap().collect();
        assert_eq!(there.len(), 1, "{self:?} was led outside");
        let mut files = Files::new();
        walk(&inside, &inside, &mut files);
        files
    }

    /// The command that unpacks into a folder.
    pub(crate) fn unpacking(self, archive: &Path, into: &Path) -> Command {
        let mut command = command(self.program());
        command.current_dir(into);
        match self {
            Self::Unzip => command.arg("-qq").arg(archive),
            Self::SevenZip => command.arg("x").arg("-y").arg(archive),
            Self::Bsdtar => command.arg("-xf").arg(archive),
            Self::BsdtarPiped => {
                command = self::command("sh");
                command.current_dir(into);
                command
                    .args(["-c", "cat \"$1\" | bsdtar -xf -", "sh"])
                    .arg(archive)
            }
            Self::Python => command.args(["-c", PYTHON_UNPACK]).arg(archive).arg(into),
            Self::Jar => {
                command = jar();
                command.current_dir(into).arg("xf").arg(archive)
            }
            Self::JavaStream => {
                command = java();
                command.arg(into).stdin(File::open(archive).unwrap())
            }
        };
        command
    }

    /// The content of one entry, without reading the others. Nothing from those
    /// that can only read all of an archive.
    pub(crate) fn one(self, archive: &Path, name: &str) -> Option<String> {
        let python = "import sys, zipfile
sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))";
        let mut command = command(self.program());
        match self {
            Self::Unzip => command.arg("-p").arg(archive).arg(name),
            Self::SevenZip => command.args(["x", "-so"]).arg(archive).arg(name),
            Self::Bsdtar => command.arg("-xOf").arg(archive).arg(name),
            Self::Python => command.args(["-c", python]).arg(archive).arg(name),
            Self::Jar | Self::BsdtarPiped | Self::JavaStream => return None,
        };
        Some(run(&mut command))
    }
}

/// A program in a fixed place of the world, whatever the machine's.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "Asia/Tokyo")
        .stdin(Stdio::null());
    command
}

/// What makes a Java program that runs for a second start sooner: it is compiled in one
/// step, and has one thread that collects garbage.
const SHORT: [&str; 2] = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];

/// A tool of Java's, which hands on what begins with `-J`.
fn tool(program: &str) -> Command {
    let mut command = command(program);
    command.args(SHORT.map(|option| format!("-J{option}")));
    command
}

fn jar() -> Command {
    tool("jar")
}

/// Our Java reader, compiled once.
fn java() -> Command {
    static CLASSES: OnceLock<PathBuf> = OnceLock::new();
    let classes = CLASSES.get_or_init(|| {
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("java-{}", std::process::id()));
        run(tool("javac").arg("-d").arg(&folder).arg(UNPACK_JAVA));
        folder
    });
    let mut java = command("java");
    java.args(SHORT).arg("-cp").arg(classes).arg("Unpack");
    java
}

/// What a program says; it must end well, and say nothing of errors.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && complained.trim().is_empty(),
        "{command:?} ended with {}\n{said}\n{complained}",
        output.status
    );
    said
}

fn lines(text: &str) -> usize {
    text.lines().count()
}

fn number(text: &str) -> usize {
    text.trim().parse().unwrap()
}

fn walk(root: &Path, folder: &Path, files: &mut Files) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            walk(root, &entry.path(), files);
        } else {
            assert!(kind.is_file(), "{entry:?} is not a file");
            let path = entry.path();
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            files.insert(name, fs::read(&path).unwrap());
        }
    }
}
