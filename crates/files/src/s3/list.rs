//! ListObjects and ListObjectsV2.

use super::Service;
use super::error::Fault;
use super::get::{signed, time};
use crate::bucket::Bucket;
use crate::file::File;
use crate::list::Entry;
use crate::path::encode;
use crate::permit::Permission;
use data_encoding::BASE64URL_NOPAD;
use s3s::dto::{
    CommonPrefix, ETag, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input,
    ListObjectsV2Output, Object, ObjectStorageClass, Owner,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

/// Entries of a page, unless fewer are wanted.
const MOST: usize = 1000;

/// How many entries a page has.
pub(super) fn most(wanted: Option<i32>) -> Fault<usize> {
    match wanted.map(usize::try_from) {
        None => Ok(MOST),
        Some(Ok(wanted)) => Ok(wanted.min(MOST)),
        Some(Err(_)) => Err(s3_error!(
            InvalidArgument,
            "A number of entries is not negative."
        )),
    }
}

/// A key as it is written: escaped, where that was asked for, which lets every character
/// through XML.
pub(super) fn encoded(key: &str, encoding: Option<&EncodingType>) -> String {
    match encoding {
        Some(encoding) if encoding.as_str() == EncodingType::URL => encode(key),
        _ => key.to_owned(),
    }
}

/// Who owns all that there is: clients want one.
pub(super) fn owner() -> Owner {
    Owner {
        display_name: Some("longshore".to_owned()),
        id: Some("longshore".to_owned()),
    }
}

/// A page of a list.
struct Found {
    files: Vec<File>,
    folders: Vec<String>,
    /// The last entry, where there are more.
    next: Option<String>,
}

impl Found {
    async fn of(
        service: &Service,
        bucket: &Bucket,
        prefix: &str,
        delimiter: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Fault<Self> {
        let mut found = Self {
            files: Vec::new(),
            folders: Vec::new(),
            next: None,
        };
        if limit == 0 {
            return Ok(found);
        }
        let files = &service.files;
        let mut entries = files
            .keys(bucket, prefix, delimiter, after, limit + 1)
            .await?;
        if entries.len() > limit {
            entries.truncate(limit);
            found.next = entries.last().map(|entry| entry.key().to_owned());
        }
        for entry in entries {
            match entry {
                Entry::File(file) => found.files.push(*file),
                Entry::Folder(folder) => found.folders.push(folder),
            }
        }
        Ok(found)
    }

    fn contents(&self, encoding: Option<&EncodingType>, with_owner: bool) -> Option<Vec<Object>> {
        let object = |file: &File| Object {
            key: Some(encoded(file.path.as_str(), encoding)),
            last_modified: Some(time(file.modified_at)),
            e_tag: Some(ETag::Strong(file.etag.clone())),
            size: Some(signed(file.size)),
            storage_class: Some(ObjectStorageClass::from_static(
                ObjectStorageClass::STANDARD,
            )),
            owner: with_owner.then(owner),
            ..Object::default()
        };
        let objects: Vec<Object> = self.files.iter().map(object).collect();
        (!objects.is_empty()).then_some(objects)
    }

    fn common_prefixes(&self, encoding: Option<&EncodingType>) -> Option<Vec<CommonPrefix>> {
        common_prefixes(self.folders.iter().map(String::as_str), encoding)
    }
}

/// Folders as they are written; nothing where there are none.
pub(super) fn common_prefixes<'a>(
    folders: impl Iterator<Item = &'a str>,
    encoding: Option<&EncodingType>,
) -> Option<Vec<CommonPrefix>> {
    let prefix = |folder: &str| CommonPrefix {
        prefix: Some(encoded(folder, encoding)),
    };
    let prefixes: Vec<CommonPrefix> = folders.map(prefix).collect();
    (!prefixes.is_empty()).then_some(prefixes)
}

pub(super) fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// A number, as the library has it.
fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

pub(super) async fn list_objects(
    service: &Service,
    request: S3Request<ListObjectsInput>,
) -> S3Result<S3Response<ListObjectsOutput>> {
    let caller = service.someone(&request).await?;
    let input = request.input;
    let prefix = input.prefix.unwrap_or_default();
    let bucket = service
        .permitted(Some(&caller), &input.bucket, &prefix, Permission::List)
        .await?;
    let (delimiter, marker) = (filled(input.delimiter), filled(input.marker));
    let limit = most(input.max_keys)?;
    let (by, after) = (delimiter.as_deref(), marker.as_deref());
    let found = Found::of(service, &bucket, &prefix, by, after, limit).await?;
    let encoding = input.encoding_type.as_ref();
    Ok(S3Response::new(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(encoded(&prefix, encoding)),
        marker: Some(encoded(after.unwrap_or_default(), encoding)),
        max_keys: Some(number(limit)),
        is_truncated: Some(found.next.is_some()),
        contents: found.contents(encoding, true),
        common_prefixes: found.common_prefixes(encoding),
        next_marker: found.next.as_ref().map(|next| encoded(next, encoding)),
        delimiter: delimiter.map(|delimiter| encoded(&delimiter, encoding)),
        encoding_type: input.encoding_type,
        ..ListObjectsOutput::default()
    }))
}

pub(super) async fn list_objects_v2(
    service: &Service,
    request: S3Request<ListObjectsV2Input>,
) -> S3Result<S3Response<ListObjectsV2Output>> {
    let caller = service.someone(&request).await?;
    let input = request.input;
    let prefix = input.prefix.unwrap_or_default();
    let bucket = service
        .permitted(Some(&caller), &input.bucket, &prefix, Permission::List)
        .await?;
    let delimiter = filled(input.delimiter);
    let limit = most(input.max_keys)?;
    let token = filled(input.continuation_token);
    let start_after = filled(input.start_after);
    let after = match &token {
        Some(token) => Some(place(token)?),
        None => start_after.clone(),
    };
    let (by, after) = (delimiter.as_deref(), after.as_deref());
    let found = Found::of(service, &bucket, &prefix, by, after, limit).await?;
    let encoding = input.encoding_type.as_ref();
    Ok(S3Response::new(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(encoded(&prefix, encoding)),
        max_keys: Some(number(limit)),
        key_count: Some(number(found.files.len() + found.folders.len())),
        is_truncated: Some(found.next.is_some()),
        contents: found.contents(encoding, input.fetch_owner.unwrap_or(false)),
        common_prefixes: found.common_prefixes(encoding),
        continuation_token: token,
        next_continuation_token: found
            .next
            .map(|next| BASE64URL_NOPAD.encode(next.as_bytes())),
        start_after: start_after.map(|after| encoded(&after, encoding)),
        delimiter: delimiter.map(|delimiter| encoded(&delimiter, encoding)),
        encoding_type: input.encoding_type,
        ..ListObjectsV2Output::default()
    }))
}

/// Where the page before ended.
fn place(token: &str) -> Fault<String> {
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| {
            s3_error!(
                InvalidArgument,
                "The continuation token is none that was given out."
            )
        })
}
