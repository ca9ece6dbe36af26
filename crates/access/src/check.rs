//! Checking a credential that is not remembered, and counting what was wrong.
//!
//! The same work is done for a name that nobody has as for one that somebody has, and
//! the one who tries is never told the difference.

use crate::audit::Doer;
use crate::core::Core;
use crate::limit::Standing;
use crate::sql::account::{self, Account};
use crate::user::subject;
use crate::{AccessError, AuditEntry, Result};
use base::Name;
use secrecy::SecretString;
use serde_json::json;
use std::net::IpAddr;

impl Core {
    /// Checks a name and a password, counts and records a failure.
    pub(crate) async fn check_password(
        &self,
        name: &str,
        password: &SecretString,
        address: IpAddr,
    ) -> Result<Account> {
        let buckets = self.limit.login(name, address);
        // What is no name is nobody's, and is treated like every unknown name.
        let name = name.parse::<Name>().ok();
        let name = name.as_ref().map(Name::as_str);
        let standing = || async {
            let standing = self
                .limit
                .check(&self.db, &buckets, name, address, self.now())
                .await?;
            self.admitted(standing, buckets.pair()).await
        };
        standing().await?;
        let turn = self.passwords.turn().await?;
        // Again, for others have failed while this one waited.
        let tried_before = standing().await?;
        let account = match name {
            Some(name) => account::by_name(&self.db, name).await?,
            None => None,
        };
        let stored = account.as_ref().map(|account| &account.password);
        let (right, _turn) = self.passwords.check(turn, stored, password).await?;
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

    /// Counts a token that was refused; what to answer.
    pub(crate) async fn token_refused(
        &self,
        error: AccessError,
        address: IpAddr,
    ) -> Result<AccessError> {
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
    use crate::{Access, AccessError, AccessSettings, Doer, MasterKeys, NewUser, Role};
    use base::SystemClock;
    use std::net::IpAddr;
    use std::sync::Arc;
    use storage::{Bus, Db, DbSettings};
    use tokio_util::{sync::CancellationToken, task::TaskTracker};

    #[tokio::test]
    async fn every_refused_log_in_costs_one_check_whoever_it_is_for() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&DbSettings::Sqlite(folder.path().join("db")))
            .await
            .unwrap();
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
            assert_eq!(access.core.passwords.checked(), 2 * number - 1, "{name}");
            let outcome = access.log_in(name, &password, address, "").await;
            assert!(
                matches!(outcome, Err(AccessError::Unauthenticated)),
                "{name}"
            );
        }
    }
}
