//! The server that takes mail, and in whose name it is sent.

use std::fmt;
use std::str::FromStr;
use url::{Host, Url};

/// The longest address that mail has, in bytes.
const LONGEST: usize = 254;

/// How what is said to a server of mail is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailEncryption {
    /// From the first byte.
    Whole,
    /// By STARTTLS, before anything else is said.
    Begun,
    /// Not at all.
    None,
}

/// The address of a server that takes mail: `smtps://…`, `smtp://…`, or
/// `smtp://…?tls=none`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailServer {
    host: String,
    port: u16,
    encryption: MailEncryption,
    is_here: bool,
    text: String,
}

/// A text that is no [`MailServer`]. It does not say which text: somebody may have written
/// a password into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an smtps or smtp address without a user name, a password and a path")]
pub struct InvalidMailServer;

impl MailServer {
    /// The name of its host, or its IP address.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// How what is said to it is encrypted.
    #[must_use]
    pub const fn encryption(&self) -> MailEncryption {
        self.encryption
    }

    /// Whether everybody on the way may read what is said to it.
    #[must_use]
    pub fn is_overheard(&self) -> bool {
        self.encryption == MailEncryption::None && !self.is_here
    }
}

impl FromStr for MailServer {
    type Err = InvalidMailServer;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_| InvalidMailServer)?;
        let (encryption, usual) = match (url.scheme(), url.query()) {
            ("smtps", None) => (MailEncryption::Whole, 465),
            ("smtp", None) => (MailEncryption::Begun, 587),
            ("smtp", Some("tls=none")) => (MailEncryption::None, 25),
            _ => return Err(InvalidMailServer),
        };
        let plain = matches!(url.path(), "" | "/")
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        // Of a scheme that is not of the web, every host is a text at first.
        let host = url.host_str().map(Host::parse);
        let Some(Ok(host)) = host.filter(|_| plain) else {
            return Err(InvalidMailServer);
        };
        let is_here = match &host {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        let host = match host {
            Host::Domain(name) => name,
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        Ok(Self {
            host,
            port: url.port().unwrap_or(usual),
            encryption,
            is_here,
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for MailServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// In whose name mail is sent: `longshore@example.org`, or
/// `Longshore <longshore@example.org>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailSender(String);

/// A text that is no [`MailSender`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the address of a mailbox, with or without a name before it")]
pub struct InvalidMailSender;

impl MailSender {
    /// As it is written in a message.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MailSender {
    type Err = InvalidMailSender;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, address) = match text.split_once('<') {
            None => ("", text),
            Some((name, rest)) => (name, rest.strip_suffix('>').ok_or(InvalidMailSender)?),
        };
        let odd = |c: char| c.is_control() || "<>()[]:;@\\,\"".contains(c);
        if is_mailbox(address) && !name.contains(odd) && name.len() <= LONGEST {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidMailSender)
        }
    }
}

/// Whether a text is an address of mail as they are in use: words and dots before the `@`,
/// the name of a host behind it.
fn is_mailbox(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let words = |text: &str, more: &str| {
        text.split('.').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || more.as_bytes().contains(&byte))
        })
    };
    text.len() <= LONGEST
        && local.len() <= 64
        && words(local, "!#$%&'*+-/=?^_`{|}~")
        && words(domain, "-")
}

impl fmt::Display for MailSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name by which somebody logs in at a server of mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailUser(String);

/// A text that is no [`MailUser`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not 1 to 254 characters without quotes, backslashes and what cannot be printed")]
pub struct InvalidMailUser;

impl MailUser {
    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MailUser {
    type Err = InvalidMailUser;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let odd = |c: char| c.is_control() || matches!(c, '"' | '\\');
        if text.contains(odd) || !(1..=LONGEST).contains(&text.len()) {
            return Err(InvalidMailUser);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for MailUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_says_how_it_is_encrypted_and_at_which_port() {
        for (text, host, port, encryption, is_overheard) in [
            (
                "smtps://mail.example.org",
                "mail.example.org",
                465,
                MailEncryption::Whole,
                false,
            ),
            (
                "smtp://mail.example.org",
                "mail.example.org",
                587,
                MailEncryption::Begun,
                false,
            ),
            (
                "smtp://127.0.0.1:2525?tls=none",
                "127.0.0.1",
                2525,
                MailEncryption::None,
                false,
            ),
            (
                "smtp://[::1]/?tls=none",
                "::1",
                25,
                MailEncryption::None,
                false,
            ),
            (
                "smtp://relay?tls=none",
                "relay",
                25,
                MailEncryption::None,
                true,
            ),
        ] {
            let server: MailServer = text.parse().expect(text);
            assert_eq!((server.host(), server.port()), (host, port), "{text}");
            assert_eq!(server.encryption(), encryption, "{text}");
            assert_eq!(server.is_overheard(), is_overheard, "{text}");
            assert_eq!(server.to_string(), text);
        }
        for text in [
            "",
            "mail.example.org",
            "https://mail.example.org",
            "smtp://",
            "smtp://u:hunter2@mail.example.org",
            "smtp://mail.example.org/inbox",
            "smtp://mail.example.org?tls=perhaps",
            "smtps://mail.example.org?tls=none",
        ] {
            assert_eq!(text.parse::<MailServer>(), Err(InvalidMailServer), "{text}");
        }
    }

    #[test]
    fn a_sender_is_a_mailbox_with_or_without_a_name() {
        for text in [
            "a@example.org",
            "Long Shore <a.b+c@example.org>",
            "<a@localhost>",
        ] {
            let sender: MailSender = text.parse().expect(text);
            assert_eq!(sender.as_str(), text);
        }
        for text in [
            "",
            "a",
            "a@",
            "@b",
            "a@b@c",
            "a b@c",
            "A <a@b",
            "A\r\nBcc: x <a@b>",
            "a..b@c",
        ] {
            assert_eq!(text.parse::<MailSender>(), Err(InvalidMailSender), "{text}");
        }
    }

    #[test]
    fn a_user_is_one_line() {
        assert!("anna@example.org".parse::<MailUser>().is_ok());
        for text in ["", "a\nb", "a\"b"] {
            assert_eq!(text.parse::<MailUser>(), Err(InvalidMailUser), "{text}");
        }
    }
}
