//! Fetching the sources of a bundle, many at once, for an archive that takes them
//! one by one.
//!
//! Small bodies are read whole and wait in memory, within the bundle's share of the
//! budget; the share is taken in the order of the sources and before anything is
//! asked for, so that the entry which the archive waits for always has its own.
//! A large body is not read ahead: its answer waits for its turn, which the
//! kernel's buffers make cheap, and after some seconds it gives its connection up
//! and is asked for again, so that a slow taker holds no other's place.

use crate::board::Board;
use crate::budget::{Held, Share};
use crate::source::Source;
use access::Access;
use bytes::Bytes;
use fetch::{CheckedUrl, Client, ExtraHeaders, FetchError, Request, Response, Resumed, for_log};
use secrecy::ExposeSecret;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Bodies up to this many bytes are read whole before they are written.
pub(crate) const SMALL: usize = 256 << 10;
/// How long a large answer waits for its turn before it gives its connection up.
const PARKED: Duration = Duration::from_secs(10);
/// How often a body that broke off is taken up again.
pub(crate) const RESUMPTIONS: u32 = 3;

/// What fetching needs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Gather {
    pub(crate) client: Client,
    pub(crate) access: Access,
    pub(crate) sources: Arc<[Source]>,
    pub(crate) share: Share,
    pub(crate) board: Board,
    pub(crate) cancel: CancellationToken,
    pub(crate) concurrent: usize,
    pub(crate) max_bytes: Option<u64>,
}

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
    /// It did not come.
    Missed(Miss),
}

/// A body in memory.
pub(crate) struct Whole {
    pub(crate) about: About,
    pub(crate) parts: Vec<Bytes>,
    pub(crate) size: usize,
    pub(crate) held: Held,
}

/// A body that is read when its turn comes.
pub(crate) struct Large {
    pub(crate) about: About,
    turn: oneshot::Sender<oneshot::Sender<Result<Opened, Miss>>>,
}

impl Large {
    /// Its turn has come.
    pub(crate) async fn open(self) -> Result<Opened, Miss> {
        let (reply, answer) = oneshot::channel();
        // Its task waits for nothing else; if it is gone, so is the bundle.
        let _ = self.turn.send(reply);
        answer.await.unwrap_or_else(|_| Err(Miss::cancelled()))
    }
}

/// A large body: what was read of it already, and the rest.
pub(crate) struct Opened {
    pub(crate) prefix: Vec<Bytes>,
    pub(crate) response: Response,
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
}

/// Why a source did not come.
#[derive(Clone, Debug)]
pub(crate) struct Miss {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) status: Option<u16>,
    pub(crate) refused: bool,
}

impl Miss {
    fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            status: None,
            refused: false,
        }
    }

    pub(crate) fn cancelled() -> Self {
        Self::new("cancelled", "it was cancelled")
    }

    pub(crate) fn too_large(limit: u64) -> Self {
        Self::new(
            "too-large",
            format!("the bundle has reached its limit of {limit} bytes"),
        )
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

impl Gather {
    /// Fetches the sources `order`, in that order, until all were sent or nobody
    /// takes them. Whatever still runs ends when this future is dropped.
    pub(crate) async fn run(self, order: Vec<usize>, arrivals: mpsc::Sender<Arrival>) {
        let slots = Arc::new(Semaphore::new(self.concurrent));
        let mut tasks = JoinSet::new();
        for index in order {
            // The semaphore is never closed.
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
                break;
            };
            let held = self.share.take(SMALL).await;
            if arrivals.is_closed() {
                break;
            }
            while tasks.try_join_next().is_some() {}
            let (gather, arrivals) = (self.clone(), arrivals.clone());
            tasks.spawn(async move {
                gather.one(index, held, &arrivals).await;
                drop(slot);
            });
        }
        drop(arrivals);
        while tasks.join_next().await.is_some() {}
    }

    async fn one(&self, index: usize, held: Held, arrivals: &mpsc::Sender<Arrival>) {
        let send = async |what| {
            // Nobody takes it: then the bundle has ended.
            let _ = arrivals.send(Arrival { index, what }).await;
        };
        let response = match self.open(index).await {
            Ok(response) => response,
            Err(miss) => return send(What::Missed(miss)).await,
        };
        let about = About::of(&response);
        let name = for_log(&self.sources[index].url);
        self.board.begin(index, name, about.length);
        let read = if about.length.is_some_and(|length| length > SMALL as u64) {
            Ok(Read::Beginning(Box::new(Opened {
                prefix: Vec::new(),
                response,
            })))
        } else {
            self.read_small(index, response).await
        };
        match read {
            Err(miss) => send(What::Missed(miss)).await,
            Ok(Read::All(parts, size)) => {
                let mut held = held;
                held.shrink(size);
                self.board.rest(index);
                send(What::Whole(Whole {
                    about,
                    parts,
                    size,
                    held,
                }))
                .await;
            }
            Ok(Read::Beginning(opened)) => {
                let mut held = held;
                held.shrink(opened.prefix.iter().map(Bytes::len).sum());
                let (turn, asked) = oneshot::channel();
                send(What::Large(Large { about, turn })).await;
                self.wait_for_turn(index, *opened, asked).await;
                drop(held);
            }
        }
    }

    /// Asks for the head of a source.
    pub(crate) async fn head(&self, index: usize) -> Result<About, Miss> {
        let request = self.request(index, Request::head).await?;
        let response = self.client.send(request, &self.cancel).await?.success()?;
        Ok(About::of(&response))
    }

    /// Asks for a source.
    pub(crate) async fn open(&self, index: usize) -> Result<Response, Miss> {
        let request = self.request(index, Request::get).await?;
        Ok(self.client.send(request, &self.cancel).await?.success()?)
    }

    async fn request(
        &self,
        index: usize,
        method: fn(CheckedUrl) -> Request,
    ) -> Result<Request, Miss> {
        let source = &self.sources[index];
        let url = self.client.check(&source.url)?;
        let headers = source
            .headers(&self.access)
            .await
            .map_err(|error| Miss::new("headers", error.to_string()))?;
        let pairs = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose_secret()));
        let mut request = method(url).headers(ExtraHeaders::parse(pairs)?);
        if let Some(most) = self.max_bytes {
            request = request.max_bytes(most);
        }
        Ok(request)
    }

    /// Reads a body to its end, or until it turns out to be large. What breaks off is
    /// taken up again, or read anew: none of it has gone out yet.
    async fn read_small(&self, index: usize, mut response: Response) -> Result<Read, Miss> {
        let (mut parts, mut size) = (Vec::new(), 0);
        let mut resumptions = 0;
        loop {
            match response.next_chunk().await {
                Ok(Some(chunk)) => {
                    self.board.moved(index, chunk.len());
                    size += chunk.len();
                    parts.push(chunk);
                    if size > SMALL {
                        return Ok(Read::Beginning(Box::new(Opened {
                            prefix: parts,
                            response,
                        })));
                    }
                }
                Ok(None) => return Ok(Read::All(parts, size)),
                Err(error) if error.is_resumable() && resumptions < RESUMPTIONS => {
                    resumptions += 1;
                    match response.resume().await {
                        Ok(Resumed::Continues) => {}
                        Ok(Resumed::StartsOver) => (parts, size) = (Vec::new(), 0),
                        Err(_) => {
                            response = self.open(index).await?;
                            (parts, size) = (Vec::new(), 0);
                        }
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Holds an answer until its turn; gives it up when that takes too long, and asks
    /// again when it comes.
    async fn wait_for_turn(
        &self,
        index: usize,
        opened: Opened,
        mut asked: oneshot::Receiver<oneshot::Sender<Result<Opened, Miss>>>,
    ) {
        let reply = tokio::select! {
            reply = &mut asked => reply.map(|reply| (reply, Some(opened))),
            () = tokio::time::sleep(PARKED) => {
                drop(opened);
                self.board.rest(index);
                asked.await.map(|reply| (reply, None))
            }
        };
        // An error: the bundle has ended.
        let Ok((reply, opened)) = reply else { return };
        let opened = match opened {
            Some(opened) => Ok(opened),
            None => self.open(index).await.map(|response| {
                self.board
                    .begin(index, for_log(&self.sources[index].url), response.total());
                Opened {
                    prefix: Vec::new(),
                    response,
                }
            }),
        };
        let _ = reply.send(opened);
    }
}

enum Read {
    All(Vec<Bytes>, usize),
    Beginning(Box<Opened>),
}
