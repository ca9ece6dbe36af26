//! TLS and HTTP/2.

use super::origin::{Answer, Origin, ok};
use super::{get, get_text, local_policy, quick, soon};
use crate::fetch::{Client, Roots};
use bytes::Bytes;
use futures::future::join_all;
use http::Version;
use http_body_util::Full;

pub(crate) fn trusting(origin: &Origin) -> Client {
    Client::builder(local_policy(), quick())
        .roots(Roots::Only(origin.certificate.iter().cloned().collect()))
        .build()
}

#[tokio::test]
async fn http2_is_spoken_where_offered_and_shares_one_connection() {
    let origin = Origin::start_tls(&["localhost"], |_| async { ok("it") }).await;
    let client = trusting(&origin);
    let url = format!("https://localhost:{}/", origin.address.port());
    assert_eq!(get_text(&client, &url).await.unwrap(), "it");
    let again = join_all((0..8).map(|_| get_text(&client, &url))).await;
    assert!(again.into_iter().all(|answer| answer.unwrap() == "it"));
    let requests = origin.requests();
    assert!(requests.iter().all(|seen| seen.version == Version::HTTP_2));
    assert_eq!((requests.len(), origin.connections()), (9, 1));
}

/// Bodies that nobody reads take up their own windows, and not that of the connection.
#[tokio::test]
async fn who_does_not_read_holds_up_nobody_else_on_the_same_connection() {
    const LONG: usize = 4 << 20;
    let body = Bytes::from(vec![b'x'; LONG]);
    let origin = Origin::start_tls(&["localhost"], move |_| {
        let answer = Answer::new(Full::from(body.clone()));
        async move { answer }
    })
    .await;
    let client = trusting(&origin);
    let url = format!("https://localhost:{}/", origin.address.port());
    let mut unread = Vec::new();
    for _ in 0..8 {
        unread.push(get(&client, &url).await.unwrap());
    }
    let mut read = get(&client, &url).await.unwrap();
    let whole = soon(read.read_all(LONG)).await.unwrap();
    assert_eq!(whole.len(), LONG);
    assert_eq!(origin.connections(), 1, "it is shared");
    for mut late in unread {
        assert_eq!(soon(late.read_all(LONG)).await.unwrap().len(), LONG);
    }
}

#[tokio::test]
async fn an_untrusted_certificate_is_refused_at_once() {
    let origin = Origin::start_tls(&["localhost"], |_| async { ok("it") }).await;
    let other = Origin::start_tls(&["localhost"], |_| async { ok("it") }).await;
    let url = format!("https://localhost:{}/?key=secret", origin.address.port());
    let error = get(&trusting(&other), &url).await.unwrap_err();
    assert_eq!(error.code(), "tls");
    assert!(!format!("{error} {error:?}").contains("secret"));
    assert_eq!(origin.connections(), 1);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let origin = Origin::start_tls(&["other.example"], |_| async { ok("it") }).await;
    let url = format!("https://localhost:{}/", origin.address.port());
    let error = get(&trusting(&origin), &url).await.unwrap_err();
    assert_eq!(error.code(), "tls");
    assert!(origin.requests().is_empty());
}

#[tokio::test]
async fn the_certificate_of_a_rooted_name_is_the_names() {
    let origin = Origin::start_tls(&["localhost"], |_| async { ok("it") }).await;
    let url = format!("https://localhost.:{}/", origin.address.port());
    assert_eq!(get_text(&trusting(&origin), &url).await.unwrap(), "it");
}
