//! A whole body in memory, within the limit that the route has put around it.

use crate::Problem;
use crate::routes::TooLate;
use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError};
use std::error::Error as StdError;

/// Reads the body to its end. The route's layer has limited it already.
///
/// # Errors
/// 413, 408, or 400 where it breaks off.
pub async fn whole(body: Body) -> Result<Bytes, Problem> {
    match body.collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if is_because::<LengthLimitError>(&error) => Err(Problem::payload_too_large()),
        Err(error) if is_because::<TooLate>(&error) => Err(Problem::request_timeout()),
        Err(error) => {
            tracing::debug!(%error, "a request body broke off");
            Err(Problem::invalid_request(
                "The body ended early; send it again.",
            ))
        }
    }
}

/// Whether an error has a cause of this type.
fn is_because<T: StdError + 'static>(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<T>() {
            return true;
        }
        cause = error.source();
    }
    false
}
