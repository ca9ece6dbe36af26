//! The signature of addresses that are presigned in version 2, compared in constant time.
//!
//! The library compares it as any text, which ends at the first difference: how long that
//! takes says how much of a guess is right. So it sees the right ones alone. What is signed
//! stands in the S3 guide, "Signing and authenticating REST requests".

use super::auth::refused;
use super::guard::{OLD_COVERED, Parameters};
use super::host::Hosts;
use access::Access;
use axum::extract::Request;
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName};
use s3s::host::S3Host;
use s3s::{S3Error, s3_error};
use secrecy::ExposeSecret;
use sha1::Sha1;

const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

/// What an address says that is presigned in version 2.
pub(super) struct Claim {
    key: String,
    text: String,
    signature: Vec<u8>,
}

impl Claim {
    /// Nothing where the request is signed in another way, or not at all. What the guard
    /// refuses must not come here.
    pub(super) fn read(hosts: &Hosts, request: &Request) -> Result<Option<Self>, S3Error> {
        let query = Parameters::of(request.uri());
        if !query.has("Signature") {
            return Ok(None);
        }
        // What is no Base64 is as good as another signature.
        let signature = query.only("Signature")?;
        Ok(Some(Self {
            key: query.only("AWSAccessKeyId")?,
            text: signed(hosts, request, &query)?,
            signature: BASE64.decode(signature.as_bytes()).unwrap_or_default(),
        }))
    }

    /// Refuses another signature than that of the key's secret.
    pub(super) async fn verify(&self, access: &Access) -> Result<(), S3Error> {
        let secret = access.access_key_secret(&self.key).await;
        let secret = secret.map_err(refused)?;
        let mac = <Hmac<Sha1> as KeyInit>::new_from_slice(secret.expose_secret().as_bytes());
        let mut mac = mac.map_err(|_| mismatch())?;
        mac.update(self.text.as_bytes());
        mac.verify_slice(&self.signature).map_err(|_| mismatch())
    }
}

fn mismatch() -> S3Error {
    s3_error!(
        SignatureDoesNotMatch,
        "The signature of this address is of another request, or of another secret."
    )
}

/// The text that is signed.
fn signed(hosts: &Hosts, request: &Request, query: &Parameters) -> Result<String, S3Error> {
    let headers = request.headers();
    let mut text = format!(
        "{}\n{}\n{}\n{}\n",
        request.method(),
        only(headers, &CONTENT_MD5)?,
        only(headers, &CONTENT_TYPE)?,
        query.only("Expires")?
    );
    let mut names: Vec<&HeaderName> = headers.keys().collect();
    names.retain(|name| name.as_str().starts_with("x-amz-"));
    names.sort_unstable_by_key(|name| name.as_str());
    for name in names {
        let values: Result<Vec<&str>, S3Error> = headers
            .get_all(name)
            .iter()
            .map(|value| value.to_str().map(str::trim).map_err(|_| mismatch()))
            .collect();
        text.push_str(&format!("{name}:{}\n", values?.join(",")));
    }
    if let Some(bucket) = bucket_of_host(hosts, request) {
        text.push('/');
        text.push_str(&bucket);
    }
    text.push_str(request.uri().path());
    let mut between = '?';
    for name in OLD_COVERED {
        if !query.has(name) {
            continue;
        }
        text.push(between);
        text.push_str(name);
        let value = query.only(name)?;
        if !value.is_empty() {
            text.push('=');
            text.push_str(&value);
        }
        between = '&';
    }
    Ok(text)
}

/// The one value of a header, or nothing.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, S3Error> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(""),
        (Some(value), None) => value.to_str().map_err(|_| mismatch()),
        _ => Err(mismatch()),
    }
}

/// The bucket that stands before the host's name.
pub(super) fn bucket_of_host(hosts: &Hosts, request: &Request) -> Option<String> {
    let header = request.headers().get(HOST);
    let host = match header {
        Some(value) => value.to_str().ok()?,
        None => request.uri().authority()?.as_str(),
    };
    let parsed = hosts.parse_host_header(host).ok()?;
    parsed.bucket().map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn text(host: &str, path: &str, headers: &[(&str, &str)]) -> String {
        let mut builder = Request::builder().uri(path).header("host", host);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let request = builder.body(Body::empty()).expect("a request");
        let hosts = Hosts(Some("s3.example.com".to_owned()));
        let query = Parameters::of(request.uri());
        signed(&hosts, &request, &query).expect("it can be read")
    }

    #[test]
    fn what_is_signed_is_what_the_guide_says() {
        let usual = "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=x&Expires=1175139620";
        let of_bucket = "GET\n\n\n1175139620\n/photos.of.mine/photos/puppy.jpg";
        let path = format!("/photos/puppy.jpg?{usual}");
        let host = "photos.of.mine.s3.example.com";
        assert_eq!(text(host, &path, &[]), of_bucket);
        let path = format!("/photos.of.mine/photos/puppy.jpg?{usual}");
        assert_eq!(text("s3.example.com", &path, &[]), of_bucket);
        let path = format!("/b/a%20b?{usual}&versionId=7&response-content-type=text%2Fx&acl");
        let headers = [
            ("content-type", "text/plain"),
            ("content-md5", "bWQ1"),
            ("x-amz-meta-b", " two "),
            ("x-amz-meta-a", "one"),
            ("x-amz-meta-b", "three"),
            ("date", "Tue, 27 Mar 2007 19:36:42 +0000"),
        ];
        assert_eq!(
            text("localhost", &path, &headers),
            "GET\nbWQ1\ntext/plain\n1175139620\nx-amz-meta-a:one\nx-amz-meta-b:two,three\n\
             /b/a%20b?acl&response-content-type=text/x&versionId=7"
        );
    }
}
