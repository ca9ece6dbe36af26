//! Signed addresses: asked for by somebody who may, used by whoever has one.

use super::contents::{create_or_replace, path};
use super::problem::{MoreThanTheQuota, SomethingElse};
use super::{answer, request};
use crate::bucket::Bucket;
use crate::file::{File, media_type};
use crate::path::{FilePath, encode};
use crate::permit::{Permission, Writer};
use crate::presign::{LinkError, Method, Opened, Place, SignedBy, Terms};
use crate::put::{Along, NewFile};
use crate::{Error, Files};
use access::{AccessError, AuditEntry, Caller, Doer, Proof};
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use base::Timestamp;
use http::header::HeaderName;
use http::{HeaderMap, HeaderValue, Uri};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use web::{Admitted, Answer, By, Client, Json, Origin, Path, Problem, Wants};

/// The longest time for which an address is signed, in seconds: a week.
const LONGEST: u64 = 7 * 86_400;
/// And the usual one: an hour.
pub(super) const USUAL: Duration = Duration::from_secs(3600);
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// What is signed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
enum SignedMethod {
    /// Getting the file, as often as wanted.
    #[serde(rename = "GET")]
    Get,
    /// Putting it, once.
    #[serde(rename = "PUT")]
    Put,
}

/// An address to be signed.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSigned {
    /// The file's path. It need not be there yet.
    path: String,
    // Described by its type: with words of its own, the description would hold two kinds
    // of value at once.
    #[schema(inline)]
    method: SignedMethod,
    /// Seconds for which it is good; an hour, when absent.
    #[schema(minimum = 1, maximum = 604_800)]
    expires_in: Option<u64>,
    /// For PUT: exactly so many bytes may be sent.
    length: Option<u64>,
    /// For PUT: exactly this media type must be sent.
    #[serde(rename = "type")]
    media_type: Option<String>,
    /// For GET: to be saved under its name instead of shown.
    #[serde(default)]
    download: bool,
}

impl NewSigned {
    fn terms(&self) -> Answer<Terms> {
        match self.method {
            SignedMethod::Get if self.length.is_some() => Err(of_put("length")),
            SignedMethod::Get if self.media_type.is_some() => Err(of_put("type")),
            SignedMethod::Get => Ok(Terms::Get {
                download: self.download,
            }),
            SignedMethod::Put => Ok(Terms::Put {
                length: self.length,
                media_type: match &self.media_type {
                    None => None,
                    Some(text) => Some(media_type(text).ok_or_else(|| {
                        Problem::invalid("type", "invalid", "this is no media type")
                    })?),
                },
            }),
        }
    }

    fn time(&self) -> Answer<Duration> {
        match self.expires_in {
            None => Ok(USUAL),
            Some(seconds @ 1..=LONGEST) => Ok(Duration::from_secs(seconds)),
            Some(_) => Err(Problem::invalid(
                "expires_in",
                "out-of-range",
                "an address is signed for 1 second up to 7 days (604800)",
            )),
        }
    }
}

fn of_put(field: &'static str) -> Problem {
    Problem::invalid(field, "unsupported", "this is for the method PUT alone")
}

/// A signed address.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct SignedAddress {
    /// The address. Whoever has it needs no password.
    url: String,
    /// Until when it is good.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Sign an address by which anybody may get or put one file.
///
/// It opens nothing that the signer may not, at the time when it is used. One for PUT
/// works once. Of a bucket in an S3-compatible store it is an address of that store, which
/// holds to the time, the type and the length alone.
#[utoipa::path(
    post, path = "/api/v1/buckets/{bucket}/presign", tag = "files",
    params(("bucket" = String, Path, description = "The bucket's name.")),
    request_body = NewSigned,
    responses((status = 200, description = "The address.", body = SignedAddress))
)]
pub(super) async fn presign(
    State(files): State<Files>,
    By(caller): By,
    Origin(origin): Origin,
    Path(bucket): Path<String>,
    Json(new): Json<NewSigned>,
) -> Answer<Json<SignedAddress>> {
    let bucket = files.bucket(&bucket)?;
    let path = path(&new.path)?;
    let (terms, time) = (new.terms()?, new.time()?);
    let signed = signed(&files, &caller, &bucket, &path, &terms, time).await?;
    Ok(Json(SignedAddress {
        expires_at: signed.expires_at,
        url: signed.url(&format!("{origin}{}", address(&bucket, &path))),
    }))
}

/// Where the API answers to signatures.
pub(super) fn address(bucket: &Bucket, path: &FilePath) -> String {
    format!(
        "/api/v1/signed/{}/{}",
        encode(bucket.name.as_str()),
        path.encode()
    )
}

/// What opens a place.
pub(super) struct Signed {
    query: String,
    /// The address in the bucket's store, where its bytes lie there.
    in_store: Option<String>,
    expires_at: Timestamp,
}

impl Signed {
    /// The whole address, given where this server takes its own signatures.
    pub(super) fn url(self, here: &str) -> String {
        self.in_store
            .unwrap_or_else(|| format!("{here}?{}", self.query))
    }
}

/// Signs for somebody who may do it, and puts it on record.
pub(super) async fn signed(
    files: &Files,
    caller: &Caller,
    bucket: &Bucket,
    path: &FilePath,
    terms: &Terms,
    time: Duration,
) -> Answer<Signed> {
    files
        .permit(Some(caller), bucket, path.as_str(), permission(terms))
        .await?;
    let place = (bucket, path);
    files.check_signed_quota(place, caller, terms).await?;
    let mut expires_at = web::whole_seconds(files.now().plus(time));
    // No address outlives the token that made it.
    if let (Proof::Token { .. }, Some(ends)) = (caller.proof(), caller.ends_at()) {
        expires_at = expires_at.min(ends);
    }
    // Nobody can be asked again whether a guest still may.
    if caller.as_guest().is_some() {
        expires_at = expires_at.min(web::whole_seconds(files.now().plus(USUAL)));
    }
    let place = Place {
        bucket: bucket.id,
        path,
    };
    let query = files
        .signer()
        .sign(place, terms, &SignedBy::of(Some(caller)), expires_at);
    let method = match terms {
        Terms::Get { .. } => "GET",
        Terms::Put { .. } => "PUT",
    };
    let subject = format!("bucket:{}", bucket.name);
    let entry = AuditEntry::new(&Doer::from(caller), "file.signed", subject)
        .after(serde_json::json!({ "method": method, "path": path, "expires_at": expires_at }));
    files.access().audit(entry).await?;
    let left = expires_at.since(files.now());
    let in_store = files.store_address(bucket, path, terms, left).await?;
    Ok(Signed {
        query,
        in_store,
        expires_at,
    })
}

const fn permission(terms: &Terms) -> Permission {
    match terms {
        Terms::Get { .. } => Permission::Read,
        Terms::Put { .. } => Permission::Write,
    }
}

/// What a good signature lets in, with whoever signed, as it is now.
pub(super) struct Entrance {
    opened: Opened,
    signer: Option<Caller>,
}

/// Looks at the signature of an address; nothing where there is none.
pub(super) async fn entrance(
    files: &Files,
    method: Method,
    (bucket, path): (&Bucket, &FilePath),
    uri: &Uri,
    from: IpAddr,
) -> Answer<Option<Entrance>> {
    let place = Place {
        bucket: bucket.id,
        path,
    };
    let query = uri.query().unwrap_or_default();
    let opened = files.signer().check(method, place, query, files.now());
    let Some(opened) = opened.map_err(Error::from)? else {
        return Ok(None);
    };
    let revoked = || Problem::from(Error::from(LinkError::Revoked));
    let signer = match opened.by.clone() {
        SignedBy::Nobody => None,
        SignedBy::Guest(identity) => Some(Caller::vouched(identity, from)),
        SignedBy::User(user, token) => match files.access().signer(user, token, from).await {
            Ok(signer) => Some(signer),
            Err(AccessError::Unauthenticated | AccessError::Expired) => return Err(revoked()),
            Err(error) => return Err(Error::from(error).into()),
        },
    };
    let wanted = permission(&opened.terms);
    match files
        .permit(signer.as_ref(), bucket, path.as_str(), wanted)
        .await
    {
        Ok(()) => Ok(Some(Entrance { opened, signer })),
        Err(Error::Forbidden { .. } | Error::Anonymous) => Err(revoked()),
        Err(error) => Err(error.into()),
    }
}

impl Entrance {
    /// The file.
    pub(super) async fn get(
        &self,
        files: &Files,
        bucket: &Bucket,
        path: &FilePath,
        wants: &Wants,
    ) -> Answer<Response> {
        let save = self.opened.terms == Terms::Get { download: true };
        let (file, content) = files.file_and_content(bucket, path).await?;
        let mut response = answer::content(&file, content, wants, save);
        // Whoever was given the address may show it on a page of its own.
        response
            .headers_mut()
            .insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
        Ok(response)
    }

    /// Puts the file, as it was agreed on.
    pub(super) async fn put(
        self,
        files: &Files,
        bucket: &Arc<Bucket>,
        path: FilePath,
        headers: &HeaderMap,
        (admitted, body): (Admitted, Body),
    ) -> Answer<File> {
        let invalid = || Problem::from(Error::from(LinkError::Invalid));
        let new = self.agreed(request::new_file(path, headers)?)?;
        let once = self.opened.once.ok_or_else(invalid)?;
        let signer = self.signer.ok_or_else(invalid)?;
        files.not_used(once).await?;
        let incoming = files.put(bucket, Writer::from(&signer), new).await?;
        let mut incoming = incoming.along(Along::Signature(once));
        admitted.release();
        request::receive(body, &mut incoming, files.settings().silence).await?;
        Ok(incoming.finish().await?)
    }

    fn agreed(&self, mut new: NewFile) -> Result<NewFile, Error> {
        let Terms::Put { length, media_type } = &self.opened.terms else {
            return Err(LinkError::Invalid.into());
        };
        if let Some(length) = *length {
            let said = new.promised.length.replace(length);
            if said.is_some_and(|said| said != length) {
                return Err(LinkError::Length(length).into());
            }
        }
        if let Some(wanted) = media_type {
            let given = new.media_type.as_deref().unwrap_or_default();
            if !given.eq_ignore_ascii_case(wanted) {
                return Err(LinkError::Type(wanted.clone()).into());
            }
        }
        Ok(new)
    }
}

/// A bucket by a signed address: who asks for one that is not there, is not told.
fn bucket(files: &Files, name: &str) -> Answer<Arc<Bucket>> {
    let found = files.bucket(name);
    Ok(found.map_err(|_| Error::from(LinkError::Invalid))?)
}

fn unsigned() -> Problem {
    Error::from(LinkError::Invalid).into()
}

/// Get a file by a signed address.
#[utoipa::path(
    get, path = "/api/v1/signed/{bucket}/{path}", tag = "files",
    params(
        ("bucket" = String, Path, description = "The bucket's name."),
        ("path" = String, Path, description = "The file's path, `/` included."),
        ("expires" = i64, Query, description = "As signed."),
        ("signature" = String, Query, description = "The signature."),
        ("download" = Option<String>, Query, description = "As signed."),
    ),
    responses(
        (status = 200, description = "Its content.", content_type = "application/octet-stream", body = Vec<u8>),
        (status = 206, description = "The part asked for.", content_type = "application/octet-stream", body = Vec<u8>),
        (status = 304, description = "It is still what the client has."),
        (status = 403, description = "The signature is not for this, or not any more.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 412, description = "It is another one.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 416, description = "It has no such part.", body = web::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_signed(
    State(files): State<Files>,
    client: Client,
    Path((name, text)): Path<(String, String)>,
    uri: Uri,
    wants: Wants,
) -> Answer<Response> {
    let bucket = bucket(&files, &name)?;
    let path = path(&text)?;
    let from = client.address();
    let entrance = entrance(&files, Method::Get, (&bucket, &path), &uri, from).await?;
    let entrance = entrance.ok_or_else(unsigned)?;
    entrance.get(&files, &bucket, &path, &wants).await
}

/// Put a file by a signed address, once.
#[utoipa::path(
    put, path = "/api/v1/signed/{bucket}/{path}", tag = "files",
    params(
        ("bucket" = String, Path, description = "The bucket's name."),
        ("path" = String, Path, description = "The file's path, `/` included."),
        ("expires" = i64, Query, description = "As signed."),
        ("signature" = String, Query, description = "The signature."),
        ("length" = Option<u64>, Query, description = "As signed."),
        ("type" = Option<String>, Query, description = "As signed."),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 200, description = "It replaced another content.", body = File),
        (status = 201, description = "It is there.", body = File),
        (status = 403, description = "The signature is not for this, or not any more.", body = web::ProblemDocument, content_type = "application/problem+json"),
        SomethingElse,
        MoreThanTheQuota,
    )
)]
pub(super) async fn put_signed(
    State(files): State<Files>,
    client: Client,
    Path((name, text)): Path<(String, String)>,
    uri: Uri,
    admitted: Admitted,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let bucket = bucket(&files, &name)?;
    let path = path(&text)?;
    let from = client.address();
    let entrance = entrance(&files, Method::Put, (&bucket, &path), &uri, from).await?;
    let entrance = entrance.ok_or_else(unsigned)?;
    let sent = (admitted, body);
    let file = entrance.put(&files, &bucket, path, &headers, sent).await?;
    Ok(create_or_replace(file))
}
