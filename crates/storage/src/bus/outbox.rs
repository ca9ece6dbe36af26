//! What waits to be told to other replicas: so many messages and no more, each of them
//! once. Where there would be more, the others are told that they missed some.

use super::notify;
use crate::db::Db;
use crate::{Error, Result};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The topic of a message that stands for those that were not sent.
pub(super) const LOST: &str = "lost";
/// Messages that wait at most. As equal ones count once, more means that nobody takes them.
const MOST: usize = 256;
/// How long a message that could not be sent waits for the next try.
const AGAIN: Duration = Duration::from_secs(1);
/// How long the last messages may take at the end.
const LAST: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: Mutex<VecDeque<String>>,
    wake: Notify,
}

impl Outbox {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<String>> {
        // Nothing that it guards is left half-changed by a panic.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a message, unless it waits already.
    pub(super) fn put(&self, message: String) {
        {
            let mut waiting = self.waiting();
            if waiting.contains(&message) {
                return;
            }
            if waiting.len() >= MOST {
                waiting.clear();
                waiting.push_back(format!("{LOST}\n"));
            }
            waiting.push_back(message);
        }
        self.wake.notify_one();
    }

    fn take(&self) -> Option<String> {
        self.waiting().pop_front()
    }

    /// A message that was taken and not sent is the next one again.
    fn put_back(&self, message: String) {
        let mut waiting = self.waiting();
        if !waiting.contains(&message) {
            waiting.push_front(message);
        }
    }
}

/// Tells other replicas until `stop`, and then what is left.
pub(super) async fn run(outbox: Arc<Outbox>, db: Db, node: Uuid, stop: CancellationToken) {
    while !stop.is_cancelled() {
        // A message that is under way when `stop` comes is told to its end.
        let again = match send_all(&outbox, &db, node).await {
            Ok(()) => None,
            Err(error) => {
                tracing::debug!(%error, "other replicas could not be told; trying again");
                Some(AGAIN)
            }
        };
        let woken = async {
            match again {
                Some(again) => tokio::time::sleep(again).await,
                None => outbox.wake.notified().await,
            }
        };
        stop.run_until_cancelled(woken).await;
    }
    // They find what they are not told in the database.
    let _ = tokio::time::timeout(LAST, send_all(&outbox, &db, node)).await;
}

async fn send_all(outbox: &Outbox, db: &Db, node: Uuid) -> Result<()> {
    while let Some(message) = outbox.take() {
        match notify(db, node, &message).await {
            // One that is too long, say, never gets there.
            Err(error @ (Error::Database(_) | Error::Conflict { .. })) => {
                tracing::warn!(%error, "a message to other replicas is left out");
            }
            Err(error) => {
                outbox.put_back(message);
                return Err(error);
            }
            Ok(()) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(outbox: &Outbox) -> Vec<String> {
        std::iter::from_fn(|| outbox.take()).collect()
    }

    #[test]
    fn equal_messages_wait_once_and_the_others_in_order() {
        let outbox = Outbox::default();
        for message in ["a", "b", "a", "c", "b"] {
            outbox.put(message.to_owned());
        }
        assert_eq!(taken(&outbox), ["a", "b", "c"]);
        outbox.put("a".to_owned());
        assert_eq!(taken(&outbox), ["a"], "one that has gone out waits anew");
    }

    #[test]
    fn more_than_there_is_room_for_becomes_one_message_that_some_were_lost() {
        let outbox = Outbox::default();
        for number in 0..=MOST {
            outbox.put(number.to_string());
        }
        assert_eq!(taken(&outbox), ["lost\n".to_owned(), MOST.to_string()]);
    }

    #[test]
    fn what_could_not_be_sent_is_the_next_again() {
        let outbox = Outbox::default();
        outbox.put("a".to_owned());
        outbox.put("b".to_owned());
        let first = outbox.take().expect("two wait");
        outbox.put_back(first);
        assert_eq!(taken(&outbox), ["a", "b"]);
    }
}
