//! The console's files, taken into the program when it was built.
//!
//! It answers what no route answers. A page that a person opens by its address is
//! the console, whose script finds out what to show; anything else that is not
//! there is a 404, so that a missing script is never answered with a page.

mod encoding;

use crate::Problem;
use crate::front::CONSOLE_POLICY;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use encoding::Encoding;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use rust_embed::RustEmbed;
use std::borrow::Cow;

#[derive(RustEmbed)]
#[folder = "../../console/dist"]
#[allow_missing = true]
struct Dist;

/// What is shown when the console was not built.
const STAND_IN: &[u8] = include_bytes!("console/stand-in.html");
const INDEX: &str = "index.html";
/// Where the names of files change with their content.
const HASHED: &str = "assets/";

/// One file of the console.
struct File {
    bytes: Bytes,
    hash: [u8; 32],
}

/// Finds a file by its path.
type Find = fn(&str) -> Option<File>;

fn embedded(path: &str) -> Option<File> {
    let file = Dist::get(path)?;
    let hash = file.metadata.sha256_hash();
    let bytes = match file.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    };
    Some(File { bytes, hash })
}

/// The console's answer to a request that no route answers: a file, its page, or a
/// 404. For handlers, too, that take an address only under a condition: a route
/// for `/` that takes WebSockets answers the others with this.
#[must_use]
pub fn console_page(method: &Method, uri: &Uri, headers: &HeaderMap) -> Response {
    answer(embedded, method, uri, headers)
}

pub(crate) async fn fallback(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    console_page(&method, &uri, &headers)
}

fn answer(find: Find, method: &Method, uri: &Uri, headers: &HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path == "api" || path.starts_with("api/") {
        return nothing_here().into_response();
    }
    let readable = matches!(*method, Method::GET | Method::HEAD);
    // A twin is a form of its file and no file of its own.
    let plain = !path.ends_with(".br") && !path.ends_with(".gz");
    if !path.is_empty()
        && plain
        && let Some(file) = find(path)
    {
        if !readable {
            return not_readable().into_response();
        }
        return send(find, path, file, method, headers);
    }
    if readable && (path.is_empty() || (accepts_page(headers) && !path.starts_with(HASHED))) {
        let page = find(INDEX).unwrap_or(File {
            bytes: Bytes::from_static(STAND_IN),
            hash: [0; 32],
        });
        return send(find, INDEX, page, method, headers);
    }
    if path.is_empty() {
        return not_readable().into_response();
    }
    nothing_here().into_response()
}

fn send(find: Find, path: &str, file: File, method: &Method, headers: &HeaderMap) -> Response {
    let accepted = headers.get_all(ACCEPT_ENCODING);
    let accepted = accepted.iter().filter_map(|value| value.to_str().ok());
    let twin = Encoding::preferred(accepted)
        .into_iter()
        .find_map(|encoding| {
            let twin = find(&format!("{path}.{}", encoding.extension()))?;
            Some((encoding, twin.bytes))
        });
    let (encoding, bytes) = match twin {
        Some((encoding, bytes)) => (Some(encoding), bytes),
        None => (None, file.bytes),
    };
    let suffix = encoding.map_or("", Encoding::extension);
    let etag = format!("\"{}{suffix}\"", HEXLOWER.encode(&file.hash[..16]));
    let unchanged = headers.get_all(IF_NONE_MATCH).iter().any(|value| {
        let tags = value.to_str().unwrap_or_default();
        tags.split(',')
            .any(|tag| tag.trim().trim_start_matches("W/") == etag)
    });
    let length = bytes.len();
    let body = match () {
        () if unchanged || method == Method::HEAD => Body::empty(),
        () => Body::from(bytes),
    };
    let mut response = Response::new(body);
    let answer = response.headers_mut();
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        answer.insert(ETAG, etag);
    }
    let kept = if path.starts_with(HASHED) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    answer.insert(CACHE_CONTROL, HeaderValue::from_static(kept));
    answer.insert(VARY, HeaderValue::from_static("accept-encoding"));
    answer.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(CONSOLE_POLICY),
    );
    if unchanged {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    answer.insert(CONTENT_LENGTH, HeaderValue::from(length));
    answer.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(path)));
    if let Some(encoding) = encoding {
        answer.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    }
    response
}

/// Whether a person opens a page, as opposed to a script that loads something.
fn accepts_page(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).iter().any(|value| {
        let text = value.to_str().unwrap_or_default();
        text.split(',').any(|media| {
            let media = media.split(';').next().unwrap_or_default().trim();
            media.eq_ignore_ascii_case("text/html")
        })
    })
}

/// The kinds of files that a console is built of.
fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn nothing_here() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "not-found",
        "There is nothing at this address; /api/docs lists what there is.",
    )
}

fn not_readable() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "This address does not take this method; `Allow` says which it takes.",
    )
    .with_header(ALLOW, HeaderValue::from_static("GET,HEAD"))
}

#[cfg(test)]
mod tests;
