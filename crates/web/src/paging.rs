//! Lists a page at a time: `?limit=…&cursor=…`, and `{items, next}` back.
//!
//! A cursor is the sort key of the last item, opaque to clients: a page is found by
//! key and never by offset. It is not signed, so it must never say more than where
//! to go on; what the caller may see is decided by the query that uses it.

use crate::Problem;
use crate::extract::read_query;
use axum::extract::FromRequestParts;
use data_encoding::BASE64URL_NOPAD;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::{KnownFormat, ObjectBuilder, Required, SchemaFormat, Type};
use utoipa::{IntoParams, ToSchema};

const MOST: u16 = 200;
const USUAL: u16 = 50;
/// The version of the cursors' form, as their first character.
const VERSION: char = '1';
/// The longest cursor, in characters.
const LONGEST: usize = 1024;

/// A page of a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items. There may be fewer than asked for although more follow.
    pub items: Vec<T>,
    /// What to pass as `cursor` for the next page; `null` at the end.
    #[schema(required)]
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// All that there is, for lists that are short by their nature.
    #[must_use]
    pub const fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }

    /// A page, and the key after which the next one begins.
    pub fn new<K: Serialize>(items: Vec<T>, next: Option<&K>) -> Self {
        Self {
            items,
            next: next.and_then(encode),
        }
    }

    /// A page of what was found when one more was asked for than fits: `found` has
    /// up to `limit + 1` items, and `key` is the sort key of one.
    pub fn of_found<K: Serialize>(
        mut found: Vec<T>,
        limit: usize,
        key: impl FnOnce(&T) -> K,
    ) -> Self {
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(key);
        Self::new(found, next.as_ref())
    }

    /// The same page of something else.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(each).collect(),
            next: self.next,
        }
    }
}

/// What part of a list is asked for. An extractor: `limit` is 1 to 200 and 50
/// unless given; anything else is a 400 that names the parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paging {
    limit: u16,
    cursor: Option<String>,
}

impl Paging {
    /// How many items at most.
    #[must_use]
    pub const fn limit(&self) -> u16 {
        self.limit
    }

    /// The cursor as it was given, for a list that has cursors of its own.
    #[must_use]
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// The key after which the page begins; `None` for the first page.
    ///
    /// # Errors
    /// 400 with the field `cursor` for one that is not of this list.
    pub fn after<K: DeserializeOwned>(&self) -> Result<Option<K>, Problem> {
        let Some(cursor) = &self.cursor else {
            return Ok(None);
        };
        let key = decode(cursor).ok_or_else(|| {
            Problem::invalid(
                "cursor",
                "invalid",
                "this is not a `next` of this list; begin again without it",
            )
        })?;
        Ok(Some(key))
    }
}

#[derive(Deserialize)]
struct Given {
    limit: Option<u16>,
    cursor: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let given: Given = read_query(parts.uri.query().unwrap_or_default())?;
        let limit = given.limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            let message = format!("from 1 to {MOST}");
            return Err(Problem::invalid("limit", "out-of-range", message));
        }
        Ok(Self {
            limit,
            cursor: given.cursor.filter(|cursor| !cursor.is_empty()),
        })
    }
}

impl IntoParams for Paging {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let limit = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
            .minimum(Some(1))
            .maximum(Some(MOST))
            .default(Some(USUAL.into()));
        let cursor = ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(LONGEST));
        [
            ("limit", limit, "How many items at most."),
            ("cursor", cursor, "The `next` of the page before."),
        ]
        .into_iter()
        .map(|(name, schema, meaning)| {
            let mut parameter = Parameter::new(name);
            parameter.parameter_in = ParameterIn::Query;
            parameter.required = Required::False;
            parameter.description = Some(meaning.to_owned());
            parameter.schema = Some(schema.into());
            parameter
        })
        .collect()
    }
}

/// Keys are numbers, texts and tuples of these, which always can be written.
pub(crate) fn encode<K: Serialize>(key: &K) -> Option<String> {
    let json = serde_json::to_vec(key).ok()?;
    Some(format!("{VERSION}{}", BASE64URL_NOPAD.encode(&json)))
}

pub(crate) fn decode<K: DeserializeOwned>(cursor: &str) -> Option<K> {
    if cursor.len() > LONGEST {
        return None;
    }
    let json = BASE64URL_NOPAD
        .decode(cursor.strip_prefix(VERSION)?.as_bytes())
        .ok()?;
    // As in bodies: no text of ours holds NUL, and the database cannot compare with one.
    let text = String::from_utf8(json).ok()?;
    if text.contains(r"\u0000") {
        return None;
    }
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Timestamp;

    async fn paging(query: &str) -> Result<Paging, Problem> {
        let request = http::Request::get(format!("/?{query}"))
            .body(())
            .expect("a request");
        let (mut parts, ()) = request.into_parts();
        Paging::from_request_parts(&mut parts, &()).await
    }

    #[tokio::test]
    async fn a_page_leads_to_the_next_by_its_last_key() {
        let key = |item: &i64| (Timestamp::from_micros(*item), "id-7".to_owned());
        let page = Page::of_found(vec![1, 2, 3], 2, key);
        assert_eq!(page.items, [1, 2]);
        let next = page.next.expect("more follow");
        let paging = paging(&format!("cursor={next}&limit=2&kind=x"))
            .await
            .expect("read");
        assert_eq!(paging.limit(), 2);
        assert_eq!(paging.after().expect("a key"), Some(key(&2)));
        assert_eq!(Page::of_found(vec![1, 2], 2, key).next, None);
        assert_eq!(Page::of_found(Vec::new(), 2, key).next, None);
    }

    #[tokio::test]
    async fn what_is_no_page_is_refused_by_its_parameter() {
        assert_eq!(paging("").await.expect("the first page").limit(), 50);
        assert_eq!(
            paging("cursor=")
                .await
                .expect("the first page")
                .after::<u8>()
                .ok(),
            Some(None)
        );
        for limit in ["0", "201", "-1", "x", "65536", ""] {
            let problem = paging(&format!("limit={limit}")).await.expect_err(limit);
            assert_eq!(problem.document(None).errors[0].field, "limit");
        }
        let nul = encode(&"a\0b").expect("written");
        let number = encode(&7).expect("written");
        let long = encode(&"x".repeat(5000)).expect("written");
        for cursor in ["1", "1!!", "2IjEi", "0", "IjEi", &nul, &number, &long] {
            let paging = paging(&format!("cursor={cursor}")).await.expect("read");
            let problem = paging.after::<String>().expect_err(cursor);
            assert_eq!(problem.status(), 400);
            assert_eq!(problem.document(None).errors[0].field, "cursor");
        }
    }
}
