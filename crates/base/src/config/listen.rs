//! Where a surface with a port of its own listens, if it does.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

const OFF: &str = "off";

/// An IP address and a port, or nowhere at all: `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen(Option<SocketAddr>);

/// A text that is no [`Listen`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither an IP address and a port nor off")]
pub struct InvalidListen;

impl Listen {
    /// Nowhere.
    pub const OFF: Self = Self(None);

    /// There.
    #[must_use]
    pub const fn at(address: SocketAddr) -> Self {
        Self(Some(address))
    }

    /// Where; nothing when it is off.
    #[must_use]
    pub const fn address(self) -> Option<SocketAddr> {
        self.0
    }
}

impl FromStr for Listen {
    type Err = InvalidListen;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == OFF {
            return Ok(Self::OFF);
        }
        text.parse().map(Self::at).map_err(|_| InvalidListen)
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => address.fmt(f),
            None => f.write_str(OFF),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_surface_listens_somewhere_or_is_off() {
        assert_eq!("off".parse(), Ok(Listen::OFF));
        let somewhere: Listen = "[::1]:8012".parse().expect("an address");
        assert_eq!(somewhere.to_string(), "[::1]:8012");
        assert_eq!(
            somewhere.address().map(|address| address.port()),
            Some(8012)
        );
        for text in ["", "8012", "localhost:8012", "OFF"] {
            assert_eq!(text.parse::<Listen>(), Err(InvalidListen), "{text}");
        }
    }
}
