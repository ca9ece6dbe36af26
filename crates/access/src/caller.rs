//! Who calls, after every way of proving it has been reduced to one answer.

use crate::guest::{Asks, Guest, Identity};
use base::{AccessKeyId, Actor, SessionId, Timestamp, TokenId, UserId};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use uuid::Uuid;

/// What a user may do. Each role may do what the one before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees, and changes nothing.
    Viewer,
    /// Works: starts, cancels, uploads, deploys.
    Operator,
    /// Also decides who may: users, secrets, settings.
    Admin,
}

impl Role {
    /// The word that is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no role.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a role; use viewer, operator or admin")]
pub struct UnknownRole(String);

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Viewer, Self::Operator, Self::Admin]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// What a token may be used for; a user in person has every scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// See operations and their logs.
    #[serde(rename = "operations:read")]
    OperationsRead,
    /// Cancel, retry and schedule operations.
    #[serde(rename = "operations:write")]
    OperationsWrite,
    /// See and fetch bundles.
    #[serde(rename = "bundles:read")]
    BundlesRead,
    /// Make and delete bundles.
    #[serde(rename = "bundles:write")]
    BundlesWrite,
    /// List and get files.
    #[serde(rename = "files:read")]
    FilesRead,
    /// Put, change, share and delete files.
    #[serde(rename = "files:write")]
    FilesWrite,
    /// See syncs and their deliveries.
    #[serde(rename = "syncs:read")]
    SyncsRead,
    /// Run, pause and change syncs.
    #[serde(rename = "syncs:write")]
    SyncsWrite,
    /// Everything that the user's role allows, people and secrets included.
    #[serde(rename = "admin")]
    Admin,
}

impl Scope {
    /// Every scope, in the order in which they are offered.
    pub const ALL: [Self; 9] = [
        Self::OperationsRead,
        Self::OperationsWrite,
        Self::BundlesRead,
        Self::BundlesWrite,
        Self::FilesRead,
        Self::FilesWrite,
        Self::SyncsRead,
        Self::SyncsWrite,
        Self::Admin,
    ];

    /// The word that is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OperationsRead => "operations:read",
            Self::OperationsWrite => "operations:write",
            Self::BundlesRead => "bundles:read",
            Self::BundlesWrite => "bundles:write",
            Self::FilesRead => "files:read",
            Self::FilesWrite => "files:write",
            Self::SyncsRead => "syncs:read",
            Self::SyncsWrite => "syncs:write",
            Self::Admin => "admin",
        }
    }
}

/// A word that names no scope.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is not a scope; use operations:read, operations:write, bundles:read, bundles:write, files:read, files:write, syncs:read, syncs:write or admin"
)]
pub struct UnknownScope(String);

impl FromStr for Scope {
    type Err = UnknownScope;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

/// By what the caller proved who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A console session, by its cookie: what changes something needs the CSRF token too.
    Session(SessionId),
    /// A name and a password, sent with the request.
    Password,
    /// An API token, with what it may be used for.
    Token {
        /// Which token.
        id: TokenId,
        /// Its name.
        name: String,
        /// Its scopes.
        scopes: Vec<Scope>,
    },
    /// An access key with which an S3 client signed, with what it may be used for.
    AccessKey {
        /// Which key.
        id: AccessKeyId,
        /// Its name.
        name: String,
        /// Its scopes.
        scopes: Vec<Scope>,
    },
    /// Nothing that this program knows: somebody else decides what it may do.
    Guest(Arc<Guest>),
}

/// An identified caller, or a [`Guest`]. Only this crate's checks make one that is known.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(crate) user: UserId,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) proof: Proof,
    /// Which of its passwords it proved; 0 where it proved none.
    pub(crate) credential: i64,
    /// When the session or the token ends; a session that is used ends later.
    pub(crate) ends: Option<Timestamp>,
    pub(crate) address: IpAddr,
}

impl Caller {
    /// The user's id.
    #[must_use]
    pub const fn user(&self) -> UserId {
        self.user
    }

    /// The user's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The user's role.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// By what the caller proved it.
    #[must_use]
    pub const fn proof(&self) -> &Proof {
        &self.proof
    }

    /// When the session or the token ends that proves it, as far as is known by now. For
    /// whoever keeps a caller for long: ask [`Access::recheck`](crate::Access::recheck)
    /// then, for a session that was used meanwhile goes on.
    #[must_use]
    pub const fn ends_at(&self) -> Option<Timestamp> {
        self.ends
    }

    /// When the token or the access key ends that proves it, about which nobody need be asked
    /// again: unlike a session's, that end does not move.
    #[must_use]
    pub const fn fixed_end(&self) -> Option<Timestamp> {
        match self.proof {
            Proof::Token { .. } | Proof::AccessKey { .. } => self.ends,
            Proof::Session(_) | Proof::Password | Proof::Guest(_) => None,
        }
    }

    /// From where it calls.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// Whether it may do what needs `role` and, with a token, `scope`.
    #[must_use]
    pub fn may(&self, role: Role, scope: Scope) -> bool {
        let within = match &self.proof {
            Proof::Token { scopes, .. } | Proof::AccessKey { scopes, .. } => {
                scopes.contains(&scope) || scopes.contains(&Scope::Admin)
            }
            Proof::Session(_) | Proof::Password => true,
            // It passes this far; what it wants to do is asked of somebody else.
            Proof::Guest(_) => matches!(scope, Scope::FilesRead | Scope::FilesWrite),
        };
        self.role >= role && within
    }

    /// As it is recorded with what it does.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match &self.proof {
            Proof::Token { name, .. } => Actor::token(&self.name, name),
            Proof::AccessKey { name, .. } => Actor::access_key(&self.name, name),
            Proof::Session(_) | Proof::Password => Actor::user(&self.name),
            Proof::Guest(guest) => {
                Actor::authoriser(guest.identity().and_then(|known| known.name.as_deref()))
            }
        }
    }

    /// Somebody who is not known here, and for whom another one will be asked. It may
    /// nothing until then: whoever takes it in has to ask.
    #[must_use]
    pub fn guest(asks: Asks, address: IpAddr) -> Self {
        Self::of_guest(Guest::asking(asks), address)
    }

    /// Somebody for whom another one was asked earlier, and who said who it is.
    #[must_use]
    pub fn vouched(identity: Identity, address: IpAddr) -> Self {
        Self::of_guest(Guest::vouched(identity), address)
    }

    fn of_guest(guest: Guest, address: IpAddr) -> Self {
        Self {
            user: UserId::from(Uuid::nil()),
            name: "guest".to_owned(),
            role: Role::Viewer,
            proof: Proof::Guest(Arc::new(guest)),
            credential: 0,
            ends: None,
            address,
        }
    }

    /// The guest that it is, where nobody here knows it.
    #[must_use]
    pub fn as_guest(&self) -> Option<&Guest> {
        match &self.proof {
            Proof::Guest(guest) => Some(guest),
            _ => None,
        }
    }
}

#[cfg(feature = "test-callers")]
impl Caller {
    /// A caller that nobody has checked, for tests of what stands behind the checks.
    #[must_use]
    pub fn for_test(name: &str, role: Role, proof: Proof) -> Self {
        Self {
            user: UserId::new(),
            name: name.to_owned(),
            role,
            proof,
            credential: 0,
            ends: None,
            address: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        }
    }

    /// The same with an end, for the same tests.
    #[must_use]
    pub const fn ending_at(mut self, ends: Timestamp) -> Self {
        self.ends = Some(ends);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_and_the_refusal_name_every_scope() {
        let manual = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/access.md");
        let manual = std::fs::read_to_string(manual).expect("it is there");
        let tokens = manual.split("**Tokens**").nth(1).expect("a paragraph");
        let tokens = tokens.split("\n\n").next().expect("a paragraph");
        let refusal = "nothing"
            .parse::<Scope>()
            .expect_err("no scope")
            .to_string();
        for scope in Scope::ALL {
            let word = scope.as_str();
            assert!(tokens.contains(&format!("`{word}`")), "{word}");
            assert!(refusal.contains(word), "{word}");
        }
    }
}
