//! Properties over arbitrary input; the fuzz targets run the same bodies.

use super::fetch::properties::{check_any, check_any_location, check_embeddings};
use proptest::prelude::*;

/// Pieces that URL parsers disagree about, put together at random.
fn hostile_url() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("http:".to_owned()),
        Just("https:".to_owned()),
        Just("//".to_owned()),
        Just("\\".to_owned()),
        Just("@".to_owned()),
        Just("127.0.0.1".to_owned()),
        Just("0x7f".to_owned()),
        Just("[::1]".to_owned()),
        Just("[64:ff9b::".to_owned()),
        Just("]".to_owned()),
        Just("localhost".to_owned()),
        Just("example.com".to_owned()),
        Just(".".to_owned()),
        Just("。".to_owned()),
        Just("①".to_owned()),
        Just("%2e".to_owned()),
        Just("%00".to_owned()),
        Just(":80".to_owned()),
        Just("?".to_owned()),
        Just("#".to_owned()),
        Just("/".to_owned()),
        Just("\t".to_owned()),
        Just("xn--".to_owned()),
        any::<u32>().prop_map(|number| number.to_string()),
        any::<char>().prop_map(|c| c.to_string()),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_is_refused_or_safe(text in any::<String>()) {
        check_any(&text);
    }

    #[test]
    fn any_host_is_refused_or_safe(host in "\\PC{0,40}") {
        check_any(&format!("http://{host}/"));
    }

    #[test]
    fn any_hostile_url_is_refused_or_safe(text in hostile_url()) {
        check_any(&text);
        check_any(&format!("http://{text}"));
        check_any_location(text.as_bytes());
    }

    #[test]
    fn any_location_leads_somewhere_safe_or_nowhere(bytes in any::<Vec<u8>>()) {
        check_any_location(&bytes);
    }

    #[test]
    fn any_ipv4_address_is_the_same_in_ipv6(inner in any::<[u8; 4]>(), prefix in any::<[u16; 4]>()) {
        check_embeddings(inner.into(), prefix);
    }

    #[test]
    fn any_literal_is_judged_like_its_address(bytes in any::<[u8; 16]>(), is_v4 in any::<bool>()) {
        let ip = if is_v4 {
            std::net::IpAddr::from([bytes[0], bytes[1], bytes[2], bytes[3]])
        } else {
            std::net::IpAddr::from(bytes)
        };
        let url = match ip {
            std::net::IpAddr::V4(ip) => format!("http://{}/", u32::from(ip)),
            std::net::IpAddr::V6(ip) => format!("http://[{ip}]/"),
        };
        let client = super::fetch::Client::new(Default::default(), Default::default());
        let is_public = super::fetch::classify(ip).is_public();
        prop_assert_eq!(client.check(&url).is_ok(), is_public, "{}", ip);
    }
}
