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

#[tokio::test]
async fn a_length_beside_chunks_means_nothing() {
    let bytes = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\
                 connection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let raw = Raw::start(vec![(bytes, Then::Close)]).await;
    match get(&local(), &raw.url()).await {
        Ok(response) => {
            assert_eq!(response.total(), None);
            assert_eq!(super::text(response).await.unwrap(), "hello");
        }
        Err(error) => assert_eq!(error.code(), "protocol", "or it is not taken at all"),
    }
}

mod encoded {
    use super::super::origin::{Answer, Origin, Seen, status, with};
    use super::super::{local, local_policy, quick};
    use crate::fetch::{Client, FetchError, Limits, Request, Response};
    use bytes::Bytes;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use http_body_util::Full;
    use std::io::Write;
    use tokio_util::sync::CancellationToken;

    fn gzip(body: &[u8]) -> Bytes {
        let mut out = GzEncoder::new(Vec::new(), Compression::fast());
        out.write_all(body).unwrap();
        out.finish().unwrap().into()
    }

    fn answer(body: Bytes, encoding: &str) -> Answer {
        let answer = Answer::new(Full::from(body));
        let answer = with(answer, "etag", "\"v1\"");
        with(answer, "content-encoding", encoding)
    }

    async fn asked(client: &Client, origin: &Origin, wants: bool) -> Result<Response, FetchError> {
        let request = Request::get(client.check(&origin.url("/f"))?);
        let request = if wants { request.decoded() } else { request };
        client.send(request, &CancellationToken::new()).await
    }

    async fn serving(answer: impl Fn(Seen) -> Answer + Send + Sync + 'static) -> Origin {
        Origin::start(move |seen| {
            let answer = answer(seen);
            async move { answer }
        })
        .await
    }

    #[tokio::test]
    async fn is_taken_off_where_that_is_asked_for() {
        let origin = serving(|_| answer(gzip(b"plain words"), "gzip")).await;
        let mut decoded = asked(&local(), &origin, true).await.unwrap();
        assert_eq!((decoded.total(), decoded.content_length()), (None, None));
        assert_eq!(decoded.read_all(100).await.unwrap(), "plain words");
        let mut raw = asked(&local(), &origin, false).await.unwrap();
        assert_eq!(raw.total(), Some(gzip(b"plain words").len() as u64));
        assert_eq!(raw.read_all(100).await.unwrap(), gzip(b"plain words"));
    }

    #[tokio::test]
    async fn that_is_unknown_or_wrong_is_an_error_with_a_code() {
        let origin = serving(|_| answer("x".into(), "br")).await;
        let error = asked(&local(), &origin, true).await.unwrap_err();
        assert_eq!(error.code(), "unknown-encoding");
        assert!(error.to_string().contains("br"), "{error}");
        let origin = serving(|_| answer("plain words".into(), "gzip")).await;
        let mut response = asked(&local(), &origin, true).await.unwrap();
        let error = response.next_chunk().await.unwrap_err();
        assert_eq!(error.code(), "undecodable");
        assert!(response.next_chunk().await.is_err(), "nor later");
    }

    #[tokio::test]
    async fn grows_no_further_than_the_limit() {
        let bomb = gzip(&vec![0; 8 << 20]);
        let origin = serving(move |_| answer(bomb.clone(), "gzip")).await;
        let limits = Limits {
            max_bytes: Some(1 << 20),
            ..quick()
        };
        let client = Client::new(local_policy(), limits);
        let mut response = asked(&client, &origin, true).await.unwrap();
        let mut taken = 0;
        let error = loop {
            match response.next_chunk().await {
                Ok(Some(chunk)) => taken += chunk.len(),
                Ok(None) => panic!("it came whole"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.code(), "too-large");
        assert!(taken <= 1 << 20, "{taken}");
    }

    #[tokio::test]
    async fn of_a_failure_is_nobody_s_business() {
        let origin = serving(|_| with(status(404), "content-encoding", "br")).await;
        let response = asked(&local(), &origin, true).await.unwrap();
        assert_eq!(response.status(), 404);
    }
}
