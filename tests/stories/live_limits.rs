//! The limits of the live socket: of those who do not read, of what stands at the
//! beginning, of topics, and of the credentials that it was opened with.

use crate::desk::accepted;
use crate::live_socket::{is, log_topic, numbers, origin, told, topic};
use crate::program::server;
use futures::StreamExt;
use serde_json::json;
use testing::{Live, TestDatabase, on_both, within};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;

on_both!(a_client_that_does_not_read_holds_up_nobody_and_costs_no_memory);
async fn a_client_that_does_not_read_holds_up_nobody_and_costs_no_memory(database: TestDatabase) {
    const CLIENTS: usize = 20;
    const SOURCES: usize = 6000;
    let server = server(&database).start().await;
    let mut slow = Vec::new();
    for _ in 0..CLIENTS {
        let mut live = Live::connect(&server).await;
        live.subscribe(topic(&json!({}), None)).await;
        slow.push(live);
    }
    // No address at all: a line that says so, and the same for programs, of 2 KiB each.
    let wrong = "\u{1f6a2}".repeat(500);
    let id = accepted(&server, &json!({ "sources": vec![wrong; SOURCES] })).await;
    for live in &mut slow {
        live.subscribe(log_topic(&id, 1)).await;
    }
    let mut quick = Live::connect(&server).await;
    quick.subscribe(log_topic(&id, 1)).await;
    let (mut all, mut bytes) = (0, 0);
    loop {
        let message = quick.next().await;
        all += numbers(std::slice::from_ref(&message)).len();
        bytes += message.to_string().len();
        if message["type"] == "log_end" {
            break;
        }
    }
    assert!(all >= SOURCES, "{all} lines");
    let queues = (CLIENTS * bytes) >> 20;
    let resident = server.peak_resident_bytes() >> 20;
    let allowed = 250;
    assert!(queues > 400, "{queues} MiB would show");
    assert!(
        resident < allowed,
        "{resident} MiB, and a queue for each who does not read had {queues} MiB"
    );
    // And who reads at last has missed nothing.
    let mut late = slow.pop().expect("one of them");
    let messages = late.until(is("log_end")).await;
    assert_eq!(numbers(&messages).len(), all);
}

on_both!(more_than_a_page_of_what_stands_is_told_at_the_beginning);
async fn more_than_a_page_of_what_stands_is_told_at_the_beginning(database: TestDatabase) {
    const WAITING: usize = 230;
    let origin = origin().await;
    let server = server(&database).start().await;
    for _ in 0..WAITING {
        accepted(&server, &json!({ "sources": [origin.url("/held")] })).await;
    }
    let mut live = Live::connect(&server).await;
    live.subscribe(topic(&json!({ "kind": "bundle" }), None))
        .await;
    let messages = live.until(is("position")).await;
    let mut ids: Vec<String> = told(&messages).into_iter().map(|(id, _)| id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), WAITING);
    // The same to one who asks without a socket.
    let subscription = json!({ "id": 1, "topic": topic(&json!({ "kind": "bundle" }), None) });
    let body = json!({ "subscriptions": [subscription] });
    let (status, answer) = server.post("/api/v1/live/poll", &body).await;
    assert_eq!(status, 200);
    let messages = answer["messages"].as_array().expect("messages");
    assert!(told(messages).len() >= WAITING);
    assert!(messages.iter().any(|message| message["type"] == "position"));
}

on_both!(one_socket_follows_64_topics_and_not_one_more);
async fn one_socket_follows_64_topics_and_not_one_more(database: TestDatabase) {
    let server = server(&database).start().await;
    let mut live = Live::connect(&server).await;
    let mut subscribed = 0;
    for _ in 0..64 {
        live.subscribe(topic(&json!({}), None)).await;
    }
    while subscribed < 64 {
        let message = live.next().await;
        assert_ne!(message["type"], "error", "{message}");
        subscribed += usize::from(message["type"] == "subscribed");
    }
    let id = live.subscribe(topic(&json!({}), None)).await;
    let refused = live.until(is("error")).await;
    let refused = refused.last().expect("an error");
    assert_eq!(
        (&refused["id"], &refused["code"]),
        (&json!(id), &json!("too-many")),
        "{refused}"
    );
    live.unsubscribe(1).await;
    live.until(is("unsubscribed")).await;
    let id = live.subscribe(topic(&json!({}), None)).await;
    live.until(|message| message["type"] == "subscribed" && message["id"] == id)
        .await;
}

on_both!(how_many_topics_one_socket_follows_is_a_setting);
async fn how_many_topics_one_socket_follows_is_a_setting(database: TestDatabase) {
    let server = server(&database)
        .env("LONGSHORE_LIVE_SUBSCRIPTIONS", "1")
        .start()
        .await;
    let mut live = Live::connect(&server).await;
    live.subscribe(topic(&json!({}), None)).await;
    live.subscribe(topic(&json!({}), None)).await;
    let refused = live.until(is("error")).await;
    let refused = refused.last().expect("an error");
    assert_eq!(refused["code"], "too-many", "{refused}");
}

on_both!(a_socket_ends_with_the_token_that_opened_it);
async fn a_socket_ends_with_the_token_that_opened_it(database: TestDatabase) {
    let server = server(&database).start().await;
    let body = json!({ "name": "short", "scopes": ["operations:read"], "expires_in": 2 });
    let (status, token) = server.post("/api/v1/tokens", &body).await;
    assert_eq!(status, 201, "{token}");
    let token = token["token"].as_str().expect("the token");
    let url = format!("ws://127.0.0.1:{}/api/v1/live", server.port());
    let mut request = url.as_str().into_client_request().expect("an address");
    let bearer = HeaderValue::from_str(&format!("Bearer {token}")).expect("a header");
    request.headers_mut().insert("Authorization", bearer);
    let (mut socket, _) = within("a socket", tokio_tungstenite::connect_async(request))
        .await
        .expect("it opens");
    // Nothing happens meanwhile that would have it asked again.
    let code = loop {
        let message = within("the socket to close", socket.next()).await;
        let message = message.expect("a close comes first").expect("a message");
        if let Message::Close(frame) = message {
            break frame.map(|frame| u16::from(frame.code));
        }
    };
    assert_eq!(code, Some(1008));
}

on_both!(a_socket_closes_with_the_rights_it_was_opened_with);
async fn a_socket_closes_with_the_rights_it_was_opened_with(database: TestDatabase) {
    let server = server(&database).start().await;
    let password = "long-enough-for-otto";
    let body = json!({ "name": "otto", "role": "operator", "password": password });
    assert_eq!(server.post("/api/v1/users", &body).await.0, 201);
    let session = server.log_in("otto", password).await;
    let url = format!("ws://127.0.0.1:{}/api/v1/live", server.port());
    let mut request = url.as_str().into_client_request().expect("an address");
    let own = format!("http://127.0.0.1:{}", server.port());
    for (name, value) in [("Cookie", session.cookie()), ("Origin", own.as_str())] {
        request
            .headers_mut()
            .insert(name, HeaderValue::from_str(value).expect("a header"));
    }
    let (mut by_cookie, _) = within("a socket", tokio_tungstenite::connect_async(request))
        .await
        .expect("it opens");
    let mut by_password = Live::connect_to(&url, "otto", password).await;
    by_password.until(is("hello")).await;
    let out = session
        .request(reqwest::Method::DELETE, "/api/v1/session")
        .send()
        .await;
    assert_eq!(out.expect("an answer").status(), 204);
    let mut closed = None;
    while closed.is_none() {
        let message = within("the socket to close", by_cookie.next()).await;
        let message = message.expect("a close comes first").expect("a message");
        if let Message::Close(frame) = message {
            closed = Some(frame.map(|frame| u16::from(frame.code)));
        }
    }
    assert_eq!(closed, Some(Some(1008)), "the session was ended");

    by_password.send(&json!({ "type": "ping" })).await;
    assert_eq!(
        by_password.next().await["type"],
        "pong",
        "the other goes on"
    );
    assert_eq!(server.delete("/api/v1/users/otto").await.0, 204);
    let code = loop {
        match by_password.next_or_close().await {
            Ok(message) => assert_eq!(message["type"], "closing", "{message}"),
            Err(code) => break code,
        }
    };
    assert_eq!(code, Some(1008), "the user is gone");
}
