//! The limits around a request's body: its length, the time it takes to arrive, and
//! whether it has.

use super::requirement::SMALL_BODY;
use super::{AnswerTime, BodyLimit, RouteLimits};
use crate::{Problem, Settings};
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request};
use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http_body::{Frame, SizeHint};
use http_body_util::Limited;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::time::Sleep;

/// How many times the usual time a body may take that a patient handler reads.
const SLOWEST: u32 = 10;

/// Whether the whole body has been read. When a request takes too long, it tells
/// a slow client from a slow answer.
#[derive(Clone, Debug)]
pub(super) enum Arrived {
    /// There was none to wait for.
    WithTheHead,
    /// It says so itself.
    Told(Arc<AtomicBool>),
}

impl Arrived {
    pub(super) fn yet(&self) -> bool {
        match self {
            Self::WithTheHead => true,
            Self::Told(arrived) => arrived.load(Ordering::Relaxed),
        }
    }
}

/// Puts the route's limit around the body. Refuses at once what says that it is longer.
pub(super) fn limit(
    request: Request,
    limits: RouteLimits,
    settings: &Settings,
) -> Result<(Request, Arrived), Problem> {
    let most = match limits.body {
        BodyLimit::Small => Some(SMALL_BODY),
        BodyLimit::Configured => Some(settings.body_limit),
        BodyLimit::Bytes(most) => Some(most),
        BodyLimit::Streamed => None,
    };
    let (parts, body) = request.into_parts();
    let announced = parts
        .headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if let (Some(most), Some(announced)) = (most, announced)
        && announced > most
    {
        return Err(Problem::larger_than(most));
    }
    // Most requests have no body, and then nothing is put around it.
    if http_body::Body::is_end_stream(&body) {
        return Ok((Request::from_parts(parts, body), Arrived::WithTheHead));
    }
    let body = match most {
        Some(most) => Body::new(Limited::new(
            body,
            usize::try_from(most).unwrap_or(usize::MAX),
        )),
        None => body,
    };
    let arrived = Arc::new(AtomicBool::new(false));
    // Where the handler has a time of its own, its body has one all the same, unless
    // the handler reads that as a stream.
    let late = (limits.time == AnswerTime::OwnLimit && limits.body != BodyLimit::Streamed)
        .then(|| Box::pin(tokio::time::sleep(settings.request_timeout * SLOWEST)));
    let body = Body::new(Watched {
        body,
        arrived: Arc::clone(&arrived),
        late,
    });
    // The handler may read what is limited here, and nothing limits it once more.
    let mut request = Request::from_parts(parts, body);
    DefaultBodyLimit::disable().apply(&mut request);
    Ok((request, Arrived::Told(arrived)))
}

/// The body did not arrive in time.
#[derive(Debug, thiserror::Error)]
#[error("the body did not arrive in time")]
pub(crate) struct TooLate;

struct Watched {
    body: Body,
    arrived: Arc<AtomicBool>,
    /// When it will be too late.
    late: Option<Pin<Box<Sleep>>>,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
            return match &mut self.late {
                Some(late) => late
                    .as_mut()
                    .poll(context)
                    .map(|()| Some(Err(axum::Error::new(TooLate)))),
                None => Poll::Pending,
            };
        };
        if frame.is_none() || self.body.is_end_stream() {
            self.arrived.store(true, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
