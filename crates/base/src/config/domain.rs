//! The name of a host.

use std::fmt;
use std::str::FromStr;

/// The name of a host or of all below it: `s3.example.org`, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain(String);

/// A text that is no [`Domain`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a host, without scheme, port and path")]
pub struct InvalidDomain;

impl Domain {
    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Domain {
    type Err = InvalidDomain;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim_end_matches('.').to_ascii_lowercase();
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if name.len() <= 253 && name.split('.').all(label) {
            Ok(Self(name))
        } else {
            Err(InvalidDomain)
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_has_no_scheme_port_or_path() {
        let domain: Domain = "S3.Example.org.".parse().expect("a domain");
        assert_eq!(domain.as_str(), "s3.example.org");
        for text in ["", ".", "a..b", "http://a", "a:80", "a/b", "a b"] {
            assert_eq!(text.parse::<Domain>(), Err(InvalidDomain), "{text}");
        }
    }
}
