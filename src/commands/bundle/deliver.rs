//! From the accepted bundle to the file: takes the archive, follows the operation,
//! and leaves nothing behind when it fails.

use super::BundleArguments;
use super::show::Show;
use super::tally::Tally;
use super::target::Target;
use crate::client::follow::{Event, Follower};
use crate::client::{Client, Error, From, Interrupt, read};
use crate::commands::ops::verdict;
use crate::exit::{Code, Failure, Result};
use crate::terminal;
use base::OperationId;
use operations::Operation;
use reqwest::header::ETAG;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How long the operation may take to end, once its archive has, or broke off.
const SETTLE: Duration = Duration::from_secs(30);
const SETTLE_BROKEN: Duration = Duration::from_secs(5);
/// How long cancelling may take before it is given up.
const CANCEL: Duration = Duration::from_secs(5);
/// How often the archive of a replica that is not the one asked is tried again.
const FINDING: Duration = Duration::from_secs(10);
/// Attempts to go on with a kept archive that bring no byte.
const RESUMPTIONS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(250);

/// One bundle on its way.
pub(super) struct Delivery {
    client: Client,
    output: Option<PathBuf>,
    keep: bool,
    show: Show,
    tally: Tally,
    follower: Option<Follower>,
    /// The operation, as it was told last.
    operation: Option<Box<Operation>>,
    link: Option<String>,
}

impl Delivery {
    pub(super) fn new(client: Client, arguments: &BundleArguments, show: Show) -> Self {
        Self {
            client,
            output: arguments.output.clone(),
            keep: arguments.keep,
            show,
            tally: Tally::default(),
            follower: None,
            operation: None,
            link: None,
        }
    }

    /// Has it made and takes it. However this ends, nothing runs on that nobody wants.
    pub(super) async fn run(mut self, request: &Value, interrupt: &Interrupt) -> Result {
        // Before the server is asked, since it may be refused.
        let target = self.output.as_deref().map(Target::open).transpose()?;
        let id = self.submit(request, interrupt).await?;
        let client = self.client.clone();
        let made = tokio::select! {
            () = interrupt.come() => Err(Failure::new(
                Code::Cancelled,
                format!("interrupted, so operation {id} is cancelled and nothing is left"),
            )),
            made = self.make(id, target) => made,
        };
        self.show.still();
        let ended = |operation: &Operation| operation.state.is_ended();
        if made.is_err() && !self.operation.as_deref().is_some_and(ended) {
            cancel(&client, id).await;
        }
        self.conclude(id, made)
    }

    /// Asks for the bundle. An interruption waits for the answer, for what was accepted
    /// must be cancelled.
    async fn submit(&mut self, request: &Value, interrupt: &Interrupt) -> Result<OperationId> {
        let asking = self.client.post("/api/v1/bundles", request);
        tokio::pin!(asking);
        let (answer, interrupted) = tokio::select! {
            answer = &mut asking => (answer, false),
            () = interrupt.come() => match timeout(CANCEL, asking).await {
                Ok(answer) => (answer, true),
                Err(_) => return Err(Failure::new(Code::Cancelled, "interrupted")),
            },
        };
        let bundle = answer.map_err(|error| match error.code() {
            "nothing-usable" => Failure::new(Code::OperationFailed, error),
            _ => error.into(),
        })?;
        let id: OperationId = read(bundle["id"].clone())?;
        if interrupted {
            cancel(&self.client, id).await;
            return Err(Failure::new(
                Code::Cancelled,
                format!("interrupted, so operation {id} is cancelled"),
            ));
        }
        let name = bundle["name"].as_str().unwrap_or_default();
        let sources = bundle["sources"].as_u64().unwrap_or_default();
        if let Err(failure) = self.show.accepted(id, name, sources) {
            cancel(&self.client, id).await;
            return Err(failure);
        }
        self.follower = Some(Follower::start(self.client.clone(), id, Some(1)));
        Ok(id)
    }

    async fn make(&mut self, id: OperationId, target: Option<Target>) -> Result {
        if self.keep {
            return self.take_kept(id, target).await;
        }
        match target {
            Some(target) => self.take_stream(id, target).await,
            // The arguments see to it that one of the two is asked for.
            None => Ok(()),
        }
    }

    /// Takes the archive as it is made.
    async fn take_stream(&mut self, id: OperationId, mut target: Target) -> Result {
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
        target.finish().await?;
        if settled? {
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
    async fn take_kept(&mut self, id: OperationId, target: Option<Target>) -> Result {
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

    /// Awaits `work`, and shows what happens meanwhile.
    async fn watching<T>(&mut self, work: impl Future<Output = T>) -> Result<T> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                shown = self.next_event(), if self.follower.is_some() => shown?,
            }
        }
    }

    /// Shows the next thing that happens. May be dropped half-way.
    async fn next_event(&mut self) -> Result {
        let Some(follower) = &mut self.follower else {
            return Ok(());
        };
        let event = follower.next().await;
        match event {
            Some(Ok(Event::Operation(operation))) => {
                let told = operation
                    .progress
                    .as_ref()
                    .map_or(Ok(()), |progress| self.show.progress(progress));
                self.operation = Some(operation);
                told
            }
            Some(Ok(Event::Lines(lines))) => {
                for line in &lines {
                    if let Some(data) = &line.data
                        && let Some(event) = self.tally.take(data)
                    {
                        self.show.source(&event, data, self.tally.ended())?;
                    }
                }
                Ok(())
            }
            Some(Ok(Event::Gap { .. })) => Ok(()),
            Some(Ok(Event::End)) | None => {
                self.follower = None;
                Ok(())
            }
            Some(Err(error)) => {
                self.follower = None;
                Err(error.into())
            }
        }
    }

    /// Waits for the operation's end, for at most `limit`; whether it came.
    ///
    /// # Errors
    /// When it ended otherwise than well.
    async fn settle(&mut self, limit: Duration) -> Result<bool> {
        let end = async {
            while self.follower.is_some() {
                self.next_event().await?;
            }
            Ok::<(), Failure>(())
        };
        match timeout(limit, end).await {
            Ok(ended) => ended?,
            Err(_) => return Ok(false),
        }
        self.check()?;
        Ok(true)
    }

    fn check(&self) -> Result {
        self.operation.as_deref().map_or(Ok(()), verdict)
    }

    /// Says how it ended.
    fn conclude(self, id: OperationId, made: Result) -> Result {
        let missing = self.tally.missing();
        let count = missing.len();
        let result = match &made {
            Ok(()) if count == 0 => "complete",
            Ok(()) => "incomplete",
            Err(failure) if failure.code() == Code::Cancelled => "cancelled",
            Err(_) => "failed",
        };
        let outcome = self
            .operation
            .as_ref()
            .and_then(|operation| operation.outcome.clone());
        let outcome = outcome.unwrap_or_default();
        let (entries, bytes) = (outcome["entries"].as_u64(), outcome["bytes"].as_u64());
        let file = self.output.as_ref().filter(|_| made.is_ok());
        let summary = json!({
            "result": result, "operation": id, "file": file,
            "entries": entries, "bytes": bytes, "link": self.link,
            "error": made.as_ref().err().map(ToString::to_string),
        });
        let told = self.show.summary(summary, missing);
        made?;
        told?;
        self.show.note(&format!(
            "{}: {} files, {} in {:.1} s",
            file.map_or_else(|| "made".to_owned(), |path| path.display().to_string()),
            entries.unwrap_or_default(),
            terminal::bytes(bytes.unwrap_or_default()),
            self.show.seconds()
        ));
        self.print_link()?;
        if count == 0 {
            return Ok(());
        }
        let all = count as u64 + entries.unwrap_or_default();
        Err(Failure::new(
            Code::Incomplete,
            format!(
                "{count} of {all} sources {} missing; the archive ends with a report",
                if count == 1 { "is" } else { "are" }
            ),
        ))
    }

    fn print_link(&self) -> Result {
        let Some(link) = self.link.as_deref() else {
            return Ok(());
        };
        if self.show.is_json() {
            return Ok(());
        }
        match &self.output {
            Some(path) if path.as_os_str() == "-" => terminal::say(link),
            _ => terminal::line(link)?,
        }
        Ok(())
    }
}

/// Ends an operation that nobody wants any more, and waits for its end, as far as the
/// server is there to do so.
async fn cancel(client: &Client, id: OperationId) {
    let cancelling = async {
        let path = format!("/api/v1/operations/{id}");
        let mut operation = client.post(&format!("{path}/cancel"), &json!({})).await?;
        while matches!(operation["state"].as_str(), Some("queued" | "running")) {
            sleep(PAUSE / 5).await;
            operation = client.get(&path).await?;
        }
        Ok::<(), Error>(())
    };
    // Whether it worked shows in the operation; here it is too late to help.
    let _ = timeout(CANCEL, cancelling).await;
}
