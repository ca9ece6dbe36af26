//! The page of a share: its name, its size, and a button. Nothing in it runs, nothing is
//! loaded, and every text in it is escaped.

use crate::share::{Share, Shared};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use web::Problem;

const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

const STYLE: &str = "\
:root{color-scheme:light dark}
body{margin:0;min-height:100vh;display:grid;place-items:center;font:1rem/1.5 system-ui,sans-serif}
main{box-sizing:border-box;width:100%;max-width:28rem;padding:1.5rem}
h1{font-size:1.25rem;margin:0 0 .25rem;overflow-wrap:anywhere}
p{margin:.25rem 0 1rem}
label{display:block;margin:0 0 .25rem}
input{box-sizing:border-box;width:100%;font:inherit;padding:.5rem;margin:0 0 1rem}
button,a.button{display:inline-block;font:inherit;padding:.5rem 1rem;border:1px solid #1d4ed8;\
border-radius:.375rem;background:#1d4ed8;color:#fff;text-decoration:none;cursor:pointer}
button:focus-visible,a:focus-visible,input:focus-visible{outline:3px solid #60a5fa;outline-offset:2px}
";

/// What a page tells of a share.
#[derive(Debug)]
pub(super) struct Shown {
    name: String,
    told: String,
    token: String,
    has_password: bool,
}

impl Shown {
    pub(super) fn of(share: &Share, shared: &Shared, token: &str) -> Self {
        let told = match shared {
            Shared::File(file) => size(file.size),
            Shared::Folder { files: 1, bytes } => format!("A folder of 1 file, {}", size(*bytes)),
            Shared::Folder { files, bytes } => {
                format!("A folder of {files} files, {}", size(*bytes))
            }
        };
        Self {
            name: share.name().to_owned(),
            told,
            token: token.to_owned(),
            has_password: share.has_password,
        }
    }
}

/// The page of a share, and over its button what was wrong.
pub(super) fn of(status: StatusCode, shown: &Shown, wrong: Option<&Problem>) -> Response {
    let token = escaped(&shown.token);
    let mut inside = format!(
        "<h1>{}</h1><p>{}</p>",
        escaped(&shown.name),
        escaped(&shown.told)
    );
    if let Some(wrong) = wrong {
        inside.push_str(&format!(
            "<p role=\"alert\">{}</p>",
            escaped(wrong.detail())
        ));
    }
    if shown.has_password {
        inside.push_str(&format!(
            "<form method=\"post\" action=\"/s/{token}\"><label for=\"password\">Password</label>\
            <input id=\"password\" name=\"password\" type=\"password\" required autofocus \
            autocomplete=\"off\"><button>Download</button></form>"
        ));
    } else {
        inside.push_str(&format!(
            "<a class=\"button\" href=\"/s/{token}/download\" download>Download</a>"
        ));
    }
    let mut response = html(status, &shown.name, &inside);
    retry_after(&mut response, wrong);
    response
}

/// A page that says what is wrong.
pub(super) fn problem(problem: &Problem) -> Response {
    let title = match problem.status() {
        StatusCode::GONE => "This link is over",
        StatusCode::NOT_FOUND => "There is nothing here",
        StatusCode::FORBIDDEN => "This link asks for a password",
        _ => "This did not work",
    };
    let inside = format!("<h1>{title}</h1><p>{}</p>", escaped(problem.detail()));
    let mut response = html(problem.status(), title, &inside);
    retry_after(&mut response, Some(problem));
    response
}

fn retry_after(response: &mut Response, problem: Option<&Problem>) {
    let Some(problem) = problem else { return };
    let answer = problem.clone().into_response();
    if let Some(wait) = answer.headers().get(RETRY_AFTER) {
        response.headers_mut().insert(RETRY_AFTER, wait.clone());
    }
}

/// Whoever has the address has what is behind it: nobody else is to learn of it. (No other
/// site does by the referrer, as every answer says; without any, browsers would not name
/// the page as the origin of its own form.)
pub(super) fn private(headers: &mut HeaderMap) {
    headers.insert(ROBOTS, HeaderValue::from_static("noindex, nofollow"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
}

fn html(status: StatusCode, title: &str, inside: &str) -> Response {
    let text = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
        <meta name=\"viewport\" content=\"width=device-width\"><title>{}</title>\
        <style>{STYLE}</style></head><body><main>{inside}</main></body></html>\n",
        escaped(title)
    );
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(CONTENT_TYPE, html);
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    private(headers);
    response
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// For people: `1.5 MB`.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} bytes");
    }
    let mut unit = 0;
    // Tenths, so that no fraction is computed.
    let mut tenths = bytes / 100;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_as_people_say_them() {
        for (bytes, told) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1000, "1.0 kB"),
            (1_550_000, "1.5 MB"),
            (999_999, "999.9 kB"),
            (5_368_709_120, "5.3 GB"),
            (u64::MAX, "18446.7 PB"),
        ] {
            assert_eq!(size(bytes), told, "{bytes}");
        }
    }

    #[test]
    fn what_a_file_is_called_is_no_markup() {
        assert_eq!(
            escaped("<b a=\"'&'\">"),
            "&lt;b a=&quot;&#39;&amp;&#39;&quot;&gt;"
        );
    }
}
