//! What a token may not do is refused, and not offered to it either.

use crate::desk::{accepted, in_state};
use crate::program::server;
use reqwest::Method;
use serde_json::{Value, json};
use testing::{TestDatabase, TestServer, on_both};

/// One who proves itself with a token.
struct Holder<'a> {
    server: &'a TestServer,
    token: String,
}

impl<'a> Holder<'a> {
    async fn of(server: &'a TestServer, name: &str, scopes: &[&str]) -> Self {
        let body = json!({ "name": name, "scopes": scopes });
        let (status, made) = server.post("/api/v1/tokens", &body).await;
        assert_eq!(status, 201, "{made}");
        let token = made["token"].as_str().expect("it is shown this once");
        let token = token.to_owned();
        Self { server, token }
    }

    async fn get(&self, path: &str) -> Value {
        self.call(Method::GET, path, &Value::Null).await.1
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let mut request = self.server.anonymous(method, path).bearer_auth(&self.token);
        if !body.is_null() {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("a body");
        (status, serde_json::from_str(&text).expect("JSON"))
    }

    /// What the live feed offers to be done with an operation.
    async fn told(&self, id: &str) -> Value {
        let topic = json!({ "kind": "operation", "operation": id });
        let body = json!({ "subscriptions": [{ "id": 1, "topic": topic }] });
        let (_, answer) = self.call(Method::POST, "/api/v1/live/poll", &body).await;
        let messages = answer["messages"].as_array().expect("messages");
        let told = messages
            .iter()
            .find(|message| message["type"] == "operation");
        told.unwrap_or_else(|| panic!("{answer:#}"))["operation"]["actions"].clone()
    }

    async fn retry(&self, id: &str) -> u16 {
        let path = format!("/api/v1/operations/{id}/retry");
        self.call(Method::POST, &path, &Value::Null).await.0
    }
}

on_both!(repeating_an_operation_needs_the_scope_of_its_part_and_is_offered_only_with_it);
async fn repeating_an_operation_needs_the_scope_of_its_part_and_is_offered_only_with_it(
    database: TestDatabase,
) {
    let server = server(&database).start().await;
    let id = accepted(&server, &json!({ "sources": ["no address"] })).await;
    in_state(&server, &id, &["failed"]).await;
    let one = format!("/api/v1/operations/{id}");
    let bundle = format!("/api/v1/bundles/{id}");

    let mut scopes = vec!["operations:read", "operations:write", "bundles:read"];
    let narrow = Holder::of(&server, "narrow", &scopes).await;
    let list = narrow.get("/api/v1/operations?kind=bundle").await;
    assert_eq!(list["items"][0]["actions"], json!([]), "{list:#}");
    assert_eq!(narrow.get(&one).await["actions"], json!([]));
    assert_eq!(narrow.told(&id).await, json!([]));
    assert_eq!(narrow.get(&bundle).await["actions"], json!([]));
    assert_eq!(narrow.retry(&id).await, 403);

    scopes.push("bundles:write");
    let both = Holder::of(&server, "both", &scopes).await;
    assert_eq!(both.get(&one).await["actions"], json!(["retry"]));
    assert_eq!(both.told(&id).await, json!(["retry"]));
    let offered = both.get(&bundle).await["actions"].clone();
    assert_eq!(offered, json!(["again", "delete"]));
    assert_eq!(both.retry(&id).await, 201);
}

on_both!(who_may_not_repeat_a_running_operation_may_still_cancel_it);
async fn who_may_not_repeat_a_running_operation_may_still_cancel_it(database: TestDatabase) {
    let origin = testing::Origin::start().await;
    let held = testing::Answer::ok(testing::Content::seeded(1, 100)).held();
    let held = origin.put("/held", held);
    let server = server(&database).start().await;
    let id = accepted(&server, &json!({ "sources": [held] })).await;
    in_state(&server, &id, &["running"]).await;
    let scopes = ["operations:read", "operations:write"];
    let narrow = Holder::of(&server, "narrow", &scopes).await;
    let path = format!("/api/v1/operations/{id}/cancel");
    assert_eq!(narrow.told(&id).await, json!(["cancel"]));
    let (status, _) = narrow.call(Method::POST, &path, &Value::Null).await;
    assert_eq!(status, 202);
    in_state(&server, &id, &["cancelled"]).await;
    assert_eq!(narrow.told(&id).await, json!([]));
}
