//! What was verified lately, so that argon2 and the database are not asked at every
//! request.
//!
//! It holds no credential, only a keyed hash of it under a key that this process makes
//! up at start; a password's also of the place it came from, so that nobody elsewhere
//! can try passwords against it. What it says is believed only while nothing about the
//! user has changed since, by the clock that the whole program uses.

use crate::changes::Since;
use crate::user::Owner;
use crate::{Proof, vault};
use base::{AccessKeyId, SessionId, Timestamp, TokenId};
use moka::future::Cache;
use secrecy::{ExposeSecret, SecretBox};
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Credentials remembered at most.
const MOST: u64 = 10_000;
/// How long a password is kept that is not used, to be renewed without argon2.
const RENEWABLE: Duration = Duration::from_secs(24 * 3600);
/// Sessions and tokens whose use is noted and not yet written down, at most.
const MOST_NOTED: usize = 10_000;
/// A use within this of the one written down is not worth writing.
pub(crate) const GRAIN: Duration = Duration::from_secs(60);

/// Under what a credential is remembered.
pub(crate) type Key = [u8; 32];

/// A verified credential.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) owner: Owner,
    pub(crate) proof: Proof,
    /// Which password it was; 0 for sessions and tokens.
    pub(crate) credential: i64,
    pub(crate) verified_at: Timestamp,
    pub(crate) since: Since,
    /// When the session or the token ends.
    pub(crate) ends: Option<Timestamp>,
    noted: AtomicI64,
}

impl Known {
    pub(crate) const fn new(
        owner: Owner,
        proof: Proof,
        credential: i64,
        since: Since,
        at: Timestamp,
        ends: Option<Timestamp>,
    ) -> Self {
        Self {
            owner,
            proof,
            credential,
            verified_at: at,
            since,
            ends,
            noted: AtomicI64::new(i64::MIN),
        }
    }
}

/// What was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Used {
    Session(SessionId),
    Token(TokenId),
    AccessKey(AccessKeyId),
}

/// What was verified lately.
#[derive(Debug)]
pub(crate) struct Remembered {
    key: SecretBox<[u8; 32]>,
    time_micros: AtomicU64,
    pub(crate) known: Cache<Key, Arc<Known>>,
    /// Account and address that may not try again before then.
    full: Cache<Vec<u8>, Timestamp>,
    /// The last time before which any of these may not, in microseconds.
    full_until: AtomicI64,
    noted: Mutex<HashMap<Used, Timestamp>>,
}

impl Remembered {
    pub(crate) fn new(time: Duration) -> Self {
        // The caches' own clocks only free memory; what is old is decided by ours.
        let remembered = Self {
            key: SecretBox::init_with_mut(|key: &mut [u8; 32]| rand::fill(key)),
            time_micros: AtomicU64::new(0),
            known: Cache::builder()
                .max_capacity(MOST)
                .time_to_idle(RENEWABLE)
                .build(),
            full: Cache::builder().max_capacity(MOST).build(),
            full_until: AtomicI64::new(i64::MIN),
            noted: Mutex::default(),
        };
        remembered.set_time(time);
        remembered
    }

    /// Remembers for this long from now on.
    pub(crate) fn set_time(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.time_micros.store(micros, Ordering::Relaxed);
    }

    fn time(&self) -> Duration {
        Duration::from_micros(self.time_micros.load(Ordering::Relaxed))
    }

    /// Whether anything is remembered at all.
    pub(crate) fn on(&self) -> bool {
        !self.time().is_zero()
    }

    /// Under what these parts are remembered.
    pub(crate) fn key(&self, parts: &[&[u8]]) -> Key {
        let mut message = Vec::with_capacity(128);
        for part in parts {
            message.extend_from_slice(&(part.len() as u64).to_be_bytes());
            message.extend_from_slice(part);
        }
        let key = vault::mac(self.key.expose_secret(), &message);
        secrecy::zeroize::Zeroize::zeroize(&mut message);
        key
    }

    /// Whether something verified then is recent enough and has not ended.
    pub(crate) fn recent(&self, known: &Known, now: Timestamp) -> bool {
        known.verified_at.plus(self.time()) > now
            && known.verified_at <= now
            && known.ends.is_none_or(|end| end > now)
    }

    /// Remembers that this account is refused from this address until then.
    pub(crate) async fn refuse(&self, pair: &[u8], until: Timestamp) {
        self.full_until.fetch_max(until.micros(), Ordering::SeqCst);
        self.full.insert(pair.to_vec(), until).await;
    }

    /// Whether any account may be refused from any address. Where nobody guesses, none is,
    /// and nobody's bucket is to be looked for.
    pub(crate) fn refuses(&self, now: Timestamp) -> bool {
        self.full_until.load(Ordering::SeqCst) > now.micros()
    }

    /// How long this account is refused from this address.
    pub(crate) async fn refused(&self, pair: &[u8], now: Timestamp) -> Option<Duration> {
        let until = self.full.get(pair).await?;
        (until > now).then(|| until.since(now))
    }

    /// Asks the database again whether anybody is refused.
    pub(crate) fn forgive(&self) {
        self.full.invalidate_all();
    }

    /// Notes that a credential was used, if that is news.
    pub(crate) fn note(&self, known: &Known, grain: Duration, now: Timestamp) {
        let used = match &known.proof {
            Proof::Session(id) => Used::Session(*id),
            Proof::Token { id, .. } => Used::Token(*id),
            Proof::AccessKey { id, .. } => Used::AccessKey(*id),
            Proof::Password | Proof::Guest(_) => return,
        };
        let grain = i64::try_from(grain.as_micros()).unwrap_or(i64::MAX);
        let last = known.noted.load(Ordering::Relaxed);
        if last.saturating_add(grain) > now.micros() {
            return;
        }
        known.noted.store(now.micros(), Ordering::Relaxed);
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        // Beyond the bound a use is not noted: the next one will be.
        if noted.len() < MOST_NOTED || noted.contains_key(&used) {
            noted.insert(used, now);
        }
    }

    /// Takes what was noted, to write it down.
    pub(crate) fn take_noted(&self) -> HashMap<Used, Timestamp> {
        std::mem::take(&mut self.noted.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Role;
    use crate::changes::Changes;
    use base::UserId;

    fn known(session: SessionId) -> Known {
        let owner = Owner {
            id: UserId::new(),
            name: "anna".to_owned(),
            role: Role::Viewer,
        };
        let (since, now) = (Changes::new(0).now(), Timestamp::from_micros(0));
        Known::new(owner, Proof::Session(session), 0, since, now, None)
    }

    #[tokio::test]
    async fn no_more_is_remembered_than_there_is_room_for() {
        let remembered = Remembered::new(Duration::from_secs(60));
        let one = Arc::new(known(SessionId::new()));
        for number in 0..MOST + MOST / 4 {
            let number = number.to_be_bytes();
            let key = remembered.key(&[&number]);
            remembered.known.insert(key, Arc::clone(&one)).await;
            let until = Timestamp::from_micros(1);
            remembered.refuse(&number, until).await;
        }
        remembered.known.run_pending_tasks().await;
        remembered.full.run_pending_tasks().await;
        let counts = (
            remembered.known.entry_count(),
            remembered.full.entry_count(),
        );
        assert!((1..=MOST).contains(&counts.0), "{counts:?}");
        assert!((1..=MOST).contains(&counts.1), "{counts:?}");
    }

    #[test]
    fn no_more_uses_wait_to_be_written_than_there_is_room_for() {
        let remembered = Remembered::new(Duration::from_secs(60));
        let now = Timestamp::from_micros(1);
        let note = |session| remembered.note(&known(session), GRAIN, now);
        for _ in 0..MOST_NOTED + 10 {
            note(SessionId::new());
        }
        assert_eq!(remembered.take_noted().len(), MOST_NOTED);
        // What was taken makes room.
        note(SessionId::new());
        assert_eq!(remembered.take_noted().len(), 1);
    }
}
