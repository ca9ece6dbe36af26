//! From a declaration of settings to the structs that hold them and the table
//! that reads, shows, compares and documents them.

use super::load::PREFIX;
use super::settings::{ALL, Config};
use super::value::{Given, Unfit};
use crate::Name;

/// A part of the configuration, found in the whole.
pub(super) trait Part {
    fn of(config: &Config) -> &Self;
    fn of_mut(config: &mut Config) -> &mut Self;
}

/// The settings of one table of the file.
pub(super) struct Group {
    /// What their keys begin with: nothing, or `fetch.`.
    pub(super) prefix: &'static str,
    pub(super) doc: &'static str,
    pub(super) settings: &'static [Setting],
}

/// One setting: what it is called and means, and how it is handled. The
/// functions reach into a [`Config`], so that everything else is a loop over these.
pub struct Setting {
    /// Its name: `fetch.per_host`, or with a place for a kind, `operations.concurrency.<kind>`.
    pub key: &'static str,
    pub(super) doc: &'static str,
    pub(super) live: bool,
    pub(super) secret: bool,
    pub(super) example: &'static str,
    pub(super) expected: fn() -> String,
    pub(super) put: fn(&mut Config, Option<Name>, &Given<'_>) -> Result<(), Unfit>,
    pub(super) show: fn(&Config) -> Option<String>,
    pub(super) same: fn(&Config, &Config) -> bool,
    pub(super) adopt: fn(&mut Config, &Config),
}

/// The place in a key where the name of a kind stands.
pub(super) const KIND: &str = "<kind>";

impl Setting {
    /// Every setting, in the order in which they are documented.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        ALL.into_iter().flat_map(|group| group.settings)
    }

    /// The variable of the environment that sets it; `None` for settings by kind.
    #[must_use]
    pub fn variable(&self) -> Option<String> {
        let name = || self.key.to_ascii_uppercase().replace('.', "_");
        (!self.by_kind()).then(|| format!("{PREFIX}{}", name()))
    }

    /// Whether SIGHUP applies a change of it.
    #[must_use]
    pub const fn reloadable(&self) -> bool {
        self.live
    }

    /// Whether its value is never shown, nor taken from the command line.
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        self.secret
    }

    /// What it is for, in sentences for whoever runs Longshore.
    #[must_use]
    pub fn meaning(&self) -> String {
        sentences(self.doc)
    }

    /// A value to copy: the default, or where there is none, one of its type.
    #[must_use]
    pub fn example(&self) -> String {
        (self.show)(&Config::default())
            .filter(|default| default != "[]")
            .unwrap_or_else(|| self.example.to_owned())
    }

    pub(super) fn by_kind(&self) -> bool {
        self.key.contains(KIND)
    }
}

/// A documentation comment as one line.
pub(super) fn sentences(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}

macro_rules! settings {
    (
        $(#[doc = $part_doc:literal])+
        $part:ident at $prefix:literal {
            $(
                $(#[doc = $doc:literal])+
                $field:ident $(as $tail:literal)? : $type:ty = $default:expr
                    $(, within $range:expr)?; $reload:ident;
            )+
        }
        $(parts {
            $($(#[doc = $inner_doc:literal])+ $inner:ident: $inner_type:ty,)+
        })?
    ) => {
        $(#[doc = $part_doc])+
        #[derive(Clone, Debug, PartialEq)]
        pub struct $part {
            $($(#[doc = $doc])+ pub $field: $type,)+
            $($($(#[doc = $inner_doc])+ pub $inner: $inner_type,)+)?
        }

        impl Default for $part {
            fn default() -> Self {
                Self {
                    $($field: $default,)+
                    $($($inner: <$inner_type>::default(),)+)?
                }
            }
        }

        impl $part {
            pub(super) const GROUP: Group = Group {
                prefix: $prefix,
                doc: concat!($($part_doc, " "),+),
                settings: Self::SETTINGS,
            };

            const SETTINGS: &'static [Setting] = &[$(
                Setting {
                    key: $crate::config::declare::key!($prefix, $field $($tail)?),
                    doc: concat!($($doc, " "),+),
                    live: $crate::config::declare::live!($reload),
                    secret: <$crate::config::declare::Item<$type> as $crate::config::value::Value>::SECRET,
                    example: <$crate::config::declare::Item<$type> as $crate::config::value::Value>::EXAMPLE,
                    expected: || $crate::config::declare::expected::<$type>(
                        $crate::config::declare::range!($($range)?)
                    ),
                    put: |config, kind, given| {
                        let item = $crate::config::declare::read!($type, given $(, $range)?)?;
                        let slot = &mut <$part as Part>::of_mut(config).$field;
                        $crate::config::value::Slot::put(slot, kind, item);
                        Ok(())
                    },
                    show: |config| $crate::config::value::Slot::show(&<$part as Part>::of(config).$field),
                    same: |one, other| {
                        <$part as Part>::of(one).$field == <$part as Part>::of(other).$field
                    },
                    adopt: |config, new| {
                        <$part as Part>::of_mut(config).$field =
                            Clone::clone(&<$part as Part>::of(new).$field);
                    },
                }
            ),+];
        }
    };
}

macro_rules! key {
    ($prefix:literal, $field:ident) => {
        concat!($prefix, stringify!($field))
    };
    ($prefix:literal, $field:ident $tail:literal) => {
        concat!($prefix, $tail)
    };
}

macro_rules! live {
    (live) => {
        true
    };
    (restart) => {
        false
    };
}

macro_rules! range {
    () => {
        None
    };
    ($range:expr) => {
        Some($range)
    };
}

macro_rules! read {
    ($type:ty, $given:expr) => {
        <$crate::config::declare::Item<$type> as $crate::config::value::Value>::read($given)
    };
    ($type:ty, $given:expr, $range:expr) => {
        $crate::config::value::read_within::<$crate::config::declare::Item<$type>>($given, &$range)
    };
}

pub(super) use {key, live, range, read, settings};

pub(super) type Item<S> = <S as super::value::Slot>::Item;

/// What a setting must be, in words: "a whole number from 1 to 1024".
pub(super) fn expected<S: super::value::Slot>(
    range: Option<std::ops::RangeInclusive<Item<S>>>,
) -> String {
    use super::value::Value;
    let words = range.as_ref().map(super::value::range_in_words);
    format!("{}{}", Item::<S>::EXPECTED, words.unwrap_or_default())
}
