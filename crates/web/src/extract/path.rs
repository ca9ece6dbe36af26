//! The parameters in a path.

use crate::Problem;
use axum::extract::FromRequestParts;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use http::request::Parts;
use serde::de::DeserializeOwned;

/// The parameters in a path, as axum reads them; what does not fit is a 400 that
/// names the parameter.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(rejection) => Err(problem(rejection)),
        }
    }
}

fn problem(rejection: PathRejection) -> Problem {
    let PathRejection::FailedToDeserializePathParams(failed) = rejection else {
        return Problem::internal(&rejection);
    };
    match failed.kind() {
        ErrorKind::ParseErrorAtKey { key, .. } | ErrorKind::InvalidUtf8InPathParam { key } => {
            Problem::invalid(key.clone(), "invalid", "this part of the path is not valid")
        }
        ErrorKind::DeserializeError { key, message, .. } => {
            Problem::invalid(key.clone(), "invalid", message.clone())
        }
        ErrorKind::Message(message) => Problem::invalid("path", "invalid", message.clone()),
        ErrorKind::ParseErrorAtIndex { .. } | ErrorKind::ParseError { .. } => {
            Problem::invalid("path", "invalid", "a part of the path is not valid")
        }
        // The handler asks for what its path does not have.
        _ => Problem::internal(&failed),
    }
}
