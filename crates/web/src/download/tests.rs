//! Ranges and conditions, as a client asks for them.

use super::*;
use http_body_util::BodyExt;
use storage::Blobs;

const TEXT: &[u8] = b"0123456789";
const AT: Timestamp = Timestamp::from_micros(1_700_000_000_500_000);
const AT_DATE: &str = "Tue, 14 Nov 2023 22:13:20 GMT";
const LATER: &str = "Tue, 14 Nov 2023 22:13:21 GMT";
const EARLIER: &str = "Tue, 14 Nov 2023 22:13:19 GMT";

struct Answered {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answered {
    fn header(&self, name: impl http::header::AsHeaderName) -> &str {
        let value = self
            .headers
            .get(name)
            .map(|value| value.to_str().expect("text"));
        value.unwrap_or_default()
    }
}

fn download() -> Download {
    Download::new(TEXT.len() as u64)
        .media_type("application/zip")
        .etag("v1")
        .modified(AT)
        .attachment("a.zip")
}

async fn asked(method: Method, headers: &[(&str, &str)]) -> Answered {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = http::HeaderName::from_bytes(name.as_bytes()).expect("a name");
        map.append(name, value.parse().expect("a value"));
    }
    let wants = Wants::new(method, &map);
    let part =
        |range: Range<u64>| Body::from(TEXT[range.start as usize..range.end as usize].to_vec());
    let (parts, body) = download().answer(&wants, part).into_parts();
    Answered {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: body.collect().await.expect("a body").to_bytes().to_vec(),
    }
}

#[tokio::test]
async fn the_whole_has_its_length_and_says_that_parts_can_be_had() {
    let answer = asked(Method::GET, &[]).await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, TEXT));
    assert_eq!(answer.header(CONTENT_LENGTH), "10");
    assert_eq!(answer.header(ACCEPT_RANGES), "bytes");
    assert_eq!(answer.header(ETAG), "\"v1\"");
    assert_eq!(answer.header(LAST_MODIFIED), AT_DATE);
    assert_eq!(
        answer.header(CONTENT_DISPOSITION),
        "attachment; filename=\"a.zip\""
    );
}

#[tokio::test]
async fn a_header_of_its_own_comes_instead_and_once() {
    let text = |text| http::HeaderValue::from_static(text);
    let own = Download::new(10)
        .header(CACHE_CONTROL, text("max-age=7"))
        .header(CONTENT_DISPOSITION, text("inline; filename=\"x\""))
        .header(CONTENT_DISPOSITION, text("attachment"));
    let wants = Wants::new(Method::HEAD, &http::HeaderMap::new());
    let answer = own.answer(&wants, |_| Body::empty());
    let all = |name| answer.headers().get_all(name).iter().collect::<Vec<_>>();
    assert_eq!(all(CACHE_CONTROL), ["max-age=7"]);
    assert_eq!(all(CONTENT_DISPOSITION), ["attachment"]);
}

#[tokio::test]
async fn a_head_has_the_headers_of_the_whole_and_ignores_ranges() {
    let answer = asked(Method::HEAD, &[("range", "bytes=0-1")]).await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(answer.header(CONTENT_LENGTH), "10");
}

#[tokio::test]
async fn a_part_is_exactly_that_part() {
    for (range, body, content_range) in [
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
        ("bytes=8-100", "89", "bytes 8-9/10"),
        ("bytes=0-9", "0123456789", "bytes 0-9/10"),
    ] {
        let answer = asked(Method::GET, &[("range", range)]).await;
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (206, body.as_bytes()),
            "{range}"
        );
        assert_eq!(answer.header(CONTENT_RANGE), content_range);
        assert_eq!(answer.header(CONTENT_LENGTH), body.len().to_string());
    }
}

#[tokio::test]
async fn a_part_beyond_the_end_is_a_416_that_tells_the_length() {
    let answer = asked(Method::GET, &[("range", "bytes=10-")]).await;
    assert_eq!(answer.status, 416);
    assert_eq!(answer.header(CONTENT_RANGE), "bytes */10");
    assert!(String::from_utf8_lossy(&answer.body).contains("range-not-satisfiable"));
}

#[tokio::test]
async fn a_part_of_something_older_is_answered_with_the_whole() {
    for (validator, status) in [
        ("\"v1\"", 206),
        ("\"v2\"", 200),
        ("W/\"v1\"", 200),
        (AT_DATE, 206),
        (LATER, 200),
        (EARLIER, 200),
        ("nonsense", 200),
    ] {
        let headers = [("range", "bytes=2-4"), ("if-range", validator)];
        assert_eq!(
            asked(Method::GET, &headers).await.status,
            status,
            "{validator}"
        );
    }
}

#[tokio::test]
async fn conditions_are_judged_in_their_order() {
    for (headers, status) in [
        (vec![("if-none-match", "\"v1\"")], 304),
        (vec![("if-none-match", "W/\"v1\"")], 304),
        (vec![("if-none-match", "\"v0\", \"v1\"")], 304),
        (
            vec![("if-none-match", "\"v0\""), ("if-none-match", "\"v1\"")],
            304,
        ),
        (vec![("if-none-match", "*")], 304),
        (vec![("if-none-match", "\"v0\"")], 200),
        (vec![("if-modified-since", AT_DATE)], 304),
        (vec![("if-modified-since", EARLIER)], 200),
        (
            vec![("if-none-match", "\"v0\""), ("if-modified-since", AT_DATE)],
            200,
        ),
        (vec![("if-match", "\"v1\"")], 200),
        (vec![("if-match", "*")], 200),
        (vec![("if-match", "W/\"v1\"")], 412),
        (vec![("if-match", "\"v0\"")], 412),
        (vec![("if-unmodified-since", AT_DATE)], 200),
        (vec![("if-unmodified-since", EARLIER)], 412),
        (
            vec![("if-match", "\"v1\""), ("if-unmodified-since", EARLIER)],
            200,
        ),
        (
            vec![("if-none-match", "\"v1\""), ("range", "bytes=99-")],
            304,
        ),
    ] {
        assert_eq!(
            asked(Method::GET, &headers).await.status,
            status,
            "{headers:?}"
        );
    }
    let unchanged = asked(Method::GET, &[("if-none-match", "\"v1\"")]).await;
    assert_eq!(
        (unchanged.header(ETAG), unchanged.body.len()),
        ("\"v1\"", 0)
    );
}

#[tokio::test]
async fn a_stored_blob_is_answered_in_any_part() {
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = Blobs::open(folder.path()).expect("opened");
    let bytes: Vec<u8> = (0..1_500_000_u32).map(|at| (at % 251) as u8).collect();
    let mut writer = blobs.create().await.expect("begun");
    writer.write(bytes.clone().into()).await.expect("written");
    let stored = writer.finish().await.expect("stored");
    let blob = blobs.read(stored.name).await.expect("opened");
    for (range, part) in [
        (None, &bytes[..]),
        (Some("bytes=0-0"), &bytes[..1]),
        (Some("bytes=524287-1048577"), &bytes[524_287..1_048_578]),
        (Some("bytes=-100000"), &bytes[1_400_000..]),
    ] {
        let mut headers = HeaderMap::new();
        if let Some(range) = range {
            headers.insert(RANGE, range.parse().expect("a value"));
        }
        let wants = Wants::new(Method::GET, &headers);
        let response = Download::new(blob.size()).of_blob(&wants, &blob);
        assert_eq!(response.headers()[CONTENT_LENGTH], part.len().to_string());
        let body = response
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        assert!(body == part, "{range:?}");
    }
}

#[tokio::test]
async fn several_ranges_come_as_parts_with_an_exact_length() {
    let several = asked(Method::GET, &[("range", "bytes=0-1,4-5,-1")]).await;
    assert_eq!(several.status, 206);
    assert_eq!(
        several.header(CONTENT_LENGTH),
        several.body.len().to_string()
    );
    assert_eq!(several.header(CONTENT_RANGE), "");
    let kind = several.header(CONTENT_TYPE);
    let boundary = kind
        .strip_prefix("multipart/byteranges; boundary=")
        .expect("parts");
    let body = String::from_utf8(several.body.clone()).expect("text");
    let part = |range: &str, text: &str| {
        format!(
            "\r\n--{boundary}\r\nContent-Type: application/zip\r\n\
             Content-Range: bytes {range}/10\r\n\r\n{text}"
        )
    };
    let expected = [part("0-1", "01"), part("4-5", "45"), part("9-9", "9")].concat();
    assert_eq!(body, format!("{expected}\r\n--{boundary}--\r\n"));
    let conditional = [("range", "bytes=0-1,4-5"), ("if-range", "\"old\"")];
    assert_eq!(asked(Method::GET, &conditional).await.body, TEXT);
}
