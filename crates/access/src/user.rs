//! Users: who there is and with which role.
//!
//! There is always an admin: the last one can be neither deleted nor demoted, also
//! when two replicas try at once.

use crate::changes::Change;
use crate::password::Hashed;
use crate::sql::account::{self, Account};
use crate::{
    Access, AccessError, AuditEntry, Caller, Doer, GeneratedPassword, Proof, Result, Role, sql,
};
use base::{Name, SessionId, Timestamp, UserId};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::json;
use storage::Tx;

/// Held by whoever makes or unmakes an admin, so that two who take away the last
/// but one each do not take away both.
const ADMINS: i64 = 0x6c6f_6e67_7368_0002;
/// The user that a first start makes.
const FIRST: &str = "admin";

/// A user.
#[derive(Clone, Debug, Serialize)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Its name; no other user's differs from it by case alone.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its password was set last.
    pub password_changed_at: Timestamp,
    /// When it logged in last, on the console.
    pub last_login_at: Option<Timestamp>,
}

/// A user to be made. Without a password one is made up.
#[derive(Debug)]
pub struct NewUser {
    /// Its name.
    pub name: Name,
    /// What it may do.
    pub role: Role,
    /// Its password.
    pub password: Option<SecretString>,
}

/// Whose a session or a token is.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    pub(crate) id: UserId,
    pub(crate) name: String,
    pub(crate) role: Role,
}

impl From<&User> for Owner {
    fn from(user: &User) -> Self {
        Self {
            id: user.id,
            name: user.name.clone(),
            role: user.role,
        }
    }
}

pub(crate) fn subject(name: &str) -> String {
    format!("user:{name}")
}

impl Access {
    /// Makes the user `admin` when there is no user at all: with the given password, or
    /// with one that is made up and returned, only then. Safe when two replicas start at once.
    ///
    /// # Errors
    /// [`AccessError::WeakPassword`], or what the database says.
    pub async fn ensure_admin(
        &self,
        password: Option<SecretString>,
    ) -> Result<Option<GeneratedPassword>> {
        let core = &self.core;
        if account::any(&core.db).await? {
            return Ok(None);
        }
        let (hashed, generated) = self.hash_or_make_up(password).await?;
        let mut tx = core.db.begin().await?;
        tx.lock(ADMINS).await?;
        if account::any_in(&mut tx).await? {
            return Ok(None);
        }
        let user = self.user_of(FIRST, Role::Admin);
        account::insert(&mut tx, &user, &hashed).await?;
        core.record(&mut tx, created(&Doer::system(), &user))
            .await?;
        tx.commit().await?;
        Ok(generated)
    }

    /// Makes a user. Returns the password too when one was made up.
    ///
    /// # Errors
    /// [`AccessError::Exists`], [`AccessError::WeakPassword`].
    pub async fn create_user(
        &self,
        by: &Doer,
        new: NewUser,
    ) -> Result<(User, Option<GeneratedPassword>)> {
        let core = &self.core;
        let (hashed, generated) = self.hash_or_make_up(new.password).await?;
        let user = self.user_of(new.name.as_str(), new.role);
        let mut tx = core.db.begin().await?;
        if !account::insert(&mut tx, &user, &hashed).await? {
            return Err(AccessError::Exists {
                what: "user",
                name: user.name,
            });
        }
        core.record(&mut tx, created(by, &user)).await?;
        tx.commit().await?;
        Ok((user, generated))
    }

    /// Every user, by name.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn users(&self) -> Result<Vec<User>> {
        account::all(&self.core.db).await
    }

    /// One user, by name in any case.
    ///
    /// # Errors
    /// [`AccessError::NotFound`].
    pub async fn user(&self, name: &str) -> Result<User> {
        Ok(self.account(name).await?.user)
    }

    /// Gives a user another role, which holds at once, for its tokens and sessions too.
    ///
    /// # Errors
    /// [`AccessError::NotFound`], [`AccessError::LastAdmin`].
    pub async fn set_role(&self, by: &Doer, name: &str, role: Role) -> Result<User> {
        let core = &self.core;
        let mut tx = core.db.begin().await?;
        tx.lock(ADMINS).await?;
        let mut user = found(&mut tx, name).await?.user;
        if user.role == role {
            return Ok(user);
        }
        another_admin_stays(&mut tx, &user).await?;
        account::set_role(&mut tx, user.id, role).await?;
        let entry = AuditEntry::new(by, "user.role", subject(&user.name))
            .before(json!({ "role": user.role }))
            .after(json!({ "role": role }));
        core.record(&mut tx, entry).await?;
        core.commit(tx, Change::User(user.id)).await?;
        user.role = role;
        Ok(user)
    }

    /// Deletes a user with its sessions and tokens, which are refused at once.
    ///
    /// # Errors
    /// [`AccessError::NotFound`], [`AccessError::LastAdmin`].
    pub async fn delete_user(&self, by: &Doer, name: &str) -> Result<()> {
        let core = &self.core;
        let mut tx = core.db.begin().await?;
        tx.lock(ADMINS).await?;
        let user = found(&mut tx, name).await?.user;
        another_admin_stays(&mut tx, &user).await?;
        account::delete(&mut tx, user.id).await?;
        let entry = AuditEntry::new(by, "user.deleted", subject(&user.name))
            .before(json!({ "role": user.role }));
        core.record(&mut tx, entry).await?;
        core.commit(tx, Change::User(user.id)).await
    }

    /// Sets the caller's own password, for which it gives the present one again.
    /// Ends its sessions but the one that it calls with; tokens stay.
    ///
    /// # Errors
    /// [`AccessError::WrongPassword`], [`AccessError::WeakPassword`],
    /// [`AccessError::RateLimited`]: wrong ones count as failed log-ins.
    pub async fn change_password(
        &self,
        caller: &Caller,
        current: &SecretString,
        new: &SecretString,
    ) -> Result<()> {
        let checked = self
            .core
            .check_password(caller.name(), current, caller.address());
        match checked.await {
            Ok(account) if account.user.id == caller.user() => {}
            Ok(_) | Err(AccessError::Unauthenticated) => return Err(AccessError::WrongPassword),
            Err(error) => return Err(error),
        }
        let keep = match caller.proof() {
            Proof::Session(id) => Some(*id),
            Proof::Password | Proof::Token { .. } | Proof::AccessKey { .. } | Proof::Guest(_) => {
                None
            }
        };
        self.put_password(&caller.into(), caller.name(), new, keep)
            .await
    }

    /// Sets somebody's password, as an admin does. Ends all its sessions; tokens stay.
    ///
    /// # Errors
    /// [`AccessError::NotFound`], [`AccessError::WeakPassword`].
    pub async fn set_password(&self, by: &Doer, name: &str, new: &SecretString) -> Result<()> {
        self.put_password(by, name, new, None).await
    }

    /// Gives somebody who lost its password a new one that is made up, and forgets its
    /// failed attempts. Ends all its sessions; tokens stay.
    ///
    /// # Errors
    /// [`AccessError::NotFound`].
    pub async fn reset_password(&self, by: &Doer, name: &str) -> Result<GeneratedPassword> {
        let password = GeneratedPassword::new();
        self.put_password(by, name, password.secret(), None).await?;
        Ok(password)
    }

    async fn put_password(
        &self,
        by: &Doer,
        name: &str,
        new: &SecretString,
        keep: Option<SessionId>,
    ) -> Result<()> {
        let core = &self.core;
        // Before the hashing, which is work that nobody need do for nobody.
        self.account(name).await?;
        let hashed = core.passwords.hash(new).await?;
        let mut tx = core.db.begin().await?;
        let user = found(&mut tx, name).await?.user;
        account::set_password(&mut tx, user.id, &hashed, core.now()).await?;
        let ended = sql::session::delete_all(&mut tx, user.id, keep).await?;
        core.limit.forgive(&mut tx, &user.name).await?;
        let entry = AuditEntry::new(by, "user.password", subject(&user.name))
            .after(json!({ "sessions_ended": ended }));
        core.record(&mut tx, entry).await?;
        core.commit(tx, Change::Password(user.id)).await
    }

    pub(crate) async fn account(&self, name: &str) -> Result<Account> {
        // What is no name is nobody's, and need not trouble the database.
        let account = match name.parse::<Name>() {
            Ok(name) => account::by_name(&self.core.db, name.as_str()).await?,
            Err(_) => None,
        };
        account.ok_or(AccessError::missing("user"))
    }

    fn user_of(&self, name: &str, role: Role) -> User {
        let now = self.core.now();
        User {
            id: UserId::new(),
            name: name.to_owned(),
            role,
            created_at: now,
            password_changed_at: now,
            last_login_at: None,
        }
    }

    async fn hash_or_make_up(
        &self,
        password: Option<SecretString>,
    ) -> Result<(Hashed, Option<GeneratedPassword>)> {
        let passwords = &self.core.passwords;
        match password {
            Some(password) => Ok((passwords.hash(&password).await?, None)),
            None => {
                let generated = GeneratedPassword::new();
                let hashed = passwords.hash(generated.secret()).await?;
                Ok((hashed, Some(generated)))
            }
        }
    }
}

async fn found(tx: &mut Tx, name: &str) -> Result<Account> {
    let account = match name.parse::<Name>() {
        Ok(name) => account::by_name_in(tx, name.as_str()).await?,
        Err(_) => None,
    };
    account.ok_or(AccessError::missing("user"))
}

/// Refuses when `user` is the one admin that there is.
async fn another_admin_stays(tx: &mut Tx, user: &User) -> Result<()> {
    if user.role == Role::Admin && account::count(tx, Role::Admin).await? < 2 {
        return Err(AccessError::LastAdmin);
    }
    Ok(())
}

fn created(by: &Doer, user: &User) -> AuditEntry {
    AuditEntry::new(by, "user.created", subject(&user.name)).after(json!({ "role": user.role }))
}
