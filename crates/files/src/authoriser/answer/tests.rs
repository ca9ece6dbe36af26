//! Which answers are understood, and that all others let nobody in.

use super::*;
use proptest::prelude::*;
use serde_json::json;

const ARN: &str = "arn:aws:execute-api:local:000000000000:longshore/files/GET/covers/a.jpg";

fn parse(answer: &Value) -> Result<Answer, Unreadable> {
    Answer::parse(answer.to_string().as_bytes(), ARN)
}

fn allowed(answer: &Value) -> bool {
    parse(answer).is_ok_and(|answer| answer.allows(Permission::Read))
}

#[test]
fn our_own_form_says_who_what_and_how_long() {
    let answer = parse(&json!({
        "allow": true, "identity": "anna", "remember_seconds": 60,
        "permissions": ["read", "list"], "note": "is not looked at",
    }))
    .expect("an answer");
    assert_eq!(answer.identity.as_deref(), Some("anna"));
    assert_eq!(answer.remember, Duration::from_secs(60));
    assert!(answer.allows(Permission::Read) && answer.allows(Permission::List));
    assert!(!answer.allows(Permission::Write));
    let plain = parse(&json!({ "allow": true })).expect("an answer");
    assert!(plain.allows(Permission::Delete));
    assert_eq!((plain.identity, plain.remember), (None, Duration::ZERO));
    assert!(!allowed(&json!({ "allow": false, "identity": "anna" })));
    assert!(!allowed(&json!({ "allow": true, "permissions": [] })));
}

#[test]
fn the_simple_form_of_a_lambda_function_is_taken() {
    let answer = parse(&json!({
        "isAuthorized": true, "context": { "sub": "anna", "remember_seconds": "30" },
    }))
    .expect("an answer");
    assert!(answer.allows(Permission::Write));
    assert_eq!(answer.identity.as_deref(), Some("anna"));
    assert_eq!(answer.remember, Duration::from_secs(30));
    assert!(!allowed(&json!({ "isAuthorized": false })));
}

fn policy(statements: &Value) -> Value {
    json!({
        "principalId": "anna",
        "policyDocument": { "Version": "2012-10-17", "Statement": statements },
        "context": { "stringKey": "value", "numberKey": 1 },
        "usageIdentifierKey": "key",
    })
}

#[test]
fn a_policy_allows_what_its_statements_name_and_no_deny_does() {
    let allow = |action: Value, resource: Value| {
        policy(&json!([{ "Effect": "Allow", "Action": action, "Resource": resource }]))
    };
    let invoke = || json!("execute-api:Invoke");
    let any = || json!("arn:aws:execute-api:*:*:*/*/GET/covers/*");
    for (answer, expected) in [
        (allow(invoke(), json!(ARN)), true),
        (allow(invoke(), json!("*")), true),
        (allow(invoke(), any()), true),
        (allow(json!("execute-api:*"), any()), true),
        (allow(json!(["other:X", "EXECUTE-API:invoke"]), any()), true),
        (allow(invoke(), json!([ARN, "arn:other"])), true),
        (allow(invoke(), json!(ARN.replace("a.jpg", "?.jpg"))), true),
        (
            allow(invoke(), json!(ARN.replace("a.jpg", "a?.jpg"))),
            false,
        ),
        (allow(invoke(), json!(ARN.replace("GET", "PUT"))), false),
        (
            allow(invoke(), json!("arn:aws:execute-api:*:*:*/*/GET/covers/")),
            false,
        ),
        (allow(json!("s3:GetObject"), json!("*")), false),
        (allow(invoke(), json!([])), false),
        (policy(&json!([])), false),
    ] {
        assert_eq!(allowed(&answer), expected, "{answer}");
    }
    let everything = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
    assert!(
        allowed(&policy(&everything)),
        "one statement without a list"
    );
    for deny in [
        json!({ "Effect": "Deny", "Action": "*", "Resource": ARN }),
        // What is not understood narrows all the same.
        json!({ "Effect": "Deny", "Action": "*", "NotResource": "x" }),
        json!({ "Effect": "Deny", "Action": "*", "Resource": "x", "Condition": {} }),
    ] {
        assert!(!allowed(&policy(&json!([everything, deny]))), "{deny}");
    }
    for allow in [
        json!({ "Effect": "Allow", "NotAction": "x", "Resource": "*" }),
        json!({ "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": { "Bool": {} } }),
    ] {
        assert!(!allowed(&policy(&json!([allow]))), "{allow}");
    }
    let answer = parse(&policy(&everything)).expect("an answer");
    assert_eq!(answer.identity.as_deref(), Some("anna"));
}

#[test]
fn whatever_else_is_answered_is_no_answer() {
    let long = "x".repeat(LONGEST_IDENTITY + 1);
    for answer in [
        json!({}),
        json!([]),
        json!(true),
        json!({ "allow": null }),
        json!({ "allow": "true" }),
        json!({ "allow": 1 }),
        json!({ "Allow": true }),
        json!({ "allow": true, "isAuthorized": true }),
        json!({ "allow": true, "permissions": ["everything"] }),
        json!({ "allow": true, "permissions": "read" }),
        json!({ "allow": true, "identity": "" }),
        json!({ "allow": true, "identity": " anna" }),
        json!({ "allow": true, "identity": "an\nna" }),
        json!({ "allow": true, "identity": long }),
        json!({ "allow": true, "identity": 7 }),
        json!({ "allow": true, "remember_seconds": -1 }),
        json!({ "allow": true, "remember_seconds": 1.5 }),
        json!({ "isAuthorized": true, "context": { "remember_seconds": "soon" } }),
        json!({ "isAuthorized": "true" }),
        json!({ "policyDocument": { "Statement": [] } }),
        json!({ "principalId": "anna" }),
        json!({ "principalId": "anna", "policyDocument": "x" }),
        json!({ "principalId": "anna", "policyDocument": { "Statement": [{ "Effect": "Maybe", "Action": "*", "Resource": "*" }] } }),
    ] {
        assert!(parse(&answer).is_err(), "{answer}");
    }
    for text in [
        "",
        "null",
        "{\"allow\":true",
        "{\"allow\":false,\"allow\":true}",
        "{\"allow\":true} {\"allow\":true}",
        "<html>allow</html>",
    ] {
        assert!(Answer::parse(text.as_bytes(), ARN).is_err(), "{text}");
    }
}

/// What `matches` means, said slowly.
fn matches_slowly(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), None) => matches_slowly(rest, text),
        (Some(('*', rest)), Some((_, more))) => {
            matches_slowly(rest, text) || matches_slowly(pattern, more)
        }
        (Some(('?', rest)), Some((_, more))) => matches_slowly(rest, more),
        (Some((letter, rest)), Some((other, more))) => {
            letter == other && matches_slowly(rest, more)
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn patterns_match_as_they_are_said_to(pattern in "[ab*?]{0,8}", text in "[ab]{0,10}") {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(
            matches(&pattern, &text),
            matches_slowly(&chars(&pattern), &chars(&text))
        );
    }

    #[test]
    fn bytes_of_any_kind_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        // No panic, and nothing that is let in by chance.
        if let Ok(answer) = Answer::parse(&bytes, ARN) {
            prop_assert!(std::str::from_utf8(&bytes).is_ok());
            prop_assert!(answer.identity.is_none_or(|name| !name.is_empty()));
        }
    }

    #[test]
    fn a_part_of_an_answer_is_none(at in 0_usize..80) {
        let whole = "{\"allow\":true,\"identity\":\"anna\",\"remember_seconds\":60,\"permissions\":[\"read\"]}";
        prop_assume!(at < whole.len());
        prop_assert!(Answer::parse(&whole.as_bytes()[..at], ARN).is_err());
    }

    #[test]
    fn one_letter_changed_never_widens_a_denial(at in 0_usize..40, letter in any::<u8>()) {
        let mut bytes = b"{\"allow\":false,\"identity\":\"anna\"}".to_vec();
        prop_assume!(at < bytes.len());
        bytes[at] = letter;
        let read = Answer::parse(&bytes, ARN);
        prop_assert!(read.is_err() || read.is_ok_and(|answer| !answer.allows(Permission::Read)));
    }
}
