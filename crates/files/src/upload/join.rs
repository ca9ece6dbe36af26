//! A file put together of uploads that came side by side.

use super::turn::Turn;
use super::{NewUpload, Upload, UploadKind, account};
use crate::bucket::Bucket;
use crate::path::FilePath;
use crate::permit::Writer;
use crate::put::{Along, NewFile};
use crate::quota::Counted;
use crate::{Error, Files, Result, sql};
use base::{BucketId, UploadId};
use futures::StreamExt;
use std::sync::Arc;
use storage::Tx;

/// Parts of one file.
const MOST_PARTS: usize = 1_000;

/// Whole parts, and the upload that they become.
#[derive(Debug)]
pub(crate) struct Joined {
    pub(super) whole: Upload,
    pub(super) parts: Vec<Upload>,
}

impl Joined {
    /// Uses the parts up, and has it known what became of them.
    ///
    /// # Errors
    /// [`Error::Unjoinable`] when somebody else has used one.
    pub(crate) async fn end(&self, tx: &mut Tx) -> Result<()> {
        let mut parts: Vec<UploadId> = self.parts.iter().map(|part| part.id).collect();
        // In one order for all, so that no two wait for each other.
        parts.sort_unstable();
        for part in parts {
            if !sql::upload::end(tx, part).await? {
                return Err(Error::Unjoinable);
            }
        }
        Ok(sql::upload::insert_in(tx, &self.whole).await?)
    }

    /// Refuses parts that another replica has used up: a turn at an upload is one of this
    /// process alone.
    ///
    /// # Errors
    /// [`Error::Unjoinable`].
    pub(crate) async fn check(&self, files: &Files) -> Result<()> {
        for part in &self.parts {
            match sql::upload::with_id(files.db(), part.id).await? {
                Some(part) if !part.done => {}
                _ => return Err(Error::Unjoinable),
            }
        }
        Ok(())
    }

    /// How many bytes of the parts count against the limits of a bucket.
    pub(crate) fn counted_in(&self, bucket: &Bucket) -> Counted {
        let parts = self.parts.iter().map(|part| part.counted_in(bucket));
        Counted::of_one(parts.map(|part| part.of_bucket).sum())
    }
}

impl Files {
    /// Puts whole parts of this user together in this order, and makes a file of them,
    /// which `new` says where. The parts are used up by it. `named`: how the sender
    /// names them; asked again with the same names, it is the same upload.
    ///
    /// # Errors
    /// [`Error::Unjoinable`], [`Error::NoUpload`], and what putting a file answers.
    pub async fn join_uploads(
        &self,
        by: &Writer,
        parts: Vec<UploadId>,
        named: String,
        new: NewUpload,
    ) -> Result<Upload> {
        if let Some(joined) = sql::upload::joined(self.db(), account(by), &named).await? {
            return Ok(joined);
        }
        if parts.is_empty() || parts.len() > MOST_PARTS {
            return Err(Error::Unjoinable);
        }
        let files = self.clone();
        let (whose, names) = (by.clone(), named.clone());
        let joined = self
            .in_the_background(async move { files.join(&whose, &parts, names, new).await })
            .await;
        match joined {
            Ok(joined) => Ok(joined),
            // Since it was looked, somebody may have put the same ones together, and their bytes
            // are gone or the file is in the way.
            Err(error) => {
                let joined = sql::upload::joined(self.db(), account(by), &named).await?;
                joined.ok_or(error)
            }
        }
    }

    async fn join(
        &self,
        by: &Writer,
        ids: &[UploadId],
        named: String,
        mut new: NewUpload,
    ) -> Result<Upload> {
        let (bucket, path) = new.place.take().ok_or(Error::Unjoinable)?;
        let mut turns: Vec<Turn> = Vec::new();
        let mut parts: Vec<Upload> = Vec::new();
        let mut length: u64 = 0;
        for id in ids {
            if parts.iter().any(|part| part.id == *id) {
                return Err(Error::Unjoinable);
            }
            self.upload(by, *id).await?;
            turns.push(self.turns().take(*id).await?);
            let part = self.upload(by, *id).await?;
            if part.kind != UploadKind::Part || part.done || !part.is_whole() {
                return Err(Error::Unjoinable);
            }
            length = length.saturating_add(part.received);
            parts.push(part);
        }
        let mut file = NewFile::at(path.clone());
        file.media_type = Some(new.media_type.clone());
        file.metadata = new.metadata.clone();
        file.expect = new.expect.clone();
        file.promised.length = Some(length);
        let whole = self.joined(by, new, (bucket.id, path), named, length);
        let joined = Arc::new(Joined { whole, parts });
        let along = Along::Joined(Arc::clone(&joined));
        let mut incoming = self.put_along(&bucket, by.clone(), file, along).await?;
        for part in &joined.parts {
            let mut bytes = self.bytes_of(part).await?;
            while let Some(bytes) = bytes.next().await {
                if turns.iter().any(Turn::has_ended) {
                    return Err(Error::UploadBusy);
                }
                incoming.write(bytes?).await?;
            }
        }
        incoming.finish().await?;
        for part in &joined.parts {
            self.discard_gathered(part).await;
        }
        Ok(joined.whole.clone())
    }

    /// The upload that parts become. They stay known, too.
    pub(super) fn joined(
        &self,
        by: &Writer,
        new: NewUpload,
        (bucket, path): (BucketId, FilePath),
        named: String,
        length: u64,
    ) -> Upload {
        let now = self.now();
        Upload {
            id: UploadId::new(),
            kind: UploadKind::Joined,
            done: true,
            length: Some(length),
            received: length,
            said: new.said,
            parts: named,
            expires_at: now.plus(self.settings().upload_expires_in),
            bucket: Some(bucket),
            path: Some(path),
            counts_in: None,
            blob: None,
            hashes: Vec::new(),
            stored_in: None,
            media_type: new.media_type,
            metadata: new.metadata,
            expect: new.expect,
            uploader: by.actor.as_str().to_owned(),
            account: account(by),
            created_at: now,
        }
    }

    /// Removes the bytes of a part that is used up.
    async fn discard_gathered(&self, part: &Upload) {
        self.discard_pieces(part).await;
        if let Some(blob) = part.blob {
            self.discard_partial(blob).await;
        }
    }
}
