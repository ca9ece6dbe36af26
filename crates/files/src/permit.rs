//! Who may do what in a bucket: by role where the bucket says so, by grants, and in
//! public ones everybody may read. Of a guest, whom nobody here knows, the endpoint of the
//! bucket is asked ([`crate::authoriser`]).

use crate::authoriser::Question;
use crate::bucket::{AuthorisedBy, Bucket};
use crate::{Error, Files, Result};
use access::{Caller, Guest, Identity, Role, Scope};
use base::Actor;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// What accounts of guests without a name are made with.
const PURPOSE: &str = "guest";

/// What may be done with files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// Get contents.
    Read,
    /// See which files there are.
    List,
    /// Put, overwrite, describe, and bring back what was deleted.
    Write,
    /// Delete, and remove for good what was deleted.
    Delete,
    /// Give links to others.
    Share,
}

impl Permission {
    /// Every one.
    pub const ALL: [Self; 5] = [
        Self::Read,
        Self::List,
        Self::Write,
        Self::Delete,
        Self::Share,
    ];

    pub(crate) const fn verb(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::List => "list",
            Self::Write => "write",
            Self::Delete => "delete",
            Self::Share => "share",
        }
    }

    /// What of roles and scopes it takes where roles open the bucket.
    const fn needs(self) -> (Role, Scope) {
        match self {
            Self::Read | Self::List => (Role::Viewer, Scope::FilesRead),
            Self::Write | Self::Delete | Self::Share => (Role::Operator, Scope::FilesWrite),
        }
    }
}

/// Who puts something: for the record and for quotas.
#[derive(Clone, Debug)]
pub struct Writer {
    /// As it is recorded.
    pub actor: Actor,
    /// The user whose quota it counts against.
    pub account: Option<Uuid>,
}

impl From<&Caller> for Writer {
    fn from(caller: &Caller) -> Self {
        let account = match caller.as_guest() {
            Some(guest) => guest.identity().map(|identity| identity.account),
            None => Some(caller.user().uuid()),
        };
        Self {
            actor: caller.actor(),
            account,
        }
    }
}

impl Files {
    /// Whether this caller may do this with what lies at `path`, or below it where it is
    /// a folder.
    ///
    /// # Errors
    /// [`Error::Anonymous`] where a name and a password may help, [`Error::Undecided`] where
    /// somebody else decides and does not, or else [`Error::Forbidden`].
    pub async fn permit(
        &self,
        caller: Option<&Caller>,
        bucket: &Bucket,
        path: &str,
        permission: Permission,
    ) -> Result<()> {
        if self.may(caller, bucket, path, permission) {
            return Ok(());
        }
        let Some(caller) = caller else {
            return Err(Error::Anonymous);
        };
        if let Some(guest) = caller.as_guest() {
            let asked = (bucket, path, permission);
            // Guests are few, and all would have to make room for the question.
            return Box::pin(self.permit_guest(caller, guest, asked)).await;
        }
        Err(Error::Forbidden {
            what: permission.verb(),
        })
    }

    /// Asks whether a guest may do this, and notes who it is.
    async fn permit_guest(
        &self,
        caller: &Caller,
        guest: &Guest,
        (bucket, path, permission): (&Bucket, &str, Permission),
    ) -> Result<()> {
        let forbidden = Error::Forbidden {
            what: permission.verb(),
        };
        let asked_elsewhere = bucket.authoriser == AuthorisedBy::Endpoint;
        let Some(asks) = guest.asks() else {
            // It was asked about when it signed what it comes back with.
            let stands = asked_elsewhere && self.authoriser().is_set();
            return if stands { Ok(()) } else { Err(forbidden) };
        };
        if !asked_elsewhere {
            return Err(forbidden);
        }
        let question = Question {
            asks,
            address: caller.address(),
            bucket: bucket.name.as_str(),
            file: path,
            permission,
        };
        let answer = self.authoriser().ask(self.shared_cache(), &question).await;
        match answer {
            Some(answer) if answer.allows(permission) => {
                let identity = self.identity_of(caller, answer.identity.as_deref());
                if guest.introduce(identity) {
                    return Ok(());
                }
                tracing::warn!("the authoriser named two identities for one request");
                Err(Error::Undecided)
            }
            _ if !question.has_credentials() => Err(Error::Anonymous),
            Some(_) => Err(forbidden),
            None => Err(Error::Undecided),
        }
    }

    /// Who a guest is said to be, with what stands for it in quotas: made of its name, or
    /// where it has none, of what it proved itself with, which nobody can read out of it.
    fn identity_of(&self, caller: &Caller, name: Option<&str>) -> Identity {
        let asks = caller.as_guest().and_then(Guest::asks);
        let digest: [u8; 32] = if let Some(name) = name {
            Sha256::digest(format!("authoriser:{name}")).into()
        } else {
            let key = self.access().signing_key(PURPOSE);
            let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.expose())
                .expect("HMAC takes a key of any length");
            let credentials = asks.and_then(|asks| asks.authorization.clone());
            match credentials {
                Some(credentials) => mac.update(credentials.as_bytes()),
                None => mac.update(caller.address().to_string().as_bytes()),
            }
            mac.finalize().into_bytes().into()
        };
        let mut account = [0; 16];
        account.copy_from_slice(&digest[..16]);
        Identity {
            name: name.map(str::to_owned),
            account: Uuid::from_bytes(account),
        }
    }

    pub(crate) fn may(
        &self,
        caller: Option<&Caller>,
        bucket: &Bucket,
        path: &str,
        permission: Permission,
    ) -> bool {
        if permission == Permission::Read && bucket.public_read {
            return true;
        }
        let Some(caller) = caller else {
            return false;
        };
        // Nobody here knows what a guest may.
        if caller.as_guest().is_some() {
            return false;
        }
        let (role, scope) = permission.needs();
        // A grant lifts the role, and never what a token may be used for.
        if !caller.may(Role::Viewer, scope) {
            return false;
        }
        let admin = caller.role() == Role::Admin;
        let by_role = admin || (bucket.by_role && caller.role() >= role);
        let grants = self.buckets().grants();
        grants.permit(caller, by_role, bucket.id, path, permission)
    }
}
