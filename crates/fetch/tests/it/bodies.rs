//! Bodies that are whole, and the many ways in which they are not.

use super::origin::{Origin, ok};
use super::raw::{Raw, Then};
use super::{get, get_text, local, local_policy, quick, soon};
use crate::fetch::{Client, FetchError, Limits};
use std::time::Duration;

async fn body_of(bytes: &'static str, then: Then, limits: Limits) -> Result<String, FetchError> {
    let raw = Raw::start(vec![(bytes, then)]).await;
    let client = Client::new(local_policy(), limits);
    let outcome = soon(get_text(&client, &raw.url())).await;
    if let Err(error) = &outcome {
        let text = format!("{error} {error:?}");
        assert!(!text.contains("secret"), "{text}");
        // Whatever was wrong, the connection is not kept.
        soon(raw.left(1)).await;
    }
    outcome
}

#[tokio::test]
async fn a_body_shorter_than_announced_is_truncated() {
    let bytes = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n0123456789";
    let error = body_of(bytes, Then::Close, quick()).await.unwrap_err();
    assert!(
        matches!(
            error,
            FetchError::Truncated {
                got: 10,
                expected: 100,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.is_resumable());
}

#[tokio::test]
async fn a_body_longer_than_announced_is_not_read_over() {
    let bytes = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello, and more";
    assert_eq!(body_of(bytes, Then::Close, quick()).await.unwrap(), "hello");
}

#[tokio::test]
async fn a_chunked_body_without_its_end_is_broken() {
    let bytes = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
    let error = body_of(bytes, Then::Close, quick()).await.unwrap_err();
    assert!(
        matches!(error, FetchError::Broken { got: 5, .. }),
        "{error:?}"
    );
    assert_eq!(error.code(), "truncated");
    let whole = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    assert_eq!(body_of(whole, Then::Close, quick()).await.unwrap(), "hello");
}

#[tokio::test]
async fn a_body_that_ends_with_its_connection_is_whole() {
    let bytes = "HTTP/1.1 200 OK\r\n\r\nhello";
    assert_eq!(body_of(bytes, Then::Close, quick()).await.unwrap(), "hello");
}

#[tokio::test]
async fn a_silent_body_is_given_up() {
    let limits = Limits {
        silence: Duration::from_millis(50),
        ..quick()
    };
    let bytes = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc";
    let error = body_of(bytes, Then::Hold, limits).await.unwrap_err();
    assert!(
        matches!(error, FetchError::SilenceTimeout { got: 3, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_body_that_only_drips_is_given_up() {
    let limits = Limits {
        silence: Duration::from_millis(60),
        least_bytes: 1024,
        ..quick()
    };
    let bytes = "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n";
    let drip = Then::Drip(Duration::from_millis(5));
    let error = body_of(bytes, drip, limits).await.unwrap_err();
    assert_eq!(error.code(), "timeout-silence");
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused_unread_when_it_says_so() {
    let limits = Limits {
        max_bytes: Some(4),
        ..quick()
    };
    let said = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
    let error = body_of(said, Then::Hold, limits.clone()).await.unwrap_err();
    assert!(
        matches!(error, FetchError::TooLarge { limit: 4 }),
        "{error:?}"
    );

    let unsaid = "HTTP/1.1 200 OK\r\n\r\n12345";
    let error = body_of(unsaid, Then::Hold, limits.clone())
        .await
        .unwrap_err();
    assert!(
        matches!(error, FetchError::TooLarge { limit: 4 }),
        "{error:?}"
    );

    let just = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n1234";
    assert_eq!(body_of(just, Then::Close, limits).await.unwrap(), "1234");
}

#[tokio::test]
async fn a_request_may_ask_for_less_than_the_limit() {
    let origin = Origin::start(|_| async { ok("12345") }).await;
    let client = local();
    let url = client.check(&origin.url("/")).unwrap();
    let request = crate::fetch::Request::get(url).max_bytes(3);
    let cancel = tokio_util::sync::CancellationToken::new();
    let error = client.send(request, &cancel).await.unwrap_err();
    assert!(
        matches!(error, FetchError::TooLarge { limit: 3 }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_part_that_nobody_asked_for_is_refused() {
    let bytes = "HTTP/1.1 206 Partial Content\r\ncontent-length: 3\r\n\
                 content-range: bytes 0-2/9\r\n\r\nab";
    let error = body_of(bytes, Then::Hold, quick()).await.unwrap_err();
    assert_eq!(error.code(), "range-mismatch");
}

#[tokio::test]
async fn an_answer_tells_what_an_archive_needs() {
    let bytes = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: image/png\r\n\
                 last-modified: Sun, 06 Nov 1994 08:49:37 GMT\r\netag: W/\"x\"\r\n\
                 accept-ranges: bytes\r\n\
                 content-disposition: attachment; filename=\"b\u{fc}cher.png\"\r\n\r\nit";
    let raw = Raw::start(vec![(bytes, Then::Close)]).await;
    let answer = get(&local(), &raw.url()).await.unwrap();
    assert_eq!(answer.content_length(), Some(2));
    assert_eq!(answer.content_type(), Some("image/png"));
    assert_eq!(answer.etag(), Some("W/\"x\""));
    assert!(answer.accept_ranges());
    assert!(
        answer.validator().is_none(),
        "a weak tag does not join halves"
    );
    let modified = answer.last_modified().unwrap();
    let since = modified.duration_since(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(since.as_secs(), 784_111_777);
    let named = answer.content_disposition().unwrap();
    assert!(String::from_utf8_lossy(named).contains("bücher.png"));
}
