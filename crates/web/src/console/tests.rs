//! What the console answers, from a handful of files in place of the built ones.

use super::*;
use http::HeaderName;
use http_body_util::BodyExt;

fn built(path: &str) -> Option<File> {
    let text = match path {
        "index.html" => "page",
        "index.html.br" => "page.br",
        "assets/app-Dk3j2.js" => "script",
        "assets/app-Dk3j2.js.br" => "script.br",
        "assets/app-Dk3j2.js.gz" => "script.gz",
        "favicon.svg" => "icon",
        _ => return None,
    };
    Some(File {
        bytes: Bytes::from_static(text.as_bytes()),
        hash: [text.len() as u8; 32],
    })
}

fn not_built(_: &str) -> Option<File> {
    None
}

struct Asked {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Asked {
    fn header(&self, name: HeaderName) -> &str {
        let value = self
            .headers
            .get(name)
            .map(|value| value.to_str().expect("text"));
        value.unwrap_or_default()
    }
}

async fn ask(find: Find, method: Method, path: &str, headers: &[(HeaderName, &str)]) -> Asked {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(name, value.parse().expect("a value"));
    }
    let uri = path.parse().expect("an address");
    let (parts, body) = answer(find, &method, &uri, &map).into_parts();
    let bytes = body.collect().await.expect("a body").to_bytes();
    Asked {
        status: parts.status.as_u16(),
        headers: parts.headers,
        text: String::from_utf8_lossy(&bytes).into_owned(),
    }
}

const PAGE: (HeaderName, &str) = (ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8");
const APP: &str = "/assets/app-Dk3j2.js";

#[tokio::test]
async fn a_page_opened_by_its_address_is_the_console() {
    for path in [
        "/",
        "/bundles",
        "/settings/users/a.b",
        "/operations/7?tab=log",
    ] {
        let answer = ask(built, Method::GET, path, &[PAGE]).await;
        assert_eq!(
            (answer.status, answer.text.as_str()),
            (200, "page"),
            "{path}"
        );
        assert_eq!(answer.header(CONTENT_TYPE), "text/html; charset=utf-8");
        assert_eq!(answer.header(CACHE_CONTROL), "no-cache");
        assert_eq!(answer.header(CONTENT_SECURITY_POLICY), CONSOLE_POLICY);
    }
    assert_eq!(
        ask(built, Method::GET, "/", &[(ACCEPT, "*/*")]).await.text,
        "page"
    );
}

#[tokio::test]
async fn nothing_else_that_is_missing_is_answered_with_a_page() {
    const SCRIPT: (HeaderName, &str) = (ACCEPT, "*/*");
    const IMAGE: (HeaderName, &str) = (ACCEPT, "image/avif,image/webp,*/*");
    for (path, accept) in [
        ("/assets/app-OLD.js", PAGE),
        ("/missing.js", SCRIPT),
        ("/missing.png", IMAGE),
        ("/api", PAGE),
        ("/api/v1/nothing", PAGE),
        ("/index.html.br", SCRIPT),
        ("/assets/app-Dk3j2.js.gz", SCRIPT),
        ("/assets/../../etc/passwd", PAGE),
        ("/%2e%2e/etc/passwd", SCRIPT),
    ] {
        let answer = ask(built, Method::GET, path, &[accept]).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.text.contains("not-found"));
    }
    assert_eq!(
        ask(built, Method::POST, "/bundles", &[PAGE]).await.status,
        404
    );
    for path in ["/", "/favicon.svg"] {
        let answer = ask(built, Method::POST, path, &[PAGE]).await;
        assert_eq!((answer.status, answer.header(ALLOW)), (405, "GET,HEAD"));
    }
}

#[tokio::test]
async fn the_shortest_form_that_is_taken_is_sent() {
    for (accepted, text, encoding) in [
        ("gzip, br", "script.br", "br"),
        ("gzip", "script.gz", "gzip"),
        ("identity", "script", ""),
    ] {
        let answer = ask(built, Method::GET, APP, &[(ACCEPT_ENCODING, accepted)]).await;
        assert_eq!(
            (answer.text.as_str(), answer.header(CONTENT_ENCODING)),
            (text, encoding)
        );
        assert_eq!(answer.header(CONTENT_LENGTH), text.len().to_string());
        assert_eq!(answer.header(VARY), "accept-encoding");
        assert_eq!(
            answer.header(CONTENT_TYPE),
            "text/javascript; charset=utf-8"
        );
    }
    // Where there is no such form, the next.
    let answer = ask(
        built,
        Method::GET,
        "/favicon.svg",
        &[(ACCEPT_ENCODING, "br")],
    )
    .await;
    assert_eq!(
        (answer.text.as_str(), answer.header(CONTENT_ENCODING)),
        ("icon", "")
    );
}

#[tokio::test]
async fn files_whose_names_change_with_them_are_kept_for_ever() {
    let script = ask(built, Method::GET, APP, &[]).await;
    assert_eq!(
        script.header(CACHE_CONTROL),
        "public, max-age=31536000, immutable"
    );
    let icon = ask(built, Method::GET, "/favicon.svg", &[]).await;
    assert_eq!(icon.header(CACHE_CONTROL), "no-cache");
}

#[tokio::test]
async fn an_unchanged_page_is_not_sent_again_and_each_form_has_its_own_tag() {
    let first = ask(built, Method::GET, "/", &[PAGE]).await;
    let tag = first.header(ETAG).to_owned();
    for given in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}")] {
        let again = ask(built, Method::GET, "/", &[PAGE, (IF_NONE_MATCH, &given)]).await;
        assert_eq!((again.status, again.text.as_str()), (304, ""), "{given}");
        assert_eq!(again.header(ETAG), tag);
    }
    let brotli = [PAGE, (ACCEPT_ENCODING, "br"), (IF_NONE_MATCH, tag.as_str())];
    let other = ask(built, Method::GET, "/", &brotli).await;
    assert_eq!((other.status, other.text.as_str()), (200, "page.br"));
}

#[tokio::test]
async fn a_head_has_the_length_and_no_body() {
    let answer = ask(built, Method::HEAD, "/", &[PAGE]).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    assert_eq!(answer.header(CONTENT_LENGTH), "4");
}

#[tokio::test]
async fn without_a_console_its_place_is_taken_by_how_to_build_it() {
    let answer = ask(not_built, Method::GET, "/", &[PAGE]).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text.contains("npm run build"));
    assert!(!answer.text.contains("<script"));
    assert_eq!(ask(not_built, Method::GET, APP, &[]).await.status, 404);
}
