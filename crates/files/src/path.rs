//! The path of a file in its bucket: a value and never a location. It is compared,
//! listed and shown; nothing on a disk is ever called by it.

use serde::{Deserialize, Deserializer, Serialize, de};
use std::fmt;
use std::str::FromStr;

/// What stands between a folder and what is in it.
pub const DELIMITER: char = '/';

/// A path: 1 to 1024 bytes of UTF-8, without the NUL character and without the
/// segments `.` and `..`, which readers on the way would resolve. Folders are
/// prefixes, so `a//b` and `/a` are paths of their own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct FilePath(String);

/// Why a text is no path. One sentence for the one who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPath {
    /// Nothing.
    #[error("a path needs at least one character")]
    Empty,
    /// Longer than [`FilePath::MAX`]; how many bytes.
    #[error("a path has at most 1024 bytes, and this one has {0}")]
    Long(usize),
    /// A NUL character.
    #[error("a path cannot hold the NUL character")]
    Nul,
    /// `.` or `..`.
    #[error("a path cannot hold the segment `.` or `..`; write it without")]
    Dots,
    /// Bytes that are no text.
    #[error("a path is UTF-8, and this one is not")]
    Encoding,
}

impl FilePath {
    /// The most bytes that a path has.
    pub const MAX: usize = 1024;

    /// The path itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a path as it stands in an address: percent-encoded, `%2F` for `/` included.
    ///
    /// # Errors
    /// When what it stands for is no path.
    pub fn decode(encoded: &str) -> Result<Self, InvalidPath> {
        percent_encoding::percent_decode_str(encoded)
            .decode_utf8()
            .map_err(|_| InvalidPath::Encoding)?
            .parse()
    }

    /// As it stands in an address.
    #[must_use]
    pub fn encode(&self) -> String {
        encode(&self.0)
    }

    /// The folder that it lies in, with its `/`; nothing at the top.
    #[must_use]
    pub fn folder(&self) -> &str {
        match self.0.rfind(DELIMITER) {
            Some(at) => &self.0[..=at],
            None => "",
        }
    }

    /// What follows the folder; nothing for the marker of a folder, which ends with `/`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0[self.folder().len()..]
    }
}

/// Characters that stand in an address as they are: the unreserved ones (RFC 3986
/// §2.3) and `/`.
const KEPT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// A path or prefix, as it stands in an address.
pub(crate) fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, KEPT).to_string()
}

/// The least text that is greater than every text beginning with `prefix`, in the order
/// of bytes; nothing where there is none. For ranges of an index.
pub(crate) fn after_prefix(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        // The next character that there is: surrogates are none.
        let next = match u32::from(last) {
            0xD7FF => 0xE000,
            number => number + 1,
        };
        if let Some(next) = char::from_u32(next) {
            text.push(next);
            return Some(text);
        }
    }
    None
}

impl FromStr for FilePath {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(InvalidPath::Empty);
        }
        if text.len() > Self::MAX {
            return Err(InvalidPath::Long(text.len()));
        }
        if text.contains('\0') {
            return Err(InvalidPath::Nul);
        }
        if text
            .split(DELIMITER)
            .any(|segment| matches!(segment, "." | ".."))
        {
            return Err(InvalidPath::Dots);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<'de> Deserialize<'de> for FilePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_path_is_its_folder_and_its_name() {
        for (text, folder, name) in [
            ("foo", "", "foo"),
            ("a/b/c.txt", "a/b/", "c.txt"),
            ("/a", "/", "a"),
            ("a//b", "a//", "b"),
            ("a/", "a/", ""),
            ("...", "", "..."),
            (".a/..b", ".a/", "..b"),
            ("ä ö+ü%", "", "ä ö+ü%"),
        ] {
            let path: FilePath = text.parse().expect(text);
            assert_eq!((path.folder(), path.name()), (folder, name));
        }
    }

    #[test]
    fn what_is_no_path_is_refused_in_one_sentence() {
        let long = "a".repeat(1025);
        for (text, reason) in [
            ("", InvalidPath::Empty),
            (&long, InvalidPath::Long(1025)),
            ("a\0b", InvalidPath::Nul),
            ("..", InvalidPath::Dots),
            ("a/../b", InvalidPath::Dots),
            ("./a", InvalidPath::Dots),
            ("a/.", InvalidPath::Dots),
        ] {
            assert_eq!(text.parse::<FilePath>(), Err(reason));
        }
        assert_eq!(FilePath::decode("%FF"), Err(InvalidPath::Encoding));
        assert_eq!(FilePath::decode("%2e%2e/x"), Err(InvalidPath::Dots));
        assert_eq!(FilePath::decode("a%2Fb").expect("a path").folder(), "a/");
    }

    #[test]
    fn the_text_after_a_prefix_is_the_least_beyond_it() {
        assert_eq!(after_prefix("a/").as_deref(), Some("a0"));
        assert_eq!(after_prefix("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(after_prefix("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(after_prefix("\u{10ffff}"), None);
        assert_eq!(after_prefix(""), None);
    }

    proptest! {
        #[test]
        fn a_path_goes_through_an_address_unchanged(text in ".{1,200}") {
            if let Ok(path) = text.parse::<FilePath>() {
                prop_assert_eq!(FilePath::decode(&path.encode()), Ok(path));
            }
        }

        #[test]
        fn whatever_begins_with_a_prefix_lies_in_its_range(prefix in ".{1,8}", rest in ".{0,8}") {
            let text = format!("{prefix}{rest}");
            if let Some(end) = after_prefix(&prefix) {
                prop_assert!(text < end);
                prop_assert!(!end.starts_with(&prefix));
            }
        }
    }
}
