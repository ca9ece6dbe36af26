//! What a writer expects to find, and what it promises to send: checked before anything
//! changes, so that nobody overwrites what they have not seen (RFC 9110 §13.1).

use crate::file::File;
use crate::put::Came;
use crate::{Error, Result};
use base::{FileId, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha512};
use std::fmt::Write;

/// Which contents a condition is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tags {
    /// `*`: whatever there is.
    Any,
    /// One of these, without their quotes.
    These(Vec<String>),
}

impl Tags {
    /// As `If-Match` and `If-None-Match` write them. A weak tag counts as the strong one
    /// with `weak`, and else as none.
    #[must_use]
    pub fn parse(text: &str, weak: bool) -> Self {
        if text.trim() == "*" {
            return Self::Any;
        }
        let tags = text.split(',').map(str::trim).filter_map(|tag| {
            let strong = match tag.strip_prefix("W/") {
                Some(strong) if weak => strong,
                Some(_) => return None,
                None => tag,
            };
            Some(strong.trim_matches('"').to_owned())
        });
        Self::These(tags.collect())
    }

    fn names(&self, file: &File) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.contains(&file.etag),
        }
    }
}

/// What must be at the path for a change to happen. By default, anything or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expect {
    /// `If-Match`: one of these is there.
    pub matches: Option<Tags>,
    /// `If-None-Match`: none of these is there.
    pub none_matches: Option<Tags>,
    /// `If-Unmodified-Since`: it is not younger, by the second.
    pub unmodified_since: Option<Timestamp>,
    /// It is this content, and no other that is the same.
    #[serde(skip)]
    pub content: Option<FileId>,
}

impl Expect {
    /// That there is nothing.
    #[must_use]
    pub const fn nothing() -> Self {
        Self {
            matches: None,
            none_matches: Some(Tags::Any),
            unmodified_since: None,
            content: None,
        }
    }

    /// That this content is there.
    #[must_use]
    pub const fn content(id: FileId) -> Self {
        Self {
            matches: None,
            none_matches: None,
            unmodified_since: None,
            content: Some(id),
        }
    }

    /// # Errors
    /// [`Error::Precondition`] when something else is there.
    pub fn check(&self, there: Option<&File>) -> Result<()> {
        let named = |tags: &Tags| there.is_some_and(|file| tags.names(file));
        let is = |id: FileId| there.is_some_and(|file| file.id == id);
        if self.matches.as_ref().is_some_and(|tags| !named(tags))
            || self.content.is_some_and(|id| !is(id))
            || self.none_matches.as_ref().is_some_and(named)
        {
            return Err(Error::Precondition);
        }
        // Where tags are given, the date is of no account (RFC 9110 §13.2.2).
        if self.matches.is_none()
            && let (Some(since), Some(file)) = (self.unmodified_since, there)
            && file.modified_at.seconds() > since.seconds()
        {
            return Err(Error::Precondition);
        }
        Ok(())
    }

    /// Whether anything at all will do.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// What a content is said to be, where it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Promised {
    /// Its length in bytes.
    pub length: Option<u64>,
    /// Its SHA-256.
    pub sha256: Option<[u8; 32]>,
    /// Its SHA-512, which nobody keeps: whoever takes it in computes it for this alone.
    pub sha512: Option<[u8; 64]>,
    /// Its MD5.
    pub md5: Option<[u8; 16]>,
}

impl Promised {
    /// Compares all but the SHA-512, which [`Wide`] has seen to.
    ///
    /// # Errors
    /// [`Error::Content`] when it is something else.
    pub(crate) fn check(&self, came: &Came) -> Result<()> {
        if self.length.is_some_and(|length| length != came.size) {
            return Err(Error::Content("it has another length"));
        }
        if self.sha256.is_some_and(|sha256| sha256 != came.sha256) {
            return Err(Error::Content("it has another SHA-256"));
        }
        if self.md5.is_some_and(|md5| md5 != came.md5) {
            return Err(Error::Content("it has another MD5"));
        }
        Ok(())
    }
}

/// A promised SHA-512 and that of what has come so far; nothing, where none was promised.
#[derive(Debug)]
pub(crate) struct Wide(Option<Box<(Sha512, [u8; 64])>>);

impl Wide {
    pub(crate) fn of(promised: &Promised) -> Self {
        let begun = |sha512| Box::new((Sha512::new(), sha512));
        Self(promised.sha512.map(begun))
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        if let Some(wide) = &mut self.0 {
            wide.0.update(bytes);
        }
    }

    /// # Errors
    /// [`Error::Content`] when all that came is something else.
    pub(crate) fn check(self) -> Result<()> {
        let Some((so_far, promised)) = self.0.map(|wide| *wide) else {
            return Ok(());
        };
        if <[u8; 64]>::from(so_far.finalize()) == promised {
            Ok(())
        } else {
            Err(Error::Content("it has another SHA-512"))
        }
    }
}

/// In hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
