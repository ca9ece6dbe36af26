//! The names that people give: to users, secrets, schedules, tokens, kinds.

use serde::{Deserialize, Deserializer, Serialize, de};
use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

/// A name that is safe in a path, a log, a shell and a URL: 1 to 64 of the
/// letters `a-z A-Z`, digits, `.`, `-` and `_`, the first a letter or a digit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// The most characters that a name has.
    pub const MAX: usize = 64;

    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is not a name. One sentence for the one who typed it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Nothing was given.
    #[error("A name needs at least one character.")]
    Empty,
    /// More than [`Name::MAX`] characters; how many.
    #[error("A name has at most 64 characters, and this one has {0}.")]
    Long(usize),
    /// It begins with one of `.`, `-`, `_`.
    #[error("A name begins with a letter or a digit, not with `{0}`.")]
    Begin(char),
    /// It has a character that names do not have.
    #[error("A name has only the letters a to z, digits, `.`, `-` and `_`, not {}.", shown(*.0))]
    Character(char),
}

fn shown(c: char) -> String {
    match c {
        ' ' => "a space".to_owned(),
        c if c.is_control() || !c.is_ascii() => format!("`{}`", c.escape_default()),
        c => format!("`{c}`"),
    }
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let first = text.chars().next().ok_or(InvalidName::Empty)?;
        let odd = |c: &char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
        if let Some(odd) = text.chars().find(odd) {
            return Err(InvalidName::Character(odd));
        }
        if !first.is_ascii_alphanumeric() {
            return Err(InvalidName::Begin(first));
        }
        // Only ASCII is left, so bytes are characters.
        if text.len() > Self::MAX {
            return Err(InvalidName::Long(text.len()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_names() {
        let longest = "a".repeat(Name::MAX);
        for text in ["a", "7", "anna", "Anna.B-c_d", "2fa", &longest] {
            assert_eq!(text.parse::<Name>().map(String::from), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_is_not_a_name_is_refused_in_one_sentence() {
        for (text, reason) in [
            ("", InvalidName::Empty),
            (".env", InvalidName::Begin('.')),
            ("-rf", InvalidName::Begin('-')),
            ("_x", InvalidName::Begin('_')),
            ("a b", InvalidName::Character(' ')),
            ("a/b", InvalidName::Character('/')),
            ("añb", InvalidName::Character('ñ')),
            ("a\n", InvalidName::Character('\n')),
            (&"a".repeat(65), InvalidName::Long(65)),
        ] {
            assert_eq!(text.parse::<Name>(), Err(reason.clone()), "{text:?}");
            let sentence = reason.to_string();
            assert!(
                sentence.ends_with('.') && !sentence.contains('\n'),
                "{sentence}"
            );
        }
    }
}
