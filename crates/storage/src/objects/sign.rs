//! Signing, with AWS Signature Version 4 in the query of an address.

use super::{ObjectError, ObjectSettings, Result};
use http::Method;
use rusty_s3::{Bucket, UrlStyle, signing};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use url::Url;

pub(super) struct Signer {
    own: Bucket,
    public: Bucket,
    access_key: String,
    secret: SecretString,
}

impl Signer {
    pub(super) fn new(settings: ObjectSettings) -> Result<Self> {
        let style = if settings.path_style {
            UrlStyle::Path
        } else {
            UrlStyle::VirtualHost
        };
        let at = |endpoint: &str| {
            let unusable = |reason: String| {
                ObjectError::Settings(format!(
                    "the address of a store is written like https://s3.example.com, and this one cannot be used ({reason})"
                ))
            };
            let url = Url::parse(endpoint.trim()).map_err(|error| unusable(error.to_string()))?;
            let (bucket, region) = (settings.bucket.clone(), settings.region.clone());
            Bucket::new(url, style, bucket, region).map_err(|error| unusable(error.to_string()))
        };
        let public = settings.public_endpoint.as_deref();
        Ok(Self {
            own: at(&settings.endpoint)?,
            public: at(public.unwrap_or(&settings.endpoint))?,
            access_key: settings.access_key,
            secret: settings.secret,
        })
    }

    pub(super) fn bucket(&self) -> &str {
        self.own.name()
    }

    /// The source of a copy, as its header names it.
    pub(super) fn copy_source(&self, key: &str) -> String {
        // The object's address encodes a key as a header wants it, behind the bucket's.
        let base = self.own.base_url().path().len();
        let url = self.own.object_url(key);
        let encoded = url.path().get(base..).unwrap_or_default();
        format!("/{}/{encoded}", self.own.name())
    }

    /// An address for this server to use.
    pub(super) fn own(
        &self,
        method: &Method,
        key: &str,
        query: &[(&'static str, String)],
        headers: &[(String, String)],
        time: Duration,
    ) -> Result<String> {
        // What is not the store's own word need not be signed, and a client on the way may
        // spell it otherwise.
        let headers = headers
            .iter()
            .filter(|(name, _)| name.starts_with("x-amz-"));
        self.signed(
            &self.own,
            method,
            key,
            query,
            headers.cloned().collect(),
            time,
        )
    }

    /// An address for others.
    pub(super) fn public(
        &self,
        method: &Method,
        key: &str,
        query: &[(&'static str, String)],
        headers: &[(String, String)],
        time: Duration,
    ) -> Result<String> {
        self.signed(&self.public, method, key, query, headers.to_vec(), time)
    }

    fn signed(
        &self,
        bucket: &Bucket,
        method: &Method,
        key: &str,
        query: &[(&'static str, String)],
        mut headers: Vec<(String, String)>,
        time: Duration,
    ) -> Result<String> {
        let method = match *method {
            Method::HEAD => rusty_s3::Method::Head,
            Method::GET => rusty_s3::Method::Get,
            Method::PUT => rusty_s3::Method::Put,
            Method::POST => rusty_s3::Method::Post,
            Method::DELETE => rusty_s3::Method::Delete,
            _ => {
                return Err(ObjectError::Settings(
                    "stores have no such method".to_owned(),
                ));
            }
        };
        headers.sort();
        let mut query: Vec<(&str, &str)> = query
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect();
        query.sort_unstable();
        let url = if key.is_empty() {
            bucket.base_url().clone()
        } else {
            bucket.object_url(key)
        };
        let signed = signing::sign(
            &jiff::Timestamp::now(),
            method,
            url,
            &self.access_key,
            self.secret.expose_secret(),
            None,
            bucket.region(),
            time.as_secs().clamp(1, 604_800),
            query.iter().copied(),
            headers.iter().map(|(name, value)| (&**name, &**value)),
        );
        Ok(signed.into())
    }
}
