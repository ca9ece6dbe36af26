//! Taking off what a server put around a body for the way (`Content-Encoding`).
//!
//! Longshore asks for `identity`, but objects that are stored compressed come so
//! whatever is asked for. Nothing is read ahead of the caller: one step gives at most
//! [`OUTPUT`] bytes, however much a few bytes may grow to, so that the caller's limits
//! bound the growth. A stream that ends within itself is an error, never an end.

use bytes::{Buf, Bytes};
use flate2::bufread::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use http::{HeaderMap, header};
use std::io::{self, BufRead, Read};

/// Most bytes that one step gives.
const OUTPUT: usize = 32 * 1024;

/// What a step came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Bytes of the body, never none.
    Decoded(Bytes),
    /// It needs more of what was sent.
    Hungry,
    /// The body is whole.
    End,
}

/// Takes one encoding off.
pub(crate) struct Decoder {
    encoding: Encoding,
    output: Box<[u8]>,
    given: u64,
    is_broken: bool,
}

enum Encoding {
    Gzip(Box<MultiGzDecoder<Feed>>),
    Deflate(Box<Deflate>),
}

impl Decoder {
    /// One for an answer with these headers; nothing where it is not encoded.
    ///
    /// # Errors
    /// The encoding, where it is none that is known here.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Option<Self>, String> {
        let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
        let named = match (values.next(), values.next()) {
            (None, _) => return Ok(None),
            (Some(value), None) => value.to_str().unwrap_or("?").trim().to_ascii_lowercase(),
            (Some(_), Some(_)) => return Err("several at once".to_owned()),
        };
        let encoding = match named.as_str() {
            "" | "identity" => return Ok(None),
            "gzip" | "x-gzip" => Encoding::Gzip(Box::new(MultiGzDecoder::new(Feed::default()))),
            "deflate" => Encoding::Deflate(Box::default()),
            other => return Err(other.chars().take(32).collect()),
        };
        Ok(Some(Self {
            encoding,
            output: vec![0; OUTPUT].into(),
            given: 0,
            is_broken: false,
        }))
    }

    /// Bytes that it gave.
    pub(crate) const fn given(&self) -> u64 {
        self.given
    }

    /// Takes the next part of what was sent. Only after [`Step::Hungry`].
    pub(crate) fn feed(&mut self, part: Bytes) {
        match &mut self.encoding {
            Encoding::Gzip(gzip) => gzip.get_mut().add(part),
            Encoding::Deflate(deflate) => deflate.feed.add(part),
        }
    }

    /// All was sent.
    pub(crate) fn end(&mut self) {
        match &mut self.encoding {
            Encoding::Gzip(gzip) => gzip.get_mut().ended = true,
            Encoding::Deflate(deflate) => deflate.feed.ended = true,
        }
    }

    /// The next bytes.
    ///
    /// # Errors
    /// When what was sent is not what it says to be, or ends too early.
    pub(crate) fn step(&mut self) -> io::Result<Step> {
        if self.is_broken {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let read = match &mut self.encoding {
            Encoding::Gzip(gzip) if gzip.get_ref().is_nothing() => Ok(0),
            Encoding::Gzip(gzip) => gzip.read(&mut self.output),
            Encoding::Deflate(deflate) => deflate.read(&mut self.output),
        };
        match read {
            Ok(0) => Ok(Step::End),
            Ok(count) => {
                self.given += count as u64;
                Ok(Step::Decoded(Bytes::copy_from_slice(&self.output[..count])))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Step::Hungry),
            Err(error) => {
                self.is_broken = true;
                Err(error)
            }
        }
    }
}

/// What was sent and not yet decoded.
#[derive(Default)]
struct Feed {
    part: Bytes,
    came: bool,
    ended: bool,
}

impl Feed {
    fn add(&mut self, part: Bytes) {
        self.came |= !part.is_empty();
        self.part = part;
    }

    /// Whether nothing at all was sent: an empty body, which has no encoding.
    fn is_nothing(&self) -> bool {
        self.ended && !self.came
    }
}

impl Read for Feed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.len().min(into.len());
        self.part.copy_to_slice(&mut into[..count]);
        Ok(count)
    }
}

impl BufRead for Feed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.part.is_empty() && !self.ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(&self.part)
    }

    fn consume(&mut self, count: usize) {
        self.part.advance(count);
    }
}

/// `deflate` means zlib's format (RFC 9110 §8.4.1.2); some servers send the bare
/// stream instead, which browsers take as well.
#[derive(Default)]
struct Deflate {
    feed: Feed,
    /// Made when the first bytes tell which it is.
    inflate: Option<Decompress>,
    first: Option<u8>,
    is_whole: bool,
}

impl Deflate {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.feed.is_nothing() {
                return Ok(0);
            }
            if self.is_whole {
                // Whatever follows belongs to nothing.
                self.feed.part.clear();
                return self.feed.fill_buf().map(|_| 0);
            }
            let input = self.feed.fill_buf()?;
            let at_end = input.is_empty();
            let Some(inflate) = &mut self.inflate else {
                self.begin()?;
                continue;
            };
            let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
            let status = inflate.decompress(&self.feed.part, output, FlushDecompress::None);
            let status = status.map_err(io::Error::other)?;
            let consumed = usize::try_from(inflate.total_in() - before_in).unwrap_or(0);
            let produced = usize::try_from(inflate.total_out() - before_out).unwrap_or(0);
            self.feed.part.advance(consumed);
            self.is_whole = status == Status::StreamEnd;
            if produced > 0 {
                return Ok(produced);
            }
            if at_end && !self.is_whole {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Two bytes tell zlib's header from the bare stream (RFC 1950 §2.2).
    fn begin(&mut self) -> io::Result<()> {
        let first = match self.first {
            Some(first) => first,
            None => *self.first.insert(next_byte(&mut self.feed)?),
        };
        let second = next_byte(&mut self.feed)?;
        let is_zlib = first & 0x0f == 8 && u16::from_be_bytes([first, second]) % 31 == 0;
        self.inflate = Some(Decompress::new(is_zlib));
        // They are a part of the stream, too.
        let rest = std::mem::take(&mut self.feed.part);
        self.feed.part = [&[first, second], &rest[..]].concat().into();
        Ok(())
    }
}

fn next_byte(feed: &mut Feed) -> io::Result<u8> {
    let byte = *feed
        .fill_buf()?
        .first()
        .ok_or(io::ErrorKind::UnexpectedEof)?;
    feed.consume(1);
    Ok(byte)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Write;

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::fast());
        out.write_all(body).unwrap();
        out.finish().unwrap()
    }

    fn zlib(body: &[u8]) -> Vec<u8> {
        let mut out = ZlibEncoder::new(Vec::new(), Compression::fast());
        out.write_all(body).unwrap();
        out.finish().unwrap()
    }

    fn bare(body: &[u8]) -> Vec<u8> {
        let mut out = DeflateEncoder::new(Vec::new(), Compression::fast());
        out.write_all(body).unwrap();
        out.finish().unwrap()
    }

    fn decoder(encoding: &str) -> Result<Option<Decoder>, String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_ENCODING, encoding.parse().unwrap());
        Decoder::of(&headers)
    }

    fn decoded(encoding: &str, sent: &[u8], piece: usize) -> io::Result<Vec<u8>> {
        let mut decoder = decoder(encoding).unwrap().unwrap();
        let mut parts = sent.chunks(piece);
        let mut all = Vec::new();
        loop {
            match decoder.step()? {
                Step::Decoded(bytes) => {
                    assert!(bytes.len() <= OUTPUT);
                    all.extend_from_slice(&bytes);
                }
                Step::Hungry => match parts.next() {
                    Some(part) => decoder.feed(Bytes::copy_from_slice(part)),
                    None => decoder.end(),
                },
                Step::End => {
                    assert_eq!(decoder.given(), all.len() as u64);
                    return Ok(all);
                }
            }
        }
    }

    #[test]
    fn every_form_comes_back_however_it_is_cut() {
        let body: Vec<u8> = (0..100_000_u32).map(|n| (n / 7 % 251) as u8).collect();
        let twice = [gzip(&body[..100]), gzip(&body[100..])].concat();
        for piece in [1, 2, 3, 1000, 1 << 20] {
            assert!(decoded("gzip", &gzip(&body), piece).unwrap() == body);
            assert!(decoded("X-GZIP", &twice, piece).unwrap() == body);
            assert!(decoded("deflate", &zlib(&body), piece).unwrap() == body);
            assert!(decoded("deflate", &bare(&body), piece).unwrap() == body);
            for empty in [gzip(&[]), Vec::new()] {
                assert!(decoded("gzip", &empty, piece).unwrap().is_empty());
            }
            for empty in [zlib(&[]), bare(&[]), Vec::new()] {
                assert!(decoded("deflate", &empty, piece).unwrap().is_empty());
            }
        }
    }

    #[test]
    fn what_ends_within_itself_is_no_end() {
        let body = vec![7; 50_000];
        for (encoding, whole) in [
            ("gzip", gzip(&body)),
            ("deflate", zlib(&body)),
            ("deflate", bare(&body)),
        ] {
            for length in 1..whole.len() {
                assert!(decoded(encoding, &whole[..length], 10).is_err(), "{length}");
            }
        }
        assert!(decoded("gzip", b"plain words", 100).is_err());
    }

    #[test]
    fn a_bomb_goes_off_in_small_steps() {
        let bomb = gzip(&vec![0; 20 << 20]);
        assert!(bomb.len() < 1 << 20, "{}", bomb.len());
        assert_eq!(decoded("gzip", &bomb, 1 << 20).unwrap().len(), 20 << 20);
    }

    #[test]
    fn only_what_is_known_is_decoded() {
        assert!(Decoder::of(&HeaderMap::new()).unwrap().is_none());
        assert!(decoder("identity").unwrap().is_none());
        for unknown in ["br", "zstd", "gzip, gzip"] {
            assert_eq!(decoder(unknown).err().as_deref(), Some(unknown));
        }
    }
}
