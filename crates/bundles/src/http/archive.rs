//! Giving the archive: kept and whole, growing, or streamed once.

use super::{Desk, OPERATION};
use crate::outlet::{Flow, Growing};
use crate::takers::Taker;
use crate::{Error, bundle::StoredBundle};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::{BundleId, OperationId};
use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt};
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use operations::{Filter, Operation, State as OperationState};
use serde::Deserialize;
use std::io;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use web::{Admitted, Answer, Download, Path, Problem, Query, Wants};

/// How long the first byte of a streamed archive may take: its sources have limits
/// of their own, and it may wait for its turn.
const FIRST_BYTE: Duration = Duration::from_secs(600);

/// What a signed link has in its query; it was looked at before.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "it says which parameters there are")]
pub(super) struct Signature {
    expires: Option<i64>,
    signature: Option<String>,
}

/// The archive.
///
/// A kept one as often as wanted, with ranges; while it is still being made, it
/// flows as it grows, and an archive that cannot be finished breaks the connection
/// off. A streamed one flows once. HEAD takes nothing and waits for nothing.
#[utoipa::path(
    get, path = "/api/v1/bundles/{id}/archive", tag = "bundles",
    params(
        ("id" = uuid::Uuid, Path, description = "The bundle's id."),
        ("expires" = Option<i64>, Query, description = "Of a signed link."),
        ("signature" = Option<String>, Query, description = "Of a signed link."),
    ),
    responses(
        (status = 200, description = "The archive.", content_type = "application/zip", body = Vec<u8>),
        (status = 206, description = "A part of it.", content_type = "application/zip", body = Vec<u8>),
        (status = 304, description = "It has not changed."),
        (status = 409, description = "It was streamed to another taker, or is not ready.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "It is not kept any more.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 412, description = "A condition does not hold.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 416, description = "The range lies outside of it.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "None of the sources could be used.", body = web::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_archive(
    State(desk): State<Desk>,
    Path(id): Path<uuid::Uuid>,
    _query: Query<Signature>,
    method: Method,
    admitted: Admitted,
    wants: Wants,
) -> Answer<Response> {
    let id = BundleId::from(id);
    let mut stored = desk.bundles.stored(id).await?;
    let takes = method != Method::HEAD;
    if !stored.kept {
        if !takes {
            desk.bundles.outlets().can_be_taken(id)?;
            return Ok(head(&stored.name, id));
        }
        return streamed(&desk, id, &admitted).await;
    }
    if stored.blob.is_none() {
        let operation = desk.bundles.operation(id).await?;
        let is_made = operation.is_some_and(|operation| !operation.state.is_ended());
        if is_made && !takes {
            return Ok(head(&stored.name, id));
        }
        if is_made && let Some(answer) = growing(&desk, &stored, &admitted).await? {
            return Ok(answer);
        }
        // It has ended: well or not, perhaps elsewhere.
        stored = desk.bundles.stored(id).await?;
    }
    if stored.has_expired(desk.bundles.now()) {
        return Err(Error::Gone.into());
    }
    let file = desk
        .bundles
        .blobs()
        .read(stored.blob.ok_or(Error::Gone)?)
        .await?;
    Ok(kept(stored, &file, &wants))
}

/// Waits for a kept archive that is being made, and answers with it as it grows.
/// Nothing, when it has ended already.
async fn growing(
    desk: &Desk,
    stored: &StoredBundle,
    admitted: &Admitted,
) -> Answer<Option<Response>> {
    let id = stored.id;
    let waiting = wait(desk, admitted)?;
    let taker = desk.bundles.takers().enter(id);
    let begun = tokio::time::timeout(FIRST_BYTE, begun(desk, id));
    let Some(mut growing) = begun.await.map_err(|_| Error::NotReady)?? else {
        return Ok(None);
    };
    // The status is known when the first byte is, as with a streamed one.
    let first = tokio::time::timeout(FIRST_BYTE, growing.tail.next());
    let Some(first) = first
        .await
        .map_err(|_| Error::NotReady)?
        .map_err(Error::from)?
    else {
        return Err(why_nothing(desk, id).await);
    };
    drop(waiting);
    let body = stream::once(std::future::ready(Ok(first))).chain(follow(growing, taker));
    Ok(Some(zip(Body::from_stream(body), &stored.name, id)))
}

/// A place among those who wait for an archive, for that of a request in work: others
/// are answered meanwhile.
fn wait(desk: &Desk, admitted: &Admitted) -> crate::Result<OwnedSemaphorePermit> {
    let place = desk.waiting.clone().try_acquire_owned();
    let place = place.map_err(|_| Error::Crowded)?;
    admitted.release();
    Ok(place)
}

/// What GET would answer, without the archive and its length.
fn head(name: &str, id: BundleId) -> Response {
    let unknown = stream::empty::<io::Result<Bytes>>();
    zip(Body::from_stream(unknown), name, id)
}

/// Waits until a kept archive grows here. Nothing, when it has ended already.
async fn begun(desk: &Desk, id: BundleId) -> crate::Result<Option<Growing>> {
    let operations = desk.bundles.operations();
    let mut changes = operations.follow_changes(Filter::default(), None);
    loop {
        // Registered before it looks, so that no beginning is missed.
        let begins = desk.bundles.outlets().begins();
        tokio::pin!(begins);
        begins.as_mut().enable();
        if let Some(growing) = desk.bundles.outlets().growing(id) {
            return Ok(Some(growing));
        }
        match operations.get(OperationId::from(id)).await {
            Ok(operation) if !operation.state.is_ended() => {}
            Ok(_) | Err(operations::Error::NoOperation(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        tokio::select! {
            () = begins => {}
            changed = changes.next() => drop(changed?),
        }
    }
}

fn kept(stored: StoredBundle, file: &storage::BlobFile, wants: &Wants) -> Response {
    let etag = data_encoding::HEXLOWER.encode(stored.sha256.as_deref().unwrap_or_default());
    Download::new(file.size())
        .media_type("application/zip")
        .etag(&etag)
        .attachment(&stored.name)
        .of_blob(wants, file)
}

/// Takes a streamed archive and answers with it as it is made. The status is known
/// when the first byte is: an archive of nothing is an error and not an answer.
pub(super) async fn streamed(desk: &Desk, id: BundleId, admitted: &Admitted) -> Answer<Response> {
    let waiting = wait(desk, admitted)?;
    let mut flow = desk.bundles.outlets().take(id)?;
    let name = desk.bundles.stored(id).await?.name;
    let begun = tokio::time::timeout(FIRST_BYTE, first_piece(desk, id, &mut flow));
    let Some((length, first)) = begun.await.map_err(|_| Error::NotReady)? else {
        return Err(why_nothing(desk, id).await);
    };
    drop(waiting);
    let body = rest(flow, length, first);
    let mut response = zip(Body::from_stream(body), &name, id);
    if let Some(length) = length {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    Ok(response)
}

/// The first piece of a streamed archive, and its length where that is told ahead.
/// Nothing when its operation has ended without one, also one that never began.
async fn first_piece(
    desk: &Desk,
    id: BundleId,
    flow: &mut mpsc::Receiver<Flow>,
) -> Option<(Option<u64>, Bytes)> {
    let ended = desk.bundles.operations().wait(OperationId::from(id));
    tokio::pin!(ended);
    let mut is_running = true;
    let mut length = None;
    loop {
        let next = tokio::select! {
            biased;
            next = flow.recv() => next?,
            ended = &mut ended, if is_running => {
                is_running = false;
                if ended.is_ok() {
                    // Nothing else will be sent; what was sent is still to be received.
                    desk.bundles.outlets().forget(id);
                }
                continue;
            }
        };
        match next {
            Flow::Length(promised) => length = Some(promised),
            Flow::Piece(piece) => return Some((length, piece)),
            Flow::End => return None,
        }
    }
}

/// What is left of a streamed archive.
struct Rest {
    flow: mpsc::Receiver<Flow>,
    /// Bytes that were told ahead and have not come.
    left: Option<u64>,
    first: Option<Bytes>,
}

impl Rest {
    /// The next piece; nothing at the end. When the maker is gone without having said
    /// that all was given, or gave another length than was told, it is an error, which
    /// breaks the connection off.
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        let next = match self.first.take() {
            Some(first) => Some(Flow::Piece(first)),
            None => self.flow.recv().await,
        };
        match next {
            Some(Flow::Piece(piece)) => {
                if let Some(left) = &mut self.left {
                    // Cut at the length that was told, it would look whole.
                    *left = left.checked_sub(piece.len() as u64).ok_or_else(broken)?;
                }
                Ok(Some(piece))
            }
            Some(Flow::End) if self.left.is_none_or(|left| left == 0) => Ok(None),
            // The length is told before the first piece; here it has no place.
            Some(Flow::End | Flow::Length(_)) | None => Err(broken()),
        }
    }
}

fn broken() -> io::Error {
    io::Error::other("the archive could not be finished")
}

fn rest(
    flow: mpsc::Receiver<Flow>,
    left: Option<u64>,
    first: Bytes,
) -> impl Stream<Item = io::Result<Bytes>> {
    let rest = Rest {
        flow,
        left,
        first: Some(first),
    };
    stream::unfold(Some(rest), async |rest| {
        let mut rest = rest?;
        match rest.next().await {
            Ok(piece) => Some((Ok(piece?), Some(rest))),
            Err(error) => Some((Err(error), None)),
        }
    })
}

/// A growing archive, and who takes it. Its end is clean only when it became whole.
fn follow(growing: Growing, taker: Taker) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold(Some((growing, taker)), async |state| {
        let (mut growing, taker) = state?;
        match growing.tail.next().await {
            Ok(Some(bytes)) => Some((Ok(bytes), Some((growing, taker)))),
            Err(error) => Some((Err(io::Error::other(error)), None)),
            Ok(None) => {
                let whole = growing.outcome.wait_for(Option::is_some).await;
                match whole.map(|whole| *whole) {
                    Ok(Some(true)) => None,
                    _ => Some((Err(broken()), None)),
                }
            }
        }
    })
}

fn zip(body: Body, name: &str, id: BundleId) -> Response {
    let mut response = (StatusCode::OK, body).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(http::header::CONTENT_DISPOSITION, web::attachment(name));
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(OPERATION, id);
    }
    response
}

/// Why a bundle ended before its first byte.
async fn why_nothing(desk: &Desk, id: BundleId) -> Problem {
    let operations = desk.bundles.operations();
    let ended = operations.wait(OperationId::from(id));
    match tokio::time::timeout(Duration::from_secs(30), ended).await {
        Ok(Ok(operation)) => of_operation(&operation),
        Ok(Err(error)) => error.into(),
        Err(_) => Error::NotReady.into(),
    }
}

fn of_operation(operation: &Operation) -> Problem {
    let detail = operation.error.as_ref().map_or_else(
        || "The bundle could not be made.".to_owned(),
        |error| error.message.clone(),
    );
    match (
        operation.state,
        operation.error.as_ref().map(|error| error.code.as_str()),
    ) {
        (OperationState::Cancelled, _) => Problem::conflict(detail),
        (_, Some("nothing-usable")) => Problem::unprocessable("nothing-usable", detail),
        (_, Some("source-missing")) => Problem::unprocessable("source-missing", detail),
        _ => Problem::unprocessable("bundle-failed", detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a body comes to whose archive gives these pieces and then its end.
    async fn comes_to(length: Option<u64>, pieces: &[&'static str]) -> io::Result<String> {
        let (sender, flow) = mpsc::channel(8);
        for piece in &pieces[1..] {
            let sent = sender.send(Flow::Piece(Bytes::from_static(piece.as_bytes())));
            sent.await.expect("there is room");
        }
        sender.send(Flow::End).await.expect("there is room");
        let rest = rest(flow, length, Bytes::from_static(pieces[0].as_bytes()));
        let parts: Vec<io::Result<Bytes>> = rest.collect().await;
        let parts: io::Result<Vec<Bytes>> = parts.into_iter().collect();
        parts.map(|parts| String::from_utf8_lossy(&parts.concat()).into_owned())
    }

    #[tokio::test]
    async fn an_archive_of_another_length_than_told_never_ends_cleanly() {
        let pieces = ["abc", "de", "f"];
        assert_eq!(comes_to(None, &pieces).await.expect("whole"), "abcdef");
        assert_eq!(comes_to(Some(6), &pieces).await.expect("whole"), "abcdef");
        for wrong in [0, 2, 5, 7] {
            assert!(comes_to(Some(wrong), &pieces).await.is_err(), "{wrong}");
        }
    }
}
