//! A real store, by its exact keys.

mod streamed;

use super::*;
use crate::ObjectWriter;
use fetch::{Policy, RetryLimits, parse_networks};
use futures::TryStreamExt;
use md5::{Digest, Md5};
use std::sync::Mutex;
use testing::{Answer, Content, Origin, S3Store, within};

fn client() -> Client {
    let networks = parse_networks("127.0.0.0/8").expect("a network");
    let limits = Limits {
        retry: RetryLimits {
            base: Duration::from_millis(1),
            ..RetryLimits::default()
        },
        ..Limits::default()
    };
    Client::new(Policy::allowing(networks), limits)
}

fn settings(endpoint: String) -> ObjectSettings {
    ObjectSettings {
        endpoint,
        public_endpoint: None,
        region: "us-east-1".to_owned(),
        bucket: "harbour".to_owned(),
        prefix: String::new(),
        path_style: true,
        access_key: "key".to_owned(),
        secret: "secret".into(),
    }
}

fn at(endpoint: String) -> ObjectStore {
    ObjectStore::new(settings(endpoint), &client(), TaskTracker::new()).expect("usable")
}

fn on(store: &S3Store, prefix: &str) -> ObjectStore {
    let settings = ObjectSettings {
        prefix: prefix.to_owned(),
        access_key: store.access_key().to_owned(),
        secret: store.secret().into(),
        ..settings(store.endpoint())
    };
    ObjectStore::new(settings, &client(), TaskTracker::new()).expect("usable")
}

async fn all(read: ObjectRead) -> Vec<u8> {
    let pieces: Vec<Bytes> = read.into_stream().try_collect().await.expect("whole");
    pieces.concat()
}

fn md5(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Md5::digest(bytes))
}

#[tokio::test]
async fn an_object_goes_round_with_what_is_said_of_it() {
    let Some(peer) = S3Store::start().await else {
        return;
    };
    let store = on(&peer, "");
    for key in [
        "a",
        "deep/n\u{e4}me b.txt",
        "a+b%20c",
        "q?x=1&y#z",
        "!*'();:@$,[]",
    ] {
        let headers = ObjectHeaders {
            content_type: Some("text/x-cargo".to_owned()),
            cache_control: Some("max-age=7".to_owned()),
            metadata: [("album".to_owned(), "blue one".to_owned())].into(),
            ..ObjectHeaders::default()
        };
        let body = Bytes::from(format!("content of {key}"));
        let etag = store.put(key, body.clone(), &headers).await.expect("put");
        assert_eq!(etag, md5(&body));
        assert!(peer.keys().contains(&key.to_owned()), "{key} is exact");
        let head = store.head(key).await.expect("asked").expect("there");
        assert_eq!((head.size, &head.etag), (body.len() as u64, &etag));
        assert_eq!(head.headers, headers);
        let read = store.read(key, None, Some(&etag)).await.expect("read");
        assert_eq!(all(read).await, body);
        let read = store
            .read(key, Some(2..5), Some(&etag))
            .await
            .expect("read");
        assert_eq!(all(read).await, body[2..5]);
        let other = store.read(key, None, Some("0")).await;
        assert!(matches!(other, Err(ObjectError::Changed)), "{key}");
    }
    store.delete("a").await.expect("deleted");
    store.delete("a").await.expect("as good as deleted");
    assert_eq!(store.head("a").await.expect("asked"), None);
    let gone = store.read("a", None, None).await;
    assert!(matches!(gone, Err(ObjectError::NoObject)));
}

#[tokio::test]
async fn a_prefix_is_before_every_key_and_in_no_answer() {
    let Some(peer) = S3Store::start().await else {
        return;
    };
    let (store, whole) = (on(&peer, "team/"), on(&peer, ""));
    for key in ["a", "b/c", "b/d", "e"] {
        let body = Bytes::from_static(b"x");
        store
            .put(key, body, &ObjectHeaders::default())
            .await
            .expect("put");
    }
    whole
        .put("other", Bytes::new(), &ObjectHeaders::default())
        .await
        .expect("put");
    assert_eq!(
        peer.keys(),
        ["other", "team/a", "team/b/c", "team/b/d", "team/e"]
    );
    let keys = |page: &ObjectPage| -> Vec<String> {
        page.objects
            .iter()
            .map(|object| object.key.clone())
            .collect()
    };
    let page = store.list("", None, 3).await.expect("listed");
    assert_eq!(keys(&page), ["a", "b/c", "b/d"]);
    assert_eq!(page.next.as_deref(), Some("b/d"));
    assert_eq!(page.objects[0].size, 1);
    let page = store
        .list("", page.next.as_deref(), 3)
        .await
        .expect("listed");
    assert_eq!((keys(&page), page.next), (vec!["e".to_owned()], None));
    let page = store.list("b/", None, 10).await.expect("listed");
    assert_eq!(keys(&page), ["b/c", "b/d"]);
    let copied = store.copy("a", "b/copy", None).await.expect("copied");
    assert_eq!(copied, md5(b"x"));
    let changed = store.copy("a", "b/copy", Some("0")).await;
    assert!(matches!(changed, Err(ObjectError::Changed)));
    let missing = store.copy("nothing", "b/copy", None).await;
    assert!(matches!(missing, Err(ObjectError::NoObject)));
}

#[tokio::test]
async fn what_is_too_large_to_be_copied_at_once_is_copied_in_parts() {
    let Some(peer) = S3Store::start().await else {
        return;
    };
    let mut store = on(&peer, "");
    let inner = Arc::get_mut(&mut store.0).expect("nobody else has it yet");
    inner.portions = copies::Portions {
        most: 5 << 20,
        part: 5 << 20,
    };
    let store = store.remembered_by(Arc::new(Remembered::default()));
    let content = Bytes::from(Content::seeded(9, 12 << 20).to_vec());
    let headers = ObjectHeaders {
        content_type: Some("text/x-cargo".to_owned()),
        ..ObjectHeaders::default()
    };
    let etag = store
        .put("a", content.clone(), &headers)
        .await
        .expect("put");
    let copied = store
        .copy("a", "b/copy", Some(&etag))
        .await
        .expect("copied");
    assert!(
        copied.ends_with("-3"),
        "it was put together of three: {copied}"
    );
    let read = store
        .read("b/copy", None, Some(&copied))
        .await
        .expect("read");
    assert!(all(read).await == content, "all of it");
    let head = store.head("b/copy").await.expect("asked").expect("there");
    assert_eq!(head.headers.content_type.as_deref(), Some("text/x-cargo"));
    assert_eq!(peer.unfinished(), 0);
}

/// The ids of what was begun and has not ended, and of all that was begun.
#[derive(Debug, Default)]
struct Remembered(Mutex<(Vec<String>, Vec<String>)>);

#[async_trait::async_trait]
impl Ledger for Remembered {
    async fn begun(&self, _key: &str, id: &str) {
        let mut known = self.0.lock().expect("no panic");
        known.0.push(id.to_owned());
        known.1.push(id.to_owned());
    }

    async fn ended(&self, id: &str) {
        let mut known = self.0.lock().expect("no panic");
        known.0.retain(|known| known != id);
    }
}

#[tokio::test]
async fn what_is_begun_in_parts_is_remembered_until_it_ends() {
    let Some(peer) = S3Store::start().await else {
        return;
    };
    let remembered = Arc::new(Remembered::default());
    let ledger = Arc::clone(&remembered) as Arc<dyn Ledger>;
    let store = on(&peer, "").remembered_by(ledger);
    let known = || {
        let known = remembered.0.lock().expect("no panic");
        (known.0.len(), known.1.len())
    };
    let content = Content::seeded(7, 20 << 20).to_vec();
    let mut small = store.writer("small", ObjectHeaders::default());
    written(&mut small, &content[..100]).await;
    small
        .seal()
        .await
        .expect("sealed")
        .place()
        .await
        .expect("placed");
    assert_eq!(known(), (0, 0), "it went at once");
    let mut writer = store.writer("large", ObjectHeaders::default());
    written(&mut writer, &content).await;
    assert_eq!(known(), (1, 1));
    writer
        .seal()
        .await
        .expect("sealed")
        .place()
        .await
        .expect("placed");
    assert_eq!(known(), (0, 1));
    let mut writer = store.writer("large", ObjectHeaders::default());
    written(&mut writer, &content).await;
    drop(writer);
    store.0.tasks.close();
    within("it to be given up", store.0.tasks.wait()).await;
    assert_eq!(known(), (0, 2));
}

async fn written(writer: &mut ObjectWriter, content: &[u8]) {
    for piece in content.chunks(300_001) {
        let piece = Bytes::copy_from_slice(piece);
        writer.write(piece).await.expect("written");
    }
}

#[tokio::test]
async fn what_is_large_comes_in_parts_and_is_seen_as_a_whole() {
    let Some(peer) = S3Store::start().await else {
        return;
    };
    let store = on(&peer, "");
    for size in [0, 1, 8 << 20, (8 << 20) + 1, 20 << 20] {
        let content = Content::seeded(7, size).to_vec();
        let mut writer = store.writer("large", ObjectHeaders::default());
        written(&mut writer, &content).await;
        assert_eq!(writer.position(), size);
        let sealed = writer.seal().await.expect("sealed");
        assert!(
            !peer.keys().contains(&"large".to_owned()),
            "nobody sees it yet"
        );
        assert_eq!(data_encoding::HEXLOWER.encode(&sealed.md5), md5(&content));
        let etag = sealed.place().await.expect("placed");
        let read = store.read("large", None, Some(&etag)).await.expect("read");
        assert!(all(read).await == content, "{size} bytes are the same");
        store.delete("large").await.expect("deleted");
    }
}

#[tokio::test]
async fn a_writer_that_is_dropped_leaves_nothing() {
    let Some(peer) = S3Store::start().await else {
        return;
    };
    let store = on(&peer, "");
    let content = Content::seeded(7, 20 << 20).to_vec();
    let mut writer = store.writer("large", ObjectHeaders::default());
    written(&mut writer, &content).await;
    drop(writer);
    let mut writer = store.writer("large", ObjectHeaders::default());
    written(&mut writer, &content).await;
    drop(writer.seal().await.expect("sealed"));
    store.0.tasks.close();
    within("it to be given up", store.0.tasks.wait()).await;
    assert_eq!(peer.keys(), Vec::<String>::new());
    assert_eq!(peer.unfinished(), 0);
}

#[tokio::test]
async fn a_presigned_address_opens_one_object_for_one_method() {
    let Some(peer) = S3Store::start().await else {
        return;
    };
    let store = on(&peer, "");
    let hour = Duration::from_secs(3600);
    let put = store
        .presign_put("a b+c", hour, Some("text/plain"), None)
        .expect("signed");
    assert_eq!(plain(Method::PUT, &put, "text/html").await.0, 403);
    assert_eq!(plain(Method::PUT, &put, "text/plain").await.0, 200);
    let answered = Answered {
        content_type: Some("image/png"),
        content_disposition: Some("attachment; filename=\"x y\""),
    };
    let get = store.presign_get("a b+c", hour, answered).expect("signed");
    assert_eq!(plain(Method::GET, &get, "").await, (200, "cargo".into()));
    let other = get.replace("a%20b", "a%20c");
    assert_eq!(plain(Method::GET, &other, "").await.0, 403);
}

#[tokio::test]
async fn addresses_for_others_have_the_host_at_which_others_reach_the_store() {
    for (path_style, endpoint, beginning) in [
        (
            true,
            "https://cdn.example.org",
            "https://cdn.example.org/harbour/team/a%20b?",
        ),
        (
            true,
            "http://192.0.2.1:9000",
            "http://192.0.2.1:9000/harbour/team/a%20b?",
        ),
        (
            false,
            "https://cdn.example.org",
            "https://harbour.cdn.example.org/team/a%20b?",
        ),
    ] {
        let settings = ObjectSettings {
            public_endpoint: Some(endpoint.to_owned()),
            prefix: "team/".to_owned(),
            path_style,
            ..settings("https://store.example.org".to_owned())
        };
        let store = ObjectStore::new(settings, &client(), TaskTracker::new()).expect("usable");
        let minute = Duration::from_secs(60);
        let get = store.presign_get("a b", minute, Answered::default());
        let put = store.presign_put("a b", minute, None, None);
        for address in [get, put] {
            let address = address.expect("signed");
            assert!(address.starts_with(beginning), "{address}");
        }
    }
    let Some(peer) = S3Store::start().await else {
        return;
    };
    // One that only others reach: this server asks at its own.
    let settings = ObjectSettings {
        endpoint: peer.endpoint(),
        public_endpoint: Some(format!("http://localhost:{}", peer.port())),
        access_key: peer.access_key().to_owned(),
        secret: peer.secret().into(),
        ..settings(String::new())
    };
    let store = ObjectStore::new(settings, &client(), TaskTracker::new()).expect("usable");
    let put = store.presign_put("a", Duration::from_secs(60), Some("text/plain"), None);
    let put = put.expect("signed");
    // The signature is of that host.
    assert_eq!(plain(Method::PUT, &put, "text/plain").await.0, 200);
    let elsewhere = put.replace("//localhost:", "//127.0.0.1:");
    assert_eq!(plain(Method::PUT, &elsewhere, "text/plain").await.0, 403);
    assert_eq!(peer.keys(), ["a"]);
}

/// What anybody is answered who has an address.
async fn plain(method: Method, url: &str, media_type: &str) -> (u16, Bytes) {
    let client = client();
    let mut request = Request::new(method.clone(), client.check(url).expect("open"));
    if method == Method::PUT {
        let headers = ExtraHeaders::parse([("content-type", media_type)]);
        request = request
            .headers(headers.expect("a header"))
            .body("cargo".into());
    }
    let mut answer = client
        .send(request, &CancellationToken::new())
        .await
        .expect("answered");
    let body = answer.read_all(1 << 20).await.expect("whole");
    (answer.status().as_u16(), body)
}

#[tokio::test]
async fn a_refusal_says_what_to_do() {
    let Some(peer) = S3Store::start().await else {
        return;
    };
    let mut wrong = settings(peer.endpoint());
    wrong.access_key = peer.access_key().to_owned();
    let store = ObjectStore::new(wrong, &client(), TaskTracker::new()).expect("usable");
    let refused = store
        .list("", None, 1)
        .await
        .expect_err("the secret is wrong");
    let text = refused.to_string();
    assert!(text.contains("secret of the access key"), "{text}");
    assert!(!refused.is_passing());
    let closed = Client::new(Policy::default(), Limits::default());
    let store = ObjectStore::new(settings(peer.endpoint()), &closed, TaskTracker::new());
    let refused = store.expect("usable").list("", None, 1).await;
    let refused = refused.expect_err("private addresses are closed");
    assert!(
        refused.to_string().contains("only public addresses"),
        "{refused}"
    );
    for endpoint in ["", "s3.example.com", "ftp://a"] {
        let unusable =
            ObjectStore::new(settings(endpoint.to_owned()), &client(), TaskTracker::new());
        assert!(
            matches!(unusable, Err(ObjectError::Settings(_))),
            "{endpoint}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_is_none_is_an_error() {
    let origin = Origin::start().await;
    let store = at(origin.url(""));
    let error = "<?xml version=\"1.0\"?><Error><Code>InternalError</Code><Message>We failed.</Message></Error>";
    origin.answer_others(move |seen| match seen.method.as_str() {
        // Some stores say 200 first and then that it went wrong.
        "POST" => Answer::ok(Content::bytes(error)),
        "HEAD" => Answer::redirect("http://127.0.0.1:1/"),
        _ => Answer::ok(Content::bytes("text")),
    });
    let failed = store
        .complete_multipart("a", "id", &[(1, "x".to_owned())])
        .await;
    let failed = failed.expect_err("it says so").to_string();
    assert!(
        failed.contains("InternalError") && failed.contains("We failed"),
        "{failed}"
    );
    // What is signed for one address is sent to no other.
    let moved = store
        .head("a")
        .await
        .expect_err("it is no answer")
        .to_string();
    assert!(moved.contains("Found"), "{moved}");
    let read = store.read("a", None, None).await;
    assert!(matches!(read, Err(ObjectError::Answer(_))), "no ETag");
}

#[tokio::test]
async fn a_read_that_broke_off_goes_on_where_it_was() {
    let origin = Origin::start().await;
    let store = at(origin.url(""));
    let content = Content::seeded(3, 100_000);
    let answer = |content: Content| {
        Answer::ok(content)
            .header("ETag", "\"x\"")
            .header("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")
    };
    let whole = content.clone();
    origin.answer_others(move |seen| match seen.header("range") {
        None => answer(whole.clone()).cut_after(40_000),
        Some(_) => answer(whole.clone()).ranges(),
    });
    let read = store.read("a", None, None).await.expect("begun");
    assert!(all(read).await == content.to_vec(), "all of it");
    assert!(origin.seen().len() > 1);
    assert!(origin.seen()[1].header("if-match").is_some());
}

#[tokio::test]
async fn a_read_goes_on_with_no_other_object_than_it_began_with() {
    let content = Content::seeded(3, 100_000);
    // Another content under the same tag, and the same under another.
    for (other, tag) in [
        (Content::seeded(3, 100_001), "\"x\""),
        (content.clone(), "\"y\""),
    ] {
        let origin = Origin::start().await;
        let store = at(origin.url(""));
        let answer = |content: &Content, tag: &str| {
            Answer::ok(content.clone())
                .header("ETag", tag)
                .header("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")
        };
        let whole = content.clone();
        origin.answer_others(move |seen| match seen.header("range") {
            None => answer(&whole, "\"x\"").cut_after(40_000),
            Some(_) => answer(&other, tag).ranges(),
        });
        let read = store.read("a", None, Some("x")).await.expect("begun");
        let read: crate::Result<Vec<Bytes>> = read.into_stream().try_collect().await;
        let changed = matches!(read, Err(crate::Error::Objects(ObjectError::Changed)));
        assert!(changed, "{tag}");
    }
}
