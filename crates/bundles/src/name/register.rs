//! The names that an archive has already given away. It makes every further one
//! different on every file system, in constant time a name, and holds no text:
//! 100,000 names cost less than 16 MiB.

use super::key::PathKey;
use super::{EntryName, MAX_PATH, MAX_SEGMENT, REPORT_JSON, REPORT_TEXT, clean, extension};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Room for a suffix, in bytes: ` (4294967295)`.
const SUFFIX_ROOM: usize = 13;
/// So many folders are told apart; files whose folders would be further new ones
/// are put into the deepest folder that is known. It bounds the memory that a
/// hostile list of deep paths can take.
const MAX_FOLDERS: usize = 250_000;

/// Gives each name once. Names that differ only in case, in Unicode form
/// (NFC, NFD, NFKC) or in invisible characters count as the same; so do a file
/// and a folder of one name. The names of the report are given away from the start.
#[derive(Clone, Debug)]
pub struct NameRegister {
    taken: HashMap<u64, Taken>,
    /// The number to try next, for each name without its suffix.
    next: HashMap<u64, u32>,
    /// The number that a folder got because its name is a file's.
    renamed: HashMap<u64, u32>,
    folders: usize,
    files: usize,
    /// Numbers tried so far, taken ones included.
    #[cfg(test)]
    tried: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    File,
    Folder,
}

impl Default for NameRegister {
    fn default() -> Self {
        Self::new()
    }
}

impl NameRegister {
    /// A register in which only the report's names are taken.
    #[must_use]
    pub fn new() -> Self {
        let root = PathKey::root();
        let reserved = [REPORT_JSON, REPORT_TEXT];
        let taken = reserved.map(|name| (root.join(name).hash(), Taken::File));
        Self {
            taken: HashMap::from(taken),
            next: HashMap::new(),
            renamed: HashMap::new(),
            folders: 0,
            files: 0,
            #[cfg(test)]
            tried: 0,
        }
    }

    /// How many names were given.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files
    }

    /// Whether no name was given yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files == 0
    }

    /// `wanted` if it is free, else with ` (2)`, ` (3)` … before its extension. A
    /// folder that has the name of an earlier file gets the suffix itself, the
    /// same one for everything put into it.
    #[must_use]
    pub fn assign(&mut self, wanted: &EntryName) -> EntryName {
        let text = wanted.as_str();
        let (folders, name) = text.rsplit_once('/').unwrap_or(("", text));
        let (folder, key) = self.enter(folders);
        let name = self.take_file(&key, name);
        let whole = join(&folder, &name);
        self.files += 1;
        if whole.len() < MAX_PATH {
            return EntryName::cleaned(whole);
        }
        // Only where many folders of one path had to be renamed.
        EntryName::cleaned(self.take_file(&PathKey::root(), &name))
    }

    /// Walks into the folders, renaming those whose name is a file's.
    fn enter(&mut self, folders: &str) -> (String, PathKey) {
        let mut path = String::with_capacity(folders.len());
        let mut key = PathKey::root();
        for segment in folders.split('/').filter(|s| !s.is_empty()) {
            let Some((name, inner)) = self.enter_one(&key, segment) else {
                break;
            };
            path = join(&path, &name);
            key = inner;
        }
        (path, key)
    }

    /// The folder's name and key; nothing where no more folders are told apart.
    fn enter_one(&mut self, parent: &PathKey, segment: &str) -> Option<(String, PathKey)> {
        let wanted = parent.join(segment);
        match self.taken.get(&wanted.hash()) {
            Some(Taken::Folder) => return Some((segment.to_owned(), wanted)),
            Some(Taken::File) => {}
            None => {
                self.add_folder(&wanted)?;
                return Some((segment.to_owned(), wanted));
            }
        }
        if let Some(number) = self.renamed.get(&wanted.hash()) {
            let name = numbered(segment, "", *number);
            let key = parent.join(&name);
            return Some((name, key));
        }
        if self.folders >= MAX_FOLDERS {
            return None;
        }
        self.folders += 1;
        let (name, number) = self.take_numbered(parent, segment, "", Taken::Folder);
        self.renamed.insert(wanted.hash(), number);
        let key = parent.join(&name);
        Some((name, key))
    }

    fn add_folder(&mut self, key: &PathKey) -> Option<()> {
        if self.folders >= MAX_FOLDERS {
            return None;
        }
        self.folders += 1;
        self.taken.insert(key.hash(), Taken::Folder);
        Some(())
    }

    fn take_file(&mut self, folder: &PathKey, name: &str) -> String {
        if let Entry::Vacant(free) = self.taken.entry(folder.join(name).hash()) {
            free.insert(Taken::File);
            return name.to_owned();
        }
        let (stem, extension) = extension::split(name);
        self.take_numbered(folder, stem, extension, Taken::File).0
    }

    /// The first free `stem (n)extension`. The search goes on where the last one
    /// for this stem ended, so that all searches together take linear time.
    fn take_numbered(
        &mut self,
        folder: &PathKey,
        stem: &str,
        extension: &str,
        what: Taken,
    ) -> (String, u32) {
        // Counted under the name as it will be cut, because long names that are
        // cut to one beginning compete for the same numbers.
        let counted = folder.join(&format!("{}\0{extension}", short(stem, extension)));
        let mut number = self.next.get(&counted.hash()).copied().unwrap_or(2);
        loop {
            let candidate = numbered(stem, extension, number);
            let tried = number;
            number = number.saturating_add(1);
            #[cfg(test)]
            {
                self.tried += 1;
            }
            if let Entry::Vacant(free) = self.taken.entry(folder.join(&candidate).hash()) {
                free.insert(what);
                self.next.insert(counted.hash(), number);
                return (candidate, tried);
            }
        }
    }
}

fn numbered(stem: &str, extension: &str, number: u32) -> String {
    format!("{} ({number}){extension}", short(stem, extension))
}

/// As much of the stem as leaves room for the suffix.
fn short<'a>(stem: &'a str, extension: &str) -> &'a str {
    clean::cut(stem, MAX_SEGMENT - SUFFIX_ROOM - extension.len())
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[track_caller]
    fn check(wanted: &[&str], expected: &[&str]) {
        let mut register = NameRegister::new();
        let given: Vec<String> = wanted
            .iter()
            .map(|name| {
                register
                    .assign(&EntryName::from_path(name).unwrap())
                    .to_string()
            })
            .collect();
        assert_eq!(given, expected);
        assert_eq!(register.len(), wanted.len());
    }

    #[test]
    fn a_suffix_stands_before_the_extension() {
        check(&["a.jpg", "A.JPG", "a"], &["a.jpg", "A (2).JPG", "a"]);
        check(&["a.tar.gz"; 2], &["a.tar.gz", "a (2).tar.gz"]);
        check(&[".env", ".env", "d/.env"], &[".env", ".env (2)", "d/.env"]);
    }

    #[test]
    fn a_suffix_that_is_taken_is_passed_over() {
        check(
            &["a.b", "a (2).b", "a.b", "a.b", "a (2).b"],
            &["a.b", "a (2).b", "a (3).b", "a (4).b", "a (2) (2).b"],
        );
    }

    #[test]
    fn the_later_of_a_file_and_a_folder_of_one_name_gives_way() {
        check(&["a/b.jpg", "a"], &["a/b.jpg", "a (2)"]);
        check(
            &["a", "A/b.jpg", "a/c.jpg", "a (2)/d.jpg", "a (2)", "a"],
            &[
                "a",
                "A (2)/b.jpg",
                "a (2)/c.jpg",
                "a (2)/d.jpg",
                "a (2) (2)",
                "a (3)",
            ],
        );
        check(
            &["x/y", "x/y/z", "x/Y/z"],
            &["x/y", "x/y (2)/z", "x/Y (2)/z (2)"],
        );
    }

    #[test]
    fn the_report_s_names_belong_to_the_report() {
        check(
            &[
                "_longshore-report.json",
                "_Longshore-Report.txt",
                "d/_longshore-report.txt",
            ],
            &[
                "_longshore-report (2).json",
                "_Longshore-Report (2).txt",
                "d/_longshore-report.txt",
            ],
        );
    }

    #[test]
    fn long_names_stay_within_their_limit_and_differ() {
        let mut register = NameRegister::new();
        let mut seen = std::collections::HashSet::new();
        for last in ["x", "y", "x", "y", "x", "y"] {
            let wanted = format!("{}{last}.jpg", "é".repeat(125));
            let given = register.assign(&EntryName::from_path(&wanted).unwrap());
            assert!(given.as_str().len() <= MAX_SEGMENT);
            assert!(seen.insert(given));
        }
    }

    #[test]
    fn renamed_folders_never_make_a_path_too_long() {
        let mut register = NameRegister::new();
        let mut folder = String::new();
        for _ in 0..30 {
            folder.push_str("123456789 123456789 123456789 12");
            let _ = register.assign(&EntryName::from_path(&folder).unwrap());
            folder.push('/');
        }
        for _ in 0..3 {
            let given = register.assign(&EntryName::from_path(&format!("{folder}x")).unwrap());
            assert!(given.as_str().len() < MAX_PATH, "{given}");
        }
    }

    #[test]
    fn the_same_name_70_000_times_needs_one_try_each_in_every_disguise() {
        let mut register = NameRegister::new();
        let plain = EntryName::from_path("a").unwrap();
        let inside = EntryName::from_path("a/b").unwrap();
        for _ in 0..70_000 {
            let _ = register.assign(&plain);
            let _ = register.assign(&inside);
        }
        assert_eq!(register.assign(&plain).as_str(), "a (70002)");
        assert_eq!(register.tried, 70_000 + 69_999 + 1);
        // Long names that are cut to one beginning, as files and as folders.
        let before = register.tried;
        for last in 0..5_000 {
            let long = format!("{}{last:05}", "a".repeat(250));
            for name in [&long, &long, &format!("{long}/x")] {
                let _ = register.assign(&EntryName::from_path(name).unwrap());
            }
        }
        assert_eq!(register.tried - before, 10_000);
    }

    #[test]
    fn a_flood_of_folders_is_flattened_and_not_remembered() {
        let mut register = NameRegister::new();
        for n in 0..10_000 {
            let deep = format!("{n}{}/x", "/a".repeat(30));
            let _ = register.assign(&EntryName::from_path(&deep).unwrap());
        }
        assert_eq!(register.folders, MAX_FOLDERS);
        let flat = register.assign(&EntryName::from_path("new/y").unwrap());
        assert_eq!(flat.as_str(), "y");
        assert!(register.taken.capacity() < 2 * (MAX_FOLDERS + 100_000));
    }
}
