//! JSON in and out.

use super::{body, misfit};
use crate::Problem;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// From this size on, a body is parsed on a blocking thread.
const LARGE: usize = 512 * 1024;

/// A JSON body, read or to be written. Refusals: 400 with the field or the place
/// in the text, 413, 415.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + Send + 'static, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::unsupported_media_type());
        }
        let bytes = body::whole(request.into_body()).await?;
        if bytes.len() < LARGE {
            return parse(&bytes).map(Self);
        }
        match tokio::task::spawn_blocking(move || parse(&bytes)).await {
            Ok(parsed) => parsed.map(Self),
            Err(error) => Err(Problem::internal(&error)),
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(media) = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
    else {
        return false;
    };
    let media = media.split(';').next().unwrap_or_default().trim();
    let Some((kind, name)) = media.split_once('/') else {
        return false;
    };
    let name = name.to_ascii_lowercase();
    kind.eq_ignore_ascii_case("application") && (name == "json" || name.ends_with("+json"))
}

fn parse<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, Problem> {
    refuse_nul(bytes)?;
    let reader = &mut serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut *reader).map_err(|error| {
        let place = place(error.inner());
        misfit(error.path(), &place, without_place(error.inner()))
    })?;
    reader
        .end()
        .map_err(|error| Problem::invalid(place(&error), "invalid", without_place(&error)))?;
    Ok(value)
}

/// No text of ours holds the NUL character, and Postgres cannot store it: refused
/// here, once, instead of at every column.
fn refuse_nul(bytes: &Bytes) -> Result<(), Problem> {
    const ESCAPED: &[u8] = br"\u0000";
    if !bytes.windows(ESCAPED.len()).any(|window| window == ESCAPED) {
        return Ok(());
    }
    // Escaped or a backslash and text: only a parser knows.
    match serde_json::from_slice::<serde_json::Value>(bytes) {
        Ok(value) if holds_nul(&value) => Err(Problem::invalid_request(
            "A text in the body holds the NUL character; leave it out.",
        )),
        _ => Ok(()),
    }
}

fn holds_nul(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => text.contains('\0'),
        serde_json::Value::Array(items) => items.iter().any(holds_nul),
        serde_json::Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.contains('\0') || holds_nul(value)),
        _ => false,
    }
}

fn place(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => (
                [(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
                bytes,
            )
                .into_response(),
            Err(error) => Problem::internal(&error).into_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "read through Debug")]
    struct Given {
        name: String,
        sources: Vec<Source>,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "read through Debug")]
    struct Source {
        url: String,
        size: Option<u32>,
    }

    async fn read(media: Option<&str>, text: &str) -> Result<Given, Problem> {
        let mut request = http::Request::post("/");
        if let Some(media) = media {
            request = request.header(CONTENT_TYPE, media);
        }
        let request = request
            .body(Body::from(text.to_owned()))
            .expect("a request");
        Json::<Given>::from_request(request, &())
            .await
            .map(|json| json.0)
    }

    async fn refusal(media: Option<&str>, text: &str) -> (u16, String) {
        let problem = read(media, text).await.expect_err("refused");
        let field = problem
            .document(None)
            .errors
            .first()
            .map(|error| error.field.clone());
        (problem.status().as_u16(), field.unwrap_or_default())
    }

    #[tokio::test]
    async fn json_is_read_under_its_media_types() {
        let text = r#"{"name":"a","sources":[{"url":"x"}]}"#;
        for media in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/x+json",
        ] {
            assert!(read(Some(media), text).await.is_ok(), "{media}");
        }
        for media in [
            None,
            Some("text/plain"),
            Some("application/jsonx"),
            Some("json"),
            Some(""),
        ] {
            assert_eq!(refusal(media, text).await.0, 415, "{media:?}");
        }
    }

    #[tokio::test]
    async fn a_refusal_names_the_field_or_the_place() {
        for (text, field) in [
            (r#"{"name":1,"sources":[]}"#, "name"),
            (
                r#"{"name":"a","sources":[{"url":"x"},{"url":5}]}"#,
                "sources[1].url",
            ),
            (
                r#"{"name":"a","sources":[{"url":"x","size":-1}]}"#,
                "sources[0].size",
            ),
            (r#"{"sources":[]}"#, "line 1, column 14"),
            ("", "line 1, column 0"),
            (r#"{"name":"a","sources":[]} x"#, "line 1, column 27"),
        ] {
            assert_eq!(
                refusal(Some("application/json"), text).await,
                (400, field.into()),
                "{text}"
            );
        }
    }

    #[tokio::test]
    async fn a_nul_is_refused_and_an_escaped_backslash_is_not() {
        let json = Some("application/json");
        assert_eq!(
            refusal(json, r#"{"name":"a\u0000","sources":[]}"#).await.0,
            400
        );
        let read = read(json, r#"{"name":"a\\u0000","sources":[]}"#)
            .await
            .expect("read");
        assert_eq!(read.name, r"a\u0000");
    }
}
