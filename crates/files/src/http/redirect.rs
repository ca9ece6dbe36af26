//! Large files by a redirect, where their bucket wants that.

use super::signed::{USUAL, address};
use crate::Files;
use crate::bucket::Bucket;
use crate::path::FilePath;
use crate::presign::{Place, SignedBy, Terms};
use access::Caller;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, LOCATION};
use http::{HeaderValue, StatusCode};
use web::{Answer, Problem};

/// A redirect to a signed address, where the bucket wants that for a file of this size.
/// `address`: where the signature is looked at.
pub(super) async fn to(
    files: &Files,
    caller: Option<&Caller>,
    (bucket, path): (&Bucket, &FilePath),
    download: bool,
    address: impl FnOnce() -> String + Send,
) -> Answer<Option<Response>> {
    let Some(above) = bucket.redirect_above else {
        return Ok(None);
    };
    // Most buckets want none, and should not have to make room for it.
    let place = (bucket, path);
    Box::pin(large(files, caller, place, (above, download), address)).await
}

/// The same for what has at least `above` bytes.
async fn large(
    files: &Files,
    caller: Option<&Caller>,
    (bucket, path): (&Bucket, &FilePath),
    (above, download): (u64, bool),
    address: impl FnOnce() -> String + Send,
) -> Answer<Option<Response>> {
    if files.file(bucket, path).await?.size < above {
        return Ok(None);
    }
    let place = Place {
        bucket: bucket.id,
        path,
    };
    let terms = Terms::Get { download };
    let in_store = files.store_address(bucket, path, &terms, USUAL).await?;
    let location = in_store.unwrap_or_else(|| {
        let expires = files.now().plus(USUAL);
        let query = files
            .signer()
            .sign(place, &terms, &SignedBy::of(caller), expires);
        format!("{}?{query}", address())
    });
    let location = HeaderValue::from_str(&location).map_err(|error| Problem::internal(&error))?;
    let headers = [
        (LOCATION, location),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok(Some(
        (StatusCode::TEMPORARY_REDIRECT, headers).into_response(),
    ))
}

/// The same for the API's own address.
pub(super) async fn within(
    files: &Files,
    caller: Option<&Caller>,
    (bucket, path): (&Bucket, &FilePath),
    download: bool,
) -> Answer<Option<Response>> {
    let address = || address(bucket, path);
    to(files, caller, (bucket, path), download, address).await
}
