//! A large body on its way through: mended where it breaks off, and never longer
//! than the bundle's limit leaves. What went out once is never sent differently.

use crate::gather::{Gather, Miss, Opened, RESUMPTIONS};
use bytes::Bytes;
use fetch::{FetchError, Response, Resumed};

/// A body that passes through, mended where it breaks off.
pub(crate) struct Flowing {
    opened: Opened,
    crc: crc32fast::Hasher,
    /// Bytes that were given out.
    pub(crate) taken: u64,
    resumptions: u32,
    index: usize,
    /// Bytes that the bundle's limit leaves.
    left: Option<u64>,
}

impl Flowing {
    /// The body of source `index`; at most `left` bytes of it.
    pub(crate) fn new(index: usize, opened: Opened, left: Option<u64>) -> Self {
        Self {
            opened,
            crc: crc32fast::Hasher::new(),
            taken: 0,
            resumptions: 0,
            index,
            left,
        }
    }

    /// The next part of the body; `None` at its end.
    pub(crate) async fn next(&mut self, gather: &Gather) -> Result<Option<Bytes>, Miss> {
        loop {
            // Looked at anew after each mending, which may have left the beginning of
            // what follows here.
            if !self.opened.prefix.is_empty() {
                let part = self.opened.prefix.remove(0);
                return self.count(part).map(Some);
            }
            match self.opened.response.next_chunk().await {
                Ok(Some(part)) => return self.count(part).map(Some),
                Ok(None) => return Ok(None),
                Err(error) if error.is_resumable() && self.resumptions < RESUMPTIONS => {
                    self.resumptions += 1;
                    self.mend(gather, error).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn count(&mut self, part: Bytes) -> Result<Bytes, Miss> {
        self.crc.update(&part);
        self.taken += part.len() as u64;
        match self.left {
            Some(left) if self.taken > left => Err(Miss::too_large(left)),
            _ => Ok(part),
        }
    }

    /// Goes on by `Range`; or from the beginning, where the bytes that went out
    /// already must come again as they were.
    async fn mend(&mut self, gather: &Gather, broken: FetchError) -> Result<(), Miss> {
        match self.opened.response.resume().await {
            Ok(Resumed::Continues) => return Ok(()),
            Ok(Resumed::StartsOver) => {}
            Err(FetchError::Cancelled) => return Err(Miss::cancelled()),
            Err(_) => self.opened.response = gather.open(self.index).await?,
        }
        let mut crc = crc32fast::Hasher::new();
        let mut skipped = 0;
        while skipped < self.taken {
            let Some(mut part) = next_of(&mut self.opened.response).await? else {
                return Err(broken.into());
            };
            let here = usize::try_from(self.taken - skipped)
                .unwrap_or(usize::MAX)
                .min(part.len());
            let rest = part.split_off(here);
            crc.update(&part);
            skipped += here as u64;
            if !rest.is_empty() {
                self.opened.prefix.push(rest);
            }
        }
        if crc.finalize() == self.crc.clone().finalize() {
            Ok(())
        } else {
            self.opened.prefix.clear();
            Err(broken.into())
        }
    }
}

async fn next_of(response: &mut Response) -> Result<Option<Bytes>, Miss> {
    Ok(response.next_chunk().await?)
}
