//! The file name in a `Content-Disposition` header (RFC 6266, RFC 8187). Broken
//! headers are read as far as they make sense; nothing here trusts the name.

use super::utf8_or_percent;
use percent_encoding::percent_decode;

/// Longer headers are not read.
const MAX_HEADER: usize = 16 * 1024;

/// The proposed name, not yet cleaned: `filename*` if it is sound, else `filename`.
pub(super) fn file_name(header: &[u8]) -> Option<String> {
    if header.len() > MAX_HEADER {
        return None;
    }
    let mut plain = None;
    let mut rest = skip_past(header, b';')?;
    loop {
        let (parameter, tail) = next_parameter(rest);
        if let Some((name, value)) = parameter {
            if name.eq_ignore_ascii_case(b"filename*") {
                if let Some(decoded) = extended(&value) {
                    return Some(decoded);
                }
            } else if name.eq_ignore_ascii_case(b"filename") && plain.is_none() {
                plain = Some(text(&value));
            }
        }
        match tail {
            Some(tail) => rest = tail,
            None => return plain.filter(|name| !name.is_empty()),
        }
    }
}

type Parameter<'a> = (&'a [u8], Vec<u8>);

/// One `name=value`, and what follows its semicolon.
fn next_parameter(input: &[u8]) -> (Option<Parameter<'_>>, Option<&[u8]>) {
    let end = input.iter().position(|b| matches!(b, b'=' | b';'));
    let Some(end) = end else { return (None, None) };
    if input[end] == b';' {
        return (None, Some(&input[end + 1..]));
    }
    let name = input[..end].trim_ascii();
    let after = input[end + 1..].trim_ascii_start();
    if after.first() == Some(&b'"') {
        let (value, tail) = quoted(&after[1..]);
        return (Some((name, value)), skip_past(tail, b';'));
    }
    let length = after.iter().position(|b| *b == b';').unwrap_or(after.len());
    let value = after[..length].trim_ascii().to_vec();
    (Some((name, value)), skip_past(&after[length..], b';'))
}

/// A quoted string after its opening quote (RFC 9110 section 5.6.4).
fn quoted(input: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut value = Vec::new();
    let mut at = 0;
    while let Some(byte) = input.get(at) {
        at += 1;
        match byte {
            b'"' => break,
            b'\\' => {
                value.extend(input.get(at));
                at += 1;
            }
            other => value.push(*other),
        }
    }
    (value, input.get(at..).unwrap_or_default())
}

fn skip_past(input: &[u8], wanted: u8) -> Option<&[u8]> {
    let at = input.iter().position(|b| *b == wanted)?;
    Some(&input[at + 1..])
}

/// `UTF-8'en'na%c3%afve` (RFC 8187 section 3.2).
fn extended(value: &[u8]) -> Option<String> {
    let mut parts = value.splitn(3, |b| *b == b'\'');
    let (charset, _language, encoded) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes: Vec<u8> = percent_decode(encoded).collect();
    let name = if charset.eq_ignore_ascii_case(b"utf-8") {
        utf8_or_percent(&bytes)
    } else if charset.eq_ignore_ascii_case(b"iso-8859-1") {
        latin_1(&bytes)
    } else {
        return None;
    };
    (!name.is_empty()).then_some(name)
}

/// Raw bytes of a header: UTF-8 where they are that, else ISO-8859-1, which is
/// what the field was defined in.
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => latin_1(bytes),
    }
}

fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, expected: Option<&str>) {
        assert_eq!(
            file_name(header.as_bytes()).as_deref(),
            expected,
            "{header}"
        );
    }

    #[test]
    fn tokens_and_quoted_strings_are_read() {
        check("attachment; filename=a.jpg", Some("a.jpg"));
        check(r#"inline;FileName = "a; b.jpg" ; x=y"#, Some("a; b.jpg"));
        check(r#"attachment; filename="a\"b\\c""#, Some(r#"a"b\c"#));
        check("attachment; size=3; filename=b", Some("b"));
    }

    #[test]
    fn the_extended_form_wins_wherever_it_stands() {
        check("a; filename=x; filename*=UTF-8''%e2%82%ac", Some("€"));
        check("a; filename*=utf-8'en'%e2%82%ac; filename=x", Some("€"));
        check("a; filename*=ISO-8859-1''%A3; filename=x", Some("£"));
        check("a; filename*=UTF-8''%ff.jpg", Some("%FF.jpg"));
    }

    #[test]
    fn a_broken_extended_form_leaves_the_plain_one() {
        check("a; filename*=nonsense; filename=x", Some("x"));
        check("a; filename*=KOI8-R''%e2; filename=x", Some("x"));
        check("a; filename*=UTF-8''; filename=x", Some("x"));
    }

    #[test]
    fn headers_without_a_name_give_none() {
        check("attachment", None);
        check("attachment;", None);
        check("attachment; filename=", None);
        check("attachment; filename", None);
        check("filename=a.jpg", None);
        check("attachment; filename=\"unclosed", Some("unclosed"));
        check("attachment; filename=\"x\\", Some("x"));
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_latin_1() {
        let name = file_name(b"a; filename=\"caf\xe9.jpg\"");
        assert_eq!(name.as_deref(), Some("café.jpg"));
    }
}
