//! A body that comes from somewhere while it is sent, of a length that is known ahead.
//!
//! It is sent once: what went out is not kept, so nobody can send it again. Nothing is
//! read ahead of the connection but what that holds anyway, so a slow server slows the
//! source down. A body that came out shorter or longer than its length is an error on
//! both sides, never a file of another size.

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// A body of `length` bytes, as a stream. An error of the stream ends the request.
pub struct Streamed {
    length: u64,
    pieces: BoxStream<'static, io::Result<Bytes>>,
}

impl Streamed {
    /// The `pieces` must be `length` bytes together.
    #[must_use]
    pub fn new(length: u64, pieces: BoxStream<'static, io::Result<Bytes>>) -> Self {
        Self { length, pieces }
    }

    /// The same body; `look` sees every piece before it is sent.
    #[must_use]
    pub fn seen_by(self, mut look: impl FnMut(&[u8]) + Send + 'static) -> Self {
        let pieces = self.pieces.inspect_ok(move |piece| look(piece));
        Self {
            pieces: pieces.boxed(),
            ..self
        }
    }

    /// Its length in bytes.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// What goes on the wire, and how to follow it.
    pub(crate) fn begin(self) -> (Sent, Sending) {
        let (moved, seen) = watch::channel(0);
        let end = CancellationToken::new();
        let failure = Failure::default();
        let sent = Sent::Streamed(Box::new(Flow {
            length: self.length,
            given: 0,
            pieces: self.pieces,
            moved,
            failure: failure.clone(),
            ended: Box::pin(end.clone().cancelled_owned()),
        }));
        let sending = Sending {
            length: self.length,
            seen,
            failure,
            end,
        };
        (sent, sending)
    }
}

impl fmt::Debug for Streamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Streamed({} bytes)", self.length)
    }
}

/// How far a body is. Dropped, it ends the sending: an answer may come before the whole
/// body was sent, and nobody wants the rest when that answer is done with.
pub(crate) struct Sending {
    length: u64,
    seen: watch::Receiver<u64>,
    failure: Failure,
    end: CancellationToken,
}

impl Sending {
    /// Resolves when nothing of it moved for `limit`: bytes that were taken to be sent.
    pub(crate) async fn stalled(&mut self, limit: Duration) -> u64 {
        loop {
            match tokio::time::timeout(limit, self.seen.changed()).await {
                Ok(Ok(())) => {}
                // The body is gone, all of it or for an error that the answer tells of.
                Ok(Err(_)) => {
                    tokio::time::sleep(limit).await;
                    return *self.seen.borrow();
                }
                Err(_) => return *self.seen.borrow(),
            }
        }
    }

    /// What the source said, if it was that which failed: HTTP/2 tells of a reset alone.
    pub(crate) fn failure(&self) -> Option<Arc<io::Error>> {
        self.failure.get().cloned()
    }

    /// Whether all of it was taken.
    pub(crate) fn is_whole(&self) -> bool {
        *self.seen.borrow() == self.length
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

/// What the source of a body said when it failed.
type Failure = Arc<OnceLock<Arc<io::Error>>>;

/// A body on the wire.
pub(crate) enum Sent {
    Whole(Full<Bytes>),
    Streamed(Box<Flow>),
}

pub(crate) struct Flow {
    length: u64,
    given: u64,
    pieces: BoxStream<'static, io::Result<Bytes>>,
    moved: watch::Sender<u64>,
    failure: Failure,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Flow {
    fn next(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.ended.as_mut().poll(cx).is_ready() {
            let nobody = io::Error::other("nobody waits for the answer any more");
            return Poll::Ready(Some(Err(nobody)));
        }
        let piece = std::task::ready!(self.piece(cx));
        Poll::Ready(piece.map(|piece| {
            piece.map_err(|error| {
                let kind = error.kind();
                // Of several failures the first one counts.
                let _ = self.failure.set(Arc::new(error));
                kind.into()
            })
        }))
    }

    fn piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            let piece = match self.pieces.poll_next_unpin(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(piece) => piece,
            };
            match piece {
                Some(Ok(bytes)) if bytes.is_empty() => {}
                Some(Ok(bytes)) => return Poll::Ready(Some(self.counted(bytes))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None if self.given < self.length => {
                    let (given, length) = (self.given, self.length);
                    let short = format!("it ended after {given} of {length} bytes");
                    let short = io::Error::new(io::ErrorKind::UnexpectedEof, short);
                    return Poll::Ready(Some(Err(short)));
                }
                None => return Poll::Ready(None),
            }
        }
    }

    fn counted(&mut self, bytes: Bytes) -> io::Result<Bytes> {
        let given = self.given.saturating_add(bytes.len() as u64);
        if given > self.length {
            let long = format!("it is longer than its {} bytes", self.length);
            return Err(io::Error::new(io::ErrorKind::InvalidData, long));
        }
        self.given = given;
        self.moved.send_replace(given);
        Ok(bytes)
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match &mut *self {
            Self::Whole(body) => Pin::new(body)
                .poll_frame(cx)
                .map_err(|never| match never {}),
            Self::Streamed(flow) => flow
                .next(cx)
                .map(|piece| piece.map(|piece| piece.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Streamed(flow) => flow.length == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Streamed(flow) => SizeHint::with_exact(flow.length - flow.given),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use futures::stream;
    use http_body_util::BodyExt;

    fn body(length: u64, pieces: &[&'static str]) -> (Sent, Sending) {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|text| Ok(Bytes::from_static(text.as_bytes())))
            .collect();
        Streamed::new(length, stream::iter(pieces).boxed()).begin()
    }

    #[tokio::test]
    async fn a_body_comes_as_it_was_given() {
        let (sent, sending) = body(5, &["he", "", "llo"]);
        assert!(!sending.is_whole());
        assert_eq!(sent.size_hint().exact(), Some(5));
        assert_eq!(sent.collect().await.unwrap().to_bytes(), "hello");
        assert!(sending.is_whole());
    }

    #[tokio::test]
    async fn every_piece_is_seen_as_it_is_sent() {
        let pieces = ["he", "llo"].map(|text| Ok(Bytes::from_static(text.as_bytes())));
        let (tell, told) = std::sync::mpsc::channel();
        let body = Streamed::new(5, stream::iter(pieces).boxed())
            .seen_by(move |piece| tell.send(piece.to_vec()).unwrap());
        let (mut sent, _sending) = body.begin();
        assert_eq!(
            sent.frame().await.unwrap().unwrap().into_data().unwrap(),
            "he"
        );
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [b"he"]);
        assert_eq!(sent.collect().await.unwrap().to_bytes(), "llo");
        assert_eq!(told.iter().collect::<Vec<_>>(), [b"llo"]);
    }

    #[tokio::test]
    async fn a_body_of_another_length_is_an_error() {
        for (length, pieces) in [(6, &["hello"]), (4, &["hello"])] {
            let (sent, sending) = body(length, pieces);
            sent.collect().await.unwrap_err();
            let error = sending.failure().unwrap();
            assert!(error.to_string().starts_with("it "), "{error}");
        }
    }

    #[tokio::test]
    async fn a_body_ends_with_whoever_follows_it() {
        let (mut sent, sending) = body(5, &["he", "llo"]);
        assert!(sent.frame().await.unwrap().is_ok());
        drop(sending);
        assert!(sent.frame().await.unwrap().is_err());
    }
}
