//! The address of a request, read before the library does: of what cannot be one it says a
//! word alone, and whoever sent it is not told what to do.

use super::error::Fault;
use super::host::Hosts;
use super::old::bucket_of_host;
use crate::path::{FilePath, InvalidPath};
use crate::{BucketName, Error};
use axum::extract::Request;
use s3s::s3_error;

/// Refuses what names neither a bucket nor a key.
pub(super) fn check(hosts: &Hosts, request: &Request) -> Fault<()> {
    let encoded = percent_encoding::percent_decode_str(request.uri().path());
    let decoded = encoded.decode_utf8().map_err(|_| {
        s3_error!(
            InvalidURI,
            "A key is UTF-8, and this one is not; encode the bytes of its UTF-8 in the address."
        )
    })?;
    let path = decoded.strip_prefix('/').unwrap_or_default();
    let key = if bucket_of_host(hosts, request).is_some() {
        path
    } else {
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        if !path.is_empty() && bucket.parse::<BucketName>().is_err() {
            return Err(Error::BucketName.into());
        }
        key
    };
    if key.len() > FilePath::MAX {
        return Err(Error::Path(InvalidPath::Long(key.len())).into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn code(host: &str, path: &str) -> Option<String> {
        let request = Request::builder().uri(path).header("host", host);
        let request = request.body(Body::empty()).expect("a request");
        let refused = check(&Hosts(None), &request).err()?;
        let message = refused.message().unwrap_or_default();
        assert!(message.ends_with('.'), "it says what to do: {message}");
        Some(refused.code().as_str().to_owned())
    }

    #[test]
    fn what_names_neither_a_bucket_nor_a_key_is_refused_in_words() {
        let (whole, long) = ("%C3%A4".repeat(512), "a".repeat(1025));
        for (path, expected) in [
            ("/", None),
            ("/files", None),
            ("/files/", None),
            ("/files//a%2Fb", None),
            (&format!("/files/{whole}"), None),
            (&format!("/files/{long}"), Some("KeyTooLongError")),
            ("/files/%FF", Some("InvalidURI")),
            ("/Not_A_Bucket/a", Some("InvalidBucketName")),
            ("//a", Some("InvalidBucketName")),
        ] {
            assert_eq!(code("127.0.0.1:8012", path).as_deref(), expected, "{path}");
        }
        // Where the host says the bucket, all of the path is the key.
        let host = "files.localhost:8012";
        assert_eq!(code(host, "/Not_A_Bucket/a"), None);
        let refused = code(host, &format!("/{long}"));
        assert_eq!(refused.as_deref(), Some("KeyTooLongError"));
    }
}
