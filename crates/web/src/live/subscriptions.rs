//! What one client follows, whichever way its messages reach it.
//!
//! Each subscription is a task or two that follow and put messages into a channel of
//! a few places, from which the client's own task takes them. All end with it.

use super::Hub;
use super::files::{FollowFiles, NotFollowed};
use super::follower::{Follower, Said, Told};
use super::messages::{ToClient, Topic};
use crate::activity::shown::Rights;
use access::Caller;
use base::OperationId;
use operations::Filter;
use std::collections::HashMap;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};

/// Messages between the followers and the client.
const PLACES: usize = 4;

pub(super) struct Subscriptions {
    hub: Hub,
    most: usize,
    /// What who watches may do with operations, as it was asked last.
    rights: watch::Sender<Rights>,
    followers: JoinSet<()>,
    by_id: HashMap<u64, Subscription>,
    /// How many were made so far.
    made: u64,
    outgoing: mpsc::Sender<Told>,
    messages: mpsc::Receiver<Told>,
}

/// One that is followed.
struct Subscription {
    /// Which of all that the client has made: its number may be used again.
    serial: u64,
    followers: Vec<AbortHandle>,
}

impl Subscriptions {
    pub(super) fn new(hub: Hub, caller: &Caller) -> Self {
        let (outgoing, messages) = mpsc::channel(PLACES);
        Self {
            most: hub.limits().subscriptions,
            rights: watch::Sender::new(Rights::of(&hub.operations, caller)),
            hub,
            followers: JoinSet::new(),
            by_id: HashMap::new(),
            made: 0,
            outgoing,
            messages,
        }
    }

    /// The next message of any subscription. Never ends by itself, as this holds a
    /// sender. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Said> {
        loop {
            let told = self.messages.recv().await?;
            let followed = self.by_id.get(&told.id);
            if followed.is_none_or(|followed| followed.serial != told.serial) {
                // It was on its way when its subscription ended, and the number may be
                // another one's by now.
                continue;
            }
            if told.is_lost {
                // All of it ends, and its number is free: the client is to subscribe again.
                self.end(told.id);
            }
            return Some(told.said);
        }
    }

    /// The caller's rights may have changed: what is told from now on is told by these.
    pub(super) fn has_rights_of(&self, caller: &Caller) {
        let rights = Rights::of(&self.hub.operations, caller);
        self.rights.send_replace(rights);
    }

    /// Begins to follow; what the client is told of it.
    pub(super) async fn subscribe(&mut self, caller: &Caller, id: u64, topic: Topic) -> ToClient {
        while self.followers.try_join_next().is_some() {}
        let refused = |code, message: String| ToClient::Error {
            id: Some(id),
            code,
            message,
        };
        if self.by_id.contains_key(&id) {
            let message = "A subscription has that number already.";
            return refused("taken", message.to_owned());
        }
        let most = self.most;
        if self.by_id.len() >= most {
            let message = format!("One client follows at most {most} topics; end one first.");
            return refused("too-many", message);
        }
        self.made += 1;
        let serial = self.made;
        let mut follower = Follower {
            id,
            serial,
            outgoing: self.outgoing.clone(),
            rights: self.rights.subscribe(),
            only: None,
        };
        let started = match topic {
            Topic::Operations { filter, since } => {
                let since = self.resumed(since).await;
                Ok(vec![self.follow_operations(follower, filter, since)])
            }
            Topic::Operation {
                operation,
                since,
                log_from,
            } => {
                follower.only = Some(operation);
                let since = self.resumed(since).await;
                self.follow_operation(follower, operation, since, log_from)
                    .await
            }
            Topic::Files {
                bucket,
                prefix,
                since,
            } => {
                let files = FollowFiles {
                    bucket: &bucket,
                    prefix: &prefix,
                    since,
                };
                match self.follow_files(caller, follower, files).await {
                    Ok(started) => Ok(vec![started]),
                    Err(error) => return refused(error.code(), error.to_string()),
                }
            }
        };
        match started {
            Ok(followers) => {
                let subscription = Subscription { serial, followers };
                self.by_id.insert(id, subscription);
                ToClient::Subscribed { id }
            }
            Err(error @ operations::Error::NoOperation(_)) => {
                refused("not-found", error.to_string())
            }
            Err(error) => refused("unavailable", error.to_string()),
        }
    }

    /// Follows no more; what the client is told of it.
    pub(super) fn unsubscribe(&mut self, id: u64) -> ToClient {
        self.end(id);
        ToClient::Unsubscribed { id }
    }

    fn end(&mut self, id: u64) {
        let ended = self.by_id.remove(&id);
        for follower in ended.into_iter().flat_map(|ended| ended.followers) {
            follower.abort();
        }
    }

    /// From where a client goes on; nowhere, where it has seen more than there is: it is told
    /// what stands, or it would hear nothing until the numbers have caught up.
    async fn resumed(&self, since: Option<u64>) -> Option<u64> {
        let seen = since?;
        match self.hub.operations.has_changed_up_to(seen).await {
            Ok(false) => None,
            // A database that does not answer has lost nothing.
            Ok(true) | Err(_) => Some(seen),
        }
    }

    fn follow_operations(
        &mut self,
        follower: Follower,
        filter: Filter,
        since: Option<u64>,
    ) -> AbortHandle {
        let operations = self.hub.operations.clone();
        let changes = operations.follow_changes(filter.clone(), since);
        self.followers.spawn(async move {
            match since {
                Some(_) => follower.changes(changes).await,
                None => follower.all_standing(operations, filter, changes).await,
            }
        })
    }

    async fn follow_files(
        &mut self,
        caller: &Caller,
        follower: Follower,
        files: FollowFiles<'_>,
    ) -> Result<AbortHandle, NotFollowed> {
        let feed = self.hub.files.as_ref();
        let feed = feed.ok_or_else(|| NotFollowed::NotFound(files.bucket.to_owned()))?;
        let followed = feed.follow(caller, files).await?;
        let begins = files.since.is_none();
        Ok(self
            .followers
            .spawn(async move { follower.files(followed, begins).await }))
    }

    async fn follow_operation(
        &mut self,
        follower: Follower,
        id: OperationId,
        since: Option<u64>,
        log_from: Option<u64>,
    ) -> operations::Result<Vec<AbortHandle>> {
        let operations = &self.hub.operations;
        // Follows before it looks, so that nothing falls in between.
        let changes = operations.follow_changes(Filter::default(), since);
        let standing = operations.get(id).await?;
        let log = match log_from {
            Some(from) => Some(operations.follow_log(id, from).await?),
            None => None,
        };
        let mut started = Vec::with_capacity(2);
        if let Some(log) = log {
            let follower = follower.clone();
            started.push(self.followers.spawn(async move { follower.log(log).await }));
        }
        started.push(self.followers.spawn(async move {
            match since {
                Some(_) => follower.changes(changes).await,
                None => follower.standing(standing, changes).await,
            }
        }));
        Ok(started)
    }
}
