//! Objects whose bytes come while they are sent.

use super::*;
use fetch::{FetchError, Streamed};
use futures::{StreamExt, stream};
use std::io;

/// A body of so many bytes that comes in pieces, and fails after them with `error`.
fn body(content: &[u8], length: u64, error: Option<io::ErrorKind>) -> Streamed {
    let pieces: Vec<io::Result<Bytes>> = content
        .chunks(300_001)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .chain(error.map(|kind| Err(kind.into())))
        .collect();
    Streamed::new(length, stream::iter(pieces).boxed())
}

fn whole(content: &[u8]) -> Streamed {
    body(content, content.len() as u64, None)
}

#[tokio::test]
async fn what_comes_while_it_is_sent_is_there_in_one_request() {
    let Some(peer) = S3Store::start().await else {
        return;
    };
    let store = on(&peer, "below/");
    let headers = ObjectHeaders {
        content_type: Some("video/x-cargo".to_owned()),
        metadata: [("album".to_owned(), "blue one".to_owned())].into(),
        ..ObjectHeaders::default()
    };
    for size in [0, 1, 20 << 20] {
        let content = Content::seeded(7, size).to_vec();
        let put = store
            .put_streamed("a b", whole(&content), &headers, None)
            .await;
        let etag = put.expect("put");
        assert_eq!(etag, md5(&content));
        let head = store.head("a b").await.expect("asked").expect("there");
        assert_eq!((head.size, &head.headers), (size, &headers));
        let read = store.read("a b", None, Some(&etag)).await.expect("read");
        assert!(all(read).await == content, "{size} bytes are the same");
    }
    assert_eq!(peer.keys(), ["below/a b"]);
    assert_eq!(peer.unfinished(), 0);
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_what_was_there() {
    let Some(peer) = S3Store::start().await else {
        return;
    };
    let store = on(&peer, "");
    let headers = ObjectHeaders::default();
    let before = store.put("a", Bytes::from_static(b"before"), &headers);
    let before = before.await.expect("put");
    let content = Content::seeded(7, 10 << 20).to_vec();
    let length = content.len() as u64;
    for broken in [
        body(&content, length + 1, Some(io::ErrorKind::TimedOut)),
        body(&content, length + 1, None),
        body(&content, length - 1, None),
    ] {
        let error = store.put_streamed("a", broken, &headers, None).await;
        let error = error.expect_err("it is not whole");
        assert!(
            matches!(error, ObjectError::Unreachable(FetchError::Source { .. })),
            "{error}"
        );
        assert!(error.is_passing(), "{error}");
        let head = store.head("a").await.expect("asked").expect("there");
        assert_eq!(head.etag, before);
    }
    assert_eq!(peer.keys(), ["a"]);
    assert_eq!(peer.unfinished(), 0);
}

/// A store that says this of what was put, and that it has `there` of it.
async fn saying(etag: &str, more: &[(&str, &str)], there: &str) -> Origin {
    let origin = Origin::start().await;
    let (etag, there) = (format!("\"{etag}\""), there.to_owned());
    let more: Vec<(String, String)> = more
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    origin.answer_others(move |_| {
        let answer = Answer::ok(Content::bytes(&there))
            .header("ETag", &etag)
            .header("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT");
        more.iter()
            .fold(answer, |answer, (name, value)| answer.header(name, value))
    });
    origin
}

#[tokio::test]
async fn what_the_store_has_is_compared_with_what_was_sent() {
    const MD5: &str = "5d41402abc4b2a76b9719d911017c592";
    const OTHER: &str = "00000000000000000000000000000000";
    let by_key = [("x-amz-server-side-encryption", "aws:kms")];
    let upper = MD5.to_uppercase();
    for (etag, more, there, methods, same) in [
        (MD5, &[][..], "", &["PUT"][..], true),
        (&upper, &[], "", &["PUT"], true),
        (OTHER, &[], "hello", &["PUT", "DELETE"], false),
        // No MD5 but by its looks, or not even so.
        (OTHER, &by_key, "hello", &["PUT", "HEAD"], true),
        ("x-1", &[], "hello", &["PUT", "HEAD"], true),
        ("x-1", &[], "hell", &["PUT", "HEAD"], false),
    ] {
        let origin = saying(etag, more, there).await;
        let store = at(origin.url(""));
        let headers = ObjectHeaders::default();
        let put = store.put_streamed("a", whole(b"hello"), &headers, None);
        match put.await {
            Ok(said) => assert!(same && said == etag, "{etag} {there}"),
            Err(error) => {
                assert!(!same && matches!(error, ObjectError::Garbled), "{error}");
                assert!(error.is_passing());
            }
        }
        let seen: Vec<String> = origin.seen().into_iter().map(|seen| seen.method).collect();
        assert_eq!(seen, methods, "{etag} {there}");
    }
}

#[tokio::test]
async fn a_refusal_of_what_was_streamed_says_when_to_come_back() {
    let origin = Origin::start().await;
    let store = at(origin.url(""));
    for (status, code, passes) in [
        (503, "SlowDown", true),
        (429, "TooManyRequests", true),
        (400, "RequestTimeout", true),
        (400, "InvalidRequest", false),
    ] {
        origin.answer_others(move |_| {
            let error = format!("<Error><Code>{code}</Code><Message>No.</Message></Error>");
            let length = error.len();
            Answer::raw(format!(
                "HTTP/1.1 {status} No\r\nRetry-After: 7\r\nContent-Length: {length}\r\n\r\n{error}"
            ))
        });
        let headers = ObjectHeaders::default();
        let put = store.put_streamed("a", whole(b"hello"), &headers, None);
        let error = put.await.expect_err("it is refused");
        assert_eq!(error.is_passing(), passes, "{error}");
        let ObjectError::Refused { after, .. } = error else {
            panic!("{error}");
        };
        assert_eq!(after, Some(Duration::from_secs(7)));
    }
    assert_eq!(origin.seen().len(), 4, "a body is sent once");
}

#[tokio::test]
async fn an_md5_that_the_source_names_is_what_the_store_is_compared_with() {
    const MD5: &str = "5d41402abc4b2a76b9719d911017c592";
    let Some(peer) = S3Store::start().await else {
        return;
    };
    let store = on(&peer, "");
    let headers = ObjectHeaders::default();
    let upper = MD5.to_uppercase();
    let put = store.put_streamed("a", whole(b"hello"), &headers, Some(&upper));
    assert_eq!(put.await.expect("put"), MD5);
    let head = store.head("a").await.expect("asked").expect("there");
    assert_eq!(head.md5.as_deref(), Some(MD5));
    // What came is not what the source has: nobody shall take it for that.
    let put = store.put_streamed("a", whole(b"hullo"), &headers, Some(MD5));
    let error = put.await.expect_err("it is another content");
    assert!(matches!(error, ObjectError::Garbled), "{error}");
    assert_eq!(peer.keys(), Vec::<String>::new());
}

#[tokio::test]
async fn parts_that_come_while_they_are_sent_make_an_object() {
    let Some(peer) = S3Store::start().await else {
        return;
    };
    let store = on(&peer, "below/");
    let content = Content::seeded(7, 12 << 20).to_vec();
    let headers = ObjectHeaders::default();
    let id = store
        .create_multipart("a b", &headers)
        .await
        .expect("begun");
    let mut parts = Vec::new();
    for (part, number) in content.chunks(5 << 20).zip(1..) {
        let put = store.put_part_streamed("a b", &id, number, whole(part));
        let etag = put.await.expect("put");
        assert_eq!(etag, md5(part));
        parts.push((number, etag));
    }
    // One that breaks off leaves what was there of it.
    let broken = body(&content[..9], 10, None);
    let put = store.put_part_streamed("a b", &id, 3, broken).await;
    assert!(put.expect_err("it is not whole").is_passing());
    let placed = store.complete_multipart("a b", &id, &parts).await;
    let etag = placed.expect("placed");
    let read = store.read("a b", None, Some(&etag)).await.expect("read");
    assert!(all(read).await == content, "all of it, in its order");
    assert_eq!(peer.unfinished(), 0);
}

#[tokio::test]
async fn a_part_that_came_otherwise_is_sent_again() {
    let origin = saying("00000000000000000000000000000000", &[], "").await;
    let store = at(origin.url(""));
    let put = store.put_part_streamed("a", "id", 1, whole(b"hello"));
    let error = put.await.expect_err("it is another content");
    assert!(matches!(error, ObjectError::Garbled) && error.is_passing());
}
