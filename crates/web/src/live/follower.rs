//! What one subscription does: it follows, and says what happens in messages.

use super::messages::{self, ToClient};
use crate::activity::shown::ShownOperation;
use base::OperationId;
use bytes::Bytes;
use operations::{Change, ChangeFollower, Filter, LogEvent, LogFollower, Operations, Query, State};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Operations that are sent as they stand at the beginning of a subscription.
const STANDING: usize = 200;

/// After so many changes of no concern the position is told all the same, so that who
/// resumes does not have them read again.
const SILENT: u64 = 1000;

/// One who follows for a subscription. Ends when nobody takes its messages.
#[derive(Clone)]
pub(super) struct Follower {
    /// The subscription's number.
    pub(super) id: u64,
    pub(super) outgoing: mpsc::Sender<Bytes>,
    /// Whether who watches may act on operations.
    pub(super) acts: bool,
    /// Where one operation is watched, only its changes count.
    pub(super) only: Option<OperationId>,
}

impl Follower {
    async fn say(&self, message: Bytes) {
        // Where nobody takes it any more, this task is about to be ended.
        let _ = self.outgoing.send(message).await;
    }

    async fn position(&self, changed: u64) {
        let position = ToClient::Position {
            id: self.id,
            changed,
        };
        self.say(position.encoded()).await;
    }

    async fn lost(&self, error: &operations::Error) {
        let message = ToClient::Error {
            id: Some(self.id),
            code: "unavailable",
            message: format!("{error}; subscribe again to go on"),
        };
        self.say(message.encoded()).await;
    }

    async fn tell(&self, operation: operations::Operation) {
        self.say(encode(&operation, self.acts)).await;
    }

    /// The operation as it stands, and then its changes.
    pub(super) async fn standing(&self, operation: operations::Operation, changes: ChangeFollower) {
        self.tell(operation).await;
        self.position(changes.position()).await;
        self.changes(changes).await;
    }

    /// Those that run or wait, and then every change.
    pub(super) async fn all_standing(
        &self,
        operations: Operations,
        filter: Filter,
        changes: ChangeFollower,
    ) {
        for state in [State::Running, State::Queued] {
            if filter.state.is_some_and(|wanted| wanted != state) {
                continue;
            }
            let query = Query {
                filter: Filter {
                    state: Some(state),
                    ..filter.clone()
                },
                limit: STANDING,
                ..Query::default()
            };
            match operations.list(&query).await {
                Ok(page) => {
                    for operation in page.operations {
                        self.tell(operation).await;
                    }
                }
                Err(error) => return self.lost(&error).await,
            }
        }
        self.position(changes.position()).await;
        self.changes(changes).await;
    }

    pub(super) async fn changes(&self, mut changes: ChangeFollower) {
        let mut told = changes.position();
        loop {
            let new = match changes.next().await {
                Ok(new) => new,
                Err(error) => return self.lost(&error).await,
            };
            let wanted = new
                .into_iter()
                .filter(|change| self.only.is_none_or(|only| change.operation.id == only));
            let mut any = false;
            for change in wanted {
                any = true;
                self.say(self.encoded(&change)).await;
            }
            if any || changes.position() >= told + SILENT {
                told = changes.position();
                self.position(told).await;
            }
        }
    }

    fn encoded(&self, change: &Arc<Change>) -> Bytes {
        change.encoded(self.acts, |operation| encode(operation, self.acts))
    }

    pub(super) async fn log(&self, mut log: LogFollower) {
        let operation = log.operation();
        loop {
            let message = match log.next().await {
                Ok(LogEvent::Lines(lines)) => {
                    lines.message(|lines| messages::log(operation, lines))
                }
                Ok(LogEvent::Gap { from, to }) => ToClient::LogGap {
                    operation,
                    from,
                    to,
                    reason: "expired",
                }
                .encoded(),
                Ok(LogEvent::End { last }) => {
                    let end = ToClient::LogEnd {
                        operation,
                        last_seq: last,
                    };
                    return self.say(end.encoded()).await;
                }
                Err(error) => return self.lost(&error).await,
            };
            self.say(message).await;
        }
    }
}

fn encode(operation: &operations::Operation, acts: bool) -> Bytes {
    ToClient::Operation {
        changed: operation.changed,
        operation: Box::new(ShownOperation::of(operation.clone(), acts)),
    }
    .encoded()
}
