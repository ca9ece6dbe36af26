//! What kind of content it is, by its first bytes and by its name.

use crate::path::FilePath;

/// How many bytes are looked at.
pub(crate) const LOOK: usize = 4096;

/// What is declared by clients that know nothing.
const UNTOLD: [&str; 4] = [
    "application/octet-stream",
    "binary/octet-stream",
    "application/x-www-form-urlencoded",
    "",
];

const UNKNOWN: &str = "application/octet-stream";

/// The media type that the first bytes of a content show; nothing where they show none.
pub(crate) fn sniffed(beginning: &[u8]) -> &'static str {
    if let Some(kind) = infer::get(beginning) {
        return kind.mime_type();
    }
    let text = match std::str::from_utf8(beginning) {
        Ok(text) => text,
        // The last character may be cut.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&beginning[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return "",
    };
    let printed = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    if text.is_empty() || !text.chars().all(printed) {
        return "";
    }
    let begins = text
        .trim_start()
        .get(..64)
        .unwrap_or(text)
        .to_ascii_lowercase();
    let begins = begins.trim_start();
    if begins.starts_with("<svg") || (begins.starts_with("<?xml") && text.contains("<svg")) {
        "image/svg+xml"
    } else if begins.starts_with("<!doctype html") || begins.starts_with("<html") {
        "text/html"
    } else {
        "text/plain"
    }
}

/// The media type under which a content is answered: the declared one, or else what its
/// name says, or else what it looks like.
pub(crate) fn media_type(declared: Option<&str>, path: &FilePath, sniffed: &str) -> String {
    let declared = declared.and_then(crate::file::media_type);
    let told = declared.filter(|declared| !UNTOLD.contains(&declared.as_str()));
    if let Some(told) = told {
        return told;
    }
    let by_name = mime_guess::from_path(path.name()).first_raw();
    match (by_name, sniffed) {
        (Some(by_name), _) => by_name.to_owned(),
        (None, "") => UNKNOWN.to_owned(),
        (None, "text/plain") => "text/plain; charset=utf-8".to_owned(),
        (None, sniffed) => sniffed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_is_known_by_its_beginning() {
        let cut = "grüße".as_bytes();
        for (beginning, kind) in [
            (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], "image/png"),
            (b"%PDF-1.7\n", "application/pdf"),
            (b"<svg xmlns='x'>", "image/svg+xml"),
            (b"<?xml version='1.0'?><svg>", "image/svg+xml"),
            (b"\n<!DOCTYPE HTML><p>", "text/html"),
            (b"plain words\n", "text/plain"),
            (&cut[..3], "text/plain"),
            (b"\x01\x02\x03", ""),
            (b"\xff\xfe\x00a", ""),
            (b"", ""),
        ] {
            assert_eq!(sniffed(beginning), kind, "{beginning:?}");
        }
    }

    #[test]
    fn what_is_declared_counts_and_then_the_name_and_then_the_look() {
        let kind = |declared, path: &str, sniffed| {
            media_type(declared, &path.parse().expect("a path"), sniffed)
        };
        assert_eq!(kind(Some("image/webp"), "a.png", "image/png"), "image/webp");
        assert_eq!(
            kind(Some("application/octet-stream"), "a.png", ""),
            "image/png"
        );
        assert_eq!(kind(None, "noname", "application/pdf"), "application/pdf");
        assert_eq!(
            kind(None, "noname", "text/plain"),
            "text/plain; charset=utf-8"
        );
        assert_eq!(kind(Some("rubbish"), "noname", ""), UNKNOWN);
    }
}
