//! What a film says of itself stands in a box of its own, `moov` (ISO/IEC 14496-12), which
//! cameras write behind the pictures. Where the bytes are far away, it is looked for from box
//! to box, so that little is fetched.

use bytes::Bytes;
use futures::future::BoxFuture;
use std::ops::Range;

/// The longest such box that is looked at, in bytes: that of a film of hours.
pub(super) const MOST: u64 = 8 << 20;
/// What is fetched at once where a box begins: mostly the whole of the one that is wanted.
const PIECE: u64 = 64 * 1024;
/// How often something is fetched.
const FETCHES: usize = 4;
/// How many boxes are passed over.
pub(super) const BOXES: usize = 32;
/// The length of a box and its kind take so many bytes, or with a long length twice as many.
pub(super) const HEAD: usize = 8;

/// A box: its kind, and where it ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: [u8; 4],
    pub(super) end: u64,
}

impl Head {
    /// That of the box which begins with these bytes, at a place of a content of this size;
    /// nothing where it is none.
    pub(super) fn of(bytes: &[u8], at: u64, size: u64) -> Option<Self> {
        let short = u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?);
        let kind = bytes.get(4..HEAD)?.try_into().ok()?;
        let (length, least) = match short {
            0 => (size.checked_sub(at)?, HEAD),
            1 => {
                let long = bytes.get(HEAD..2 * HEAD)?.try_into().ok()?;
                (u64::from_be_bytes(long), 2 * HEAD)
            }
            short => (u64::from(short), HEAD),
        };
        let end = at.checked_add(length)?;
        (length >= least as u64 && end <= size).then_some(Self { kind, end })
    }
}

/// The box of a film that says what it is, and right behind it the one that says the rest: a
/// film without pictures. Nothing where it is no such film, or says it nowhere near.
pub(crate) async fn without_pictures<'a>(
    beginning: &Bytes,
    size: u64,
    mut fetch: impl FnMut(Range<u64>) -> BoxFuture<'a, Option<Bytes>> + Send,
) -> Option<Bytes> {
    let first = Head::of(beginning, 0, size)?;
    let kind = beginning.get(..usize::try_from(first.end).ok()?)?;
    if first.kind != *b"ftyp" {
        return None;
    }
    let (mut at, mut fetches) = (first.end, FETCHES);
    for _ in 0..BOXES {
        let known = usize::try_from(at).ok().and_then(|at| beginning.get(at..));
        let found = match known {
            Some(known) if known.len() >= 2 * HEAD => beginning.slice_ref(known),
            _ if at < size => {
                fetches = fetches.checked_sub(1)?;
                fetch(at..size.min(at + PIECE)).await?
            }
            _ => return None,
        };
        let head = Head::of(&found, at, size)?;
        if head.kind == *b"moov" {
            let length = head.end - at;
            if length > MOST {
                return None;
            }
            let length = usize::try_from(length).ok()?;
            let whole = match found.get(..length) {
                Some(whole) => found.slice_ref(whole),
                None => fetch(at..head.end).await?,
            };
            return Some([kind, &whole].concat().into());
        }
        at = head.end;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len() + HEAD).expect("it is small");
        [&length.to_be_bytes()[..], kind, content].concat()
    }

    /// What was found of a film of which the beginning is at hand, and how often was fetched.
    async fn found(film: &[u8], at_hand: usize) -> (Option<Bytes>, usize) {
        let film = Bytes::copy_from_slice(film);
        let (beginning, mut fetches) = (film.slice(..at_hand.min(film.len())), 0);
        let found = without_pictures(&beginning, film.len() as u64, |range| {
            fetches += 1;
            let [from, to] = [range.start, range.end].map(|at| usize::try_from(at).expect("small"));
            let piece = film.slice(from..to);
            async move { Some(piece) }.boxed()
        });
        (found.await, fetches)
    }

    #[tokio::test]
    async fn it_is_found_wherever_it_stands_with_few_fetches() {
        let kind = boxed(b"ftyp", b"mp42");
        let pictures = boxed(b"mdat", &[7; 500_000]);
        let long = [
            &[0, 0, 0, 1][..],
            b"mdat",
            &300_016_u64.to_be_bytes(),
            &[7; 300_000],
        ]
        .concat();
        let free = boxed(b"free", &[0; 100]);
        for (says, most) in [
            (boxed(b"moov", b"says"), 1),
            (boxed(b"moov", &[9; 200_000]), 2),
        ] {
            let expected = [&kind[..], &says].concat();
            for (film, fetches) in [
                ([&kind[..], &says, &pictures].concat(), most - 1),
                ([&kind[..], &pictures, &says].concat(), most),
                ([&kind[..], &long, &says, &free].concat(), most),
                (
                    [&kind[..], &free, &pictures, &free, &says].concat(),
                    most + 1,
                ),
            ] {
                let (found, fetched) = found(&film, 100_000).await;
                assert_eq!(found.as_deref(), Some(&expected[..]));
                assert!(fetched <= fetches, "{fetched}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_no_film_or_says_nothing_is_soon_given_up() {
        let kind = boxed(b"ftyp", b"mp42");
        let many = boxed(b"free", &[0; 80_000]).repeat(40);
        let endless = [0, 0, 0, 0, b'm', b'd', b'a', b't', 7, 7, 7, 7, 7, 7, 7, 7];
        let huge = [&[0xff; 4][..], b"mdat", &[7; 100]].concat();
        let backwards = [&[0, 0, 0, 1][..], b"mdat", &[0; 8]].concat();
        let overflows = [&[0, 0, 0, 1][..], b"mdat", &[0xff; 8]].concat();
        for film in [
            Vec::new(),
            b"RIFF of another kind, long enough".to_vec(),
            kind.clone(),
            [&kind[..], &[0, 0]].concat(),
            [&kind[..], &many].concat(),
            [&kind[..], &endless].concat(),
            [&kind[..], &huge].concat(),
            [&kind[..], &backwards].concat(),
            [&kind[..], &overflows].concat(),
        ] {
            let (found, fetched) = found(&film, 40).await;
            assert_eq!(found, None, "{} bytes", film.len());
            assert!(fetched <= FETCHES, "{fetched}");
        }
    }
}
