//! Whose request it is: the secret of its key, and what nobody in particular may ask.

use access::{Access, AccessError};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Error, S3Result, s3_error};
use secrecy::ExposeSecret;

/// The secrets of access keys.
pub(super) struct Keys(pub(super) Access);

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let secret = self.0.access_key_secret(access_key).await;
        Ok(SecretKey::from(secret.map_err(refused)?.expose_secret()))
    }
}

/// What access refuses, in the words of S3.
pub(super) fn refused(error: AccessError) -> S3Error {
    match error {
        AccessError::Unauthenticated => s3_error!(
            InvalidAccessKeyId,
            "There is no such access key; `longshore access-key ls` lists yours."
        ),
        AccessError::Expired => s3_error!(
            InvalidAccessKeyId,
            "This access key has expired; make a new one with `longshore access-key add`."
        ),
        error => crate::s3::error::internal(&error),
    }
}

/// Lets those through who signed, and nobody else but to contents: whether those are
/// public the verbs themselves ask.
pub(super) struct Strangers;

#[async_trait::async_trait]
impl S3Access for Strangers {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let open = matches!(context.s3_op().name(), "GetObject" | "HeadObject");
        if context.credentials().is_some() || open {
            return Ok(());
        }
        Err(s3_error!(
            AccessDenied,
            "Sign the request with an access key."
        ))
    }
}
