//! What happens to files, as the live socket tells of it. Whoever keeps files says what
//! happened ([`FileFeed`]); here it becomes messages.

use super::follower::Follower;
use super::messages::ToClient;
use access::Caller;
use async_trait::async_trait;
use base::Timestamp;
use serde::Serialize;
use std::fmt;

/// After so many changes of no concern the position is told all the same.
const SILENT: u64 = 1000;

/// Something that happened to a file.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct FileEvent {
    /// Its id: of one that comes twice, once is enough.
    #[schema(value_type = String, format = Uuid)]
    pub id: uuid::Uuid,
    /// `file.put`, `file.described`, `file.moved` or `file.deleted`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The bucket's name.
    pub bucket: String,
    /// The file's path.
    pub path: String,
    /// Where it was, when it moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Who did it.
    pub actor: String,
    /// The file as it was then; nothing where the caller may not see where it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub file: Option<serde_json::Value>,
}

/// The next of what happened.
#[derive(Debug, Default)]
pub struct FileNews {
    /// Whether something before it is not kept any more.
    pub missed: bool,
    /// What happened, each with its number.
    pub events: Vec<(u64, FileEvent)>,
}

/// Why files cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum NotFollowed {
    /// There is nothing here that this caller may list.
    #[error("there is no bucket `{0}`, or nothing in it that you may list")]
    NotFound(String),
    /// Not now.
    #[error("{0}")]
    Unavailable(String),
}

impl NotFollowed {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not-found",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

/// Which files.
#[derive(Clone, Copy, Debug)]
pub struct FollowFiles<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// What their paths begin with.
    pub prefix: &'a str,
    /// After which number; from now on, without.
    pub since: Option<u64>,
}

/// Knows what happens to files.
#[async_trait]
pub trait FileFeed: Send + Sync + fmt::Debug + 'static {
    /// Follows what happens to files that this caller may list.
    async fn follow(
        &self,
        caller: &Caller,
        files: FollowFiles<'_>,
    ) -> Result<Box<dyn FollowedFiles>, NotFollowed>;
}

/// Files that are followed.
#[async_trait]
pub trait FollowedFiles: Send + 'static {
    /// Nothing up to this number is missing.
    fn position(&self) -> u64;
    /// Waits for something to happen; may then still give nothing.
    async fn next(&mut self) -> Result<FileNews, NotFollowed>;
}

impl Follower {
    /// Tells what happens to files. One that begins now says first from where on.
    pub(super) async fn files(&self, mut files: Box<dyn FollowedFiles>, begins: bool) {
        let mut told = files.position();
        if begins {
            self.position(told).await;
        }
        loop {
            let news = match files.next().await {
                Ok(news) => news,
                Err(refused) => {
                    let message = ToClient::Error {
                        id: Some(self.id),
                        code: refused.code(),
                        message: format!("{refused}; subscribe again to go on"),
                    };
                    return self.end(&message).await;
                }
            };
            let eventful = news.missed || !news.events.is_empty();
            if news.missed {
                let missed = ToClient::FilesMissed { id: self.id };
                self.say(missed.encoded()).await;
            }
            for (changed, event) in news.events {
                let event = ToClient::File {
                    id: self.id,
                    changed,
                    event: Box::new(event),
                };
                self.say(event.encoded()).await;
            }
            if eventful || files.position() >= told + SILENT {
                told = files.position();
                self.position(told).await;
            }
        }
    }
}
