//! Looking up, and keeping what was found.
//!
//! At a key lies nothing, a value (`=`), the note of a reader who is about to put one
//! there (`?`), or the mark of a writer who is about to change what it is of (`!`). A
//! reader keeps a value only in the place of his own note: whatever came between took
//! the note away.

use super::line::{READ, Server};
use super::moment::Moment;
use super::name::Name;
use super::trust::Opening;
use super::{Inner, SharedCache};
use std::sync::Arc;
use std::time::Duration;

/// How long a value is kept.
const KEPT: Duration = Duration::from_secs(600);
/// How long a reader may take from his note to his value.
const NOTED: Duration = Duration::from_secs(10);
/// The largest value that is kept, in bytes.
const LARGEST: usize = 64 * 1024;

pub(super) const VALUE: u8 = b'=';
const NOTE: u8 = b'?';

/// Puts a value in the place of a note.
const KEEP: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1 end return 0";

/// What a look into the cache found.
#[derive(Debug)]
pub enum Looked {
    /// The value.
    Hit(Vec<u8>),
    /// Nothing: ask the database, and then keep what it said.
    Miss(Fill),
}

/// The right to keep what the database says from now on.
#[derive(Debug, Default)]
pub struct Fill(Option<Noted>);

#[derive(Debug)]
struct Noted {
    inner: Arc<Inner>,
    server: Arc<Server>,
    place: String,
    note: Vec<u8>,
}

impl SharedCache {
    /// Looks up what belongs to these parts of `namespace`. A hit is no older than the
    /// last change of it that was acknowledged when this began.
    pub async fn look_up(&self, namespace: &str, parts: &[&[u8]]) -> Looked {
        let Some(inner) = &self.0 else {
            return Looked::Miss(Fill(None));
        };
        let looked = inner.look_up(&inner.names.name(namespace, parts)).await;
        let outcome = match looked {
            Looked::Hit(_) => "hit",
            Looked::Miss(_) => "miss",
        };
        count(namespace, outcome);
        looked
    }

    /// What was put here with [`set`](Self::set), if it is still there. It may be older
    /// than a change.
    pub async fn get(&self, namespace: &str, parts: &[&[u8]]) -> Option<Vec<u8>> {
        let inner = self.0.as_ref()?;
        let server = inner.line.server()?;
        let place = inner.names.name(namespace, parts).for_a_time();
        let mut get = redis::cmd("GET");
        get.arg(&place);
        let found: Option<Vec<u8>> = inner.line.ask(&server, &get, READ).await.ok()?;
        let value = found.and_then(|sealed| inner.seal.open(&place, &sealed));
        count(namespace, if value.is_some() { "hit" } else { "miss" });
        value
    }

    /// Puts a value here for at most `ttl`, for every replica, if the server answers. Who
    /// can write to the server can put back an earlier value, and can make none.
    pub async fn set(&self, namespace: &str, parts: &[&[u8]], value: &[u8], ttl: Duration) {
        let Some(inner) = &self.0 else { return };
        let Some(server) = inner.line.server() else {
            return;
        };
        if value.len() > LARGEST || ttl < Duration::from_millis(1) {
            return;
        }
        let place = inner.names.name(namespace, parts).for_a_time();
        let mut set = redis::cmd("SET");
        set.arg(&place).arg(inner.seal.seal(&place, value));
        set.arg("PX").arg(millis(ttl));
        let _ = inner.line.ask::<()>(&server, &set, READ).await;
    }
}

fn count(namespace: &str, outcome: &'static str) {
    let namespace = namespace.to_owned();
    metrics::counter!("longshore_cache_lookups_total", "of" => namespace, "outcome" => outcome)
        .increment(1);
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The cache as it is open, and reached.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) number: i64,
    pub(super) word: Arc<str>,
    pub(super) server: Arc<Server>,
}

impl Open {
    /// If this is the server on which it is.
    pub(super) fn of(number: i64, opening: &Opening, server: Arc<Server>) -> Option<Self> {
        (server.id == opening.server).then(|| Self {
            number,
            word: Arc::clone(&opening.word),
            server,
        })
    }
}

impl Inner {
    /// The cache, while it is open on the server that this replica reaches, and that may
    /// be believed.
    pub(super) fn open(&self) -> Option<Open> {
        let (number, opening) = self.trust.open(Moment::now())?;
        let server = self.line.server()?;
        Open::of(number, &opening, server)
    }

    async fn look_up(self: &Arc<Self>, name: &Name) -> Looked {
        let miss = Looked::Miss(Fill(None));
        let Some(Open { word, server, .. }) = self.open() else {
            return miss;
        };
        let place = name.under(&word);
        let mut get = redis::cmd("GET");
        get.arg(&place);
        let found: Result<Option<Vec<u8>>, _> = self.line.ask(&server, &get, READ).await;
        match found {
            Ok(Some(found)) => match found.split_first() {
                Some((&VALUE, sealed)) => self.seal.open(&place, sealed).map_or(miss, Looked::Hit),
                _ => miss,
            },
            Ok(None) => Looked::Miss(Fill(self.note(server, place).await)),
            Err(_) => miss,
        }
    }

    /// Notes that a value is about to come, where nothing is.
    async fn note(self: &Arc<Self>, server: Arc<Server>, place: String) -> Option<Noted> {
        let note = token(NOTE);
        let mut set = redis::cmd("SET");
        set.arg(&place)
            .arg(&note)
            .arg("NX")
            .arg("PX")
            .arg(millis(NOTED));
        let set: Option<String> = self.line.ask(&server, &set, READ).await.ok()?;
        set.is_some().then(|| Noted {
            inner: Arc::clone(self),
            server,
            place,
            note,
        })
    }
}

/// A word that nobody else says, of this kind.
pub(super) fn token(kind: u8) -> Vec<u8> {
    let mut token = vec![kind; 17];
    rand::fill(&mut token[1..]);
    token
}

impl Fill {
    /// Keeps what the database said after the look into the cache.
    pub async fn keep(self, value: &[u8]) {
        let Some(noted) = self.0 else { return };
        if value.len() > LARGEST {
            return;
        }
        let mut sealed = vec![VALUE];
        sealed.extend(noted.inner.seal.seal(&noted.place, value));
        let mut keep = redis::cmd("EVAL");
        keep.arg(KEEP).arg(1).arg(&noted.place);
        keep.arg(&noted.note).arg(sealed).arg(millis(KEPT));
        let _ = noted
            .inner
            .line
            .ask::<i64>(&noted.server, &keep, READ)
            .await;
    }
}
