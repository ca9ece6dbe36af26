//! How a single setting is read: from TOML (file), or from text (environment
//! and flags), into its type; and how it is written back for people.
//!
//! It never decides where a value comes from; `load` does.

use super::{
    CacheUrl, ConfiguredSecret, DatabaseUrl, Domain, EndpointUrl, Listen, LogFilter, LogFormat,
    MailSender, MailServer, MailUser, PublicUrl,
};
use crate::{Name, Size, Span};
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;
use toml::Spanned;
use toml::de::DeValue;

/// A value as it was given.
pub(super) enum Given<'a> {
    /// From the environment or a flag.
    Text(&'a str),
    /// From the file.
    Toml(&'a Spanned<DeValue<'a>>),
}

/// Why a given value does not do. The loader adds where, what and what is expected.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Unfit {
    /// The element at fault, where it is one of a list: its text …
    pub(super) element: Option<String>,
    /// … and its place in the file.
    pub(super) place: Option<Range<usize>>,
}

/// One value, complete in itself.
pub(super) trait Value: Clone + PartialEq + Sized {
    /// What it has to be, following "must be".
    const EXPECTED: &'static str;
    /// A value for the reader to copy, as TOML.
    const EXAMPLE: &'static str;
    /// Whether it may never be shown.
    const SECRET: bool = false;

    fn from_text(text: &str) -> Option<Self>;

    fn from_toml(value: &DeValue<'_>) -> Option<Self> {
        value.as_str().and_then(Self::from_text)
    }

    fn read(given: &Given<'_>) -> Result<Self, Unfit> {
        match given {
            Given::Text(text) => Self::from_text(text),
            Given::Toml(value) => Self::from_toml(value.get_ref()),
        }
        .ok_or_else(Unfit::default)
    }

    /// As TOML; `None` where nothing is set.
    fn show(&self) -> Option<String>;
}

/// The place of a setting in the configuration: one value, or one for each kind.
pub(super) trait Slot: Clone + PartialEq {
    type Item: Value;

    fn put(&mut self, kind: Option<Name>, item: Self::Item);
    fn show(&self) -> Option<String>;
}

impl<T: Value> Slot for T {
    type Item = T;

    fn put(&mut self, _kind: Option<Name>, item: T) {
        *self = item;
    }

    fn show(&self) -> Option<String> {
        Value::show(self)
    }
}

/// A setting that is given for kinds of operation, one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PerKind<T>(BTreeMap<Name, T>);

impl<T: Copy> PerKind<T> {
    /// What was set for this kind, if anything.
    #[must_use]
    pub fn get(&self, kind: &str) -> Option<T> {
        self.0.get(kind).copied()
    }

    /// The names of the kinds for which something was set.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.0.keys().map(Name::as_str).collect()
    }

    /// The kinds for which something was set.
    pub fn kinds(&self) -> impl Iterator<Item = &Name> {
        self.0.keys()
    }
}

impl<T: Value> Slot for PerKind<T> {
    type Item = T;

    fn put(&mut self, kind: Option<Name>, item: T) {
        if let Some(kind) = kind {
            self.0.insert(kind, item);
        }
    }

    fn show(&self) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let pairs = self
            .0
            .iter()
            .map(|(kind, value)| format!("{kind:?} = {}", Value::show(value).unwrap_or_default()));
        Some(format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", ")))
    }
}

/// Reads a value and holds it against its range.
pub(super) fn read_within<T: Value + PartialOrd>(
    given: &Given<'_>,
    range: &RangeInclusive<T>,
) -> Result<T, Unfit> {
    let value = T::read(given)?;
    if range.contains(&value) {
        Ok(value)
    } else {
        Err(Unfit::default())
    }
}

/// A range in words: " from 1 to 1024".
pub(super) fn range_in_words<T: Value>(range: &RangeInclusive<T>) -> String {
    let end = |value: &T| Value::show(value).unwrap_or_default().replace('"', "");
    format!(" from {} to {}", end(range.start()), end(range.end()))
}

macro_rules! whole_number {
    ($($type:ty),+) => {$(
        impl Value for $type {
            const EXPECTED: &'static str = "a whole number";
            const EXAMPLE: &'static str = "8";

            fn from_text(text: &str) -> Option<Self> {
                text.trim().parse().ok()
            }

            fn from_toml(value: &DeValue<'_>) -> Option<Self> {
                let number = value.as_integer()?;
                Self::from_str_radix(number.as_str(), number.radix()).ok()
            }

            fn show(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    )+};
}

whole_number!(u16, u32, u64, usize);

impl Value for bool {
    const EXPECTED: &'static str = "true or false";
    const EXAMPLE: &'static str = "true";

    fn from_text(text: &str) -> Option<Self> {
        match text.trim() {
            "true" | "1" | "yes" | "on" => Some(true),
            "false" | "0" | "no" | "off" => Some(false),
            _ => None,
        }
    }

    fn from_toml(value: &DeValue<'_>) -> Option<Self> {
        value.as_bool()
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

macro_rules! from_str_value {
    ($($type:ty, $expected:literal, $example:literal;)+) => {$(
        impl Value for $type {
            const EXPECTED: &'static str = $expected;
            const EXAMPLE: &'static str = $example;

            fn from_text(text: &str) -> Option<Self> {
                text.trim().parse().ok()
            }

            fn show(&self) -> Option<String> {
                Some(format!("\"{self}\""))
            }
        }
    )+};
}

from_str_value! {
    SocketAddr, "an IP address and a port", r#""127.0.0.1:8011""#;
    Listen, "an IP address and a port, or off", r#""127.0.0.1:8012""#;
    Domain, "the name of a host", r#""s3.example.org""#;
    Span, "a length of time", r#""30d""#;
    LogFilter, "a level (error, warn, info, debug, trace, off), with exceptions after commas", r#""info,sqlx=warn""#;
    LogFormat, "text or json", r#""json""#;
    PublicUrl, "an http or https address without a path", r#""https://longshore.example.org""#;
    EndpointUrl, "an http or https address", r#""https://auth.example.org/may""#;
    MailSender, "the address of a mailbox, with or without a name", r#""Longshore <longshore@example.org>""#;
    MailUser, "the name of a user", r#""longshore@example.org""#;
}

impl Value for Size {
    const EXPECTED: &'static str = "a size";
    const EXAMPLE: &'static str = r#""32MiB""#;

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn from_toml(value: &DeValue<'_>) -> Option<Self> {
        match value {
            DeValue::Integer(_) => u64::from_toml(value).map(Self::new),
            _ => value.as_str().and_then(Self::from_text),
        }
    }

    fn show(&self) -> Option<String> {
        Some(format!("\"{self}\""))
    }
}

impl Value for DatabaseUrl {
    const EXPECTED: &'static str = "the address of a PostgreSQL database";
    const EXAMPLE: &'static str = r#""postgres://longshore:PASSWORD@localhost/longshore""#;
    const SECRET: bool = true;

    fn from_text(text: &str) -> Option<Self> {
        text.trim().parse().ok()
    }

    fn show(&self) -> Option<String> {
        Some(format!("\"{self}\""))
    }
}

impl Value for CacheUrl {
    const EXPECTED: &'static str = "the address of a Redis or Valkey server";
    const EXAMPLE: &'static str = r#""redis://:PASSWORD@localhost:6379""#;
    const SECRET: bool = true;

    fn from_text(text: &str) -> Option<Self> {
        text.trim().parse().ok()
    }

    fn show(&self) -> Option<String> {
        Some(format!("\"{self}\""))
    }
}

impl Value for ConfiguredSecret {
    const EXPECTED: &'static str = "a secret of printable characters without spaces";
    const EXAMPLE: &'static str = r#""SECRET""#;
    const SECRET: bool = true;

    fn from_text(text: &str) -> Option<Self> {
        text.trim().parse().ok()
    }

    fn show(&self) -> Option<String> {
        Some(format!("\"{self}\""))
    }
}

impl Value for MailServer {
    const EXPECTED: &'static str = "an smtps or smtp address without a user, a password and a path";
    const EXAMPLE: &'static str = r#""smtps://mail.example.org""#;
    // A right one holds no password; a wrong one may.
    const SECRET: bool = true;

    fn from_text(text: &str) -> Option<Self> {
        text.trim().parse().ok()
    }

    fn show(&self) -> Option<String> {
        Some(format!("\"{self}\""))
    }
}

impl Value for PathBuf {
    const EXPECTED: &'static str = "the path of a directory";
    const EXAMPLE: &'static str = r#""/var/lib/longshore""#;

    fn from_text(text: &str) -> Option<Self> {
        (!text.is_empty() && !text.contains('\0')).then(|| Self::from(text))
    }

    fn show(&self) -> Option<String> {
        Some(format!("{:?}", self.display().to_string()))
    }
}

impl<T: Value> Value for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    const EXAMPLE: &'static str = T::EXAMPLE;
    const SECRET: bool = T::SECRET;

    fn from_text(text: &str) -> Option<Self> {
        T::from_text(text).map(Some)
    }

    fn from_toml(value: &DeValue<'_>) -> Option<Self> {
        T::from_toml(value).map(Some)
    }

    fn show(&self) -> Option<String> {
        self.as_ref().and_then(Value::show)
    }
}

/// A member of a list.
trait Element: Clone + PartialEq {
    const EXPECTED: &'static str;
    const EXAMPLE: &'static str;
    fn element(value: &DeValue<'_>) -> Option<Self>;
    fn element_text(text: &str) -> Option<Self>;
    fn show_element(&self) -> String;
}

impl Element for IpNet {
    const EXPECTED: &'static str = "a list of networks or addresses";
    const EXAMPLE: &'static str = r#"["10.0.0.0/8", "::1"]"#;

    fn element(value: &DeValue<'_>) -> Option<Self> {
        value.as_str().and_then(Self::element_text)
    }

    fn element_text(text: &str) -> Option<Self> {
        let net = text.parse().ok();
        let host = || text.parse::<IpAddr>().ok().map(Self::from);
        net.or_else(host).map(|net: Self| net.trunc())
    }

    fn show_element(&self) -> String {
        format!("\"{self}\"")
    }
}

impl Element for u16 {
    const EXPECTED: &'static str = "a list of ports";
    const EXAMPLE: &'static str = "[8080, 8443]";

    fn element(value: &DeValue<'_>) -> Option<Self> {
        <Self as Value>::from_toml(value).filter(|port| *port != 0)
    }

    fn element_text(text: &str) -> Option<Self> {
        text.parse().ok().filter(|port| *port != 0)
    }

    fn show_element(&self) -> String {
        self.to_string()
    }
}

/// In text, the members of a list stand between commas.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|piece| !piece.is_empty())
}

impl<T: Element> Value for Vec<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    const EXAMPLE: &'static str = T::EXAMPLE;

    fn from_text(text: &str) -> Option<Self> {
        pieces(text).map(T::element_text).collect()
    }

    fn from_toml(value: &DeValue<'_>) -> Option<Self> {
        let array = value.as_array()?;
        array
            .iter()
            .map(|item| T::element(item.get_ref()))
            .collect()
    }

    fn read(given: &Given<'_>) -> Result<Self, Unfit> {
        match given {
            Given::Text(text) => pieces(text)
                .map(|piece| {
                    T::element_text(piece).ok_or_else(|| Unfit {
                        element: Some(format!("`{}`", crate::shorten(piece))),
                        place: None,
                    })
                })
                .collect(),
            Given::Toml(value) => value
                .get_ref()
                .as_array()
                .ok_or_else(Unfit::default)?
                .iter()
                .map(|item| {
                    T::element(item.get_ref()).ok_or_else(|| Unfit {
                        element: Some(String::new()),
                        place: Some(item.span()),
                    })
                })
                .collect(),
        }
    }

    fn show(&self) -> Option<String> {
        let members = self.iter().map(Element::show_element).collect::<Vec<_>>();
        Some(format!("[{}]", members.join(", ")))
    }
}
