//! From the list to the file: has the bundle made, follows its operation, and leaves
//! nothing behind when it fails.

mod take;

use super::BundleArguments;
use super::show::Show;
use super::tally::Tally;
use super::target::Target;
use crate::client::follow::{Event, Follower};
use crate::client::{Client, Interrupt, read};
use crate::commands::ops::{self, Fate, verdict};
use crate::exit::{Code, Failure, Result};
use crate::terminal;
use base::OperationId;
use operations::{Operation, State};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::timeout;

/// Between attempts.
const PAUSE: Duration = Duration::from_millis(250);

/// One bundle on its way.
pub(super) struct Delivery {
    client: Client,
    output: Option<PathBuf>,
    keep: bool,
    show: Show,
    tally: Tally,
    follower: Option<Follower>,
    /// The operation's, once the server has accepted it.
    id: Option<OperationId>,
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
            id: None,
            operation: None,
            link: None,
        }
    }

    /// Has it made and takes it, and says how it ended.
    pub(super) async fn run(mut self, request: &Value, interrupt: &Interrupt) -> Result {
        let made = self.have_made(request, interrupt).await;
        self.conclude(made)
    }

    /// However this ends, nothing runs on that nobody wants.
    async fn have_made(&mut self, request: &Value, interrupt: &Interrupt) -> Result {
        // Before the server is asked, since it may be refused.
        let target = self.output.as_deref().map(Target::open).transpose()?;
        let id = self.submit(request, interrupt).await?;
        let made = tokio::select! {
            () = interrupt.come() => None,
            made = self.make(id, target) => Some(made),
        };
        self.show.still();
        let Some(made) = made else {
            return Err(self.interrupted(id).await);
        };
        let ended = |operation: &Operation| operation.state.is_ended();
        if made.is_err() && !self.operation.as_deref().is_some_and(ended) {
            // How that went shows in the operation; why it is done is said already.
            ops::cancel(&self.client, id).await;
        }
        made
    }

    /// Asks for the bundle. An interruption waits for the answer, for what was accepted
    /// must be cancelled.
    async fn submit(&mut self, request: &Value, interrupt: &Interrupt) -> Result<OperationId> {
        let path = "/api/v1/bundles";
        let (answer, interrupted) = ops::post(&self.client, path, request, interrupt).await?;
        let bundle = answer.map_err(|error| match error.code() {
            "nothing-usable" => Failure::new(Code::OperationFailed, error),
            _ => error.into(),
        })?;
        let id: OperationId = read(bundle["id"].clone())?;
        self.id = Some(id);
        if interrupted {
            return Err(self.interrupted(id).await);
        }
        let name = bundle["name"].as_str().unwrap_or_default();
        let sources = bundle["sources"].as_u64().unwrap_or_default();
        if let Err(failure) = self.show.accepted(id, name, sources) {
            ops::cancel(&self.client, id).await;
            return Err(failure);
        }
        self.follower = Some(Follower::start(self.client.clone(), id, Some(1)));
        Ok(id)
    }

    /// Ends it after an interruption, unless it has ended, and says what there is.
    async fn interrupted(&mut self, id: OperationId) -> Failure {
        let known = self.operation.take();
        let fate = match known {
            Some(operation) if operation.state.is_ended() => Fate::Ended(operation),
            _ => ops::cancel(&self.client, id).await,
        };
        let text = match &fate {
            // What was asked to be kept is not thrown away because its copy is not wanted.
            Fate::Ended(operation) if operation.state == State::Succeeded && self.keep => {
                let page = self.client.url(&format!("/bundles/{id}"));
                format!("interrupted; bundle {id} is made all the same, and kept at {page}")
            }
            Fate::Ended(_) => format!("{}, and nothing is left", fate.text(id)),
            Fate::Ending | Fate::Untold(_) => fate.text(id),
        };
        if let Fate::Ended(operation) = fate {
            self.operation = Some(operation);
        }
        Failure::new(Code::Cancelled, text)
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

    /// Awaits `work`, and shows what happens meanwhile.
    async fn watching<T>(&mut self, work: impl Future<Output = T>) -> Result<T> {
        tokio::pin!(work);
        loop {
            tokio::select! {
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
    fn conclude(self, made: Result) -> Result {
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
            "result": result, "operation": self.id, "file": file,
            "entries": entries, "bytes": bytes, "link": self.link,
            "error": made.as_ref().err().map(ToString::to_string),
        });
        let told = self.show.summary(summary, missing);
        made?;
        told?;
        self.show.closing(&format!(
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
