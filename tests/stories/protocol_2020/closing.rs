//! Sockets that close: by the client, by the server that stops, and for want of rights.

use super::{
    Socket, answer, ask, begun, close, held, next, only_bundle, socket, socket_as, upgrade,
};
use crate::archive::contents;
use crate::desk::{archive_path, in_state};
use crate::program::{opened, server};
use futures::StreamExt;
use reqwest::Method;
use serde_json::json;
use testing::{Answer, Content, Live, Origin, TestDatabase, TestServer, on_both, within};
use tokio_tungstenite::tungstenite::Message;

/// The code with which the server closes it; what it says before is of no interest.
async fn closed(socket: &mut Socket) -> u16 {
    loop {
        match within("a close", socket.next()).await {
            Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
            Some(Ok(_)) => {}
            other => panic!("it ended without a code: {other:?}"),
        }
    }
}

async fn succeeds(server: &TestServer, id: &str) {
    let ends = ["succeeded", "cancelled", "failed"];
    let operation = in_state(server, id, &ends).await;
    assert_eq!(operation["state"], "succeeded", "{operation:#}");
    let archive = crate::desk::archive(server, id).await;
    assert_eq!(
        contents(&archive)["held.jpg"],
        Content::seeded(1, 100).to_vec()
    );
}

async fn is_cancelled(server: &TestServer, origin: &Origin, id: &str) {
    origin
        .when("the fetching to end", |counts| counts.connections == 0)
        .await;
    let operation = in_state(server, id, &["cancelled", "succeeded"]).await;
    assert_eq!(operation["state"], "cancelled", "{operation:#}");
}

on_both!(closing_the_socket_cancels_unless_it_shall_be_kept);
async fn closing_the_socket_cancels_unless_it_shall_be_kept(database: TestDatabase) {
    let (origin, url) = held().await;
    let server = server(&database).start().await;
    let mut first = socket(&server, server.port(), "/ws").await;
    let id = begun(&server, &mut first, &origin, &json!([url])).await;
    close(first).await;
    is_cancelled(&server, &origin, &id).await;
    let (status, _) = server.delete(&format!("/api/v1/bundles/{id}")).await;
    assert_eq!(status, 200);

    let mut second = socket(&server, server.port(), "/ws").await;
    let kept = json!({ "urls": [url], "keep": true });
    let id = begun(&server, &mut second, &origin, &kept).await;
    close(second).await;
    origin.release();
    succeeds(&server, &id).await;
}

on_both!(closing_the_socket_cancels_nothing_that_somebody_else_watches);
async fn closing_the_socket_cancels_nothing_that_somebody_else_watches(database: TestDatabase) {
    let (origin, url) = held().await;
    let server = server(&database).start().await;
    let mut socket = socket(&server, server.port(), "/ws").await;
    let id = begun(&server, &mut socket, &origin, &json!([url])).await;
    let mut live = Live::connect(&server).await;
    live.subscribe(json!({ "kind": "operation", "operation": id, "since": null, "log_from": 1 }))
        .await;
    live.until(|message| message["type"] == "log").await;
    close(socket).await;
    origin.release();
    succeeds(&server, &id).await;
}

on_both!(closing_the_socket_cancels_nothing_whose_archive_is_taken);
async fn closing_the_socket_cancels_nothing_whose_archive_is_taken(database: TestDatabase) {
    let (origin, url) = held().await;
    let quick = origin.put("/quick.jpg", Answer::ok(Content::seeded(2, 100)));
    let server = server(&database).start().await;
    let mut socket = socket(&server, server.port(), "/ws").await;
    ask(&mut socket, &json!([url, quick])).await;
    let id = loop {
        if let Message::Text(_) = next(&mut socket).await {
            break only_bundle(&server).await;
        }
    };
    let taker = server.request(Method::GET, &archive_path(&id)).send();
    let mut taker = within("an answer", taker).await.expect("an answer");
    assert_eq!(taker.status(), 200);
    within("the first file", taker.chunk())
        .await
        .expect("it flows");
    close(socket).await;
    origin.release();
    crate::desk::rest(taker).await.expect("a clean end");
    succeeds(&server, &id).await;
}

on_both!(what_waits_and_shall_be_kept_is_made_when_the_socket_closes);
async fn what_waits_and_shall_be_kept_is_made_when_the_socket_closes(database: TestDatabase) {
    let (origin, url) = held().await;
    let later = origin.put("/later.jpg", Answer::ok(Content::seeded(2, 100)));
    let never = origin.put("/never.jpg", Answer::ok(Content::seeded(3, 100)));
    let server = server(&database).start().await;
    let mut socket = socket(&server, server.port(), "/ws").await;
    let id = begun(&server, &mut socket, &origin, &json!([url])).await;
    ask(&mut socket, &json!([never])).await;
    ask(&mut socket, &json!({ "urls": [later], "keep": true })).await;
    ask(&mut socket, &json!("all heard")).await;
    assert_eq!(next(&mut socket).await, Message::text("\"all heard\""));
    close(socket).await;
    is_cancelled(&server, &origin, &id).await;
    let mut live = Live::connect(&server).await;
    live.subscribe(json!({ "kind": "operations", "filter": { "kind": "bundle" }, "since": 0 }))
        .await;
    live.until(|message| message["operation"]["state"] == "succeeded")
        .await;
    assert_eq!(origin.seen_of("/later.jpg").len(), 1);
    assert!(origin.seen_of("/never.jpg").is_empty());
}

/// A socket that a token opened which ends soon.
async fn short(server: &TestServer) -> Socket {
    let body =
        json!({ "name": "short", "scopes": ["bundles:write", "bundles:read"], "expires_in": 2 });
    let (status, token) = server.post("/api/v1/tokens", &body).await;
    assert_eq!(status, 201, "{token}");
    let bearer = format!("Bearer {}", token["token"].as_str().expect("the token"));
    let headers = [("Authorization", bearer.as_str())];
    let opened = upgrade(server.port(), "/ws", &headers).await;
    opened.expect("the server upgrades").0
}

on_both!(the_socket_ends_with_the_token_that_opened_it);
async fn the_socket_ends_with_the_token_that_opened_it(database: TestDatabase) {
    let server = server(&database).start().await;
    let mut socket = short(&server).await;
    // Nothing happens meanwhile that would have it asked again.
    assert_eq!(closed(&mut socket).await, 1008);
}

on_both!(a_database_that_fails_takes_nobody_the_socket_and_leaves_it_to_no_token_that_ended);
async fn a_database_that_fails_takes_nobody_the_socket_and_leaves_it_to_no_token_that_ended(
    database: TestDatabase,
) {
    let (origin, url) = held().await;
    let server = server(&database).start().await;
    let mut socket = socket(&server, server.port(), "/ws").await;
    begun(&server, &mut socket, &origin, &json!([url])).await;
    let db = opened(&server, &database).await;
    let mut short = short(&server).await;
    // Whoever asks who somebody is gets an error, and what is remembered is not believed.
    for sql in [
        "ALTER TABLE account RENAME TO no_account",
        "ALTER TABLE counter RENAME TO no_counter",
    ] {
        db.execute(sql, vec![]).await.expect("it is renamed");
    }
    let said = "whether a socket of 2020 may stay could not be asked";
    server.captured().contains(said).await;
    assert_eq!(closed(&mut short).await, 1008);
    for sql in [
        "ALTER TABLE no_account RENAME TO account",
        "ALTER TABLE no_counter RENAME TO counter",
    ] {
        db.execute(sql, vec![]).await.expect("it is renamed");
    }
    origin.release();
    let (_, archive) = answer(&mut socket).await;
    assert_eq!(contents(&archive).len(), 1);
    db.close().await;
}

on_both!(who_may_not_make_bundles_any_more_loses_the_socket_and_what_is_made_for_it);
async fn who_may_not_make_bundles_any_more_loses_the_socket_and_what_is_made_for_it(
    database: TestDatabase,
) {
    let (origin, url) = held().await;
    let server = server(&database).start().await;
    let password = "long-enough-for-otto";
    let body = json!({ "name": "otto", "role": "operator", "password": password });
    assert_eq!(server.post("/api/v1/users", &body).await.0, 201);
    let mut socket = socket_as("otto", password, server.port(), "/ws").await;
    let id = begun(&server, &mut socket, &origin, &json!([url])).await;
    let demoted = server
        .request(Method::PATCH, "/api/v1/users/otto")
        .header("Content-Type", "application/json")
        .body(json!({ "role": "viewer" }).to_string())
        .send()
        .await
        .expect("an answer");
    assert_eq!(demoted.status(), 200);
    assert_eq!(closed(&mut socket).await, 1008);
    is_cancelled(&server, &origin, &id).await;
}

on_both!(an_idle_socket_is_closed_when_the_server_stops);
async fn an_idle_socket_is_closed_when_the_server_stops(database: TestDatabase) {
    let mut server = server(&database)
        .env("LONGSHORE_SHUTDOWN_GRACE", "1h")
        .start()
        .await;
    let mut socket = socket(&server, server.port(), "/ws").await;
    let (ended, code) = tokio::join!(server.terminate(), closed(&mut socket));
    assert_eq!(code, 1012);
    assert!(ended.success(), "{ended}: {}", server.captured().text());
}

on_both!(a_socket_still_gets_its_archive_when_the_server_stops);
async fn a_socket_still_gets_its_archive_when_the_server_stops(database: TestDatabase) {
    let (origin, url) = held().await;
    let options = server(&database).env("LONGSHORE_SHUTDOWN_GRACE", "1h");
    let mut server = options.start().await;
    let mut socket = socket(&server, server.port(), "/ws").await;
    begun(&server, &mut socket, &origin, &json!([url])).await;
    server.signal(rustix::process::Signal::TERM);
    server.captured().contains("stopping").await;
    origin.release();
    let (texts, archive) = answer(&mut socket).await;
    assert_eq!((texts.len(), contents(&archive).len()), (1, 1));
    assert_eq!(closed(&mut socket).await, 1012);
    let ended = server.ended().await;
    assert!(ended.success(), "{ended}: {}", server.captured().text());
}
