//! PutObject, and what of a request is kept with a file.

use super::error::Fault;
use super::sums::Sums;
use super::{Service, body, path, release, tagging};
use crate::expect::{Expect, Promised, Tags};
use crate::file::{Headers, Metadata};
use crate::permit::{Permission, Writer};
use crate::put::NewFile;
use data_encoding::BASE64;
use s3s::dto::{ETag, ETagCondition, PutObjectInput, PutObjectOutput};
use s3s::{S3Request, S3Response, S3Result, s3_error};

pub(super) async fn put_object(
    service: &Service,
    request: S3Request<PutObjectInput>,
) -> S3Result<S3Response<PutObjectOutput>> {
    let caller = service.someone(&request).await?;
    let input = request.input;
    refuse_what_is_not_kept(&request.headers)?;
    let path = path(&input.key)?;
    let bucket = service
        .permitted(
            Some(&caller),
            &input.bucket,
            path.as_str(),
            Permission::Write,
        )
        .await?;
    let new = NewFile {
        media_type: input.content_type,
        headers: headers(
            input.cache_control,
            input.content_disposition,
            input.content_encoding,
            input.content_language,
        ),
        metadata: metadata(input.metadata),
        tags: tagging::parse(input.tagging.as_deref())?,
        expect: Expect {
            matches: input.if_match.map(condition),
            none_matches: input.if_none_match.map(condition),
            ..Expect::default()
        },
        promised: promised(input.content_length, input.content_md5.as_deref())?,
        ..NewFile::at(path)
    };
    let mut incoming = service
        .files
        .put(&bucket, Writer::from(&caller), new)
        .await?;
    release(&request.extensions);
    let sums = Sums::said_in(&request.headers);
    let trailers = request.trailing_headers.as_ref();
    let sums = body::receive(input.body, trailers, sums, &mut incoming).await?;
    let file = incoming.finish().await?;
    Ok(S3Response::new(PutObjectOutput {
        e_tag: Some(ETag::Strong(file.etag.clone())),
        version_id: bucket.versions.then(|| file.id.to_string()),
        checksum_crc32: sums.checksum_crc32,
        checksum_crc32c: sums.checksum_crc32c,
        checksum_crc64nvme: sums.checksum_crc64nvme,
        checksum_sha1: sums.checksum_sha1,
        checksum_sha256: sums.checksum_sha256,
        ..PutObjectOutput::default()
    }))
}

/// What a client asks to be done with a content and is not: better refused than thought
/// to be done.
const NOT_KEPT: [(&str, &str); 5] = [
    ("x-amz-server-side-encryption", "Encryption"),
    ("x-amz-object-lock-", "Object lock"),
    ("x-amz-grant-", "A grant of an ACL"),
    ("x-amz-website-redirect-location", "A redirect"),
    ("x-amz-write-offset-bytes", "Appending"),
];

/// ACLs that say what holds anyway.
const USUAL_ACLS: [&str; 2] = ["private", "bucket-owner-full-control"];

pub(super) fn refuse_what_is_not_kept(headers: &http::HeaderMap) -> Fault<()> {
    for name in headers.keys() {
        let refused = NOT_KEPT
            .iter()
            .find(|(begins, _)| name.as_str().starts_with(begins));
        if let Some((_, what)) = refused {
            return Err(s3_error!(
                NotImplemented,
                "{} is not offered; leave the header {} out.",
                what,
                name
            ));
        }
    }
    let acl = headers
        .get("x-amz-acl")
        .and_then(|value| value.to_str().ok());
    if acl.is_some_and(|acl| !USUAL_ACLS.contains(&acl)) {
        return Err(s3_error!(
            AccessControlListNotSupported,
            "Buckets have no ACLs; who may do what is set at the bucket."
        ));
    }
    Ok(())
}

/// Headers that are answered with a file.
pub(super) fn headers(
    cache_control: Option<String>,
    content_disposition: Option<String>,
    content_encoding: Option<String>,
    content_language: Option<String>,
) -> Headers {
    // `aws-chunked` is how it was sent, and not what it is.
    let encoding = content_encoding.map(|text| {
        let codings = text.split(',').map(str::trim);
        let codings = codings.filter(|coding| !coding.eq_ignore_ascii_case("aws-chunked"));
        codings.collect::<Vec<_>>().join(", ")
    });
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    Headers {
        cache_control: some(cache_control),
        content_disposition: some(content_disposition),
        content_encoding: some(encoding),
        content_language: some(content_language),
    }
}

/// `x-amz-meta-*` as what is said of a file.
pub(super) fn metadata(given: Option<s3s::dto::Metadata>) -> Metadata {
    let given = given.unwrap_or_default().into_iter();
    given.map(|(name, text)| (name, text.into())).collect()
}

pub(super) fn condition(condition: ETagCondition) -> Tags {
    match condition {
        ETagCondition::Any => Tags::Any,
        ETagCondition::ETag(tag) => Tags::These(vec![tag.into_value()]),
    }
}

/// What a request promises of its content.
pub(super) fn promised(length: Option<i64>, md5: Option<&str>) -> Fault<Promised> {
    let length = match length.map(u64::try_from) {
        None => None,
        Some(Ok(length)) => Some(length),
        Some(Err(_)) => return Err(s3_error!(InvalidArgument, "A length is not negative.")),
    };
    let md5 = match md5 {
        None => None,
        Some(text) => {
            let bytes = BASE64.decode(text.trim().as_bytes()).ok();
            let exact = bytes.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
            Some(
                exact
                    .ok_or_else(|| s3_error!(InvalidDigest, "Content-MD5 is no MD5 in Base64."))?,
            )
        }
    };
    Ok(Promised {
        length,
        md5,
        ..Promised::default()
    })
}
