//! Cleaning: any text in, segments out that no reader can be led astray by.
//! It never fails on odd input; where nothing is left it says so.
//!
//! The rules stand in the order in which they are applied: characters, then
//! segments, then the whole path.

use super::{MAX_DEPTH, MAX_SEGMENT, extension};
use std::borrow::Cow;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// What a segment that was too long is cut to, in bytes: room is left for a
/// suffix such as ` (100000)`.
const CUT_SEGMENT: usize = 240;
/// What a path is cut to, in bytes: below the limit by more than a suffix.
const CUT_PATH: usize = 1000;
/// More input than this cannot end up in a name; the end of a path is kept,
/// because the file's name stands there.
const MAX_INPUT: usize = 16 * 1024;

/// Cleans a path with folders; nothing where no segment is left.
pub(super) fn path(input: &str) -> Option<String> {
    let visible = visible_nfc(tail(input));
    let mut segments: Vec<String> = visible.split(['/', '\\']).filter_map(segment).collect();
    let name = segments.pop()?;
    segments.truncate(MAX_DEPTH - 1);
    let mut length = name.len() + segments.iter().map(|s| s.len() + 1).sum::<usize>();
    while length > CUT_PATH {
        let Some(folder) = segments.pop() else { break };
        length -= folder.len() + 1;
    }
    segments.push(name);
    Some(segments.join("/"))
}

/// Cleans a path of which only the file's name may stay.
pub(super) fn last_segment(input: &str) -> Option<String> {
    let visible = visible_nfc(tail(input));
    visible.rsplit(['/', '\\']).find_map(segment)
}

fn tail(input: &str) -> &str {
    let mut start = input.len().saturating_sub(MAX_INPUT);
    while !input.is_char_boundary(start) {
        start += 1;
    }
    &input[start..]
}

fn visible_nfc(input: &str) -> Cow<'_, str> {
    if !input.contains(is_invisible) && is_nfc(input) {
        return Cow::Borrowed(input);
    }
    Cow::Owned(input.chars().filter(|c| !is_invisible(*c)).nfc().collect())
}

/// Cleans one segment; nothing where it is empty, only dots and spaces, or a
/// drive letter.
fn segment(raw: &str) -> Option<String> {
    if is_drive(raw) || is_dots(raw) {
        return None;
    }
    let replaced: String = raw
        .chars()
        .map(|c| if is_refused(c) { '_' } else { c })
        .collect();
    let mut name = within(trimmed(&replaced));
    if is_device(&name) {
        name = within(&format!("_{name}"));
    }
    (!name.is_empty()).then_some(name)
}

/// `name` if it is short enough, else cut with its extension kept.
fn within(name: &str) -> String {
    if name.len() <= MAX_SEGMENT {
        return name.to_owned();
    }
    let (stem, extension) = extension::split(name);
    let stem = cut(stem, CUT_SEGMENT - extension.len());
    trimmed(&format!("{stem}{extension}")).to_owned()
}

/// The longest beginning of `text` that has at most `limit` bytes.
pub(super) fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

/// Windows drops dots and spaces at the end; a space at the start only hides.
fn trimmed(text: &str) -> &str {
    trimmed_end(text.trim_start())
}

fn trimmed_end(text: &str) -> &str {
    text.trim_end_matches(|c: char| c == '.' || c.is_whitespace())
}

/// `C:` stands for a drive and not for a folder.
fn is_drive(segment: &str) -> bool {
    matches!(segment.as_bytes(), [letter, b':'] if letter.is_ascii_alphabetic())
}

/// `.`, `..` and what folds to them, such as `․․` (U+2024 twice) or `‥`.
fn is_dots(segment: &str) -> bool {
    segment.nfkc().all(|c| c == '.' || c.is_whitespace())
}

/// The device names of Windows, in any case, with any extension, and with digits
/// such as `¹` that Windows takes for 1.
fn is_device(name: &str) -> bool {
    let stem: String = name.nfkc().take_while(|c| *c != '.').collect();
    let folded = stem.trim_end().to_uppercase();
    let folded = folded.as_str();
    if matches!(
        folded,
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$"
    ) {
        return true;
    }
    let digit = folded
        .strip_prefix("COM")
        .or_else(|| folded.strip_prefix("LPT"));
    digit.is_some_and(|rest| rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit())
}

/// Characters that Windows refuses, `:` that opens a stream there and is a
/// separator on old Macs, and the look-alikes of slashes that a conversion to an
/// old code page turns into slashes.
fn is_refused(c: char) -> bool {
    matches!(
        c,
        '<' | '>'
            | ':'
            | '"'
            | '|'
            | '?'
            | '*'
            | '/'
            | '\\'
            | '\u{2044}'
            | '\u{2215}'
            | '\u{2216}'
            | '\u{29F5}'
            | '\u{29F8}'
            | '\u{29F9}'
            | '\u{FE68}'
            | '\u{FF0F}'
            | '\u{FF3C}'
    )
}

/// Controls (C0, DEL, C1), line separators, marks that turn the direction of
/// text, and characters without a width of their own (most of Unicode's
/// `Default_Ignorable_Code_Point`): nobody sees them, so they can only mislead.
fn is_invisible(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control()
        || matches!(
            c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}'..='\u{1160}'
                | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}'
                | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
                | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
                | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
                | '\u{E0000}'..='\u{E0FFF}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &str, expected: Option<&str>) {
        assert_eq!(path(input).as_deref(), expected, "{input:?}");
    }

    #[test]
    fn segments_that_only_navigate_are_dropped() {
        check("a/../../b", Some("a/b"));
        check(". ./...", None);
        check("․․/‥/x", Some("x"));
        check("\u{202e}..\u{200b}/x", Some("x"));
        check(".\u{ad}./x", Some("x"));
        check("", None);
        check("///\\\\", None);
    }

    #[test]
    fn drives_streams_and_device_prefixes_lead_nowhere() {
        check("C:", None);
        check("C:x.dll", Some("C_x.dll"));
        check(r"\\?\C:\x", Some("_/x"));
        check("a/D:/x", Some("a/x"));
        check("x::$DATA", Some("x__$DATA"));
    }

    #[test]
    fn devices_are_marked_in_every_spelling() {
        for device in [
            "con",
            "Aux",
            "COM1",
            "lpt9.txt",
            "COM².a.b",
            "NUL .txt",
            "conin$",
            "ＣＯＮ",
            "CON․x",
        ] {
            check(device, Some(&format!("_{device}")));
        }
        for harmless in ["console", "COM10", "com", "nulls.txt", "_CON", "aux-in.wav"] {
            check(harmless, Some(harmless));
        }
    }

    #[test]
    fn a_cut_brings_no_device_to_light() {
        let spaces = " ".repeat(300);
        check(&format!("CON{spaces}x"), Some("_CON"));
        check(
            &format!("a/NUL{spaces}x.txt/b"),
            Some(&format!("a/_NUL{}.txt/b", &spaces[..233])),
        );
        let longest = format!("CON{}.txt", &spaces[..248]);
        check(&longest, Some(&format!("_CON{}.txt", &spaces[..232])));
    }

    #[test]
    fn look_alikes_of_slashes_are_replaced() {
        check("..／..／x", Some(".._.._x"));
        check("a∕b⁄c＼d", Some("a_b_c_d"));
    }

    #[test]
    fn a_cut_never_splits_a_character_and_leaves_no_trailing_dot() {
        let cut = path(&format!("{}. .jpg", "é".repeat(200))).unwrap_or_default();
        assert_eq!(cut, format!("{}.jpg", "é".repeat(118)));
        check(&format!("a{}b c", ".".repeat(300)), Some("a"));
        check(&format!("{}b c", ".".repeat(300)), None);
    }

    #[test]
    fn a_path_is_shortened_from_its_deepest_folder() {
        let folders: Vec<String> = (0..20).map(|n| format!("{n:0100}")).collect();
        let cleaned = path(&format!("{}/x.jpg", folders.join("/"))).unwrap_or_default();
        assert_eq!(cleaned, format!("{}/x.jpg", folders[..9].join("/")));
    }

    #[test]
    fn cleaning_twice_changes_nothing() {
        for input in [
            "a<\u{338}b",
            "e\u{ad}\u{301}.jpg",
            " .x. ",
            "CON.",
            "\u{212a}:x",
        ] {
            let once = path(input).unwrap_or_default();
            assert_eq!(path(&once).unwrap_or_default(), once);
        }
    }
}
