//! A change of what may lie in the cache. Before it the places are marked, so that
//! nobody finds or keeps anything there meanwhile; after it they are emptied; and what
//! cannot be reached is closed for all.

use super::line::WRITE;
use super::moment::Moment;
use super::name::Name;
use super::read::{Open, millis, token};
use super::{Inner, SharedCache};
use crate::{Error, Result};
use std::sync::Arc;

const MARK: u8 = b'!';
/// How often the way is looked for to have it right, if others open and close meanwhile.
const TRIES: usize = 8;

/// Empties a place, but for the mark of somebody else, who will do so himself.
const EMPTY: &str = "local found = redis.call('GET', KEYS[1])
    if found and (found == ARGV[1] or string.sub(found, 1, 1) ~= '!') then
    redis.call('DEL', KEYS[1]) end return 1";
/// Takes a mark away.
const UNMARK: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('DEL', KEYS[1]) end return 1";

/// A change that is announced. Say [`commits`](Self::commits) before it can be true, and
/// [`happened`](Self::happened) when it is and before anybody is told; dropped before
/// that, nothing has changed, or nobody knows.
#[derive(Debug)]
#[must_use = "a change that is announced is ended by `happened`"]
pub struct Change(Option<Announced>);

#[derive(Debug)]
struct Announced {
    inner: Arc<Inner>,
    names: Vec<Name>,
    mark: Vec<u8>,
    /// Where the mark lies.
    marked: Option<Open>,
    commits: bool,
}

impl SharedCache {
    /// Announces a change of what belongs to these parts of `namespace`. Call it before
    /// the transaction begins: it may use the database.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn change(&self, namespace: &str, places: &[&[&[u8]]]) -> Result<Change> {
        let Some(inner) = &self.0 else {
            return Ok(Change(None));
        };
        let names = places
            .iter()
            .map(|parts| inner.names.name(namespace, parts));
        let mut announced = Announced {
            names: names.collect(),
            inner: Arc::clone(inner),
            mark: token(MARK),
            marked: None,
            commits: false,
        };
        announced.announce().await?;
        Ok(Change(Some(announced)))
    }
}

impl Change {
    /// From now on it may be true.
    pub const fn commits(&mut self) {
        if let Some(announced) = &mut self.0 {
            announced.commits = true;
        }
    }

    /// It is true. On return no replica finds in the cache what was before.
    ///
    /// # Errors
    /// Whatever the database says: then it is true, and may not be acknowledged.
    pub async fn happened(mut self) -> Result<()> {
        let Some(announced) = &mut self.0 else {
            return Ok(());
        };
        announced.commits = true;
        announced.settle().await
    }
}

impl Announced {
    /// Marks the places, or sees to it that nobody finds anything anywhere.
    async fn announce(&mut self) -> Result<()> {
        for _ in 0..TRIES {
            let open = match self.inner.now().await? {
                Now::Open(open) => open,
                // It may open before the change is true, and is then emptied after it.
                Now::Closed(number) => return self.inner.quiet(number).await,
            };
            self.marked = Some(open.clone());
            if self.mark(&open).await {
                return Ok(());
            }
            self.inner.close(open.number).await?;
        }
        Err(Error::Busy)
    }

    async fn mark(&self, open: &Open) -> bool {
        for name in &self.names {
            let mut set = redis::cmd("SET");
            set.arg(name.under(&open.word)).arg(&self.mark);
            set.arg("PX").arg(millis(self.inner.mark));
            let marked: Result<(), _> = self.inner.line.ask(&open.server, &set, WRITE).await;
            if marked.is_err() {
                return false;
            }
        }
        true
    }

    /// Empties the places in the opening that is believed after the change, or waits
    /// until nobody believes any.
    async fn settle(&self) -> Result<()> {
        for _ in 0..TRIES {
            // How it is after the change: what is opened later, is filled with what is
            // true after it.
            let open = match self.inner.now().await? {
                Now::Open(open) => open,
                Now::Closed(number) => return self.inner.quiet(number).await,
            };
            if self.run(EMPTY, &open).await {
                return Ok(());
            }
            self.inner.close(open.number).await?;
        }
        Err(Error::Busy)
    }

    async fn run(&self, script: &str, open: &Open) -> bool {
        for name in &self.names {
            let mut eval = redis::cmd("EVAL");
            eval.arg(script)
                .arg(1)
                .arg(name.under(&open.word))
                .arg(&self.mark);
            let done: Result<i64, _> = self.inner.line.ask(&open.server, &eval, WRITE).await;
            if done.is_err() {
                return false;
            }
        }
        true
    }
}

impl Drop for Announced {
    /// What did not change is not marked any longer. Where nobody knows whether it did,
    /// the marks stay until they expire.
    fn drop(&mut self) {
        let Some(open) = self.marked.take().filter(|_| !self.commits) else {
            return;
        };
        if tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let announced = Self {
            inner: Arc::clone(&self.inner),
            names: std::mem::take(&mut self.names),
            mark: std::mem::take(&mut self.mark),
            marked: None,
            commits: false,
        };
        self.inner.tasks.spawn(async move {
            announced.run(UNMARK, &open).await;
        });
    }
}

/// How the cache is, at a moment after it was asked.
enum Now {
    /// Under this number.
    Closed(i64),
    Open(Open),
}

impl Inner {
    /// How it is now. One that is open where this replica cannot reach it, is closed.
    async fn now(&self) -> Result<Now> {
        // A lease that holds now: nothing was opened since that is not this.
        if let Some(open) = self.open() {
            return Ok(Now::Open(open));
        }
        let mut state = self.confirm().await?;
        for _ in 0..TRIES {
            let Some(opening) = &state.open else {
                return Ok(Now::Closed(state.number));
            };
            let server = self.line.server_soon().await;
            if let Some(open) = server.and_then(|it| Open::of(state.number, opening, it)) {
                return Ok(Now::Open(open));
            }
            state = self.close(state.number).await?;
        }
        Err(Error::Busy)
    }

    /// Waits until nobody believes the opening before the closing with this number.
    async fn quiet(&self, number: i64) -> Result<()> {
        let left = self.trust.quiet_in(number, Moment::now());
        if !left.is_zero() {
            tokio::time::sleep(left).await;
        }
        Ok(())
    }
}
