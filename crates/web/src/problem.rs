//! Every error that the API answers: RFC 9457 problem details with a stable code.
//!
//! A problem never tells what went wrong inside: [`Problem::internal`] logs the
//! cause under the request's id and answers with that id alone.

mod convert;
mod document;

pub use document::{FieldProblem, ProblemDocument};

pub(crate) use convert::from_storage;

use axum::response::{IntoResponse, Response};
use base::Size;
use http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

/// The media type of a problem (RFC 9457 §3).
pub const PROBLEM_JSON: &str = "application/problem+json";

/// What a handler gives: an answer or a problem.
pub type Answer<T> = Result<T, Problem>;

/// An error on its way to the client.
#[derive(Clone)]
pub struct Problem {
    inner: Box<Inner>,
}

#[derive(Clone)]
struct Inner {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    errors: Vec<FieldProblem>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem with a status, a stable kebab-case code, and a sentence that
    /// says what happened and what to do.
    #[must_use]
    pub fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            inner: Box::new(Inner {
                status,
                code,
                detail: detail.into(),
                errors: Vec::new(),
                headers: Vec::new(),
            }),
        }
    }

    /// 400 `invalid-request`: the request as a whole cannot be understood.
    #[must_use]
    pub fn invalid_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid-request", detail)
    }

    /// 400 `invalid-request` because of one field: its path (`sources[3].url`), a
    /// code for programs and a sentence for people. More follow by [`Problem::and`].
    #[must_use]
    pub fn invalid(
        field: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::invalid_request("Part of the request is not valid; `errors` says which.")
            .and(field, code, message)
    }

    /// Adds a further field to what is wrong.
    #[must_use]
    pub fn and(
        mut self,
        field: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        self.inner.errors.push(FieldProblem {
            field: field.into(),
            code: Cow::Borrowed(code),
            message: message.into(),
        });
        self
    }

    /// 401 `unauthenticated`.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::unauthenticated_because(
            "unauthenticated",
            "Log in, or send a name and password or a token.",
        )
    }

    /// 401 with a code of its own. It names a way in, as every 401 must (RFC 9110
    /// §11.6.1); the way that makes browsers open a dialog is not named here.
    #[must_use]
    pub fn unauthenticated_because(
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, detail).with_header(
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"longshore\""),
        )
    }

    /// 403 `forbidden`: identified, and not allowed.
    #[must_use]
    pub fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 404 `not-found`: `what` is the noun, "bundle".
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            format!("There is no such {what}, or it is gone."),
        )
    }

    /// 408 `request-timeout`: the body did not arrive in time.
    #[must_use]
    pub fn request_timeout() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "request-timeout",
            "The body did not arrive in time; send it again.",
        )
        .with_header(CONNECTION, HeaderValue::from_static("close"))
    }

    /// 409 `conflict`: the request is fine and the present state forbids it.
    #[must_use]
    pub fn conflict(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", detail)
    }

    /// 413 `payload-too-large`.
    #[must_use]
    pub fn payload_too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "payload-too-large",
            "The body is larger than this route takes; send less at once.",
        )
    }

    /// The same, where it is known how many bytes it takes.
    #[must_use]
    pub fn larger_than(most: u64) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "payload-too-large",
            format!(
                "The body is larger than {}, the most that this route takes; send less at once.",
                Size::new(most)
            ),
        )
    }

    /// 415 `unsupported-media-type`.
    #[must_use]
    pub fn unsupported_media_type() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "Send JSON, with `Content-Type: application/json`.",
        )
    }

    /// 422 with a code of its own: well-formed, and nothing that can be done.
    #[must_use]
    pub fn unprocessable(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// 429 `too-many-requests`, and when to come back.
    #[must_use]
    pub fn too_many(retry_after: Duration) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-requests",
            "Too many attempts; wait as long as `Retry-After` says.",
        )
        .retry_after(retry_after)
    }

    /// 503 with a code of its own, and when to come back.
    #[must_use]
    pub fn unavailable(
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
        retry_after: Duration,
    ) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).retry_after(retry_after)
    }

    /// 500 `internal`. The cause goes to the log, with its sources, and nowhere else.
    #[must_use]
    pub fn internal(cause: &(dyn StdError + 'static)) -> Self {
        tracing::error!(error = %Chain(cause), "a request failed");
        Self::internal_unlogged()
    }

    pub(crate) fn internal_unlogged() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Longshore failed to answer this; its log has the cause under the request id.",
        )
    }

    /// Adds `Retry-After` in whole seconds, at least one.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.with_header(RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.inner.headers.push((name, value));
        self
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.inner.status
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.inner.code
    }

    /// The sentence.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.inner.detail
    }

    /// As it is written, with the id of the request that it answers.
    #[must_use]
    pub fn document(&self, request_id: Option<&str>) -> ProblemDocument {
        ProblemDocument {
            kind: "about:blank".to_owned(),
            title: self
                .inner
                .status
                .canonical_reason()
                .unwrap_or("Error")
                .to_owned(),
            status: self.inner.status.as_u16(),
            detail: self.inner.detail.to_string(),
            code: self.inner.code.to_owned(),
            request_id: request_id.map(str::to_owned),
            errors: self.inner.errors.clone(),
        }
    }

    /// The response, with the request's id where it is known.
    pub(crate) fn render(&self, request_id: Option<&str>) -> Response {
        let body = serde_json::to_vec(&self.document(request_id)).unwrap_or_default();
        let mut response = (self.inner.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        for (name, value) in &self.inner.headers {
            headers.append(name.clone(), value.clone());
        }
        response
    }
}

impl IntoResponse for Problem {
    /// Written without the request's id; the outermost layer writes it again with it.
    fn into_response(self) -> Response {
        let mut response = self.render(None);
        response.extensions_mut().insert(self);
        response
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.detail)
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Problem({} {}",
            self.inner.status.as_u16(),
            self.inner.code
        )?;
        for error in &self.inner.errors {
            write!(f, ", {}: {}", error.field, error.message)?;
        }
        f.write_str(")")
    }
}

impl StdError for Problem {}

/// An error and its sources on one line.
struct Chain<'a>(&'a (dyn StdError + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_its_code_fields_and_request() {
        let problem = Problem::invalid("name", "empty", "give it a name").and(
            "sources[3].url",
            "scheme",
            "only http and https",
        );
        let json = serde_json::to_value(problem.document(Some("r-1"))).unwrap_or_default();
        assert_eq!(json["type"], "about:blank");
        assert_eq!(json["title"], "Bad Request");
        assert_eq!(json["status"], 400);
        assert_eq!(json["code"], "invalid-request");
        assert_eq!(json["request_id"], "r-1");
        assert_eq!(json["errors"][1]["field"], "sources[3].url");
    }

    #[test]
    fn a_wait_is_rounded_up_and_never_zero() {
        for (wait, seconds) in [(0, "1"), (1, "1"), (1_000, "1"), (1_001, "2")] {
            let response = Problem::too_many(Duration::from_millis(wait)).into_response();
            assert_eq!(response.headers()[RETRY_AFTER], seconds);
            assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        }
    }

    #[test]
    fn an_internal_error_keeps_its_cause_to_itself() {
        let cause = std::io::Error::other("password=hunter2 at /var/lib");
        let text = serde_json::to_string(&Problem::internal(&cause).document(None));
        let text = text.unwrap_or_default();
        assert!(
            text.contains("internal") && !text.contains("hunter2"),
            "{text}"
        );
    }
}
