//! What must hold for any name that anybody proposes: bodies of properties, shared
//! by the tests and by the fuzz target. Each panics when its property does not hold.
//! The rules are written down here once more, in other words than in `clean`, so
//! that a mistake there is not repeated here.

use super::{EntryName, MAX_DEPTH, MAX_PATH, MAX_SEGMENT, NameRegister, NameSources};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use std::collections::HashSet;
use unicode_normalization::{UnicodeNormalization, is_nfc};
use url::Url;

/// Takes `data` for proposals, one a line, each as a path, as a header and as a
/// URL: every name keeps its promises, and no two of one archive are confused.
///
/// # Panics
/// When that is not so.
pub fn check_any(data: &[u8]) {
    let mut register = NameRegister::new();
    let mut given = Given::default();
    for (index, line) in data.split(|byte| *byte == b'\n').enumerate().take(1000) {
        for name in names_of(line, index) {
            keeps_promises(&name);
            let again = EntryName::from_path(name.as_str());
            assert_eq!(again.as_ref(), Some(&name), "cleaning twice changed it");
            let assigned = register.assign(&name);
            keeps_promises(&assigned);
            given.add(&assigned);
        }
    }
}

/// Every way in which one proposal may reach us.
fn names_of(line: &[u8], index: usize) -> Vec<EntryName> {
    let path = String::from_utf8_lossy(line);
    let header = [b"attachment; filename=".as_slice(), line].concat();
    let encoded = percent_encode(line, NON_ALPHANUMERIC).to_string();
    let extended = format!("attachment; filename*=UTF-8''{encoded}");
    let urls = [format!("http://h/{encoded}"), format!("http://h/{path}")];
    let urls = urls.iter().filter_map(|url| Url::parse(url).ok());
    let mut names: Vec<EntryName> = urls.filter_map(|url| EntryName::from_url(&url)).collect();
    names.extend(EntryName::from_disposition(&header));
    names.extend(EntryName::from_disposition(extended.as_bytes()));
    names.extend(EntryName::from_disposition(line));
    for name in &names {
        assert!(
            !name.as_str().contains('/'),
            "{name:?}: a server chose a folder"
        );
    }
    names.extend(EntryName::from_path(&path));
    names.push(EntryName::choose(&NameSources {
        path: Some(&path),
        disposition: Some(line),
        content_type: Some(&path),
        index,
        ..NameSources::default()
    }));
    names
}

fn keeps_promises(name: &EntryName) {
    let text = name.as_str();
    assert!(!text.is_empty() && text.len() < MAX_PATH, "{name:?}");
    assert!(is_nfc(text), "{name:?} is not in NFC");
    assert!(text.split('/').count() <= MAX_DEPTH, "{name:?} is too deep");
    for segment in text.split('/') {
        assert!(!segment.is_empty(), "{name:?} is absolute or has a hole");
        assert!(segment.len() <= MAX_SEGMENT, "{segment:?} is too long");
        assert!(
            !segment.ends_with(['.', ' ']),
            "Windows drops the end of {segment:?}"
        );
        assert!(!segment.starts_with(' '), "{segment:?} hides its beginning");
        for c in segment.chars() {
            assert!(
                !c.is_control() && !"<>:\"\\|?*".contains(c),
                "{c:?} in {segment:?}"
            );
            assert!(!HIDDEN.contains(&c), "{c:?} in {segment:?}");
        }
        let compatible: String = segment.nfkc().collect();
        for part in compatible.split(['/', '\\']) {
            assert!(part != "." && part != "..", "{segment:?} climbs");
        }
        assert!(!is_device(&compatible), "{segment:?} is a device");
    }
}

const HIDDEN: [char; 12] = [
    '\u{00AD}',
    '\u{061C}',
    '\u{200B}',
    '\u{200D}',
    '\u{200E}',
    '\u{2028}',
    '\u{202E}',
    '\u{2060}',
    '\u{2066}',
    '\u{FE0F}',
    '\u{FEFF}',
    '\u{E0041}',
];

fn is_device(segment: &str) -> bool {
    let stem = segment.split_once('.').map_or(segment, |(stem, _)| stem);
    let stem = stem.trim_end().to_ascii_uppercase();
    let plain = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"];
    let numbered = (0..=9).flat_map(|n| [format!("COM{n}"), format!("LPT{n}")]);
    plain.contains(&stem.as_str()) || numbered.into_iter().any(|device| device == stem)
}

/// What a file system that ignores case and Unicode forms would hold.
#[derive(Default)]
struct Given {
    files: HashSet<String>,
    folders: HashSet<String>,
}

impl Given {
    fn add(&mut self, name: &EntryName) {
        let segments = name.as_str().split('/').map(|segment| {
            let compatible: String = segment.nfkc().collect();
            compatible.to_lowercase().replace('/', "|")
        });
        let key = segments.collect::<Vec<_>>().join("/");
        for (at, _) in key.match_indices('/') {
            let folder = &key[..at];
            assert!(
                !self.files.contains(folder),
                "{name:?}: a folder over a file"
            );
            self.folders.insert(folder.to_owned());
        }
        assert!(
            !self.folders.contains(&key),
            "{name:?}: a file over a folder"
        );
        let reports = ["_longshore-report.json", "_longshore-report.txt"];
        assert!(!reports.contains(&key.as_str()), "{name:?} is the report's");
        assert!(self.files.insert(key), "{name:?} was given twice");
    }
}
