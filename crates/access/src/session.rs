//! Console sessions: a cookie that proves a log-in, until it is idle or old.
//!
//! The cookie's value is 256 random bits, stored as its SHA-256 only, and never the
//! same twice; a session is found by that hash, so that no comparison of the value
//! itself can be timed. What changes something needs the CSRF token too, which is
//! bound to the session by an HMAC and not stored at all.

use crate::audit::shown;
use crate::changes::Change;
use crate::core::Core;
use crate::user::subject;
use crate::{
    Access, AccessError, AccessSettings, AuditEntry, Caller, Doer, Proof, Result, User, sql,
};
use base::{SessionId, Timestamp, UserId};
use data_encoding::BASE64URL_NOPAD;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use subtle::ConstantTimeEq;

/// What CSRF tokens are derived for.
const CSRF: &str = "csrf";
/// Sessions that one user has at most; the one unused the longest makes room.
const MOST: u64 = 100;
/// What is kept of a browser's name for itself, in characters.
const AGENT: usize = 200;

/// A session.
#[derive(Clone, Debug, Serialize)]
pub struct Session {
    /// Its id, which proves nothing.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// When its user logged in.
    pub created_at: Timestamp,
    /// When it was used last, to the minute.
    pub seen_at: Timestamp,
    /// When it ends even if it is used.
    pub expires_at: Timestamp,
    /// From where its user logged in.
    pub address: String,
    /// What the browser calls itself.
    pub agent: String,
}

/// A log-in that went well.
#[derive(Debug)]
pub struct LoggedIn {
    /// The cookie's value. Shown to nobody but the browser.
    pub cookie: SecretString,
    /// What the console sends as `X-CSRF-Token`.
    pub csrf: String,
    /// The session.
    pub session: Session,
    /// Who logged in.
    pub user: User,
    /// The same as a caller.
    pub caller: Caller,
}

/// How long sessions live, which can change while the program runs.
#[derive(Debug)]
pub(crate) struct Lifetimes {
    idle_micros: AtomicU64,
    whole_micros: AtomicU64,
}

impl Lifetimes {
    pub(crate) fn new(settings: &AccessSettings) -> Self {
        let lifetimes = Self {
            idle_micros: AtomicU64::new(0),
            whole_micros: AtomicU64::new(0),
        };
        lifetimes.set(settings);
        lifetimes
    }

    /// The idle time holds for every session, the whole one for those that begin.
    pub(crate) fn set(&self, settings: &AccessSettings) {
        let micros = |span: Duration| u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        let (idle, whole) = (settings.session_ttl, settings.session_lifetime);
        self.idle_micros.store(micros(idle), Ordering::Relaxed);
        self.whole_micros.store(micros(whole), Ordering::Relaxed);
    }

    /// How long a session lives at most.
    fn whole(&self) -> Duration {
        Duration::from_micros(self.whole_micros.load(Ordering::Relaxed))
    }

    /// How long a session lives without being used.
    pub(crate) fn idle(&self) -> Duration {
        Duration::from_micros(self.idle_micros.load(Ordering::Relaxed))
    }

    /// When a session ends if it is not used any more.
    pub(crate) fn end(&self, session: &Session) -> Timestamp {
        session.seen_at.plus(self.idle()).min(session.expires_at)
    }
}

/// What is stored of a cookie's value or a token. They are 256 random bits, so a
/// plain hash suffices: nobody finds such a value by trying, however fast the hash
/// is, and so neither salt nor argon2 would add anything but time to each request.
pub(crate) fn stored(value: &str) -> [u8; 32] {
    Sha256::digest(value.as_bytes()).into()
}

impl Access {
    /// Checks a name and a password and begins a session: a new one each time, so
    /// that nobody can prepare one for another.
    ///
    /// # Errors
    /// [`AccessError::Unauthenticated`], [`AccessError::RateLimited`], [`AccessError::Busy`].
    pub async fn log_in(
        &self,
        name: &str,
        password: &SecretString,
        address: IpAddr,
        agent: &str,
    ) -> Result<LoggedIn> {
        let core = &self.core;
        let account = core.check_password(name, password, address).await?;
        let now = core.now();
        let mut value = [0; 32];
        rand::fill(&mut value);
        let cookie = BASE64URL_NOPAD.encode(&value);
        let session = Session {
            id: SessionId::new(),
            user: account.user.id,
            created_at: now,
            seen_at: now,
            expires_at: now.plus(core.lifetimes.whole()),
            address: shown(address),
            agent: agent
                .chars()
                .filter(|c| !c.is_control())
                .take(AGENT)
                .collect(),
        };
        let mut user = account.user;
        let caller = Caller {
            user: user.id,
            name: user.name.clone(),
            role: user.role,
            proof: Proof::Session(session.id),
            credential: 0,
            ends: Some(core.lifetimes.end(&session)),
            address,
        };
        let mut tx = core.db.begin().await?;
        if !sql::account::logged_in(&mut tx, user.id, account.credential, now).await? {
            return Err(AccessError::Unauthenticated);
        }
        sql::session::insert(&mut tx, &session, &stored(&cookie)).await?;
        let made_room = sql::session::trim(&mut tx, user.id, MOST).await? > 0;
        let entry = AuditEntry::new(&Doer::from(&caller), "login.ok", subject(&user.name))
            .after(json!({ "session": session.id, "agent": session.agent }));
        core.record(&mut tx, entry).await?;
        if made_room {
            core.commit(tx, Change::User(user.id)).await?;
        } else {
            tx.commit().await?;
        }
        user.last_login_at = Some(now);
        Ok(LoggedIn {
            cookie: cookie.into(),
            csrf: self.csrf_token(session.id),
            session,
            user,
            caller,
        })
    }

    /// Ends the session that the caller calls with; nothing when it calls otherwise.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn log_out(&self, caller: &Caller) -> Result<()> {
        let Proof::Session(id) = *caller.proof() else {
            return Ok(());
        };
        match self
            .end(&caller.into(), "logout", caller.user(), caller.name(), id)
            .await
        {
            // Somebody else has just ended it.
            Err(AccessError::NotFound { .. }) => Ok(()),
            outcome => outcome,
        }
    }

    /// One session, and when it ends if it is not used any more.
    ///
    /// # Errors
    /// [`AccessError::NotFound`].
    pub async fn session(&self, id: SessionId) -> Result<(Session, Timestamp)> {
        let session = sql::session::by_id(&self.core.db, id).await?;
        let session = session.ok_or(AccessError::missing("session"))?;
        let end = self.core.lifetimes.end(&session);
        Ok((session, end))
    }

    /// A user's sessions that live, the one used last first.
    ///
    /// # Errors
    /// [`AccessError::NotFound`] for an unknown user.
    pub async fn sessions(&self, name: &str) -> Result<Vec<Session>> {
        let user = self.account(name).await?.user;
        let now = self.core.now();
        let mut sessions = sql::session::of(&self.core.db, user.id, MOST).await?;
        sessions.retain(|session| self.core.lifetimes.end(session) > now);
        Ok(sessions)
    }

    /// Ends one session of a user, which is refused at once.
    ///
    /// # Errors
    /// [`AccessError::NotFound`], also when it is another user's.
    pub async fn end_session(&self, by: &Doer, name: &str, id: SessionId) -> Result<()> {
        let user = self.account(name).await?.user;
        self.end(by, "session.ended", user.id, &user.name, id).await
    }

    /// Ends every session of a user; how many.
    ///
    /// # Errors
    /// [`AccessError::NotFound`] for an unknown user.
    pub async fn end_sessions(&self, by: &Doer, name: &str) -> Result<u64> {
        let core = &self.core;
        let user = self.account(name).await?.user;
        let mut tx = core.db.begin().await?;
        let ended = sql::session::delete_all(&mut tx, user.id, None).await?;
        let entry = AuditEntry::new(by, "session.ended", subject(&user.name))
            .before(json!({ "sessions": ended }));
        core.record(&mut tx, entry).await?;
        core.commit(tx, Change::User(user.id)).await?;
        Ok(ended)
    }

    /// What a session's requests carry in `X-CSRF-Token` when they change something.
    #[must_use]
    pub fn csrf_token(&self, session: SessionId) -> String {
        let key = self.core.keys.signing(CSRF);
        BASE64URL_NOPAD.encode(&key.mac(session.uuid().as_bytes()))
    }

    /// Whether `presented` is the token of that session. In constant time.
    #[must_use]
    pub fn csrf_matches(&self, session: SessionId, presented: &str) -> bool {
        let keys = self.core.keys.verifying(CSRF);
        keys.iter().any(|key| {
            let token = BASE64URL_NOPAD.encode(&key.mac(session.uuid().as_bytes()));
            token.as_bytes().ct_eq(presented.as_bytes()).into()
        })
    }

    async fn end(
        &self,
        by: &Doer,
        action: &str,
        user: UserId,
        name: &str,
        id: SessionId,
    ) -> Result<()> {
        let core = &self.core;
        let mut tx = core.db.begin().await?;
        if !sql::session::delete(&mut tx, user, id).await? {
            return Err(AccessError::missing("session"));
        }
        let entry = AuditEntry::new(by, action, subject(name)).before(json!({ "session": id }));
        core.record(&mut tx, entry).await?;
        core.commit(tx, Change::User(user)).await
    }
}

impl Core {
    /// The session of a cookie, if it lives.
    pub(crate) async fn find_session(&self, cookie: &str) -> Result<(Session, crate::user::Owner)> {
        let hash = stored(cookie);
        let found = sql::session::by_hash(&self.db, &hash).await?;
        let (session, owner) = found.ok_or(AccessError::Unauthenticated)?;
        if self.lifetimes.end(&session) <= self.now() {
            return Err(AccessError::Expired);
        }
        Ok((session, owner))
    }
}
