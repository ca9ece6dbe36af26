//! What must hold for any secrets, any text and any chunks: bodies of properties,
//! shared by the tests and by the fuzz target. Each panics when its property does
//! not hold.

use super::{MARK, RedactedStream, Redactor, SHORTEST};

/// A stream comes out as the whole does, and shows all of the text but its secrets.
///
/// # Panics
/// When that is not so.
pub fn check<S: AsRef<[u8]>>(secrets: &[S], text: &[u8], sizes: &[usize]) {
    let redactor = Redactor::new(secrets);
    let whole = redactor.redact_bytes(text);
    assert!(
        streamed(&redactor, text, sizes) == *whole,
        "chunks made a difference"
    );
    let pieces = shown_pieces(&whole);
    assert!(is_from(text, &pieces), "what was no secret is another");
    if secrets
        .iter()
        .all(|secret| secret.as_ref().len() < SHORTEST)
    {
        assert!(*whole == *text, "there was nothing to redact");
    }
    for piece in pieces {
        for secret in secrets.iter().map(AsRef::as_ref) {
            let shows =
                secret.len() >= SHORTEST && piece.windows(secret.len()).any(|at| at == secret);
            assert!(!shows, "a secret came through");
        }
    }
}

/// [`check`] with secrets, text and sizes of chunks taken from any bytes: pieces
/// between 0xFF, the first the sizes, the last the text, all others secrets. The
/// text is also tried with the secrets in its midst.
///
/// # Panics
/// When the property does not hold.
pub fn check_any(data: &[u8]) {
    let mut pieces = data.split(|byte| *byte == 0xff);
    let sizes: Vec<usize> = pieces
        .next()
        .unwrap_or_default()
        .iter()
        .map(|byte| usize::from(*byte))
        .collect();
    let text = pieces.next_back().unwrap_or_default();
    let secrets: Vec<&[u8]> = pieces.collect();
    check(&secrets, text, &sizes);
    let (before, after) = text.split_at(text.len() / 2);
    check(
        &secrets,
        &[before, &secrets.concat(), after].concat(),
        &sizes,
    );
}

/// What a stream makes of `text`, cut into chunks of these sizes, again and again.
pub(super) fn streamed(redactor: &Redactor, text: &[u8], sizes: &[usize]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut stream = RedactedStream::new(redactor);
    let mut rest = text;
    let mut sizes = sizes.iter().copied().cycle();
    while !rest.is_empty() {
        let size = sizes.next().unwrap_or(1).clamp(1, rest.len());
        let (chunk, tail) = rest.split_at(size);
        stream.push(chunk, &mut out);
        rest = tail;
    }
    stream.finish(&mut out);
    out
}

/// What stands between the marks.
fn shown_pieces(out: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut rest = out;
    while let Some(at) = rest
        .windows(MARK.len())
        .position(|window| window == MARK.as_bytes())
    {
        let (piece, tail) = rest.split_at(at);
        pieces.push(piece);
        rest = tail.get(MARK.len()..).unwrap_or_default();
    }
    pieces.push(rest);
    pieces
}

/// Whether `pieces` stand in `text` in this order, the first at its beginning and the
/// last at its end.
fn is_from(text: &[u8], pieces: &[&[u8]]) -> bool {
    let mut rest = text;
    for piece in pieces {
        let found = (0..=rest.len()).find(|at| rest[*at..].starts_with(piece));
        let Some(after) = found.map(|at| at + piece.len()) else {
            return false;
        };
        rest = &rest[after..];
    }
    let ends =
        |whole: &[u8], piece: Option<&&[u8]>| piece.is_some_and(|piece| whole.ends_with(piece));
    pieces.first().is_some_and(|piece| text.starts_with(piece)) && ends(text, pieces.last())
}
