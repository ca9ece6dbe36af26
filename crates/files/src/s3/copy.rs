//! CopyObject, and where the source of a copy is.

use super::error::Fault;
use super::get::{Conditions, time};
use super::put::{headers, metadata, refuse_what_is_not_kept};
use super::{Service, give_way, path, tagging, versions};
use crate::Error;
use crate::bucket::Bucket;
use crate::change::Description;
use crate::expect::{Expect, Tags};
use crate::file::File;
use crate::permit::{Permission, Writer};
use access::Caller;
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName};
use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, ETag, MetadataDirective,
    TaggingDirective,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};
use std::sync::Arc;

/// The file that a copy is made of, once it is known that this caller may read it.
pub(super) async fn source(
    service: &Service,
    caller: &Caller,
    source: &CopySource,
) -> Fault<(Arc<Bucket>, File)> {
    let CopySource::Bucket {
        bucket,
        key,
        version_id,
    } = source
    else {
        return Err(s3_error!(
            InvalidArgument,
            "The source of a copy is written `bucket/key`."
        ));
    };
    let path = path(key)?;
    let bucket = service
        .permitted(Some(caller), bucket, path.as_str(), Permission::Read)
        .await?;
    let file = versions::find(service, Some(caller), &bucket, &path, version_id.as_deref()).await?;
    Ok((bucket, file))
}

pub(super) async fn copy_object(
    service: &Service,
    request: S3Request<CopyObjectInput>,
) -> S3Result<S3Response<CopyObjectOutput>> {
    let caller = service.someone(&request).await?;
    let input = request.input;
    refuse_what_is_not_kept(&request.headers)?;
    let expect = expected(&request.headers)?;
    let to = path(&input.key)?;
    let bucket = service
        .permitted(Some(&caller), &input.bucket, to.as_str(), Permission::Write)
        .await?;
    let (from_bucket, from) = source(service, &caller, &input.copy_source).await?;
    Conditions {
        if_match: input.copy_source_if_match,
        if_none_match: input.copy_source_if_none_match,
        modified_since: input.copy_source_if_modified_since,
        unmodified_since: input.copy_source_if_unmodified_since,
    }
    .check_source(&from)?;
    let directive = input.metadata_directive.as_ref();
    let replace = directive.is_some_and(|word| word.as_str() == MetadataDirective::REPLACE);
    let tags = input.tagging_directive.as_ref();
    let retag = tags.is_some_and(|word| word.as_str() == TaggingDirective::REPLACE);
    let itself = from_bucket.id == bucket.id && from.path == to;
    if itself && !replace && !retag && is_current(service, &bucket, &from).await? {
        return Err(s3_error!(
            InvalidRequest,
            "This copy of a file onto itself would change nothing; replace its metadata or its tags."
        ));
    }
    let mut description = Description::default();
    if replace {
        description.media_type = input.content_type;
        description.metadata = Some(metadata(input.metadata));
        description.headers = Some(headers(
            input.cache_control,
            input.content_disposition,
            input.content_encoding,
            input.content_language,
        ));
    }
    if retag {
        description.tags = Some(tagging::parse(input.tagging.as_deref())?);
    }
    let by = Writer::from(&caller);
    give_way(&request.extensions, &from_bucket);
    give_way(&request.extensions, &bucket);
    let file = service
        .files
        .copy_of(from, (&bucket, &to), &expect, description, &by)
        .await?;
    Ok(S3Response::new(CopyObjectOutput {
        version_id: bucket.versions.then(|| file.id.to_string()),
        copy_object_result: Some(CopyObjectResult {
            last_modified: Some(time(file.modified_at)),
            e_tag: Some(ETag::Strong(file.etag)),
            ..CopyObjectResult::default()
        }),
        ..CopyObjectOutput::default()
    }))
}

/// What must be where the copy goes: of this verb the library does not read it.
fn expected(headers: &HeaderMap) -> Fault<Expect> {
    let tags = |name: &HeaderName, weak: bool| -> Fault<Option<Tags>> {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => match value.to_str() {
                Ok(text) => Ok(Some(Tags::parse(text, weak))),
                Err(_) => Err(s3_error!(InvalidArgument, "{} cannot be read.", name)),
            },
            (Some(_), Some(_)) => Err(s3_error!(
                InvalidArgument,
                "{} was sent twice; send it once.",
                name
            )),
        }
    };
    Ok(Expect {
        matches: tags(&IF_MATCH, false)?,
        none_matches: tags(&IF_NONE_MATCH, true)?,
        ..Expect::default()
    })
}

/// Whether the bytes of a file are what lies at its path now: of a version of what was deleted,
/// nothing does.
async fn is_current(service: &Service, bucket: &Bucket, file: &File) -> Fault<bool> {
    match service.files.file(bucket, &file.path).await {
        Ok(current) => Ok(current.blob == file.blob && current.object == file.object),
        Err(Error::NoFile(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
