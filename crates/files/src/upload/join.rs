//! A file put together of uploads that came side by side.

use super::turn::Turn;
use super::{NewUpload, Upload, UploadKind, account};
use crate::permit::Writer;
use crate::put::NewFile;
use crate::{Error, Files, Result, sql};
use base::UploadId;
use futures::StreamExt;

/// Parts of one file.
const MOST_PARTS: usize = 1_000;

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
        let by = by.clone();
        self.in_the_background(async move { files.join(&by, &parts, named, new).await })
            .await
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
        let mut incoming = self.put(&bucket, by.clone(), file).await?;
        for part in &parts {
            let mut bytes = self.bytes_of(part).await?;
            while let Some(bytes) = bytes.next().await {
                if turns.iter().any(Turn::has_ended) {
                    return Err(Error::UploadBusy);
                }
                incoming.write(bytes?).await?;
            }
        }
        incoming.finish().await?;
        new.place = Some((bucket, path));
        let joined = self.joined(by, new, named, length).await?;
        for part in &parts {
            self.use_up(part).await?;
        }
        Ok(joined)
    }

    async fn joined(
        &self,
        by: &Writer,
        new: NewUpload,
        named: String,
        length: u64,
    ) -> Result<Upload> {
        let now = self.now();
        let (bucket, path) = new.place.map(|(bucket, path)| (bucket.id, path)).unzip();
        let upload = Upload {
            id: UploadId::new(),
            kind: UploadKind::Joined,
            done: true,
            length: Some(length),
            received: length,
            said: new.said,
            parts: named,
            expires_at: now.plus(self.settings().upload_expires_in),
            bucket,
            path,
            blob: None,
            hashes: Vec::new(),
            stored_in: None,
            media_type: new.media_type,
            metadata: new.metadata,
            expect: new.expect,
            uploader: by.actor.as_str().to_owned(),
            account: account(by),
            created_at: now,
        };
        sql::upload::insert(self.db(), &upload).await?;
        Ok(upload)
    }

    /// A part stays known, and its bytes go.
    async fn use_up(&self, part: &Upload) -> Result<()> {
        if sql::upload::take(self.db(), part.id).await? {
            self.discard_pieces(part).await;
            if let Some(blob) = part.blob {
                self.discard_partial(blob).await;
            }
        }
        Ok(())
    }
}
