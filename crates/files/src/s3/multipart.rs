//! Files in parts: CreateMultipartUpload, UploadPart, UploadPartCopy,
//! CompleteMultipartUpload, AbortMultipartUpload, ListParts, ListMultipartUploads.

use super::copy::source;
use super::error::Fault;
use super::get::{Conditions, signed, time};
use super::list::{encoded, most, owner};
use super::put::{condition, headers, metadata, promised, refuse_what_is_not_kept};
use super::sums::Sums;
use super::{Service, body, path, release, tagging};
use crate::background::unless_over;
use crate::bucket::Bucket;
use crate::expect::{Expect, Promised};
use crate::parted::{MOST_PARTS, Parted};
use crate::permit::{Permission, Writer};
use crate::put::NewFile;
use access::Caller;
use base::PartedId;
use bytes::Bytes;
use futures::TryStreamExt;
use s3s::dto::{
    self, AbortMultipartUploadInput, AbortMultipartUploadOutput, CommonPrefix,
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CopyPartResult,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag, ListMultipartUploadsInput,
    ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput, MultipartUpload,
    UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// What takes longer is answered while it goes on, or clients and proxies between would
/// give up.
const AT_ONCE: Duration = Duration::from_secs(5);

/// The file in parts that a request names, once it is known that this caller may write.
async fn parted(
    service: &Service,
    caller: &Caller,
    bucket: &str,
    key: &str,
    id: &str,
) -> Fault<(Arc<Bucket>, Parted)> {
    let path = path(key)?;
    let bucket = service
        .permitted(Some(caller), bucket, path.as_str(), Permission::Write)
        .await?;
    let id: PartedId = id.parse().map_err(|_| crate::Error::NoParted)?;
    let parted = service.files.parted(&bucket, &path, id).await?;
    Ok((bucket, parted))
}

pub(super) async fn create(
    service: &Service,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
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
        ..NewFile::at(path)
    };
    let by = Writer::from(&caller);
    let parted = service.files.begin_parted(&bucket, &by, new).await?;
    Ok(S3Response::new(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(parted.id.to_string()),
        checksum_algorithm: input.checksum_algorithm,
        checksum_type: input.checksum_type,
        ..CreateMultipartUploadOutput::default()
    }))
}

fn number(number: i32) -> u64 {
    // A negative one is none that parts have.
    u64::try_from(number).unwrap_or(0)
}

pub(super) async fn upload_part(
    service: &Service,
    request: S3Request<UploadPartInput>,
) -> S3Result<S3Response<UploadPartOutput>> {
    let caller = service.someone(&request).await?;
    let input = request.input;
    refuse_what_is_not_kept(&request.headers)?;
    let (bucket, parted) = parted(
        service,
        &caller,
        &input.bucket,
        &input.key,
        &input.upload_id,
    )
    .await?;
    let promised = promised(input.content_length, input.content_md5.as_deref())?;
    let number = number(input.part_number);
    let files = &service.files;
    let mut incoming = files.put_part(&bucket, &parted, number, promised).await?;
    release(&request.extensions);
    let sums = Sums::said_in(&request.headers);
    let trailers = request.trailing_headers.as_ref();
    let sums = body::receive(input.body, trailers, sums, &mut incoming).await?;
    let part = incoming.finish().await?;
    Ok(S3Response::new(UploadPartOutput {
        e_tag: Some(ETag::Strong(part.md5)),
        checksum_crc32: sums.checksum_crc32,
        checksum_crc32c: sums.checksum_crc32c,
        checksum_crc64nvme: sums.checksum_crc64nvme,
        checksum_sha1: sums.checksum_sha1,
        checksum_sha256: sums.checksum_sha256,
        ..UploadPartOutput::default()
    }))
}

pub(super) async fn upload_part_copy(
    service: &Service,
    request: S3Request<UploadPartCopyInput>,
) -> S3Result<S3Response<UploadPartCopyOutput>> {
    let caller = service.someone(&request).await?;
    let input = request.input;
    let (bucket, parted) = parted(
        service,
        &caller,
        &input.bucket,
        &input.key,
        &input.upload_id,
    )
    .await?;
    let (_, from) = source(service, &caller, &input.copy_source).await?;
    Conditions {
        if_match: input.copy_source_if_match,
        if_none_match: input.copy_source_if_none_match,
        modified_since: input.copy_source_if_modified_since,
        unmodified_since: input.copy_source_if_unmodified_since,
    }
    .check_source(&from)?;
    let range = source_range(input.copy_source_range.as_deref(), from.size)?;
    let promised = Promised {
        length: Some(range.end - range.start),
        ..Promised::default()
    };
    let number = number(input.part_number);
    let files = &service.files;
    let blob = files.content(&from).await?;
    let mut incoming = files.put_part(&bucket, &parted, number, promised).await?;
    release(&request.extensions);
    let mut bytes = blob.stream(range);
    while let Some(bytes) = bytes.try_next().await.map_err(crate::Error::from)? {
        incoming.write(bytes).await?;
    }
    let part = incoming.finish().await?;
    Ok(S3Response::new(UploadPartCopyOutput {
        copy_part_result: Some(CopyPartResult {
            e_tag: Some(ETag::Strong(part.md5)),
            last_modified: Some(time(part.came_at)),
            ..CopyPartResult::default()
        }),
        ..UploadPartCopyOutput::default()
    }))
}

/// Which part of a source: `bytes=first-last`, both within it.
fn source_range(text: Option<&str>, size: u64) -> Fault<Range<u64>> {
    let Some(text) = text else {
        return Ok(0..size);
    };
    let parsed = dto::Range::parse(text).ok();
    match parsed {
        Some(dto::Range::Int {
            first,
            last: Some(last),
        }) if last < size => Ok(first..last + 1),
        _ => Err(s3_error!(
            InvalidArgument,
            "The range of a source is written bytes=first-last and lies within it."
        )),
    }
}

pub(super) async fn complete(
    service: &Service,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let caller = service.someone(&request).await?;
    let input = request.input;
    let (bucket, parted) = parted(
        service,
        &caller,
        &input.bucket,
        &input.key,
        &input.upload_id,
    )
    .await?;
    let parts = input.multipart_upload.and_then(|upload| upload.parts);
    let wanted: Vec<(u64, String)> = parts
        .unwrap_or_default()
        .into_iter()
        .map(|part| {
            let tag = part.e_tag.map(ETag::into_value);
            (part.part_number.map_or(0, number), tag.unwrap_or_default())
        })
        .collect();
    // A negative one is none that files have.
    let size = input.mpu_object_size;
    let size = size.map(|size| u64::try_from(size).unwrap_or(u64::MAX));
    let expect = Expect {
        matches: input.if_match.map(condition),
        none_matches: input.if_none_match.map(condition),
        ..Expect::default()
    };
    let by = Writer::from(&caller);
    release(&request.extensions);
    let mut sums = Some(Sums::of_whole(&request.headers));
    let files = service.files.clone();
    // Whoever stops waiting does not stop it.
    let work = async move {
        let watch = move |bytes: Option<&Bytes>| match (bytes, &mut sums) {
            (Some(bytes), Some(sums)) => {
                sums.update(bytes);
                Ok(())
            }
            (None, sums) => match sums.take().map(|sums| sums.compare(None)) {
                Some(Err(_)) => Err(crate::Error::Content("it has another checksum")),
                Some(Ok(_)) | None => Ok(()),
            },
            (Some(_), None) => Ok(()),
        };
        let file = files
            .complete_parted(&bucket, by, &parted, (&wanted, size), expect, watch)
            .await?;
        Ok(CompleteMultipartUploadOutput {
            location: Some(format!("/{}/{}", bucket.name, file.path.encode())),
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(ETag::Strong(file.etag.clone())),
            version_id: bucket.versions.then(|| file.id.to_string()),
            ..CompleteMultipartUploadOutput::default()
        })
    };
    let work = unless_over(service.files.stop(), work);
    let mut work = service.files.tasks().spawn(work);
    let gone = || {
        s3_error!(
            InternalError,
            "Longshore stopped meanwhile; complete it again."
        )
    };
    let output = match tokio::time::timeout(AT_ONCE, &mut work).await {
        Ok(ended) => ended.ok().flatten().ok_or_else(gone)??,
        // The answer begins, and goes on with spaces until the file is there.
        Err(_) => CompleteMultipartUploadOutput {
            future: Some(Box::pin(async move {
                work.await.ok().flatten().ok_or_else(gone)?
            })),
            ..CompleteMultipartUploadOutput::default()
        },
    };
    Ok(S3Response::new(output))
}

pub(super) async fn abort(
    service: &Service,
    request: S3Request<AbortMultipartUploadInput>,
) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
    let caller = service.someone(&request).await?;
    let input = request.input;
    if input.if_match_initiated_time.is_some() {
        return Err(s3_error!(
            NotImplemented,
            "A time is no condition here; the id of the upload says which is meant."
        ));
    }
    let (_, parted) = parted(
        service,
        &caller,
        &input.bucket,
        &input.key,
        &input.upload_id,
    )
    .await?;
    service.files.abort_parted(&parted).await?;
    Ok(S3Response::new(AbortMultipartUploadOutput::default()))
}

pub(super) async fn list_parts(
    service: &Service,
    request: S3Request<ListPartsInput>,
) -> S3Result<S3Response<ListPartsOutput>> {
    let caller = service.someone(&request).await?;
    let input = request.input;
    let (_, parted) = parted(
        service,
        &caller,
        &input.bucket,
        &input.key,
        &input.upload_id,
    )
    .await?;
    let limit = most(input.max_parts)?;
    let after = input.part_number_marker.map_or(0, number).min(MOST_PARTS);
    let mut parts = service.files.parts(&parted, after, limit + 1).await?;
    let truncated = parts.len() > limit;
    parts.truncate(limit);
    let as_number = |number: u64| i32::try_from(number).unwrap_or(i32::MAX);
    let last = parts.last().map(|part| as_number(part.number));
    Ok(S3Response::new(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        is_truncated: Some(truncated),
        max_parts: i32::try_from(limit).ok(),
        part_number_marker: Some(as_number(after)),
        next_part_number_marker: last.filter(|_| truncated),
        owner: Some(owner()),
        parts: Some(
            parts
                .into_iter()
                .map(|part| dto::Part {
                    part_number: Some(as_number(part.number)),
                    size: Some(signed(part.size)),
                    e_tag: Some(ETag::Strong(part.md5)),
                    last_modified: Some(time(part.came_at)),
                    ..dto::Part::default()
                })
                .collect(),
        ),
        ..ListPartsOutput::default()
    }))
}

pub(super) async fn list_uploads(
    service: &Service,
    request: S3Request<ListMultipartUploadsInput>,
) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
    let caller = service.someone(&request).await?;
    let input = request.input;
    let prefix = input.prefix.unwrap_or_default();
    let bucket = service
        .permitted(Some(&caller), &input.bucket, &prefix, Permission::List)
        .await?;
    let limit = most(input.max_uploads)?;
    let largest = PartedId::from(uuid::Uuid::max());
    let marker = input.key_marker.filter(|marker| !marker.is_empty());
    let after = marker.clone().map(|key| {
        let id = input.upload_id_marker.as_deref();
        (key, id.and_then(|id| id.parse().ok()).unwrap_or(largest))
    });
    let files = &service.files;
    let mut uploads = files
        .all_parted(&bucket, &prefix, after.as_ref(), limit + 1)
        .await?;
    let truncated = uploads.len() > limit;
    uploads.truncate(limit);
    let last = uploads.last().filter(|_| truncated).cloned();
    let encoding = input.encoding_type.as_ref();
    let delimiter = input.delimiter.filter(|text| !text.is_empty());
    let folder = |path: &str| {
        let rest = path.strip_prefix(&prefix)?;
        let delimiter = delimiter.as_deref()?;
        let at = rest.find(delimiter)?;
        Some(path[..prefix.len() + at + delimiter.len()].to_owned())
    };
    let mut folders: Vec<String> = Vec::new();
    let mut listed = Vec::new();
    for upload in uploads {
        match folder(upload.path.as_str()) {
            Some(folder) if folders.last() == Some(&folder) => {}
            Some(folder) => folders.push(folder),
            None => listed.push(MultipartUpload {
                key: Some(encoded(upload.path.as_str(), encoding)),
                upload_id: Some(upload.id.to_string()),
                initiated: Some(time(upload.begun_at)),
                owner: Some(owner()),
                ..MultipartUpload::default()
            }),
        }
    }
    let prefixes = folders.into_iter().map(|folder| CommonPrefix {
        prefix: Some(encoded(&folder, encoding)),
    });
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        prefix: Some(encoded(&prefix, encoding)),
        delimiter: delimiter.as_deref().map(|text| encoded(text, encoding)),
        key_marker: marker.map(|marker| encoded(&marker, encoding)),
        upload_id_marker: input.upload_id_marker,
        next_key_marker: last
            .as_ref()
            .map(|upload| encoded(upload.path.as_str(), encoding)),
        next_upload_id_marker: last.map(|upload| upload.id.to_string()),
        is_truncated: Some(truncated),
        max_uploads: i32::try_from(limit).ok(),
        common_prefixes: Some(prefixes.collect()),
        uploads: Some(listed),
        encoding_type: input.encoding_type,
        ..ListMultipartUploadsOutput::default()
    }))
}
