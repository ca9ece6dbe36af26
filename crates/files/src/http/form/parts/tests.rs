//! A form is what was put into it, however it is cut, and nothing else is one.

use super::*;
use futures::stream;
use proptest::prelude::*;
use std::convert::Infallible;

const SILENCE: Duration = Duration::from_secs(60);

type Parts = Vec<(Head, Vec<u8>)>;

/// Reads a form that comes in pieces of this length.
async fn read(boundary: &str, body: &[u8], piece: usize) -> Result<Parts, FormError> {
    let pieces: Vec<Result<Bytes, Infallible>> = body
        .chunks(piece.max(1))
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    let mut form = Form::new(boundary, stream::iter(pieces), SILENCE);
    let mut parts = Vec::new();
    while let Some(head) = form.next_part().await? {
        let mut content = Vec::new();
        while let Some(piece) = form.chunk().await? {
            assert!(!piece.is_empty());
            content.extend_from_slice(&piece);
        }
        parts.push((head, content));
    }
    assert_eq!(form.next_part().await, Ok(None), "it has ended");
    Ok(parts)
}

fn file(name: &str, content: &[u8]) -> Vec<u8> {
    let head = format!(
        "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"{name}\"\r\nContent-Type: text/plain\r\n\r\n"
    );
    [head.as_bytes(), content, b"\r\n"].concat()
}

#[tokio::test]
async fn parts_are_read_as_browsers_and_curl_write_them() {
    let body = [
        b"preamble\r\n--b\r\ncontent-disposition: form-data; name=\"prefix\"\r\n\r\ncovers/\r\n"
            .to_vec(),
        file("a b.txt", b"one\r\n--bb\r\n-"),
        file("empty", b""),
        file("says \\\"hi\\\" \\n", b"\r\n"),
        b"--b--\r\nepilogue".to_vec(),
    ]
    .concat();
    for piece in [1, 2, 3, 7, 1 << 20] {
        let parts = read("b", &body, piece).await;
        // `--bb` is a boundary that begins as this one does: RFC 2046 forbids it within.
        assert_eq!(
            parts,
            Err(FormError::Malformed("something stands behind a boundary"))
        );
    }
    let body = String::from_utf8(body)
        .expect("text")
        .replace("--bb", "--c");
    for piece in [1, 2, 3, 7, 1 << 20] {
        let parts = read("b", body.as_bytes(), piece).await.expect("a form");
        let names: Vec<_> = parts
            .iter()
            .map(|(head, _)| head.filename.as_deref())
            .collect();
        assert_eq!(
            names,
            [
                None,
                Some("a b.txt"),
                Some("empty"),
                Some("says \"hi\" \\n")
            ]
        );
        assert_eq!(parts[0].0.name, "prefix");
        assert_eq!(parts[1].0.media_type.as_deref(), Some("text/plain"));
        let contents: Vec<&[u8]> = parts.iter().map(|(_, content)| &**content).collect();
        assert_eq!(
            contents,
            [&b"covers/"[..], b"one\r\n--c\r\n-", b"", b"\r\n"]
        );
    }
}

#[tokio::test]
async fn a_form_that_ends_early_is_no_form() {
    let whole = [file("a", b"content"), b"--b--".to_vec()].concat();
    assert!(read("b", &whole, 5).await.is_ok());
    for length in 0..whole.len() {
        assert_eq!(
            read("b", &whole[..length], 5).await,
            Err(FormError::Broken),
            "{length}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_and_bounded() {
    let head = |lines: &str| format!("--b\r\n{lines}\r\n\r\nx\r\n--b--").into_bytes();
    for lines in [
        "Content-Type: text/plain",
        "Content-Disposition: form-data",
        "Content-Disposition: attachment; name=\"f\"",
        "Content-Disposition: form-data; name=\"f",
        "no header",
        "Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b",
    ] {
        let read = read("b", &head(lines), 9).await;
        assert!(matches!(read, Err(FormError::Malformed(_))), "{lines}");
    }
    let mut bytes = head("Content-Disposition: form-data; name=\"f\"; filename=\"\u{1}\"");
    let at = bytes
        .iter()
        .position(|byte| *byte == 1)
        .expect("it is there");
    bytes[at] = 0xff;
    assert!(read("b", &bytes, 9).await.is_err(), "no UTF-8");
    let long = "x".repeat(LONGEST_HEAD + 1);
    let lines = format!("Content-Disposition: form-data; name=\"{long}\"");
    assert!(matches!(
        read("b", &head(&lines), 4096).await,
        Err(FormError::Malformed(_))
    ));
    assert!(matches!(
        read("b", long.as_bytes(), 4096).await,
        Err(FormError::Malformed(_))
    ));
    let many = file("a", b"").repeat(MOST_PARTS + 1);
    assert_eq!(read("b", &many, 4096).await, Err(FormError::TooMany));
}

#[tokio::test(start_paused = true)]
async fn who_sends_nothing_is_not_waited_for() {
    let silent = stream::pending::<Result<Bytes, Infallible>>();
    let mut form = Form::new("b", silent, SILENCE);
    assert_eq!(form.next_part().await, Err(FormError::Silent));
}

#[test]
fn the_boundary_is_what_the_type_says() {
    for (text, expected) in [
        ("multipart/form-data; boundary=abc", Some("abc")),
        (
            "Multipart/Form-Data; charset=utf-8; BOUNDARY=\"a b\"",
            Some("a b"),
        ),
        (
            "multipart/form-data;boundary=----WebKitFormBoundaryX",
            Some("----WebKitFormBoundaryX"),
        ),
        ("multipart/form-data", None),
        ("multipart/form-data; boundary=", None),
        ("multipart/form-data; boundary=\"a", None),
        ("multipart/form-data; boundary=\"a\\\"b\"", None),
        ("multipart/mixed; boundary=abc", None),
        ("application/x-www-form-urlencoded", None),
    ] {
        assert_eq!(boundary(text).as_deref(), expected, "{text}");
    }
    let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
    assert_eq!(boundary(&long), None);
}

#[test]
fn names_are_read_with_what_older_clients_send() {
    let read = |text: &str| disposition(text).map(|head| head.filename);
    for (text, name) in [
        (" form-data; name=f; filename=plain.txt", "plain.txt"),
        (" form-data; name=\"f\"; filename=\"ä;b.txt\"", "ä;b.txt"),
        (
            " form-data; name=\"f\"; filename*=utf-8''%C3%A4.txt; filename=\"x\"",
            "ä.txt",
        ),
        (
            " form-data; name=\"f\"; filename=\"C:\\fake\\a\"",
            "C:\\fake\\a",
        ),
    ] {
        assert_eq!(read(text), Ok(Some(name.to_owned())), "{text}");
    }
}

proptest! {
    #[test]
    fn any_content_goes_round_however_it_is_cut(
        contents in prop::collection::vec(prop::collection::vec(
            prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), Just(b'b'), any::<u8>()], 0..60), 1..5),
        piece in 1_usize..40,
    ) {
        const BOUNDARY: &str = "b0undary";
        let mut body = Vec::new();
        for content in &contents {
            body.extend_from_slice(format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n").as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let parts = runtime.block_on(read(BOUNDARY, &body, piece)).expect("a form");
        let read: Vec<Vec<u8>> = parts.into_iter().map(|(_, content)| content).collect();
        prop_assert_eq!(read, contents);
    }

    #[test]
    fn bytes_of_any_kind_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), piece in 1_usize..50) {
        let body = [b"--b\r\nContent-Disposition: form-data; name=f".as_slice(), &bytes].concat();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let _ = runtime.block_on(read("b", &body, piece));
    }
}
