//! The S3 protocol, on a port of its own.
//!
//! The library beneath (s3s) reads requests, verifies signatures and writes answers; a
//! file here is a group of verbs, and each verb asks [`Service::caller`] and the
//! permission before anything else. What the library lets pass and S3 does not, and what it
//! refuses without words, is refused before it ([`guard`], [`address`]). It is named nowhere else.

mod address;
mod auth;
mod body;
mod buckets;
mod copy;
mod delete;
mod error;
mod get;
mod guard;
mod host;
mod list;
mod multipart;
mod old;
mod put;
mod sums;
mod tagging;
mod verbs;
mod versions;

use crate::Files;
use crate::bucket::{Bucket, Storage};
use crate::path::FilePath;
use crate::permit::Permission;
use access::Caller;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use error::Fault;
use http::{HeaderName, HeaderValue, StatusCode};
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::validation::NameValidation;
use s3s::{S3Request, S3Result};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use web::{Admitted, Client, Protocol, Refusal, RequestId};

/// The longest XML of a request: a thousand keys to be deleted, or ten thousand parts.
const MOST_XML: usize = 8 << 20;
/// The region that clients are told, as they want one.
const REGION: &str = "us-east-1";

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");

/// The protocol, ready to be listened for.
#[derive(Debug)]
pub struct S3 {
    files: Files,
    hosts: host::Hosts,
    service: S3Service,
}

/// The S3 protocol over these files. `domain` is what clients may write buckets before.
#[must_use]
pub fn s3_service(files: Files, domain: Option<String>) -> S3 {
    let mut config = S3Config::default();
    config.xml_max_body_size = MOST_XML;
    // Forms are refused; should one get through, it finds no memory.
    config.post_object_max_file_size = 0;
    let mut builder = S3ServiceBuilder::new(Service {
        files: files.clone(),
    });
    builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
    builder.set_auth(auth::Keys(files.access().clone()));
    builder.set_access(auth::Strangers);
    let hosts = host::Hosts(domain);
    builder.set_host(hosts.clone());
    builder.set_validation(Names);
    S3 {
        files,
        hosts,
        service: builder.build(),
    }
}

impl Protocol for S3 {
    const NAME: &'static str = "s3";

    async fn answer(&self, request: Request) -> Response {
        let id = request.extensions().get::<RequestId>().cloned();
        let silence = self.files.settings().silence;
        let checked = guard::check(&request).and_then(|()| address::check(&self.hosts, &request));
        let claim = checked.and_then(|()| old::Claim::read(&self.hosts, &request));
        let checked = match claim {
            Ok(Some(claim)) => claim.verify(self.files.access()).await,
            Ok(None) => Ok(()),
            Err(refused) => Err(refused),
        };
        let answered = match checked {
            Err(refused) => error::rendered(refused, id.as_ref()),
            Ok(()) => {
                let small = body::Small::of(&request, MOST_XML);
                let (parts, content) = request.into_parts();
                let (content, broken) = body::patient(content, silence, small);
                let request = http::Request::from_parts(parts, content);
                match self.service.call(request).await {
                    Ok(response)
                        if response.status() == StatusCode::INTERNAL_SERVER_ERROR
                            && broken.get().is_some() =>
                    {
                        let broken = broken.get().copied();
                        let error =
                            broken.map_or_else(|| s3s::s3_error!(InternalError), Into::into);
                        error::rendered(error, id.as_ref())
                    }
                    Ok(response) => response.map(Body::new),
                    Err(error) => {
                        let error = s3s::StdError::from(error);
                        tracing::error!(%error, "an answer could not be written");
                        error::rendered(s3s::s3_error!(InternalError), id.as_ref())
                    }
                }
            }
        };
        finished(answered, id.as_ref())
    }

    fn refuse(&self, refusal: Refusal, id: &RequestId) -> Response {
        let error = match refusal {
            Refusal::Overloaded => {
                s3s::s3_error!(
                    SlowDown,
                    "There is more to do than can be done at once; try again shortly."
                )
            }
            Refusal::Broken => {
                s3s::s3_error!(
                    InternalError,
                    "Something went wrong here; the log of the server says what."
                )
            }
        };
        finished(error::rendered(error, Some(id)), Some(id))
    }
}

/// With the id of the request, and without a body where there may be none.
fn finished(mut response: Response, id: Option<&RequestId>) -> Response {
    if let Some(id) = id
        && let Ok(value) = HeaderValue::from_str(id.as_str())
    {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    // No cookie opens anything here, so pages of others may show what they have an address for.
    let headers = response.headers_mut();
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    if response.status() == StatusCode::NOT_MODIFIED {
        *response.body_mut() = Body::empty();
    }
    response
}

/// Names of buckets as everywhere else in Longshore.
struct Names;

impl NameValidation for Names {
    fn validate_bucket_name(&self, name: &str) -> bool {
        name.parse::<crate::BucketName>().is_ok()
    }
}

/// What the verbs work on.
#[derive(Clone)]
struct Service {
    files: Files,
}

impl Service {
    /// Who asks, by the key that the request was signed with; nobody, where it was not.
    async fn caller<T: Sync>(&self, request: &S3Request<T>) -> S3Result<Option<Caller>> {
        let Some(credentials) = &request.credentials else {
            return Ok(None);
        };
        let client = request.extensions.get::<Client>();
        let address = client.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), Client::address);
        let (key, secret) = (&credentials.access_key, credentials.secret_key.expose());
        let access = self.files.access();
        let caller = access.identify_access_key(key, secret, address).await;
        let caller = caller.map_err(auth::refused)?;
        tracing::Span::current().record("user", caller.name());
        Ok(Some(caller))
    }

    /// Who asks, where somebody must.
    async fn someone<T: Sync>(&self, request: &S3Request<T>) -> S3Result<Caller> {
        let caller = self.caller(request).await?;
        caller.ok_or_else(|| s3s::s3_error!(AccessDenied, "Sign the request with an access key."))
    }

    fn bucket(&self, name: &str) -> Fault<Arc<Bucket>> {
        Ok(self.files.bucket(name)?)
    }

    /// The bucket, once it is known that this caller may do this with what is there.
    async fn permitted(
        &self,
        caller: Option<&Caller>,
        bucket: &str,
        path: &str,
        permission: Permission,
    ) -> Fault<Arc<Bucket>> {
        let bucket = self.bucket(bucket)?;
        self.files.permit(caller, &bucket, path, permission).await?;
        Ok(bucket)
    }
}

/// A key as a path.
fn path(key: &str) -> Fault<FilePath> {
    Ok(key.parse::<FilePath>().map_err(crate::Error::from)?)
}

/// Others may be answered now: what follows takes as long as the client likes.
fn release(extensions: &http::Extensions) {
    if let Some(admitted) = extensions.get::<Admitted>() {
        admitted.release();
    }
}

/// The same where a bucket's store may have much to copy.
fn give_way(extensions: &http::Extensions, bucket: &Bucket) {
    if matches!(bucket.storage, Storage::S3 { .. }) {
        release(extensions);
    }
}
