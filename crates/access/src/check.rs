//! Checking a credential that is not remembered, and counting what was wrong.
//!
//! The same work is done for a name that nobody has as for one that somebody has, and
//! the one who tries is never told the difference. Whoever goes away before the answer
//! is counted all the same, or trying would be free for who never waits.

use crate::audit::Doer;
use crate::core::Core;
use crate::limit::{Buckets, Standing};
use crate::password::Turn;
use crate::sql::account::{self, Account};
use crate::user::subject;
use crate::{AccessError, AuditEntry, Result};
use base::Name;
use secrecy::SecretString;
use serde_json::json;
use std::net::IpAddr;
use std::sync::Arc;
use storage::Error::Stopped;

/// A password that somebody tries.
struct Attempt {
    buckets: Buckets,
    /// Nothing, where what was given is no name.
    name: Option<String>,
    password: SecretString,
    address: IpAddr,
    /// Whether this account was tried from there before.
    tried_before: bool,
}

impl Core {
    /// Checks a name and a password, counts and records a failure.
    pub(crate) async fn check_password(
        self: &Arc<Self>,
        name: &str,
        password: &SecretString,
        address: IpAddr,
    ) -> Result<Account> {
        let buckets = self.limit.login(name, address);
        // What is no name is nobody's, and is treated like every unknown name.
        let name = name.parse::<Name>().ok().map(String::from);
        let standing = || async {
            let standing = self
                .limit
                .check(&self.db, &buckets, name.as_deref(), address, self.now())
                .await?;
            self.admitted(standing, buckets.pair()).await
        };
        standing().await?;
        let turn = self.passwords.turn().await?;
        // Again, for others have failed while this one waited.
        let tried_before = standing().await?;
        let attempt = Attempt {
            buckets,
            name,
            password: password.clone(),
            address,
            tried_before,
        };
        // A task that ends by itself: there are as many as there are turns.
        let core = Arc::clone(self);
        let tried = tokio::spawn(async move { core.tried(turn, attempt).await });
        tried.await.map_err(|_| Stopped)?
    }

    /// Checks a password whose turn has come, and counts it.
    async fn tried(&self, turn: Turn, attempt: Attempt) -> Result<Account> {
        let Attempt {
            buckets,
            name,
            password,
            address,
            tried_before,
        } = attempt;
        let account = match &name {
            Some(name) => account::by_name(&self.db, name).await?,
            None => None,
        };
        let stored = account.as_ref().map(|account| &account.password);
        let (right, _turn) = self.fits(turn, stored, &password).await?;
        match account {
            Some(account) if right => {
                if tried_before {
                    self.limit.succeeded(&self.db, &buckets).await?;
                }
                Ok(account)
            }
            account => {
                let now = self.now();
                // A name that nobody has may be a password in the wrong field: it is not kept.
                let whom = account.map_or_else(
                    || "unknown".to_owned(),
                    |account| subject(&account.user.name),
                );
                let mut tx = self.db.begin().await?;
                let full = self.limit.failed(&mut tx, &buckets, now).await?;
                let doer = Doer::anonymous(address);
                self.record(
                    &mut tx,
                    AuditEntry::new(&doer, "login.failed", whom.as_str()),
                )
                .await?;
                if full.any {
                    self.record(&mut tx, AuditEntry::new(&doer, "login.limited", whom))
                        .await?;
                }
                tx.commit().await?;
                if let (Some(wait), Some(pair)) = (full.pair, buckets.pair()) {
                    self.remembered.refuse(pair, now.plus(wait)).await;
                }
                Err(AccessError::Unauthenticated)
            }
        }
    }

    /// Turns a standing into a refusal, or into whether this account was tried from there before.
    async fn admitted(&self, standing: Standing, pair: Option<&[u8]>) -> Result<bool> {
        match standing {
            Standing::Room { tried_before } => Ok(tried_before),
            Standing::Full {
                retry_after,
                pair: full,
            } => {
                if let (Some(wait), Some(pair)) = (full, pair) {
                    self.remembered.refuse(pair, self.now().plus(wait)).await;
                }
                Err(AccessError::RateLimited { retry_after })
            }
        }
    }

    /// Counts a token that was refused, whether or not somebody still waits; what to answer.
    pub(crate) async fn refuse_token(
        self: &Arc<Self>,
        error: AccessError,
        address: IpAddr,
    ) -> Result<AccessError> {
        let core = Arc::clone(self);
        let counted = tokio::spawn(async move { core.token_refused(error, address).await });
        counted.await.map_err(|_| Stopped)?
    }

    async fn token_refused(&self, error: AccessError, address: IpAddr) -> Result<AccessError> {
        let buckets = self.limit.token(address);
        let now = self.now();
        let standing = self
            .limit
            .check(&self.db, &buckets, None, address, now)
            .await?;
        if let Standing::Full { retry_after, .. } = standing {
            return Ok(AccessError::RateLimited { retry_after });
        }
        let mut tx = self.db.begin().await?;
        let full = self.limit.failed(&mut tx, &buckets, now).await?;
        let doer = Doer::anonymous(address);
        let entry = AuditEntry::new(&doer, "token.refused", "unknown")
            .after(json!({ "reason": error.code() }));
        self.record(&mut tx, entry).await?;
        if full.any {
            self.record(&mut tx, AuditEntry::new(&doer, "token.limited", "unknown"))
                .await?;
        }
        tx.commit().await?;
        Ok(error)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::{
        Access, AccessError, AccessSettings, AuditFilter, Doer, MasterKeys, NewUser, Role,
    };
    use base::SystemClock;
    use std::net::IpAddr;
    use std::sync::Arc;
    use storage::Bus;
    use testing::{TestDatabase, on_both};
    use tokio_util::{sync::CancellationToken, task::TaskTracker};

    async fn with_anna(database: &TestDatabase) -> Access {
        let db = database.open().await;
        let bus = Bus::start(&db, &TaskTracker::new(), CancellationToken::new());
        let (keys, settings) = (MasterKeys::generate(), AccessSettings::default());
        let clock = Arc::new(SystemClock);
        let access = Access::open(db, bus, clock, keys, settings).await.unwrap();
        let new = NewUser {
            name: "anna".parse().unwrap(),
            role: Role::Viewer,
            password: None,
        };
        access.create_user(&Doer::host(), new).await.unwrap();
        access
    }

    on_both!(a_guess_whose_maker_has_gone_is_counted_and_recorded);
    async fn a_guess_whose_maker_has_gone_is_counted_and_recorded(database: TestDatabase) {
        let access = with_anna(&database).await;
        let guessing = tokio::spawn({
            let access = access.clone();
            async move {
                let address = IpAddr::from([192, 0, 2, 1]);
                access.log_in("anna", &"wrong".into(), address, "").await
            }
        });
        let limit = std::time::Duration::from_secs(30);
        let began = async {
            while access.core.passwords.checked() == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(limit, began).await.unwrap();
        guessing.abort();
        assert!(guessing.await.unwrap_err().is_cancelled());
        let failed = AuditFilter {
            action: Some("login.failed".into()),
            ..AuditFilter::default()
        };
        let recorded = async {
            loop {
                let page = access.audit_entries(&failed, None, 10).await.unwrap();
                if let [entry] = &page.items[..] {
                    return entry.subject.clone();
                }
                tokio::task::yield_now().await;
            }
        };
        let subject = tokio::time::timeout(limit, recorded).await.unwrap();
        assert_eq!(subject, "user:anna");
    }

    on_both!(a_refusal_comes_after_all_the_work_of_argon2_whoever_it_is_for);
    async fn a_refusal_comes_after_all_the_work_of_argon2_whoever_it_is_for(
        database: TestDatabase,
    ) {
        let access = with_anna(&database).await;
        let address = IpAddr::from([192, 0, 2, 1]);
        let long = "x".repeat(100_000);
        let tries = [
            ("anna", "wrong"),
            ("bert", "wrong"),
            ("no name", "wrong"),
            ("anna", &long),
        ];
        for (number, (name, password)) in (1..).zip(tries) {
            let password = password.into();
            let outcome = access.identify_password(name, &password, address).await;
            assert!(
                matches!(outcome, Err(AccessError::Unauthenticated)),
                "{name}"
            );
            assert_eq!(access.core.passwords.worked(), 2 * number - 1, "{name}");
            let outcome = access.log_in(name, &password, address, "").await;
            assert!(
                matches!(outcome, Err(AccessError::Unauthenticated)),
                "{name}"
            );
            assert_eq!(access.core.passwords.worked(), 2 * number, "{name}");
        }
    }
}
