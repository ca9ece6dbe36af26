//! Going on with a body that broke off, only when both halves are of one piece.

use super::origin::{Answer, Origin, Seen, ok, status, with};
use super::raw::{Raw, Then};
use super::{get, local, local_policy, quick, soon, text};
use crate::fetch::{
    Client, ExtraHeaders, FetchError, Limits, Request, Response, Resumed, Validator,
};
use http::HeaderMap;
use tokio_util::sync::CancellationToken;

const BROKEN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\netag: \"v1\"\r\n\
                      content-type: text/plain\r\n\r\n01234";
const REST: &str = "HTTP/1.1 206 Partial Content\r\ncontent-length: 5\r\netag: \"v1\"\r\n\
                    content-range: bytes 5-9/10\r\nconnection: close\r\n\r\n56789";

fn tag(text: &'static str) -> Validator {
    let headers = HeaderMap::from_iter([(http::header::ETAG, text.parse().unwrap())]);
    Validator::of(&headers).unwrap()
}

async fn rest_of(answer: impl Fn(Seen) -> Answer + Send + Sync + 'static) -> (Origin, Outcome) {
    let origin = Origin::start(move |seen| {
        let answer = answer(seen);
        async move { answer }
    })
    .await;
    let client = local();
    let url = client.check(&origin.url("/f")).unwrap();
    let none = ExtraHeaders::none();
    let cancel = CancellationToken::new();
    let outcome = client
        .get_from(&url, &none, 5, tag("\"v1\""), &cancel)
        .await;
    (origin, outcome)
}

type Outcome = Result<Response, FetchError>;

fn part(range: &str, body: &'static str) -> Answer {
    with(with(ok(body), "content-range", range), "etag", "\"v1\"").map_status(206)
}

trait MapStatus {
    fn map_status(self, code: u16) -> Self;
}

impl MapStatus for Answer {
    fn map_status(mut self, code: u16) -> Self {
        *self.status_mut() = code.try_into().unwrap();
        self
    }
}

#[tokio::test]
async fn the_rest_is_asked_for_by_range_and_validator() {
    let (origin, outcome) = rest_of(|_| part("bytes 5-9/10", "56789")).await;
    let response = outcome.unwrap();
    assert_eq!((response.offset(), response.total()), (5, Some(10)));
    assert_eq!(response.content_length(), Some(5));
    assert_eq!(text(response).await.unwrap(), "56789");
    let seen = &origin.requests()[0];
    assert_eq!(seen.header("range"), Some("bytes=5-"));
    assert_eq!(seen.header("if-range"), Some("\"v1\""));
}

#[tokio::test]
async fn a_server_that_sends_the_whole_again_is_recognised() {
    let (_origin, outcome) = rest_of(|_| ok("abcdefghij")).await;
    let response = outcome.unwrap();
    assert_eq!(response.offset(), 0);
    assert_eq!(text(response).await.unwrap(), "abcdefghij");
}

#[tokio::test]
async fn any_other_part_is_refused() {
    let wrong: [fn() -> Answer; 5] = [
        || part("bytes 4-8/10", "45678"),
        || part("bytes 5-8/10", "56789"),
        || part("bytes 5-9/9", "56789"),
        || with(part("bytes 5-9/10", "56789"), "etag", "\"v2\""),
        || with(ok("56789"), "etag", "\"v1\"").map_status(206),
    ];
    for answer in wrong {
        let (_origin, outcome) = rest_of(move |_| answer()).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.code(), "range-mismatch", "{:?}", answer());
    }
    let (_origin, outcome) = rest_of(|_| status(416)).await;
    assert_eq!(outcome.unwrap_err().status().unwrap(), 416);
}

#[tokio::test]
async fn a_part_shorter_than_asked_for_counts_as_broken_off() {
    let (_origin, outcome) = rest_of(|_| part("bytes 5-7/10", "567")).await;
    let error = text(outcome.unwrap()).await.unwrap_err();
    assert!(
        matches!(
            error,
            FetchError::Truncated {
                got: 3,
                expected: 5,
                ..
            }
        ),
        "{error:?}"
    );
}

/// Reads what comes, and resumes whenever it breaks off.
async fn read_resuming(response: &mut Response) -> Result<String, FetchError> {
    let mut all = Vec::new();
    loop {
        match response.next_chunk().await {
            Ok(Some(chunk)) => all.extend_from_slice(&chunk),
            Ok(None) => return Ok(String::from_utf8(all).unwrap()),
            Err(error) if error.is_resumable() => {
                if response.resume().await? == Resumed::StartsOver {
                    all.clear();
                }
            }
            Err(error) => return Err(error),
        }
    }
}

#[tokio::test]
async fn a_response_goes_on_where_it_broke_off() {
    let raw = Raw::start(vec![(BROKEN, Then::Close), (REST, Then::Close)]).await;
    let mut response = get(&local(), &raw.url()).await.unwrap();
    assert_eq!(read_resuming(&mut response).await.unwrap(), "0123456789");
    assert_eq!(
        response.content_type(),
        Some("text/plain"),
        "kept from the whole"
    );
    let head = raw.heads()[1].to_ascii_lowercase();
    assert!(head.contains("range: bytes=5-\r\n") && head.contains("if-range: \"v1\"\r\n"));
}

#[tokio::test]
async fn a_response_may_break_off_more_than_once() {
    let first = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\netag: \"v1\"\r\n\r\n01";
    let middle = "HTTP/1.1 206 Partial Content\r\ncontent-length: 8\r\n\
                  content-range: bytes 2-9/10\r\n\r\n234";
    let raw = Raw::start(vec![
        (first, Then::Close),
        (middle, Then::Close),
        (REST, Then::Close),
    ])
    .await;
    let mut response = get(&local(), &raw.url()).await.unwrap();
    assert_eq!(read_resuming(&mut response).await.unwrap(), "0123456789");
}

#[tokio::test]
async fn a_changed_resource_starts_over() {
    let anew = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\netag: \"v2\"\r\n\r\nnew";
    let raw = Raw::start(vec![(BROKEN, Then::Close), (anew, Then::Close)]).await;
    let mut response = get(&local(), &raw.url()).await.unwrap();
    assert_eq!(read_resuming(&mut response).await.unwrap(), "new");
}

#[tokio::test]
async fn what_cannot_be_joined_starts_over() {
    let anew = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\nnew";
    let none = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n01234";
    let raw = Raw::start(vec![(none, Then::Close), (anew, Then::Close)]).await;
    let mut response = get(&local(), &raw.url()).await.unwrap();
    assert_eq!(read_resuming(&mut response).await.unwrap(), "new");
    assert!(!raw.heads()[1].to_ascii_lowercase().contains("range"));

    let other = "HTTP/1.1 206 Partial Content\r\ncontent-length: 5\r\netag: \"v2\"\r\n\
                 content-range: bytes 5-9/10\r\nconnection: close\r\n\r\n56789";
    let gone = "HTTP/1.1 416 Range Not Satisfiable\r\ncontent-length: 0\r\n\r\n";
    for refusal in [other, gone] {
        let lines = vec![
            (BROKEN, Then::Close),
            (refusal, Then::Close),
            (anew, Then::Close),
        ];
        let raw = Raw::start(lines).await;
        let mut response = get(&local(), &raw.url()).await.unwrap();
        assert_eq!(read_resuming(&mut response).await.unwrap(), "new");
        assert_eq!(raw.heads().len(), 3);
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_any_more_does_not_take_its_place() {
    let later = "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let raw = Raw::start(vec![(BROKEN, Then::Close), (later, Then::Close)]).await;
    let mut response = get(&local(), &raw.url()).await.unwrap();
    let error = read_resuming(&mut response).await.unwrap_err();
    assert_eq!(error.status().unwrap(), 202);
}

#[tokio::test]
async fn all_who_hold_a_place_may_start_over_at_once() {
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n01234";
    let whole = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
    for per_host in [1, 3] {
        let mut lines = vec![(cut, Then::Close); per_host];
        lines.push((whole, Then::Close));
        let raw = Raw::start(lines).await;
        let limits = Limits {
            per_host,
            ..quick()
        };
        let client = Client::new(local_policy(), limits);
        let url = raw.url();
        let opened = (0..per_host).map(|_| async { get(&client, &url).await.unwrap() });
        let mut opened = futures::future::join_all(opened).await;
        let read = opened.iter_mut().map(read_resuming);
        for outcome in soon(futures::future::join_all(read)).await {
            assert_eq!(outcome.unwrap(), "ok");
        }
    }
}

#[tokio::test]
async fn resuming_keeps_its_place_though_others_wait_for_it() {
    let raw = Raw::start(vec![(BROKEN, Then::Close), (REST, Then::Close)]).await;
    let limits = Limits {
        total: 1,
        ..quick()
    };
    let client = Client::new(local_policy(), limits);
    let mut response = get(&client, &raw.url()).await.unwrap();
    let url = raw.url();
    // First in line for the only place, and never polled again until the end.
    let mut waiting = Box::pin(get(&client, &url));
    assert!(futures::poll!(&mut waiting).is_pending());

    let whole = soon(read_resuming(&mut response)).await.unwrap();

    assert_eq!(whole, "0123456789");
    drop(response);
    assert!(soon(waiting).await.is_err(), "a part nobody asked for");
}

#[tokio::test]
async fn a_part_that_is_wanted_alone_is_asked_for_and_checked() {
    let wanted = async |answer: Answer| {
        let origin = Origin::start(move |_| {
            let answer = answer.clone();
            async move { answer }
        })
        .await;
        let client = local();
        let url = client.check(&origin.url("/f")).unwrap();
        let request = Request::get(url).only(2..5);
        let outcome = client.send(request, &CancellationToken::new()).await;
        assert_eq!(origin.requests()[0].header("range"), Some("bytes=2-4"));
        assert_eq!(origin.requests()[0].header("if-range"), None);
        outcome
    };
    let response = wanted(part("bytes 2-4/10", "234")).await.unwrap();
    assert_eq!((response.offset(), response.total()), (2, Some(10)));
    assert_eq!(text(response).await.unwrap(), "234");
    // The whole is shorter than what was asked for.
    let response = wanted(part("bytes 2-3/4", "23")).await.unwrap();
    assert_eq!(text(response).await.unwrap(), "23");
    let whole = wanted(ok("0123456789")).await.unwrap();
    assert_eq!(whole.offset(), 0);
    for wrong in [part("bytes 1-3/10", "123"), part("bytes 2-5/10", "2345")] {
        let error = wanted(wrong).await.unwrap_err();
        assert!(
            matches!(error, FetchError::RangeMismatch { .. }),
            "{error:?}"
        );
    }
    // A part that ends early is one that broke off.
    let response = wanted(part("bytes 2-3/10", "23")).await.unwrap();
    assert!(text(response).await.is_err());
}
