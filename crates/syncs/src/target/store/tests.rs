//! What is removed at a store, and what stays there since it is somebody else's.

use super::*;
use fetch::{Client, Limits, Policy, RetryLimits, parse_networks};
use storage::ObjectSettings;
use testing::{Answer, Origin};
use tokio_util::task::TaskTracker;

/// The name of the sync whose target it is.
const OWNER: &str = "0199-ours";

/// A target at `origin`.
pub(super) fn at(origin: &Origin, in_parts: InParts) -> StoreTarget {
    let networks = parse_networks("127.0.0.0/8").expect("a network");
    let limits = Limits {
        retry: RetryLimits {
            attempts: 1,
            ..RetryLimits::default()
        },
        ..Limits::default()
    };
    let settings = ObjectSettings {
        endpoint: origin.url(""),
        public_endpoint: None,
        region: "us-east-1".to_owned(),
        bucket: "harbour".to_owned(),
        prefix: String::new(),
        path_style: true,
        access_key: "key".to_owned(),
        secret: "secret".into(),
    };
    let client = Client::new(Policy::allowing(networks), limits);
    let store = ObjectStore::new(settings, &client, TaskTracker::new()).expect("usable");
    StoreTarget::new(store, KeyTemplate::default(), OWNER, in_parts)
}

/// What a store says of the object that is there, as HEAD has it: its ETag, and what its
/// metadata says.
fn there(etag: &str, said: &str) -> Answer {
    Answer::raw(format!(
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nETag: \"{etag}\"\r\n\
         Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n{said}\r\n"
    ))
}

#[tokio::test]
async fn what_somebody_else_has_put_there_since_stays() {
    let origin = Origin::start().await;
    let target = at(&origin, InParts::from(u64::MAX));
    let known = json!({ "key": "a.png", "etag": "e1" });
    let of = |sync: &str| {
        format!(
            "x-amz-meta-{KEY}: a.png\r\nx-amz-meta-{CONTENT}: v2\r\n\
             x-amz-meta-{SYNC}: {sync}\r\n"
        )
    };
    for (etag, said, removed) in [
        ("e1", String::new(), Removed::Gone),
        // By a person, by another tool, by another sync.
        ("e2", String::new(), Removed::Left),
        (
            "e2",
            "x-amz-meta-by: a script\r\n".to_owned(),
            Removed::Left,
        ),
        ("e2", of("0199-theirs"), Removed::Left),
        // By this one, where the store has made another ETag of it.
        ("e2", of(OWNER), Removed::Gone),
    ] {
        let before = origin.seen().len();
        let answer = there(etag, &said);
        origin.answer_others(move |seen| match &*seen.method {
            "HEAD" => answer.clone(),
            _ => Answer::status(204),
        });
        assert_eq!(target.remove(&known).await, Ok(removed), "{etag} {said}");
        let asked = origin.seen().split_off(before);
        let asked: Vec<&str> = asked.iter().map(|seen| &*seen.method).collect();
        let expected: &[&str] = match removed {
            Removed::Gone => &["HEAD", "DELETE"],
            Removed::Left => &["HEAD"],
        };
        assert_eq!(asked, expected, "{etag} {said}");
    }
}

#[tokio::test]
async fn what_is_put_says_by_which_sync() {
    let origin = Origin::start().await;
    let target = at(&origin, InParts::from(u64::MAX));
    let item = Item {
        key: "a.png".to_owned(),
        name: "a.png".to_owned(),
        media_type: "image/png".to_owned(),
        size: 0,
        content: Some("v1".to_owned()),
        md5: None,
        // What a source says cannot take its place.
        metadata: BTreeMap::from([(SYNC.to_owned(), json!("0199-theirs"))]),
    };
    let said = target.headers(&item).metadata;
    assert_eq!(said.get(SYNC).map(String::as_str), Some(OWNER));
}
