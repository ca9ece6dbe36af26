//! Bodies: given bytes, or made up from a seed, the same at every reading, of any
//! length without being held in memory.

use std::sync::Arc;

/// The content of an answer.
#[derive(Clone, Debug)]
pub struct Content(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Bytes(Arc<[u8]>),
    Seeded { seed: u64, length: Option<u64> },
}

impl Content {
    /// These bytes.
    #[must_use]
    pub fn bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self(Kind::Bytes(bytes.as_ref().into()))
    }

    /// `length` bytes that no compression makes smaller, others for another seed.
    #[must_use]
    pub const fn seeded(seed: u64, length: u64) -> Self {
        Self(Kind::Seeded {
            seed,
            length: Some(length),
        })
    }

    /// Bytes without an end.
    #[must_use]
    pub const fn endless(seed: u64) -> Self {
        Self(Kind::Seeded { seed, length: None })
    }

    /// How many bytes there are; nothing when there is no end.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        match &self.0 {
            Kind::Bytes(bytes) => u64::try_from(bytes.len()).ok(),
            Kind::Seeded { length, .. } => *length,
        }
    }

    /// Fills `buffer` from `offset` on; how many bytes there were.
    pub fn read(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let wanted = match self.length() {
            Some(length) => {
                let left = length.saturating_sub(offset);
                usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()))
            }
            None => buffer.len(),
        };
        let buffer = &mut buffer[..wanted];
        match &self.0 {
            Kind::Bytes(bytes) => {
                let from = usize::try_from(offset)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                buffer.copy_from_slice(&bytes[from..from + wanted]);
            }
            Kind::Seeded { seed, .. } => fill(*seed, offset, buffer),
        }
        wanted
    }

    /// All of it, for comparing.
    ///
    /// # Panics
    /// When it has no end.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let length = self.length().expect("endless content fits into no vector");
        let mut all = vec![0; usize::try_from(length).expect("content that a test holds fits")];
        self.read(0, &mut all);
        all
    }
}

/// Eight bytes at a time, each eight from the number of their place.
fn fill(seed: u64, offset: u64, buffer: &mut [u8]) {
    let mut at = offset;
    let mut rest = buffer;
    while !rest.is_empty() {
        let word = mix(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (at / 8)).to_le_bytes();
        let skip = usize::try_from(at % 8).unwrap_or(0);
        let count = (8 - skip).min(rest.len());
        rest[..count].copy_from_slice(&word[skip..skip + count]);
        rest = &mut rest[count..];
        at += count as u64;
    }
}

/// The finishing step of splitmix64: neighbours in, strangers out.
const fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_the_same_however_it_is_read() {
        for content in [
            Content::seeded(7, 1000),
            Content::bytes(Content::seeded(7, 1000).to_vec()),
        ] {
            let whole = content.to_vec();
            assert_eq!(whole.len(), 1000);
            for (from, length) in [(0_usize, 1), (3, 10), (5, 8), (992, 8), (999, 1)] {
                let mut part = vec![0; length];
                assert_eq!(content.read(from as u64, &mut part), length);
                assert_eq!(
                    part,
                    whole[from..from + length],
                    "{length} bytes from {from}"
                );
            }
            assert_eq!(content.read(995, &mut [0; 100]), 5);
            assert_eq!(content.read(1000, &mut [0; 100]), 0);
        }
    }

    #[test]
    fn another_seed_gives_other_bytes() {
        assert_ne!(
            Content::seeded(1, 64).to_vec(),
            Content::seeded(2, 64).to_vec()
        );
        assert_eq!(Content::endless(1).read(u64::MAX / 2, &mut [0; 64]), 64);
    }
}
