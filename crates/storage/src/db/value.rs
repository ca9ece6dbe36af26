//! What goes into a statement: its text and its values.

use crate::db::Dialect;
use base::Timestamp;
use std::borrow::Cow;
use uuid::Uuid;

/// The text of a statement: a constant, or one put together from constants.
///
/// Never put a value into it: values are `$1`, `$2` and so on.
#[derive(Clone, Debug)]
pub struct Sql(Cow<'static, str>);

impl Sql {
    pub(crate) fn render(&self, dialect: Dialect) -> String {
        dialect.render(&self.0).into_owned()
    }
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Sql {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

/// A value for a statement. An absent one keeps its type, which Postgres asks for.
#[derive(Clone, Debug)]
pub enum Value {
    /// TEXT
    Text(Option<String>),
    /// BIGINT
    Int(Option<i64>),
    /// BOOLEAN
    Bool(Option<bool>),
    /// BLOB or BYTEA
    Bytes(Option<Vec<u8>>),
    /// UUID
    Uuid(Option<Uuid>),
}

macro_rules! from {
    ($($type:ty => |$value:ident| $make:expr;)*) => {
        $(
            impl From<$type> for Value {
                fn from($value: $type) -> Self {
                    $make
                }
            }
        )*
    };
}

from! {
    String => |value| Self::Text(Some(value));
    &str => |value| Self::Text(Some(value.to_owned()));
    &String => |value| Self::Text(Some(value.clone()));
    Option<String> => |value| Self::Text(value);
    Option<&str> => |value| Self::Text(value.map(str::to_owned));
    i64 => |value| Self::Int(Some(value));
    i32 => |value| Self::Int(Some(i64::from(value)));
    u32 => |value| Self::Int(Some(i64::from(value)));
    u64 => |value| Self::Int(Some(i64::try_from(value).unwrap_or(i64::MAX)));
    usize => |value| Self::Int(Some(i64::try_from(value).unwrap_or(i64::MAX)));
    Option<i64> => |value| Self::Int(value);
    Option<u64> => |value| Self::Int(value.map(|value| i64::try_from(value).unwrap_or(i64::MAX)));
    bool => |value| Self::Bool(Some(value));
    Vec<u8> => |value| Self::Bytes(Some(value));
    &[u8] => |value| Self::Bytes(Some(value.to_vec()));
    Option<Vec<u8>> => |value| Self::Bytes(value);
    Uuid => |value| Self::Uuid(Some(value));
    Option<Uuid> => |value| Self::Uuid(value);
    Timestamp => |value| Self::Int(Some(value.micros()));
    Option<Timestamp> => |value| Self::Int(value.map(Timestamp::micros));
}

/// The values of a statement, in order: `values![id, "queued", now]`.
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        vec![$($crate::Value::from($value)),*]
    };
}
