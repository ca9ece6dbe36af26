//! Where the bytes of a new bucket shall lie.

use clap::Args;
use serde_json::{Value, json};

/// An S3-compatible store, instead of the server's disk.
#[derive(Args, Debug)]
pub(super) struct StorageArguments {
    /// Keep its files in an S3-compatible store at this address, under their own paths.
    #[arg(long, value_name = "URL", requires_all = ["s3_bucket", "s3_access_key", "s3_secret"])]
    s3_endpoint: Option<String>,
    /// Where clients reach the store, where that is another address.
    #[arg(long, value_name = "URL", requires = "s3_endpoint")]
    s3_public_endpoint: Option<String>,
    /// The bucket in the store.
    #[arg(long, value_name = "NAME", requires = "s3_endpoint")]
    s3_bucket: Option<String>,
    /// What stands before every path there.
    #[arg(long, value_name = "PREFIX", requires = "s3_endpoint")]
    s3_prefix: Option<String>,
    /// The store's region.
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    s3_region: String,
    /// The id of the access key.
    #[arg(long, value_name = "ID", requires = "s3_endpoint")]
    s3_access_key: Option<String>,
    /// The name of the secret, kept by the server, that is the access key's.
    #[arg(long, value_name = "SECRET", requires = "s3_endpoint")]
    s3_secret: Option<String>,
    /// Name the bucket in the path, and not in the host name; most stores want that.
    #[arg(long, requires = "s3_endpoint")]
    s3_path_style: bool,
}

impl StorageArguments {
    /// As the API names it; nothing for the server's disk.
    pub(super) fn storage(&self) -> Option<Value> {
        let endpoint = self.s3_endpoint.as_ref()?;
        Some(json!({
            "kind": "s3",
            "endpoint": endpoint,
            "public_endpoint": self.s3_public_endpoint,
            "region": self.s3_region,
            "bucket": self.s3_bucket,
            "prefix": self.s3_prefix.as_deref().unwrap_or_default(),
            "path_style": self.s3_path_style,
            "access_key": self.s3_access_key,
            "secret": self.s3_secret,
        }))
    }
}
