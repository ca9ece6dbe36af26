//! An HTTP endpoint of the team's own that decides who may do what in the buckets that
//! are set to ask it.
//!
//! It is told what a request is about and with which credentials it came, and answers
//! allow or deny ([`answer`]). What cannot be asked, or answers anything else, lets nobody
//! in and is never remembered. Answers are remembered as long as they say and the
//! configuration allows, under a keyed hash of everything that was asked, so that no
//! credentials lie in memory; of equal questions at once one is asked.

mod answer;
mod question;

pub(crate) use answer::Answer;
pub(crate) use question::Question;

use base::{SharedClock, Timestamp};
use bytes::Bytes;
use fetch::{Client, ExtraHeaders, FetchError, Limits, Refused, Request};
use hmac::{Hmac, KeyInit, Mac};
use http::{Method, StatusCode};
use moka::future::Cache;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use storage::SharedCache;
use tokio_util::sync::CancellationToken;

/// Under what answers are kept in the shared cache.
const NAMESPACE: &str = "authoriser";
/// The longest answer, in bytes.
const LONGEST: usize = 64 * 1024;
/// Answers remembered at most.
const MOST: u64 = 10_000;
/// One that cannot be asked is told of in the log no more often than this.
const SILENCE: Duration = Duration::from_secs(5);

/// Where it is asked, and how.
#[derive(Clone)]
pub struct AuthoriserSettings {
    /// The address; without one, nobody is asked and nobody let in.
    pub url: Option<String>,
    /// What it is sent as `Authorization: Bearer …`.
    pub secret: Option<SecretString>,
    /// How long its answer may take.
    pub timeout: Duration,
    /// The longest time for which an answer is remembered.
    pub remember: Duration,
    /// Questions under way at once.
    pub concurrent: usize,
}

impl Default for AuthoriserSettings {
    /// What the configuration says where nobody changes it.
    fn default() -> Self {
        Self::from(&base::config::Config::default())
    }
}

impl From<&base::Config> for AuthoriserSettings {
    fn from(config: &base::Config) -> Self {
        let said = &config.authoriser;
        Self {
            url: said.url.as_ref().map(|url| url.expose().to_owned()),
            secret: said.secret.as_ref().map(|secret| secret.expose().into()),
            timeout: said.timeout.duration(),
            remember: said.remember.duration(),
            concurrent: said.concurrent,
        }
    }
}

/// Shows neither the secret nor the query of the address.
impl fmt::Debug for AuthoriserSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthoriserSettings")
            .field("url", &self.url.as_deref().map(fetch::for_log))
            .field("timeout", &self.timeout)
            .field("remember", &self.remember)
            .finish_non_exhaustive()
    }
}

/// Why nothing was decided.
#[derive(Clone, Debug, thiserror::Error)]
enum Undecided {
    #[error("no address is set; set authoriser.url")]
    Nowhere,
    #[error("its address is refused: {0}")]
    Refused(#[from] Refused),
    #[error("it cannot be reached: {0}")]
    Unreachable(#[from] FetchError),
    #[error("it did not answer within {0:?}")]
    Late(Duration),
    #[error("it answered {0}")]
    Status(StatusCode),
    #[error("its answer is not understood: {0}")]
    Answer(#[from] answer::Unreadable),
}

/// What was answered, and until when that is believed.
#[derive(Clone, Debug)]
struct Remembered {
    /// Nothing where nobody answered.
    answer: Option<Arc<Answer>>,
    until: Timestamp,
}

#[derive(Debug)]
struct Way {
    settings: AuthoriserSettings,
    client: Client,
}

/// Asks the endpoint.
pub(crate) struct Authoriser {
    clock: SharedClock,
    way: RwLock<Arc<Way>>,
    answers: Cache<[u8; 32], Remembered>,
    /// Of this process alone.
    key: [u8; 32],
    told_at: AtomicI64,
}

/// The same client with a gate of its own: long downloads of others must not keep anybody
/// out.
fn apart(client: &Client, concurrent: usize) -> Client {
    client.apart(Limits {
        total: concurrent,
        per_host: concurrent,
        ..client.limits().clone()
    })
}

impl Authoriser {
    pub(crate) fn new(clock: SharedClock, client: &Client) -> Self {
        let settings = AuthoriserSettings::default();
        let client = apart(client, settings.concurrent);
        Self {
            clock,
            way: RwLock::new(Arc::new(Way { settings, client })),
            answers: Cache::builder().max_capacity(MOST).build(),
            key: rand::random(),
            told_at: AtomicI64::new(i64::MIN),
        }
    }

    /// Asks somebody else, or in another way, from now on.
    pub(crate) fn reconfigure(&self, client: &Client, settings: AuthoriserSettings) {
        let client = apart(client, settings.concurrent);
        let way = Arc::new(Way { settings, client });
        *self.way.write().unwrap_or_else(PoisonError::into_inner) = way;
        self.answers.invalidate_all();
    }

    /// Whether there is somebody who can be asked.
    pub(crate) fn is_set(&self) -> bool {
        self.way().settings.url.is_some()
    }

    /// Where it is asked, without what is secret of that.
    pub(crate) fn address(&self) -> Option<String> {
        self.way().settings.url.as_deref().map(fetch::for_log)
    }

    fn way(&self) -> Arc<Way> {
        Arc::clone(&self.way.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is decided, unless nothing is. What another replica was answered lately and
    /// `cache` holds is not asked for again.
    pub(crate) async fn ask(
        &self,
        cache: &SharedCache,
        question: &Question<'_>,
    ) -> Option<Arc<Answer>> {
        let way = self.way();
        let body = question.encoded();
        let key = self.key_of(&way.settings, &body);
        let now = self.clock.now();
        let asking = Box::pin(async {
            let arn = question.arn();
            if let Some(known) = way.recall(cache, &body, &arn, now).await {
                return known;
            }
            match way.ask(body.clone(), &arn).await {
                Ok((answer, said)) => {
                    let remembered = answer.remember.min(way.settings.remember);
                    let until = self.clock.now().plus(remembered);
                    way.share(cache, &body, &said, (until, remembered)).await;
                    Remembered {
                        answer: Some(Arc::new(answer)),
                        until,
                    }
                }
                Err(undecided) => {
                    self.tell(&undecided);
                    let until = Timestamp::EPOCH;
                    Remembered {
                        answer: None,
                        until,
                    }
                }
            }
        });
        let entry = self.answers.entry(key);
        let old = |known: &Remembered| known.until <= now;
        entry
            .or_insert_with_if(asking, old)
            .await
            .into_value()
            .answer
    }

    /// Under what the answer to a question is remembered.
    fn key_of(&self, settings: &AuthoriserSettings, body: &[u8]) -> [u8; 32] {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.key)
            .expect("HMAC takes a key of any length");
        let secret = settings
            .secret
            .as_ref()
            .map(|secret| secret.expose_secret());
        for part in [settings.url.as_deref(), secret] {
            let part = part.unwrap_or_default().as_bytes();
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.update(body);
        mac.finalize().into_bytes().into()
    }

    /// Tells the log, but not of each of many.
    fn tell(&self, undecided: &Undecided) {
        let now = self.clock.now();
        let before = self.told_at.load(Ordering::Relaxed);
        let soon = before != i64::MIN && now.since(Timestamp::from_micros(before)) < SILENCE;
        let (now, order) = (now.micros(), Ordering::Relaxed);
        if !soon
            && self
                .told_at
                .compare_exchange(before, now, order, order)
                .is_ok()
        {
            tracing::warn!(%undecided, "the authoriser decided nothing, so nobody is let in");
        } else {
            tracing::debug!(%undecided, "the authoriser decided nothing");
        }
    }
}

impl Way {
    /// Under what replicas keep the answer to a question for each other.
    fn parts<'a>(&'a self, body: &'a [u8]) -> [&'a [u8]; 3] {
        let secret = self.settings.secret.as_ref();
        let secret = secret.map(|secret| secret.expose_secret().as_bytes());
        let url = self.settings.url.as_deref().unwrap_or_default();
        [url.as_bytes(), secret.unwrap_or_default(), body]
    }

    async fn recall(
        &self,
        cache: &SharedCache,
        body: &[u8],
        arn: &str,
        now: Timestamp,
    ) -> Option<Remembered> {
        let kept = cache.get(NAMESPACE, &self.parts(body)).await?;
        let (until, said) = kept.split_first_chunk()?;
        let until = Timestamp::from_micros(i64::from_be_bytes(*until));
        let answer = Some(Arc::new(Answer::parse(said, arn).ok()?));
        (until > now).then_some(Remembered { answer, until })
    }

    /// Keeps an answer as it was said, with its end.
    async fn share(
        &self,
        cache: &SharedCache,
        body: &[u8],
        said: &[u8],
        (until, remembered): (Timestamp, Duration),
    ) {
        let value = [&until.micros().to_be_bytes()[..], said].concat();
        let parts = self.parts(body);
        cache.set(NAMESPACE, &parts, &value, remembered).await;
    }

    async fn ask(&self, body: Bytes, arn: &str) -> Result<(Answer, Bytes), Undecided> {
        let within = self.settings.timeout;
        match tokio::time::timeout(within, self.exchange(body, arn)).await {
            Ok(answered) => answered,
            Err(_) => Err(Undecided::Late(within)),
        }
    }

    async fn exchange(&self, body: Bytes, arn: &str) -> Result<(Answer, Bytes), Undecided> {
        let url = self.settings.url.as_deref().ok_or(Undecided::Nowhere)?;
        let url = self.client.check(url)?;
        let secret = self.settings.secret.as_ref();
        let bearer = secret.map(|secret| format!("Bearer {}", secret.expose_secret()));
        let bearer = bearer.as_deref().map(|bearer| ("authorization", bearer));
        let kind = [
            ("content-type", "application/json"),
            ("accept", "application/json"),
        ];
        let request = Request::new(Method::POST, url)
            .headers(ExtraHeaders::parse(kind.into_iter().chain(bearer))?)
            .max_bytes(LONGEST as u64)
            .body(body);
        // Whoever waits for it ends it by no longer waiting.
        let mut response = self.client.send(request, &CancellationToken::new()).await?;
        if response.status() != StatusCode::OK {
            return Err(Undecided::Status(response.status()));
        }
        let bytes = response.read_all(LONGEST).await?;
        Ok((Answer::parse(&bytes, arn)?, bytes))
    }
}

impl fmt::Debug for Authoriser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authoriser")
            .field("way", &self.way().settings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::SystemClock;
    use fetch::Policy;

    #[tokio::test]
    async fn no_more_answers_are_remembered_than_there_is_room_for() {
        let client = Client::new(Policy::default(), Limits::default());
        let authoriser = Authoriser::new(Arc::new(SystemClock), &client);
        for number in 0..MOST + MOST / 4 {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&number.to_be_bytes());
            let remembered = Remembered {
                answer: None,
                until: Timestamp::EPOCH,
            };
            authoriser.answers.insert(key, remembered).await;
        }
        authoriser.answers.run_pending_tasks().await;
        let count = authoriser.answers.entry_count();
        assert!((1..=MOST).contains(&count), "{count}");
    }
}
