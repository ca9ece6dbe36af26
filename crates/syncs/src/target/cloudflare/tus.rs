//! The wire of a resumable upload (tus 1.0) as Stream speaks it: where it stands, and the
//! next piece.
//!
//! The upload's address is on another host and holds what allows to write there, so it is
//! never shown, and the token goes there only where the API is at home there, too.

use super::account::Account;
use super::answer::Answer;
use super::door::unanswered;
use crate::target::Trouble;
use fetch::{CheckedUrl, ExtraHeaders, FetchError, Request, Streamed};
use http::Method;
use tokio_util::sync::CancellationToken;

/// The version of the protocol.
pub(super) const VERSION: (&str, &str) = ("Tus-Resumable", "1.0.0");

/// An upload that was made.
#[derive(Debug)]
pub(super) struct Upload<'a> {
    account: &'a Account,
    url: CheckedUrl,
}

/// Where an upload stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// So many bytes have come.
    At(u64),
    /// There is none any more: it was ended, or never was.
    Gone,
}

/// What came of sending a piece.
#[derive(Debug)]
pub(super) enum Sent {
    /// So many bytes have come in all.
    At(u64),
    /// It may have come or not; the upload has to be asked.
    Unsure(Trouble),
    /// There is no such upload any more.
    Gone,
}

impl<'a> Upload<'a> {
    /// The upload at `url`.
    pub(super) fn new(account: &'a Account, url: &str) -> Result<Self, Trouble> {
        let url = account.0.client.check(url);
        let url = url.map_err(|refused| Trouble::Everything {
            reason: format!(
                "the address that Cloudflare gave for the upload is not asked: {refused}"
            ),
        })?;
        Ok(Self { account, url })
    }

    /// Asks where it stands. Like every request of an upload it is none of those that are
    /// counted, and waits like all of them where a 429 has said so.
    pub(super) async fn standing(&self) -> Result<Standing, Trouble> {
        let budget = &self.account.0.counted.budget;
        budget.let_in()?;
        let request = Request::new(Method::HEAD, self.url.clone())
            .headers(self.headers(&[])?)
            .without_redirects();
        let cancel = CancellationToken::new();
        let response = self.account.0.client.send(request, &cancel).await;
        let response = response.map_err(|error| unanswered(&error))?;
        match response.status().as_u16() {
            // Its address allows nothing any more, or there is none.
            403 | 404 | 410 => return Ok(Standing::Gone),
            429 => {
                let answer = Answer::head(&response);
                return Err(budget.too_many(&answer, "to say where the upload stands"));
            }
            _ if response.status().is_success() => {}
            status => {
                return Err(Trouble::Later {
                    reason: format!("Cloudflare answered {status} to where the upload stands"),
                    after: response.retry_after(),
                });
            }
        }
        let at = response.headers().get("upload-offset");
        let at = at.and_then(|at| at.to_str().ok()?.trim().parse().ok());
        at.map(Standing::At).ok_or_else(|| Trouble::Later {
            reason: "Cloudflare does not say where the upload stands".to_owned(),
            after: None,
        })
    }

    /// Sends a piece that begins at byte `at`.
    pub(super) async fn send(&self, at: u64, piece: Streamed) -> Result<Sent, Trouble> {
        let budget = &self.account.0.counted.budget;
        budget.let_in()?;
        let expected = at + piece.length();
        let offset = at.to_string();
        let ours = [
            ("Upload-Offset", offset.as_str()),
            ("Content-Type", "application/offset+octet-stream"),
        ];
        let request = Request::new(Method::PATCH, self.url.clone()).headers(self.headers(&ours)?);
        let cancel = CancellationToken::new();
        let client = &self.account.0.client;
        let answer = match client.upload(request, piece, &cancel).await {
            Ok(response) => Answer::read(response).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(answer) if answer.status == 429 => {
                Err(budget.too_many(&answer, "a part of the film"))
            }
            Ok(answer) => judge(&answer, at, expected),
            Err(error @ (FetchError::Refused(_) | FetchError::RedirectRefused { .. })) => {
                Err(unanswered(&error))
            }
            Err(error) => Ok(Sent::Unsure(unanswered(&error))),
        }
    }

    fn headers(&self, more: &[(&str, &str)]) -> Result<ExtraHeaders, Trouble> {
        let bearer = self.account.bearer();
        let mut headers = vec![VERSION];
        if self.is_at_home() {
            headers.push(("Authorization", bearer.as_str()));
        }
        headers.extend_from_slice(more);
        ExtraHeaders::parse(headers).map_err(|refused| Trouble::Refused {
            reason: refused.to_string(),
        })
    }

    /// Whether the upload is where the API is.
    fn is_at_home(&self) -> bool {
        let api = self.account.0.client.check(&self.account.0.settings.api);
        api.is_ok_and(|api| {
            let scheme = |url: &CheckedUrl| url.expose().split(':').next().map(str::to_owned);
            api.host() == self.url.host()
                && api.port() == self.url.port()
                && scheme(&api) == scheme(&self.url)
        })
    }
}

/// What an answer to a piece from `at` up to `expected` says.
fn judge(answer: &Answer, at: u64, expected: u64) -> Result<Sent, Trouble> {
    let said = match answer.success() {
        Ok(()) => {
            let now = answer.header("upload-offset");
            let now = now.and_then(|now| now.trim().parse::<u64>().ok());
            return Ok(match now {
                Some(now) if now > at && now <= expected => Sent::At(now),
                _ => Sent::Unsure(Trouble::Later {
                    reason: "Cloudflare does not say how much of the film it has".to_owned(),
                    after: None,
                }),
            });
        }
        Err(said) => said,
    };
    // Or its address allows nothing any more.
    if said.is_gone() || answer.status == 403 {
        return Ok(Sent::Gone);
    }
    let trouble = said.trouble("a part of the film");
    match answer.status.as_u16() {
        // Somebody else's request, or one of ours that has not ended there yet.
        409 | 423 => Ok(Sent::Unsure(Trouble::Later {
            reason: said.text("a part of the film"),
            after: said.after,
        })),
        _ => match trouble {
            Trouble::Later { after: None, .. } => Ok(Sent::Unsure(trouble)),
            _ => Err(trouble),
        },
    }
}
