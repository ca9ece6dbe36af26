//! Grants: what a user or a token may do with the paths of a bucket that begin with a
//! prefix.
//!
//! What is granted to a user is added to what its role opens. A token that has grants of
//! its own is held to them, everywhere, within what its user may. All grants are in
//! memory with the buckets ([`crate::bucket::Buckets`]), so that asking costs no query.

use crate::bucket::Bucket;
use crate::path::FilePath;
use crate::permit::Permission;
use crate::{Error, Files, Result, sql};
use access::{AuditEntry, Caller, Doer, Proof};
use base::{BucketId, GrantId, Timestamp, TokenId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The most grants of a bucket: they are all in memory.
const MOST: usize = 1000;

/// Whose a grant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// A user.
    User(UserId),
    /// A token.
    Token(TokenId),
    /// A key of S3 clients.
    AccessKey(uuid::Uuid),
}

impl Holder {
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Token(_) => "token",
            Self::AccessKey(_) => "key",
        }
    }

    pub(crate) const fn uuid(self) -> uuid::Uuid {
        match self {
            Self::User(id) => id.uuid(),
            Self::Token(id) => id.uuid(),
            Self::AccessKey(id) => id,
        }
    }

    /// Nothing for a kind that a newer version may know.
    pub(crate) fn stored(kind: &str, id: uuid::Uuid) -> Option<Self> {
        match kind {
            "user" => Some(Self::User(id.into())),
            "token" => Some(Self::Token(id.into())),
            "key" => Some(Self::AccessKey(id)),
            _ => None,
        }
    }
}

/// A set of permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions(u8);

impl Permissions {
    /// Whether this one is among them.
    #[must_use]
    pub const fn has(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u8) != 0
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL
            .into_iter()
            .filter(move |one| self.has(*one))
    }

    pub(crate) fn text(self) -> String {
        let words: Vec<&str> = self.iter().map(Permission::verb).collect();
        words.join(",")
    }

    /// Words that a newer version may know say nothing.
    pub(crate) fn stored(text: &str) -> Self {
        let known = |word| Permission::ALL.into_iter().find(|one| one.verb() == word);
        text.split(',').filter_map(known).collect()
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<T: IntoIterator<Item = Permission>>(permissions: T) -> Self {
        let bits = permissions.into_iter().map(|one| 1 << one as u8);
        Self(bits.fold(0, |all, bit| all | bit))
    }
}

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// In which bucket.
    pub bucket: BucketId,
    /// What the paths begin with; nothing is all of them.
    pub prefix: String,
    /// Whose it is.
    pub holder: Holder,
    /// What it allows.
    pub permissions: Permissions,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

impl Grant {
    fn allows(&self, path: &str, permission: Permission) -> bool {
        self.permissions.has(permission) && path.starts_with(&self.prefix)
    }
}

/// A grant to be made.
#[derive(Clone, Debug)]
pub struct NewGrant {
    /// Whose it shall be.
    pub holder: Holder,
    /// What the paths begin with.
    pub prefix: String,
    /// What it allows.
    pub permissions: Permissions,
}

/// What a caller may do with paths that begin so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Within {
    /// What they begin with.
    pub prefix: String,
    /// What it may do there.
    pub actions: Vec<Permission>,
}

/// All grants, as they are asked for.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    by_holder: HashMap<(BucketId, Holder), Vec<Grant>>,
    /// Who has any.
    holders: HashSet<Holder>,
}

impl Grants {
    pub(crate) fn new(grants: Vec<Grant>) -> Self {
        let mut all = Self::default();
        for grant in grants {
            all.holders.insert(grant.holder);
            let key = (grant.bucket, grant.holder);
            all.by_holder.entry(key).or_default().push(grant);
        }
        all
    }

    fn of(&self, bucket: BucketId, holder: Holder) -> &[Grant] {
        self.by_holder
            .get(&(bucket, holder))
            .map_or(&[], Vec::as_slice)
    }

    fn allow(&self, bucket: BucketId, holder: Holder, path: &str, permission: Permission) -> bool {
        let grants = self.of(bucket, holder);
        grants.iter().any(|grant| grant.allows(path, permission))
    }

    /// What holds this caller: a token with grants of its own.
    pub(crate) fn holding(&self, caller: &Caller) -> Option<Holder> {
        match caller.proof() {
            Proof::Token { id, .. } => {
                let token = Holder::Token(*id);
                self.holders.contains(&token).then_some(token)
            }
            Proof::AccessKey { id, .. } => {
                let key = Holder::AccessKey(id.uuid());
                self.holders.contains(&key).then_some(key)
            }
            Proof::Session(_) | Proof::Password | Proof::Guest(_) => None,
        }
    }

    /// Whether this caller may, `by_role` or by a grant. Its token's scope is another
    /// question.
    pub(crate) fn permit(
        &self,
        caller: &Caller,
        by_role: bool,
        bucket: BucketId,
        path: &str,
        permission: Permission,
    ) -> bool {
        let user = Holder::User(caller.user());
        let may = by_role || self.allow(bucket, user, path, permission);
        let held = self.holding(caller);
        may && held.is_none_or(|token| self.allow(bucket, token, path, permission))
    }

    /// The prefixes of the grants that are about this caller, each once.
    pub(crate) fn prefixes(&self, caller: &Caller, bucket: BucketId) -> Vec<&str> {
        let user = self.of(bucket, Holder::User(caller.user()));
        let token = self
            .holding(caller)
            .map_or(&[][..], |token| self.of(bucket, token));
        let both = user.iter().chain(token);
        let mut prefixes: Vec<&str> = both.map(|grant| grant.prefix.as_str()).collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        prefixes
    }
}

impl Files {
    /// Grants somebody something.
    ///
    /// # Errors
    /// [`Error::NoBucket`], or [`Error::Setting`] for what makes no sense.
    pub async fn grant(&self, by: &Doer, bucket: &Bucket, new: NewGrant) -> Result<Grant> {
        if new.permissions.is_empty() {
            return Err(Error::Setting("a grant allows at least one thing"));
        }
        if !new.prefix.is_empty() {
            new.prefix.parse::<FilePath>()?;
        }
        let grant = Grant {
            id: GrantId::new(),
            bucket: bucket.id,
            prefix: new.prefix,
            holder: new.holder,
            permissions: new.permissions,
            created_at: self.now(),
            created_by: by.actor().as_str().to_owned(),
        };
        let mut tx = self.db().begin().await?;
        if !sql::bucket::hold(&mut tx, bucket.id).await? {
            return Err(Error::NoBucket(bucket.name.to_string()));
        }
        if sql::grant::count(&mut tx, bucket.id).await? >= MOST {
            return Err(Error::Setting("a bucket has at most 1000 grants"));
        }
        sql::grant::insert(&mut tx, &grant).await?;
        sql::bucket::count_change(&mut tx).await?;
        let entry = AuditEntry::new(by, "grant.created", subject(bucket)).after(shape(&grant));
        self.access().audit_in(&mut tx, entry).await?;
        tx.commit().await?;
        self.buckets().changed().await?;
        Ok(grant)
    }

    /// Takes a grant back.
    ///
    /// # Errors
    /// [`Error::NoGrant`].
    pub async fn revoke(&self, by: &Doer, bucket: &Bucket, id: GrantId) -> Result<()> {
        let mut tx = self.db().begin().await?;
        let grant = sql::grant::take(&mut tx, bucket.id, id).await?;
        let grant = grant.ok_or(Error::NoGrant)?;
        sql::bucket::count_change(&mut tx).await?;
        let entry = AuditEntry::new(by, "grant.deleted", subject(bucket)).before(shape(&grant));
        self.access().audit_in(&mut tx, entry).await?;
        tx.commit().await?;
        self.buckets().changed().await
    }

    /// Of those who have grants in a bucket, who is there no more. Ids are never used again.
    pub(crate) async fn gone_holders(&self, bucket: &Bucket) -> Result<HashSet<Holder>> {
        let grants = self.grants_of(bucket).await?.into_iter();
        let mut holders: HashSet<Holder> = grants.map(|grant| grant.holder).collect();
        for token in self.access().tokens(None).await? {
            holders.remove(&Holder::Token(token.id));
        }
        for key in self.access().access_keys(None).await? {
            holders.remove(&Holder::AccessKey(key.id.uuid()));
        }
        Ok(holders)
    }

    /// All grants of a bucket, by prefix.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn grants_of(&self, bucket: &Bucket) -> Result<Vec<Grant>> {
        Ok(sql::grant::of_bucket(self.db(), bucket.id).await?)
    }

    /// Where in a bucket grants allow this caller something, and what.
    pub(crate) fn within(&self, caller: &Caller, bucket: &Bucket) -> Vec<Within> {
        let grants = self.buckets().grants();
        let prefixes = grants.prefixes(caller, bucket.id).into_iter();
        let within = prefixes.map(|prefix| Within {
            prefix: prefix.to_owned(),
            actions: Permission::ALL
                .into_iter()
                .filter(|permission| self.may(Some(caller), bucket, prefix, *permission))
                .collect(),
        });
        within.filter(|within| !within.actions.is_empty()).collect()
    }

    /// The folders and beginnings of paths that this caller may list, none of them
    /// within another, in order.
    pub(crate) fn listable(&self, caller: &Caller, bucket: &Bucket) -> Vec<String> {
        if self.may(Some(caller), bucket, "", Permission::List) {
            return vec![String::new()];
        }
        let mut prefixes: Vec<String> = Vec::new();
        for within in self.within(caller, bucket) {
            let known = prefixes
                .last()
                .is_some_and(|last| within.prefix.starts_with(last));
            if within.actions.contains(&Permission::List) && !known {
                prefixes.push(within.prefix);
            }
        }
        prefixes
    }

    /// Refuses to let a token with grants of its own change buckets and what anybody may there,
    /// or have itself told of them: it would otherwise let itself out.
    ///
    /// # Errors
    /// [`Error::Held`].
    pub(crate) fn not_held(&self, caller: &Caller) -> Result<()> {
        match self.buckets().grants().holding(caller) {
            None => Ok(()),
            Some(_) => Err(Error::Held),
        }
    }
}

pub(crate) type SharedGrants = Arc<Grants>;

fn subject(bucket: &Bucket) -> String {
    format!("bucket:{}", bucket.name)
}

fn shape(grant: &Grant) -> serde_json::Value {
    json!({
        "id": grant.id,
        "prefix": grant.prefix,
        grant.holder.kind(): grant.holder.uuid(),
        "permissions": grant.permissions.iter().collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests;
