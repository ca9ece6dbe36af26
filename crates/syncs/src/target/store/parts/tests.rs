//! What is planned and recorded, and a store that breaks off, forgets and says nothing.

use super::*;
use crate::target::{Content, Delivered, Target};
use futures::StreamExt;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::Mutex;
use testing::{Answer, Origin};

#[test]
fn ten_thousand_parts_suffice_for_every_file_and_none_is_too_long() {
    for from in [0, LEAST_PART, 64 << 20, MOST_AT_ONCE, u64::MAX] {
        let rule = InParts::from(from);
        for size in [LEAST_PART + 1, MOST_AT_ONCE + 1, 56 << 30, 1 << 40, 5 << 40] {
            let part = rule.part(size);
            assert!(
                (LEAST_PART..=1 << 30).contains(&part),
                "{from} {size} {part}"
            );
            assert!(
                size.div_ceil(part) <= u64::from(MOST_PARTS),
                "{from} {size}"
            );
        }
    }
    assert!(!InParts::from(MOST_AT_ONCE).takes(MOST_AT_ONCE));
    assert!(
        InParts::from(u64::MAX).takes(MOST_AT_ONCE + 1),
        "stores take no more"
    );
}

#[test]
fn what_is_recorded_of_an_upload_says_where_to_go_on() {
    let upload = Upload {
        id: "u1".to_owned(),
        part: 10,
        etags: vec!["a".to_owned(), "b".to_owned()],
    };
    let known = upload.known("served/a");
    assert_eq!(Upload::of(&known), Some(("served/a", upload.clone())));
    assert_eq!((upload.at(25), upload.at(15)), (20, 15));
    assert_eq!(upload.next(), Ok(3));
    let parts = [(1, "a".to_owned()), (2, "b".to_owned())];
    assert_eq!(upload.parts(), parts);
    assert_eq!(Upload::of(&json!({ "key": "served/a" })), None);
}

const SIZE: u64 = 3 * STEP;

/// A file of zeros, and what was recorded of it.
#[derive(Debug, Default)]
struct Zeros(Mutex<Vec<(State, Value)>>);

impl Zeros {
    fn known(&self) -> Option<(State, Value)> {
        self.0.lock().expect("whole").last().cloned()
    }
}

impl Ground for Zeros {
    fn open(&self, offset: u64) -> BoxFuture<'_, Result<Content, Trouble>> {
        let left = usize::try_from(SIZE - offset).expect("small");
        let pieces = futures::stream::iter([Ok(Bytes::from(vec![0; left]))]).boxed();
        Box::pin(async move { Ok(pieces) })
    }

    fn record<'a>(&'a self, state: State, known: &'a Value) -> BoxFuture<'a, Result<(), Trouble>> {
        self.0.lock().expect("whole").push((state, known.clone()));
        Box::pin(async { Ok(()) })
    }

    fn arrived(&self, _bytes: u64) {}

    fn say(&self, _line: &str) {}
}

fn item() -> Item {
    Item {
        key: "film".to_owned(),
        name: "film.mp4".to_owned(),
        media_type: "video/mp4".to_owned(),
        size: SIZE,
        content: Some("v1".to_owned()),
        md5: None,
        metadata: BTreeMap::new(),
    }
}

/// A target at `origin`, to which everything goes in parts of 1 MiB.
fn at(origin: &Origin) -> StoreTarget {
    crate::target::store::tests::at(origin, InParts { from: 1 })
}

async fn attempt(target: &StoreTarget, ground: &Zeros) -> Result<Delivered, Trouble> {
    let known = ground.known();
    let known = known.as_ref().map(|(state, known)| (*state, known));
    target.deliver(&item(), known, ground).await
}

fn xml(text: &str) -> Answer {
    Answer::ok(testing::Content::bytes(text))
}

fn refused(status: u16, code: &str) -> Answer {
    let error = format!("<Error><Code>{code}</Code><Message>No.</Message></Error>");
    let length = error.len();
    Answer::raw(format!(
        "HTTP/1.1 {status} No\r\nContent-Length: {length}\r\n\r\n{error}"
    ))
}

/// What a store of zeros says of the object that is there, as HEAD has it.
fn there() -> Answer {
    Answer::raw(format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\nETag: \"whole-3\"\r\n\
         Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
         x-amz-meta-longshore-content: v1\r\nx-amz-meta-longshore-key: film\r\n\r\n"
    ))
}

/// An answer to a request of an upload in parts: it begins, takes parts but for one, and
/// makes an object of them.
fn taking(method: &str, path: &str, but: (&str, Answer)) -> Answer {
    match method {
        "POST" if path.contains("uploads=") => xml("<R><UploadId>u1</UploadId></R>"),
        "POST" => xml("<R><ETag>whole-3</ETag></R>"),
        "PUT" if path.contains(but.0) => but.1,
        "PUT" => xml("").header("ETag", "\"a part\""),
        "DELETE" => Answer::status(204),
        _ => Answer::status(404),
    }
}

#[tokio::test]
async fn an_attempt_that_came_on_is_no_failure_and_the_next_goes_on_with_the_next_part() {
    let origin = Origin::start().await;
    let (target, ground) = (at(&origin), Zeros::default());
    origin.answer_others(|seen| {
        taking(
            &seen.method,
            &seen.path,
            ("partNumber=2", Answer::hang_up()),
        )
    });
    let trouble = attempt(&target, &ground).await.expect_err("it broke off");
    assert!(
        matches!(trouble, Trouble::Later { after: Some(_), .. }),
        "{trouble:?}"
    );
    // Not one part further: that is one.
    let trouble = attempt(&target, &ground).await.expect_err("it broke off");
    assert!(
        matches!(trouble, Trouble::Later { after: None, .. }),
        "{trouble:?}"
    );
    let (_, known) = ground.known().expect("recorded");
    assert_eq!(known["upload"]["etags"], json!(["a part"]), "{known}");
    let asked = origin.seen().len();
    origin.answer_others(|seen| match &*seen.method {
        "HEAD" => there(),
        method => taking(method, &seen.path, ("never", Answer::hang_up())),
    });
    // It is there by now, and is not sent again.
    let done = attempt(&target, &ground).await.expect("done");
    let known = json!({ "key": "film", "etag": "whole-3" });
    assert_eq!(done, Delivered::known("film", known));
    assert_eq!(origin.seen().len(), asked + 1, "a look was enough");
}

#[tokio::test]
async fn an_upload_that_the_store_has_given_up_begins_anew() {
    let origin = Origin::start().await;
    let (target, ground) = (at(&origin), Zeros::default());
    origin.answer_others(|seen| {
        let gone = refused(404, "NoSuchUpload");
        taking(&seen.method, &seen.path, ("partNumber=3", gone))
    });
    let trouble = attempt(&target, &ground).await.expect_err("it is gone");
    assert!(matches!(trouble, Trouble::Later { .. }), "{trouble:?}");
    let (state, known) = ground.known().expect("recorded");
    assert_eq!((state, known), (State::Intended, json!({ "key": "film" })));
}

#[tokio::test]
async fn an_answer_that_was_lost_is_asked_for_by_a_look() {
    let origin = Origin::start().await;
    let (target, ground) = (at(&origin), Zeros::default());
    origin.answer_others(|seen| match &*seen.method {
        "POST" if seen.path.contains("uploadId=") => Answer::hang_up(),
        "HEAD" => there(),
        method => taking(method, &seen.path, ("never", Answer::hang_up())),
    });
    let done = attempt(&target, &ground).await.expect("it is there");
    let known = json!({ "key": "film", "etag": "whole-3" });
    assert_eq!(done, Delivered::known("film", known));
    let puts = origin
        .seen()
        .into_iter()
        .filter(|seen| seen.method == "PUT");
    assert_eq!(puts.count(), 3, "each part once");
}

/// The process ends after it began something at the target, before it recorded that.
#[derive(Debug)]
struct Ends<'a>(&'a Zeros, tokio::sync::Notify);

impl Ground for Ends<'_> {
    fn open(&self, offset: u64) -> BoxFuture<'_, Result<Content, Trouble>> {
        self.0.open(offset)
    }

    fn record<'a>(&'a self, state: State, known: &'a Value) -> BoxFuture<'a, Result<(), Trouble>> {
        if state == State::Created {
            self.1.notify_one();
            return Box::pin(std::future::pending());
        }
        self.0.record(state, known)
    }

    fn arrived(&self, _bytes: u64) {}

    fn say(&self, _line: &str) {}
}

/// A store that has begun `film` and another file, and lists both.
fn listing(method: &str, path: &str) -> Answer {
    if method == "GET" && path.contains("uploads=") {
        return xml("<R><Upload><Key>film</Key><UploadId>u1</UploadId></Upload>\
             <Upload><Key>film-2</Key><UploadId>u2</UploadId></Upload></R>");
    }
    taking(method, path, ("never", Answer::hang_up()))
}

/// The ids of the uploads that were given up.
fn given_up(origin: &Origin) -> Vec<String> {
    let seen = origin.seen().into_iter();
    let ended = seen.filter(|seen| seen.method == "DELETE");
    let ids = ended.filter_map(|seen| {
        let (_, id) = seen.path.split_once("uploadId=")?;
        Some(id.split('&').next()?.to_owned())
    });
    ids.collect()
}

async fn ended_between(target: &StoreTarget, ground: &Zeros) {
    let ends = Ends(ground, tokio::sync::Notify::new());
    let item = item();
    tokio::select! {
        () = ends.1.notified() => {}
        done = target.deliver(&item, None, &ends) => panic!("{done:?}"),
    }
    let (state, known) = ground.known().expect("recorded");
    assert_eq!((state, known), (State::Intended, json!({ "key": "film" })));
}

#[tokio::test]
async fn what_was_begun_and_not_recorded_is_found_by_its_key_and_given_up() {
    let origin = Origin::start().await;
    let (target, ground) = (at(&origin), Zeros::default());
    origin.answer_others(|seen| listing(&seen.method, &seen.path));
    ended_between(&target, &ground).await;
    assert!(given_up(&origin).is_empty());
    let trouble = attempt(&target, &ground).await.expect_err("it is not seen");
    assert!(matches!(trouble, Trouble::Later { .. }), "{trouble:?}");
    assert_eq!(given_up(&origin), ["u1"]);
    // Who knows of one looks for no other.
    let asked = origin.seen().len();
    let _ = attempt(&target, &ground).await;
    let again = origin.seen().split_off(asked);
    let looked = again.iter().any(|seen| seen.method == "GET");
    assert!(!looked && given_up(&origin).len() == 1, "{again:?}");
}

#[tokio::test]
async fn what_was_begun_and_not_recorded_is_given_up_with_the_file() {
    let origin = Origin::start().await;
    let (target, ground) = (at(&origin), Zeros::default());
    origin.answer_others(|seen| listing(&seen.method, &seen.path));
    ended_between(&target, &ground).await;
    let (_, known) = ground.known().expect("recorded");
    target.abandon(&known).await.expect("given up");
    assert_eq!(given_up(&origin), ["u1"]);
    // A store that lists no such thing keeps nothing from its end.
    origin.answer_others(|seen| match &*seen.method {
        "GET" => refused(501, "NotImplemented"),
        method => taking(method, &seen.path, ("never", Answer::hang_up())),
    });
    target.abandon(&known).await.expect("nothing to do");
}

#[tokio::test]
async fn what_is_given_up_is_given_up_by_its_id() {
    let origin = Origin::start().await;
    let (target, ground) = (at(&origin), Zeros::default());
    origin.answer_others(|seen| {
        taking(
            &seen.method,
            &seen.path,
            ("partNumber=2", Answer::hang_up()),
        )
    });
    attempt(&target, &ground).await.expect_err("it broke off");
    let (_, known) = ground.known().expect("recorded");
    target.abandon(&known).await.expect("given up");
    let seen = origin.seen();
    let last = seen.last().expect("asked");
    assert!(
        last.method == "DELETE" && last.path.contains("uploadId=u1"),
        "{last:?}"
    );
    // Nothing is asked for what is whole.
    let whole = json!({ "key": "film", "etag": "whole-3" });
    target.abandon(&whole).await.expect("nothing to do");
    assert_eq!(origin.seen().len(), seen.len());
}
