//! Which values of a caller's headers no log may show.
//!
//! Not all of them: a log in which every address is blacked out, because a `Referer`
//! holds the beginning of them all, tells nobody anything. What is harmless by its name
//! is left alone, and so is what is too short to be a secret, unless its name says that
//! it is one.

use crate::source::Source;
use access::Access;

/// Headers that hold no secrets. `accept` and what begins with it are among them.
const HARMLESS: &[&str] = &[
    "cache-control",
    "content-language",
    "content-type",
    "dnt",
    "from",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "origin",
    "pragma",
    "prefer",
    "priority",
    "range",
    "referer",
    "upgrade-insecure-requests",
    "user-agent",
    "x-requested-with",
];
/// What names of secrets have in them.
const TELLING: &[&str] = &["auth", "cookie", "key", "pass", "secret", "sign", "token"];
/// Shorter values would black out half of a log and hide nothing.
const SHORTEST: usize = 6;

/// The values that no log may show.
pub(super) fn secrets(sources: &[Source], access: &Access) -> Vec<String> {
    let headers = sources.iter().flat_map(|source| source.texts(access));
    let mut values: Vec<String> = headers
        .filter(|(name, value)| is_secret(name, value))
        .flat_map(|(name, value)| with_credentials(&name, value))
        .collect();
    values.sort_unstable();
    values.dedup();
    values
}

fn is_secret(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    if name.starts_with("accept") || HARMLESS.contains(&name.as_str()) {
        return false;
    }
    value.trim().len() >= SHORTEST || TELLING.iter().any(|word| name.contains(word))
}

/// A value, and what follows the scheme in it: `Bearer` is none, but what stands after
/// it may turn up alone.
fn with_credentials(name: &str, value: String) -> Vec<String> {
    let credentials = value
        .split_once(' ')
        .filter(|_| name.eq_ignore_ascii_case("authorization"))
        .map(|(_, credentials)| credentials.trim().to_owned());
    std::iter::once(value).chain(credentials).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_a_secret_is_one() {
        for (name, value, secret) in [
            ("Referer", "https://example.org/", false),
            ("Accept-Language", "de-CH, en;q=0.5", false),
            ("User-Agent", "Mozilla/5.0 (X11)", false),
            ("Content-Type", "application/json", false),
            ("X-User-Id", "1000", false),
            ("X-Team", "a-long-value", true),
            ("Authorization", "Bearer geheim", true),
            ("X-Api-Key", "1000", true),
            ("Cookie", "a=b", true),
        ] {
            assert_eq!(is_secret(name, value), secret, "{name}: {value}");
        }
    }

    #[test]
    fn what_follows_bearer_is_a_secret_by_itself() {
        let values = with_credentials("authorization", "Bearer geheim".to_owned());
        assert_eq!(values, ["Bearer geheim", "geheim"]);
        let values = with_credentials("x-key", "two words".to_owned());
        assert_eq!(values, ["two words"]);
    }
}
