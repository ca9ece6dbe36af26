//! Every wait ends: by itself at its limit, and at once when the caller cancels.

use super::origin::{Origin, ok, status, with};
use super::raw::{Raw, Then};
use super::{get, get_text, local, local_policy, quick, soon};
use crate::fetch::{Client, Dial, ExtraHeaders, FetchError, Limits, Resolve, ResolveError};
use async_trait::async_trait;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Never gets anywhere, and says when somebody has begun to wait.
#[derive(Clone)]
struct Nowhere(watch::Sender<usize>);

impl Nowhere {
    fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    async fn never<T>(&self) -> T {
        self.0.send_modify(|begun| *begun += 1);
        std::future::pending().await
    }

    async fn begun(&self) {
        let mut begun = self.0.subscribe();
        begun.wait_for(|begun| *begun > 0).await.unwrap();
    }
}

#[async_trait]
impl Dial for Nowhere {
    async fn dial(&self, _: SocketAddr) -> io::Result<TcpStream> {
        self.never().await
    }
}

#[async_trait]
impl Resolve for Nowhere {
    async fn resolve(&self, _: &str) -> Result<Vec<IpAddr>, ResolveError> {
        self.never().await
    }
}

/// Cancels as soon as `begun` and shows that the fetch ends with it and nothing else.
/// How soon is for the benchmark to say.
async fn cancelled_promptly(client: &Client, url: &str, begun: impl Future<Output = ()>) {
    let cancel = CancellationToken::new();
    let url = client.check(url).unwrap();
    let none = ExtraHeaders::none();
    let fetching = client.get(&url, &none, &cancel);
    let cancelling = async {
        begun.await;
        cancel.cancel();
    };
    // No limit of the fetch itself is as short as the one of this wait.
    let (outcome, ()) = soon(futures::future::join(fetching, cancelling)).await;
    assert!(matches!(outcome, Err(FetchError::Cancelled)), "{outcome:?}");
}

#[tokio::test]
async fn connecting_is_given_up_at_its_limit() {
    let limits = Limits {
        connect: Duration::from_millis(50),
        ..quick()
    };
    let dialling = Client::builder(local_policy(), limits.clone())
        .dialer(Nowhere::new())
        .build();
    let resolving = Client::builder(local_policy(), limits)
        .resolver(Nowhere::new())
        .build();
    for (client, url) in [
        (dialling, "http://127.0.0.1/"),
        (resolving, "http://a.test/"),
    ] {
        let error = soon(get(&client, url)).await.unwrap_err();
        assert_eq!(error.code(), "timeout-connect");
    }
}

#[tokio::test]
async fn the_first_byte_is_waited_for_up_to_its_limit() {
    let raw = Raw::start(vec![("", Then::Hold)]).await;
    let limits = Limits {
        first_byte: Duration::from_millis(50),
        ..quick()
    };
    let client = Client::new(local_policy(), limits);
    let error = soon(get(&client, &raw.url())).await.unwrap_err();
    assert!(
        matches!(error, FetchError::FirstByteTimeout { .. }),
        "{error:?}"
    );
    soon(raw.left(1)).await;
    assert_eq!(raw.heads().len(), 1, "a slow server is not asked again");
}

#[tokio::test]
async fn cancelling_ends_the_wait_for_a_name_and_for_a_connection() {
    let nowhere = Nowhere::new();
    let client = Client::builder(local_policy(), quick())
        .resolver(nowhere.clone())
        .build();
    cancelled_promptly(&client, "http://a.test/", nowhere.begun()).await;

    let nowhere = Nowhere::new();
    let client = Client::builder(local_policy(), quick())
        .dialer(nowhere.clone())
        .build();
    cancelled_promptly(&client, "http://127.0.0.1/", nowhere.begun()).await;
}

#[tokio::test]
async fn cancelling_ends_the_wait_for_an_answer_and_the_connection() {
    let begun = watch::Sender::new(false);
    let begins = begun.clone();
    let origin = Origin::start(move |_| {
        begins.send_replace(true);
        std::future::pending()
    })
    .await;
    let mut begun = begun.subscribe();
    let begun = async { begun.wait_for(|begun| *begun).await.map(|_| ()).unwrap() };
    cancelled_promptly(&local(), &origin.url("/"), begun).await;
    soon(origin.closed(1)).await;
}

#[tokio::test]
async fn waiting_for_another_attempt_takes_no_place_and_ends_with_cancelling() {
    let busy = Origin::start(|_| async { with(status(503), "retry-after", "50") }).await;
    let free = Origin::start(|_| async { ok("it") }).await;
    let limits = Limits {
        total: 1,
        ..quick()
    };
    let client = Client::new(local_policy(), limits);
    // The only place is free again, so the first fetch has its answer and waits.
    let another_is_served = async {
        let mut requests = 0;
        while requests == 0 {
            tokio::task::yield_now().await;
            requests = busy.requests().len();
        }
        assert_eq!(get_text(&client, &free.url("/")).await.unwrap(), "it");
    };
    cancelled_promptly(&client, &busy.url("/"), another_is_served).await;
    assert_eq!(busy.requests().len(), 1);
}

#[tokio::test]
async fn cancelling_ends_the_wait_at_the_gate() {
    let raw = Raw::start(vec![(
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n",
        Then::Hold,
    )])
    .await;
    let limits = Limits {
        total: 1,
        ..quick()
    };
    let client = Client::new(local_policy(), limits);
    let _held = get(&client, &raw.url()).await.unwrap();
    cancelled_promptly(&client, &raw.url(), async {}).await;
}

#[tokio::test]
async fn cancelling_ends_a_body_and_its_connection() {
    let bytes = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc";
    let raw = Raw::start(vec![(bytes, Then::Hold)]).await;
    let client = local();
    let cancel = CancellationToken::new();
    let url = client.check(&raw.url()).unwrap();
    let mut response = client
        .get(&url, &ExtraHeaders::none(), &cancel)
        .await
        .unwrap();
    assert_eq!(response.next_chunk().await.unwrap().unwrap(), "abc");
    cancel.cancel();
    for _ in 0..2 {
        let error = soon(response.next_chunk()).await.unwrap_err();
        assert_eq!(error.code(), "cancelled");
    }
    // The response is still held; its connection is not.
    soon(raw.left(1)).await;
}

#[tokio::test]
async fn a_dropped_response_gives_its_connection_up() {
    let bytes = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc";
    let raw = Raw::start(vec![(bytes, Then::Hold)]).await;
    drop(get(&local(), &raw.url()).await.unwrap());
    soon(raw.left(1)).await;
}

#[tokio::test]
async fn a_token_that_was_cancelled_before_asks_for_nothing() {
    let origin = Origin::start(|_| async { status(200) }).await;
    let client = local();
    let cancel = CancellationToken::new();
    cancel.cancel();
    let url = client.check(&origin.url("/")).unwrap();
    let outcome = client.get(&url, &ExtraHeaders::none(), &cancel).await;
    assert!(matches!(outcome, Err(FetchError::Cancelled)));
    assert_eq!(origin.connections(), 0);
    assert_eq!(get_text(&client, &origin.url("/")).await.unwrap(), "");
}
