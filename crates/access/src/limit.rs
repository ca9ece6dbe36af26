//! How many failed attempts there may be, counted in the database and so over all
//! replicas and restarts.
//!
//! Three buckets hold a log-in's failures, each leaking at its own rate:
//!
//! - **account and address**, the tight one (`attempts_per_account`): one person or
//!   one guesser at one place;
//! - **address** (`attempts_per_address`): one place that tries many accounts;
//! - **account**, ten times the tight one: many places that try one account.
//!
//! Only the first is held against a user at home, which is where it has a session:
//! neither strangers elsewhere nor a neighbour behind the same address lock it out of
//! the place where it works.
//!
//! A full bucket lets one attempt through each `window / limit` and never needs longer
//! than `window` to be empty. Only failures count, and success empties the first.
//! Unknown tokens have a bucket of their own: a forgotten script locks no person out.
//!
//! IPv6 addresses count by their /64, which is what one customer has.

use crate::vault::SigningKey;
use crate::{Result, sql};
use base::Timestamp;
use std::net::IpAddr;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;
use storage::{Db, Tx};

/// Failures of one account from everywhere, as a multiple of those from one address.
const EVERYWHERE: u32 = 10;

/// How many failures, and in which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptLimits {
    /// Failed log-ins to one account from one address within the window.
    pub per_account: u32,
    /// Failed log-ins from one address within the window.
    pub per_address: u32,
    /// The window.
    pub window: Duration,
}

/// What failures are counted by.
#[derive(Debug)]
pub(crate) struct Limit {
    limits: RwLock<AttemptLimits>,
    /// Buckets are stored by a keyed hash: a password typed as a name is not kept.
    key: SigningKey,
}

/// A bucket, and how many failures it holds.
#[derive(Clone, Debug)]
struct Bucket {
    key: Vec<u8>,
    holds: u32,
    window: Duration,
}

/// The buckets of one attempt. Always in this order, in which they are locked.
#[derive(Clone, Debug)]
pub(crate) struct Buckets {
    account: Vec<u8>,
    pair: Option<Bucket>,
    everywhere: Option<Bucket>,
    address: Bucket,
}

/// How an attempt stands.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Standing {
    /// It may be made.
    Room {
        /// Whether there were failures of this account from there.
        tried_before: bool,
    },
    /// It may not.
    Full {
        /// Until then.
        retry_after: Duration,
        /// How long the bucket of account and address alone says no.
        pair: Option<Duration>,
    },
}

/// What a failure has filled.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Full {
    /// Any bucket.
    pub(crate) any: bool,
    /// That of account and address, and for how long.
    pub(crate) pair: Option<Duration>,
}

impl Bucket {
    /// The time in which one failure leaks out, in whole microseconds as times are.
    fn step(&self) -> Duration {
        let micros = (self.window / self.holds).as_micros();
        Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX).max(1))
    }

    /// How long it takes no further failure, when it is empty at `empty_at`.
    fn full_for(&self, empty_at: Timestamp, now: Timestamp) -> Option<Duration> {
        // Whole steps, which need not make up the window to the microsecond.
        let room = self.step() * (self.holds - 1);
        let wait = empty_at.since(now).saturating_sub(room);
        (!wait.is_zero()).then_some(wait)
    }
}

impl Buckets {
    /// The bucket of account and address, where there is one.
    pub(crate) fn pair(&self) -> Option<&[u8]> {
        self.pair.as_ref().map(|bucket| bucket.key.as_slice())
    }
}

/// What one calls from, as far as it is one place.
pub(crate) fn place(address: IpAddr) -> [u8; 16] {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => {
            let mut octets = address.octets();
            octets[8..].fill(0);
            octets
        }
    }
}

/// What is particular to an account from one place.
fn pair_of<'a>(place: &'a [u8; 16], name: &'a str) -> [&'a [u8]; 3] {
    [b"pair", place, name.as_bytes()]
}

impl Limit {
    pub(crate) const fn new(limits: AttemptLimits, key: SigningKey) -> Self {
        Self {
            limits: RwLock::new(limits),
            key,
        }
    }

    /// Counts by these from now on; what was counted stays.
    pub(crate) fn set(&self, limits: AttemptLimits) {
        *self.limits.write().unwrap_or_else(PoisonError::into_inner) = limits;
    }

    fn limits(&self) -> AttemptLimits {
        *self.limits.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the bucket of this account from there is called: that of [`login`](Self::login).
    pub(crate) fn pair(&self, name: &str, address: IpAddr) -> Vec<u8> {
        let name = name.to_ascii_lowercase();
        self.key_of(&pair_of(&place(address), &name))
    }

    /// The buckets of a log-in with this name from there.
    pub(crate) fn login(&self, name: &str, address: IpAddr) -> Buckets {
        let name = name.to_ascii_lowercase();
        let place = place(address);
        let limits = self.limits();
        let window = limits.window;
        let per_account = limits.per_account.max(1);
        Buckets {
            account: self.account(&name),
            pair: Some(self.bucket(&pair_of(&place, &name), per_account, window)),
            everywhere: Some(self.bucket(
                &[b"account", name.as_bytes()],
                per_account.saturating_mul(EVERYWHERE),
                window,
            )),
            address: self.bucket(&[b"address", &place], limits.per_address.max(1), window),
        }
    }

    /// The bucket of tokens from there.
    pub(crate) fn token(&self, address: IpAddr) -> Buckets {
        let limits = self.limits();
        let holds = limits.per_address.max(1);
        Buckets {
            account: Vec::new(),
            pair: None,
            everywhere: None,
            address: self.bucket(&[b"token", &place(address)], holds, limits.window),
        }
    }

    fn bucket(&self, parts: &[&[u8]], holds: u32, window: Duration) -> Bucket {
        Bucket {
            key: self.key_of(parts),
            holds,
            window,
        }
    }

    fn key_of(&self, parts: &[&[u8]]) -> Vec<u8> {
        self.key.mac(&parts.join(&0))[..16].to_vec()
    }

    fn account(&self, name: &str) -> Vec<u8> {
        self.key_of(&[b"name", name.as_bytes()])
    }

    /// Whether one more attempt may be made now. `name` is nothing where the text is no name.
    pub(crate) async fn check(
        &self,
        db: &Db,
        buckets: &Buckets,
        name: Option<&str>,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Standing> {
        let keys = [
            Some(&buckets.address),
            buckets.pair.as_ref(),
            buckets.everywhere.as_ref(),
        ]
        .map(|bucket| bucket.map(|bucket| bucket.key.clone()));
        let stored = sql::attempt::read(db, keys).await?;
        let wait = |bucket: &Bucket| {
            let (_, empty_at) = stored.iter().find(|(key, _)| *key == bucket.key)?;
            bucket.full_for(*empty_at, now)
        };
        let pair = buckets.pair.as_ref().and_then(wait);
        let everywhere = buckets.everywhere.as_ref().and_then(wait);
        let others = wait(&buckets.address).max(everywhere);
        let mut longest = pair;
        if others > pair && !at_home(db, name, address, now).await? {
            longest = others;
        }
        Ok(match longest {
            Some(retry_after) => Standing::Full { retry_after, pair },
            None => Standing::Room {
                tried_before: stored
                    .iter()
                    .any(|(key, _)| Some(key.as_slice()) == buckets.pair()),
            },
        })
    }

    /// Counts a failure; which buckets are full with it.
    pub(crate) async fn failed(
        &self,
        tx: &mut Tx,
        buckets: &Buckets,
        now: Timestamp,
    ) -> Result<Full> {
        let mut full = Full::default();
        let all = [
            buckets.pair.as_ref(),
            buckets.everywhere.as_ref(),
            Some(&buckets.address),
        ];
        for bucket in all.into_iter().flatten() {
            let step = bucket.step();
            let empty_at = sql::attempt::add(tx, &bucket.key, &buckets.account, now, step).await?;
            let wait = bucket.full_for(empty_at, now);
            full.any |= wait.is_some();
            if buckets.pair() == Some(bucket.key.as_slice()) {
                full.pair = wait;
            }
        }
        Ok(full)
    }

    /// Forgets the failures of this account from there, after a success.
    pub(crate) async fn succeeded(&self, db: &Db, buckets: &Buckets) -> Result<()> {
        match buckets.pair() {
            Some(pair) => sql::attempt::forget(db, pair).await,
            None => Ok(()),
        }
    }

    /// Forgets the failures of this account from everywhere, after its password was set anew.
    pub(crate) async fn forgive(&self, tx: &mut Tx, name: &str) -> Result<()> {
        let account = self.account(&name.to_ascii_lowercase());
        sql::attempt::forget_account(tx, &account).await
    }
}

/// Whether the user of this name has a session from this place.
async fn at_home(db: &Db, name: Option<&str>, address: IpAddr, now: Timestamp) -> Result<bool> {
    let Some(name) = name else {
        return Ok(false);
    };
    let here = place(address);
    let known = sql::session::addresses(db, name, now).await?;
    let known = known.iter().filter_map(|text| text.parse().ok());
    Ok(known.map(place).any(|place| place == here))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MasterKeys;

    fn limit() -> Limit {
        let limits = AttemptLimits {
            per_account: 3,
            per_address: 5,
            window: Duration::from_secs(10),
        };
        Limit::new(limits, MasterKeys::generate().signing("attempts"))
    }

    #[test]
    fn one_customers_ipv6_addresses_are_one_place() {
        let place = |text: &str| place(text.parse().expect("an address"));
        assert_eq!(place("2001:db8::1"), place("2001:db8::ffff:1"));
        assert_ne!(place("2001:db8::1"), place("2001:db8:0:1::1"));
        assert_eq!(place("10.0.0.1"), place("::ffff:10.0.0.1"));
        assert_ne!(place("10.0.0.1"), place("10.0.0.2"));
    }

    #[test]
    fn names_that_differ_by_case_share_a_bucket() {
        let limit = limit();
        let address = IpAddr::from([10, 0, 0, 1]);
        let pair = |name| limit.login(name, address).pair().map(<[u8]>::to_vec);
        assert_eq!(pair("Anna"), pair("anna"));
        assert_eq!(pair("anna"), Some(limit.pair("Anna", address)));
        assert_ne!(pair("anna"), pair("bert"));
    }

    #[test]
    fn a_bucket_is_full_after_its_number_and_has_room_after_one_step() {
        let limit = limit();
        let bucket = limit
            .login("a", [10, 0, 0, 1].into())
            .pair
            .expect("log-ins have one");
        let now = Timestamp::from_micros(1_000_000);
        let step = bucket.step();
        let mut empty_at = now;
        for full in [false, false, true] {
            empty_at = empty_at.plus(step);
            assert_eq!(bucket.full_for(empty_at, now).is_some(), full);
        }
        let wait = bucket.full_for(empty_at, now).expect("it is full");
        assert!(wait <= step);
        assert_eq!(bucket.full_for(empty_at, now.plus(wait)), None);
    }
}
