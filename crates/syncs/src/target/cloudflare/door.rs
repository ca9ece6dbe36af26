//! The two ways into Cloudflare's API: its own address, and the one for many images, which
//! is outside the limit of the first.
//!
//! Everything that is asked waits for its budget first and teaches it afterwards. Nothing
//! is asked twice here: what comes of a failure is the delivery's to say.

use super::account::{Account, Inner};
use super::answer::Answer;
use super::budget::Budget;
use crate::target::Trouble;
use bytes::Bytes;
use fetch::{ExtraHeaders, FetchError, Request, Streamed};
use http::Method;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long before its end a token for batches is not used any more.
const SPARE: Duration = Duration::from_secs(60);
/// How long one is used whose end cannot be read.
const UNKNOWN: Duration = Duration::from_secs(300);
/// One that is refused when it is younger is none.
const YOUNG: Duration = Duration::from_secs(10);

/// What is asked.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    /// Below the account, with its query.
    pub(super) path: &'a str,
    pub(super) headers: Vec<(&'static str, String)>,
    /// What for, to stand in a sentence.
    pub(super) doing: &'a str,
    /// Whether 429 may also say that there is too much to work on.
    pub(super) makes_work: bool,
}

impl<'a> Ask<'a> {
    pub(super) const fn new(method: Method, path: &'a str, doing: &'a str) -> Self {
        Self {
            method,
            path,
            headers: Vec::new(),
            doing,
            makes_work: false,
        }
    }

    pub(super) const fn get(path: &'a str, doing: &'a str) -> Self {
        Self::new(Method::GET, path, doing)
    }

    pub(super) fn header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// One of the ways in.
pub(super) struct Door<'a> {
    account: &'a Inner,
    base: String,
    bearer: SecretString,
    budget: &'a Budget,
    is_batch: bool,
}

impl Account {
    /// The API's own address, below the account.
    pub(super) fn api(&self) -> Door<'_> {
        let settings = &self.0.settings;
        Door {
            account: &self.0,
            base: format!("{}/accounts/{}", settings.api, settings.account),
            bearer: settings.token.clone(),
            budget: &self.0.counted.budget,
            is_batch: false,
        }
    }

    /// The same without an account.
    pub(super) fn root(&self) -> Door<'_> {
        Door {
            base: self.0.settings.api.clone(),
            ..self.api()
        }
    }

    /// The way for images: the one for many, where there is one.
    pub(super) async fn images(&self) -> Result<Door<'_>, Trouble> {
        let Some(base) = self.0.settings.batch.clone() else {
            return Ok(self.api());
        };
        let bearer = match self.0.counted.batch.held() {
            Held::Off => return Ok(self.api()),
            Held::Token { token, .. } => token,
            Held::Nothing => match self.batch_token().await? {
                Some(token) => token,
                None => return Ok(self.api()),
            },
        };
        Ok(Door {
            account: &self.0,
            base,
            bearer,
            budget: &self.0.counted.batch_budget,
            is_batch: true,
        })
    }

    /// Asks for a token for batches; nothing where this account has none. One asks, the
    /// others wait for what comes of it.
    async fn batch_token(&self) -> Result<Option<SecretString>, Trouble> {
        let batch = &self.0.counted.batch;
        // It is never closed.
        let _turn = batch.turn.acquire().await;
        match batch.held() {
            Held::Off => return Ok(None),
            Held::Token { token, .. } => return Ok(Some(token)),
            Held::Nothing => {}
        }
        let ask = Ask::get("/images/v1/batch_token", "a token for many images");
        let answer = self.api().ask(ask).await?;
        match answer.result() {
            Ok(result) => Ok(batch.hold(&result)),
            Err(said) if said.status.is_client_error() && said.status != 408 => {
                tracing::debug!(said = said.text("it"), "images go through the API itself");
                batch.set(Held::Off);
                Ok(None)
            }
            Err(said) => Err(said.trouble("a token for many images")),
        }
    }

    /// The header by which the account is asked.
    pub(super) fn bearer(&self) -> String {
        format!("Bearer {}", self.0.settings.token.expose_secret())
    }
}

impl Door<'_> {
    /// Asks, and reads the answer whatever it is.
    pub(super) async fn ask(&self, ask: Ask<'_>) -> Result<Answer, Trouble> {
        self.budget.take().await?;
        let (client, cancel) = (&self.account.client, CancellationToken::new());
        let request = self.request(&ask)?.body(Bytes::new());
        let answer = match client.send(request, &cancel).await {
            Ok(response) => Answer::read(response).await,
            Err(error) => Err(error),
        };
        self.judge(&ask, answer.map_err(|error| unanswered(&error))?)
    }

    /// The same with a body that comes while it is sent, for which the budget was taken.
    pub(super) async fn send(&self, ask: Ask<'_>, body: Streamed) -> Result<Answer, Trouble> {
        let (client, cancel) = (&self.account.client, CancellationToken::new());
        let answer = match client.upload(self.request(&ask)?, body, &cancel).await {
            Ok(response) => Answer::read(response).await,
            Err(error) => Err(error),
        };
        self.judge(&ask, answer.map_err(|error| unanswered(&error))?)
    }

    /// Takes what [`send`](Self::send) needs of the budget, before a source is opened.
    pub(super) async fn enter(&self) -> Result<(), Trouble> {
        self.budget.take().await
    }

    fn request(&self, ask: &Ask<'_>) -> Result<Request, Trouble> {
        let refused = |refused| Trouble::Everything {
            reason: format!("Cloudflare's address is not asked: {refused}"),
        };
        let url = format!("{}{}", self.base, ask.path);
        let url = self.account.client.check(&url).map_err(refused)?;
        let bearer = format!("Bearer {}", self.bearer.expose_secret());
        let ours = [
            ("Authorization", bearer.as_str()),
            ("Accept", "application/json"),
        ];
        let theirs = ask
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        let headers = ExtraHeaders::parse(ours.into_iter().chain(theirs)).map_err(refused)?;
        Ok(Request::new(ask.method.clone(), url)
            .headers(headers)
            .without_redirects())
    }

    /// What an answer says beside what was asked: how much is left, or that it was too
    /// much, or that a token has come to its end.
    fn judge(&self, ask: &Ask<'_>, answer: Answer) -> Result<Answer, Trouble> {
        self.budget.learn(&answer);
        if answer.status == 429 {
            let some_left = answer.left().is_none_or(|left| left.requests > 0);
            if ask.makes_work && some_left {
                return Ok(answer);
            }
            return Err(self.budget.too_many(&answer, ask.doing));
        }
        if self.is_batch && answer.status == 401 {
            self.account.counted.batch.refused(&self.bearer);
            return Err(Trouble::Later {
                reason: "the token for many images has come to its end".to_owned(),
                after: None,
            });
        }
        Ok(answer)
    }
}

/// What it means that there was no answer.
pub(super) fn unanswered(error: &FetchError) -> Trouble {
    let reason = format!("Cloudflare cannot be asked: {error}");
    match error {
        FetchError::Refused(_) | FetchError::RedirectRefused { .. } => {
            Trouble::Everything { reason }
        }
        _ => Trouble::Later {
            reason,
            after: None,
        },
    }
}

/// The token for batches.
#[derive(Debug)]
pub(super) struct Batch {
    held: Mutex<Held>,
    turn: Semaphore,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            held: Mutex::new(Held::Nothing),
            turn: Semaphore::new(1),
        }
    }
}

#[derive(Clone, Debug)]
enum Held {
    Nothing,
    Token {
        token: SecretString,
        since: Instant,
        until: Instant,
    },
    /// The account has none.
    Off,
}

impl Batch {
    fn held(&self) -> Held {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match &*held {
            Held::Token { until, .. } if *until <= Instant::now() => Held::Nothing,
            held => held.clone(),
        }
    }

    fn set(&self, new: Held) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = new;
    }

    /// Keeps the token of an answer until shortly before its end.
    fn hold(&self, result: &Value) -> Option<SecretString> {
        let Some(token) = result["token"].as_str().filter(|token| !token.is_empty()) else {
            self.set(Held::Off);
            return None;
        };
        let end = result["expiresAt"].as_str();
        let end = end.and_then(|end| end.parse::<Timestamp>().ok());
        let left = end.map_or(UNKNOWN, |end| {
            Duration::try_from(end.duration_since(Timestamp::now())).unwrap_or_default()
        });
        let (token, since) = (SecretString::from(token.to_owned()), Instant::now());
        // A clock that is wrong must not make us ask for every image.
        let until = since + left.saturating_sub(SPARE).max(SPARE / 2).min(UNKNOWN * 12);
        self.set(Held::Token {
            token: token.clone(),
            since,
            until,
        });
        Some(token)
    }

    /// Forgets a token that was refused. One that was refused when it was new is none.
    fn refused(&self, refused: &SecretString) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Held::Token { token, since, .. } = &*held
            && token.expose_secret() == refused.expose_secret()
        {
            *held = if since.elapsed() < YOUNG {
                Held::Off
            } else {
                Held::Nothing
            };
        }
    }
}
