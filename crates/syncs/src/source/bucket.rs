//! A bucket of this server, or what lies below a prefix in it.

use super::{Found, LookedAt, Source, SourcePage};
use crate::buckets::{BucketFile, Buckets};
use crate::target::{Checked, Content, Trouble};
use crate::trouble;
use async_trait::async_trait;
use std::sync::Arc;

/// A bucket.
#[derive(Clone, Debug)]
pub(crate) struct BucketSource {
    buckets: Arc<dyn Buckets>,
    bucket: String,
    prefix: String,
}

impl BucketSource {
    pub(crate) const fn new(buckets: Arc<dyn Buckets>, bucket: String, prefix: String) -> Self {
        Self {
            buckets,
            bucket,
            prefix,
        }
    }
}

pub(crate) fn found(file: BucketFile) -> Found {
    Found {
        name: file.path.rsplit('/').next().unwrap_or_default().to_owned(),
        key: file.path.clone(),
        place: file.path,
        media_type: file.media_type,
        size: Some(file.size),
        content: Some(file.etag),
        seen: None,
        metadata: file.metadata,
        creator: Some(file.uploader).filter(|uploader| !uploader.is_empty()),
        asked: false,
    }
}

#[async_trait]
impl Source for BucketSource {
    async fn page(&self, after: Option<&str>, limit: usize) -> Result<SourcePage, Trouble> {
        let files = self
            .buckets
            .list(&self.bucket, &self.prefix, after, limit)
            .await?;
        let next = files.last().map(|file| file.path.clone());
        let next = next.filter(|_| files.len() == limit);
        // The marker of a folder is no file.
        let files = files.into_iter().filter(|file| !file.path.ends_with('/'));
        Ok(SourcePage {
            files: files.map(found).collect(),
            next,
        })
    }

    async fn look(&self, place: &str) -> Result<Option<LookedAt>, Trouble> {
        let file = self.buckets.look(&self.bucket, place).await?;
        Ok(file.map(|file| LookedAt {
            size: file.size,
            content: file.etag.clone(),
            etag: file.etag,
            md5: None,
            media_type: Some(file.media_type),
        }))
    }

    async fn open(&self, place: &str, looked: &LookedAt, offset: u64) -> Result<Content, Trouble> {
        let (file, content) = self.buckets.open(&self.bucket, place, offset).await?;
        if file.etag != looked.etag || file.size != looked.size {
            return Err(trouble::changed());
        }
        Ok(content)
    }

    async fn missing(&self, keys: &[String]) -> Result<Vec<String>, Trouble> {
        let mut missing = Vec::new();
        for key in keys {
            if self.buckets.look(&self.bucket, key).await?.is_none() {
                missing.push(key.clone());
            }
        }
        Ok(missing)
    }

    async fn check(&self) -> Vec<Checked> {
        let listed = self.buckets.list(&self.bucket, &self.prefix, None, 1).await;
        vec![Checked {
            what: format!("Bucket `{}` of this server", self.bucket),
            missing: listed.err().map(|trouble| trouble.to_string()),
        }]
    }
}
