//! No secret gets through, and nothing else is lost.

#![allow(clippy::unwrap_used)]
use super::properties::{check, check_any, streamed};
use super::*;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use proptest::collection::vec;
use proptest::prelude::*;

/// What covering every byte of every occurrence means, word for word.
fn by_definition(patterns: &BTreeSet<Vec<u8>>, text: &[u8]) -> Vec<u8> {
    let mut covered = vec![false; text.len()];
    for pattern in patterns {
        for at in 0..=text.len().saturating_sub(pattern.len()) {
            if text[at..].starts_with(pattern) {
                covered[at..at + pattern.len()].fill(true);
            }
        }
    }
    let mut out = Vec::new();
    for (at, byte) in text.iter().enumerate() {
        if !covered[at] {
            out.push(*byte);
        } else if at == 0 || !covered[at - 1] {
            out.extend_from_slice(MARK.as_bytes());
        }
    }
    out
}

#[test]
fn a_secret_is_replaced_and_the_rest_stays() {
    let redactor = Redactor::new(["hunter2", "correct horse"]);
    for (text, wanted) in [
        ("password=hunter2;", "password=[redacted];"),
        ("hunter2", "[redacted]"),
        ("hunter2hunter2", "[redacted]"),
        ("hunter2 hunter2", "[redacted] [redacted]"),
        ("the correct horse battery", "the [redacted] battery"),
        ("hunter1", "hunter1"),
        ("Hunter2", "Hunter2"),
        ("", ""),
        ("é hunter2 ü", "é [redacted] ü"),
    ] {
        assert_eq!(redactor.redact(text), wanted);
    }
    assert!(matches!(redactor.redact("nothing here"), Cow::Borrowed(_)));
}

#[test]
fn overlapping_and_nested_secrets_leave_no_remnant() {
    let redactor = Redactor::new(["abcdef", "defghi", "cdef", "cdefghijk"]);
    assert_eq!(redactor.redact("xabcdefghix"), "x[redacted]x");
    assert_eq!(redactor.redact("xabcdefghijkx"), "x[redacted]x");
    assert_eq!(redactor.redact("cdefghij"), "[redacted]j");
}

#[test]
fn encoded_forms_are_found() {
    let secret = "p@ss/w\"ö rd'+<2>\\";
    let redactor = Redactor::new([secret]);
    let whole = |text: &str| {
        assert_eq!(
            redactor.redact(&format!("<<{text}>>")),
            "<<[redacted]>>",
            "{text}"
        );
    };
    whole(secret);
    whole(&BASE64.encode(secret.as_bytes()));
    whole(&BASE64URL_NOPAD.encode(secret.as_bytes()));
    let json = serde_json::to_string(secret).unwrap();
    whole(&json[1..json.len() - 1]);
    whole(r#"p@ss\/w\"\u00f6 rd'+<2>\\"#);
    whole(r#"p@ss\/w\"\u00F6 rd'+<2>\\"#);
    whole(r#"p@ss/w\"ö rd'+\u003c2\u003e\\"#);
    whole("p%40ss%2Fw%22%C3%B6%20rd%27%2B%3C2%3E%5C");
    whole("p%40ss%2fw%22%c3%b6%20rd%27%2b%3c2%3e%5c");
    whole("p%40ss%2Fw%22%C3%B6%20rd'%2B%3C2%3E%5C");
    whole("p%40ss%2Fw%22%C3%B6+rd%27%2B%3C2%3E%5C");
    whole(r#"p@ss/w"ö rd'\''+<2>\"#);
    let mut url = url::Url::parse("postgres://u@db/x").unwrap();
    url.set_password(Some(secret)).unwrap();
    assert_eq!(
        redactor.redact(url.as_str()),
        "postgres://u:[redacted]@db/x"
    );
    let mut url = url::Url::parse("https://a.example/").unwrap();
    url.query_pairs_mut()
        .append_pair("token", secret)
        .append_pair("b", "1");
    assert_eq!(
        redactor.redact(url.as_str()),
        "https://a.example/?token=[redacted]&b=1"
    );
}

#[test]
fn a_secret_within_something_encoded_is_found_wherever_it_begins() {
    let redactor = Redactor::new(["s3cr3t-t0ken"]);
    for before in ["", "u:", "user:", "longer-user:", "a", "ab", "abc"] {
        for after in ["", "!", "\r\n", "tail"] {
            let text = BASE64.encode(format!("{before}s3cr3t-t0ken{after}").as_bytes());
            let shown = redactor.redact(&text);
            assert!(shown.contains(MARK), "{text}");
            // Of its 16 characters, at most one is lost to bits of the neighbours.
            let covered = text.len() + MARK.len() - shown.len();
            assert!(covered >= 15, "{text}: {shown}");
        }
    }
}

#[test]
fn each_line_of_a_key_is_secret_and_its_frame_is_not() {
    let key = "-----BEGIN PRIVATE KEY-----\r\nMIIEvQIBADANBgkq\r\n  hkiG9w0BAQEFAASC\nabc=\n-----END PRIVATE KEY-----\n";
    let redactor = Redactor::new([key]);
    assert_eq!(redactor.redact("| MIIEvQIBADANBgkq |"), "| [redacted] |");
    assert_eq!(redactor.redact("| hkiG9w0BAQEFAASC |"), "| [redacted] |");
    assert_eq!(redactor.redact("abc="), "abc=");
    assert_eq!(
        redactor.redact("-----BEGIN PRIVATE KEY-----"),
        "-----BEGIN PRIVATE KEY-----"
    );
    assert_eq!(redactor.redact(key), "[redacted]");
    assert_eq!(redactor.redact(key.trim()), "[redacted]");
}

#[test]
fn a_long_secret_is_found_in_its_likelier_forms() {
    let secret: String = (0..600)
        .map(|line| format!("{{\"line\": {line}}}\n"))
        .collect();
    let redactor = Redactor::new([&secret]);
    let json = serde_json::to_string(&secret).unwrap();
    for text in [&secret, &json, &BASE64.encode(secret.as_bytes())] {
        let shown = redactor.redact(text);
        assert_eq!(shown.trim_matches(['"', '=']), MARK);
    }
    assert_eq!(redactor.redact("{\"line\": 217}"), MARK);
}

#[test]
fn the_white_space_around_a_secret_does_not_hide_it() {
    let redactor = Redactor::new(["hunter2\n"]);
    assert_eq!(redactor.redact("is hunter2."), "is [redacted].");
    assert_eq!(redactor.redact("is hunter2\n."), "is [redacted].");
}

#[test]
fn secrets_too_short_to_tell_are_not_looked_for() {
    let redactor = Redactor::new(["", "a", "abc", " x \n"]);
    assert_eq!(redactor.redact("a abc x \nx"), "a abc[redacted]x");
    assert!(Redactor::new(["", "abc"]).is_empty());
}

#[test]
fn one_that_knows_more_leaves_the_other_as_it_was() {
    let one = Redactor::new(["hunter2"]);
    let more = one.with(["swordfish"]);
    assert_eq!(one.redact("hunter2 swordfish"), "[redacted] swordfish");
    assert_eq!(more.redact("hunter2 swordfish"), "[redacted] [redacted]");
}

#[test]
fn debug_shows_how_many_and_nothing_else() {
    let redactor = Redactor::new(["hunter2", "swordfish"]);
    assert_eq!(format!("{redactor:?}"), "Redactor(2 secrets)");
    let mut stream = RedactedStream::new(&redactor);
    stream.push(b"say hunter", &mut Vec::new());
    assert_eq!(
        format!("{stream:?}"),
        "RedactedStream(Redactor(2 secrets), 6 bytes held)"
    );
}

#[test]
fn a_stream_holds_back_only_what_may_be_a_secret() {
    let redactor = Redactor::new(["hunter2"]);
    let mut stream = RedactedStream::new(&redactor);
    let mut out = Vec::new();
    stream.push(b"Continue? [y/n] ", &mut out);
    assert_eq!(
        (out.as_slice(), stream.held()),
        (&b"Continue? [y/n] "[..], 0)
    );
    stream.push(b"hunt", &mut out);
    assert_eq!(stream.held(), 4);
    stream.push(b"ing", &mut out);
    assert_eq!(
        (out.as_slice(), stream.held()),
        (&b"Continue? [y/n] hunting"[..], 0)
    );
    stream.push(b" hunter", &mut out);
    stream.push(b"2", &mut out);
    assert_eq!((out.ends_with(b" [redacted]"), stream.held()), (true, 0));
    stream.push(b"hunt", &mut out);
    stream.finish(&mut out);
    assert!(out.ends_with(b" [redacted]hunt"));
}

#[test]
fn a_mark_goes_out_as_soon_as_it_is_certain() {
    let redactor = Redactor::new(["abcd", "abcdefgh"]);
    let mut stream = RedactedStream::new(&redactor);
    let mut out = Vec::new();
    stream.push(b"abcd", &mut out);
    assert_eq!(out, MARK.as_bytes());
    stream.push(b"efg", &mut out);
    assert_eq!(out, MARK.as_bytes());
    stream.push(b"h.", &mut out);
    assert_eq!(out, b"[redacted].");
}

#[test]
fn a_stream_can_be_used_again_after_its_end() {
    let redactor = Redactor::new(["hunter2"]);
    let mut stream = RedactedStream::new(&redactor);
    let mut out = Vec::new();
    stream.push(b"hunter2", &mut out);
    stream.finish(&mut out);
    stream.push(b"hunter2hun", &mut out);
    stream.finish(&mut out);
    stream.push(b"ter2", &mut out);
    stream.finish(&mut out);
    assert_eq!(out, b"[redacted][redacted]hunter2");
}

#[test]
fn with_more_to_look_for_than_can_be_everything_is_secret() {
    let secrets = BTreeSet::from([b"hunter2".to_vec()]);
    assert!(matches!(Search::of(&secrets, 1_000), Search::Patterns(_)));
    let search = Search::of(&secrets, 10);
    let redactor = Redactor(Arc::new(Known { secrets, search }));
    assert_eq!(redactor.redact("anything"), MARK);
    assert_eq!(redactor.redact(""), "");
    assert_eq!(
        streamed(&redactor, b"anything at all", &[3]),
        MARK.as_bytes()
    );
}

#[test]
fn a_secret_that_is_no_text_is_found_in_bytes() {
    let redactor = Redactor::new([[0xff, 0x00, 0xa9, 0x31, 0x80]]);
    assert_eq!(
        &*redactor.redact_bytes(b"a\xff\x00\xa91\x80b"),
        b"a[redacted]b"
    );
    // It begins within a character of this text.
    let redactor = Redactor::new([&b"\xa9 x y"[..]]);
    assert_eq!(redactor.redact("é x y"), "\u{fffd}[redacted]");
}

/// Texts in which such secrets overlap, touch and nearly occur.
fn secrets_and_text() -> impl Strategy<Value = (Vec<Vec<u8>>, Vec<u8>)> {
    let secret = || vec(prop::sample::select(b"ab".as_slice()), 4..9);
    vec(secret(), 1..5).prop_flat_map(|secrets| {
        let known = prop::sample::select(secrets.clone());
        let piece = prop_oneof![
            known.clone(),
            (known, 1..8_usize).prop_map(|(secret, cut)| secret[..cut.min(secret.len())].to_vec()),
            vec(prop::sample::select(b"abc\n".as_slice()), 0..6),
        ];
        (
            Just(secrets),
            vec(piece, 0..12).prop_map(|pieces| pieces.concat()),
        )
    })
}

proptest! {
    #[test]
    fn the_definition_is_met_whatever_overlaps((secrets, text) in secrets_and_text()) {
        let redactor = Redactor::new(&secrets);
        let patterns = secrets.iter().flat_map(|secret| forms::of(secret)).collect();
        prop_assert_eq!(redactor.redact_bytes(&text), by_definition(&patterns, &text));
    }

    #[test]
    fn chunks_make_no_difference_and_no_secret_comes_through(
        (secrets, text) in secrets_and_text(),
        sizes in vec(1..7_usize, 1..6),
    ) {
        check(&secrets, &text, &sizes);
    }

    #[test]
    fn the_same_holds_for_arbitrary_bytes(
        secrets in vec(vec(any::<u8>(), 0..12), 0..4),
        around in vec(vec(any::<u8>(), 0..20), 1..5),
        sizes in vec(1..40_usize, 1..4),
        data in vec(any::<u8>(), 0..200),
    ) {
        let text = around.iter().zip(secrets.iter().cycle())
            .flat_map(|(before, secret)| [before.clone(), secret.clone()])
            .collect::<Vec<_>>()
            .concat();
        check(&secrets, &text, &sizes);
        check_any(&data);
    }

    #[test]
    fn every_standard_encoding_of_any_text_is_covered(
        secret in "[ -~é€\u{1F6A2}\n]{4,24}",
        before in "[a-z]{0,4}",
    ) {
        let redactor = Redactor::new([&secret]);
        let json = serde_json::to_string(&secret).unwrap();
        let json = &json[1..json.len() - 1];
        let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        for text in [json, &form, &BASE64.encode(secret.as_bytes())] {
            let shown = redactor.redact(text);
            prop_assert_eq!(shown, MARK, "{}", text);
        }
        let wrapped = BASE64.encode(format!("{before}{secret}{before}").as_bytes());
        prop_assert!(secret.len() < 7 || redactor.redact(&wrapped).contains(MARK));
    }

    #[test]
    fn a_stream_never_holds_more_than_one_byte_less_than_the_longest_form(
        (secrets, text) in secrets_and_text(),
    ) {
        let redactor = Redactor::new(&secrets);
        let longest = secrets.iter().flat_map(|secret| forms::of(secret)).map(|form| form.len()).max();
        let mut stream = RedactedStream::new(&redactor);
        let mut out = Vec::new();
        for byte in text {
            stream.push(&[byte], &mut out);
            prop_assert!(stream.held() < longest.unwrap_or(1));
        }
    }
}
