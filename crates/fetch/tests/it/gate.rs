//! How many at once, and over how many connections.

use super::origin::{Origin, ok, redirect};
use super::raw::{Raw, Then};
use super::{get, get_text, local, local_policy, quick, soon, text};
use crate::fetch::{Client, FetchError, Limits};
use futures::future::join_all;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Semaphore, watch};

/// A body that breaks off, and one that is whole.
const CUT: &str = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n01234";
const WHOLE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

/// Answers only when told to, and knows how many wait for it at once.
#[derive(Clone)]
struct Doors {
    inside: watch::Sender<usize>,
    peak: Arc<AtomicUsize>,
    open: Arc<Semaphore>,
}

impl Doors {
    fn closed() -> Self {
        Self {
            inside: watch::Sender::new(0),
            peak: Arc::default(),
            open: Arc::new(Semaphore::new(0)),
        }
    }

    async fn origin(&self) -> Origin {
        let doors = self.clone();
        Origin::start(move |_| {
            let doors = doors.clone();
            async move {
                doors.inside.send_modify(|inside| {
                    *inside += 1;
                    doors.peak.fetch_max(*inside, Ordering::SeqCst);
                });
                doors.open.acquire().await.unwrap().forget();
                doors.inside.send_modify(|inside| *inside -= 1);
                ok("it")
            }
        })
        .await
    }

    /// Lets `all` through, each time only once `at_once` of them, or all that are
    /// left, are inside.
    async fn let_through(&self, all: usize, at_once: usize) {
        let mut inside = self.inside.subscribe();
        let mut left = all;
        while left > 0 {
            let full = at_once.min(left);
            inside.wait_for(|inside| *inside == full).await.unwrap();
            self.open.add_permits(1);
            inside
                .wait_for(|inside| *inside < full || left == 1)
                .await
                .unwrap();
            left -= 1;
        }
    }
}

#[tokio::test]
async fn connections_are_reused() {
    let origin = Origin::start(|seen| async move {
        match seen.path.as_str() {
            "/moved" => redirect(302, "/here"),
            _ => ok("it"),
        }
    })
    .await;
    let client = local();
    for path in ["/a", "/b", "/moved", "/c"] {
        assert_eq!(get_text(&client, &origin.url(path)).await.unwrap(), "it");
    }
    assert_eq!((origin.requests().len(), origin.connections()), (5, 1));
}

#[tokio::test]
async fn one_host_is_asked_no_more_at_once_than_its_limit() {
    let doors = Doors::closed();
    let origin = doors.origin().await;
    let limits = Limits {
        per_host: 4,
        ..quick()
    };
    let client = Client::new(local_policy(), limits);
    let urls: Vec<_> = (0..20).map(|n| origin.url(&format!("/{n}"))).collect();

    let fetching = join_all(urls.iter().map(|url| get_text(&client, url)));
    let (answers, ()) = soon(futures::future::join(fetching, doors.let_through(20, 4))).await;

    assert!(answers.into_iter().all(|answer| answer.unwrap() == "it"));
    assert_eq!(doors.peak.load(Ordering::SeqCst), 4);
    assert!(origin.connections() <= 4);
}

#[tokio::test]
async fn all_hosts_together_are_asked_no_more_than_the_total() {
    let doors = Doors::closed();
    let origins = [
        doors.origin().await,
        doors.origin().await,
        doors.origin().await,
    ];
    let limits = Limits {
        total: 3,
        per_host: 2,
        ..quick()
    };
    let client = Client::new(local_policy(), limits);
    let urls: Vec<_> = (0..18)
        .map(|n| origins[n % 3].url(&format!("/{n}")))
        .collect();

    let fetching = join_all(urls.iter().map(|url| get_text(&client, url)));
    let (answers, ()) = soon(futures::future::join(fetching, doors.let_through(18, 3))).await;

    assert!(answers.into_iter().all(|answer| answer.unwrap() == "it"));
    assert_eq!(doors.peak.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_place_is_held_until_the_body_is_dropped() {
    let origin = Origin::start(|_| async { ok("it") }).await;
    let limits = Limits {
        total: 1,
        ..quick()
    };
    let client = Client::new(local_policy(), limits);
    let first = get(&client, &origin.url("/1")).await.unwrap();
    let url = origin.url("/2");
    let mut second = Box::pin(get(&client, &url));

    // While it is driven, somebody else is answered again and again: with a place it
    // would be answered long before the last of them.
    let other = local();
    let others = Box::pin(async {
        for _ in 0..20 {
            assert_eq!(get_text(&other, &origin.url("/other")).await.unwrap(), "it");
        }
    });
    let first_done = soon(futures::future::select(&mut second, others)).await;
    let waits = matches!(first_done, futures::future::Either::Right(_));
    drop(first_done);
    assert!(waits, "it did not wait");
    assert!(origin.requests().iter().all(|seen| seen.path != "/2"));
    drop(first);

    assert_eq!(text(soon(second).await.unwrap()).await.unwrap(), "it");
}

#[tokio::test]
async fn a_body_that_breaks_off_gives_its_place_back_when_it_is_given_up() {
    let raw = Raw::start(vec![(CUT, Then::Close), (WHOLE, Then::Close)]).await;
    let limits = Limits {
        total: 1,
        per_host: 1,
        ..quick()
    };
    let client = Client::new(local_policy(), limits);
    let first = get(&client, &raw.url()).await.unwrap();
    let broken = soon(text(first)).await.unwrap_err();
    assert!(matches!(broken, FetchError::Truncated { .. }), "{broken:?}");
    let second = soon(get_text(&client, &raw.url())).await;
    assert_eq!(second.unwrap(), "ok");
}

#[tokio::test]
async fn when_all_bodies_of_a_host_break_off_together_those_who_wait_come_in() {
    const PLACES: usize = 3;
    let mut lines = vec![(CUT, Then::Close); PLACES];
    lines.push((WHOLE, Then::Close));
    let raw = Raw::start(lines).await;
    let limits = Limits {
        total: PLACES,
        per_host: PLACES,
        ..quick()
    };
    let client = Client::new(local_policy(), limits);
    let url = raw.url();
    let held = join_all((0..PLACES).map(|_| get(&client, &url))).await;
    let waiting = join_all((0..2 * PLACES).map(|_| get_text(&client, &url)));
    // Some of those who break off start over on the place that they hold, some give up.
    let breaking = join_all(held.into_iter().enumerate().map(async |(n, held)| {
        let mut held = held.unwrap();
        while let Ok(Some(_)) = held.next_chunk().await {}
        if n % 2 == 0 {
            held.resume().await.unwrap();
            assert_eq!(text(held).await.unwrap(), "ok");
        }
    }));
    let (answers, _) = soon(futures::future::join(waiting, breaking)).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap() == "ok"));
}

#[tokio::test]
async fn a_redirect_within_a_full_host_takes_no_second_place() {
    let origin = Origin::start(|seen| async move {
        match seen.path.as_str() {
            "/moved" => redirect(302, "/here"),
            _ => ok("it"),
        }
    })
    .await;
    let limits = Limits {
        total: 1,
        per_host: 1,
        ..quick()
    };
    let client = Client::new(local_policy(), limits);
    let urls = [origin.url("/moved"), origin.url("/moved")];
    let answers = soon(join_all(urls.iter().map(|url| get_text(&client, url)))).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap() == "it"));
}

#[tokio::test]
async fn a_client_that_takes_another_s_place_waits_at_the_same_gate() {
    let origin = Origin::start(|_| async { ok("it") }).await;
    let limits = Limits {
        total: 1,
        ..quick()
    };
    let before = Client::new(local_policy(), limits.clone());
    let after = Client::builder(local_policy(), limits)
        .gate_of(&before)
        .build();
    let held = get(&before, &origin.url("/1")).await.unwrap();
    let url = origin.url("/2");
    let mut second = Box::pin(get(&after, &url));
    let other = local();
    let others = Box::pin(async {
        for _ in 0..20 {
            assert_eq!(get_text(&other, &origin.url("/other")).await.unwrap(), "it");
        }
    });
    let first_done = soon(futures::future::select(&mut second, others)).await;
    let waits = matches!(first_done, futures::future::Either::Right(_));
    drop(first_done);
    assert!(waits, "two gates");
    drop(held);
    assert_eq!(text(soon(second).await.unwrap()).await.unwrap(), "it");
}

#[tokio::test]
async fn past_the_bound_connections_are_closed_after_their_answer() {
    let kept = Origin::start(|_| async { ok("it") }).await;
    let other = Origin::start(|_| async { ok("it") }).await;
    let limits = Limits {
        kept_connections: 1,
        ..quick()
    };
    let client = Client::new(local_policy(), limits);
    get_text(&client, &kept.url("/")).await.unwrap();
    get_text(&client, &other.url("/")).await.unwrap();
    soon(other.closed(1)).await;
    get_text(&client, &other.url("/")).await.unwrap();
    soon(other.closed(2)).await;
    assert_eq!((kept.connections(), other.connections()), (1, 2));
}

#[tokio::test]
async fn our_own_listener_is_refused_inside_an_allowed_network() {
    let own = Origin::start(|_| async { ok("it") }).await;
    let mut policy = local_policy();
    policy.own_listeners = vec![own.address];
    let client = Client::new(policy, quick());
    let refused = get_text(&client, &own.url("/")).await.unwrap_err();
    assert!(matches!(refused, FetchError::Refused(_)), "{refused:?}");
    let named = format!("http://localhost:{}/", own.address.port());
    assert_eq!(
        get_text(&client, &named).await.unwrap_err().code(),
        "refused-address"
    );
    assert!(own.requests().is_empty());
}
