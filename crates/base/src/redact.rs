//! Takes secrets out of texts before anybody sees them: whole texts, and streams
//! that come in chunks of any size.
//!
//! Every byte of every occurrence of a known secret is covered, overlapping
//! occurrences too, and each run of covered bytes becomes one [`MARK`]. That the
//! result of a stream does not depend on its chunks follows from this. It must
//! never show, by `Debug` or otherwise, what it looks for.
//!
//! Limits, so that nobody expects more: a secret shorter than [`SHORTEST`] bytes is
//! not looked for, as it would turn up in every text; a secret that is encrypted,
//! compressed or written in a way that is not listed at [`Redactor::new`] is not
//! recognised.

mod automaton;
mod forms;
pub mod properties;
mod stream;

pub use stream::RedactedStream;

use automaton::Automaton;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// What stands where a secret stood. ASCII, and safe within JSON, HTML and a URL's query.
pub const MARK: &str = "[redacted]";

/// Shorter secrets are not looked for. In bytes.
pub const SHORTEST: usize = 4;

/// All forms that are looked for together, in bytes; each takes about 20 bytes of
/// memory. Beyond it, everything is redacted: better nothing to read than a secret.
const MOST_BYTES: usize = 8 << 20;

/// Knows secrets and takes them out of texts. Cheap to clone.
#[derive(Clone, Default)]
pub struct Redactor(Arc<Known>);

#[derive(Default)]
struct Known {
    secrets: BTreeSet<Vec<u8>>,
    search: Search,
}

#[derive(Default)]
enum Search {
    /// Nothing is secret.
    #[default]
    Nothing,
    /// These are.
    Patterns(Box<Automaton>),
    /// There is more to look for than can be: everything is secret.
    Everything,
}

impl Redactor {
    /// Looks for these secrets, each as it stands and also
    /// - without white space around it;
    /// - line by line, where it has several: each line of 8 bytes or more (a PEM
    ///   key's `-----BEGIN …-----` excepted);
    /// - in Base64 and Base64url, also in the middle of something longer that was
    ///   encoded as a whole, such as the credentials of HTTP Basic;
    /// - percent-encoded, in the ways that browsers, forms and libraries do it;
    /// - escaped as within a JSON string;
    /// - quoted for a shell.
    ///
    /// Of a secret longer than 4 KiB, only as it stands, line by line, in Base64 by
    /// itself, and as JSON has to escape it.
    pub fn new<S: AsRef<[u8]>>(secrets: impl IntoIterator<Item = S>) -> Self {
        Self::default().with(secrets)
    }

    /// One that looks for these secrets, too.
    #[must_use]
    pub fn with<S: AsRef<[u8]>>(&self, more: impl IntoIterator<Item = S>) -> Self {
        let mut secrets: BTreeSet<Vec<u8>> = more
            .into_iter()
            .map(|secret| secret.as_ref().to_vec())
            .filter(|secret| secret.len() >= SHORTEST && !self.0.secrets.contains(secret))
            .collect();
        if secrets.is_empty() {
            return self.clone();
        }
        secrets.extend(self.0.secrets.iter().cloned());
        let search = Search::of(&secrets, MOST_BYTES);
        Self(Arc::new(Known { secrets, search }))
    }

    /// Whether there is nothing to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.secrets.is_empty()
    }

    /// The text with every secret in it covered; borrowed where it has none.
    #[must_use]
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.redact_bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            // A secret that is not UTF-8 may end within a character.
            Cow::Owned(bytes) => Cow::Owned(
                String::from_utf8(bytes)
                    .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
            ),
        }
    }

    /// The same for bytes of any encoding that contains ASCII.
    #[must_use]
    pub fn redact_bytes<'t>(&self, bytes: &'t [u8]) -> Cow<'t, [u8]> {
        let mut covered = Vec::new();
        match &self.0.search {
            Search::Nothing => {}
            Search::Patterns(automaton) => {
                automaton.cover(automaton.start(), bytes, 0, &mut covered);
            }
            Search::Everything if bytes.is_empty() => {}
            Search::Everything => covered.push(0..bytes.len()),
        }
        if covered.is_empty() {
            return Cow::Borrowed(bytes);
        }
        let mut out = Vec::with_capacity(bytes.len());
        let mut shown = 0;
        for Range { start, end } in covered {
            out.extend_from_slice(bytes.get(shown..start).unwrap_or_default());
            out.extend_from_slice(MARK.as_bytes());
            shown = end;
        }
        out.extend_from_slice(bytes.get(shown..).unwrap_or_default());
        Cow::Owned(out)
    }
}

impl Search {
    fn of(secrets: &BTreeSet<Vec<u8>>, most: usize) -> Self {
        let patterns: BTreeSet<Vec<u8>> = secrets
            .iter()
            .flat_map(|secret| forms::of(secret))
            .collect();
        if patterns.iter().map(Vec::len).sum::<usize>() > most {
            return Self::Everything;
        }
        Automaton::new(&patterns).map_or(Self::Everything, |found| Self::Patterns(Box::new(found)))
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({} secrets)", self.0.secrets.len())
    }
}

#[cfg(test)]
mod tests;
