//! Who may do what in a bucket: by role where the bucket says so, by grants, and in
//! public ones everybody may read.

use crate::bucket::Bucket;
use crate::{Error, Files, Result};
use access::{Caller, Role, Scope};
use base::Actor;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What may be done with files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// Get contents.
    Read,
    /// See which files there are.
    List,
    /// Put, overwrite and describe.
    Write,
    /// Delete and restore.
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
        Self {
            actor: caller.actor(),
            account: Some(caller.user().uuid()),
        }
    }
}

impl Files {
    /// Whether this caller may do this with what lies at `path`, or below it where it is
    /// a folder.
    ///
    /// # Errors
    /// [`Error::Anonymous`] where a name and a password may help, or else [`Error::Forbidden`].
    // What is asked outside of this process comes in here, too.
    #[allow(
        clippy::unused_async,
        reason = "callers are ready for one that asks elsewhere"
    )]
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
        if caller.is_none() {
            return Err(Error::Anonymous);
        }
        Err(Error::Forbidden {
            what: permission.verb(),
        })
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
