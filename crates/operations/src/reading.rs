//! What is read of operations by the handle: records, logs, and what happens to them.

use crate::engine::Operations;
use crate::list::{Filter, ListPage, Query};
use crate::live::changes::ChangeFollower;
use crate::live::logs::LogFollower;
use crate::log::reader::{self, Colours, LogPage, LogText, SearchPage, SearchQuery};
use crate::operation::{Operation, Transition};
use crate::{Error, Result, sql};
use base::OperationId;
use std::sync::Arc;

impl Operations {
    /// An operation as it stands.
    ///
    /// # Errors
    /// When there is none, or the database does not answer.
    pub async fn get(&self, id: OperationId) -> Result<Operation> {
        sql::operation::get(&self.0.db, id)
            .await?
            .ok_or(Error::NoOperation(id))
    }

    /// The life of an operation, from its acceptance on.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn transitions(&self, id: OperationId) -> Result<Vec<Transition>> {
        sql::operation::transitions(&self.0.db, id).await
    }

    /// A page of operations.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list(&self, query: &Query) -> Result<ListPage> {
        sql::list::page(&self.0.db, query).await
    }

    /// The input of an operation, as it was stored.
    ///
    /// # Errors
    /// When there is none, or it does not fit `K`.
    pub async fn input<K: crate::Kind>(&self, id: OperationId) -> Result<K::Input> {
        let text = self.input_text(id).await?;
        serde_json::from_str(&text).map_err(|_| Error::Stored("input"))
    }

    /// The same, unread: for who reads a large one elsewhere, or only a part of it.
    ///
    /// # Errors
    /// When there is none, or the database does not answer.
    pub async fn input_text(&self, id: OperationId) -> Result<String> {
        sql::operation::input(&self.0.db, id)
            .await?
            .ok_or(Error::NoOperation(id))
    }

    /// A page of a log, from line `from` on.
    ///
    /// # Errors
    /// When there is no such operation, or the database does not answer.
    pub async fn log(&self, id: OperationId, from: u64, limit: usize) -> Result<LogPage> {
        let (first_seq, last_seq, state) = sql::operation::log_bounds(&self.0.db, id)
            .await?
            .ok_or(Error::NoOperation(id))?;
        let lines = reader::lines(&self.0.db, id, from.max(1), limit).await?;
        let next = lines
            .last()
            .map(|line| line.seq + 1)
            .filter(|next| *next <= last_seq);
        Ok(LogPage {
            lines,
            next,
            first_seq,
            last_seq,
            ended: state.is_ended(),
        })
    }

    /// A log as text, from line number `from` on: the whole of it from 1.
    #[must_use]
    pub fn log_text(&self, id: OperationId, from: u64, colours: Colours) -> LogText {
        LogText::new(self.0.db.clone(), id, from, colours)
    }

    /// Looks through the whole of a log.
    ///
    /// # Errors
    /// A pattern that cannot be read, no such operation, or the database.
    pub async fn search_log(&self, id: OperationId, query: SearchQuery) -> Result<SearchPage> {
        sql::operation::log_bounds(&self.0.db, id)
            .await?
            .ok_or(Error::NoOperation(id))?;
        reader::search(&self.0.db, id, query).await
    }

    /// Waits for the end of an operation. Put a limit around it.
    ///
    /// # Errors
    /// When there is none, or the database does not answer.
    pub async fn wait(&self, id: OperationId) -> Result<Operation> {
        // Follows before it looks, so that no end is missed.
        let mut changes = self.follow_changes(Filter::default(), None);
        let operation = self.get(id).await?;
        if operation.state.is_ended() {
            return Ok(operation);
        }
        loop {
            let ended = changes
                .next()
                .await?
                .into_iter()
                .find(|change| change.operation.id == id && change.operation.state.is_ended());
            if let Some(change) = ended {
                return Ok(change.operation.clone());
            }
        }
    }

    /// Follows changes of the operations that pass `filter`: those after number
    /// `since`, or from now on.
    #[must_use]
    pub fn follow_changes(&self, filter: Filter, since: Option<u64>) -> ChangeFollower {
        let since = since.unwrap_or_else(|| self.0.changes.newest());
        ChangeFollower::new(Arc::clone(&self.0.changes), filter, since)
    }

    /// The number of the newest change.
    #[must_use]
    pub fn newest_change(&self) -> u64 {
        self.0.changes.newest()
    }

    /// Whether there has been a change of this number. There has not where a client saw it
    /// before an older database was put back: then the numbers come a second time.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn has_changed_up_to(&self, change: u64) -> Result<bool> {
        Ok(change <= self.newest_change()
            || change <= sql::operation::newest_change(&self.0.db).await?)
    }

    /// Follows a log from line `from` on.
    ///
    /// # Errors
    /// When there is no such operation.
    pub async fn follow_log(&self, id: OperationId, from: u64) -> Result<LogFollower> {
        sql::operation::log_bounds(&self.0.db, id)
            .await?
            .ok_or(Error::NoOperation(id))?;
        Ok(self.0.logs.follow(id, from))
    }

    /// How many follow the log of `id` from this process.
    #[must_use]
    pub fn followers(&self, id: OperationId) -> usize {
        self.0.logs.followers(id)
    }
}
