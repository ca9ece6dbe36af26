//! Every bit of a signed address counts, and it opens nothing else.

use super::*;
use proptest::prelude::*;
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

fn signer() -> Signer {
    Signer {
        newest: [7; 32],
        older: Vec::new(),
    }
}

fn bucket() -> BucketId {
    Uuid::from_u128(1).into()
}

fn somebody() -> SignedBy {
    SignedBy::User(Uuid::from_u128(2).into(), Some(Uuid::from_u128(3).into()))
}

fn path(text: &str) -> FilePath {
    text.parse().expect("a path")
}

fn get() -> Terms {
    Terms::Get { download: false }
}

fn put(length: Option<u64>, media_type: Option<&str>) -> Terms {
    Terms::Put {
        length,
        media_type: media_type.map(str::to_owned),
    }
}

fn signed(terms: &Terms) -> String {
    let path = path("a/b c.txt");
    let place = Place {
        bucket: bucket(),
        path: &path,
    };
    signer().sign(place, terms, &somebody(), NOW.plus(Duration::from_secs(60)))
}

fn check(method: Method, at: &str, query: &str) -> Result<Option<Opened>, LinkError> {
    let path = path(at);
    let place = Place {
        bucket: bucket(),
        path: &path,
    };
    signer().check(method, place, query, NOW)
}

#[test]
fn an_address_opens_what_it_was_made_for() {
    for terms in [
        get(),
        Terms::Get { download: true },
        put(None, None),
        put(Some(0), None),
        put(Some(5), Some("text/plain; charset=utf-8")),
    ] {
        let opened = check(method_of(&terms), "a/b c.txt", &signed(&terms));
        let opened = opened.expect("it is good").expect("it is signed");
        assert_eq!(opened.terms, terms);
        assert_eq!(opened.by, somebody());
        assert_eq!(opened.once.is_some(), matches!(terms, Terms::Put { .. }));
    }
}

#[test]
fn an_address_opens_nothing_else() {
    let query = signed(&get());
    let invalid = Err(LinkError::Invalid);
    assert_eq!(check(Method::Put, "a/b c.txt", &query), invalid);
    for other in [
        "a/b c.tx",
        "a/b c.txt/",
        "/a/b c.txt",
        "a/B c.txt",
        "b c.txt",
    ] {
        assert_eq!(check(Method::Get, other, &query), invalid, "{other}");
    }
    assert_eq!(
        check(Method::Get, "a/b c.txt", &signed(&put(None, None))),
        invalid
    );
    let path = path("a/b c.txt");
    let elsewhere = Place {
        bucket: Uuid::from_u128(9).into(),
        path: &path,
    };
    assert_eq!(signer().check(Method::Get, elsewhere, &query, NOW), invalid);
    for (from, to) in [("expires=17", "expires=18"), ("expires=", "expires=0")] {
        let altered = query.replace(from, to);
        assert_eq!(
            check(Method::Get, "a/b c.txt", &altered),
            invalid,
            "{altered}"
        );
    }
    let bound = signed(&put(Some(5), Some("text/plain")));
    for (from, to) in [
        ("length=5", "length=6"),
        ("length=5", "length=05"),
        ("length=5&", ""),
        ("type=text%2Fplain", "type=text%2Fhtml"),
        ("type=text%2Fplain&", ""),
        ("type=text%2Fplain", "type="),
        ("expires=", "download=1&expires="),
    ] {
        let altered = bound.replace(from, to);
        assert_ne!(altered, bound);
        assert_eq!(
            check(Method::Put, "a/b c.txt", &altered),
            invalid,
            "{altered}"
        );
    }
}

#[test]
fn what_is_not_signed_is_not_taken_for_it() {
    for query in ["", "a=b", "expires=5", "length=5&type=x"] {
        assert_eq!(check(Method::Get, "a", query), Ok(None), "{query}");
    }
    for query in [
        "signature=",
        "signature=AAAA",
        "expires=1&signature=***",
        "expires=x&signature=AAAA",
        "expires=99999999999&signature=AAAA",
    ] {
        assert_eq!(
            check(Method::Get, "a", query),
            Err(LinkError::Invalid),
            "{query}"
        );
    }
    let query = signed(&get());
    let further = format!("{query}&x=1");
    assert_eq!(
        check(Method::Get, "a/b c.txt", &further),
        Err(LinkError::Unknown("x".to_owned()))
    );
    let twice = format!("{query}&expires=99999999999");
    assert_eq!(
        check(Method::Get, "a/b c.txt", &twice),
        Err(LinkError::Invalid)
    );
}

#[test]
fn an_address_ends_with_its_time_and_not_a_moment_before() {
    let path = path("a/b c.txt");
    let place = Place {
        bucket: bucket(),
        path: &path,
    };
    let ends = NOW.plus(Duration::from_millis(1900));
    let query = signer().sign(place, &get(), &somebody(), ends);
    let at = |moment| signer().check(Method::Get, place, &query, moment);
    assert!(at(ends).is_ok());
    assert_eq!(at(web::whole_seconds(ends)), Err(LinkError::Expired));
}

#[test]
fn an_address_of_an_older_key_stays_good() {
    let path = path("a/b c.txt");
    let place = Place {
        bucket: bucket(),
        path: &path,
    };
    let query = signed(&get());
    let rotated = Signer {
        newest: [9; 32],
        older: vec![[9; 32], [7; 32]],
    };
    assert!(rotated.check(Method::Get, place, &query, NOW).is_ok());
    let new = rotated.sign(
        place,
        &get(),
        &somebody(),
        NOW.plus(Duration::from_secs(60)),
    );
    assert!(rotated.check(Method::Get, place, &new, NOW).is_ok());
    assert_eq!(
        signer().check(Method::Get, place, &new, NOW),
        Err(LinkError::Invalid)
    );
}

#[test]
fn every_bit_of_a_signature_counts() {
    for terms in [get(), put(Some(5), None)] {
        let query = signed(&terms);
        let (head, signature) = query.rsplit_once('=').expect("it ends with the signature");
        let bytes = BASE64URL_NOPAD
            .decode(signature.as_bytes())
            .expect("Base64");
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let altered = format!("{head}={}", BASE64URL_NOPAD.encode(&changed));
            let checked = check(method_of(&terms), "a/b c.txt", &altered);
            assert_eq!(checked, Err(LinkError::Invalid), "bit {bit}");
        }
        for length in 0..bytes.len() {
            let altered = format!("{head}={}", BASE64URL_NOPAD.encode(&bytes[..length]));
            let checked = check(method_of(&terms), "a/b c.txt", &altered);
            assert_eq!(checked, Err(LinkError::Invalid), "{length} bytes");
        }
    }
}

#[test]
fn two_addresses_for_putting_are_two() {
    let once = |query: &str| check(Method::Put, "a/b c.txt", query).map(|it| it.map(|it| it.once));
    let (one, two) = (signed(&put(None, None)), signed(&put(None, None)));
    assert_ne!(once(&one), once(&two));
    assert_eq!(once(&one), once(&one));
}

fn terms() -> impl Strategy<Value = Terms> {
    prop_oneof![
        any::<bool>().prop_map(|download| Terms::Get { download }),
        (any::<Option<u64>>(), proptest::option::of(".{0,40}"))
            .prop_map(|(length, media_type)| Terms::Put { length, media_type }),
    ]
}

fn signers() -> impl Strategy<Value = SignedBy> {
    let id = Uuid::from_u128;
    prop_oneof![
        Just(SignedBy::Nobody),
        (any::<u128>(), any::<Option<u128>>()).prop_map(move |(user, token)| {
            SignedBy::User(id(user).into(), token.map(|token| id(token).into()))
        }),
        (any::<u128>(), proptest::option::of("[a-zäß ]{1,40}")).prop_map(move |(account, name)| {
            let account = id(account);
            SignedBy::Guest(access::Identity { name, account })
        }),
    ]
}

fn paths() -> impl Strategy<Value = FilePath> {
    "[^\0]{1,60}".prop_filter_map("no path", |text| text.parse().ok())
}

proptest! {
    #[test]
    fn whatever_is_signed_is_read_again(
        path in paths(), terms in terms(), by in signers(), seconds in 1..700_000_u64,
    ) {
        let place = Place { bucket: bucket(), path: &path };
        let query = signer().sign(place, &terms, &by, NOW.plus(Duration::from_secs(seconds)));
        let opened = signer().check(method_of(&terms), place, &query, NOW);
        let opened = opened.expect("it is good").expect("it is signed");
        prop_assert_eq!((opened.terms, opened.by), (terms, by));
    }

    #[test]
    fn no_two_places_are_opened_by_one_signature(
        path in paths(), other in paths(), terms in terms(), by in signers(),
    ) {
        prop_assume!(path != other);
        let place = Place { bucket: bucket(), path: &path };
        let query = signer().sign(place, &terms, &by, NOW.plus(Duration::from_secs(60)));
        let other = Place { bucket: bucket(), path: &other };
        let opened = signer().check(method_of(&terms), other, &query, NOW);
        prop_assert_eq!(opened, Err(LinkError::Invalid));
    }

    #[test]
    fn nothing_that_is_made_up_opens_anything(query in "(signature|expires|length|type|[a-z]|=|&|%2F|[0-9A-Za-z_-]){0,30}") {
        prop_assert!(!matches!(check(Method::Get, "a", &query), Ok(Some(_))));
        prop_assert!(!matches!(check(Method::Put, "a", &query), Ok(Some(_))));
    }
}
