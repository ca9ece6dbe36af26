//! A large body on its way through: mended where it breaks off, and never longer
//! than the bundle's limit leaves. What went out once is never sent differently.

use crate::board::Board;
use crate::gather::{Broken, Miss, Opened, RESUMPTIONS};
use bytes::Bytes;
use fetch::Resumed;

/// What a bundle may still take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Its limit.
    pub(crate) limit: u64,
    /// What is left of it.
    pub(crate) left: u64,
}

/// A body that passes through, mended where it breaks off.
pub(crate) struct Flowing {
    opened: Opened,
    board: Board,
    crc: crc32fast::Hasher,
    /// Bytes that were given out.
    pub(crate) taken: u64,
    /// Bytes that the board counted when they were read, before their turn came.
    counted: usize,
    resumptions: u32,
    index: usize,
    room: Option<Room>,
}

impl Flowing {
    /// The body of source `index`.
    pub(crate) fn new(index: usize, opened: Opened, board: Board, room: Option<Room>) -> Self {
        Self {
            counted: opened.read(),
            opened,
            board,
            crc: crc32fast::Hasher::new(),
            taken: 0,
            resumptions: 0,
            index,
            room,
        }
    }

    /// The next part of the body; `None` at its end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Miss> {
        loop {
            // Looked at anew after each mending, which may have left the beginning of
            // what follows here.
            if let Some(part) = self.opened.pop() {
                return self.count(part).map(Some);
            }
            match self.opened.rest.next().await {
                Ok(Some(part)) => return self.count(part).map(Some),
                Ok(None) => return Ok(None),
                Err(error) if error.is_resumable() && self.resumptions < RESUMPTIONS => {
                    self.resumptions += 1;
                    self.mend(error).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn count(&mut self, part: Bytes) -> Result<Bytes, Miss> {
        let before = part.len().min(self.counted);
        self.counted -= before;
        self.board.moved(self.index, part.len() - before);
        self.crc.update(&part);
        self.taken += part.len() as u64;
        match self.room {
            Some(Room { limit, left }) if self.taken > left => Err(Miss::too_large(limit)),
            _ => Ok(part),
        }
    }

    /// Goes on by `Range`; or from the beginning, where the bytes that went out
    /// already must come again as they were.
    async fn mend(&mut self, broken: Broken) -> Result<(), Miss> {
        match self.opened.rest.resume().await? {
            Resumed::Continues => Ok(()),
            Resumed::StartsOver => self.skip_what_went_out(broken).await,
        }
    }

    async fn skip_what_went_out(&mut self, broken: Broken) -> Result<(), Miss> {
        let mut crc = crc32fast::Hasher::new();
        let mut skipped = 0;
        while skipped < self.taken {
            let Some(mut part) = self.opened.rest.next().await? else {
                return Err(broken.into());
            };
            let here = usize::try_from(self.taken - skipped)
                .unwrap_or(usize::MAX)
                .min(part.len());
            let rest = part.split_off(here);
            crc.update(&part);
            skipped += here as u64;
            if !rest.is_empty() {
                self.opened.push(rest);
            }
        }
        if crc.finalize() == self.crc.clone().finalize() {
            Ok(())
        } else {
            self.opened.forget();
            Err(broken.into())
        }
    }
}
