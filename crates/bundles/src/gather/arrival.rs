//! What comes of a source: its body, the beginning of it, or why there is none.

use crate::budget::Held;
use crate::plain::BodyStream;
use crate::stored::{NotStored, StoredFile};
use bytes::Bytes;
use fetch::{FetchError, Response, Resumed};
use futures::TryStreamExt;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};
use tokio::sync::oneshot;

/// What became of a source.
pub(crate) struct Arrival {
    pub(crate) index: usize,
    pub(crate) what: What,
}

pub(crate) enum What {
    /// All of it is here.
    Whole(Whole),
    /// It has answered, and waits to be asked for its body.
    Large(Large),
    /// It did not come. The share of the budget is what waiting to be listed costs.
    Missed(Miss, Held),
}

/// A body in memory.
pub(crate) struct Whole {
    pub(crate) about: About,
    pub(crate) parts: Vec<Bytes>,
    pub(crate) size: usize,
    pub(crate) held: Held,
}

pub(super) type Turn = oneshot::Sender<Result<Opened, Miss>>;

/// A body that is read when its turn comes.
pub(crate) struct Large {
    pub(crate) about: About,
    pub(super) turn: oneshot::Sender<Turn>,
}

impl Large {
    /// Its turn has come.
    pub(crate) async fn open(self) -> Result<Opened, Miss> {
        let (reply, answer) = oneshot::channel();
        // Its task waits for nothing else; if it is gone, it broke, or so did the bundle.
        let _ = self.turn.send(reply);
        answer.await.unwrap_or_else(|_| Err(Miss::lost()))
    }
}

/// A large body: what was read of it already, and the rest.
pub(crate) struct Opened {
    prefix: VecDeque<Bytes>,
    /// Bytes of the prefix.
    pub(super) read: usize,
    /// What the prefix takes of the bundle's share.
    held: Option<Held>,
    pub(crate) rest: Rest,
}

/// What is still to be read of a body.
pub(crate) enum Rest {
    /// From a server.
    Fetched(Box<Response>),
    /// From where files are stored, with its size.
    Stored(BodyStream, u64),
    /// Nothing: so many bytes were all of it.
    Ended(u64),
}

/// Why a body does not go on.
pub(crate) enum Broken {
    Fetched(FetchError),
    Stored(Miss),
}

impl Broken {
    pub(crate) fn is_resumable(&self) -> bool {
        matches!(self, Self::Fetched(error) if error.is_resumable())
    }
}

impl From<Broken> for Miss {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Fetched(error) => error.into(),
            Broken::Stored(miss) => miss,
        }
    }
}

impl Rest {
    /// How long all of it is, where that is known.
    pub(crate) fn total(&self) -> Option<u64> {
        match self {
            Self::Fetched(response) => response.total(),
            Self::Stored(_, size) | Self::Ended(size) => Some(*size),
        }
    }

    /// The next part; `None` at its end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Broken> {
        match self {
            Self::Fetched(response) => response.next_chunk().await.map_err(Broken::Fetched),
            Self::Stored(stream, _) => stream.try_next().await.map_err(|error| {
                let text = format!("the stored file cannot be read: {error}");
                Broken::Stored(Miss::new("storage", text))
            }),
            Self::Ended(_) => Ok(None),
        }
    }

    /// Takes up what broke off and [is resumable](Broken::is_resumable).
    pub(crate) async fn resume(&mut self) -> Result<Resumed, Miss> {
        match self {
            Self::Fetched(response) => Ok(response.resume().await?),
            Self::Stored(..) | Self::Ended(_) => Err(Miss::lost()),
        }
    }
}

impl Opened {
    /// One of which nothing was read.
    pub(crate) fn untouched(rest: Rest) -> Self {
        Self::begun(Vec::new(), rest)
    }

    /// One of which this was read.
    pub(super) fn begun(prefix: Vec<Bytes>, rest: Rest) -> Self {
        Self {
            read: prefix.iter().map(Bytes::len).sum(),
            prefix: prefix.into(),
            held: None,
            rest,
        }
    }

    /// The same, with what it takes of the bundle's share until the prefix was taken.
    pub(super) fn holding(mut self, held: Held) -> Self {
        self.held = Some(held);
        self
    }

    /// Bytes that were read already.
    pub(crate) const fn read(&self) -> usize {
        self.read
    }

    /// The next part that was read already.
    pub(crate) fn pop(&mut self) -> Option<Bytes> {
        let part = self.prefix.pop_front();
        match &part {
            Some(part) => self.read -= part.len(),
            None => self.held = None,
        }
        part
    }

    /// Adds a part that was read.
    pub(crate) fn push(&mut self, part: Bytes) {
        self.read += part.len();
        self.prefix.push_back(part);
    }

    /// Nothing was read.
    pub(crate) fn forget(&mut self) {
        self.prefix.clear();
        self.read = 0;
    }
}

/// What an answer says of its body.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) disposition: Option<Vec<u8>>,
    pub(crate) content_type: Option<String>,
    pub(crate) last_modified: Option<String>,
    pub(crate) length: Option<u64>,
    pub(crate) status: u16,
}

impl About {
    pub(crate) fn of(response: &Response) -> Self {
        let header = |name: &str| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(value.chars().take(512).collect())
        };
        Self {
            disposition: response
                .content_disposition()
                .map(|value| value[..value.len().min(4096)].to_vec()),
            content_type: response
                .content_type()
                .map(|value| value.chars().take(256).collect()),
            last_modified: header("last-modified"),
            length: response.total(),
            status: response.status().as_u16(),
        }
    }

    /// What is known of a stored file.
    pub(crate) fn of_file(file: &StoredFile) -> Self {
        let since = u64::try_from(file.modified.seconds()).unwrap_or(0);
        let modified = UNIX_EPOCH + Duration::from_secs(since);
        Self {
            disposition: None,
            content_type: Some(file.media_type.clone()),
            last_modified: Some(httpdate::fmt_http_date(modified)),
            length: Some(file.size),
            status: 200,
        }
    }

    /// Bytes of memory that it takes, about.
    pub(super) fn weight(&self) -> usize {
        let texts = [&self.content_type, &self.last_modified];
        let texts: usize = texts.into_iter().flatten().map(String::len).sum();
        texts + self.disposition.as_ref().map_or(0, Vec::len)
    }
}

/// What a source says of its size before it is fetched.
pub(crate) enum Said {
    /// This many bytes.
    Sized(About, u64),
    /// Nothing that could be relied on.
    Nothing,
    /// It will not be fetched at all.
    Refused(Miss),
}

/// Why a source did not come. Small, since there may be 100,000 of them.
#[derive(Clone, Debug)]
pub(crate) struct Miss {
    pub(crate) code: &'static str,
    pub(crate) message: Arc<str>,
    pub(crate) status: Option<u16>,
    pub(crate) refused: bool,
}

impl Miss {
    pub(super) fn new(code: &'static str, message: impl Into<Arc<str>>) -> Self {
        Self {
            code,
            message: message.into(),
            status: None,
            refused: false,
        }
    }

    pub(crate) fn cancelled() -> Self {
        Self::new("cancelled", "it was cancelled")
    }

    /// Its task is gone without a word.
    pub(super) fn lost() -> Self {
        Self::new(
            "internal",
            "Longshore made a mistake while it fetched this; its own log has the details",
        )
    }

    pub(crate) fn too_large(limit: u64) -> Self {
        Self::new(
            "too-large",
            format!("the bundle has reached its limit of {limit} bytes"),
        )
    }
}

impl From<NotStored> for Miss {
    fn from(not: NotStored) -> Self {
        Self::new(not.code, not.message)
    }
}

impl From<FetchError> for Miss {
    fn from(error: FetchError) -> Self {
        Self {
            status: error.status().map(|status| status.as_u16()),
            refused: matches!(
                error,
                FetchError::Refused(_) | FetchError::RedirectRefused { .. }
            ),
            ..Self::new(error.code(), error.to_string())
        }
    }
}

impl From<fetch::Refused> for Miss {
    fn from(refused: fetch::Refused) -> Self {
        FetchError::from(refused).into()
    }
}
