//! Shares: a link that anybody who has it may download a file or a folder by, until its
//! time or its number of downloads is over.
//!
//! The link holds 256 random bits, of which only the hash is stored. A download counts
//! when it begins, in one statement that also asks whether there is one left, so that of
//! two who come for the last one gets it. Whoever goes on with a download from where it
//! began it (a range, not from the first byte) is not counted anew.

mod zips;

pub use zips::{Member, Members, Open, Zipped, Zips};

use crate::bucket::Bucket;
use crate::path::{DELIMITER, FilePath, after_prefix};
use crate::permit::Permission;
use crate::{Error, Files, Result, sql};
use access::{AuditEntry, Caller, Doer, LentPassword};
use base::{BucketId, ShareId, Timestamp};
use data_encoding::BASE64URL_NOPAD;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::time::Duration;

/// 256 bits.
const RANDOM: usize = 32;
/// How long one may go on with a download.
pub(crate) const GOES_ON: Duration = Duration::from_secs(24 * 3600);
/// The longest time for which a share is good: ten years.
pub(crate) const LONGEST: u64 = 10 * 365 * 86_400;
/// The most shares of a bucket.
const MOST: usize = 10_000;

/// A share.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Share {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: ShareId,
    /// The file, or the folder with its `/`.
    pub path: String,
    /// Whether a password is asked for.
    pub has_password: bool,
    /// Until when it is good.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// How often it may be downloaded.
    pub max_downloads: Option<u64>,
    /// How often it was.
    pub downloads: u64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// In which bucket.
    #[serde(skip)]
    pub(crate) bucket: BucketId,
    /// The hash of its password.
    #[serde(skip)]
    pub(crate) password: String,
}

impl Share {
    /// Whether it is a folder.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        self.path.ends_with(DELIMITER)
    }

    /// Its last part.
    #[must_use]
    pub fn name(&self) -> &str {
        let path = self.path.trim_end_matches(DELIMITER);
        path.rsplit(DELIMITER).next().unwrap_or_default()
    }

    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    pub(crate) fn is_used_up(&self) -> bool {
        self.max_downloads
            .is_some_and(|most| self.downloads >= most)
    }
}

/// A share to be made.
#[derive(Debug)]
pub struct NewShare {
    /// A file, or a folder with its `/`.
    pub path: FilePath,
    /// For how long it is good, or for ever.
    pub expires_in: Option<Duration>,
    /// The password that is asked for.
    pub password: Option<SecretString>,
    /// How often it may be downloaded.
    pub max_downloads: Option<u64>,
}

/// Of which files and folders shares are asked for.
#[derive(Clone, Debug, Default)]
pub struct SharesOf {
    /// What their paths begin with.
    pub prefix: String,
    /// Only what lies right there. The prefix is nothing or ends with `/` then.
    pub one_folder: bool,
}

impl SharesOf {
    fn has(&self, path: &str) -> bool {
        let Some(rest) = path.strip_prefix(self.prefix.as_str()) else {
            return false;
        };
        let name = rest.strip_suffix(DELIMITER).unwrap_or(rest);
        !self.one_folder || (!rest.is_empty() && !name.contains(DELIMITER))
    }
}

/// What a share gives.
#[derive(Debug)]
pub(crate) enum Shared {
    File(Box<crate::File>),
    Folder { files: u64, bytes: u64 },
}

/// As tokens of links are stored.
fn stored(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

impl Files {
    /// Shares a file or a folder. What stands in its link is returned this once.
    ///
    /// # Errors
    /// [`Error::NoFile`] when there is nothing, [`Error::Forbidden`], or a password that
    /// is too short.
    pub async fn share(
        &self,
        caller: &Caller,
        bucket: &Bucket,
        new: NewShare,
    ) -> Result<(SecretString, Share)> {
        let path = new.path.as_str();
        // A link gives what its maker could give itself.
        self.permit(Some(caller), bucket, path, Permission::Share)
            .await?;
        self.permit(Some(caller), bucket, path, Permission::Read)
            .await?;
        if path.ends_with(DELIMITER) {
            self.permit(Some(caller), bucket, path, Permission::List)
                .await?;
        }
        if new.max_downloads == Some(0) {
            return Err(Error::Setting("a share is good for at least one download"));
        }
        let password = match &new.password {
            Some(password) => {
                let hashed = self.access().lend_password(password).await?;
                hashed.as_str().to_owned()
            }
            None => String::new(),
        };
        let token = BASE64URL_NOPAD.encode(&rand::random::<[u8; RANDOM]>());
        let now = self.now();
        let share = Share {
            id: ShareId::new(),
            path: path.to_owned(),
            has_password: new.password.is_some(),
            expires_at: new.expires_in.map(|span| now.plus(span)),
            max_downloads: new.max_downloads,
            downloads: 0,
            created_at: now,
            created_by: caller.actor().as_str().to_owned(),
            bucket: bucket.id,
            password,
        };
        self.shared(bucket, &share).await?;
        let mut tx = self.db().begin().await?;
        if !sql::bucket::hold(&mut tx, bucket.id).await? {
            return Err(Error::NoBucket(bucket.name.to_string()));
        }
        if sql::share::count(&mut tx, bucket.id).await? >= MOST {
            return Err(Error::Setting(
                "a bucket has at most 10,000 shares; delete some first",
            ));
        }
        sql::share::insert(&mut tx, &share, &stored(&token)).await?;
        let by = Doer::from(caller);
        let entry =
            AuditEntry::new(&by, "share.created", subject(&share)).after(shape(bucket, &share));
        self.access().audit_in(&mut tx, entry).await?;
        tx.commit().await?;
        Ok((token.into(), share))
    }

    /// The shares in a bucket that this caller may take back, the newest last.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn shares(
        &self,
        caller: &Caller,
        bucket: &Bucket,
        of: &SharesOf,
        after: Option<ShareId>,
        limit: usize,
    ) -> Result<Vec<Share>> {
        let mut found = Vec::new();
        let mut after = after;
        // What others may see is passed over, however much of it there is.
        while found.len() < limit {
            let page =
                sql::share::of_bucket(self.db(), bucket.id, &of.prefix, after, limit).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            let whole = page.len() == limit;
            let may = |path: &str| self.may(Some(caller), bucket, path, Permission::Share);
            let meant = |share: &Share| of.has(&share.path) && may(&share.path);
            found.extend(page.into_iter().filter(meant));
            if !whole {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Takes a share back: its link opens nothing any more.
    ///
    /// # Errors
    /// [`Error::NoShare`], also where the caller may not share there.
    pub async fn unshare(&self, caller: &Caller, id: ShareId) -> Result<()> {
        let share = sql::share::by_id(self.db(), id)
            .await?
            .ok_or(Error::NoShare)?;
        let bucket = self.buckets().with_id(share.bucket).ok_or(Error::NoShare)?;
        if !self.may(Some(caller), &bucket, &share.path, Permission::Share) {
            return Err(Error::NoShare);
        }
        let mut tx = self.db().begin().await?;
        if !sql::share::delete(&mut tx, id).await? {
            return Err(Error::NoShare);
        }
        let by = Doer::from(caller);
        let entry =
            AuditEntry::new(&by, "share.deleted", subject(&share)).before(shape(&bucket, &share));
        self.access().audit_in(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The share that a link's token names, whether or not it is still good.
    ///
    /// # Errors
    /// [`Error::NoShare`].
    pub(crate) async fn share_of(&self, token: &str) -> Result<(Share, std::sync::Arc<Bucket>)> {
        let found = sql::share::by_token(self.db(), &stored(token)).await?;
        let share = found.ok_or(Error::NoShare)?;
        let bucket = self.buckets().with_id(share.bucket).ok_or(Error::NoShare)?;
        Ok((share, bucket))
    }

    /// What a share gives as it is now.
    ///
    /// # Errors
    /// [`Error::NoFile`] when there is nothing any more.
    pub(crate) async fn shared(&self, bucket: &Bucket, share: &Share) -> Result<Shared> {
        if share.is_folder() {
            let end = after_prefix(&share.path);
            let (files, bytes) =
                sql::list::sum(self.db(), bucket.id, &share.path, end.as_deref()).await?;
            if files > 0 {
                return Ok(Shared::Folder { files, bytes });
            }
        }
        let path: FilePath = share.path.parse()?;
        if share.is_folder() {
            return Err(Error::NoFile(path));
        }
        Ok(Shared::File(Box::new(self.file(bucket, &path).await?)))
    }

    /// Whether a password opens a share.
    ///
    /// # Errors
    /// Access's: wrong, too often, or too much to do.
    pub(crate) async fn unlock(
        &self,
        share: &Share,
        password: SecretString,
        address: IpAddr,
    ) -> Result<()> {
        let thing = subject(share);
        let stored = LentPassword::stored(share.password.clone());
        let access = self.access();
        Ok(access
            .check_lent(&thing, &stored, &password, address)
            .await?)
    }

    /// Counts a download, unless it goes on with one that began at this address.
    ///
    /// # Errors
    /// [`Error::ShareOver`] when there is none left.
    pub(crate) async fn count_download(
        &self,
        share: &Share,
        address: IpAddr,
        from_start: bool,
    ) -> Result<()> {
        let now = self.now();
        let place = place(share.id, address);
        if !from_start {
            let since = now.minus(GOES_ON);
            if sql::share::began_at(self.db(), share.id, &place, since).await? {
                return if share.has_expired(now) {
                    Err(Error::ShareOver)
                } else {
                    Ok(())
                };
            }
        }
        let mut tx = self.db().begin().await?;
        if !sql::share::count_one(&mut tx, share.id, now).await? {
            return Err(Error::ShareOver);
        }
        sql::share::note_place(&mut tx, share.id, &place, now).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Where somebody downloads, as it is stored.
fn place(share: ShareId, address: IpAddr) -> Vec<u8> {
    let octets = match address.to_canonical() {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    };
    let mut hash = Sha256::new();
    hash.update(share.uuid().as_bytes());
    hash.update(octets);
    hash.finalize()[..16].to_vec()
}

fn subject(share: &Share) -> String {
    format!("share:{}", share.id)
}

fn shape(bucket: &Bucket, share: &Share) -> serde_json::Value {
    json!({
        "bucket": bucket.name,
        "path": share.path,
        "has_password": share.has_password,
        "expires_at": share.expires_at,
        "max_downloads": share.max_downloads,
        "downloads": share.downloads,
    })
}

/// What opens a share with a password for a while: a text for the signer.
pub(crate) fn key_text(share: &Share, expires: i64) -> String {
    // With another password, the old one's keys are gone.
    format!("{}\n{}\n{expires}", share.id, share.password)
}

/// The token in the link.
pub(crate) fn link(origin: &str, token: &SecretString) -> String {
    format!("{origin}/s/{}", token.expose_secret())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_the_shares_of_what_lies_right_there() {
        let of = |prefix: &str, one_folder| SharesOf {
            prefix: prefix.to_owned(),
            one_folder,
        };
        let paths = ["a", "a/", "a/b", "a/b/", "a//", "a/b/c", "a/b/c/", "ab"];
        let had = |of: &SharesOf| paths.into_iter().filter(|path| of.has(path)).count();
        assert_eq!(had(&of("", false)), paths.len());
        assert_eq!(had(&of("a/", false)), 6);
        for (prefix, expected) in [
            ("", &["a", "a/", "ab"][..]),
            ("a/", &["a/b", "a/b/", "a//"]),
            ("a/b/", &["a/b/c", "a/b/c/"]),
        ] {
            let of = of(prefix, true);
            let had: Vec<_> = paths.into_iter().filter(|path| of.has(path)).collect();
            assert_eq!(had, expected, "{prefix}");
        }
    }

    #[test]
    fn places_differ_by_share_and_address() {
        let (one, two) = (ShareId::new(), ShareId::new());
        let here = IpAddr::from([192, 0, 2, 1]);
        assert_eq!(
            place(one, here),
            place(one, "::ffff:192.0.2.1".parse().expect("it"))
        );
        assert_ne!(place(one, here), place(two, here));
        assert_ne!(place(one, here), place(one, IpAddr::from([192, 0, 2, 2])));
    }
}
