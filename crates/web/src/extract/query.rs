//! The query of an address.

use super::misfit;
use crate::Problem;
use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;

/// The query of an address, read into a struct; what does not fit is a 400 that
/// names the parameter. Numbers inside `#[serde(flatten)]` cannot be read this
/// way: [`crate::Paging`] is an extractor of its own for that reason.
#[derive(Clone, Copy, Debug, Default)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        read(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

pub(crate) fn read<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    let reader = serde_urlencoded::Deserializer::new(pairs);
    serde_path_to_error::deserialize(reader)
        .map_err(|error| misfit(error.path(), "query", error.inner().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Filter {
        kind: Option<String>,
        limit: Option<u8>,
    }

    #[test]
    fn a_query_is_read_and_a_refusal_names_its_parameter() {
        let filter = read::<Filter>("kind=a%20b&limit=5&other=1").expect("read");
        assert_eq!(
            (filter.kind.as_deref(), filter.limit),
            (Some("a b"), Some(5))
        );
        assert_eq!(read::<Filter>("").expect("empty").limit, None);
        for query in ["limit=many", "limit=256", "kind=a&limit=-1"] {
            let problem = read::<Filter>(query).expect_err(query);
            assert_eq!(problem.document(None).errors[0].field, "limit", "{query}");
        }
        assert!(read::<Filter>("limit=1&limit=2").is_err());
    }
}
