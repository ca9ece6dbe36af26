//! Kinds that do what a test tells them.

use crate::world::LIMIT;
use operations::{Context, Failure, Kind, Outcome, Place, RetryPolicy, Settings, Stream, Transfer};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};

/// What scripted operations share with their test.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) running: AtomicUsize,
    pub(crate) most: AtomicUsize,
    pub(crate) begun: AtomicUsize,
    pub(crate) started: Notify,
    pub(crate) left: Notify,
    pub(crate) gate: Gate,
    pub(crate) order: std::sync::Mutex<Vec<String>>,
}

/// Lets operations go on, one permit each.
pub(crate) struct Gate(pub(crate) Semaphore);

impl Default for Gate {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

/// What a scripted operation does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Work {
    Say(Vec<String>),
    Lines(u64),
    Fail {
        times: u64,
    },
    FailForGood,
    Wait(String),
    Stubborn,
    Panic,
    Count {
        to: u64,
    },
    Parent(u64),
    Chunks(Vec<Vec<u8>>),
    /// A line on each stream, and one on standard error as a program writes it.
    Streams,
    /// Events with data of so many bytes.
    Events(Vec<usize>),
    /// Each once the gate opens.
    ChunksAtGate(Vec<Vec<u8>>),
    /// Passes the gate, also when it should end, and then tries to leave a trace.
    Defy,
    /// Passes the gate and fails in passing.
    FailAtGate,
    /// Starts a child and fails, to be tried again in an hour.
    LeaveChild,
    /// Shows this as its progress, passes the gate, and withdraws for this reason.
    Withdraw(String),
    /// Fails, with this as its sentence.
    FailSaying(String),
    /// Succeeds, and leaves this behind.
    Leave(serde_json::Value),
}

macro_rules! scripted {
    ($name:ident, $word:literal, |$settings:ident| $change:expr) => {
        pub(crate) struct $name(pub(crate) Arc<Script>);
        impl Kind for $name {
            const NAME: &'static str = $word;
            type Input = Work;
            fn settings(&self) -> Settings {
                let $settings = Settings::new("Scripted work").limit(2);
                $change
            }
            async fn run(&self, input: Work, context: Context) -> Result<Outcome, Failure> {
                self.0.run(input, context).await
            }
        }
    };
}

scripted!(Plain, "plain", |settings| settings.schedulable());
scripted!(Resumable, "resumable", |settings| settings.resumable());
scripted!(Wide, "wide", |settings| settings.limit(64));
scripted!(Latest, "latest", |settings| settings.replacing_waiting());
scripted!(Retried, "retried", |settings| settings.retry(
    RetryPolicy::exponential(3, Duration::from_millis(10), Duration::from_millis(50))
));

/// Those that wait stand in a place that their input names.
pub(crate) struct Placed(pub(crate) Arc<Script>);

impl Kind for Placed {
    const NAME: &'static str = "placed";
    type Input = Work;

    fn settings(&self) -> Settings {
        Settings::new("Scripted work").limit(4).schedulable()
    }

    async fn place(&self, input: &Work) -> Result<Place, storage::Error> {
        let Work::Wait(name) = input else {
            return Ok(Place::default());
        };
        Ok(Place {
            key: format!("place:{name}"),
            subject: format!("subject:{name}"),
        })
    }

    async fn run(&self, input: Work, context: Context) -> Result<Outcome, Failure> {
        self.0.run(input, context).await
    }
}

impl Script {
    /// Waits until so many have begun. That is after their being stored as running:
    /// the claim comes first, and the work begins when its task is scheduled.
    pub(crate) async fn has_begun(&self, count: usize) {
        let begun = async {
            loop {
                let mut started = std::pin::pin!(self.started.notified());
                started.as_mut().enable();
                if self.begun.load(Ordering::SeqCst) >= count {
                    return;
                }
                started.await;
            }
        };
        tokio::time::timeout(LIMIT, begun)
            .await
            .expect("it begins in time");
    }

    async fn run(&self, work: Work, context: Context) -> Result<Outcome, Failure> {
        let now = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.started.notify_waiters();
        let result = self.act(work, &context).await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        self.left.notify_waiters();
        result
    }

    /// Waits until nothing is at work.
    pub(crate) async fn is_idle(&self) {
        let idle = async {
            loop {
                let mut left = std::pin::pin!(self.left.notified());
                left.as_mut().enable();
                if self.running.load(Ordering::SeqCst) == 0 {
                    return;
                }
                left.await;
            }
        };
        tokio::time::timeout(LIMIT, idle)
            .await
            .expect("it ends in time");
    }

    /// Waits for one permit, whatever was asked.
    async fn pass(&self) {
        let permit = self.gate.0.acquire().await;
        permit.expect("the gate stays").forget();
    }

    async fn act(&self, work: Work, context: &Context) -> Result<Outcome, Failure> {
        match work {
            Work::Say(lines) => {
                for line in lines {
                    context.log(line).await;
                }
            }
            Work::Lines(count) => {
                for number in 1..=count {
                    context
                        .line(Stream::Stdout, &format!("line {number} of {count}"))
                        .await;
                }
            }
            Work::Fail { times } if context.attempt() <= times => {
                return Err(Failure::passing("flaky", "It failed this time."));
            }
            Work::Fail { .. } => {}
            Work::FailForGood => {
                return Err(Failure::lasting(
                    "broken",
                    "It is broken for good; mend it.",
                ));
            }
            Work::Wait(name) => {
                self.order.lock().expect("not poisoned").push(name);
                tokio::select! {
                    permit = self.gate.0.acquire() => permit.expect("the gate stays").forget(),
                    () = context.cancelled().cancelled() => return Err(Failure::cancelled()),
                }
            }
            Work::Stubborn => std::future::pending().await,
            Work::Panic => panic!("as the test wants it"),
            Work::Count { to } => {
                let mut at: u64 = context.restored().unwrap_or(0);
                while at < to {
                    context.check()?;
                    at += 1;
                    context.log(format!("counted {at}")).await;
                    context.checkpoint(&at).await?;
                    context.progress(|progress| {
                        progress.done = at;
                        progress.total = Some(to);
                        "numbers".clone_into(&mut progress.unit);
                    });
                    tokio::select! {
                        permit = self.gate.0.acquire() => permit.expect("the gate stays").forget(),
                        () = context.cancelled().cancelled() => return Err(Failure::cancelled()),
                    }
                }
            }
            Work::Parent(children) => {
                let mut ids = Vec::new();
                for number in 0..children {
                    let child = context.child::<Plain>(&Work::Wait(format!("child {number}")))?;
                    ids.push(context.spawn(child).await?);
                }
                for id in ids {
                    context.wait(id).await?;
                }
            }
            Work::Events(lengths) => {
                for length in lengths {
                    context.event("an event", &"x".repeat(length)).await;
                }
            }
            Work::Chunks(chunks) => {
                let mut output = context.output(Stream::Stdout);
                for chunk in chunks {
                    output.write(&chunk).await;
                }
                output.finish().await;
            }
            Work::Streams => {
                context.line(Stream::Stdout, "built").await;
                context.line(Stream::Stderr, "deprecated").await;
                context.log("ended with code 0").await;
                let mut output = context.output(Stream::Stderr);
                output.write(b"a last ").await;
                output.write(b"warning\n").await;
                output.finish().await;
            }
            Work::ChunksAtGate(chunks) => {
                let mut output = context.output(Stream::Stdout);
                for chunk in chunks {
                    self.pass().await;
                    output.write(&chunk).await;
                }
                output.finish().await;
            }
            Work::Defy => {
                self.pass().await;
                context.log("written without a lease").await;
                context.progress(|progress| progress.done = 99);
                let saved = context.checkpoint(&99).await;
                assert!(saved.is_err(), "nothing is saved without a lease");
            }
            Work::FailAtGate => {
                self.pass().await;
                return Err(Failure::passing("flaky", "It failed this time."));
            }
            Work::LeaveChild => {
                let child = context.child::<Plain>(&Work::Wait("child".into()))?;
                context.spawn(child).await?;
                let later = Failure::passing("flaky", "It failed this time.");
                return Err(later.not_before(Duration::from_secs(3600)));
            }
            Work::FailSaying(text) => return Err(Failure::lasting("broken", text)),
            Work::Leave(outcome) => return Ok(outcome),
            Work::Withdraw(text) => {
                context.progress(|progress| {
                    progress.message = Some(text.clone());
                    progress.transfers = vec![Transfer {
                        name: text.clone(),
                        index: None,
                        done: 0,
                        total: None,
                    }];
                });
                self.pass().await;
                return Err(Failure::withdrawn(text));
            }
        }
        Ok(serde_json::json!({ "attempt": context.attempt() }))
    }
}
