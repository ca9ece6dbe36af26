//! Addresses of the store itself, signed for whoever gets one.

use crate::bucket::Bucket;
use crate::path::FilePath;
use crate::permit::Writer;
use crate::presign::Terms;
use crate::quota::{Counted, Wanted};
use crate::{Error, Files, Result, sql};
use access::Caller;
use std::time::Duration;
use storage::Answered;

impl Files {
    /// The address at which the bucket's store gives or takes a file, for so long; nothing
    /// where its bytes lie on the disk. Whoever has it is held to it by the store alone.
    pub(crate) async fn store_address(
        &self,
        bucket: &Bucket,
        path: &FilePath,
        terms: &Terms,
        time: Duration,
    ) -> Result<Option<String>> {
        let Some(store) = self.store(bucket).await? else {
            return Ok(None);
        };
        super::is_storable(bucket, path)?;
        let address = match terms {
            Terms::Get { download } => {
                let file = sql::file::current(self.db(), bucket.id, path.as_str()).await?;
                let disposition = download.then(|| web::attachment(path.name()));
                let disposition = disposition.as_ref().and_then(|value| value.to_str().ok());
                let answered = Answered {
                    content_type: file.as_ref().map(|file| file.media_type.as_str()),
                    content_disposition: disposition,
                };
                store.presign_get(path.as_str(), time, answered)
            }
            Terms::Put { length, media_type } => {
                self.may_be_there(bucket.id, path);
                store.presign_put(path.as_str(), time, media_type.as_deref(), *length)
            }
        };
        Ok(Some(address?))
    }

    /// Refuses at once to sign for what would not fit: the store does not know of quotas.
    pub(crate) async fn check_signed_quota(
        &self,
        (bucket, path): (&Bucket, &FilePath),
        caller: &Caller,
        terms: &Terms,
    ) -> Result<()> {
        let Terms::Put { length, .. } = terms else {
            return Ok(());
        };
        let length = length.unwrap_or(0);
        let most = self.settings().max_file_bytes;
        if length > most {
            return Err(Error::TooLarge { most });
        }
        let wanted = Wanted {
            path: Some(path),
            account: Writer::from(caller).account,
            bytes: length,
            counted: Counted::default(),
        };
        self.check_quota(bucket, wanted).await
    }
}
