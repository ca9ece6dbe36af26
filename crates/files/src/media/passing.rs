//! What a film says of itself, taken from its bytes while they pass on their way to a store:
//! afterwards they would have to be fetched from there.

use super::movie::{BOXES, HEAD, Head, MOST};
use bytes::Bytes;

/// The longest box that says what a film is, in bytes.
const MOST_KIND: u64 = 4 * 1024;

/// Looks at a content while it passes, in order and from its beginning. It keeps nothing of
/// what is no film, and of a film what it says of itself and not its pictures.
#[derive(Debug)]
pub(crate) struct Passing {
    /// Bytes that have passed.
    at: u64,
    /// The box that says what it is.
    kind: Option<Vec<u8>>,
    boxes: usize,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// The head of a box is gathered.
    Head(Vec<u8>),
    /// A box is gathered that is wanted as a whole, which ends there.
    Wanted(Vec<u8>, Head),
    /// Nothing is wanted of what comes before this place.
    Past(u64),
    /// What it says is here.
    Found(Vec<u8>),
    /// It says nothing that is understood.
    Nothing,
}

impl Passing {
    pub(crate) const fn new() -> Self {
        Self {
            at: 0,
            kind: None,
            boxes: 0,
            stage: Stage::Head(Vec::new()),
        }
    }

    /// Looks at the bytes that come next.
    pub(crate) fn look(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !matches!(self.stage, Stage::Found(_) | Stage::Nothing) {
            let begins = self.at;
            let taken = match &mut self.stage {
                Stage::Head(head) => {
                    let wanted = wanted_of(head);
                    take(bytes, head, wanted)
                }
                Stage::Wanted(gathered, head) => {
                    let left = head.end.saturating_sub(begins);
                    take(bytes, gathered, usize::try_from(left).unwrap_or(usize::MAX))
                }
                Stage::Past(end) => {
                    let left = end.saturating_sub(begins);
                    bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX))
                }
                Stage::Found(_) | Stage::Nothing => return,
            };
            self.at += taken as u64;
            bytes = &bytes[taken..];
            self.go_on();
        }
    }

    /// Goes over to the next stage where this one is over.
    fn go_on(&mut self) {
        let stage = std::mem::replace(&mut self.stage, Stage::Nothing);
        self.stage = match stage {
            Stage::Head(head) if wanted_of(&head) > 0 => Stage::Head(head),
            Stage::Head(head) => self.begun(head),
            Stage::Wanted(gathered, head) if self.at < head.end => Stage::Wanted(gathered, head),
            Stage::Wanted(gathered, head) if head.kind == *b"moov" => Stage::Found(gathered),
            Stage::Wanted(gathered, _) => {
                self.kind = Some(gathered);
                Stage::Head(Vec::new())
            }
            Stage::Past(end) if self.at < end => Stage::Past(end),
            Stage::Past(_) => Stage::Head(Vec::new()),
            over => over,
        };
    }

    /// What is to be done with the box whose head has passed.
    fn begun(&mut self, gathered: Vec<u8>) -> Stage {
        let begins = self.at - gathered.len() as u64;
        self.boxes += 1;
        let Some(head) = Head::of(&gathered, begins, u64::MAX) else {
            return Stage::Nothing;
        };
        let length = head.end - begins;
        match (&self.kind, &head.kind) {
            (None, b"ftyp") if length <= MOST_KIND => Stage::Wanted(gathered, head),
            (Some(_), b"moov") if length <= MOST => Stage::Wanted(gathered, head),
            (Some(_), kind) if kind != b"moov" && self.boxes <= BOXES => Stage::Past(head.end),
            _ => Stage::Nothing,
        }
    }

    /// The film without its pictures, once all of it has passed; nothing where it is none, or
    /// says nothing.
    pub(crate) fn without_pictures(self) -> Option<Bytes> {
        match (self.kind, self.stage) {
            (Some(kind), Stage::Found(says)) => Some([kind, says].concat().into()),
            _ => None,
        }
    }
}

/// How much of a head is missing.
fn wanted_of(head: &[u8]) -> usize {
    let long = head.get(..4) == Some(&[0, 0, 0, 1]);
    let whole = if long { 2 * HEAD } else { HEAD };
    whole - head.len()
}

/// Appends at most so many of the bytes; how many.
fn take(bytes: &[u8], to: &mut Vec<u8>, most: usize) -> usize {
    let taken = bytes.len().min(most);
    to.extend_from_slice(&bytes[..taken]);
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len() + HEAD).expect("it is small");
        [&length.to_be_bytes()[..], kind, content].concat()
    }

    /// What was found of a film that comes in pieces of this length.
    fn found(film: &[u8], piece: usize) -> Option<Bytes> {
        let mut passing = Passing::new();
        film.chunks(piece).for_each(|bytes| passing.look(bytes));
        passing.without_pictures()
    }

    #[test]
    fn it_is_found_wherever_it_stands_and_in_whatever_pieces_it_comes() {
        let kind = boxed(b"ftyp", b"mp42");
        let says = boxed(b"moov", &[9; 3_000]);
        let pictures = boxed(b"mdat", &[7; 50_000]);
        let free = boxed(b"free", b"");
        let long = [
            &[0, 0, 0, 1][..],
            b"mdat",
            &30_016_u64.to_be_bytes(),
            &[7; 30_000],
        ]
        .concat();
        let expected = [&kind[..], &says].concat();
        for film in [
            [&kind[..], &says].concat(),
            [&kind[..], &says, &pictures].concat(),
            [&kind[..], &free, &pictures, &free, &says, &free].concat(),
            [&kind[..], &long, &says].concat(),
        ] {
            for piece in [1, 7, 4_096, film.len()] {
                let found = found(&film, piece);
                assert_eq!(found.as_deref(), Some(&expected[..]), "{piece}");
            }
        }
    }

    #[test]
    fn of_what_is_no_film_or_says_nothing_nothing_is_kept() {
        let kind = boxed(b"ftyp", b"mp42");
        let says = boxed(b"moov", &[9; 3_000]);
        let many = boxed(b"free", &[0; 100]).repeat(40);
        let endless = [0, 0, 0, 0, b'm', b'd', b'a', b't', 7, 7, 7, 7, 7, 7, 7, 7];
        let backwards = [&[0, 0, 0, 1][..], b"mdat", &[0; 8]].concat();
        let overflows = [&[0, 0, 0, 1][..], b"mdat", &[0xff; 8]].concat();
        let huge = [&[0x7f; 4][..], b"moov", &[7; 100]].concat();
        for film in [
            Vec::new(),
            b"RIFF of another kind, long enough".to_vec(),
            says.clone(),
            boxed(b"ftyp", &[0; 5_000]),
            kind.clone(),
            [&kind[..], &[0, 0]].concat(),
            [&kind[..], &many, &says].concat(),
            [&kind[..], &endless, &says].concat(),
            [&kind[..], &backwards, &says].concat(),
            [&kind[..], &overflows, &says].concat(),
            [&kind[..], &huge].concat(),
            [&kind[..], &says[..2_000]].concat(),
        ] {
            assert_eq!(found(&film, 13), None, "{} bytes", film.len());
        }
    }
}
