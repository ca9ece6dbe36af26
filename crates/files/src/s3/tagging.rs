//! GetObjectTagging, PutObjectTagging and DeleteObjectTagging. What is said of an older version
//! stays as it is.

use super::error::Fault;
use super::{Service, path, versions};
use crate::change::Description;
use crate::expect::Expect;
use crate::file::TagSet;
use crate::permit::Permission;
use access::Caller;
use s3s::dto::{
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetObjectTaggingInput,
    GetObjectTaggingOutput, PutObjectTaggingInput, PutObjectTaggingOutput, Tag,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

/// The tags of a header, written as a form is: `a=1&b=2`.
pub(super) fn parse(header: Option<&str>) -> Fault<TagSet> {
    let mut tags = TagSet::new();
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        let decoded = percent_encoding::percent_decode_str(&text).decode_utf8();
        decoded
            .map(std::borrow::Cow::into_owned)
            .map_err(|_| s3_error!(InvalidTag, "Tags are UTF-8."))
    };
    let pairs = header.unwrap_or_default().split('&');
    for pair in pairs.filter(|pair| !pair.is_empty()) {
        let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
        put(&mut tags, decode(name)?, decode(text)?)?;
    }
    Ok(tags)
}

fn put(tags: &mut TagSet, name: String, text: String) -> Fault<()> {
    match tags.insert(name, text) {
        None => Ok(()),
        Some(_) => Err(s3_error!(InvalidTag, "Two tags have the same name.")),
    }
}

pub(super) async fn get_object_tagging(
    service: &Service,
    request: S3Request<GetObjectTaggingInput>,
) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    let caller = service.someone(&request).await?;
    let input = request.input;
    let path = path(&input.key)?;
    let bucket = service
        .permitted(
            Some(&caller),
            &input.bucket,
            path.as_str(),
            Permission::Read,
        )
        .await?;
    let version = input.version_id.as_deref();
    let file = versions::find(service, Some(&caller), &bucket, &path, version).await?;
    let version_id = bucket.versions.then(|| file.id.to_string());
    let tags = file.tags.into_iter().map(|(name, text)| Tag {
        key: Some(name),
        value: Some(text),
    });
    Ok(S3Response::new(GetObjectTaggingOutput {
        tag_set: tags.collect(),
        version_id,
    }))
}

pub(super) async fn put_object_tagging(
    service: &Service,
    request: S3Request<PutObjectTaggingInput>,
) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    let caller = service.someone(&request).await?;
    let input = request.input;
    let mut tags = TagSet::new();
    for tag in input.tagging.tag_set {
        let name = tag.key.unwrap_or_default();
        put(&mut tags, name, tag.value.unwrap_or_default())?;
    }
    let version = input.version_id.as_deref();
    let place = (input.bucket.as_str(), input.key.as_str());
    let version_id = set(service, &caller, place, version, tags).await?;
    Ok(S3Response::new(PutObjectTaggingOutput { version_id }))
}

pub(super) async fn delete_object_tagging(
    service: &Service,
    request: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
    let caller = service.someone(&request).await?;
    let input = request.input;
    let version = input.version_id.as_deref();
    let place = (input.bucket.as_str(), input.key.as_str());
    let version_id = set(service, &caller, place, version, TagSet::new()).await?;
    Ok(S3Response::new(DeleteObjectTaggingOutput { version_id }))
}

/// Gives the current file of a key other tags, where it is the version that is meant; which
/// that is.
async fn set(
    service: &Service,
    caller: &Caller,
    (bucket, key): (&str, &str),
    version: Option<&str>,
    tags: TagSet,
) -> Fault<Option<String>> {
    let path = path(key)?;
    let bucket = service
        .permitted(Some(caller), bucket, path.as_str(), Permission::Write)
        .await?;
    let description = Description {
        tags: Some(tags),
        ..Description::default()
    };
    let files = &service.files;
    let mut expect = Expect::default();
    if version.is_some() {
        let meant = versions::find(service, Some(caller), &bucket, &path, version).await?;
        if !versions::lies_there(files, &bucket, &meant).await? {
            return Err(s3_error!(
                NotImplemented,
                "The tags of an older version stay as they are; leave the version out to change those of the current one."
            ));
        }
        expect = Expect::content(meant.id);
    }
    let file = files
        .describe(&bucket, &path, &expect, description, &caller.actor())
        .await?;
    Ok(bucket.versions.then(|| file.id.to_string()))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn tags_are_read_as_a_form_is() {
        let tags = parse(Some("a=1&b%20c=d%2Be+f&g")).expect("tags");
        let pairs: Vec<_> = tags.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(pairs, [("a", "1"), ("b c", "d+e f"), ("g", "")]);
        assert!(parse(Some("a=1&a=2")).is_err());
        assert!(parse(Some("%FF=1")).is_err());
        assert!(parse(None).expect("none").is_empty());
    }
}
