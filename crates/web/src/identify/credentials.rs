//! What a request carries to prove who sends it.

use data_encoding::BASE64;
use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE};

/// The name of the session's cookie.
pub(crate) const SESSION_COOKIE: &str = "longshore_session";

/// One proof, or none. The `Authorization` header goes before a cookie: who sends
/// it means it.
#[derive(PartialEq, Eq)]
pub(crate) enum Credentials {
    None,
    Cookie(String),
    Basic {
        name: String,
        password: String,
    },
    Bearer(String),
    /// There is something, and it cannot be read.
    Unreadable,
}

impl Credentials {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        match (values.next(), values.next()) {
            (None, _) => cookie(headers).map_or(Self::None, Self::Cookie),
            (Some(value), None) => value
                .to_str()
                .ok()
                .and_then(authorization)
                .unwrap_or(Self::Unreadable),
            (Some(_), Some(_)) => Self::Unreadable,
        }
    }

    /// Whether a browser sends it by itself, also on behalf of other sites.
    pub(crate) const fn is_ambient(&self) -> bool {
        matches!(self, Self::Cookie(_) | Self::Basic { .. })
    }
}

/// RFC 7617 (Basic) and RFC 6750 (Bearer).
fn authorization(value: &str) -> Option<Credentials> {
    let (scheme, rest) = value.trim().split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return (!rest.is_empty()).then(|| Credentials::Bearer(rest.to_owned()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64.decode(rest.as_bytes()).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some(Credentials::Basic {
        name: name.to_owned(),
        password: password.to_owned(),
    })
}

/// The session's cookie; none when there are two that differ, as only somebody
/// who plants cookies makes.
fn cookie(headers: &HeaderMap) -> Option<String> {
    let mut found: Option<&[u8]> = None;
    for value in headers.get_all(COOKIE) {
        // As bytes: what others set on this host need not be text, and is not ours.
        for pair in value.as_bytes().split(|byte| *byte == b';') {
            let value = pair.trim_ascii().strip_prefix(SESSION_COOKIE.as_bytes());
            let Some(value) = value.and_then(|rest| rest.strip_prefix(b"=")) else {
                continue;
            };
            match found {
                Some(before) if before != value => return None,
                _ => found = Some(value),
            }
        }
    }
    let text = std::str::from_utf8(found?).ok()?;
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn of(pairs: &[(http::HeaderName, &str)]) -> Credentials {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, HeaderValue::from_str(value).expect("a header"));
        }
        Credentials::of(&headers)
    }

    fn is(found: &Credentials, expected: &Credentials) -> bool {
        found == expected
    }

    #[test]
    fn each_proof_is_found_and_the_header_goes_before_the_cookie() {
        let basic = Credentials::Basic {
            name: "ann".into(),
            password: "a:b".into(),
        };
        let bearer = Credentials::Bearer("lsh_x".into());
        let cookie = Credentials::Cookie("v".into());
        assert!(is(&of(&[(AUTHORIZATION, "Basic YW5uOmE6Yg==")]), &basic));
        assert!(is(&of(&[(AUTHORIZATION, "basic  YW5uOmE6Yg==")]), &basic));
        assert!(is(&of(&[(AUTHORIZATION, "BEARER lsh_x")]), &bearer));
        assert!(is(&of(&[(COOKIE, "a=b; longshore_session=v; c")]), &cookie));
        assert!(is(
            &of(&[
                (COOKIE, "longshore_session=v"),
                (AUTHORIZATION, "Bearer lsh_x")
            ]),
            &bearer
        ));
        assert!(is(&of(&[]), &Credentials::None));
    }

    #[test]
    fn what_cannot_be_read_is_never_taken_for_nothing() {
        for value in [
            "Basic",
            "Basic ***",
            "Basic YW5u",
            "Digest x",
            "Bearer ",
            "x",
        ] {
            assert!(
                is(&of(&[(AUTHORIZATION, value)]), &Credentials::Unreadable),
                "{value}"
            );
        }
        let twice = of(&[(AUTHORIZATION, "Bearer a"), (AUTHORIZATION, "Bearer b")]);
        assert!(is(&twice, &Credentials::Unreadable));
    }

    #[test]
    fn cookies_of_others_need_not_be_text() {
        let mut headers = HeaderMap::new();
        for bytes in [
            &b"name=J\xc3\xb6rg; longshore_session=v; x=\xff"[..],
            &b"longshore_session_old=w"[..],
        ] {
            headers.append(COOKIE, HeaderValue::from_bytes(bytes).expect("a header"));
        }
        assert!(is(
            &Credentials::of(&headers),
            &Credentials::Cookie("v".into())
        ));
        let ours = HeaderValue::from_bytes(b"longshore_session=\xff").expect("a header");
        headers.insert(COOKIE, ours);
        assert!(is(&Credentials::of(&headers), &Credentials::None));
    }

    #[test]
    fn two_session_cookies_that_differ_are_none() {
        let differ = of(&[(COOKIE, "longshore_session=a; longshore_session=b")]);
        assert!(is(&differ, &Credentials::None));
        let same = of(&[
            (COOKIE, "longshore_session=a"),
            (COOKIE, "longshore_session=a"),
        ]);
        assert!(is(&same, &Credentials::Cookie("a".into())));
    }
}
