//! Bodies: what comes in, bounded in its silence, and what goes out.

use super::error::Fault;
use super::sums::Sums;
use crate::{Content, Incoming, IncomingPart};
use axum::body::{Body, HttpBody};
use axum::extract::Request;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, stream};
use http::{Method, StatusCode};
use s3s::crypto::{Checksum as _, Sha256};
use s3s::dto::{Checksum, StreamingBlob};
use s3s::stream::{ByteStream, RemainingLength};
use s3s::{S3Error, S3ErrorCode, StdError, TrailingHeaders, s3_error};
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

/// Why a body did not come as it should. The library takes what goes wrong with a small
/// one for a mistake of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// The client sent nothing for too long.
    Silent,
    /// It ended early.
    Incomplete,
    /// It is longer than such a body may be.
    Long,
    /// It is not the one that was signed.
    Changed,
}

impl From<Broken> for S3Error {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Silent => s3_error!(
                RequestTimeout,
                "The content stopped coming, and nothing was stored; send it again."
            ),
            Broken::Incomplete => s3_error!(
                IncompleteBody,
                "The content ended early or was longer than announced, and nothing was stored; send it again."
            ),
            Broken::Long => s3_error!(
                MaxMessageLengthExceeded,
                "The request is too long; send several."
            ),
            Broken::Changed => {
                let mut error = Self::with_message(
                    S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into()),
                    "The content has another SHA-256 than announced; send it again.",
                );
                error.set_status_code(StatusCode::BAD_REQUEST);
                error
            }
        }
    }
}

/// Where it is noted that a body is broken.
pub(super) type Noted = Arc<OnceLock<Broken>>;

/// How much of a body may come, and what it was signed as, where it is no content of a
/// file but what the library reads as a whole.
pub(super) struct Small {
    most: usize,
    came: usize,
    length: Option<usize>,
    hash: Sha256,
    claim: Option<String>,
}

impl Small {
    /// Of a request, if its body is one.
    pub(super) fn of(request: &Request, most: usize) -> Option<Self> {
        let query = request.uri().query().unwrap_or_default();
        let mut names = query.split('&').filter_map(|pair| pair.split('=').next());
        let small = request.method() == Method::POST
            || names.any(|name| matches!(name, "tagging" | "versioning"));
        let text = |name: &str| request.headers().get(name)?.to_str().ok();
        small.then(|| Self {
            most,
            came: 0,
            length: text("content-length").and_then(|text| text.parse().ok()),
            hash: Sha256::new(),
            // Other words say how it is sent.
            claim: text("x-amz-content-sha256")
                .filter(|text| text.len() == 64)
                .map(str::to_owned),
        })
    }

    /// Looks at a piece before the library sees it; at the last one, at the whole.
    fn take(&mut self, bytes: &Bytes) -> Result<(), Broken> {
        self.came = self.came.saturating_add(bytes.len());
        if self.came > self.most {
            return Err(Broken::Long);
        }
        self.hash.update(bytes);
        if self.length == Some(self.came) {
            return self.compare();
        }
        Ok(())
    }

    fn compare(&mut self) -> Result<(), Broken> {
        let hash = std::mem::replace(&mut self.hash, Sha256::new());
        let found = crate::expect::hex(&hash.finalize());
        match self.claim.take() {
            Some(claim) if claim != found => Err(Broken::Changed),
            _ => Ok(()),
        }
    }
}

/// The body of a request for the library, which waits for it without a limit: it may take
/// as long as it likes while it moves.
pub(super) fn patient(body: Body, silence: Duration, small: Option<Small>) -> (s3s::Body, Noted) {
    let noted = Noted::default();
    // The library wants to know that there is none.
    if body.size_hint().exact() == Some(0) {
        if let Some(Err(broken)) = small.map(|mut small| small.compare()) {
            let _ = noted.set(broken);
        }
        return (s3s::Body::empty(), noted);
    }
    let note = Arc::clone(&noted);
    let fail = move |broken: Broken| {
        let _ = note.set(broken);
        let kind = match broken {
            Broken::Silent => io::ErrorKind::TimedOut,
            _ => io::ErrorKind::InvalidData,
        };
        Some((Err(io::Error::new(kind, format!("{broken:?}"))), None))
    };
    let data = stream::unfold(Some((body.into_data_stream(), small)), move |state| {
        let fail = fail.clone();
        async move {
            let (mut data, mut small) = state?;
            match tokio::time::timeout(silence, data.next()).await {
                Ok(None) => match small.take().map(|mut small| small.compare()) {
                    Some(Err(broken)) => fail(broken),
                    _ => None,
                },
                Ok(Some(Ok(bytes))) => match small.as_mut().map(|small| small.take(&bytes)) {
                    Some(Err(broken)) => fail(broken),
                    _ => Some((Ok(bytes), Some((data, small)))),
                },
                Ok(Some(Err(_))) => fail(Broken::Incomplete),
                Err(_) => fail(Broken::Silent),
            }
        }
    });
    (s3s::Body::http_body_unsync(Body::from_stream(data)), noted)
}

/// What takes bytes in.
pub(super) trait Sink {
    async fn take(&mut self, bytes: Bytes) -> crate::Result<()>;
}

impl Sink for Incoming {
    async fn take(&mut self, bytes: Bytes) -> crate::Result<()> {
        self.write(bytes).await
    }
}

impl Sink for IncomingPart {
    async fn take(&mut self, bytes: Bytes) -> crate::Result<()> {
        self.write(bytes).await
    }
}

/// Takes a body in and compares its checksums with what was said of them, in front of it
/// or behind it.
pub(super) async fn receive(
    body: Option<StreamingBlob>,
    trailers: Option<&TrailingHeaders>,
    mut sums: Sums,
    sink: &mut impl Sink,
) -> Fault<Checksum> {
    if let Some(mut body) = body {
        while let Some(bytes) = body.next().await {
            let bytes = bytes.map_err(|error| broken(&error))?;
            sums.update(&bytes);
            sink.take(bytes).await?;
        }
    }
    sums.compare(trailers)
}

/// What went wrong while a body came. The library's own errors cannot be named, so they
/// are known by their texts.
pub(super) fn broken(error: &StdError) -> S3Error {
    let mut texts = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        texts.push_str(&cause.to_string());
        source = cause.source();
    }
    if texts.contains("Sha256Mismatch") {
        Broken::Changed.into()
    } else if texts.contains("SignatureMismatch") {
        s3_error!(
            SignatureDoesNotMatch,
            "A piece of the content is not signed as it must be."
        )
    } else if texts.contains("Silent") {
        Broken::Silent.into()
    } else {
        Broken::Incomplete.into()
    }
}

/// A part of a content, as the library wants it.
pub(super) fn content(content: &Content, range: Range<u64>) -> StreamingBlob {
    StreamingBlob::new(Outgoing {
        left: range.end - range.start,
        stream: Mutex::new(content.stream(range)),
    })
}

/// The library wants a stream that threads may share, though none does.
struct Outgoing {
    left: u64,
    stream: Mutex<BoxStream<'static, storage::Result<Bytes>>>,
}

impl Stream for Outgoing {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let stream = this
            .stream
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let polled = stream.poll_next_unpin(context);
        if let Poll::Ready(Some(Ok(bytes))) = &polled {
            this.left = this.left.saturating_sub(bytes.len() as u64);
        }
        polled.map_err(StdError::from)
    }
}

impl ByteStream for Outgoing {
    fn remaining_length(&self) -> RemainingLength {
        RemainingLength::new_exact(usize::try_from(self.left).unwrap_or(usize::MAX))
    }
}
