//! What one subscription does: it follows, and says what happens in messages.

use super::messages::{self, ToClient};
use crate::activity::shown::{Rights, ShownOperation};
use base::OperationId;
use bytes::Bytes;
use operations::{Change, ChangeFollower, Filter, LogEvent, LogFollower, Operations, Query, State};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// Operations in each state that are sent as they stand at the beginning of a
/// subscription: the newest.
const STANDING: usize = 2000;
/// Of these, so many are read at once.
const PAGE: usize = 200;
/// Pages read for that. A filter that few pass leaves most of them short.
const PAGES: usize = 50;

/// After so many changes of no concern the position is told all the same, so that who
/// resumes does not have them read again.
const SILENT: u64 = 1000;

/// A message on its way to the client.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) message: Bytes,
    /// The subscription that can be resumed from here on, or has failed.
    pub(super) settles: Option<u64>,
}

/// What a follower has to say, and for which subscription.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) said: Said,
    /// The subscription's number, which the client may give to another one later.
    pub(super) id: u64,
    /// Which of all the client's subscriptions it is.
    pub(super) serial: u64,
    /// Whether nothing of it is followed any more: the client has to subscribe again.
    pub(super) is_lost: bool,
}

/// One who follows for a subscription. Ends when nobody takes its messages.
#[derive(Clone)]
pub(super) struct Follower {
    /// The subscription's number.
    pub(super) id: u64,
    /// Which of all the client's subscriptions it is.
    pub(super) serial: u64,
    pub(super) outgoing: mpsc::Sender<Told>,
    /// What who watches may do with operations.
    pub(super) rights: watch::Receiver<Rights>,
    /// Where one operation is watched, only its changes count.
    pub(super) only: Option<OperationId>,
}

impl Follower {
    pub(super) async fn say(&self, message: Bytes) {
        self.pass(self.told(message, None)).await;
    }

    /// Says what nothing of the beginning follows any more.
    pub(super) async fn settle(&self, message: &ToClient) {
        let told = self.told(message.encoded(), Some(self.id));
        self.pass(told).await;
    }

    /// Says why nothing is followed any more, which ends the whole subscription.
    pub(super) async fn end(&self, message: &ToClient) {
        let told = self.told(message.encoded(), Some(self.id));
        self.pass(Told {
            is_lost: true,
            ..told
        })
        .await;
    }

    const fn told(&self, message: Bytes, settles: Option<u64>) -> Told {
        Told {
            said: Said { message, settles },
            id: self.id,
            serial: self.serial,
            is_lost: false,
        }
    }

    async fn pass(&self, told: Told) {
        // Where nobody takes it any more, this task is about to be ended.
        let _ = self.outgoing.send(told).await;
    }

    pub(super) async fn position(&self, changed: u64) {
        let position = ToClient::Position {
            id: self.id,
            changed,
        };
        self.settle(&position).await;
    }

    async fn lost(&self, error: &operations::Error) {
        let message = ToClient::Error {
            id: Some(self.id),
            code: "unavailable",
            message: format!("{error}; subscribe again to go on"),
        };
        self.end(&message).await;
    }

    async fn tell(&self, operation: operations::Operation) {
        let allowed = self.rights.borrow().allow(&operation);
        self.say(encode(&operation, allowed)).await;
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
            let filter = Filter {
                state: Some(state),
                ..filter.clone()
            };
            if let Err(error) = self.standing_of(&operations, filter).await {
                return self.lost(&error).await;
            }
        }
        self.position(changes.position()).await;
        self.changes(changes).await;
    }

    /// Those that pass `filter`, page by page. A page may be short although more follow.
    async fn standing_of(&self, operations: &Operations, filter: Filter) -> operations::Result<()> {
        let mut query = Query {
            filter,
            limit: PAGE,
            ..Query::default()
        };
        let mut told = 0;
        for _ in 0..PAGES {
            let page = operations.list(&query).await?;
            told += page.operations.len();
            for operation in page.operations {
                self.tell(operation).await;
            }
            if page.next.is_none() || told >= STANDING {
                break;
            }
            query.after = page.next;
        }
        Ok(())
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
        let allowed = self.rights.borrow().allow(&change.operation);
        change.encoded(allowed, |operation| encode(operation, allowed))
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

fn encode(operation: &operations::Operation, allowed: bool) -> Bytes {
    ToClient::Operation {
        changed: operation.changed,
        operation: Box::new(ShownOperation::offering(allowed, operation.clone())),
    }
    .encoded()
}
