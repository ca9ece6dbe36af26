//! What is refused before the library sees it, because it would let it pass.
//!
//! S3 takes no `x-amz-*` header that a signature does not cover: whoever has a signed
//! request, or a presigned address that was given away, could otherwise add headers that
//! its signer never meant (the class of GHSA-g8w9). Nothing is read here that the library
//! reads otherwise: what could be read in two ways is refused.

use axum::extract::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Method, Uri};
use s3s::{S3Error, s3_error};

const SCHEME: &str = "AWS4-HMAC-SHA256";
/// Ends the credential of a signature for this service.
const SERVICE: &str = "/s3/aws4_request";
/// The longest time that a presigned address is good for, in seconds: a week, as at S3.
const LONGEST: u32 = 7 * 86_400;
/// Covered by what is signed, not by being a signed header: it is the body's hash.
const CONTENT_HASH: &str = "x-amz-content-sha256";

const OLD: &str =
    "Headers signed in version 2 are not taken: they have no end; sign with AWS4-HMAC-SHA256.";

/// What an address that is presigned in the old way may hold: its signature, and what that
/// covers (the rest it does not).
const OLD_PARAMETERS: [&str; 3] = ["AWSAccessKeyId", "Expires", "Signature"];
pub(super) const OLD_COVERED: [&str; 14] = [
    "acl",
    "delete",
    "location",
    "partNumber",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "tagging",
    "uploadId",
    "uploads",
    "versionId",
];

/// Refuses what S3 would refuse.
pub(super) fn check(request: &Request) -> Result<(), S3Error> {
    refuse_forms(request)?;
    let query = Parameters::of(request.uri());
    let presigned = query.has("X-Amz-Signature");
    let old = query.has("Signature");
    let mut headers = request.headers().get_all(AUTHORIZATION).iter();
    match (headers.next(), headers.next(), presigned, old) {
        (None, _, false, false) => anonymous(&query),
        (None, _, false, true) => presigned_of_old(&query),
        (None, _, true, false) => {
            of_this_service(&query.only("X-Amz-Credential")?)?;
            not_for_ever(&query.only("X-Amz-Expires")?)?;
            covered(request.headers(), &query.only("X-Amz-SignedHeaders")?)
        }
        (Some(value), None, false, false) => {
            let text = value.to_str().map_err(|_| unreadable())?;
            let (credential, signed) = authorization(text)?;
            of_this_service(credential)?;
            covered(request.headers(), signed)
        }
        _ => Err(s3_error!(
            InvalidArgument,
            "Sign in one way only: by the header Authorization, or by a signature in the address."
        )),
    }
}

/// An address of version 2, as boto3 and the AWS command line still make them. Its
/// signature covers all headers of Amazon, and of the parameters some, each once.
fn presigned_of_old(query: &Parameters) -> Result<(), S3Error> {
    for name in OLD_PARAMETERS {
        query.only(name)?;
    }
    for (name, _) in &query.0 {
        let name = name.as_str();
        if OLD_PARAMETERS.contains(&name) {
            continue;
        }
        if !OLD_COVERED.contains(&name) {
            return Err(s3_error!(
                AccessDenied,
                "There was a parameter in the address which was not signed: {}.",
                crate::path::encode(name)
            ));
        }
        query.only(name)?;
    }
    Ok(())
}

/// A form's file would be held in memory as a whole before anybody knew who sent it.
fn refuse_forms(request: &Request) -> Result<(), S3Error> {
    let kind = request.headers().get(CONTENT_TYPE);
    let kind = kind
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if request.method() == Method::POST
        && kind
            .trim_start()
            .to_ascii_lowercase()
            .starts_with("multipart/")
    {
        return Err(s3_error!(
            NotImplemented,
            "Forms are not taken here; put the file, or use a presigned address."
        ));
    }
    Ok(())
}

/// Nobody in particular does not say how an answer looks: a page of theirs could be told
/// that somebody's bytes are a page.
fn anonymous(query: &Parameters) -> Result<(), S3Error> {
    if query
        .0
        .iter()
        .any(|(name, _)| name.starts_with("response-"))
    {
        return Err(s3_error!(
            InvalidRequest,
            "Parameters response-* are for signed requests alone."
        ));
    }
    Ok(())
}

fn not_for_ever(seconds: &str) -> Result<(), S3Error> {
    let seconds: Option<u32> = seconds.parse().ok();
    if seconds.is_some_and(|seconds| (1..=LONGEST).contains(&seconds)) {
        return Ok(());
    }
    Err(s3_error!(
        AuthorizationQueryParametersError,
        "X-Amz-Expires is 1 to {} seconds.",
        LONGEST
    ))
}

fn of_this_service(credential: &str) -> Result<(), S3Error> {
    let region = credential
        .strip_suffix(SERVICE)
        .and_then(|rest| rest.rsplit('/').next());
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if region.is_some_and(|region| !region.is_empty() && region.chars().all(known)) {
        return Ok(());
    }
    // Told the region, clients that made up another one sign once more.
    Err(s3_error!(
        AuthorizationHeaderMalformed,
        "The credential is for another service or region: it ends with `/{}{}`.",
        super::REGION,
        SERVICE
    ))
}

/// Credential and signed headers of an `Authorization` header.
fn authorization(text: &str) -> Result<(&str, &str), S3Error> {
    let rest = match text.split_once(' ') {
        Some((SCHEME, rest)) => rest,
        Some(("AWS", _)) => return Err(s3_error!(InvalidRequest, "{}", OLD)),
        _ => return Err(unreadable()),
    };
    let (mut credential, mut signed) = (None, None);
    for field in rest.split(',').map(str::trim) {
        let slot = match field.split_once('=') {
            Some(("Credential", value)) => (&mut credential, value),
            Some(("SignedHeaders", value)) => (&mut signed, value),
            Some(("Signature", _)) => continue,
            _ => return Err(unreadable()),
        };
        if slot.0.replace(slot.1).is_some() {
            return Err(unreadable());
        }
    }
    credential.zip(signed).ok_or_else(unreadable)
}

fn unreadable() -> S3Error {
    s3_error!(
        InvalidArgument,
        "The header Authorization is not of the form `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`."
    )
}

/// Whether the signature covers all that it must.
fn covered(headers: &HeaderMap, signed: &str) -> Result<(), S3Error> {
    let signed: Vec<&str> = signed.split(';').collect();
    if !signed.contains(&"host") {
        return Err(s3_error!(
            AccessDenied,
            "The header host must be among those that are signed."
        ));
    }
    let unsigned = headers
        .keys()
        .map(http::HeaderName::as_str)
        .find(|name| name.starts_with("x-amz-") && *name != CONTENT_HASH && !signed.contains(name));
    match unsigned {
        None => Ok(()),
        Some(name) => Err(s3_error!(
            AccessDenied,
            "There were headers present in the request which were not signed: {}.",
            name
        )),
    }
}

/// The parameters of an address, decoded as forms are.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn of(uri: &Uri) -> Self {
        let decode = |text: &str| {
            let text = text.replace('+', " ");
            percent_encoding::percent_decode_str(&text)
                .decode_utf8_lossy()
                .into_owned()
        };
        let pairs = uri.query().unwrap_or_default().split('&');
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self(
            pairs
                .map(|(name, value)| (decode(name), decode(value)))
                .collect(),
        )
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// The one value of a parameter.
    pub(super) fn only(&self, name: &str) -> Result<String, S3Error> {
        let mut values = self.0.iter().filter(|(known, _)| known == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Ok(value.clone()),
            _ => Err(s3_error!(
                AuthorizationQueryParametersError,
                "A presigned address has {} exactly once.",
                name
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    const CREDENTIAL: &str = "LSHAAAAAAAAAAAAAAAAA/20260101/us-east-1/s3/aws4_request";

    fn request(path: &str, headers: &[(&str, &str)]) -> Request {
        let mut builder = Request::builder().uri(path);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(Body::empty()).expect("a request")
    }

    fn code(path: &str, headers: &[(&str, &str)]) -> Option<String> {
        let checked = check(&request(path, headers));
        checked.err().map(|error| error.code().as_str().to_owned())
    }

    fn signed(headers: &str) -> String {
        format!("AWS4-HMAC-SHA256 Credential={CREDENTIAL}, SignedHeaders={headers}, Signature=0f")
    }

    #[test]
    fn every_header_of_amazon_must_be_signed() {
        let usual = signed("host;x-amz-content-sha256;x-amz-date");
        let date = ("x-amz-date", "20260101T000000Z");
        assert_eq!(code("/b/k", &[("authorization", &usual), date]), None);
        for name in [
            "x-amz-acl",
            "x-amz-meta-a",
            "x-amz-copy-source",
            "X-Amz-Tagging",
        ] {
            let refused = code("/b/k", &[("authorization", &usual), date, (name, "x")]);
            assert_eq!(refused.as_deref(), Some("AccessDenied"), "{name}");
        }
        let presigned = format!(
            "/b/k?X-Amz-Credential={CREDENTIAL}&X-Amz-SignedHeaders=host%3Bx-amz-acl&X-Amz-Expires=60&X-Amz-Signature=0f"
        );
        assert_eq!(code(&presigned, &[("x-amz-acl", "private")]), None);
        let refused = code(&presigned, &[("x-amz-copy-source", "/other/k")]);
        assert_eq!(refused.as_deref(), Some("AccessDenied"));
        for seconds in ["-1", "0", "604801", "", "x"] {
            let other = presigned.replace("=60&", &format!("={seconds}&"));
            let refused = code(&other, &[("x-amz-acl", "private")]);
            assert_eq!(
                refused.as_deref(),
                Some("AuthorizationQueryParametersError"),
                "{seconds}"
            );
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        let usual = signed("host;x-amz-date");
        let twice = signed("host;x-amz-date, SignedHeaders=host;x-amz-acl");
        let hostless = signed("x-amz-date");
        let other = usual.replace("/s3/", "/sts/");
        for (path, headers, expected) in [
            (
                "/b/k",
                vec![usual.as_str(), usual.as_str()],
                "InvalidArgument",
            ),
            (
                "/b/k?X-Amz-Signature=0f",
                vec![usual.as_str()],
                "InvalidArgument",
            ),
            (
                "/b/k?%58-Amz-Signature=0f",
                vec![],
                "AuthorizationQueryParametersError",
            ),
            (
                "/b/k?Signature=0f&AWSAccessKeyId=a",
                vec![],
                "AuthorizationQueryParametersError",
            ),
            ("/b/k", vec!["AWS LSHA:0f"], "InvalidRequest"),
            ("/b/k", vec!["Bearer x"], "InvalidArgument"),
            (
                "/b/k",
                vec!["AWS4-HMAC-SHA256 Signature=0f"],
                "InvalidArgument",
            ),
            ("/b/k", vec![twice.as_str()], "InvalidArgument"),
            ("/b/k", vec![hostless.as_str()], "AccessDenied"),
            ("/b/k", vec![other.as_str()], "AuthorizationHeaderMalformed"),
            (
                "/b/k?response-content-type=text/html",
                vec![],
                "InvalidRequest",
            ),
        ] {
            let headers: Vec<_> = headers
                .iter()
                .map(|value| ("authorization", *value))
                .collect();
            assert_eq!(
                code(path, &headers).as_deref(),
                Some(expected),
                "{path} {headers:?}"
            );
        }
        assert_eq!(code("/b/k", &[]), None);
        let old = "/b/k?Signature=0f&AWSAccessKeyId=a&Expires=1&versionId=x";
        assert_eq!(code(old, &[]), None);
        for region in ["US", "", "EU_1"] {
            let other = usual.replace("us-east-1", region);
            let refused = code("/b/k", &[("authorization", &other)]);
            assert_eq!(
                refused.as_deref(),
                Some("AuthorizationHeaderMalformed"),
                "{region}"
            );
        }
    }

    #[test]
    fn a_form_is_refused_before_it_is_read() {
        let mut form = request("/b", &[("content-type", "Multipart/Form-Data; boundary=x")]);
        *form.method_mut() = Method::POST;
        let refused = check(&form).expect_err("refused");
        assert_eq!(refused.code().as_str(), "NotImplemented");
    }
}
