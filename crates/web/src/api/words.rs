//! How the words of access are described.

use access::{Role, Scope};
use std::borrow::Cow;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// Stands for [`base::Name`] in the description.
pub(super) struct NameWord;

impl PartialSchema for NameWord {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "1 to 64 letters, digits, `.`, `-` and `_`; the first a letter or a digit.",
            ))
            .pattern(Some("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"))
            .into()
    }
}

impl ToSchema for NameWord {
    fn name() -> Cow<'static, str> {
        "Name".into()
    }
}

/// Stands for [`Role`] in the description.
pub(super) struct RoleWord;

impl PartialSchema for RoleWord {
    fn schema() -> RefOr<Schema> {
        let words = [Role::Viewer, Role::Operator, Role::Admin].map(Role::as_str);
        one_of(
            "What a user may do; each may what the one before may.",
            words,
        )
    }
}

impl ToSchema for RoleWord {
    fn name() -> Cow<'static, str> {
        "Role".into()
    }
}

/// Stands for [`Scope`] in the description.
pub(super) struct ScopeWord;

impl PartialSchema for ScopeWord {
    fn schema() -> RefOr<Schema> {
        one_of(
            "What a token may be used for.",
            Scope::ALL.map(Scope::as_str),
        )
    }
}

impl ToSchema for ScopeWord {
    fn name() -> Cow<'static, str> {
        "Scope".into()
    }
}

fn one_of<const N: usize>(meaning: &str, words: [&'static str; N]) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(meaning))
        .enum_values(Some(words))
        .into()
}
