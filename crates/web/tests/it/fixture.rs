//! A site with a route of every kind, callers by name, and a client.

use ::access::{Caller, Proof, Role, Scope};
use async_trait::async_trait;
use axum::body::Body;
use axum::response::Response;
use base::{ManualClock, SessionId, Timestamp, TokenId};
use http::header::AUTHORIZATION;
use http::{Method, Request, request};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use utoipa::ToSchema;
use web::routes;
use web::{
    Answer, AnswerTime, BodyLimit, By, Client, Gate, Identify, Json, Links, Path, Problem, Query,
    Refused, Requirement, RouteLimits, Routes, Settings, Site,
};

pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

/// Knows tokens, cookies and passwords by their texts.
pub(crate) struct Doorman;

fn named(role: &str, proof: Proof) -> Result<Caller, Refused> {
    let role: Role = role.parse().map_err(|_| Refused::Unknown)?;
    Ok(Caller::for_test(role.as_str(), role, proof))
}

fn token(scopes: &[Scope]) -> Proof {
    Proof::Token {
        id: TokenId::new(),
        name: "ci".into(),
        scopes: scopes.to_vec(),
    }
}

#[async_trait]
impl Identify for Doorman {
    async fn by_cookie(&self, cookie: &str, _: IpAddr) -> Result<Caller, Refused> {
        match cookie {
            "expired" => Err(Refused::Expired),
            _ => named(cookie, Proof::Session(SessionId::new())),
        }
    }

    fn csrf_matches(&self, caller: &Caller, token: &str) -> bool {
        token == format!("csrf-of-{}", caller.name())
    }

    async fn by_basic(&self, name: &str, password: &str, _: IpAddr) -> Result<Caller, Refused> {
        match password {
            "right" => named(name, Proof::Password),
            "often" => Err(Refused::TooMany {
                retry_after: Duration::from_secs(30),
            }),
            "down" => Err(Refused::Unavailable("no database".into())),
            _ => Err(Refused::Unknown),
        }
    }

    async fn by_bearer(&self, text: &str, _: IpAddr) -> Result<Caller, Refused> {
        if let Some(scope) = text.strip_prefix("only-") {
            let scope: Scope = scope.parse().map_err(|_| Refused::Unknown)?;
            return named("admin", token(&[scope]));
        }
        match text {
            "expired" => Err(Refused::Expired),
            _ => named(text, token(&Scope::ALL)),
        }
    }
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Thing {
    pub(crate) name: String,
    pub(crate) count: u32,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub(crate) struct Filter {
    pub(crate) limit: Option<u8>,
}

#[utoipa::path(get, path = "/api/v1/things", tag = "things", params(Filter), responses((status = 200, body = Vec<Thing>)))]
async fn list_things(Query(filter): Query<Filter>, By(caller): By) -> Json<Vec<Thing>> {
    let count = u32::from(filter.limit.unwrap_or(1));
    Json(vec![Thing {
        name: caller.name().to_owned(),
        count,
    }])
}

#[utoipa::path(post, path = "/api/v1/things", tag = "things", request_body = Thing, responses((status = 201, body = Thing)))]
async fn create_thing(Json(thing): Json<Thing>) -> (http::StatusCode, Json<Thing>) {
    (http::StatusCode::CREATED, Json(thing))
}

#[utoipa::path(delete, path = "/api/v1/things/{id}", tag = "things", params(("id" = uuid::Uuid, Path)), responses((status = 204)))]
async fn delete_thing(Path(_id): Path<uuid::Uuid>) -> http::StatusCode {
    http::StatusCode::NO_CONTENT
}

#[utoipa::path(get, path = "/api/v1/things/{id}/archive", tag = "things", params(("id" = uuid::Uuid, Path)), responses((status = 200)))]
async fn thing_archive(Path(id): Path<uuid::Uuid>, by: Option<By>) -> String {
    let by = by.map_or("a link".to_owned(), |by| by.name().to_owned());
    format!("{id} by {by}")
}

#[utoipa::path(get, path = "/api/v1/me", tag = "things", responses((status = 200)))]
async fn me(by: Option<By>) -> String {
    by.map_or("nobody".to_owned(), |by| by.name().to_owned())
}

#[utoipa::path(post, path = "/api/v1/me", tag = "things", responses((status = 200)))]
async fn change_me(by: Option<By>) -> String {
    by.map_or("nobody".to_owned(), |by| by.name().to_owned())
}

#[utoipa::path(get, path = "/api/v1/from", tag = "things", responses((status = 200)))]
async fn from(client: Client) -> String {
    format!(
        "{} {} {}",
        client.address(),
        if client.is_https() { "https" } else { "http" },
        client.authority().unwrap_or("-")
    )
}

#[utoipa::path(post, path = "/api/v1/open", tag = "things", request_body = Thing, responses((status = 200)))]
async fn open(Json(thing): Json<Thing>) -> String {
    thing.name
}

#[utoipa::path(get, path = "/api/v1/panics", tag = "things", responses((status = 200)))]
async fn panics() -> String {
    panic!("the secret is hunter2")
}

#[utoipa::path(get, path = "/api/v1/fails", tag = "things", responses((status = 200)))]
async fn fails() -> Answer<String> {
    let cause = std::io::Error::other("disk /var/lib/secret is on fire");
    Err(Problem::internal(&cause))
}

#[utoipa::path(get, path = "/api/v1/hangs", tag = "things", responses((status = 200)))]
async fn hangs() -> String {
    std::future::pending().await
}

#[utoipa::path(get, path = "/api/v1/slow", tag = "things", responses((status = 200)))]
async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_secs(30)).await;
    "at last"
}

#[utoipa::path(get, path = "/api/v1/large", tag = "things", responses((status = 200)))]
async fn large() -> Json<String> {
    Json("long ".repeat(1000))
}

#[utoipa::path(get, path = "/api/v1/archive", tag = "things", responses((status = 200)))]
async fn archive() -> ([(http::HeaderName, &'static str); 1], String) {
    (
        [(http::header::CONTENT_TYPE, "application/zip")],
        "long ".repeat(1000),
    )
}

#[utoipa::path(post, path = "/api/v1/bulk", tag = "things", request_body = Vec<Thing>, responses((status = 200)))]
async fn bulk(Json(things): Json<Vec<Thing>>) -> String {
    things.len().to_string()
}

#[utoipa::path(post, path = "/api/v1/patient", tag = "things", request_body = Thing, responses((status = 200)))]
async fn patient(Json(thing): Json<Thing>) -> String {
    thing.name
}

#[utoipa::path(get, path = "/socket", tag = "things", responses((status = 101)))]
async fn socket(upgrade: axum::extract::WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(|mut socket| async move {
        while let Some(Ok(message)) = socket.recv().await {
            if socket.send(message).await.is_err() {
                break;
            }
        }
    })
}

pub(crate) fn routes() -> Routes {
    let read = Requirement::Role(Role::Viewer, Scope::OperationsRead);
    let quick = RouteLimits::default().time(AnswerTime::Within(Duration::from_millis(50)));
    Routes::new()
        .add(read, routes!(list_things))
        .add(
            Requirement::Role(Role::Operator, Scope::OperationsWrite),
            routes!(create_thing),
        )
        .add(
            Requirement::Role(Role::Admin, Scope::Admin),
            routes!(delete_thing),
        )
        .add(
            Requirement::Signed(Role::Viewer, Scope::BundlesRead),
            routes!(thing_archive),
        )
        .add(
            Requirement::SelfChecked {
                why: "it says who asks, nobody included",
            },
            routes!(me, change_me),
        )
        .add(read, routes!(socket))
        .add(Requirement::Public, routes!(from))
        .add_within(quick, Requirement::Public, routes!(open))
        .add(Requirement::Public, routes!(panics))
        .add(Requirement::Public, routes!(fails))
        .add(Requirement::Public, routes!(large))
        .add(Requirement::Public, routes!(slow))
        .add(Requirement::Public, routes!(archive))
        .add_within(quick, Requirement::Public, routes!(hangs))
        .add_within(
            RouteLimits::default().time(AnswerTime::OwnLimit),
            Requirement::Public,
            routes!(patient),
        )
        .add_within(
            RouteLimits::default().body(BodyLimit::Configured),
            Requirement::Public,
            routes!(bulk),
        )
}

pub(crate) fn links() -> Links {
    Links::new([3; 32], "test")
}

pub(crate) fn gate(settings: Settings, concurrency: usize) -> Gate {
    // The sender may go: what was sent last stays to be read.
    let (_, settings) = watch::channel(Arc::new(settings));
    let clock = Arc::new(ManualClock::new(NOW));
    Gate::new(Arc::new(Doorman), links(), clock, settings, concurrency)
}

pub(crate) fn site() -> Site {
    site_with(Settings::default())
}

pub(crate) fn site_with(settings: Settings) -> Site {
    routes().finish(&gate(settings, 64))
}

/// A request being put together, and its answer.
pub(crate) struct Call(request::Builder, Body);

pub(crate) fn call(method: Method, uri: &str) -> Call {
    Call(Request::builder().method(method).uri(uri), Body::empty())
}

pub(crate) fn get(uri: &str) -> Call {
    call(Method::GET, uri)
}

pub(crate) fn post(uri: &str, json: &str) -> Call {
    let call = call(Method::POST, uri).header("content-type", "application/json");
    Call(call.0, Body::from(json.to_owned()))
}

pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) text: String,
}

impl Call {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.0 = self.0.header(name, value);
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    pub(crate) fn basic(self, name: &str, password: &str) -> Self {
        let pair = data_encoding::BASE64.encode(format!("{name}:{password}").as_bytes());
        self.header(AUTHORIZATION.as_str(), &format!("Basic {pair}"))
    }

    pub(crate) fn cookie(self, cookie: &str) -> Self {
        self.header("cookie", &format!("longshore_session={cookie}"))
    }

    pub(crate) fn body(mut self, body: Body) -> Self {
        self.1 = body;
        self
    }

    pub(crate) async fn to(self, site: &Site) -> Answered {
        let request = self.0.body(self.1).expect("a request");
        let response = site.call(request).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        Answered {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}

impl Answered {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self
            .headers
            .get(name)
            .map(|value| value.to_str().expect("text"));
        value.unwrap_or_default()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    /// Status and code, after a check that it is a problem through and through.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{}",
            self.text
        );
        assert_eq!(self.header("content-length"), self.text.len().to_string());
        let json = self.json();
        assert_eq!(json["status"], self.status);
        assert_eq!(json["request_id"], self.header("x-request-id"));
        (
            self.status,
            json["code"].as_str().expect("a code").to_owned(),
        )
    }
}
