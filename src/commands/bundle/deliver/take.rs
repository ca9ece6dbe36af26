//! Taking an archive: as it is made, or a kept one, going on where it broke off.

use super::super::target::Target;
use super::{Delivery, PAUSE};
use crate::client::{Error, From};
use crate::exit::{Code, Failure, Result};
use base::OperationId;
use reqwest::header::ETAG;
use reqwest::{Response, StatusCode};
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long the operation may take to end, once its archive has, or broke off.
const SETTLE: Duration = Duration::from_secs(30);
const SETTLE_BROKEN: Duration = Duration::from_secs(5);
/// For how long the archive is asked for where another replica answers than the one
/// that makes it.
const FINDING: Duration = Duration::from_secs(10);
/// Attempts to go on with a kept archive that bring no byte.
const RESUMPTIONS: u32 = 10;

impl Delivery {
    /// Takes the archive as it is made.
    pub(super) async fn take_stream(&mut self, id: OperationId, mut target: Target) -> Result {
        let mut response = self.open_stream(id).await?;
        loop {
            match self.watching(response.chunk()).await? {
                Ok(Some(bytes)) => {
                    target.write(&bytes).await?;
                    self.show.received(bytes.len() as u64);
                }
                Ok(None) => break,
                Err(error) => return Err(self.broken_off(error).await),
            }
        }
        let settled = self.settle(SETTLE).await;
        // One that failed at its very end is none, though all of its bytes came.
        if let Err(failure) = &settled
            && failure.code() != Code::Server
        {
            return settled.map(drop);
        }
        target.finish().await?;
        if settled.is_ok_and(|known| known) {
            return Ok(());
        }
        Err(Failure::new(
            Code::Server,
            "the archive is whole, but whether something is missing from it could not be learned; it ends with a report if so",
        ))
    }

    /// Asks for the archive, of which the first byte comes with the first source. Where
    /// several replicas answer, only the one that makes it can give it.
    async fn open_stream(&mut self, id: OperationId) -> Result<Response> {
        let path = format!("/api/v1/bundles/{id}/archive");
        let begun = Instant::now();
        let client = self.client.clone();
        loop {
            let error = match self
                .watching(client.archive(&path, &From::default()))
                .await?
            {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            let elsewhere = error.status() == Some(StatusCode::GONE);
            let runs = self
                .operation
                .as_ref()
                .is_none_or(|operation| !operation.state.is_ended());
            if elsewhere && runs && begun.elapsed() < FINDING {
                self.watching(sleep(PAUSE)).await?;
                continue;
            }
            if error.status().is_some() {
                // The operation says it better, if it ended.
                self.settle(SETTLE_BROKEN).await?;
            }
            return Err(match error.code() {
                "nothing-usable" => Failure::new(Code::OperationFailed, error),
                _ => error.into(),
            });
        }
    }

    /// Why a stream broke off: because of its operation, or on the way.
    async fn broken_off(&mut self, error: reqwest::Error) -> Failure {
        let lost = self.client.broken(&error);
        match self.settle(SETTLE_BROKEN).await {
            Err(failure) if failure.code() != Code::Server => failure,
            _ => Failure::new(
                Code::Server,
                format!("{lost}; the archive is not whole, so it is not kept"),
            ),
        }
    }

    /// Waits until it is made, and then takes the archive, going on where it broke off.
    pub(super) async fn take_kept(&mut self, id: OperationId, target: Option<Target>) -> Result {
        while self.follower.is_some() {
            self.next_event().await?;
        }
        self.check()?;
        if let Some(target) = target {
            self.show.note("made; fetching the archive");
            self.fetch_kept(id, target).await?;
        }
        let link = format!("/api/v1/bundles/{id}/link");
        let link = self.client.post(&link, &json!({})).await?;
        self.link = link["url"].as_str().map(str::to_owned);
        Ok(())
    }

    async fn fetch_kept(&mut self, id: OperationId, mut target: Target) -> Result {
        let path = format!("/api/v1/bundles/{id}/archive");
        let mut from = From::default();
        let mut length = None;
        let mut fruitless = 0;
        loop {
            let before = target.written();
            from.byte = before;
            let lost = match self.client.archive(&path, &from).await {
                Ok(response) => {
                    if before > 0 && response.status() != StatusCode::PARTIAL_CONTENT {
                        return Err(Failure::new(
                            Code::Server,
                            "the archive cannot be gone on with, for it changed meanwhile; try again",
                        ));
                    }
                    from.etag = response.headers().get(ETAG).cloned().or(from.etag);
                    length = length.or(response.content_length().filter(|_| before == 0));
                    self.pour(response, &mut target).await?
                }
                Err(error) if error.may_pass() => Some(error),
                Err(error) => return Err(error.into()),
            };
            let whole = length.is_none_or(|length| target.written() == length);
            let Some(lost) = lost.or_else(|| {
                (!whole).then(|| Error::Unreachable("the archive ended early".to_owned()))
            }) else {
                return target.finish().await;
            };
            fruitless = if target.written() > before {
                0
            } else {
                fruitless + 1
            };
            if fruitless == RESUMPTIONS {
                return Err(lost.into());
            }
            sleep(PAUSE * (1 << fruitless.min(4))).await;
        }
    }

    /// Takes a body to its end; what broke it off, if something did.
    async fn pour(&mut self, mut response: Response, target: &mut Target) -> Result<Option<Error>> {
        loop {
            match response.chunk().await {
                Ok(Some(bytes)) => {
                    target.write(&bytes).await?;
                    self.show.received(bytes.len() as u64);
                }
                Ok(None) => return Ok(None),
                Err(error) => return Ok(Some(self.client.broken(&error))),
            }
        }
    }
}
