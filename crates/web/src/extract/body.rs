//! A whole body in memory, within the limit that the route has put around it.

use crate::Problem;
use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError};
use std::error::Error as StdError;

/// Reads the body to its end. The route's layer has limited it already.
pub(super) async fn whole(body: Body) -> Result<Bytes, Problem> {
    match body.collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if too_large(&error) => Err(Problem::payload_too_large()),
        Err(error) => {
            tracing::debug!(%error, "a request body broke off");
            Err(Problem::invalid_request(
                "The body ended early; send it again.",
            ))
        }
    }
}

/// Whether a body was refused for its length.
fn too_large(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}
