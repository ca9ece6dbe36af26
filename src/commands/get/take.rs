//! Taking one file, going on where it broke off, be it that the line broke, the server, or
//! this command.

use super::target::Target;
use crate::client::{Client, Error, From, Remote};
use crate::commands::transfer::{Again, Hasher, Moving, Sums, Trouble};
use crate::exit::{Code, Failure};
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderValue};
use reqwest::{Response, StatusCode};

/// Contents above this length go on where a sudden end of this command left them; below
/// it, that would cost more than it saves.
const LARGE: u64 = 16 << 20;

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
    /// Whether a part of it was left by a sudden end.
    taken_up: bool,
    /// Whether an answer has said what it is.
    begun: bool,
}

/// Takes a file to its end, and places it; its length. `left`: of which version the target
/// has a part already.
pub(super) async fn take(
    client: &Client,
    remote: &Remote,
    (target, left): (Target, Option<String>),
    moving: &Moving,
) -> Result<u64, Trouble> {
    let etag = left.as_deref().map(HeaderValue::from_str);
    let mut taking = Taking {
        client,
        target,
        moving,
        from: From {
            byte: 0,
            etag: etag.and_then(Result::ok),
        },
        sums: Sums::Unknown,
        hasher: Sums::Unknown.hasher(),
        length: None,
        taken_up: false,
        begun: false,
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
            if taking.is_right() {
                return taking.finish().await;
            }
            if !taking.taken_up {
                return Err(another(remote).into());
            }
            // What was left is not what it seemed, as after a power loss.
            taking.begin_again(remote).await?;
            continue;
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
            let length = response.headers().get(CONTENT_LENGTH);
            let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
            self.begin(&response, length);
        } else if !self.begun {
            self.take_up(&response).await?;
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

    fn begin(&mut self, response: &Response, length: Option<u64>) {
        let headers = response.headers();
        self.begun = true;
        self.from.etag = headers.get(ETAG).cloned();
        self.sums = Sums::told(headers);
        self.hasher = self.sums.hasher();
        self.length = length;
        if let Some(length) = length {
            self.moving.measures(length);
        }
        let etag = self.from.etag.as_ref().and_then(|etag| etag.to_str().ok());
        if let Some(etag) = etag
            && length.is_some_and(|length| length > LARGE)
            // A weak one does not say that it is the same byte for byte.
            && etag.starts_with('"')
        {
            self.target.keep(etag);
        }
    }

    /// Goes on with what a sudden end left.
    async fn take_up(&mut self, response: &Response) -> Result<(), Trouble> {
        let range = response.headers().get(CONTENT_RANGE);
        let length = range.and_then(|range| range.to_str().ok()?.rsplit('/').next()?.parse().ok());
        self.begin(response, length);
        self.taken_up = true;
        if let Some(part) = self.target.part() {
            let hasher = self.sums.hasher_of(part.to_owned()).await;
            self.hasher = hasher.map_err(|error| {
                Failure::failed(format!("{} cannot be read: {error}", part.display()))
            })?;
        }
        self.moving.stands_at(self.target.written());
        Ok(())
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
            self.taken_up = false;
            self.begun = false;
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

    /// Whether it is what the server says it is.
    fn is_right(&mut self) -> bool {
        std::mem::replace(&mut self.hasher, Hasher::None).sums() == self.sums
    }

    async fn finish(self) -> Result<u64, Trouble> {
        let written = self.target.written();
        self.target.finish().await?;
        Ok(written)
    }
}

fn another(remote: &Remote) -> Failure {
    Failure::new(
        Code::Server,
        format!(
            "what came of {remote} is not what the server says it is, so it is not kept; is there a proxy in between that changes it?"
        ),
    )
}
