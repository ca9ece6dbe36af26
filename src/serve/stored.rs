//! Stored files as sources of bundles: bundles ask for them, files know where they are
//! and who may read them.

use access::{Access, Caller};
use bundles::plain::BodyStream;
use bundles::{FoundFile, NotStored, Stored, StoredFile, StoredPlace, StoredRequest};
use files::{Bucket, Entry, Error, FilePath, Files, Permission};
use futures::future::BoxFuture;
use futures::stream::{StreamExt, TryStreamExt};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// Files found at once.
const BATCH: usize = 500;

/// Gives bundles the files that are stored.
#[derive(Debug)]
pub(super) struct StoredFiles {
    pub(super) files: Files,
    pub(super) access: Access,
}

impl Stored for StoredFiles {
    fn resolve<'a>(
        &'a self,
        caller: &'a Caller,
        asked: &'a StoredRequest,
        most: usize,
    ) -> BoxFuture<'a, Result<Vec<FoundFile>, NotStored>> {
        Box::pin(async move {
            let bucket = self.files.bucket(&asked.bucket).map_err(not)?;
            let found = match (&asked.path, &asked.prefix) {
                (Some(path), _) => self.one(caller, &bucket, path, asked.name.as_deref()).await,
                (None, prefix) => {
                    let prefix = prefix.as_deref().unwrap_or_default();
                    let asked = Below {
                        caller,
                        bucket: &bucket,
                        prefix,
                        folder: asked.name.as_deref(),
                    };
                    self.below(asked, most).await
                }
            };
            found.map_err(not)
        })
    }

    fn asked_by<'a>(
        &'a self,
        caller: &'a Caller,
        place: &'a StoredPlace,
    ) -> BoxFuture<'a, Result<StoredPlace, NotStored>> {
        Box::pin(async move {
            let bucket = self.files.bucket_with_id(place.bucket).map_err(not)?;
            self.files
                .permit(Some(caller), &bucket, &place.path, Permission::Read)
                .await
                .map_err(not)?;
            Ok(placed(caller, &bucket, place.path.clone()))
        })
    }

    fn look<'a>(&'a self, place: &'a StoredPlace) -> BoxFuture<'a, Result<StoredFile, NotStored>> {
        Box::pin(async move {
            let (bucket, path) = self.permitted(place).await?;
            let file = self.files.file(&bucket, &path).await.map_err(not)?;
            Ok(known(&file))
        })
    }

    fn open<'a>(
        &'a self,
        place: &'a StoredPlace,
    ) -> BoxFuture<'a, Result<(StoredFile, BodyStream), NotStored>> {
        Box::pin(async move {
            let (bucket, path) = self.permitted(place).await?;
            let found = self.files.file_and_content(&bucket, &path).await;
            let (file, content) = found.map_err(not)?;
            let bytes = content.stream(0..content.size());
            Ok((known(&file), bytes.map_err(io::Error::other).boxed()))
        })
    }
}

/// Whose files are asked for by the beginning of their paths.
struct Below<'a> {
    caller: &'a Caller,
    bucket: &'a Bucket,
    prefix: &'a str,
    folder: Option<&'a str>,
}

impl StoredFiles {
    async fn one(
        &self,
        caller: &Caller,
        bucket: &Bucket,
        path: &str,
        name: Option<&str>,
    ) -> Result<Vec<FoundFile>, Error> {
        let path: FilePath = path.parse()?;
        self.files
            .permit(Some(caller), bucket, path.as_str(), Permission::Read)
            .await?;
        let name = name.unwrap_or(path.name()).to_owned();
        Ok(vec![found(caller, bucket, &path, name)])
    }

    async fn below(&self, asked: Below<'_>, most: usize) -> Result<Vec<FoundFile>, Error> {
        let Below {
            caller,
            bucket,
            prefix,
            folder,
        } = asked;
        for permission in [Permission::List, Permission::Read] {
            self.files
                .permit(Some(caller), bucket, prefix, permission)
                .await?;
        }
        // They keep their folders from the one on that the prefix names last.
        let cut = prefix.rfind('/').map_or(0, |at| at + 1);
        let mut all = Vec::new();
        let mut after: Option<String> = None;
        while all.len() <= most {
            let page = self
                .files
                .keys(bucket, prefix, None, after.as_deref(), BATCH)
                .await?;
            after = page.last().map(|entry| entry.key().to_owned());
            let whole = page.len() == BATCH;
            for entry in page {
                let Entry::File(file) = entry else { continue };
                let path = file.path.as_str();
                // The marker of a folder is no file in it.
                if path.ends_with('/') {
                    continue;
                }
                let below = &path[cut..];
                let name = match folder {
                    Some(folder) => format!("{}/{below}", folder.trim_end_matches('/')),
                    None => below.to_owned(),
                };
                all.push(found(caller, bucket, &file.path, name));
            }
            if !whole {
                break;
            }
        }
        all.truncate(most.saturating_add(1));
        Ok(all)
    }

    /// Whoever asked for it may still read it.
    async fn permitted(&self, place: &StoredPlace) -> Result<(Arc<Bucket>, FilePath), NotStored> {
        const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let signer = self.access.signer(place.user, place.token, NOWHERE).await;
        let caller = signer.map_err(|error| not(error.into()))?;
        let bucket = self.files.bucket_with_id(place.bucket).map_err(not)?;
        let path: FilePath = place
            .path
            .parse()
            .map_err(|error| not(Error::from(error)))?;
        self.files
            .permit(Some(&caller), &bucket, path.as_str(), Permission::Read)
            .await
            .map_err(not)?;
        Ok((bucket, path))
    }
}

/// Where a file is, and who asks for it.
fn placed(caller: &Caller, bucket: &Bucket, path: String) -> StoredPlace {
    let token = match caller.proof() {
        access::Proof::Token { id, .. } => Some(*id),
        // Nobody comes to bundles with a key of S3 clients, nor as a guest.
        access::Proof::Session(_)
        | access::Proof::Password
        | access::Proof::AccessKey { .. }
        | access::Proof::Guest(_) => None,
    };
    StoredPlace {
        bucket: bucket.id,
        path,
        user: caller.user(),
        token,
    }
}

fn found(caller: &Caller, bucket: &Bucket, path: &FilePath, name: String) -> FoundFile {
    FoundFile {
        place: placed(caller, bucket, path.as_str().to_owned()),
        address: format!("longshore://{}/{}", bucket.name, path.encode()),
        name,
    }
}

fn known(file: &files::File) -> StoredFile {
    StoredFile {
        size: file.size,
        media_type: file.media_type.clone(),
        modified: file.modified_at,
    }
}

fn not(error: Error) -> NotStored {
    let code = match &error {
        Error::NoBucket(_) | Error::NoFile(_) => "not-found",
        Error::Forbidden { .. } | Error::Anonymous | Error::Access(_) => "forbidden",
        Error::Path(_) => "invalid",
        _ => "storage",
    };
    NotStored {
        code,
        message: error.to_string(),
    }
}
