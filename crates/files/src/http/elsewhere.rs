//! Which requests are about a bucket whose endpoint decides. Of these, the gate takes
//! guests in, for whom every handler asks ([`Files::permit`]).

use super::tus;
use crate::bucket::{AuthorisedBy, Bucket};
use crate::{Files, sql};
use async_trait::async_trait;
use base::UploadId;
use percent_encoding::percent_decode_str;
use std::sync::Arc;
use web::{AskedFor, Elsewhere};

/// What stands before the name of a bucket in the API's addresses.
const BUCKETS: &str = "/api/v1/buckets/";
const UPLOADS: &str = "/tus";

#[async_trait]
impl Elsewhere for Files {
    async fn decides(&self, asked: AskedFor<'_>) -> bool {
        // Most have none, and look no further.
        if !self.buckets().any_asks_elsewhere() {
            return false;
        }
        let bucket = self.bucket_of(asked).await;
        bucket.is_some_and(|bucket| bucket.authoriser == AuthorisedBy::Endpoint)
    }
}

impl Files {
    async fn bucket_of(&self, asked: AskedFor<'_>) -> Option<Arc<Bucket>> {
        if let Some(bucket) = self.bucket_of_host(asked.host) {
            return Some(bucket);
        }
        if let Some(rest) = asked.path.strip_prefix(BUCKETS) {
            let name = rest.split('/').next().unwrap_or_default();
            let name = percent_decode_str(name).decode_utf8().ok()?;
            return self.buckets().named(&name);
        }
        match asked.path.strip_prefix(UPLOADS)? {
            "" => self.buckets().named(&tus::bucket_of(asked.headers)),
            rest => {
                let id: UploadId = rest.strip_prefix('/')?.parse().ok()?;
                let upload = sql::upload::with_id(self.db(), id).await.ok()??;
                let of_upload = upload.bucket.and_then(|id| self.buckets().with_id(id));
                // A part that does not say where it goes counts as one of the usual bucket.
                of_upload.or_else(|| self.buckets().named(crate::DEFAULT_BUCKET))
            }
        }
    }
}
