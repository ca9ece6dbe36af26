//! The ways in which one secret may be written.

use super::SHORTEST;
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, Encoding};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_encode};
use std::fmt::Write;

/// Shorter lines of a secret are too common to be looked for. In bytes.
const SHORTEST_LINE: usize = 8;
/// Fewer characters of Base64 would turn up by chance.
const SHORTEST_BASE64: usize = 6;

/// Of longer secrets, only the likelier forms are looked for: each form of each takes
/// memory. In bytes.
const LONG: usize = 4096;

/// What RFC 3986, section 2.3, calls unreserved stays.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// As ECMAScript's encodeURIComponent does it.
const COMPONENT: &AsciiSet = &UNRESERVED
    .remove(b'!')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*');
/// As forms do it (WHATWG URL, application/x-www-form-urlencoded); a space is `+`.
const FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'*')
    .remove(b' ');
/// The sets of the WHATWG URL standard for a query, a path and a userinfo.
const QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'\'');
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'}');
const USERINFO: &AsciiSet = &PATH
    .add(b'/')
    .add(b':')
    .add(b';')
    .add(b'=')
    .add(b'@')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'|');

/// Every form, perhaps some of them twice. Never an empty one.
pub(super) fn of(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    let trimmed = secret.trim_ascii();
    encoded(secret, &mut forms);
    if trimmed.len() < secret.len() {
        encoded(trimmed, &mut forms);
    }
    if trimmed.contains(&b'\n') || trimmed.contains(&b'\r') {
        let lines = trimmed.split(|byte| matches!(byte, b'\n' | b'\r'));
        forms.extend(
            lines
                .map(<[u8]>::trim_ascii)
                .filter(|line| line.len() >= SHORTEST_LINE && !is_armor(line))
                .map(<[u8]>::to_vec),
        );
    }
    forms
}

/// `-----BEGIN PRIVATE KEY-----` and its like, which are in many texts and no secret.
fn is_armor(line: &[u8]) -> bool {
    line.strip_prefix(b"-----")
        .and_then(|rest| rest.strip_suffix(b"-----"))
        .is_some_and(|label| label.starts_with(b"BEGIN ") || label.starts_with(b"END "))
}

fn encoded(secret: &[u8], forms: &mut Vec<Vec<u8>>) {
    if secret.len() < SHORTEST {
        return;
    }
    forms.push(secret.to_vec());
    if secret.len() > LONG {
        forms.push(BASE64_NOPAD.encode(secret).into_bytes());
        let json = std::str::from_utf8(secret).map(|text| escape(text, Json::default()));
        forms.extend(json.map(String::into_bytes));
        return;
    }
    base64(secret, forms);
    for set in [
        NON_ALPHANUMERIC,
        UNRESERVED,
        COMPONENT,
        QUERY,
        PATH,
        USERINFO,
    ] {
        percent(percent_encode(secret, set).to_string(), forms);
    }
    percent(
        percent_encode(secret, FORM).to_string().replace(' ', "+"),
        forms,
    );
    if let Ok(text) = std::str::from_utf8(secret) {
        forms.extend(json(text).map(String::into_bytes));
        // Within single quotes of a shell, as `set -x` shows it.
        forms.push(text.replace('\'', r"'\''").into_bytes());
    }
}

/// With hexadecimal digits in upper and in lower case.
fn percent(upper: String, forms: &mut Vec<Vec<u8>>) {
    let mut lower = upper.clone().into_bytes();
    let mut index = 0;
    while index < lower.len() {
        if lower.get(index) == Some(&b'%') {
            if let Some(digits) = lower.get_mut(index + 1..index + 3) {
                digits.make_ascii_lowercase();
            }
            index += 2;
        }
        index += 1;
    }
    forms.push(lower);
    forms.push(upper.into_bytes());
}

/// Encoded by itself, and encoded within something longer: there, three bytes make
/// four characters, so the secret may begin at the first, second or third of a
/// group. Characters that also hold bits of a neighbour are left out.
fn base64(secret: &[u8], forms: &mut Vec<Vec<u8>>) {
    for encoding in [BASE64_NOPAD, BASE64URL_NOPAD] {
        let alone = encoding.encode(secret);
        let padding = (4 - alone.len() % 4) % 4;
        forms.push(format!("{alone}{}", "=".repeat(padding)).into_bytes());
        forms.push(alone.into_bytes());
        forms.extend((0..3).filter_map(|offset| within(&encoding, secret, offset)));
    }
}

fn within(encoding: &Encoding, secret: &[u8], offset: usize) -> Option<Vec<u8>> {
    let mut shifted = vec![0; offset];
    shifted.extend_from_slice(secret);
    let whole_bits = shifted.len() * 8;
    let first = (offset * 8).div_ceil(6);
    let last = whole_bits / 6;
    let text = encoding.encode(&shifted);
    let core = text.as_bytes().get(first..last)?;
    (core.len() >= SHORTEST_BASE64).then(|| core.to_vec())
}

/// What is escaped within a JSON string besides what has to be.
#[derive(Clone, Copy, Default)]
struct Json {
    /// `/`, too.
    slash: bool,
    /// Everything but ASCII, too.
    ascii: bool,
    /// What means something in HTML, too, as Go and PHP do it.
    html: bool,
    /// With hexadecimal digits in upper case.
    upper: bool,
}

/// Within a JSON string (RFC 8259, section 7), as libraries do it.
fn json(text: &str) -> impl Iterator<Item = String> {
    (0..16_u8).map(move |bits| {
        let bit = |at: u8| bits >> at & 1 == 1;
        let kind = Json {
            slash: bit(0),
            ascii: bit(1),
            html: bit(2),
            upper: bit(3),
        };
        escape(text, kind)
    })
}

fn escape(text: &str, kind: Json) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '/' if kind.slash => out.push_str("\\/"),
            '<' | '>' | '&' if kind.html => push_unicode(&mut out, c, kind.upper),
            c if c < ' ' => push_unicode(&mut out, c, kind.upper),
            c if kind.ascii && !c.is_ascii() => push_unicode(&mut out, c, kind.upper),
            c => out.push(c),
        }
    }
    out
}

fn push_unicode(out: &mut String, c: char, upper: bool) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing to a string cannot fail.
        let _ = if upper {
            write!(out, "\\u{unit:04X}")
        } else {
            write!(out, "\\u{unit:04x}")
        };
    }
}
