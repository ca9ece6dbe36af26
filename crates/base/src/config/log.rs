//! What the program says of itself: how much, and in which form.

use std::fmt;
use std::str::FromStr;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// How much is logged: a level, and exceptions for parts (`info,sqlx=warn`), in
/// the words of `tracing_subscriber`'s `EnvFilter`.
#[derive(Clone, PartialEq, Eq)]
pub struct LogFilter(String);

/// A text that is no [`LogFilter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a level, nor part=level")]
pub struct InvalidLogFilter;

impl LogFilter {
    /// The filter, for `EnvFilter`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for LogFilter {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

impl FromStr for LogFilter {
    type Err = InvalidLogFilter;

    /// Every directive has to name a level: `inof` would otherwise silently be
    /// taken for the name of a part.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_level = |word: &str| LEVELS.contains(&word.to_ascii_lowercase().as_str());
        let fits = text.split(',').map(str::trim).all(|directive| {
            let level = directive
                .rsplit_once('=')
                .map_or(directive, |(_, level)| level);
            is_level(level.trim()) && !directive.starts_with('=')
        });
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidLogFilter)
        }
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The form of a line of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs: a JSON object a line.
    Json,
}

/// A text that is no [`LogFormat`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not text or json")]
pub struct InvalidLogFormat;

impl FromStr for LogFormat {
    type Err = InvalidLogFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(InvalidLogFormat),
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_names_levels() {
        for text in [
            "info",
            "WARN",
            "info,sqlx=warn",
            "off, longshore_fetch::guard=trace",
        ] {
            assert!(text.parse::<LogFilter>().is_ok(), "{text}");
        }
        for text in ["", "inof", "info,", "sqlx", "sqlx=", "=info", "sqlx=loud"] {
            assert!(text.parse::<LogFilter>().is_err(), "{text}");
        }
    }
}
