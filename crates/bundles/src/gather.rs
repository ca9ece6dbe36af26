//! Fetching the sources of a bundle, many at once, for an archive that takes them
//! one by one.
//!
//! Small bodies are read whole and wait in memory, within the bundle's share of the
//! budget; the share is taken in the order of the sources and before anything is
//! asked for, so that the entry which the archive waits for always has its own. What
//! waits keeps a part of it, were it only a failure, so that the number of those that
//! wait is bounded as well.
//! A large body waits for its turn, and is read [ahead] meanwhile as far as there is room.
//! Sources whose host is busy let those of others go first, but for an archive that has
//! its entries in the order of its sources.

mod ahead;
mod arrival;
mod lanes;

pub(crate) use arrival::{About, Arrival, Broken, Large, Miss, Opened, Rest, Said, What, Whole};

use crate::board::Board;
use crate::budget::{Held, Share};
use crate::source::Source;
use crate::stored::{NotStored, Stored, StoredPlace};
use access::Access;
use ahead::Waiting;
use arrival::Turn;
use bytes::{Bytes, BytesMut};
use fetch::{CheckedUrl, Client, ExtraHeaders, FetchError, Request, Resumed, Validator, for_log};
use futures::FutureExt;
use lanes::{Lanes, Place};
use secrecy::ExposeSecret;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Bodies up to this many bytes are read whole before they are written.
pub(crate) const SMALL: usize = 256 << 10;
/// Bodies up to this many bytes are copied out of the connection's buffer, which may be
/// much larger and would stay as long as they wait.
const COPIED: usize = 16 << 10;
/// What anything that waits costs, beside its bytes.
const FLOOR: usize = 2 << 10;
/// How often a body that broke off is taken up again.
pub(crate) const RESUMPTIONS: u32 = 3;

/// What fetching needs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Gather {
    pub(crate) client: Client,
    /// Who has stored files.
    pub(crate) stored: Option<Arc<dyn Stored>>,
    pub(crate) access: Access,
    pub(crate) sources: Arc<[Source]>,
    pub(crate) share: Share,
    pub(crate) board: Board,
    pub(crate) cancel: CancellationToken,
    pub(crate) concurrent: usize,
    /// Whether the archive takes the sources in their order.
    pub(crate) in_order: bool,
    pub(crate) max_bytes: Option<u64>,
}

/// What fetching a source came to.
enum Fetched {
    All(About, Vec<Bytes>, usize),
    Beginning(About, Box<Opened>),
}

impl Gather {
    /// Fetches the sources `order`, in that order, until all were sent, nobody takes
    /// them or the bundle is cancelled. Whatever still runs ends when this future is
    /// dropped, or at once when it is cancelled, whatever the archive waits for then.
    pub(crate) async fn run(self, order: Vec<usize>, arrivals: mpsc::Sender<Arrival>) {
        let cancel = self.cancel.clone();
        cancel
            .run_until_cancelled(self.fetch_all(order, arrivals))
            .await;
    }

    async fn fetch_all(self, order: Vec<usize>, arrivals: mpsc::Sender<Arrival>) {
        let slots = Arc::new(Semaphore::new(self.concurrent));
        let lanes = self.lanes(&order);
        let mut tasks = JoinSet::new();
        // The semaphore is never closed.
        while let Ok(slot) = Arc::clone(&slots).acquire_owned().await {
            let Some((index, place)) = lanes.next(slot).await else {
                break;
            };
            let held = self.share.take(SMALL).await;
            if arrivals.is_closed() {
                break;
            }
            while tasks.try_join_next().is_some() {}
            let (gather, arrivals) = (self.clone(), arrivals.clone());
            tasks.spawn(async move { gather.one(index, place, held, &arrivals).await });
        }
        drop(arrivals);
        while tasks.join_next().await.is_some() {}
    }

    /// A lane for each host, as wide as what may be asked of one at once.
    fn lanes(&self, order: &[usize]) -> Lanes {
        let per_host = self.client.limits().per_host;
        Lanes::new(order, per_host, |index| {
            let source = &self.sources[index];
            if self.in_order || source.stored.is_some() {
                return None;
            }
            let url = self.client.check(&source.url).ok()?;
            Some(url.host_key())
        })
    }

    async fn one(
        &self,
        index: usize,
        place: Place,
        mut held: Held,
        arrivals: &mpsc::Sender<Arrival>,
    ) {
        let send = async |what| {
            // Nobody takes it: then the bundle has ended.
            let _ = arrivals.send(Arrival { index, what }).await;
        };
        match caught(self.fetch(index)).await {
            Err(miss) => {
                held.shrink(FLOOR);
                send(What::Missed(miss, held)).await;
            }
            Ok(Fetched::All(about, parts, size)) => {
                let parts = compact(parts, size);
                held.shrink(cost(size) + about.weight());
                self.board.rest(index);
                let whole = Whole {
                    about,
                    parts,
                    size,
                    held,
                };
                send(What::Whole(whole)).await;
            }
            Ok(Fetched::Beginning(about, opened)) => {
                held.shrink(FLOOR + opened.read() + about.weight());
                let (turn, asked) = oneshot::channel();
                send(What::Large(Large { about, turn })).await;
                let waiting = Waiting {
                    gather: self,
                    index,
                    opened: *opened,
                    held,
                    place: Some(place),
                };
                waiting.for_turn(asked).await;
            }
        }
    }

    /// Asks for a source, and reads its body as far as it is small.
    async fn fetch(&self, index: usize) -> Result<Fetched, Miss> {
        let (about, rest) = self.open(index).await?;
        self.begin(index, &rest);
        if about.length.is_some_and(|length| length > SMALL as u64) {
            let opened = Box::new(Opened::untouched(rest));
            return Ok(Fetched::Beginning(about, opened));
        }
        self.read_small(index, about, rest).await
    }

    fn begin(&self, index: usize, rest: &Rest) {
        let name = for_log(&self.sources[index].url);
        self.board.begin(index, &name, rest.total());
    }

    fn stored(&self) -> Result<&dyn Stored, NotStored> {
        self.stored.as_deref().ok_or_else(NotStored::nowhere)
    }

    /// Asks a source for its size, and for nothing else. Servers answer HEAD in ways of
    /// their own (a signed address is one for GET alone): whatever is not an answer says
    /// nothing of the file. Only what we ourselves refuse is settled.
    pub(crate) async fn size(&self, index: usize) -> Said {
        if let Some(place) = &self.sources[index].stored {
            return self.size_of_file(place).await;
        }
        let request = match self.request(index, Request::head).await {
            Ok(request) => request,
            Err(miss) if miss.refused => return Said::Refused(miss),
            Err(_) => return Said::Nothing,
        };
        match self.client.send(request, &self.cancel).await {
            Err(FetchError::Refused(refused)) => Said::Refused(refused.into()),
            Ok(response) => match response.file() {
                Ok(response) => {
                    let about = About::of(&response);
                    about
                        .length
                        .map_or(Said::Nothing, |length| Said::Sized(about, length))
                }
                Err(_) => Said::Nothing,
            },
            Err(_) => Said::Nothing,
        }
    }

    async fn size_of_file(&self, place: &StoredPlace) -> Said {
        let looked = match self.stored() {
            Ok(stored) => stored.look(place).await,
            Err(nowhere) => Err(nowhere),
        };
        match looked {
            Ok(file) => Said::Sized(About::of_file(&file), file.size),
            // Nobody else can be asked: it is settled.
            Err(not) => Said::Refused(not.into()),
        }
    }

    /// Asks for a source.
    pub(crate) async fn open(&self, index: usize) -> Result<(About, Rest), Miss> {
        if let Some(place) = &self.sources[index].stored {
            let (file, bytes) = self.stored()?.open(place).await?;
            return Ok((About::of_file(&file), Rest::Stored(bytes, file.size)));
        }
        let request = self.request(index, Request::get).await?;
        let response = self.client.send(request, &self.cancel).await?.file()?;
        Ok((About::of(&response), Rest::Fetched(Box::new(response))))
    }

    /// Asks for what follows the first `offset` bytes of a source; nothing, where it is
    /// not the same any more or the server does not give parts.
    async fn go_on(
        &self,
        index: usize,
        offset: u64,
        validator: Validator,
    ) -> Result<Option<Rest>, Miss> {
        let request = self.request(index, Request::get).await?;
        let request = request.starting_at(offset, validator);
        match self.client.send(request, &self.cancel).await {
            Ok(response) if response.offset() == offset => {
                Ok(Some(Rest::Fetched(Box::new(response))))
            }
            Ok(_) | Err(FetchError::RangeMismatch { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
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
        // The file is wanted, not what a server made of it for the way.
        let mut request = method(url).headers(ExtraHeaders::parse(pairs)?).decoded();
        if let Some(most) = self.max_bytes {
            request = request.max_bytes(most);
        }
        Ok(request)
    }

    /// Reads a body to its end, or until it turns out to be large. What breaks off is
    /// taken up again, or read anew: none of it has gone out yet.
    async fn read_small(
        &self,
        index: usize,
        about: About,
        mut rest: Rest,
    ) -> Result<Fetched, Miss> {
        let (mut prefix, mut size) = (Vec::new(), 0);
        let mut resumptions = 0;
        loop {
            match rest.next().await {
                Ok(Some(chunk)) => {
                    self.board.moved(index, chunk.len());
                    size += chunk.len();
                    prefix.push(chunk);
                    if size > SMALL {
                        let opened = Box::new(Opened::begun(prefix, rest));
                        return Ok(Fetched::Beginning(about, opened));
                    }
                }
                Ok(None) => return Ok(Fetched::All(about, prefix, size)),
                Err(error) if error.is_resumable() && resumptions < RESUMPTIONS => {
                    resumptions += 1;
                    // On the place that it has: a second one might never come free.
                    if rest.resume().await? == Resumed::StartsOver {
                        (prefix, size) = (Vec::new(), 0);
                        self.begin(index, &rest);
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// What `work` came to; a panic in it loses this source and no other.
async fn caught<T>(work: impl Future<Output = Result<T, Miss>>) -> Result<T, Miss> {
    let caught = AssertUnwindSafe(work).catch_unwind().await;
    caught.unwrap_or_else(|_| Err(Miss::lost()))
}

/// The same bytes, in memory of their own where they are few.
fn compact(parts: Vec<Bytes>, size: usize) -> Vec<Bytes> {
    if size == 0 || size > COPIED {
        return parts;
    }
    let mut copy = BytesMut::with_capacity(size);
    for part in &parts {
        copy.extend_from_slice(part);
    }
    vec![copy.freeze()]
}

/// What a body of `size` bytes costs while it waits. One that was not copied may keep
/// the rest of a connection's buffer, or of two.
fn cost(size: usize) -> usize {
    if size <= COPIED {
        FLOOR + size
    } else {
        FLOOR + size + fetch::READ_AHEAD
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_loses_one_source_and_says_so() {
        let broken: Result<(), Miss> = caught(async {
            let nothing: Option<()> = std::hint::black_box(None);
            nothing.expect("a test that breaks on purpose");
            Ok(())
        })
        .await;
        assert_eq!(broken.expect_err("it broke").code, "internal");
        assert_eq!(caught(async { Ok(7) }).await.expect("it did not"), 7);
    }

    #[test]
    fn few_bytes_do_not_keep_a_large_buffer() {
        let buffer = Bytes::from(vec![7; 128 << 10]);
        let parts = vec![buffer.slice(..10), buffer.slice(10..1000)];
        let kept = compact(parts, 1000);
        assert_eq!(kept.concat(), vec![7; 1000]);
        assert!(buffer.is_unique(), "nothing of it is kept");
        let large = vec![buffer.clone()];
        assert_eq!(compact(large, buffer.len())[0].as_ptr(), buffer.as_ptr());
        assert!(cost(0) > 0);
    }
}
