//! What the function of an operation is given: to log, to report progress, to save
//! its state, to start children, to notice that it should end.

use crate::engine::Operations;
use crate::failure::Failure;
use crate::kind::Kind;
use crate::log::{LineWriter, Stream};
use crate::operation::{NewOperation, Operation, Progress};
use crate::retry::RetryPolicy;
use crate::running::{Running, Stop};
use crate::secrets::redact_texts;
use crate::{Error, Result, sql};
use base::{Actor, OperationId, Trigger};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Transfers that progress shows at most.
pub(crate) const MOST_TRANSFERS: usize = 32;

/// What a running operation may do. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Context {
    pub(crate) running: Arc<Running>,
    pub(crate) operation: Arc<Operation>,
    pub(crate) engine: Operations,
    pub(crate) restored: Option<Arc<str>>,
    pub(crate) retry: RetryPolicy,
    /// How many attempts have failed before this one.
    pub(crate) failures: u32,
}

impl Context {
    /// The operation's id.
    #[must_use]
    pub fn id(&self) -> OperationId {
        self.running.id
    }

    /// Which attempt this is: 1, 2 …
    #[must_use]
    pub fn attempt(&self) -> u64 {
        self.running.attempt
    }

    /// Whether the operation has failed where this attempt does so, and is not tried again.
    #[must_use]
    pub fn ends_with(&self, failure: &Failure) -> bool {
        let stopped = self.running.token.is_cancelled();
        let failures = self.failures.saturating_add(1);
        !stopped && self.retry.wait(failure, failures).is_none()
    }

    /// The operation, as it was when this attempt began.
    #[must_use]
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// Cancelled when the work should end: look at it wherever you wait.
    #[must_use]
    pub fn cancelled(&self) -> &CancellationToken {
        &self.running.token
    }

    /// Whether Longshore stops, so that work that can be taken up again should save
    /// its state and end.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.running.stopped() == Stop::Shutdown
    }

    /// A failure when the work should end, to be returned with `?`.
    ///
    /// # Errors
    /// When it was cancelled.
    pub fn check(&self) -> Result<(), Failure> {
        if self.running.token.is_cancelled() {
            Err(Failure::cancelled())
        } else {
            Ok(())
        }
    }

    /// Adds values that must not appear in the log of this operation.
    pub fn redact<'a>(&self, secrets: impl IntoIterator<Item = &'a str>) {
        self.running.secrets.add(secrets);
    }

    /// A text without the secrets that are known here, for what goes elsewhere than
    /// into the log.
    #[must_use]
    pub fn redacted(&self, text: &str) -> String {
        self.running.secrets.redactor().redact(text).into_owned()
    }

    /// Writes a line of Longshore's own words. Waits when the log is behind.
    pub async fn log(&self, text: impl AsRef<str>) {
        self.line(Stream::System, text.as_ref()).await;
    }

    /// Writes a line. What it holds of known secrets is redacted.
    pub async fn line(&self, stream: Stream, text: &str) {
        let redactor = self.running.secrets.redactor();
        for line in text.split('\n') {
            self.running
                .sink
                .write(stream, &redactor.redact(line), None)
                .await;
        }
    }

    /// Writes a line for people, with the same for programs as JSON. A value that
    /// cannot be written as JSON, or is longer than 64 KiB then, is left out.
    pub async fn event(&self, text: &str, data: &impl Serialize) {
        let redactor = self.running.secrets.redactor();
        let data = serde_json::to_value(data).ok().map(|mut data| {
            redact_texts(&mut data, &redactor);
            data.to_string()
        });
        let text = redactor.redact(text).replace('\n', " ");
        self.running
            .sink
            .write(Stream::System, &text, data.as_deref())
            .await;
    }

    /// A writer that makes lines of a program's output.
    #[must_use]
    pub fn output(&self, stream: Stream) -> LineWriter {
        LineWriter::new(
            Arc::clone(&self.running.sink),
            stream,
            Arc::clone(&self.running.secrets),
        )
    }

    /// Changes the progress. Cheap: it is stored and shown four times a second.
    pub fn progress(&self, change: impl FnOnce(&mut Progress)) {
        self.running.change_progress(change);
    }

    /// Saves the state from which this operation can go on after its worker was lost.
    /// On return it is stored.
    ///
    /// # Errors
    /// When the lease is lost, or the database does not answer.
    pub async fn checkpoint(&self, state: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string(state).map_err(|_| Error::Stored("checkpoint"))?;
        let held = sql::operation::save_checkpoint(
            self.engine.db(),
            self.running.id,
            self.engine.worker(),
            self.running.attempt,
            &text,
        )
        .await?;
        if held { Ok(()) } else { Err(Error::LeaseLost) }
    }

    /// What an earlier attempt saved last; `None` at the first, or when this version
    /// does not understand it.
    #[must_use]
    pub fn restored<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.restored.as_deref()?).ok()
    }

    /// An operation of kind `K` that this one starts: give it to [`Context::spawn`].
    ///
    /// # Errors
    /// When the input cannot be written as JSON.
    pub fn child<K: Kind>(&self, input: &K::Input) -> Result<NewOperation> {
        let actor: Actor = self.operation.actor.clone();
        Ok(NewOperation::of::<K>(input, actor, Trigger::Operation)?.child_of(self.running.id))
    }

    /// Starts a child. It is cancelled when this operation does not succeed.
    ///
    /// # Errors
    /// When it could not be stored.
    pub async fn spawn(&self, child: NewOperation) -> Result<OperationId> {
        self.engine.submit(child.child_of(self.running.id)).await
    }

    /// Waits for the end of an operation, or of this one. Meanwhile its place in this
    /// process is free for others, so that many may wait for their children. Places
    /// under the limit of its kind and under its key are not: do not wait for a child
    /// of the same kind where the limit is small, nor for one under the same key.
    ///
    /// # Errors
    /// When this one was cancelled, or the other is gone.
    pub async fn wait(&self, id: OperationId) -> Result<Operation, Failure> {
        let _resting = self.running.rest();
        self.engine.0.queued.notify_one();
        match self
            .running
            .token
            .run_until_cancelled(self.engine.wait(id))
            .await
        {
            Some(ended) => Ok(ended?),
            None => Err(Failure::cancelled()),
        }
    }

    /// Sleeps, unless the work should end.
    ///
    /// # Errors
    /// When it was cancelled meanwhile.
    pub async fn sleep(&self, time: Duration) -> Result<(), Failure> {
        match self
            .running
            .token
            .run_until_cancelled(tokio::time::sleep(time))
            .await
        {
            Some(()) => Ok(()),
            None => Err(Failure::cancelled()),
        }
    }
}
