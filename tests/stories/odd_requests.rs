//! Odd requests, made up from the server's own description of itself, to the operations
//! that schemathesis leaves out (xtask/src/schemathesis.rs says why it does). No answer
//! may be the server's fault, and none may be one that the description does not name.

mod dice;
mod schema;

use crate::program::server;
use dice::Dice;
use reqwest::header::HeaderValue;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use testing::{Answer, Content, Origin, TestDatabase, TestServer, on_both};

/// What the server says of itself.
struct Described(Value);

/// What was wrong with answers.
#[derive(Default)]
struct Wrong(Vec<String>);

impl Described {
    async fn by(server: &TestServer) -> Self {
        Self(server.get("/api/v1/openapi.json").await.1)
    }

    /// What a reference refers to, or the value itself.
    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(to) => {
                let at = to.trim_start_matches('#');
                self.resolved(self.0.pointer(at).expect("a reference leads somewhere"))
            }
            None => value,
        }
    }

    /// An operation by its name: its path and what is said of it.
    fn operation(&self, name: &str) -> &Value {
        let paths = self.0["paths"].as_object().expect("paths").values();
        let mut all = paths.flat_map(|path| path.as_object().expect("methods").values());
        all.find(|operation| operation["operationId"] == name)
            .unwrap_or_else(|| panic!("{name} is described"))
    }

    fn body_of(&self, name: &str) -> &Value {
        &self.operation(name)["requestBody"]["content"]["application/json"]["schema"]
    }

    /// The status of an answer and what it says, or what is wrong with it.
    async fn judge(&self, name: &str, answer: Response) -> Result<(u16, Value), String> {
        let status = answer.status().as_u16();
        let kind = answer.headers().get("content-type");
        let kind = kind.map(|kind| kind.to_str().unwrap_or("unreadable").to_owned());
        let body = match answer.bytes().await {
            Ok(body) => body,
            // A strict one breaks off where something is missing.
            Err(_) if kind.as_deref() == Some("application/zip") => return Ok((status, json!({}))),
            Err(error) => return Err(format!("{status} broke off: {error}")),
        };
        let told = String::from_utf8_lossy(&body[..body.len().min(400)]).into_owned();
        // That a quota is reached is nobody's failure.
        if status >= 500 && status != 507 {
            return Err(format!("{status}: {told}"));
        }
        let described = &self.operation(name)["responses"][status.to_string()];
        if described.is_null() {
            return Err(format!("{status} is not described: {told}"));
        }
        let content = &self.resolved(described)["content"];
        let Some(kinds) = content.as_object() else {
            return if body.is_empty() {
                Ok((status, Value::Null))
            } else {
                Err(format!("{status} has a body: {told}"))
            };
        };
        let kind = kind.unwrap_or_default();
        let Some(as_kind) = kinds.get(&kind) else {
            return Err(format!("{status} is {kind:?}: {told}"));
        };
        let value: Value = serde_json::from_slice(&body).unwrap_or_default();
        if !kind.ends_with("json") {
            return Ok((status, value));
        }
        match self.misfit(&as_kind["schema"], &value, "the answer") {
            Some(misfit) => Err(format!("{status}: {misfit}: {told}")),
            None => Ok((status, value)),
        }
    }

    /// Sends one request; the status of an answer as described, and what it says.
    async fn ask(
        &self,
        name: &str,
        request: RequestBuilder,
        told: &str,
        wrong: &mut Wrong,
    ) -> (u16, Value) {
        let answer = match request.send().await {
            Ok(answer) => self.judge(name, answer).await,
            Err(error) => Err(format!("no answer: {error}")),
        };
        match answer {
            Ok(answer) => answer,
            Err(what) => {
                let told: String = told.chars().take(600).collect();
                wrong.0.push(format!("{name} {told}\n    {what}"));
                (0, Value::Null)
            }
        }
    }
}

impl Wrong {
    fn is_nothing(&self) {
        assert!(self.0.is_empty(), "{}", self.0.join("\n"));
    }
}

/// With a body, which says that it is JSON unless chance says otherwise.
fn with_body(dice: &mut Dice, request: RequestBuilder, body: Vec<u8>) -> RequestBuilder {
    let kind = match dice.below(20) {
        0 => "text/plain",
        1 => "application/json; charset=utf-16",
        2 => "",
        _ => "application/json",
    };
    request.header("Content-Type", kind).body(body)
}

/// A body as JSON, which chance breaks now and then.
fn written(dice: &mut Dice, value: &Value) -> Vec<u8> {
    let mut text = value.to_string().into_bytes();
    match dice.below(24) {
        0 => text.truncate(text.len() / 2),
        1 => text.extend_from_slice(b"}"),
        2 => text.clear(),
        3 => text.insert(text.len() / 2, 0xFF),
        4 => text = b"[".repeat(10_000),
        5 => text = br#"{"sources": ["\ud800"], "sources": [], "name": "\u0000"}"#.to_vec(),
        6 => text = br#"{"sources": 1e999, "role": -0, "subscriptions": 1E400}"#.to_vec(),
        _ => {}
    }
    text
}

on_both!(odd_bundles_are_answered_as_it_is_described);
async fn odd_bundles_are_answered_as_it_is_described(database: TestDatabase) {
    let origin = Origin::start().await;
    origin.answer_others(|seen| {
        let length = seen.path.len() as u64;
        match length % 5 {
            0 => Answer::status(404),
            _ => Answer::ok(Content::seeded(length, length)),
        }
    });
    let server = server(&database).start().await;
    let described = Described::by(&server).await;
    let mut dice = Dice::seeded(1).with_address(&origin.url("/"));
    let (mut wrong, mut accepted) = (Wrong::default(), 0);
    for _ in 0..400 {
        let body = dice.value(&described, described.body_of("create_bundle"));
        let body = written(&mut dice, &body);
        let query = dice.one_of(&[
            "",
            "",
            "",
            "?stream=1",
            "?stream=0",
            "?stream=yes",
            "?x=%00",
        ]);
        let path = format!("/api/v1/bundles{query}");
        let request = with_body(&mut dice, server.request(Method::POST, &path), body.clone());
        let told = format!("{path} {}", String::from_utf8_lossy(&body));
        let (status, bundle) = described
            .ask("create_bundle", request, &told, &mut wrong)
            .await;
        accepted += u32::from(status == 200 || status == 201);
        if status == 201 {
            // One that is not kept would wait for somebody to take it, and others for it.
            let path = format!("/api/v1/bundles/{}", crate::desk::id_of(&bundle));
            server.delete(&path).await;
        }
    }
    wrong.is_nothing();
    assert!(accepted > 20, "only {accepted} were bundles");
}

on_both!(odd_watchers_are_answered_as_it_is_described);
async fn odd_watchers_are_answered_as_it_is_described(database: TestDatabase) {
    let server = server(&database).start().await;
    let described = Described::by(&server).await;
    let mut dice = Dice::seeded(2);
    let (mut wrong, mut accepted) = (Wrong::default(), 0);
    for _ in 0..200 {
        let mut body = dice.value(&described, described.body_of("poll"));
        // It would wait until something happens.
        let waits = body["wait"].is_null() || body["wait"].as_f64().is_some_and(|wait| wait > 0.0);
        if let Some(body) = body.as_object_mut().filter(|_| waits) {
            body.insert("wait".to_owned(), json!(0));
        }
        let body = written(&mut dice, &body);
        let request = server.request(Method::POST, "/api/v1/live/poll");
        let request = with_body(&mut dice, request, body.clone());
        let told = String::from_utf8_lossy(&body);
        let (status, _) = described.ask("poll", request, &told, &mut wrong).await;
        accepted += u32::from(status == 200);
    }
    wrong.is_nothing();
    assert!(accepted > 20, "only {accepted} were followed");
}

on_both!(odd_changes_of_users_and_tokens_are_answered_as_it_is_described);
async fn odd_changes_of_users_and_tokens_are_answered_as_it_is_described(database: TestDatabase) {
    let server = server(&database).start().await;
    let described = Described::by(&server).await;
    let mut dice = Dice::seeded(3);
    let mut wrong = Wrong::default();
    let mut tokens = Vec::new();
    for number in 0..4 {
        let name = format!("tried-{number}");
        let user = json!({ "name": name, "role": "viewer", "password": "long-enough-to-be-tried" });
        assert_eq!(server.post("/api/v1/users", &user).await.0, 201);
        let token = json!({ "name": name, "scopes": ["operations:read"] });
        let (status, made) = server.post("/api/v1/tokens", &token).await;
        assert_eq!(status, 201, "{made}");
        tokens.push(made);
    }
    let mut met = [0; 3];
    for number in 0..240 {
        let name = match dice.below(3) {
            0 => dice.segment(),
            _ => format!("tried-{}", dice.below(4)),
        };
        let user = format!("/api/v1/users/{name}");
        let change = dice.value(&described, described.body_of("change_user"));
        let change = written(&mut dice, &change);
        let told = format!("{user} {}", String::from_utf8_lossy(&change));
        let request = with_body(&mut dice, server.request(Method::PATCH, &user), change);
        let (status, _) = described
            .ask("change_user", request, &told, &mut wrong)
            .await;
        met[0] += u32::from(status == 200);
        if number % 8 == 0 {
            let request = server.request(Method::DELETE, &user);
            let (status, _) = described
                .ask("delete_user", request, &user, &mut wrong)
                .await;
            met[1] += u32::from(status == 204);
        }
        let token = match dice.below(3) {
            0 => dice.segment(),
            _ => {
                let token = &tokens[dice.below(tokens.len())];
                let id = token["id"]
                    .as_str()
                    .or_else(|| token["token"]["id"].as_str());
                id.expect("a token has an id").to_owned()
            }
        };
        let token = format!("/api/v1/tokens/{token}");
        let request = server.request(Method::DELETE, &token);
        let (status, _) = described
            .ask("delete_token", request, &token, &mut wrong)
            .await;
        met[2] += u32::from(status == 204);
    }
    wrong.is_nothing();
    assert!(met[0] > 5 && met[1] > 1 && met[2] == 4, "{met:?}");
}

/// Begins an upload of 20 bytes; its path.
async fn upload(server: &TestServer, number: u64) -> String {
    let name = data_encoding::BASE64.encode(format!("tried-{number}").as_bytes());
    let answer = server
        .request(Method::POST, "/tus")
        .header("Tus-Resumable", "1.0.0")
        .header("Upload-Length", "20")
        .header("Upload-Metadata", format!("path {name}"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 201);
    let address = answer.headers()["location"].to_str().expect("ASCII");
    let at = address.find("/tus/").expect("an upload");
    address[at..].to_owned()
}

on_both!(odd_uploads_by_tus_are_answered_as_it_is_described);
async fn odd_uploads_by_tus_are_answered_as_it_is_described(database: TestDatabase) {
    let server = server(&database).start().await;
    let described = Described::by(&server).await;
    let mut dice = Dice::seeded(4);
    let mut wrong = Wrong::default();
    let mut accepted = [0; 3];
    for number in 0..150 {
        let upload = upload(&server, number).await;
        for (which, name, method) in [
            (0, "tus_create", Method::POST),
            (1, "tus_append", Method::PATCH),
            (2, "tus_override", Method::POST),
        ] {
            let path = match (which, dice.below(6)) {
                (0, _) => "/tus".to_owned(),
                (_, 0) => format!("/tus/{}", dice.segment()),
                _ => upload.clone(),
            };
            let mut request = server.request(method.clone(), &path);
            let mut told = format!("{method} {path}");
            let likely = dice.below(2) == 0;
            let parameters = described.operation(name)["parameters"].as_array();
            for parameter in parameters.into_iter().flatten() {
                let header = parameter["name"].as_str().expect("a name");
                let value = match dice.tus_good(header, which).filter(|_| likely) {
                    Some(good) if dice.below(16) != 0 => good.as_bytes().to_vec(),
                    _ if likely && dice.below(16) != 0 => continue,
                    _ if parameter["in"] != "header" || dice.below(3) == 0 => continue,
                    _ => dice.tus_header(header),
                };
                told += &format!(" {header}: {}", String::from_utf8_lossy(&value));
                let value = HeaderValue::from_bytes(&value).expect("a header takes it");
                request = request.header(header, value);
            }
            let kind = dice.one_of(&[
                "application/offset+octet-stream",
                "application/offset+octet-stream",
                "application/offset+octet-stream",
                "text/plain",
            ]);
            let request = request
                .header("Content-Type", kind)
                .body("0123456789".repeat(dice.below(4)));
            let (status, _) = described.ask(name, request, &told, &mut wrong).await;
            accepted[which] += u32::from((200..300).contains(&status));
        }
    }
    wrong.is_nothing();
    assert!(accepted.iter().all(|count| *count > 2), "{accepted:?}");
}
