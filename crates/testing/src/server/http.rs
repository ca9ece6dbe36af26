//! Speaking HTTP to the server of a test: as admin, as somebody else, or as nobody.

use super::TestServer;
use crate::deadline::PATIENCE;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;
use std::sync::LazyLock;
use std::time::Duration;

/// A client without cookies, redirects, proxies or retries, so that a test sees what
/// the server said. Connecting may take 20 seconds, silence a minute; a whole answer has
/// no limit, since some have no end.
///
/// # Panics
/// When this machine cannot make one.
pub(crate) fn client() -> Client {
    static CLIENT: LazyLock<Client> = LazyLock::new(|| {
        // That another test installed one first is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(20))
            .read_timeout(PATIENCE)
            // It speaks to servers without TLS, and each test is a process that would read the
            // machine's certificates anew: some 7 % of what a short story takes.
            .tls_certs_only(std::iter::empty())
            // A kept connection would be a dead one after a restart of the server, and
            // belong to the runtime of another test.
            .pool_max_idle_per_host(0)
            .build()
            .expect("a plain client can be built")
    });
    CLIENT.clone()
}

/// Somebody who logged in as the console does.
#[derive(Clone, Debug)]
pub struct Session {
    base: String,
    cookie: String,
    csrf: String,
}

impl TestServer {
    /// A request by `admin`, with Basic.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_as("admin", self.admin_password(), method, path)
    }

    /// A request by this user, with Basic.
    pub fn request_as(
        &self,
        name: &str,
        password: &str,
        method: Method,
        path: &str,
    ) -> RequestBuilder {
        self.anonymous(method, path)
            .basic_auth(name, Some(password))
    }

    /// A request by nobody.
    pub fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        client().request(method, format!("{}{path}", self.url()))
    }

    /// GET by `admin`: the status and the JSON.
    ///
    /// # Panics
    /// When there is no answer, or it is no JSON.
    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.request(Method::GET, path)).await
    }

    /// POST of JSON by `admin`: the status and the JSON.
    ///
    /// # Panics
    /// When there is no answer, or it is no JSON.
    pub async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        answer(with_json(self.request(Method::POST, path), body)).await
    }

    /// DELETE by `admin`: the status and the JSON.
    ///
    /// # Panics
    /// When there is no answer, or it is no JSON.
    pub async fn delete(&self, path: &str) -> (StatusCode, Value) {
        answer(self.request(Method::DELETE, path)).await
    }

    /// Logs in as the console does.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn log_in(&self, name: &str, password: &str) -> Session {
        let body = serde_json::json!({ "name": name, "password": password });
        let response = with_json(self.anonymous(Method::POST, "/api/v1/session"), &body)
            .send()
            .await
            .unwrap_or_else(|error| panic!("logging in: {error}"));
        let status = response.status();
        let cookie = response
            .headers()
            .get("set-cookie")
            .and_then(|value| value.to_str().ok()?.split(';').next())
            .unwrap_or_default()
            .to_owned();
        let text = response.text().await.unwrap_or_default();
        let csrf = serde_json::from_str::<Value>(&text)
            .ok()
            .and_then(|session| Some(session.get("csrf")?.as_str()?.to_owned()));
        let Some(csrf) = csrf.filter(|_| status.is_success() && !cookie.is_empty()) else {
            panic!("{name} cannot log in: {status} {text}");
        };
        Session {
            base: self.url(),
            cookie,
            csrf,
        }
    }
}

impl Session {
    /// A request with the cookie, and with the CSRF token where it is needed.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.request_without_csrf(method.clone(), path);
        if method == Method::GET || method == Method::HEAD {
            request
        } else {
            request.header("X-CSRF-Token", &self.csrf)
        }
    }

    /// A request with the cookie alone, as a foreign site would make it.
    pub fn request_without_csrf(&self, method: Method, path: &str) -> RequestBuilder {
        client()
            .request(method, format!("{}{path}", self.base))
            .header("Cookie", &self.cookie)
    }

    /// `longshore_session=…`, for clients of another kind.
    #[must_use]
    pub fn cookie(&self) -> &str {
        &self.cookie
    }
}

fn with_json(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request
        .header("Content-Type", "application/json")
        .body(body.to_string())
}

/// The status and the JSON of an answer; null when it is empty.
async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request
        .send()
        .await
        .unwrap_or_else(|error| panic!("no answer: {error}"));
    let (status, url) = (response.status(), response.url().clone());
    let text = response
        .text()
        .await
        .unwrap_or_else(|error| panic!("{url} broke off: {error}"));
    if text.is_empty() {
        return (status, Value::Null);
    }
    let json = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{url} answered {status} and no JSON ({error}): {text}"));
    (status, json)
}
