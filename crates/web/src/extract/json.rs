//! JSON in and out.

use super::{body, misfit};
use crate::Problem;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use serde::Serialize;
use serde::de::{DeserializeOwned, DeserializeSeed};
use std::marker::PhantomData;

/// From this size on, a body is parsed on a blocking thread.
const LARGE: usize = 512 * 1024;

/// A JSON body, read or to be written. Refusals: 400 with the field or the place
/// in the text, 413, 415.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + Send + 'static, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let text = JsonText::from_request(request, state).await?;
        text.parse(PhantomData::<T>).await.map(Self)
    }
}

/// A JSON body that is not parsed yet, for a handler that bounds what it becomes.
/// Refusals: 413, 415.
#[derive(Clone, Debug)]
pub struct JsonText(Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonText {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::unsupported_media_type());
        }
        body::whole(request.into_body()).await.map(Self)
    }
}

impl JsonText {
    /// What `seed` makes of it.
    ///
    /// # Errors
    /// 400 with the field or the place in the text.
    pub async fn parse<P, T>(self, seed: P) -> Result<T, Problem>
    where
        P: for<'de> DeserializeSeed<'de, Value = T> + Send + 'static,
        T: Send + 'static,
    {
        let bytes = self.0;
        if bytes.len() < LARGE {
            return parse(&bytes, seed);
        }
        match tokio::task::spawn_blocking(move || parse(&bytes, seed)).await {
            Ok(parsed) => parsed,
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

fn parse<T>(
    bytes: &Bytes,
    seed: impl for<'de> DeserializeSeed<'de, Value = T>,
) -> Result<T, Problem> {
    if holds_nul(bytes) {
        return Err(Problem::invalid_request(
            "A text in the body holds the NUL character; leave it out.",
        ));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut reader, &mut track);
    let value = seed
        .deserialize(tracked)
        .map_err(|error| misfit(&track.path(), &place(&error), without_place(&error)))?;
    reader
        .end()
        .map_err(|error| Problem::invalid(place(&error), "invalid", without_place(&error)))?;
    Ok(value)
}

/// Whether a text in it has the NUL character, which no text of ours holds and Postgres
/// cannot store: refused here, once, instead of at every column.
///
/// Backslashes escape each other from the left, so the last of an odd run is the one
/// that makes `u0000` a character.
fn holds_nul(json: &[u8]) -> bool {
    let mut backslashes = 0_usize;
    json.iter().enumerate().any(|(at, byte)| {
        let escaped = backslashes % 2 == 1;
        backslashes = if *byte == b'\\' { backslashes + 1 } else { 0 };
        escaped && json[at..].starts_with(b"u0000")
    })
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
        let odd = r#"{"name":"a","sources":[{"url":"\\\u0000"}]}"#;
        assert_eq!(refusal(json, odd).await.0, 400);
        let read = read(json, r#"{"name":"a\\u0000","sources":[]}"#)
            .await
            .expect("read");
        assert_eq!(read.name, r"a\u0000");
    }
}
