//! A kind of operation: what a feature declares once, and the settings of it.

use crate::context::Context;
use crate::engine::Operations;
use crate::failure::Failure;
use crate::retry::RetryPolicy;
use futures::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// What an operation leaves behind when it succeeds: any JSON. Known secrets are taken
/// out of its texts, not out of the names of its fields.
pub type Outcome = serde_json::Value;

/// A kind of operation.
///
/// The value holds what the work needs (a client, a store); its input is what one
/// operation is about, and is stored before the work begins.
pub trait Kind: Send + Sync + 'static {
    /// The word for it: stored, shown, and in the settings. Lower case, dashes.
    const NAME: &'static str;
    /// What one operation is about.
    type Input: Serialize + DeserializeOwned + Send + 'static;

    /// How operations of this kind are run.
    fn settings(&self) -> Settings;

    /// Where one that a schedule starts stands among the others: what is said of it when
    /// somebody starts it. Nowhere in particular, unless the kind says so.
    ///
    /// # Errors
    /// When the database does not answer. What else is wrong with an input tells the run.
    fn place(
        &self,
        _input: &Self::Input,
    ) -> impl Future<Output = Result<Place, storage::Error>> + Send {
        std::future::ready(Ok(Place::default()))
    }

    /// Does the work. It is dropped some seconds after it was cancelled, so it must
    /// look at [`Context::cancelled`] where it waits; what it cannot afford to have
    /// dropped half-done it must make whole with a guard.
    ///
    /// # Errors
    /// A [`Failure`], which says whether another attempt may help.
    fn run(
        &self,
        input: Self::Input,
        context: Context,
    ) -> impl Future<Output = Result<Outcome, Failure>> + Send;
}

/// Where an operation stands among others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Its exclusive key; empty for one of its schedule's own.
    pub key: String,
    /// What it is about, such as `bucket:media`.
    pub subject: String,
}

/// What becomes of one that still waits when a later one is asked for under its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenWaiting {
    /// Both are done, in order.
    Queue,
    /// The later one takes its place.
    Replace,
}

/// How operations of a kind are run.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) title: &'static str,
    pub(crate) limit: usize,
    pub(crate) resumable: bool,
    pub(crate) schedulable: bool,
    pub(crate) scope: Option<&'static str>,
    pub(crate) retry: RetryPolicy,
    pub(crate) when_waiting: WhenWaiting,
    pub(crate) keep: Retained,
}

/// How long the record of ended operations is kept; for ever, by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retained {
    /// For this long after the end.
    pub age: Duration,
    /// And at most this many of a kind.
    pub count: u64,
}

impl Default for Retained {
    fn default() -> Self {
        Self {
            age: Duration::MAX,
            count: u64::MAX,
        }
    }
}

impl Settings {
    /// One attempt, four at a time, not resumable; called `title` in lists.
    #[must_use]
    pub fn new(title: &'static str) -> Self {
        Self {
            title,
            limit: 4,
            resumable: false,
            schedulable: false,
            scope: None,
            retry: RetryPolicy::never(),
            when_waiting: WhenWaiting::Queue,
            keep: Retained::default(),
        }
    }

    /// At most `limit` at a time, over all replicas.
    #[must_use]
    pub const fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// It can be run again after its worker was lost, with what it saved.
    #[must_use]
    pub const fn resumable(mut self) -> Self {
        self.resumable = true;
        self
    }

    /// People may put it on a schedule.
    #[must_use]
    pub const fn schedulable(mut self) -> Self {
        self.schedulable = true;
        self
    }

    /// Who starts one with a token needs this scope of it, besides that of operations.
    #[must_use]
    pub const fn scope(mut self, scope: &'static str) -> Self {
        self.scope = Some(scope);
        self
    }

    /// How often and when it is tried again.
    #[must_use]
    pub const fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// A later one under the same key takes the place of one that still waits.
    #[must_use]
    pub const fn replacing_waiting(mut self) -> Self {
        self.when_waiting = WhenWaiting::Replace;
        self
    }

    /// How long its record is kept, at most: what the kind itself says may be shorter.
    #[must_use]
    pub fn keep_at_most(mut self, keep: Retained) -> Self {
        self.keep.age = self.keep.age.min(keep.age);
        self.keep.count = self.keep.count.min(keep.count);
        self
    }

    /// How long its record is kept.
    #[must_use]
    pub const fn keep(mut self, keep: Retained) -> Self {
        self.keep = keep;
        self
    }
}

/// A kind, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct KindInfo {
    /// Its name.
    pub name: String,
    /// What it is called in lists.
    pub title: String,
    /// Whether it goes on after its worker was lost.
    pub resumable: bool,
    /// Whether people may put it on a schedule.
    pub schedulable: bool,
    /// How many run at once.
    pub limit: u64,
}

/// A kind without its types.
#[derive(Clone)]
pub(crate) struct AnyKind {
    pub(crate) name: &'static str,
    pub(crate) settings: Settings,
    run: Arc<RunAny>,
    place: Arc<PlaceAny>,
    check: fn(&str) -> Result<(), String>,
}

type PlaceAny = dyn Fn(String) -> BoxFuture<'static, Result<Place, storage::Error>> + Send + Sync;

type RunAny = dyn Fn(String, Context) -> BoxFuture<'static, Result<Outcome, Failure>> + Send + Sync;

impl AnyKind {
    pub(crate) fn of<K: Kind>(kind: K) -> Self {
        let settings = kind.settings();
        let kind = Arc::new(kind);
        let placed = Arc::clone(&kind);
        let place = move |input: String| -> BoxFuture<'static, _> {
            let kind = Arc::clone(&placed);
            Box::pin(async move {
                match serde_json::from_str(&input) {
                    Ok(input) => kind.place(&input).await,
                    // It will fail, and say why.
                    Err(_) => Ok(Place::default()),
                }
            })
        };
        let run = move |input: String, context: Context| -> BoxFuture<'static, _> {
            let kind = Arc::clone(&kind);
            Box::pin(async move {
                let parsed = serde_json::from_str(&input).map_err(|error| {
                    Failure::lasting(
                        "input",
                        format!("the stored input does not fit this version: {error}"),
                    )
                })?;
                // It may have megabytes, and would be held as long as the work lasts.
                drop(input);
                kind.run(parsed, context).await
            })
        };
        Self {
            name: K::NAME,
            settings,
            run: Arc::new(run),
            place: Arc::new(place),
            check: |input| {
                serde_json::from_str::<K::Input>(input)
                    .map(drop)
                    .map_err(|error| error.to_string())
            },
        }
    }

    pub(crate) fn run(
        &self,
        input: String,
        context: Context,
    ) -> BoxFuture<'static, Result<Outcome, Failure>> {
        (self.run)(input, context)
    }

    pub(crate) fn place(&self, input: String) -> BoxFuture<'static, Result<Place, storage::Error>> {
        (self.place)(input)
    }

    /// Whether `input` is one that this kind takes.
    pub(crate) fn check(&self, input: &str) -> Result<(), String> {
        (self.check)(input)
    }
}

/// The kinds that this process knows.
#[derive(Clone, Default)]
pub struct Kinds {
    known: HashMap<&'static str, AnyKind>,
    /// What is kept of operations whose kind is not known any more.
    unknown: Retained,
}

impl std::fmt::Debug for Kinds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.known.keys()).finish()
    }
}

impl Kinds {
    /// No kinds yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind. The last of two with one name counts.
    #[must_use]
    pub fn with<K: Kind>(mut self, kind: K) -> Self {
        self.known.insert(K::NAME, AnyKind::of(kind));
        self
    }

    /// How long the record of operations is kept whose kind is not among these: what an
    /// earlier version left.
    #[must_use]
    pub const fn keep_of_unknown(mut self, keep: Retained) -> Self {
        self.unknown = keep;
        self
    }

    /// What is kept of operations of this kind.
    #[must_use]
    pub fn kept(&self, name: &str) -> Retained {
        self.get(name)
            .map_or(self.unknown, |kind| kind.settings.keep)
    }

    /// Their names.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.known.keys().copied().collect()
    }

    /// Changes the settings of a kind, as the configuration says.
    pub fn configure(&mut self, name: &str, change: impl FnOnce(&mut Settings)) {
        if let Some(kind) = self.known.get_mut(name) {
            change(&mut kind.settings);
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&AnyKind> {
        self.known.get(name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &AnyKind> {
        self.known.values()
    }
}

impl Operations {
    /// The scope that starting one of this kind needs, besides that of operations.
    #[must_use]
    pub fn scope_of(&self, kind: &str) -> Option<&'static str> {
        self.0.kinds.get(kind)?.settings.scope
    }

    /// Whether this version knows the kind; an earlier one may have left operations of
    /// others.
    #[must_use]
    pub fn knows(&self, kind: &str) -> bool {
        self.0.kinds.get(kind).is_some()
    }

    /// The kinds that this server knows, by name.
    #[must_use]
    pub fn kinds(&self) -> Vec<KindInfo> {
        let mut kinds: Vec<_> = self
            .0
            .kinds
            .iter()
            .map(|kind| KindInfo {
                name: kind.name.to_owned(),
                title: kind.settings.title.to_owned(),
                resumable: kind.settings.resumable,
                schedulable: kind.settings.schedulable,
                limit: kind.settings.limit as u64,
            })
            .collect();
        kinds.sort_by(|a, b| a.name.cmp(&b.name));
        kinds
    }
}
