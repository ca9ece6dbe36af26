//! Objects in an S3-compatible store, by their exact keys.
//!
//! Requests are signed here and sent by the one guarded client. Keys are the store's own:
//! `//`, a leading `/`, spaces and `+` go round as they are, because other tools use the
//! same bucket. Nothing here relies on a conditional write of the store: some ignore them
//! silently, so whoever needs order keeps it elsewhere. A condition on reading is asked of
//! the store and looked at once more in its answer, for the same reason.

mod answer;
mod copies;
mod error;
mod head;
mod ledger;
mod list;
mod multipart;
mod read;
mod sign;
mod streamed;
mod write;
mod xml;

pub use error::ObjectError;
pub use head::{ObjectHead, ObjectHeaders};
pub use ledger::Ledger;
pub use list::{ObjectPage, ObjectSummary};
pub use multipart::MOST_PARTS;
pub use read::ObjectRead;
pub use streamed::MOST_AT_ONCE;
pub use write::{ObjectWriter, SealedObject};

use answer::{etag_in, judged};
use bytes::Bytes;
use fetch::{Client, ExtraHeaders, Limits, Request, Response};
use http::{Method, StatusCode};
use secrecy::SecretString;
use sign::Signer;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The result of everything that is asked of a store.
type Result<T, E = ObjectError> = std::result::Result<T, E>;

/// Objects that are read at once from one store, and requests that change something.
const READS: usize = 512;
const WRITES: usize = 64;
/// How long a request of our own is signed for.
const SIGNED_FOR: Duration = Duration::from_secs(3600);
/// The slowest pace at which a body is sent, in bytes a second, and the time on top of it.
const SLOWEST: u64 = 128 * 1024;
const ON_TOP: Duration = Duration::from_secs(60);
/// The longest answer that is read as a whole.
const MOST_ANSWER: usize = 8 << 20;

/// Where a store is, and with which key it is asked.
#[derive(Clone, Debug)]
pub struct ObjectSettings {
    /// Its address, such as `https://s3.eu-central-1.amazonaws.com`.
    pub endpoint: String,
    /// The address at which clients reach it, where that is another.
    pub public_endpoint: Option<String>,
    /// Its region; many stores take any.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// What every key begins with.
    pub prefix: String,
    /// Whether the bucket stands in the path, and not in the host name.
    pub path_style: bool,
    /// The access key's id.
    pub access_key: String,
    /// The access key's secret.
    pub secret: SecretString,
}

/// Response headers that a presigned address asks the store for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answered<'a> {
    /// `Content-Type`.
    pub content_type: Option<&'a str>,
    /// `Content-Disposition`.
    pub content_disposition: Option<&'a str>,
}

/// A bucket, or what lies below a prefix in it, of an S3-compatible store. Every key that
/// is given or answered is without the prefix. Cheap to clone.
#[derive(Clone)]
pub struct ObjectStore(Arc<Inner>);

struct Inner {
    signer: Signer,
    prefix: String,
    /// Two gates: were a copy from store to store to hold a place while it waits for a
    /// second one, copies could wait for each other.
    reads: Client,
    writes: Client,
    cancel: CancellationToken,
    tasks: TaskTracker,
    portions: copies::Portions,
    ledger: OnceLock<Arc<dyn Ledger>>,
}

/// What is asked of the store.
#[derive(Debug, Default)]
struct Ask<'a> {
    method: Method,
    /// The whole key; nothing for the bucket itself.
    key: &'a str,
    query: Vec<(&'static str, String)>,
    headers: Vec<(String, String)>,
    body: Bytes,
    range: Option<Range<u64>>,
    /// How much longer than usual the answer may take.
    patience: Duration,
}

impl ObjectStore {
    /// A store that is asked through `client`. Nothing is asked yet. `tasks` own what is
    /// tidied up after a writer that was dropped.
    ///
    /// # Errors
    /// [`ObjectError::Settings`] for an address or a name that cannot be one.
    pub fn new(settings: ObjectSettings, client: &Client, tasks: TaskTracker) -> Result<Self> {
        let limits = |most| Limits {
            total: most,
            per_host: most,
            max_bytes: None,
            // A store that puts parts together may send a space now and then.
            least_bytes: 0,
            silence: client.limits().silence.max(Duration::from_secs(60)),
            ..client.limits().clone()
        };
        let prefix = settings.prefix.clone();
        Ok(Self(Arc::new(Inner {
            signer: Signer::new(settings)?,
            prefix,
            reads: client.apart(limits(READS)),
            writes: client.apart(limits(WRITES)),
            cancel: CancellationToken::new(),
            tasks,
            portions: copies::USUAL,
            ledger: OnceLock::new(),
        })))
    }

    /// The key as the store has it.
    #[must_use]
    pub fn full_key(&self, key: &str) -> String {
        format!("{}{key}", self.0.prefix)
    }

    /// The bucket's name in the store.
    #[must_use]
    pub fn bucket(&self) -> &str {
        self.0.signer.bucket()
    }

    /// What is known of an object; nothing when there is none.
    ///
    /// # Errors
    /// What the store says, or why it cannot be asked.
    pub async fn head(&self, key: &str) -> Result<Option<ObjectHead>> {
        let key = self.full_key(key);
        let ask = Ask {
            method: Method::HEAD,
            key: &key,
            ..Ask::default()
        };
        match judged(self.send(&self.0.reads, ask).await?).await {
            Ok(response) => ObjectHead::of(&response).map(Some),
            Err(ObjectError::NoObject) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The bytes of an object, or those of a `range` that is not empty and within it,
    /// piece by piece and no faster than they are taken.
    ///
    /// # Errors
    /// [`ObjectError::NoObject`]; [`ObjectError::Changed`] when it is not the one with this
    /// ETag; or what the store says.
    pub async fn read(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        if_match: Option<&str>,
    ) -> Result<ObjectRead> {
        ObjectRead::open(self.clone(), self.full_key(key), range, if_match).await
    }

    /// Stores an object, all at once; its ETag.
    ///
    /// # Errors
    /// What the store says, or why it cannot be asked. It may be there then.
    pub async fn put(&self, key: &str, body: Bytes, headers: &ObjectHeaders) -> Result<String> {
        let key = self.full_key(key);
        let ask = Ask {
            method: Method::PUT,
            key: &key,
            headers: headers.pairs(),
            body,
            ..Ask::default()
        };
        let response = judged(self.send(&self.0.writes, ask).await?).await?;
        etag_in(response.headers()).ok_or(ObjectError::Answer("it names no ETag"))
    }

    /// What writes an object of any length.
    #[must_use]
    pub fn writer(&self, key: &str, headers: ObjectHeaders) -> ObjectWriter {
        ObjectWriter::new(self.clone(), key.to_owned(), headers)
    }

    /// Removes an object. One that is not there is as good as removed.
    ///
    /// # Errors
    /// What the store says, or why it cannot be asked.
    pub async fn delete(&self, key: &str) -> Result<()> {
        let key = self.full_key(key);
        let ask = Ask {
            method: Method::DELETE,
            key: &key,
            ..Ask::default()
        };
        match judged(self.send(&self.0.writes, ask).await?).await {
            Ok(_) | Err(ObjectError::NoObject) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// An address by which anybody gets an object, for so long.
    ///
    /// # Errors
    /// [`ObjectError::Settings`].
    pub fn presign_get(&self, key: &str, time: Duration, answered: Answered<'_>) -> Result<String> {
        let mut query = Vec::new();
        if let Some(text) = answered.content_disposition {
            query.push(("response-content-disposition", text.to_owned()));
        }
        if let Some(text) = answered.content_type {
            query.push(("response-content-type", text.to_owned()));
        }
        let key = self.full_key(key);
        let signer = &self.0.signer;
        signer.public(&Method::GET, &key, &query, &[], time)
    }

    /// An address by which anybody puts an object, for so long: with exactly this type and
    /// so many bytes, where they are given.
    ///
    /// # Errors
    /// [`ObjectError::Settings`].
    pub fn presign_put(
        &self,
        key: &str,
        time: Duration,
        content_type: Option<&str>,
        length: Option<u64>,
    ) -> Result<String> {
        let mut headers = Vec::new();
        if let Some(length) = length {
            headers.push(("content-length".to_owned(), length.to_string()));
        }
        if let Some(text) = content_type {
            headers.push(("content-type".to_owned(), text.to_owned()));
        }
        let key = self.full_key(key);
        let signer = &self.0.signer;
        signer.public(&Method::PUT, &key, &[], &headers, time)
    }

    /// Sends a change and reads the small document that answers it.
    async fn answer(&self, ask: Ask<'_>) -> Result<String> {
        let response = judged(self.send(&self.0.writes, ask).await?).await?;
        document(response).await
    }

    /// The headers that name the source of a copy.
    fn copy_source(&self, from: &str, etag: &str) -> Vec<(String, String)> {
        let source = self.0.signer.copy_source(&self.full_key(from));
        vec![
            ("x-amz-copy-source".to_owned(), source),
            (
                "x-amz-copy-source-if-match".to_owned(),
                answer::quoted(etag),
            ),
        ]
    }

    /// Signs and sends. The answer is whatever it is, after what may pass was tried again.
    async fn send(&self, client: &Client, ask: Ask<'_>) -> Result<Response> {
        let request = self.request(client, ask)?;
        Ok(client.send(request, &self.0.cancel).await?)
    }

    /// What is asked, signed.
    fn request(&self, client: &Client, ask: Ask<'_>) -> Result<Request> {
        let url = self
            .0
            .signer
            .own(&ask.method, ask.key, &ask.query, &ask.headers, SIGNED_FOR)?;
        let url = client.check(&url).map_err(fetch::FetchError::from)?;
        let pairs = ask.headers.iter();
        let headers = ExtraHeaders::parse(pairs.map(|(name, value)| (&**name, &**value)))
            .map_err(fetch::FetchError::from)?;
        let sending = Duration::from_secs(ask.body.len() as u64 / SLOWEST);
        let patience = ON_TOP + sending + ask.patience;
        let mut request = Request::new(ask.method, url)
            .headers(headers)
            .body(ask.body)
            .patience(patience)
            .without_redirects();
        if let Some(range) = ask.range {
            request = request.only(range);
        }
        Ok(request)
    }
}

/// A small answer as text. Some stores say 200 first and then that it went wrong.
async fn document(mut response: Response) -> Result<String> {
    let bytes = response.read_all(MOST_ANSWER).await?;
    let text = String::from_utf8(bytes.to_vec())
        .map_err(|_| ObjectError::Answer("it is no text where XML should be"))?;
    match xml::error_in(&text) {
        Some((code, message)) => Err(ObjectError::refused(StatusCode::OK, code, message, None)),
        None => Ok(text),
    }
}

impl fmt::Debug for ObjectStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectStore({})", self.bucket())
    }
}

#[cfg(test)]
mod tests;
