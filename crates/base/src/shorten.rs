//! Foreign text within a message: one line, of bounded length.

const LONGEST: usize = 60;

/// The first line of `text`, at most 60 characters of it, control characters shown as such.
pub(crate) fn shorten(text: &str) -> String {
    let text = text.trim();
    let line = text.lines().next().unwrap_or_default();
    let mut short: String = line
        .chars()
        .take(LONGEST)
        .map(|c| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect();
    if line.len() < text.len() || line.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::shorten;

    #[test]
    fn foreign_text_stays_one_short_line() {
        assert_eq!(shorten(" plain "), "plain");
        assert_eq!(shorten("one\ntwo"), "one…");
        assert_eq!(shorten("a\u{1b}[31m"), "a\u{fffd}[31m");
        assert_eq!(shorten(&"é".repeat(61)), format!("{}…", "é".repeat(60)));
    }
}
