//! API tokens: what a program proves itself with.
//!
//! A token is `lsh_`, 43 random characters (256 bits) and 6 of checksum, so that it is
//! recognised where it should not be (secret scanners), and a mistyped one is refused
//! without a look into the database. It is shown once and stored as its SHA-256 only.

use crate::changes::Change;
use crate::core::Core;
use crate::session::stored;
use crate::user::{Owner, subject};
use crate::{Access, AccessError, AuditEntry, Caller, Proof, Result, Role, Scope, sql};
use base::{Name, Timestamp, TokenId, UserId};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// How every token begins.
pub const PREFIX: &str = "lsh_";
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 43 characters of 62 are 256 bits.
const RANDOM: usize = 43;
/// 6 characters of 62 hold 32 bits.
const CHECKSUM: usize = 6;
/// By which its owner knows it again.
const ENDING: usize = 4;
/// Tokens that one user has at most.
const MOST: u64 = 200;

/// A token, without what proves it.
#[derive(Clone, Debug, Serialize)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// Whose it is, by name.
    pub user: String,
    /// Its name, one of its kind among its user's.
    pub name: String,
    /// Its last four characters.
    pub ending: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends, if ever.
    pub expires_at: Option<Timestamp>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Its name.
    pub name: Name,
    /// What it may be used for: at least one.
    pub scopes: Vec<Scope>,
    /// For how long, or for ever.
    pub expires_in: Option<Duration>,
}

/// A new token's text.
fn make() -> String {
    let mut text = PREFIX.to_owned();
    for _ in 0..RANDOM {
        text.push(char::from(ALPHABET[rand::random_range(0..ALPHABET.len())]));
    }
    let sum = checksum(&text);
    text.push_str(&sum);
    text
}

/// The first 32 bits of SHA-256 over all that stands before it, in base 62.
fn checksum(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let mut rest = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    let mut digits = [0_u8; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    String::from_utf8_lossy(&digits).into_owned()
}

/// Whether a text has the form of a token, checksum included.
fn well_formed(text: &str) -> bool {
    text.starts_with(PREFIX)
        && text.is_ascii()
        && text.len() == PREFIX.len() + RANDOM + CHECKSUM
        && checksum(&text[..PREFIX.len() + RANDOM]) == text[PREFIX.len() + RANDOM..]
}

impl Access {
    /// Makes a token for the caller. Its text is returned this once. One that is made
    /// with a token ends no later than that.
    ///
    /// # Errors
    /// [`AccessError::Exists`], [`AccessError::ScopeExceeded`] when the caller uses a
    /// token that may do less, [`AccessError::Invalid`] without a scope, with too many
    /// tokens, or without an end when the caller uses a token that has one.
    pub async fn create_token(
        &self,
        caller: &Caller,
        new: NewToken,
    ) -> Result<(SecretString, Token)> {
        let core = &self.core;
        let mut scopes = new.scopes;
        scopes.sort_by_key(|scope| scope.as_str());
        scopes.dedup();
        if scopes.is_empty() {
            let reason = "A token needs at least one scope.";
            return Err(AccessError::invalid("scopes", reason));
        }
        if let Some(scope) = scopes
            .iter()
            .find(|scope| !caller.may(Role::Viewer, **scope))
        {
            return Err(AccessError::ScopeExceeded { scope: *scope });
        }
        if new.expires_in.is_some_and(|span| span.is_zero()) {
            let reason = "A token lives for at least a moment.";
            return Err(AccessError::invalid("expires_in", reason));
        }
        let text = make();
        let now = core.now();
        let expires_at = lifetime(caller, new.expires_in, now)?;
        let token = Token {
            id: TokenId::new(),
            user: caller.name().to_owned(),
            name: new.name.into(),
            ending: text[text.len() - ENDING..].to_owned(),
            scopes,
            created_at: now,
            expires_at,
            last_used_at: None,
        };
        let mut tx = core.db.begin().await?;
        if sql::token::count(&mut tx, caller.user()).await? >= MOST {
            let reason = format!("A user has at most {MOST} tokens; delete some first.");
            return Err(AccessError::invalid("name", reason));
        }
        if !sql::token::insert(&mut tx, caller.user(), &token, &stored(&text)).await? {
            return Err(AccessError::Exists {
                what: "token",
                name: token.name,
            });
        }
        let entry = AuditEntry::new(&caller.into(), "token.created", subject_of(&token))
            .after(shape(&token));
        core.record(&mut tx, entry).await?;
        tx.commit().await?;
        Ok((text.into(), token))
    }

    /// A user's tokens, or everybody's.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn tokens(&self, of: Option<UserId>) -> Result<Vec<Token>> {
        sql::token::list(&self.core.db, of).await
    }

    /// Deletes a token of the caller, or with the caller as an admin anybody's. It
    /// is refused at once.
    ///
    /// # Errors
    /// [`AccessError::NotFound`], also when it is another user's.
    pub async fn delete_token(&self, caller: &Caller, id: TokenId) -> Result<()> {
        let core = &self.core;
        let found = sql::token::by_id(&core.db, id).await?;
        let admin = caller.may(Role::Admin, Scope::Admin);
        let (token, owner) = found
            .filter(|(_, owner)| admin || owner.id == caller.user())
            .ok_or(AccessError::missing("token"))?;
        let mut tx = core.db.begin().await?;
        if !sql::token::delete(&mut tx, id).await? {
            return Err(AccessError::missing("token"));
        }
        let entry = AuditEntry::new(&caller.into(), "token.deleted", subject_of(&token))
            .before(shape(&token));
        core.record(&mut tx, entry).await?;
        core.commit(tx, Change::User(owner.id)).await
    }
}

impl Core {
    /// The owner of a token and what it proves, if it lives; with it, when it ends.
    pub(crate) async fn find_token(&self, text: &str) -> Result<(Token, Owner)> {
        if !well_formed(text) {
            return Err(AccessError::Unauthenticated);
        }
        let found = sql::token::by_hash(&self.db, &stored(text)).await?;
        let (token, owner) = found.ok_or(AccessError::Unauthenticated)?;
        if token.expires_at.is_some_and(|end| end <= self.now()) {
            return Err(AccessError::Expired);
        }
        Ok((token, owner))
    }
}

/// When a new token ends. No token makes one that outlives it: who has stolen one that
/// ends tomorrow could otherwise stay for ever.
pub(crate) fn lifetime(
    caller: &Caller,
    wanted: Option<Duration>,
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    let wanted = wanted.map(|span| now.plus(span));
    let (Proof::Token { .. }, Some(ends)) = (caller.proof(), caller.ends_at()) else {
        return Ok(wanted);
    };
    let reason = "A token that ends cannot make one without an end; say for how long.";
    let wanted = wanted.ok_or_else(|| AccessError::invalid("expires_in", reason))?;
    Ok(Some(wanted.min(ends)))
}

impl From<Token> for Proof {
    fn from(token: Token) -> Self {
        Self::Token {
            id: token.id,
            name: token.name,
            scopes: token.scopes,
        }
    }
}

fn subject_of(token: &Token) -> String {
    format!("token:{}/{}", token.user, token.name)
}

fn shape(token: &Token) -> serde_json::Value {
    json!({
        "id": token.id,
        "owner": subject(&token.user),
        "scopes": token.scopes,
        "expires_at": token.expires_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_recognised_and_a_mistyped_one_is_not() {
        let text = make();
        assert!(well_formed(&text), "{text}");
        assert_eq!(text.len(), 53);
        for index in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[index] = if bytes[index] == b'x' { b'y' } else { b'x' };
            let changed = String::from_utf8(bytes).expect("still ASCII");
            assert!(!well_formed(&changed), "{index}");
            assert!(!well_formed(&text[..index]));
        }
        assert!(!well_formed(&"é".repeat(30)));
    }

    #[test]
    fn two_tokens_differ() {
        assert_ne!(make(), make());
    }
}
