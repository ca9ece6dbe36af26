//! Making, changing and removing buckets.

use super::{AuthorisedBy, Bucket, BucketName, Storage, Usage, host_name};
use crate::grant::Holder;
use crate::{Error, Files, Result, sql};
use access::{AuditEntry, Doer};
use base::{BucketId, Name};
use serde::Deserialize;
use serde_json::json;
use std::collections::HashSet;
use std::sync::Arc;
use storage::Tx;

/// The longest time in the trash: ten years.
const MOST_TRASH: u64 = 10 * 365 * 86_400;
/// The most host names of a bucket.
const MOST_HOSTS: usize = 32;

/// How a deleted file stays, unless its bucket says otherwise: a week.
const USUAL_TRASH: u64 = 7 * 86_400;

/// A bucket to be made.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBucket {
    /// 3 to 63 of the characters a to z, 0 to 9, `-` and `.`.
    pub name: String,
    /// Where its bytes shall lie; on the disk of this server, when absent.
    pub storage: Option<Storage>,
    /// Everything else, as in a change.
    #[serde(default)]
    pub settings: BucketChange,
}

/// What changes of a bucket; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BucketChange {
    /// The host names on which it answers by itself.
    pub hosts: Option<Vec<String>>,
    /// Whether what is overwritten or deleted stays as a version.
    pub versions: Option<bool>,
    /// Whether anybody may read it without a password.
    pub public_read: Option<bool>,
    /// Whether roles open it, or grants alone.
    pub by_role: Option<bool>,
    /// Who decides about those whom Longshore does not know: `endpoint` is the one of
    /// `authoriser.url`.
    pub authoriser: Option<AuthorisedBy>,
    /// Seconds that a deleted file stays in the trash; 0 is not at all.
    #[schema(maximum = 315_360_000)]
    pub trash_seconds: Option<u64>,
    /// Bytes that it may hold; 0 is without limit.
    pub quota_bytes: Option<u64>,
    /// Files that it may hold; 0 is without limit.
    pub quota_files: Option<u64>,
    /// Bytes that one user may have in it; 0 is without limit.
    pub user_quota_bytes: Option<u64>,
    /// From so many bytes on, a download is a redirect to a signed address; 0 is never.
    pub redirect_above: Option<u64>,
}

impl BucketChange {
    fn apply(self, bucket: &mut Bucket) -> Result<()> {
        if let Some(hosts) = self.hosts {
            if hosts.len() > MOST_HOSTS {
                return Err(Error::Setting("a bucket has at most 32 host names"));
            }
            let mut hosts = hosts
                .iter()
                .map(|host| host_name(host))
                .collect::<Result<Vec<_>>>()?;
            hosts.sort();
            hosts.dedup();
            bucket.hosts = hosts;
        }
        if let Some(seconds) = self.trash_seconds {
            if seconds > MOST_TRASH {
                return Err(Error::Setting(
                    "a deleted file stays in the trash for at most ten years",
                ));
            }
            bucket.trash_seconds = seconds;
        }
        let set = |to: &mut bool, value: Option<bool>| *to = value.unwrap_or(*to);
        set(&mut bucket.versions, self.versions);
        set(&mut bucket.public_read, self.public_read);
        set(&mut bucket.by_role, self.by_role);
        bucket.authoriser = self.authoriser.unwrap_or(bucket.authoriser);
        let limit = |to: &mut Option<u64>, value: Option<u64>| match value {
            None => {}
            Some(0) => *to = None,
            Some(some) => *to = Some(some),
        };
        limit(&mut bucket.quota_bytes, self.quota_bytes);
        limit(&mut bucket.quota_files, self.quota_files);
        limit(&mut bucket.user_quota_bytes, self.user_quota_bytes);
        limit(&mut bucket.redirect_above, self.redirect_above);
        Ok(())
    }
}

impl Files {
    /// Makes a bucket.
    ///
    /// # Errors
    /// [`Error::BucketExists`], [`Error::HostTaken`], or a setting that makes no sense.
    pub async fn create_bucket(&self, by: &Doer, new: NewBucket) -> Result<Arc<Bucket>> {
        let name: BucketName = new.name.parse()?;
        let mut bucket = Bucket {
            id: BucketId::new(),
            name,
            storage: new.storage.unwrap_or(Storage::Disk {}),
            hosts: Vec::new(),
            versions: false,
            public_read: false,
            by_role: true,
            authoriser: AuthorisedBy::Builtin,
            trash_seconds: USUAL_TRASH,
            quota_bytes: None,
            quota_files: None,
            user_quota_bytes: None,
            redirect_above: None,
            created_at: self.now(),
        };
        self.can_be_asked(&new.settings)?;
        new.settings.apply(&mut bucket)?;
        self.check_store(&bucket.storage).await?;
        let mut tx = self.db().begin().await?;
        if !sql::bucket::insert(&mut tx, &bucket, by.actor()).await? {
            // Every name of a bucket is a name.
            let name: Result<Name, _> = bucket.name.as_str().parse();
            return Err(name.map_or(Error::BucketName, Error::BucketExists));
        }
        give_hosts(&mut tx, &bucket).await?;
        sql::bucket::count_change(&mut tx).await?;
        let entry = AuditEntry::new(by, "bucket.created", subject(&bucket)).after(shown(&bucket));
        self.access().audit_in(&mut tx, entry).await?;
        tx.commit().await?;
        self.buckets().changed().await?;
        Ok(Arc::new(bucket))
    }

    /// Changes a bucket's rules.
    ///
    /// # Errors
    /// [`Error::NoBucket`], [`Error::HostTaken`], or a setting that makes no sense.
    pub async fn change_bucket(
        &self,
        by: &Doer,
        bucket: &Bucket,
        change: BucketChange,
    ) -> Result<Arc<Bucket>> {
        self.can_be_asked(&change)?;
        let mut tx = self.db().begin().await?;
        let mut changed = sql::bucket::get_for_change(&mut tx, bucket.id)
            .await?
            .ok_or_else(|| Error::NoBucket(bucket.name.to_string()))?;
        let before = shown(&changed);
        change.apply(&mut changed)?;
        sql::bucket::update(&mut tx, &changed).await?;
        give_hosts(&mut tx, &changed).await?;
        sql::bucket::count_change(&mut tx).await?;
        let entry = AuditEntry::new(by, "bucket.changed", subject(&changed))
            .before(before)
            .after(shown(&changed));
        self.access().audit_in(&mut tx, entry).await?;
        tx.commit().await?;
        self.buckets().changed().await?;
        Ok(Arc::new(changed))
    }

    /// Refuses to have an endpoint asked that is not there: nobody would be let in.
    fn can_be_asked(&self, change: &BucketChange) -> Result<()> {
        if change.authoriser == Some(AuthorisedBy::Endpoint) && !self.authoriser().is_set() {
            return Err(Error::Setting(
                "there is no endpoint to be asked; set authoriser.url in the configuration first",
            ));
        }
        Ok(())
    }

    /// Removes an empty bucket.
    ///
    /// # Errors
    /// [`Error::NoBucket`], [`Error::BucketNotEmpty`], or [`Error::BucketHolds`].
    pub async fn delete_bucket(&self, by: &Doer, bucket: &Bucket) -> Result<()> {
        let gone = self.gone_holders(bucket).await?;
        let mut tx = self.db().begin().await?;
        let found = sql::bucket::get_for_change(&mut tx, bucket.id)
            .await?
            .ok_or_else(|| Error::NoBucket(bucket.name.to_string()))?;
        if sql::bucket::holds_any(&mut tx, bucket.id).await? {
            return Err(Error::BucketNotEmpty);
        }
        let held = sql::grant::held_in(&mut tx, bucket.id).await?;
        sql::bucket::delete(&mut tx, bucket.id).await?;
        sql::bucket::count_change(&mut tx).await?;
        // Asked only now: whoever else takes grants away has counted, too, and is done.
        let elsewhere = sql::grant::held_elsewhere(&mut tx, bucket.id).await?;
        frees_nobody(&held, &elsewhere, &gone)?;
        let entry = AuditEntry::new(by, "bucket.deleted", subject(&found)).before(shown(&found));
        self.access().audit_in(&mut tx, entry).await?;
        let clearing = self.clear_in(&mut tx, by, &found).await?;
        tx.commit().await?;
        self.buckets().changed().await?;
        if let Some(submitted) = clearing {
            self.operations().announce(submitted);
        }
        Ok(())
    }

    /// Whether it may go as far as those are concerned who are held by its grants: asked before
    /// anything is done for it, and again when it goes.
    ///
    /// # Errors
    /// [`Error::BucketHolds`].
    pub(crate) async fn check_holders(&self, bucket: &Bucket) -> Result<()> {
        let gone = self.gone_holders(bucket).await?;
        let mut tx = self.db().begin().await?;
        let held = sql::grant::held_in(&mut tx, bucket.id).await?;
        let elsewhere = sql::grant::held_elsewhere(&mut tx, bucket.id).await?;
        frees_nobody(&held, &elsewhere, &gone)
    }

    /// The bucket of this name.
    ///
    /// # Errors
    /// [`Error::NoBucket`].
    pub fn bucket(&self, name: &str) -> Result<Arc<Bucket>> {
        let found = self.buckets().named(name);
        found.ok_or_else(|| Error::NoBucket(name.chars().take(80).collect()))
    }

    /// The bucket of this id.
    ///
    /// # Errors
    /// [`Error::NoBucket`].
    pub fn bucket_with_id(&self, id: BucketId) -> Result<Arc<Bucket>> {
        let found = self.buckets().with_id(id);
        found.ok_or_else(|| Error::NoBucket(id.to_string()))
    }

    /// Every bucket, by name.
    #[must_use]
    pub fn all_buckets(&self) -> Vec<Arc<Bucket>> {
        self.buckets().all()
    }

    /// How much a bucket holds.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn usage(&self, bucket: &Bucket) -> Result<Usage> {
        Ok(sql::usage::of_bucket(self.db(), bucket.id).await?)
    }

    /// The bucket that answers on this host, which may have a port.
    #[must_use]
    pub fn bucket_of_host(&self, host: &str) -> Option<Arc<Bucket>> {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        self.buckets().of_host(&host_name(name).ok()?)
    }

    /// Sees to it that there is a bucket at the first start of all.
    pub(crate) async fn ensure_default_bucket(&self) -> Result<()> {
        if sql::bucket::were_any(self.db()).await? {
            return Ok(());
        }
        let new = NewBucket {
            name: super::DEFAULT_BUCKET.to_owned(),
            storage: None,
            settings: BucketChange {
                hosts: Some(vec![super::DEFAULT_HOST.to_owned()]),
                ..BucketChange::default()
            },
        };
        match self.create_bucket(&Doer::system(), new).await {
            // Another replica was quicker.
            Ok(_) | Err(Error::BucketExists(_) | Error::HostTaken(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

async fn give_hosts(tx: &mut Tx, bucket: &Bucket) -> Result<()> {
    sql::bucket::take_hosts(tx, bucket.id).await?;
    for host in &bucket.hosts {
        if !sql::bucket::give_host(tx, bucket.id, host).await? {
            return Err(Error::HostTaken(host.clone()));
        }
    }
    Ok(())
}

/// Who has grants in one bucket alone would be held to nothing without it.
fn frees_nobody(
    held: &HashSet<Holder>,
    elsewhere: &HashSet<Holder>,
    gone: &HashSet<Holder>,
) -> Result<()> {
    let stays = |holder: &Holder| elsewhere.contains(holder) || gone.contains(holder);
    if held.iter().all(stays) {
        Ok(())
    } else {
        Err(Error::BucketHolds)
    }
}

fn subject(bucket: &Bucket) -> String {
    format!("bucket:{}", bucket.name)
}

/// A bucket, for the record of who did what.
fn shown(bucket: &Bucket) -> serde_json::Value {
    serde_json::to_value(bucket).unwrap_or(json!({}))
}
