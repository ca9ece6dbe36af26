//! Taking one file, going on where it broke off.

use super::target::Target;
use crate::client::{Client, Error, From, Remote};
use crate::commands::transfer::{Again, Hasher, Moving, Sums, Trouble};
use crate::exit::{Code, Failure};
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG};
use reqwest::{Response, StatusCode};

/// A content on its way.
struct Taking<'a> {
    client: &'a Client,
    target: Target,
    moving: &'a Moving,
    from: From,
    sums: Sums,
    hasher: Hasher,
    /// Its whole length, once it is told.
    length: Option<u64>,
}

/// Takes a file to its end, and places it; its length.
pub(super) async fn take(
    client: &Client,
    remote: &Remote,
    target: Target,
    moving: &Moving,
) -> Result<u64, Trouble> {
    let mut taking = Taking {
        client,
        target,
        moving,
        from: From::default(),
        sums: Sums::Unknown,
        hasher: Sums::Unknown.hasher(),
        length: None,
    };
    let mut again = Again::default();
    loop {
        let before = taking.target.written();
        taking.from.byte = before;
        let lost = match client.content(remote, &taking.from).await {
            Ok(response) => taking.pour(remote, response).await?,
            // It is shorter now than what came of it.
            Err(error) if error.status() == Some(StatusCode::RANGE_NOT_SATISFIABLE) => {
                taking.begin_again(remote).await?;
                Some(error)
            }
            Err(error) if error.may_pass() => Some(error),
            Err(error) => return Err(error.into()),
        };
        let Some(lost) = lost.or_else(|| taking.missing()) else {
            return taking.finish(remote).await;
        };
        if taking.target.written() > before {
            again.moved();
        }
        if !again.pause(client).await {
            return Err(lost.into());
        }
    }
}

impl Taking<'_> {
    /// Takes a body to its end; what broke it off, if something did.
    async fn pour(
        &mut self,
        remote: &Remote,
        mut response: Response,
    ) -> Result<Option<Error>, Trouble> {
        if self.target.written() > 0 && !self.goes_on(&response) {
            self.begin_again(remote).await?;
        }
        if self.target.written() == 0 {
            self.begin(&response);
        }
        loop {
            match response.chunk().await {
                Ok(Some(bytes)) => {
                    self.hasher.take(&bytes);
                    self.target.write(&bytes).await?;
                    self.moving.moved(bytes.len() as u64);
                }
                Ok(None) => return Ok(None),
                Err(error) => return Ok(Some(self.client.broken(&error))),
            }
        }
    }

    fn begin(&mut self, response: &Response) {
        let headers = response.headers();
        self.from.etag = headers.get(ETAG).cloned();
        self.sums = Sums::told(headers);
        self.hasher = self.sums.hasher();
        let length = headers.get(CONTENT_LENGTH);
        self.length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        if let Some(length) = self.length {
            self.moving.measures(length);
        }
    }

    /// Whether an answer goes on with what came already.
    fn goes_on(&self, response: &Response) -> bool {
        let begins = format!("bytes {}-", self.target.written());
        let range = response.headers().get(CONTENT_RANGE);
        response.status() == StatusCode::PARTIAL_CONTENT
            && range.is_some_and(|range| range.as_bytes().starts_with(begins.as_bytes()))
            // Without a tag nothing says that it is the same content.
            && self.from.etag.is_some()
    }

    /// It changed meanwhile: what came is of no use.
    async fn begin_again(&mut self, remote: &Remote) -> Result<(), Trouble> {
        if self.target.begin_again().await? {
            self.from = From::default();
            self.moving.stands_at(0);
            return Ok(());
        }
        Err(Failure::new(
            Code::Failed,
            format!("{remote} changed while it was read, so what came of it is not whole"),
        )
        .into())
    }

    /// That it ended before its end.
    fn missing(&self) -> Option<Error> {
        let whole = self
            .length
            .is_none_or(|length| length == self.target.written());
        (!whole).then(|| Error::Unreachable("the content ended early".to_owned()))
    }

    async fn finish(self, remote: &Remote) -> Result<u64, Trouble> {
        if self.hasher.sums() != self.sums {
            return Err(Failure::new(
                Code::Server,
                format!("what came of {remote} is not what the server says it is, so it is not kept; is there a proxy in between that changes it?"),
            )
            .into());
        }
        let written = self.target.written();
        self.target.finish().await?;
        Ok(written)
    }
}
