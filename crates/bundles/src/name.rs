//! The names of an archive's entries. A client, a server or a URL proposes a
//! name; what comes out of here can be unpacked anywhere without leaving the
//! folder it is unpacked into.
//!
//! Nothing in here looks at a disk, and no [`EntryName`] is ever made without
//! cleaning. That two entries of one archive differ is the business of
//! [`NameRegister`].

mod clean;
mod disposition;
mod extension;
mod key;
pub mod properties;
mod register;

pub use register::NameRegister;

use percent_encoding::percent_decode_str;
use std::fmt;
use url::Url;

/// The report of what is missing, as JSON: a name that no source can take.
pub(crate) const REPORT_JSON: &str = "_longshore-report.json";
/// The report of what is missing, as text: a name that no source can take.
pub(crate) const REPORT_TEXT: &str = "_longshore-report.txt";

/// Longest segment (folder or file name) in bytes: the limit of ext4, APFS and
/// (there in UTF-16 units, never more than the bytes) NTFS.
pub const MAX_SEGMENT: usize = 255;
/// Deepest path: at most 31 folders and the file.
pub const MAX_DEPTH: usize = 32;
/// A path is shorter than this many bytes.
pub const MAX_PATH: usize = 1024;

/// The path of an entry inside its archive: `/` between its segments, UTF-8 in
/// NFC, and harmless to every reader.
///
/// It is never empty, absolute, or longer than [`MAX_PATH`] − 1 bytes, and no
/// segment of it is `.` or `..`, a Windows device (`CON`, `COM¹` …), longer than
/// [`MAX_SEGMENT`] bytes, ends in a dot or space, or holds a character that is
/// invisible, turns the direction of text, or is refused by Windows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryName(Box<str>);

/// What a source is known by, from the strongest wish to the weakest.
#[derive(Clone, Copy, Debug, Default)]
pub struct NameSources<'a> {
    /// The path that the client asked for; it may hold folders.
    pub path: Option<&'a str>,
    /// The `Content-Disposition` header of the answer (RFC 6266).
    pub disposition: Option<&'a [u8]>,
    /// The URL asked for.
    pub url: Option<&'a Url>,
    /// The `Content-Type` header of the answer: it gives an extension where the
    /// name from the URL or the header has none.
    pub content_type: Option<&'a str>,
    /// Position among the sources, from 0: the last resort is `file-0001`.
    pub index: usize,
}

impl EntryName {
    /// The best name for a source: the client's path, else the name in
    /// `Content-Disposition`, else the URL's last segment, else its number.
    #[must_use]
    pub fn choose(sources: &NameSources<'_>) -> Self {
        if let Some(name) = sources.path.and_then(Self::from_path) {
            return name;
        }
        let offered = sources.disposition.and_then(Self::from_disposition);
        match offered.or_else(|| sources.url.and_then(Self::from_url)) {
            Some(name) => name.with_extension_of(sources.content_type),
            None => Self::numbered(sources.index, sources.content_type),
        }
    }

    /// From a path that a client gave. Folders are kept, percent signs mean
    /// themselves. Nothing where nothing is left after cleaning.
    #[must_use]
    pub fn from_path(path: &str) -> Option<Self> {
        clean::path(path).map(Self::cleaned)
    }

    /// From the value of a `Content-Disposition` header: `filename*` (RFC 8187),
    /// else `filename` (RFC 6266). Only the last segment counts, because a server
    /// must not choose folders (RFC 6266 section 4.3).
    #[must_use]
    pub fn from_disposition(value: &[u8]) -> Option<Self> {
        let name = disposition::file_name(value)?;
        clean::last_segment(&name).map(Self::cleaned)
    }

    /// From the last segment of a URL's path that holds anything, percent-decoded
    /// once. Bytes that are not UTF-8 stay percent-encoded.
    #[must_use]
    pub fn from_url(url: &Url) -> Option<Self> {
        let segments = url.path_segments()?;
        segments
            .rev()
            .find_map(|segment| clean::last_segment(&decode_once(segment)))
            .map(Self::cleaned)
    }

    /// The name of a source that offers none: `file-0001`, and the usual extension
    /// of `content_type`. `index` counts from 0, the name from 1.
    #[must_use]
    pub fn numbered(index: usize, content_type: Option<&str>) -> Self {
        let number = index.saturating_add(1);
        Self::cleaned(format!("file-{number:04}")).with_extension_of(content_type)
    }

    /// The entry that lists, as JSON, what is missing.
    #[must_use]
    pub fn report_json() -> Self {
        Self(REPORT_JSON.into())
    }

    /// The entry that lists, as text, what is missing.
    #[must_use]
    pub fn report_text() -> Self {
        Self(REPORT_TEXT.into())
    }

    /// The path as it is written into the archive.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment's extension without its dot, as it is written; empty
    /// where there is none.
    #[must_use]
    pub fn extension(&self) -> &str {
        extension::last(self.file_name()).unwrap_or_default()
    }

    /// The last segment.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// Only for text that `clean` made, or that was put together from such text.
    fn cleaned(text: String) -> Self {
        Self(text.into_boxed_str())
    }

    fn with_extension_of(self, content_type: Option<&str>) -> Self {
        if extension::last(self.file_name()).is_some() {
            return self;
        }
        let Some(extension) = content_type.and_then(extension::of_content_type) else {
            return self;
        };
        Self::from_path(&format!("{}.{extension}", self.0)).unwrap_or(self)
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for EntryName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Percent-decodes once; what does not decode to UTF-8 stays as `%FF`.
fn decode_once(encoded: &str) -> String {
    let bytes: Vec<u8> = percent_decode_str(encoded).collect();
    utf8_or_percent(&bytes)
}

/// UTF-8 as it is, any other byte as `%FF`.
fn utf8_or_percent(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn chosen(url: &str, content_type: Option<&str>) -> String {
        let url = Url::parse(url).unwrap();
        EntryName::choose(&NameSources {
            url: Some(&url),
            content_type,
            ..NameSources::default()
        })
        .to_string()
    }

    #[test]
    fn the_path_beats_the_header_and_the_header_beats_the_url() {
        let url = Url::parse("http://h/url.jpg").unwrap();
        let mut sources = NameSources {
            path: Some("album/path.jpg"),
            disposition: Some(b"attachment; filename=header.jpg"),
            url: Some(&url),
            content_type: Some("image/png"),
            index: 6,
        };
        assert_eq!(EntryName::choose(&sources).as_str(), "album/path.jpg");
        sources.path = Some("..");
        assert_eq!(EntryName::choose(&sources).as_str(), "header.jpg");
        sources.disposition = Some(b"inline");
        assert_eq!(EntryName::choose(&sources).as_str(), "url.jpg");
        sources.url = None;
        assert_eq!(EntryName::choose(&sources).as_str(), "file-0007.png");
    }

    #[test]
    fn a_url_that_ends_in_a_slash_is_named_by_its_last_folder() {
        assert_eq!(chosen("http://h/photos/", None), "photos");
        assert_eq!(
            chosen("http://h/photos/?q=1", Some("image/gif")),
            "photos.gif"
        );
        assert_eq!(
            chosen("http://h", Some("text/html; charset=utf-8")),
            "file-0001.html"
        );
    }

    #[test]
    fn a_type_without_an_extension_adds_none() {
        assert_eq!(
            chosen("http://h/blob", Some("application/octet-stream")),
            "blob"
        );
        assert_eq!(chosen("http://h/blob", Some("not a type")), "blob");
        assert_eq!(chosen("http://h/v1.2", Some("image/png")), "v1.2");
    }

    #[test]
    fn a_client_s_path_keeps_its_percent_signs() {
        assert_eq!(
            EntryName::from_path("a%2fb.jpg").unwrap().as_str(),
            "a%2fb.jpg"
        );
    }

    #[test]
    fn bytes_that_are_not_utf_8_stay_percent_encoded() {
        assert_eq!(chosen("http://h/a%ff%C3%A9.jpg", None), "a%FFé.jpg");
    }
}
