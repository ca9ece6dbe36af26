//! The protocol of 2020: a WebSocket takes a list of addresses, tells of each file,
//! and gives the ZIP.

mod closing;
mod sizes;

use crate::archive::{contents, reasons};
use crate::desk::in_state;
use crate::program::server;
use futures::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use testing::{Answer, Content, Live, Nginx, Origin, TestDatabase, TestServer, on_both, within};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Response;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Asks for a WebSocket with these headers.
async fn upgrade(
    port: u16,
    path: &str,
    headers: &[(&'static str, &str)],
) -> Result<(Socket, Response), Error> {
    let url = format!("ws://127.0.0.1:{port}{path}");
    let mut request = url.into_client_request().expect("an address");
    for (name, value) in headers {
        let value = HeaderValue::from_str(value).expect("a header");
        request.headers_mut().insert(*name, value);
    }
    let config = WebSocketConfig::default()
        .max_message_size(Some(80 << 20))
        .max_frame_size(Some(80 << 20));
    within(
        "an upgrade",
        connect_async_with_config(request, Some(config), true),
    )
    .await
}

fn basic(name: &str, password: &str) -> String {
    let pair = format!("{name}:{password}");
    format!("Basic {}", data_encoding::BASE64.encode(pair.as_bytes()))
}

async fn socket_as(name: &str, password: &str, port: u16, path: &str) -> Socket {
    let headers = [("Authorization", &*basic(name, password))];
    let opened = upgrade(port, path, &headers).await;
    opened.expect("the server upgrades").0
}

pub(crate) async fn socket(server: &TestServer, port: u16, path: &str) -> Socket {
    socket_as("admin", server.admin_password(), port, path).await
}

/// Closes it, and waits until the server has closed it, too.
async fn close(mut socket: Socket) {
    within("a close", socket.close(None))
        .await
        .expect("it closes");
    while within("the other side's close", socket.next())
        .await
        .is_some_and(|message| message.is_ok())
    {}
}

/// The status with which an upgrade is refused.
async fn refusal(port: u16, path: &str, headers: &[(&'static str, &str)]) -> u16 {
    match upgrade(port, path, headers).await {
        Err(Error::Http(answer)) => answer.status().as_u16(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("{path} was opened"),
    }
}

pub(crate) async fn ask(socket: &mut Socket, body: &Value) {
    let sent = socket.send(Message::text(body.to_string()));
    within("a message to go out", sent)
        .await
        .expect("the socket takes it");
}

/// The next message that is not a ping.
async fn next(socket: &mut Socket) -> Message {
    loop {
        let message = within("a message", socket.next()).await;
        match message.expect("the socket stays open").expect("a message") {
            Message::Ping(_) | Message::Pong(_) => {}
            message => return message,
        }
    }
}

/// The texts up to the archive, and the archive.
pub(crate) async fn answer(socket: &mut Socket) -> (Vec<String>, Vec<u8>) {
    let mut texts = Vec::new();
    loop {
        match next(socket).await {
            Message::Text(text) => texts.push(text.as_str().to_owned()),
            Message::Binary(bytes) => return (texts, bytes.to_vec()),
            other => panic!("{other:?} after {texts:?}"),
        }
    }
}

/// An origin with `count` files, and their addresses.
async fn files(count: u64) -> (Origin, Vec<String>) {
    let origin = Origin::start().await;
    let put = |number| {
        origin.put(
            &format!("/{number}.jpg"),
            Answer::ok(Content::seeded(number, 2000)),
        )
    };
    let urls = (0..count).map(put).collect();
    (origin, urls)
}

/// The operation of the only bundle there is.
async fn only_bundle(server: &TestServer) -> String {
    let (_, page) = server.get("/api/v1/bundles").await;
    let items = page["items"].as_array().expect("a list");
    assert_eq!(items.len(), 1, "{page:#}");
    crate::desk::id_of(&items[0])
}

on_both!(an_array_is_answered_with_a_text_for_each_file_and_then_the_zip);
async fn an_array_is_answered_with_a_text_for_each_file_and_then_the_zip(database: TestDatabase) {
    let (_origin, urls) = files(30).await;
    let server = server(&database).start().await;
    for path in ["/ws", "/"] {
        let mut socket = socket(&server, server.port(), path).await;
        ask(&mut socket, &json!(urls)).await;
        let (texts, archive) = answer(&mut socket).await;
        assert_eq!(texts.len(), 30, "{texts:?}");
        let contents = contents(&archive);
        for number in 0..30 {
            let name = format!("{number}.jpg");
            assert!(texts.iter().any(|text| text.contains(&name)), "{texts:?}");
            assert!(contents[&name] == Content::seeded(number, 2000).to_vec());
        }
    }
}

on_both!(it_works_through_nginx_as_it_did);
async fn it_works_through_nginx_as_it_did(database: TestDatabase) {
    let (_origin, urls) = files(5).await;
    let server = server(&database)
        .env("LONGSHORE_TRUSTED_PROXIES", "127.0.0.0/8")
        .start()
        .await;
    let Some(nginx) = Nginx::before(server.port()).await else {
        return;
    };
    let url = format!("ws://127.0.0.1:{}/api/v1/live", nginx.port());
    let mut live = Live::connect_to(&url, "admin", server.admin_password()).await;
    assert_eq!(live.next().await["type"], "hello");
    let bundles = json!({ "kind": "bundle" });
    live.subscribe(json!({ "kind": "operations", "filter": bundles, "since": null }))
        .await;
    live.until(|message| message["type"] == "position").await;
    for path in ["/ws", "/"] {
        let mut socket = socket(&server, nginx.port(), path).await;
        ask(&mut socket, &json!(urls)).await;
        let (texts, archive) = answer(&mut socket).await;
        assert_eq!((texts.len(), contents(&archive).len()), (5, 5));
        // And whoever watches hears of it through the same nginx.
        live.until(|message| {
            message["type"] == "operation" && message["operation"]["state"] == "succeeded"
        })
        .await;
    }
}

on_both!(what_is_no_array_is_echoed);
async fn what_is_no_array_is_echoed(database: TestDatabase) {
    let server = server(&database).start().await;
    let mut socket = socket(&server, server.port(), "/ws").await;
    for text in ["hello", "{\"a\": 1}", "[1, 2]", "[\"broken\""] {
        let sent = socket.send(Message::text(text));
        within("a message to go out", sent)
            .await
            .expect("it goes out");
        assert_eq!(next(&mut socket).await, Message::text(text));
    }
    let bytes = Message::binary(vec![0, 159, 146, 150]);
    within("a message to go out", socket.send(bytes.clone()))
        .await
        .expect("it goes out");
    assert_eq!(next(&mut socket).await, bytes);
    assert_eq!(server.get("/api/v1/bundles").await.1["items"], json!([]));
}

on_both!(a_bad_address_is_told_and_the_rest_comes);
async fn a_bad_address_is_told_and_the_rest_comes(database: TestDatabase) {
    let (origin, mut urls) = files(2).await;
    urls.insert(1, origin.url("/nowhere.jpg"));
    urls.push("rubbish".to_owned());
    let server = server(&database).start().await;
    let mut socket = socket(&server, server.port(), "/ws").await;
    ask(&mut socket, &json!(urls)).await;
    let (texts, archive) = answer(&mut socket).await;
    assert_eq!(texts.len(), 4, "one for each: {texts:?}");
    assert_eq!(contents(&archive).len(), 2);
    assert_eq!(reasons(&archive).into_keys().collect::<Vec<_>>(), [1, 3]);

    ask(&mut socket, &json!(["rubbish"])).await;
    loop {
        match next(&mut socket).await {
            Message::Text(text) if text.contains("could not be made") => break,
            Message::Text(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

on_both!(a_second_array_waits_and_is_not_mixed_in);
async fn a_second_array_waits_and_is_not_mixed_in(database: TestDatabase) {
    let origin = Origin::start().await;
    let first = origin.put("/first.jpg", Answer::ok(Content::seeded(1, 100)).held());
    let second = origin.put("/second.jpg", Answer::ok(Content::seeded(2, 100)));
    let server = server(&database).start().await;
    let mut socket = socket(&server, server.port(), "/ws").await;
    ask(&mut socket, &json!([first])).await;
    ask(&mut socket, &json!([second])).await;
    let sent = socket.send(Message::text("still there?"));
    within("a message to go out", sent)
        .await
        .expect("it goes out");
    assert_eq!(
        next(&mut socket).await,
        Message::text("still there?"),
        "nothing else yet"
    );
    origin
        .when("the first to be asked for", |counts| counts.requests == 1)
        .await;
    assert!(origin.seen_of("/second.jpg").is_empty(), "it waits");
    origin.release();
    for name in ["first.jpg", "second.jpg"] {
        let (texts, archive) = answer(&mut socket).await;
        assert!(texts.len() == 1 && texts[0].contains(name), "{texts:?}");
        assert_eq!(contents(&archive).keys().collect::<Vec<_>>(), [name]);
    }
}

/// A source that is not answered before it is released.
async fn held() -> (Origin, String) {
    let origin = Origin::start().await;
    let url = origin.put("/held.jpg", Answer::ok(Content::seeded(1, 100)).held());
    (origin, url)
}

/// Asks for a bundle and waits until its source is asked; its operation.
async fn begun(server: &TestServer, socket: &mut Socket, origin: &Origin, body: &Value) -> String {
    ask(socket, body).await;
    origin
        .when("the source to be asked", |counts| counts.requests == 1)
        .await;
    only_bundle(server).await
}

on_both!(an_archive_and_an_echo_of_many_frames_are_one_message_each);
async fn an_archive_and_an_echo_of_many_frames_are_one_message_each(database: TestDatabase) {
    let origin = Origin::start().await;
    let content = Content::seeded(1, 5_000_000);
    let url = origin.put("/long.jpg", Answer::ok(content.clone()));
    let server = server(&database).start().await;
    let mut socket = socket(&server, server.port(), "/ws").await;
    let long = "é".repeat(400_000);
    let sent = socket.send(Message::text(long.clone()));
    within("a message to go out", sent)
        .await
        .expect("it goes out");
    ask(&mut socket, &json!([url])).await;
    assert!(next(&mut socket).await == Message::text(long));
    let (texts, archive) = answer(&mut socket).await;
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(contents(&archive)["long.jpg"] == content.to_vec());
}

on_both!(nothing_goes_between_the_frames_of_a_long_message);
async fn nothing_goes_between_the_frames_of_a_long_message(database: TestDatabase) {
    let (origin, url) = held().await;
    let server = server(&database).start().await;
    let mut socket = socket(&server, server.port(), "/ws").await;
    let id = begun(&server, &mut socket, &origin, &json!([url])).await;
    // More than lies between the two while nobody reads: most of it is still to be sent.
    let long = "x".repeat(24 << 20);
    let sent = socket.send(Message::text(long.clone()));
    within("a message to go out", sent)
        .await
        .expect("it goes out");
    origin.release();
    in_state(&server, &id, &["succeeded"]).await;
    assert!(next(&mut socket).await == Message::text(long), "the echo");
    let (texts, archive) = answer(&mut socket).await;
    assert!(
        texts.len() == 1 && texts[0].contains("held.jpg"),
        "{texts:?}"
    );
    assert_eq!(contents(&archive).len(), 1);
}

on_both!(so_many_arrays_wait_and_no_more);
async fn so_many_arrays_wait_and_no_more(database: TestDatabase) {
    let (origin, url) = held().await;
    let server = server(&database).start().await;
    let mut socket = socket(&server, server.port(), "/ws").await;
    begun(&server, &mut socket, &origin, &json!([url])).await;
    for _ in 0..16 {
        ask(&mut socket, &json!([url])).await;
    }
    ask(&mut socket, &json!([url])).await;
    let Message::Text(refused) = next(&mut socket).await else {
        panic!("no answer to one too many")
    };
    assert!(refused.contains("Too many requests"), "{refused}");
    close(socket).await;
}

on_both!(an_array_of_more_than_may_be_is_refused_and_not_echoed);
async fn an_array_of_more_than_may_be_is_refused_and_not_echoed(database: TestDatabase) {
    let server = server(&database)
        .env("LONGSHORE_BUNDLES_MAX_SOURCES", "3")
        .start()
        .await;
    let mut socket = socket(&server, server.port(), "/ws").await;
    ask(&mut socket, &json!(["a", "b", "c", "d"])).await;
    let Message::Text(refused) = next(&mut socket).await else {
        panic!("no answer")
    };
    assert!(refused.contains("at most 3 sources"), "{refused}");
}

on_both!(only_who_may_make_bundles_gets_a_socket_and_no_foreign_page_does);
async fn only_who_may_make_bundles_gets_a_socket_and_no_foreign_page_does(database: TestDatabase) {
    let server = server(&database).start().await;
    let port = server.port();
    let body = json!({ "name": "vera", "role": "viewer", "password": "long-enough-for-vera" });
    assert_eq!(server.post("/api/v1/users", &body).await.0, 201);
    let viewer = data_encoding::BASE64.encode(b"vera:long-enough-for-vera");
    let session = server.log_in("admin", server.admin_password()).await;
    let cookie = session.cookie();
    let own = format!("http://127.0.0.1:{port}");
    for path in ["/ws", "/"] {
        assert_eq!(refusal(port, path, &[]).await, 401, "nobody at {path}");
        let viewer = format!("Basic {viewer}");
        assert_eq!(
            refusal(port, path, &[("Authorization", &viewer)]).await,
            403,
            "a viewer"
        );
        let foreign = [("Cookie", cookie), ("Origin", "https://elsewhere.example")];
        assert_eq!(
            refusal(port, path, &foreign).await,
            403,
            "a foreign page at {path}"
        );
        assert_eq!(
            refusal(port, path, &[("Cookie", cookie), ("Origin", "null")]).await,
            403
        );
        assert_eq!(
            refusal(port, path, &[("Cookie", cookie)]).await,
            403,
            "no browser"
        );
        upgrade(port, path, &[("Cookie", cookie), ("Origin", &own)])
            .await
            .expect("our own page");
    }
    let plain = server
        .request(Method::GET, "/ws")
        .send()
        .await
        .expect("an answer");
    assert_eq!(plain.status(), 426);
}
