//! Whether a password fits a hash, which replicas tell each other, so that a second one and one
//! that was started anew need no argon2 for it.
//!
//! What is told never stops being true: *this password fits this hash*. Whose hash that is, if
//! it is anybody's still, the database says each time before, as it does how many tries were
//! wrong; a password that was changed has another hash, with another salt, of which nothing is
//! known. It lies under a keyed hash of the two, so that who looks on learns neither, and is
//! asked for by whoever has a turn at argon2, so that nobody may try more passwords against
//! it than against argon2. That a password does not fit is never told.

use crate::core::Core;
use crate::password::{Hashed, Turn};
use crate::{Access, Result};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use storage::SharedCache;

/// Under what it is kept in the shared cache.
const NAMESPACE: &str = "passwords";
/// How long it is kept. Who had the master key, the database and what lies there could try
/// passwords faster than argon2 lets one, and finds no more than what was used for so long.
const KEPT: Duration = Duration::from_secs(3600);
const FITS: &[u8] = b"fits";

impl Access {
    /// Gives it the cache that it shares with other replicas, before anybody is identified.
    pub fn connect_cache(&self, cache: SharedCache) {
        let _ = self.core.shared.set(cache);
    }
}

impl Core {
    /// Whether the password is the one that was stored; with nobody to compare it with, the
    /// same work is done and the answer is no.
    pub(crate) async fn fits(
        &self,
        turn: Turn,
        stored: Option<&Hashed>,
        password: &SecretString,
    ) -> Result<(bool, Turn)> {
        // Where every request is to be verified, nothing is remembered anywhere.
        let cache = self.shared.get().filter(|_| self.remembered.on());
        let Some(cache) = cache else {
            return self.passwords.check(turn, stored, password).await;
        };
        let hash = stored.unwrap_or_else(|| self.passwords.nobody());
        let parts = [
            hash.as_str().as_bytes(),
            password.expose_secret().as_bytes(),
        ];
        let told = cache.get(NAMESPACE, &parts).await;
        if stored.is_some() && told.as_deref() == Some(FITS) {
            return Ok((true, turn));
        }
        let (right, turn) = self.passwords.check(turn, stored, password).await?;
        if right {
            cache.set(NAMESPACE, &parts, FITS, KEPT).await;
        }
        Ok((right, turn))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::{
        Access, AccessError, AccessSettings, AttemptLimits, Doer, MasterKeys, NewUser, Role,
    };
    use base::SystemClock;
    use std::net::IpAddr;
    use std::sync::Arc;
    use std::time::Duration;
    use storage::{Bus, CacheSettings, SharedCache};
    use testing::{Redis, TestDatabase, on_postgres, within};
    use tokio_util::{sync::CancellationToken, task::TaskTracker};

    const PASSWORD: &str = "correct horse battery";
    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    /// Replicas that have a database, keys and a cache in common.
    struct Fleet<'a> {
        database: &'a TestDatabase,
        redis: Redis,
        keys: MasterKeys,
        settings: AccessSettings,
        stop: CancellationToken,
    }

    impl<'a> Fleet<'a> {
        async fn begun(database: &'a TestDatabase) -> Option<Self> {
            let mut settings = AccessSettings::default();
            settings.attempts = AttemptLimits {
                per_account: 3,
                ..settings.attempts
            };
            Some(Self {
                database,
                redis: Redis::start().await?,
                keys: MasterKeys::generate(),
                settings,
                stop: CancellationToken::new(),
            })
        }

        async fn replica(&self) -> Access {
            let db = self.database.open().await;
            let tasks = TaskTracker::new();
            let bus = Bus::start(&db, &tasks, self.stop.clone());
            let (clock, keys) = (Arc::new(SystemClock), self.keys.clone());
            let access = Access::open(db.clone(), bus, clock, keys, self.settings);
            let access = access.await.unwrap();
            let settings = CacheSettings {
                url: self.redis.url(),
                key: *access.signing_key("cache").expose(),
                statement: Duration::from_secs(60),
            };
            let cache = SharedCache::start(&db, settings, &tasks, self.stop.clone()).unwrap();
            within("the cache to open", async {
                while !cache.is_open() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            })
            .await;
            access.connect_cache(cache);
            access
        }
    }

    async fn add_anna(access: &Access) {
        let new = NewUser {
            name: "anna".parse().unwrap(),
            role: Role::Viewer,
            password: Some(PASSWORD.into()),
        };
        access.create_user(&Doer::host(), new).await.unwrap();
    }

    /// What came of trying a password, and how much argon2 there was of it.
    async fn tried(access: &Access, name: &str, password: &str) -> (Result<(), AccessError>, u64) {
        let before = access.core.passwords.worked();
        let tried = access.identify_password(name, &password.into(), HERE).await;
        (tried.map(drop), access.core.passwords.worked() - before)
    }

    fn is_let_in((outcome, checks): (Result<(), AccessError>, u64), expected: u64) {
        outcome.unwrap();
        assert_eq!(checks, expected);
    }

    fn is_refused((outcome, checks): (Result<(), AccessError>, u64), expected: u64) {
        assert!(
            matches!(outcome, Err(AccessError::Unauthenticated)),
            "{outcome:?}"
        );
        assert_eq!(checks, expected);
    }

    #[tokio::test]
    async fn what_one_replica_verified_another_and_one_started_anew_need_not() {
        on_postgres(|database| async move {
            let Some(fleet) = Fleet::begun(&database).await else {
                return;
            };
            let one = fleet.replica().await;
            add_anna(&one).await;
            is_let_in(tried(&one, "anna", PASSWORD).await, 1);
            for _ in 0..2 {
                let other = fleet.replica().await;
                is_let_in(tried(&other, "anna", PASSWORD).await, 0);
                is_refused(tried(&other, "anna", "correct horse batteries").await, 1);
                is_refused(tried(&other, "bert", PASSWORD).await, 1);
            }
        })
        .await;
    }

    #[tokio::test]
    async fn a_password_that_was_changed_is_not_believed_though_the_cache_has_it_still() {
        on_postgres(|database| async move {
            let Some(fleet) = Fleet::begun(&database).await else {
                return;
            };
            let (one, other) = (fleet.replica().await, fleet.replica().await);
            add_anna(&one).await;
            is_let_in(tried(&one, "anna", PASSWORD).await, 1);
            let set = async |password: &str| {
                let (by, password) = (Doer::host(), password.into());
                one.set_password(&by, "anna", &password).await.unwrap();
            };
            set("another one entirely").await;
            // It was told of and never taken back, as if somebody had put it back.
            is_refused(tried(&other, "anna", PASSWORD).await, 1);
            is_let_in(tried(&other, "anna", "another one entirely").await, 1);
            // The same words anew are another password.
            set(PASSWORD).await;
            is_let_in(tried(&other, "anna", PASSWORD).await, 1);
            one.delete_user(&Doer::host(), "anna").await.unwrap();
            is_refused(tried(&fleet.replica().await, "anna", PASSWORD).await, 1);
        })
        .await;
    }

    #[tokio::test]
    async fn the_right_one_after_too_many_wrong_ones_is_refused_on_every_replica() {
        on_postgres(|database| async move {
            let Some(fleet) = Fleet::begun(&database).await else {
                return;
            };
            let (one, other) = (fleet.replica().await, fleet.replica().await);
            add_anna(&one).await;
            is_let_in(tried(&one, "anna", PASSWORD).await, 1);
            for _ in 0..3 {
                is_refused(tried(&one, "anna", "a wrong one, of many").await, 1);
            }
            let (outcome, checks) = tried(&other, "anna", PASSWORD).await;
            let limited = matches!(outcome, Err(AccessError::RateLimited { .. }));
            assert!(limited && checks == 0, "{outcome:?}");
        })
        .await;
    }

    #[tokio::test]
    async fn where_every_request_is_verified_or_the_cache_is_down_nothing_is_shared() {
        on_postgres(|database| async move {
            let Some(mut fleet) = Fleet::begun(&database).await else {
                return;
            };
            let one = fleet.replica().await;
            add_anna(&one).await;
            is_let_in(tried(&one, "anna", PASSWORD).await, 1);
            fleet.settings.cache_time = Duration::ZERO;
            let careful = fleet.replica().await;
            is_let_in(tried(&careful, "anna", PASSWORD).await, 1);
            fleet.settings.cache_time = Duration::from_secs(60);
            let other = fleet.replica().await;
            fleet.redis.kill9().await;
            is_let_in(tried(&other, "anna", PASSWORD).await, 1);
        })
        .await;
    }
}
