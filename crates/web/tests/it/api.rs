//! The stories of people, over HTTP, on both databases.

mod keys;
mod session;
mod users;

use crate::fixture::{call, get, post};
use crate::house::{PASSWORD, in_house};
use axum::body::Body;
use base::Clock;
use http::Method;
use serde_json::json;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

fn put(uri: &str, json: &str) -> crate::fixture::Call {
    let call = call(Method::PUT, uri).header("content-type", "application/json");
    call.body(Body::from(json.to_owned()))
}

fn patch(uri: &str, json: &str) -> crate::fixture::Call {
    let call = call(Method::PATCH, uri).header("content-type", "application/json");
    call.body(Body::from(json.to_owned()))
}

fn delete(uri: &str) -> crate::fixture::Call {
    call(Method::DELETE, uri)
}

fn field(answer: &crate::fixture::Answered) -> (String, String) {
    let error = &answer.json()["errors"][0];
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (text("field"), text("code"))
}

#[tokio::test]
async fn who_did_what_is_there_page_by_page() {
    in_house(|house| async move {
        for name in ["a", "b", "c"] {
            let json = format!(r#"{{"name":"{name}","role":"viewer"}}"#);
            assert_eq!(house.admin(post("/api/v1/users", &json)).await.status, 201);
            house.clock.advance(Duration::from_secs(1));
        }
        let base = "/api/v1/audit?action=user.created&actor=user:admin&limit=2";
        let first = house.admin(get(base)).await.json();
        let next = first["next"].as_str().expect("more follow");
        let second = house
            .admin(get(&format!("{base}&cursor={next}")))
            .await
            .json();
        let subjects: Vec<_> = [&first, &second]
            .into_iter()
            .flat_map(|page| page["items"].as_array().expect("a list"))
            .map(|entry| entry["subject"].clone())
            .collect();
        assert_eq!(subjects, ["user:c", "user:b", "user:a"]);
        assert_eq!(second["next"], json!(null));
        assert_eq!(first["items"][0]["after"]["role"], "viewer");

        let now = house.clock.now();
        let later = house
            .admin(get(&format!("/api/v1/audit?from={now}")))
            .await
            .json();
        assert_eq!(later["items"], json!([]));
        for (query, at) in [
            ("from=today", "from"),
            ("cursor=x", "cursor"),
            ("limit=0", "limit"),
        ] {
            let answer = house.admin(get(&format!("/api/v1/audit?{query}"))).await;
            assert_eq!(
                (answer.status, field(&answer).0),
                (400, at.into()),
                "{query}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_running_is_told_to_users() {
    in_house(|house| async move {
        let about = house
            .call(get("/api/v1/about").basic("viewer", PASSWORD))
            .await
            .json();
        assert_eq!(about["version"], "0.0.0");
        assert!(["SQLite", "Postgres"].contains(&about["database"].as_str().expect("a name")));
    })
    .await;
}
