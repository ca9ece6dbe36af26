//! A bucket on a host name of its own: a few routes that are easy to remember, for curl
//! and for scripts, and the files themselves by their paths.
//!
//! The answers are those of the file API that teams had before: words and arrays, not
//! documents. Problems are problem details here, too.

use super::contents::path;
use super::transfer::give_way;
use super::{answer, form, redirect, request, signed};
use crate::bucket::Bucket;
use crate::file::File;
use crate::list::Entry;
use crate::permit::{Permission, Writer};
use crate::presign::{Method, Terms};
use crate::put::NewFile;
use crate::{Error, Files};
use access::{Caller, Role, Scope};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::Timestamp;
use bytes::Bytes;
use futures::stream;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::Arc;
use web::routes;
use web::{
    Admitted, Answer, AnswerTime, BodyLimit, By, Client, Elsewhere, Json, Path, Problem,
    Requirement, RouteLimits, Routes, Wants,
};

/// Paths of files that a page may show, and nothing in them runs: who is asked for a
/// password here by the browser sends it with whatever runs here.
const POLICY: HeaderValue = HeaderValue::from_static("script-src 'none'; object-src 'none'");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// Files read at once for the list.
const BATCH: usize = 500;

/// The routes of a host that is a bucket's.
pub fn domain_routes(files: Files) -> Routes {
    let lists = Requirement::Role(Role::Viewer, Scope::FilesRead);
    let changes = Requirement::Role(Role::Viewer, Scope::FilesWrite);
    let reads = Requirement::SelfChecked {
        why: "anybody may read a public bucket, and signed addresses need no password",
    };
    let puts = Requirement::SelfChecked {
        why: "signed addresses need no password",
    };
    let flows = RouteLimits::default()
        .body(BodyLimit::Streamed)
        .time(AnswerTime::OwnLimit);
    // What a store copies takes its time, and goes on whoever waits for it.
    let lasts = RouteLimits::default().time(AnswerTime::OwnLimit);
    let elsewhere: Arc<dyn Elsewhere> = Arc::new(files.clone());
    Routes::new()
        .add(Requirement::Public, routes!(health))
        .add_within(flows, lists, routes!(front))
        .add_within(flows, lists, routes!(list))
        .add_deep(flows, changes, routes!(upload))
        .add_within(flows, changes, routes!(form::upload_form))
        .add_deep(RouteLimits::default(), lists, routes!(download_presigned))
        .add_deep(RouteLimits::default(), changes, routes!(upload_presigned))
        .add_deep(flows, reads, routes!(get))
        .add_deep(flows, puts, routes!(put))
        .add_deep(lasts, changes, routes!(delete))
        .or_elsewhere(&elsewhere)
        .with_state(files)
}

/// The bucket that was asked for by its host.
pub(super) fn bucket(files: &Files, client: &Client) -> Answer<Arc<Bucket>> {
    let found = client
        .authority()
        .and_then(|host| files.bucket_of_host(host));
    // It was there a moment ago, when the host was looked at.
    found.ok_or_else(|| Problem::not_found("bucket"))
}

/// Scheme and host for addresses in answers.
fn origin(client: &Client) -> String {
    let scheme = if client.is_https() { "https" } else { "http" };
    format!("{scheme}://{}", client.authority().unwrap_or_default())
}

/// It answers.
#[utoipa::path(get, path = "/health", responses((status = 200, description = "It answers.")))]
async fn health() -> Json<&'static str> {
    Json("OK")
}

/// A file, as the list tells of it.
#[derive(Serialize)]
struct Listed<'a> {
    filename: &'a str,
    prefix_path: &'a str,
    s3_bucket: &'a str,
    url: String,
    date_added: Timestamp,
    size: u64,
    content_type: &'a str,
    etag: &'a str,
}

impl<'a> Listed<'a> {
    fn of(file: &'a File, bucket: &'a Bucket, origin: &str) -> Self {
        Self {
            filename: file.path.name(),
            prefix_path: file.path.folder(),
            s3_bucket: bucket.name.as_str(),
            url: format!("{origin}/{}", file.path.encode()),
            date_added: file.modified_at,
            size: file.size,
            content_type: &file.media_type,
            etag: &file.etag,
        }
    }
}

/// All files.
#[utoipa::path(get, path = "/", responses((status = 200, description = "All files.")))]
async fn front(
    files: State<Files>,
    by: By,
    client: Client,
    admitted: Admitted,
) -> Answer<Response> {
    listed(files, by, client, admitted).await
}

/// All files.
#[utoipa::path(get, path = "/api/list", responses((status = 200, description = "All files.")))]
async fn list(files: State<Files>, by: By, client: Client, admitted: Admitted) -> Answer<Response> {
    listed(files, by, client, admitted).await
}

async fn listed(
    State(files): State<Files>,
    By(caller): By,
    client: Client,
    admitted: Admitted,
) -> Answer<Response> {
    let bucket = bucket(&files, &client)?;
    let mut prefixes = files.listable(&caller, &bucket);
    if prefixes.is_empty() {
        files
            .permit(Some(&caller), &bucket, "", Permission::List)
            .await
            .map_err(asking)?;
        prefixes.push(String::new());
    }
    admitted.release();
    let pages = Pages {
        files,
        bucket,
        origin: origin(&client),
        prefixes: prefixes.into(),
        after: None,
        begun: false,
        ended: false,
    };
    // However many there are, a page of them is in memory.
    let body = stream::try_unfold(pages, Pages::next);
    let headers = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// The list, a page at a time.
struct Pages {
    files: Files,
    bucket: Arc<Bucket>,
    origin: String,
    /// What may be listed and has not been.
    prefixes: VecDeque<String>,
    after: Option<String>,
    begun: bool,
    ended: bool,
}

impl Pages {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, Error> {
        if self.ended {
            return Ok(None);
        }
        let prefix = self.prefixes.front().map_or("", String::as_str);
        let page = self
            .files
            .keys(&self.bucket, prefix, None, self.after.as_deref(), BATCH)
            .await?;
        self.after = page.last().map(|entry| entry.key().to_owned());
        if page.len() < BATCH {
            self.prefixes.pop_front();
            self.ended = self.prefixes.is_empty();
            self.after = None;
        }
        let mut text = Vec::new();
        for entry in &page {
            let Entry::File(file) = entry else { continue };
            text.push(if self.begun { b',' } else { b'[' });
            self.begun = true;
            let listed = Listed::of(file, &self.bucket, &self.origin);
            text.extend(serde_json::to_vec(&listed).unwrap_or_default());
        }
        if self.ended {
            text.extend_from_slice(if self.begun { b"]" } else { b"[]" });
        }
        Ok(Some((text.into(), self)))
    }
}

/// Put a file.
#[utoipa::path(put, path = "/api/upload/{path}", responses((status = 200, description = "It is stored.")))]
async fn upload(
    State(files): State<Files>,
    By(caller): By,
    client: Client,
    Path(text): Path<String>,
    admitted: Admitted,
    headers: HeaderMap,
    body: Body,
) -> Answer<Json<&'static str>> {
    let bucket = bucket(&files, &client)?;
    let new = permitted(&files, &bucket, &caller, &text, &headers).await?;
    store(&files, &bucket, Writer::from(&caller), new, admitted, body).await?;
    Ok(Json("File uploaded"))
}

/// A signed address.
#[derive(Serialize)]
struct Presigned {
    url: String,
}

/// Sign an address by which a file is got.
#[utoipa::path(get, path = "/api/download_presigned/{path}", responses((status = 200, description = "The address.")))]
async fn download_presigned(
    State(files): State<Files>,
    By(caller): By,
    client: Client,
    Path(text): Path<String>,
) -> Answer<Json<Presigned>> {
    let terms = Terms::Get { download: false };
    presigned(&files, &caller, &client, &text, &terms).await
}

/// Sign an address by which a file is put, once.
#[utoipa::path(get, path = "/api/upload_presigned/{path}", responses((status = 200, description = "The address.")))]
async fn upload_presigned(
    State(files): State<Files>,
    By(caller): By,
    client: Client,
    Path(text): Path<String>,
) -> Answer<Json<Presigned>> {
    let terms = Terms::Put {
        length: None,
        media_type: None,
    };
    presigned(&files, &caller, &client, &text, &terms).await
}

async fn presigned(
    files: &Files,
    caller: &Caller,
    client: &Client,
    text: &str,
    terms: &Terms,
) -> Answer<Json<Presigned>> {
    let bucket = bucket(files, client)?;
    let path = path(text)?;
    let signed = signed::signed(files, caller, &bucket, &path, terms, signed::USUAL).await?;
    let url = signed.url(&format!("{}/{}", origin(client), path.encode()));
    Ok(Json(Presigned { url }))
}

/// Put a file at the path by which it is got.
#[utoipa::path(put, path = "/{path}", responses((status = 200, description = "It is stored.")))]
#[allow(clippy::too_many_arguments, reason = "each is a part of the request")]
async fn put(
    State(files): State<Files>,
    by: Option<By>,
    client: Client,
    Path(text): Path<String>,
    uri: Uri,
    admitted: Admitted,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let bucket = bucket(&files, &client)?;
    let path = path(&text)?;
    let place = (&*bucket, &path);
    let entrance = signed::entrance(&files, Method::Put, place, &uri, client.address()).await?;
    let file = if let Some(entrance) = entrance {
        entrance
            .put(&files, &bucket, path, &headers, (admitted, body))
            .await?
    } else {
        let By(caller) = by.ok_or_else(|| asking(Error::Anonymous))?;
        let new = permitted(&files, &bucket, &caller, &text, &headers).await?;
        store(&files, &bucket, Writer::from(&caller), new, admitted, body).await?
    };
    Ok((answer::tagged(&file), Json("File uploaded")).into_response())
}

async fn permitted(
    files: &Files,
    bucket: &Bucket,
    caller: &Caller,
    text: &str,
    headers: &HeaderMap,
) -> Answer<NewFile> {
    let path = path(text)?;
    files
        .permit(Some(caller), bucket, path.as_str(), Permission::Write)
        .await
        .map_err(asking)?;
    request::new_file(path, headers)
}

async fn store(
    files: &Files,
    bucket: &Arc<Bucket>,
    by: Writer,
    new: NewFile,
    admitted: Admitted,
    body: Body,
) -> Answer<File> {
    let mut incoming = files.put(bucket, by, new).await?;
    admitted.release();
    request::receive(body, &mut incoming, files.settings().silence).await?;
    Ok(incoming.finish().await?)
}

/// Get a file.
#[utoipa::path(get, path = "/{path}", responses((status = 200, description = "Its content.")))]
async fn get(
    State(files): State<Files>,
    by: Option<By>,
    client: Client,
    Path(text): Path<String>,
    uri: Uri,
    wants: Wants,
) -> Answer<Response> {
    let bucket = bucket(&files, &client)?;
    let path = path(&text)?;
    let place = (&*bucket, &path);
    let entrance = signed::entrance(&files, Method::Get, place, &uri, client.address()).await?;
    let mut response = if let Some(entrance) = entrance {
        entrance.get(&files, &bucket, &path, &wants).await?
    } else {
        let caller = by.as_ref().map(|by| &by.0);
        files
            .permit(caller, &bucket, path.as_str(), Permission::Read)
            .await
            .map_err(asking)?;
        let address = || format!("/{}", path.encode());
        if wants.may_go_elsewhere()
            && let Some(redirect) = redirect::to(&files, caller, place, false, address).await?
        {
            return Ok(redirect);
        }
        answer::current(&files, place, &wants, false).await?
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    // What anybody may see, any page may show.
    if bucket.public_read {
        headers.insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    }
    Ok(response)
}

/// Delete a file.
#[utoipa::path(delete, path = "/{path}", responses((status = 200, description = "It is gone.")))]
async fn delete(
    State(files): State<Files>,
    By(caller): By,
    client: Client,
    Path(text): Path<String>,
    admitted: Admitted,
    headers: HeaderMap,
) -> Answer<(StatusCode, Json<&'static str>)> {
    let bucket = bucket(&files, &client)?;
    let path = path(&text)?;
    files
        .permit(Some(&caller), &bucket, path.as_str(), Permission::Delete)
        .await
        .map_err(asking)?;
    let expect = request::expect(&headers)?;
    give_way(&admitted, &bucket);
    files
        .delete(&bucket, &path, &expect, &caller.actor())
        .await?;
    Ok((StatusCode::OK, Json("File deleted")))
}

/// A problem that makes a browser ask for a password: there is no page here that does.
fn asking(error: Error) -> Problem {
    const BASIC: HeaderValue =
        HeaderValue::from_static("Basic realm=\"longshore\", charset=\"UTF-8\"");
    let anonymous = matches!(error, Error::Anonymous);
    let problem = Problem::from(error);
    if anonymous {
        problem.with_header(http::header::WWW_AUTHENTICATE, BASIC)
    } else {
        problem
    }
}
