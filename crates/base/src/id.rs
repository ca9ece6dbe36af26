//! Identifiers. Each is a UUIDv7 in a type of its own, so that the id of a user
//! is never taken for that of an operation, and ids sort by time of creation.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, later in order than every one made before it by this process.
            #[must_use]
            #[allow(clippy::new_without_default, reason = "a default id would be a surprise")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The UUID itself, for the database.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(value: Uuid) -> Self {
                Self(value)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

id!(/// An operation: a piece of work that takes time.
    OperationId);
id!(/// A bundle. It is the id of the operation that makes it, too.
    BundleId);
id!(/// A schedule that starts operations.
    ScheduleId);
id!(/// A user.
    UserId);
id!(/// A console session.
    SessionId);
id!(/// An API token.
    TokenId);
id!(/// An access key of an S3 client.
    AccessKeyId);
id!(/// A file that comes in parts.
    PartedId);
id!(/// A bucket of files.
    BucketId);
id!(/// A content that is or was at a path of a bucket.
    FileId);
id!(/// Somebody who is told of what happens to files.
    WebhookId);
id!(/// A file that comes in parts, over breaks.
    UploadId);
id!(/// A grant: what somebody may do in a bucket.
    GrantId);
id!(/// A share: a link to a file or a folder.
    ShareId);
id!(/// A sync: a rule of what is delivered to where.
    SyncId);
id!(/// A delivery: how far one file is under one sync.
    DeliveryId);

impl From<OperationId> for BundleId {
    fn from(value: OperationId) -> Self {
        Self(value.uuid())
    }
}

impl From<BundleId> for OperationId {
    fn from(value: BundleId) -> Self {
        Self(value.uuid())
    }
}
