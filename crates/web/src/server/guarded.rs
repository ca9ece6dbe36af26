//! A stream that gives up on a peer that takes nothing, that can be broken off
//! whoever has it, and whose first bytes can be looked at and read again.

use super::Place;
use super::bell::{Bell, Ringing};
use bytes::{Buf, Bytes, BytesMut};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

/// A stream under guard. It keeps its place among the server's connections for as
/// long as it lives, also when it has become a WebSocket.
pub(super) struct Guarded<T> {
    stream: T,
    broken_off: Bell,
    until_broken_off: Ringing,
    _place: Option<Place>,
    seen: Bytes,
    stall: Duration,
    /// Runs while the peer takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Guarded<TcpStream> {
    /// The only way to answer on an accepted connection, so that none goes without
    /// TCP_NODELAY: with it off, a small answer waits 40 ms for an acknowledgement.
    pub(super) fn new(
        stream: TcpStream,
        stall: Duration,
        broken_off: Bell,
        place: Place,
    ) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let mut guarded = Self::around(stream, stall, broken_off);
        guarded._place = Some(place);
        Ok(guarded)
    }
}

impl<T> Guarded<T> {
    fn around(stream: T, stall: Duration, broken_off: Bell) -> Self {
        Self {
            stream,
            until_broken_off: broken_off.rings(),
            broken_off,
            _place: None,
            seen: Bytes::new(),
            stall,
            stalled: None,
        }
    }

    fn write_with(
        &mut self,
        context: &mut Context<'_>,
        write: impl FnOnce(&mut T, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        // No last word: what would be said now is that a request broke off.
        if self.broken_off.has_rung() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let result = write(&mut self.stream, context);
        if result.is_ready() {
            self.stalled = None;
            return result;
        }
        let deadline = Instant::now() + self.stall;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        match stalled.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<T: AsyncRead + Unpin> Guarded<T> {
    /// Whether the stream begins with `wanted`. What was read stays to be read.
    pub(super) async fn starts_with(&mut self, wanted: &[u8]) -> io::Result<bool> {
        let mut seen = BytesMut::with_capacity(wanted.len());
        while seen.len() < wanted.len() && wanted.starts_with(&seen) {
            let left = wanted.len() - seen.len();
            let mut part = (&mut self.stream).take(left as u64);
            if part.read_buf(&mut seen).await? == 0 {
                break;
            }
        }
        let same = seen == wanted;
        self.seen = seen.freeze();
        Ok(same)
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Guarded<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.seen.is_empty() {
            let read = Pin::new(&mut self.stream).poll_read(context, buffer);
            if read.is_pending()
                && Pin::new(&mut self.until_broken_off)
                    .poll(context)
                    .is_ready()
            {
                return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
            }
            return read;
        }
        let length = self.seen.len().min(buffer.remaining());
        buffer.put_slice(&self.seen[..length]);
        self.seen.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Guarded<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write_with(context, |stream, context| {
            Pin::new(stream).poll_write(context, bytes)
        })
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write_with(context, |stream, context| {
            Pin::new(stream).poll_write_vectored(context, slices)
        })
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;
    use tokio::sync::Semaphore;
    use tokio_util::task::TaskTracker;

    #[tokio::test]
    async fn an_accepted_connection_does_not_wait_to_fill_packets() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let _client = TcpStream::connect(address).await.expect("connected");
        let (stream, _) = listener.accept().await.expect("accepted");
        assert!(!stream.nodelay().expect("asked"), "it is off by default");
        let limit = Arc::new(Semaphore::new(1));
        let place = Place::new(
            limit.clone().try_acquire_owned().expect("one"),
            crate::server::Entered::uncounted(),
            TaskTracker::new().token(),
        );
        let guarded =
            Guarded::new(stream, Duration::from_secs(1), Bell::default(), place).expect("guarded");
        assert_eq!(limit.available_permits(), 0, "it keeps its place");
        assert!(guarded.stream.nodelay().expect("asked"));
    }

    #[tokio::test]
    async fn the_first_bytes_are_looked_at_and_read_again() {
        for (sent, same) in [
            ("PRI *", true),
            ("PRI *more", true),
            ("PRx *", false),
            ("PR", false),
        ] {
            let (mut client, server) = tokio::io::duplex(64);
            client.write_all(sent.as_bytes()).await.expect("sent");
            drop(client);
            let mut guarded = Guarded::around(server, Duration::from_secs(1), Bell::default());
            assert_eq!(
                guarded.starts_with(b"PRI *").await.expect("read"),
                same,
                "{sent}"
            );
            let mut all = String::new();
            guarded.read_to_string(&mut all).await.expect("read");
            assert_eq!(all, sent);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_given_up() {
        let (mut client, server) = tokio::io::duplex(4);
        let mut guarded = Guarded::around(server, Duration::from_secs(30), Bell::default());
        let began = Instant::now();
        let error = guarded.write_all(b"12345678").await.expect_err("given up");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed(), Duration::from_secs(30));
        // And one that takes a little at a time is not.
        let mut part = [0; 4];
        client.read_exact(&mut part).await.expect("taken");
        guarded.write_all(b"56").await.expect("goes on");
    }

    #[tokio::test]
    async fn a_stream_is_broken_off_while_it_waits_to_read() {
        let (_client, server) = tokio::io::duplex(4);
        let broken_off = Bell::default();
        let mut guarded = Guarded::around(server, Duration::from_secs(30), broken_off.clone());
        let reading = tokio::spawn(async move { guarded.read_u8().await });
        tokio::task::yield_now().await;
        broken_off.ring();
        let error = reading.await.expect("no panic").expect_err("broken off");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
    }
}
