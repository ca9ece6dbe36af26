//! Watching without a WebSocket, for where a proxy passes none on: a request that
//! names what is watched, and from where on, and is answered when something happens.
//!
//! The server keeps nothing of what is watched between two requests. The positions that
//! the client sends say all, so nothing is missed and nothing is repeated, as with the
//! socket.

use super::Hub;
use super::follower::Said;
use super::messages::{ToClient, Topic};
use super::subscriptions::Subscriptions;
use crate::{Answer, By, Json, Problem};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The longest wait for something to happen: clients give an answer twice that long.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// What comes within this time after the first message is answered together.
const GATHER: Duration = Duration::from_millis(100);
/// An answer ends when it has grown to so many bytes.
const LONGEST_ANSWER: usize = 1 << 20;
/// Unless a topic that is new has not told all that stands: without the position at the
/// end of that, the client could only begin anew.
const LONGEST_BEGINNING: usize = 16 << 20;

/// What is watched.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PollRequest {
    /// The topics. One that cannot be followed is answered with an `error` message. Where
    /// there are none, nothing happens.
    subscriptions: Vec<PollSubscription>,
    /// For how many seconds to wait for something to happen: 0 to 20, and 20 when absent.
    /// What a new topic begins with is told in any case.
    #[schema(minimum = 0, maximum = 20)]
    wait: Option<u64>,
}

impl PollRequest {
    fn wait(&self) -> Answer<Duration> {
        match self.wait.map(Duration::from_secs) {
            None => Ok(LONGEST_WAIT),
            Some(wait) if wait <= LONGEST_WAIT => Ok(wait),
            Some(_) => Err(Problem::invalid(
                "wait",
                "out-of-range",
                "wait is a number of seconds from 0 to 20",
            )),
        }
    }
}

/// One topic that is watched.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PollSubscription {
    /// A number of the client's own, repeated in what is said of the subscription.
    id: u64,
    /// What about, and from where on.
    topic: Topic,
}

/// What happened.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[allow(
    dead_code,
    reason = "written by hand: its messages are encoded already"
)]
pub(super) struct PollAnswer {
    /// What the socket would have said, in order, beginning with `hello`.
    messages: Vec<ToClient>,
}

/// Watch live without a WebSocket: waits up to 20 s for something to happen.
///
/// Who wants the greeting alone asks with no topics and `"wait": 0`.
#[utoipa::path(
    post, path = "/api/v1/live/poll", tag = "operations", request_body = PollRequest,
    responses((status = 200, description = "What happened; perhaps nothing yet.", body = PollAnswer))
)]
pub(super) async fn poll(
    State(hub): State<Hub>,
    By(caller): By,
    Json(request): Json<PollRequest>,
) -> Answer<Response> {
    let longest = hub.limits().ping.min(LONGEST_WAIT);
    let wait = request.wait()?.min(longest);
    let began = Instant::now();
    let until = began + longest;
    let shutdown = hub.shutdown.clone();
    let mut answer = Growing::default();
    answer.add(&hub.hello(hub.unopened.missing(&caller)));
    let mut subscriptions = Subscriptions::new(hub, &caller);
    for PollSubscription { id, topic } in request.subscriptions {
        let is_new = topic.is_new();
        let said = subscriptions.subscribe(&caller, id, topic).await;
        match said {
            // One that is refused is said at once.
            ToClient::Error { .. } => answer.eventful = true,
            _ if is_new => {
                answer.beginning.insert(id);
            }
            _ => {}
        }
        answer.add(&said.encoded());
    }
    let gathered = async {
        if !answer.eventful
            && let Ok(Some(first)) = timeout_at(began + wait, subscriptions.next()).await
        {
            answer.add_said(&first);
        }
        let soon = until.min(Instant::now() + GATHER);
        while answer.has_room()
            && let until = if answer.beginning.is_empty() {
                soon
            } else {
                until
            }
            && let Ok(Some(next)) = timeout_at(until, subscriptions.next()).await
        {
            answer.add_said(&next);
        }
    };
    tokio::select! {
        () = gathered => {}
        () = shutdown.cancelled() => {
            answer.add(&ToClient::Closing { reason: "shutdown" }.encoded());
        }
    }
    let mut response = Body::from(answer.finish()).into_response();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// A [`PollAnswer`] that grows by messages which are encoded already.
#[derive(Default)]
struct Growing {
    text: Vec<u8>,
    /// Whether there is something that must not wait.
    eventful: bool,
    /// New topics that have not told yet what position they begin with.
    beginning: HashSet<u64>,
}

impl Growing {
    fn has_room(&self) -> bool {
        let most = if self.beginning.is_empty() {
            LONGEST_ANSWER
        } else {
            LONGEST_BEGINNING
        };
        self.text.len() < most
    }

    fn add_said(&mut self, said: &Said) {
        self.add(&said.message);
        if let Some(id) = said.settles {
            self.beginning.remove(&id);
        }
    }

    fn add(&mut self, message: &[u8]) {
        let before: &[u8] = if self.text.is_empty() {
            b"{\"messages\":["
        } else {
            b","
        };
        self.text.extend_from_slice(before);
        self.text.extend_from_slice(message);
    }

    fn finish(mut self) -> Bytes {
        self.text.extend_from_slice(b"]}");
        self.text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(length: usize, settles: Option<u64>) -> Said {
        Said {
            message: format!("\"{}\"", "x".repeat(length)).into(),
            settles,
        }
    }

    #[test]
    fn an_answer_that_is_full_still_takes_what_stands_to_its_position() {
        let mut answer = Growing {
            beginning: HashSet::from([7]),
            ..Growing::default()
        };
        answer.add_said(&said(LONGEST_ANSWER, None));
        assert!(answer.has_room(), "7 has no position yet");
        answer.add_said(&said(1, Some(8)));
        assert!(answer.has_room(), "another one has");
        answer.add_said(&said(1, Some(7)));
        assert!(!answer.has_room());
        let text = answer.finish();
        serde_json::from_slice::<serde_json::Value>(&text).expect("JSON");
    }

    #[test]
    fn not_even_a_beginning_grows_for_ever() {
        let mut answer = Growing {
            beginning: HashSet::from([7]),
            ..Growing::default()
        };
        answer.add_said(&said(LONGEST_BEGINNING, None));
        assert!(!answer.has_room());
    }
}
