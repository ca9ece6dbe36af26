//! A store tells of its objects, in every form that stores have.

use super::{CARGO, MEDIA, Pair, Store, event, renewed};
use crate::program::server;
use crate::stored::{answered, refusal};
use reqwest::Method;
use serde_json::{Value, json};
use testing::{TestDatabase, on_both};

on_both!(what_was_put_into_the_store_appears_when_it_is_told_and_what_was_removed_goes);
async fn what_was_put_into_the_store_appears_when_it_is_told_and_what_was_removed_goes(
    database: TestDatabase,
) {
    let pair = Pair::start(&database).await;
    pair.put("red%20flower/%C3%A4%2B.txt", "petals").await;
    assert_eq!(pair.known("red%20flower/%C3%A4%2B.txt").await, None);
    let put = event(
        "ObjectCreated:Put",
        "red+flower/%C3%A4%2B.txt",
        "0055AED6DCD90281E5",
    );
    pair.tell_and_wait(&put).await;
    // What the event lacks, or says wrongly, is asked of the store.
    let file = pair
        .known("red%20flower/%C3%A4%2B.txt")
        .await
        .expect("it is known");
    assert_eq!(file["path"], "red flower/ä+.txt");
    assert_eq!(file["size"], 6);
    assert_eq!(pair.content("red%20flower/%C3%A4%2B.txt").await, "petals");
    pair.put("red%20flower/%C3%A4%2B.txt", "all petals").await;
    let changed = event(
        "ObjectCreated:Copy",
        "red+flower/%C3%A4%2B.txt",
        "0055AED6DCD90281E6",
    );
    pair.tell_and_wait(&changed).await;
    assert_eq!(
        pair.content("red%20flower/%C3%A4%2B.txt").await,
        "all petals"
    );
    pair.remove("red%20flower/%C3%A4%2B.txt").await;
    let gone = event(
        "ObjectRemoved:Delete",
        "red+flower/%C3%A4%2B.txt",
        "0055AED6DCD90281E7",
    );
    pair.tell_and_wait(&gone).await;
    assert_eq!(pair.known("red%20flower/%C3%A4%2B.txt").await, None);
}

on_both!(copies_disorder_and_inventions_change_nothing_that_is_not_so);
async fn copies_disorder_and_inventions_change_nothing_that_is_not_so(database: TestDatabase) {
    let pair = Pair::start(&database).await;
    // It came and went; the news of its going comes first.
    pair.tell_and_wait(&event("ObjectRemoved:Delete", "a", "02"))
        .await;
    assert_eq!(pair.tell(&event("ObjectCreated:Put", "a", "01")).await, 204);
    assert_eq!(pair.known("a").await, None);
    pair.put("b", "here").await;
    let put = event("ObjectCreated:Put", "b", "05");
    pair.tell_and_wait(&put).await;
    let id = pair.known("b").await.expect("known")["id"].clone();
    let looks = pair.operations("take-in").await.len();
    for _ in 0..3 {
        assert_eq!(pair.tell(&put).await, 204);
    }
    // Nobody looked again.
    assert_eq!(pair.operations("take-in").await.len(), looks);
    // A removal that never was, and an arrival that never was.
    pair.tell_and_wait(&event("ObjectRemoved:Delete", "b", "06"))
        .await;
    pair.tell_and_wait(&event("ObjectCreated:Put", "c", "01"))
        .await;
    assert_eq!(pair.known("b").await.expect("known")["id"], id);
    assert_eq!(pair.known("c").await, None);
}

on_both!(it_is_told_as_sns_minio_and_event_bridge_tell_it);
async fn it_is_told_as_sns_minio_and_event_bridge_tell_it(database: TestDatabase) {
    let pair = Pair::start(&database).await;
    for key in ["raw", "minio", "bridge", "plain"] {
        pair.put(key, key).await;
    }
    // As SNS sends: as text, with the secret in the address.
    let at = format!("/hooks/s3/{MEDIA}?secret={}", pair.secret);
    let by_sns = |body: String| {
        pair.server
            .anonymous(Method::POST, &at)
            .header("Content-Type", "text/plain; charset=UTF-8")
            .header("x-amz-sns-message-type", "Notification")
            .body(body)
    };
    let raw = event("ObjectCreated:Put", "raw", "01").to_string();
    assert_eq!(answered(by_sns(raw.clone())).await.0, 204);
    // Without raw delivery its signature is looked at: one of nobody's is refused.
    let forged = json!({
        "Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": "arn:aws:sns:eu-central-1:123456789012:events",
        "Message": raw, "Timestamp": "2026-01-02T03:04:05.678Z",
        "SignatureVersion": "1", "Signature": "EXAMPLE==",
        "SigningCertURL": format!("{}/SimpleNotificationService-0.pem", pair.store.server.url()),
    });
    let refused = refusal(by_sns(forged.to_string())).await;
    assert_eq!(refused, (403, "not-signed".to_owned()));
    let mut minio = event("s3:ObjectCreated:Put", "minio", "17C3A3E2B0F1D2A1");
    minio["Records"][0]["eventSource"] = json!("minio:s3");
    minio["EventName"] = json!("s3:ObjectCreated:Put");
    minio["Key"] = json!(format!("{CARGO}/minio"));
    pair.tell_and_wait(&minio).await;
    let bridge = json!({
        "detail-type": "Object Created", "source": "aws.s3",
        "detail": { "bucket": { "name": CARGO }, "object": { "key": "bridge", "sequencer": "01" } },
    });
    pair.tell_and_wait(&bridge).await;
    let mut plain = event("ObjectCreated:Put", "plain", "01");
    plain["Records"][0]["eventSource"] = json!("other:s3");
    pair.tell_and_wait(&plain).await;
    for key in ["raw", "minio", "bridge", "plain"] {
        assert_eq!(pair.content(key).await, key);
    }
    for nothing in [
        json!({ "Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": CARGO }),
        json!({ "Records": [] }),
    ] {
        assert_eq!(pair.tell(&nothing).await, 204, "{nothing}");
    }
}

on_both!(what_is_told_of_other_places_is_passed_over);
async fn what_is_told_of_other_places_is_passed_over(database: TestDatabase) {
    let pair = Pair::start(&database).await;
    pair.put("a", "here").await;
    let mut elsewhere = event("ObjectCreated:Put", "a", "09");
    elsewhere["Records"][0]["s3"]["bucket"]["name"] = json!("other");
    for passed in [
        elsewhere,
        event("ObjectCreated:Put", ".longshore/trash/x", "01"),
        event("ObjectCreated:Put", "a/../b", "01"),
        event("s3:ObjectAccessed:Head", "a", "01"),
    ] {
        assert_eq!(pair.tell(&passed).await, 204, "{passed}");
    }
    assert_eq!(pair.operations("take-in").await, Vec::<Value>::new());
    // The other bucket's number does not hide this one's.
    pair.tell_and_wait(&event("ObjectCreated:Put", "a", "01"))
        .await;
    assert!(pair.known("a").await.is_some());
}

on_both!(who_does_not_know_the_secret_learns_nothing);
async fn who_does_not_know_the_secret_learns_nothing(database: TestDatabase) {
    let pair = Pair::start(&database).await;
    let server = &pair.server;
    let body = event("ObjectCreated:Put", "a", "01").to_string();
    let refused = |path: &str, header: Option<String>| {
        let mut request = server.anonymous(Method::POST, path).body(body.clone());
        if let Some(header) = header {
            request = request.header("Authorization", header);
        }
        async move {
            let answer = request.send().await.expect("an answer");
            let status = answer.status().as_u16();
            let mut problem: Value = answer.json().await.expect("a problem");
            problem["request_id"].take();
            problem["instance"].take();
            (status, problem)
        }
    };
    let media = format!("/hooks/s3/{MEDIA}");
    let bearer = |secret: &str| Some(format!("Bearer {secret}"));
    let wrong = refused(&media, bearer("hks_wrong")).await;
    assert_eq!(wrong.0, 403, "{wrong:?}");
    assert_eq!(wrong.1["code"], "no-hook");
    let secret = &pair.secret;
    for (path, header) in [
        (media.clone(), None),
        (media.clone(), bearer("")),
        (media.clone(), Some(format!("Basic {secret}"))),
        (format!("{media}?secret=wrong"), None),
        (format!("{media}?secret={secret}"), bearer("wrong")),
        ("/hooks/s3/files".to_owned(), bearer(secret)),
        ("/hooks/s3/nowhere".to_owned(), bearer(secret)),
        ("/hooks/s3/No%20name".to_owned(), bearer(secret)),
    ] {
        assert_eq!(refused(&path, header).await, wrong, "{path}");
    }
    // Without a scheme, as some senders have it; and asked before anything is told.
    let plain = server
        .anonymous(Method::POST, &media)
        .header("Authorization", secret)
        .body(r#"{"Records":[]}"#);
    assert_eq!(answered(plain).await.0, 204);
    for method in [Method::GET, Method::HEAD] {
        let asked = server.anonymous(method.clone(), &media).bearer_auth(secret);
        assert_eq!(answered(asked).await.0, 204, "{method}");
        let asked = server
            .anonymous(method.clone(), &media)
            .bearer_auth("wrong");
        assert_eq!(answered(asked).await.0, 403, "{method}");
    }
    // Another secret ends the one of before; and then nobody knows any.
    let another = renewed(server).await;
    assert_ne!(&another, secret);
    assert_eq!(pair.tell(&json!({ "Records": [] })).await, 403);
    let at = format!("/api/v1/buckets/{MEDIA}/hook");
    let (_, shown) = server.get(&at).await;
    assert_eq!(shown["created_by"], "user:admin");
    assert!(!shown.to_string().contains(&another));
    let ended = server.request(Method::DELETE, &at).send().await;
    assert_eq!(ended.expect("an answer").status(), 204);
    let told = server.anonymous(Method::POST, &media).bearer_auth(&another);
    assert_eq!(answered(told.body("{}")).await.0, 403);
    assert_eq!(server.get(&at).await.0, 404);
}

on_both!(what_is_no_event_is_refused_with_what_to_do);
async fn what_is_no_event_is_refused_with_what_to_do(database: TestDatabase) {
    let pair = Pair::start(&database).await;
    let told = |body: String| {
        let hook = format!("/hooks/s3/{MEDIA}");
        let request = pair.server.anonymous(Method::POST, &hook);
        refusal(request.bearer_auth(&pair.secret).body(body))
    };
    let no_event = (400, "no-event".to_owned());
    for body in ["", "nonsense", "{}", "[]", r#"{"Records":[{}]}"#] {
        assert_eq!(told(body.to_owned()).await, no_event, "{body}");
    }
    let elsewhere = json!({
        "Type": "SubscriptionConfirmation",
        "SubscribeURL": format!("{}/?Action=ConfirmSubscription", pair.store.server.url()),
    });
    assert_eq!(told(elsewhere.to_string()).await, no_event);
    let record = event("ObjectCreated:Put", "a", "01")["Records"][0].clone();
    let many = json!({ "Records": vec![record; 1001] });
    assert_eq!(told(many.to_string()).await, no_event);
    let large = format!(r#"{{"x":"{}"}}"#, "x".repeat(1024 * 1024));
    assert_eq!(told(large).await.0, 413);
    assert_eq!(pair.operations("take-in").await, Vec::<Value>::new());
}

on_both!(a_bucket_on_the_disk_has_no_hook_and_nothing_to_compare);
async fn a_bucket_on_the_disk_has_no_hook_and_nothing_to_compare(database: TestDatabase) {
    let server = server(&database).start().await;
    for path in ["hook", "reconcile"] {
        let path = format!("/api/v1/buckets/files/{path}");
        let (status, problem) = server.post(&path, &json!({})).await;
        assert_eq!(status, 422, "{problem}");
        assert_eq!(problem["code"], "bucket-on-disk", "{problem}");
    }
}

on_both!(no_log_holds_the_secret_of_an_address);
async fn no_log_holds_the_secret_of_an_address(database: TestDatabase) {
    let tried = server(&database).env("LONGSHORE_LOG_FILTER", "debug");
    let pair = Pair::start_at(Store::start().await, tried).await;
    let at = format!("/hooks/s3/{MEDIA}?secret={}", pair.secret);
    let told = pair.server.anonymous(Method::POST, &at).body("{}");
    assert_eq!(answered(told).await.0, 400);
    pair.server.captured().contains("/hooks/s3/media").await;
    assert!(!pair.server.captured().text().contains(&pair.secret));
}
