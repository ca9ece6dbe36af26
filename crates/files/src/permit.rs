//! Who may do what in a bucket: by role where the bucket says so, and in public ones
//! everybody may read.

use crate::bucket::Bucket;
use crate::{Error, Files, Result};
use access::{Caller, Role, Scope};
use base::Actor;
use uuid::Uuid;

/// What may be done with files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    const fn verb(self) -> &'static str {
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
    pub async fn permit(
        &self,
        caller: Option<&Caller>,
        bucket: &Bucket,
        path: &str,
        permission: Permission,
    ) -> Result<()> {
        let _ = path;
        if permission == Permission::Read && bucket.public_read {
            return Ok(());
        }
        let Some(caller) = caller else {
            return Err(Error::Anonymous);
        };
        let (role, scope) = permission.needs();
        let by_role = bucket.by_role || caller.role() == Role::Admin;
        if by_role && caller.may(role, scope) {
            return Ok(());
        }
        Err(Error::Forbidden {
            what: permission.verb(),
        })
    }
}
