//! The name under which a browser saves (RFC 6266, RFC 8187).

use http::HeaderValue;
use std::fmt::Write;

/// `attachment` with the name in ASCII for old clients and in full for the rest.
#[must_use]
pub fn attachment(name: &str) -> HeaderValue {
    let plain: String = name.chars().map(plain).collect();
    let mut text = format!("attachment; filename=\"{plain}\"");
    if plain != name {
        text.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            if is_attr_char(byte) {
                text.push(char::from(byte));
            } else {
                // Writing to a String does not fail.
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("attachment"))
}

/// What old clients cannot misread: no quotes, no escapes, no folders.
fn plain(c: char) -> char {
    match c {
        '"' | '\\' | '/' | '%' => '_',
        ' '..='~' => c,
        _ => '_',
    }
}

/// RFC 8187 §3.2.1.
fn is_attr_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_told_in_full_and_to_old_clients_in_ascii() {
        for (name, expected) in [
            ("covers.zip", "attachment; filename=\"covers.zip\""),
            ("two words.zip", "attachment; filename=\"two words.zip\""),
            (
                "a\"b\\c.zip",
                "attachment; filename=\"a_b_c.zip\"; filename*=UTF-8''a%22b%5Cc.zip",
            ),
            (
                "é€.zip",
                "attachment; filename=\"__.zip\"; filename*=UTF-8''%C3%A9%E2%82%AC.zip",
            ),
            (
                "100%.zip",
                "attachment; filename=\"100_.zip\"; filename*=UTF-8''100%25.zip",
            ),
            (
                "a\r\nSet-Cookie: x",
                "attachment; filename=\"a__Set-Cookie: x\"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x",
            ),
            (
                "../etc/x",
                "attachment; filename=\".._etc_x\"; filename*=UTF-8''..%2Fetc%2Fx",
            ),
        ] {
            assert_eq!(attachment(name), expected, "{name:?}");
        }
    }
}
