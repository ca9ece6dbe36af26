//! Notices as stores send them, and as nobody should.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn aws(name: &str, key: &str, order: &str) -> Value {
    json!({ "Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-central-1",
        "eventTime": "2026-01-02T03:04:05.678Z", "eventName": name,
        "userIdentity": { "principalId": "AWS:AIDAEXAMPLE" },
        "requestParameters": { "sourceIPAddress": "192.0.2.1" },
        "responseElements": { "x-amz-request-id": "C3D13FE58DE4C810" },
        "s3": {
            "s3SchemaVersion": "1.0", "configurationId": "longshore",
            "bucket": {
                "name": "cargo", "ownerIdentity": { "principalId": "A3NL1KOZZKExample" },
                "arn": "arn:aws:s3:::cargo",
            },
            "object": {
                "key": key, "size": 1024, "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                "versionId": "096fKKXTRTtl3on89fVO", "sequencer": order,
            },
        },
    }] })
}

fn sns(message: &Value) -> Value {
    json!({
        "Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": "arn:aws:sns:eu-central-1:123456789012:events",
        "Subject": "Amazon S3 Notification", "Message": message.to_string(),
        "Timestamp": "2026-01-02T03:04:06.000Z", "SignatureVersion": "1",
        "Signature": "EXAMPLE==",
        "SigningCertURL": "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-x.pem",
        "UnsubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe",
    })
}

fn read(body: &Value) -> Result<Notice, NoEvent> {
    Notice::read(body.to_string().as_bytes())
}

/// The keys and orders that a body tells of.
fn told(body: &Value) -> Vec<(String, Option<String>)> {
    match read(body) {
        Ok(Notice::Objects(told)) => told
            .into_iter()
            .map(|told| {
                let order = told.order.map(|order| order.as_str().to_owned());
                (told.key.as_str().to_owned(), order)
            })
            .collect(),
        other => panic!("{other:?} of {body}"),
    }
}

fn one(key: &str, order: Option<&str>) -> Vec<(String, Option<String>)> {
    vec![(key.to_owned(), order.map(str::to_owned))]
}

#[test]
fn an_event_of_s3_is_read_plain_and_in_an_envelope() {
    let event = aws(
        "ObjectCreated:Put",
        "red+flower/%C3%A4%2B.jpg",
        "0055AED6DCD90281E5",
    );
    let expected = one("red flower/ä+.jpg", Some("0055AED6DCD90281E5"));
    assert_eq!(told(&event), expected);
    assert_eq!(told(&sns(&event)), expected);
    let Ok(Notice::Objects(told)) = read(&event) else {
        panic!("objects");
    };
    assert_eq!(told[0].bucket.as_deref(), Some("cargo"));
}

#[test]
fn what_came_and_what_went_is_looked_at_and_what_was_read_is_not() {
    for name in [
        "ObjectCreated:CompleteMultipartUpload",
        "ObjectRemoved:DeleteMarkerCreated",
        "s3:ObjectCreated:Copy",
        "s3:ObjectRemoved:Delete",
        "LifecycleExpiration:Delete",
    ] {
        assert_eq!(told(&aws(name, "a", "1")).len(), 1, "{name}");
    }
    for name in [
        "s3:ObjectAccessed:Head",
        "ObjectTagging:Put",
        "ObjectRestore:Post",
        "Replication:OperationFailedReplication",
        "ObjectCreatedAnew:Put",
        "",
    ] {
        assert!(told(&aws(name, "a", "1")).is_empty(), "{name}");
    }
}

#[test]
fn an_event_of_minio_is_read_with_its_records_or_without() {
    let mut event = aws(
        "s3:ObjectCreated:Put",
        "red+flower%2Fa.jpg",
        "17C3A3E2B0F1D2A1",
    );
    event["Records"][0]["eventSource"] = json!("minio:s3");
    event["EventName"] = json!("s3:ObjectCreated:Put");
    event["Key"] = json!("cargo/red flower/a.jpg");
    assert_eq!(
        told(&event),
        one("red flower/a.jpg", Some("17C3A3E2B0F1D2A1"))
    );
    let short =
        json!({ "EventName": "s3:ObjectRemoved:Delete", "Key": "cargo/red+flower/a%20.jpg" });
    assert_eq!(told(&short), one("red+flower/a%20.jpg", None));
}

#[test]
fn a_key_of_a_store_that_may_not_encode_is_looked_at_both_ways() {
    let mut event = aws("ObjectCreated:Put", "a+b%20c", "1");
    event["Records"][0]["eventSource"] = json!("ceph:s3");
    let keys: Vec<String> = told(&event).into_iter().map(|told| told.0).collect();
    assert_eq!(keys, ["a b c", "a+b%20c"]);
    event["Records"][0]["s3"]["object"]["key"] = json!("plain");
    assert_eq!(told(&event).len(), 1);
}

/// Garage itself sends none so far: this is what a script beside it sends, in the form of
/// AWS and with what it knows. There is no sequencer, and nobody says how the key is written.
#[test]
fn an_event_of_a_script_beside_garage_is_read_with_what_it_has() {
    let event = |name: &str, key: &str| {
        json!({ "Records": [{
            "eventVersion": "2.1", "eventSource": "garage:s3", "awsRegion": "garage",
            "eventTime": "2026-01-02T03:04:05Z", "eventName": name,
            "s3": { "bucket": { "name": "cargo" }, "object": { "key": key, "size": 5 } },
        }] })
    };
    for name in ["ObjectCreated:Put", "s3:ObjectRemoved:Delete"] {
        let keys = told(&event(name, "red+flower/a.jpg"));
        let both = [one("red flower/a.jpg", None), one("red+flower/a.jpg", None)];
        assert_eq!(keys, both.concat(), "{name}");
    }
    let bare = json!({ "Records": [{
        "eventName": "ObjectCreated:Put", "s3": { "object": { "key": "photos/a.jpg" } },
    }] });
    assert_eq!(told(&bare), one("photos/a.jpg", None));
}

#[test]
fn an_event_of_event_bridge_has_a_plain_key() {
    let event = json!({
        "version": "0", "id": "17793124-05d4-b198-2fde-7ededc63b103", "source": "aws.s3",
        "detail-type": "Object Created", "account": "123456789012",
        "detail": {
            "version": "0", "bucket": { "name": "cargo" },
            "object": { "key": "a+b c/%41", "size": 5, "sequencer": "00617F08299329D189" },
            "reason": "PutObject",
        },
    });
    let expected = one("a+b c/%41", Some("00617F08299329D189"));
    assert_eq!(told(&event), expected);
    assert_eq!(told(&sns(&event)), expected);
    let mut other = event;
    other["detail-type"] = json!("Object Tags Added");
    assert_eq!(read(&other), Ok(Notice::Nothing));
}

#[test]
fn a_test_and_a_farewell_are_nothing() {
    let test = json!({
        "Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-01-02T03:04:05.678Z",
        "Bucket": "cargo", "RequestId": "5582815E1AEA5ADF", "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR",
    });
    assert_eq!(read(&test), Ok(Notice::Nothing));
    assert_eq!(read(&sns(&test)), Ok(Notice::Nothing));
    assert_eq!(
        read(&json!({ "Records": [] })),
        Ok(Notice::Objects(Vec::new()))
    );
    let farewell = json!({ "Type": "UnsubscribeConfirmation", "Message": "You have chosen" });
    assert_eq!(read(&farewell), Ok(Notice::Nothing));
}

#[test]
fn a_confirmation_leads_to_sns_alone() {
    let mut asked = json!({
        "Type": "SubscriptionConfirmation", "Token": "2336412f37",
        "Message": "You have chosen to subscribe to the topic.",
        "SubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37",
    });
    assert!(matches!(read(&asked), Ok(Notice::Confirm(_))));
    assert!(!format!("{:?}", read(&asked)).contains("2336412f37"));
    asked["SubscribeURL"] = json!("http://169.254.169.254/?Action=ConfirmSubscription");
    assert_eq!(read(&asked), Err(NoEvent::Elsewhere));
}

#[test]
fn a_path_that_no_file_has_is_left_out() {
    for key in ["a/../b", "%00", "%FF", &"a".repeat(1025), "", "..%2Fetc"] {
        assert!(
            told(&aws("ObjectCreated:Put", key, "1")).is_empty(),
            "{key}"
        );
    }
}

#[test]
fn what_is_no_event_is_refused_without_repeating_it() {
    for (body, expected) in [
        ("", "line 1, column 0"),
        ("[]", "line 1"),
        ("secret", "line 1"),
        (r#"{"Records":[{"eventName":"x"}]}"#, "line 1"),
        (r#"{"Records":"secret"}"#, "line 1"),
        (r#"{}"#, "Records"),
        (r#"{"Type":"Other"}"#, "Records"),
        (r#"{"Type":"Notification"}"#, "Records"),
        (r#"{"Type":"Notification","Message":"secret"}"#, "line 1"),
        (r#"{"Event":"secret"}"#, "Records"),
    ] {
        let error = Notice::read(body.as_bytes()).expect_err(body).to_string();
        assert!(error.contains(expected), "{body}: {error}");
        assert!(!error.contains("secret"), "{body}: {error}");
    }
    let nested = sns(&sns(&aws("ObjectCreated:Put", "a", "1")));
    assert!(read(&nested).is_err());
    let deep = "[".repeat(100_000);
    assert!(Notice::read(format!("{{\"x\":{deep}").as_bytes()).is_err());
}

#[test]
fn more_events_than_may_be_are_refused() {
    let record = aws("ObjectCreated:Put", "a", "1")["Records"][0].clone();
    let most = json!({ "Records": vec![record.clone(); MOST_EVENTS] });
    assert_eq!(told(&most).len(), MOST_EVENTS);
    let more = json!({ "Records": vec![record; MOST_EVENTS + 1] });
    assert!(matches!(read(&more), Err(NoEvent::Unreadable(_))));
}

proptest! {
    #[test]
    fn nothing_that_comes_breaks_it(body in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let _ = Notice::read(&body);
    }

    #[test]
    fn nothing_in_its_fields_breaks_it(
        kind in ".{0,40}", name in ".{0,40}", key in ".{0,80}", order in ".{0,40}", text in ".{0,200}",
    ) {
        let mut event = aws(&name, &key, &order);
        let _ = read(&event);
        let _ = read(&json!({ "Type": kind, "Message": text, "SubscribeURL": key }));
        let _ = read(&json!({ "EventName": name, "Key": key }));
        event["Records"][0]["eventName"] = json!("ObjectCreated:Put");
        let told = read(&event);
        prop_assert!(matches!(told, Ok(Notice::Objects(told)) if told.len() <= 1));
    }

    #[test]
    fn a_key_goes_round(key in "[^\u{0}]{1,100}") {
        prop_assume!(key.parse::<FilePath>().is_ok());
        let encoded: String = url::form_urlencoded::byte_serialize(key.as_bytes()).collect();
        let event = aws("ObjectCreated:Put", &encoded, "1");
        prop_assert_eq!(told(&event), one(&key, Some("1")));
    }
}
