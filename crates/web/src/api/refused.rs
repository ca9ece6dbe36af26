//! What access refuses, as problems.

use crate::problem::from_storage;
use crate::{Problem, Refused};
use access::AccessError;
use http::StatusCode;

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        let code = error.code();
        match &error {
            AccessError::Unauthenticated
            | AccessError::Expired
            | AccessError::RateLimited { .. }
            | AccessError::Busy => Refused::from(error).into(),
            AccessError::NotFound { what } => Self::not_found(what),
            AccessError::Exists { .. } | AccessError::LastAdmin => of_field(
                Self::new(StatusCode::CONFLICT, code, error.to_string()),
                &error,
            ),
            AccessError::ScopeExceeded { .. } => of_field(
                Self::new(StatusCode::FORBIDDEN, code, error.to_string()),
                &error,
            ),
            AccessError::WeakPassword { .. }
            | AccessError::WrongPassword
            | AccessError::Invalid { .. } => {
                let whole =
                    Self::invalid_request("Part of the request is not valid; `errors` says which.");
                of_field(whole, &error)
            }
            AccessError::Storage(cause) => from_storage(cause),
            _ => Self::internal(&error),
        }
    }
}

fn of_field(problem: Problem, error: &AccessError) -> Problem {
    match error.field() {
        Some(field) => problem.and(field, error.code(), error.to_string()),
        None => problem,
    }
}
