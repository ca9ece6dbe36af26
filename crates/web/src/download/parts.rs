//! Several ranges in one answer (RFC 9110 §14.6): a part for each, with a line between
//! them that no content has.

use super::Download;
use axum::body::{Body, BodyDataStream};
use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use std::collections::VecDeque;
use std::ops::Range;
use uuid::Uuid;

/// The answer with all of `ranges`. `body` makes the bytes of one, when its turn comes.
pub(super) fn answer(
    download: Download,
    ranges: Vec<Range<u64>>,
    body: impl Fn(Range<u64>) -> Body + Send + 'static,
) -> Response {
    let boundary = Uuid::now_v7().simple().to_string();
    let media_type = String::from_utf8_lossy(download.media_type.as_bytes()).into_owned();
    let size = download.size;
    let head = |range: &Range<u64>| {
        let (first, last) = (range.start, range.end - 1);
        format!(
            "\r\n--{boundary}\r\nContent-Type: {media_type}\r\n\
             Content-Range: bytes {first}-{last}/{size}\r\n\r\n"
        )
    };
    let parts: VecDeque<(String, Range<u64>)> = ranges
        .into_iter()
        .map(|range| (head(&range), range))
        .collect();
    let end = format!("\r\n--{boundary}--\r\n");
    let length: u64 = parts
        .iter()
        .map(|(head, range)| head.len() as u64 + (range.end - range.start))
        .sum();
    let length = length + end.len() as u64;
    let pieces = Pieces {
        parts,
        end: Some(end),
        current: None,
        make: body,
    };
    let body = Body::from_stream(stream::try_unfold(pieces, Pieces::next));
    let mut response = download.finish(StatusCode::PARTIAL_CONTENT, body, None);
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    if let Ok(kind) = HeaderValue::from_str(&format!("multipart/byteranges; boundary={boundary}")) {
        headers.insert(CONTENT_TYPE, kind);
    }
    response
}

/// What is still to be sent.
struct Pieces<F> {
    parts: VecDeque<(String, Range<u64>)>,
    end: Option<String>,
    current: Option<BodyDataStream>,
    make: F,
}

impl<F: Fn(Range<u64>) -> Body + Send> Pieces<F> {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, axum::Error> {
        if let Some(current) = &mut self.current {
            if let Some(bytes) = current.next().await {
                return Ok(Some((bytes?, self)));
            }
            self.current = None;
        }
        if let Some((head, range)) = self.parts.pop_front() {
            self.current = Some((self.make)(range).into_data_stream());
            return Ok(Some((head.into(), self)));
        }
        Ok(self.end.take().map(|end| (end.into(), self)))
    }
}
