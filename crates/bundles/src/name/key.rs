//! Keys: two names that any common file system takes for one have one key.

use std::hash::{DefaultHasher, Hasher};
use unicode_normalization::UnicodeNormalization;

/// The key of a path, built segment by segment; only its hash is kept.
///
/// A clash of two 64-bit hashes costs a needless ` (2)` and nothing else. The
/// hash has no random part, so that the same names give the same archive.
#[derive(Clone, Debug)]
pub(super) struct PathKey(DefaultHasher);

impl PathKey {
    pub(super) fn root() -> Self {
        Self(DefaultHasher::new())
    }

    /// The key of `segment` inside this folder.
    pub(super) fn join(&self, segment: &str) -> Self {
        let mut hasher = self.0.clone();
        hasher.write_u8(b'/');
        hasher.write(fold(segment).as_bytes());
        Self(hasher)
    }

    pub(super) fn hash(&self) -> u64 {
        self.0.finish()
    }
}

/// Case and compatibility folded away: lower, upper and lower again brings `ß`,
/// `ẞ` and `ss`, or `ς` and `σ`, together, as APFS and NTFS between them do.
fn fold(segment: &str) -> String {
    if segment.is_ascii() {
        return segment.to_ascii_lowercase();
    }
    let compatible: String = segment.nfkc().collect();
    let cased = compatible.to_lowercase().to_uppercase().to_lowercase();
    cased
        .nfkc()
        .map(|c| if c == '/' { '\0' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(segment: &str) -> u64 {
        PathKey::root().join(segment).hash()
    }

    #[test]
    fn names_that_a_file_system_confuses_have_one_key() {
        for (one, other) in [
            ("A.jpg", "a.JPG"),
            ("é", "e\u{301}"),
            ("ﬁle", "file"),
            ("straße", "STRASSE"),
            ("ẞ", "ss"),
            ("ΟΔΟΣ", "οδος"),
            ("Å", "\u{212B}"),
            ("ａ", "a"),
        ] {
            assert_eq!(key(one), key(other), "{one} {other}");
        }
    }

    #[test]
    fn names_that_differ_have_different_keys() {
        assert_ne!(key("a"), key("b"));
        assert_ne!(key("é"), key("e"));
        let nested = PathKey::root().join("a").join("c").hash();
        assert_ne!(nested, key("℀"));
        assert_ne!(nested, key("ac"));
    }
}
