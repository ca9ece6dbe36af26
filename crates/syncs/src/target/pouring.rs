//! A file on its way: from the source's stream into the bodies of requests, cut where they
//! end, no faster than they are taken and without a copy.

use crate::target::{Content, Ground, Trouble};
use bytes::Bytes;
use fetch::Streamed;
use futures::stream::{self, StreamExt};
use tokio::sync::mpsc;

/// The content of a file, and how much of it was poured.
pub(super) struct Pouring<'a> {
    ground: &'a dyn Ground,
    content: Content,
    /// What of the last piece belongs to the next body.
    left: Bytes,
    at: u64,
    size: u64,
}

impl<'a> Pouring<'a> {
    /// The content of a file of `size` bytes from byte `offset` on.
    pub(super) async fn open(
        ground: &'a dyn Ground,
        offset: u64,
        size: u64,
    ) -> Result<Self, Trouble> {
        Ok(Self {
            ground,
            content: ground.open(offset).await?,
            left: Bytes::new(),
            at: offset,
            size,
        })
    }

    /// Where in the file the next byte is.
    pub(super) const fn at(&self) -> u64 {
        self.at
    }

    /// Gives `send` a body of the next `length` bytes between `before` and `after`, and
    /// fills it until `send` is done. What the source says comes before what `send` makes
    /// of a body that broke off.
    pub(super) async fn pour<T, F>(
        &mut self,
        before: Bytes,
        length: u64,
        after: Bytes,
        send: impl FnOnce(Streamed) -> F,
    ) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, Trouble>>,
    {
        let whole = length + (before.len() + after.len()) as u64;
        // One piece waits while the last one is written.
        let (into, pieces) = mpsc::channel::<Bytes>(1);
        let pieces = stream::unfold(pieces, |mut pieces| async move {
            let piece = pieces.recv().await?;
            Some((Ok(piece), pieces))
        });
        let mut sending = std::pin::pin!(send(Streamed::new(whole, pieces.boxed())));
        let filled = tokio::select! {
            biased;
            sent = &mut sending => return sent,
            filled = self.fill(before, length, after, into) => filled,
        };
        match filled {
            Ok(()) => sending.await,
            Err(trouble) => Err(trouble),
        }
    }

    /// Ends early where nobody takes any more: then the answer says why.
    async fn fill(
        &mut self,
        before: Bytes,
        length: u64,
        after: Bytes,
        into: mpsc::Sender<Bytes>,
    ) -> Result<(), Trouble> {
        if !before.is_empty() && into.send(before).await.is_err() {
            return Ok(());
        }
        let mut wanted = length;
        while wanted > 0 {
            let mut piece = self.next().await?;
            let here = usize::try_from(wanted)
                .unwrap_or(usize::MAX)
                .min(piece.len());
            self.left = piece.split_off(here);
            wanted -= here as u64;
            // Before its end is sent: nobody shall have a part as if it were the whole.
            if self.at + here as u64 == self.size && !self.left.is_empty() {
                return Err(self.broke("has more than"));
            }
            if into.send(piece).await.is_err() {
                return Ok(());
            }
            self.at += here as u64;
            self.ground.arrived(self.at);
        }
        if !after.is_empty() {
            // Whether anybody takes it, the answer says.
            let _ = into.send(after).await;
        }
        Ok(())
    }

    /// The next bytes of the file, never none.
    async fn next(&mut self) -> Result<Bytes, Trouble> {
        if !self.left.is_empty() {
            return Ok(std::mem::take(&mut self.left));
        }
        loop {
            match self.content.next().await {
                Some(Ok(piece)) if piece.is_empty() => {}
                Some(piece) => return piece,
                None => return Err(self.broke("ended before")),
            }
        }
    }

    fn broke(&self, how: &str) -> Trouble {
        Trouble::Later {
            reason: format!("the source {how} the {} bytes of the file", self.size),
            after: None,
        }
    }
}
