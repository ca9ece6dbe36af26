//! Contents of the past: ListObjectVersions, and the version that a request names.
//!
//! A version is named by the id of its content. Of what was deleted there is no marker:
//! it is a version that is not the latest, where the bucket keeps versions. What is in the trash
//! is no version. Whatever a verb needs to look at a file, of an older version it also needs the
//! right to list: what everybody may read is not what was taken away.

mod lines;

use super::Service;
use super::error::Fault;
use super::get::{signed, time};
use super::list::{common_prefixes, encoded, filled, most};
use crate::bucket::Bucket;
use crate::expect::Expect;
use crate::file::File;
use crate::path::FilePath;
use crate::permit::Permission;
use crate::remembered::Content;
use crate::{Error, Files};
use access::{Caller, Doer};
use base::FileId;
use lines::{Asked, Line};
use s3s::dto::{
    ETag, EncodingType, ListObjectVersionsInput, ListObjectVersionsOutput, ObjectVersion,
    ObjectVersionStorageClass,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};
use std::sync::Arc;

/// How a version is called where a bucket keeps none.
const NULL: &str = "null";

fn id(version: &str) -> Fault<FileId> {
    version
        .parse()
        .map_err(|_| s3_error!(NoSuchVersion, "There is no such version."))
}

/// The version of a file that was asked for; the current one without. Whether the caller may
/// do with the current one what it is about to do has been asked already.
pub(super) async fn find(
    service: &Service,
    caller: Option<&Caller>,
    bucket: &Bucket,
    path: &FilePath,
    version: Option<&str>,
) -> Fault<File> {
    let files = &service.files;
    let id = match version {
        None | Some(NULL | "") => return Ok(files.file(bucket, path).await?),
        Some(version) => id(version)?,
    };
    if let Some(file) = files.current_version(bucket, path, id).await? {
        return Ok(file);
    }
    // Asked before it is looked for, so that nobody else learns whether it is there.
    files
        .permit(caller, bucket, path.as_str(), Permission::List)
        .await?;
    Ok(files.older_version(bucket, path, id).await?)
}

/// The same with its content.
pub(super) async fn content(
    service: &Service,
    caller: Option<&Caller>,
    bucket: &Bucket,
    path: &FilePath,
    version: Option<&str>,
) -> Fault<(File, Content)> {
    match version {
        None | Some(NULL | "") => {
            let (file, content) = service.files.file_and_content(bucket, path).await?;
            Ok((Arc::unwrap_or_clone(file), content))
        }
        Some(_) => {
            let file = find(service, caller, bucket, path, version).await?;
            let blob = service.files.content(&file).await?;
            Ok((file, blob))
        }
    }
}

/// Removes a version for good, if it is what is expected. One that is not there is as good as
/// removed, except for who says what it must be.
pub(super) async fn remove(
    service: &Service,
    caller: &Caller,
    bucket: &Bucket,
    path: &FilePath,
    version: &str,
    expect: &Expect,
) -> Fault<()> {
    let files = &service.files;
    let is_not_there = |error: Error| {
        if expect.is_nothing() {
            return Ok(());
        }
        Err(error.into())
    };
    let id = match version {
        // Whatever lies there when its turn comes.
        NULL => match files.delete(bucket, path, expect, &caller.actor()).await {
            Ok(file) => file.id,
            Err(error @ Error::NoFile(_)) => return is_not_there(error),
            Err(error) => return Err(error.into()),
        },
        version => {
            let Ok(id) = version.parse() else {
                return is_not_there(Error::NothingToRestore);
            };
            let file = match files.current_version(bucket, path, id).await? {
                Some(file) => file,
                None => match files.older_version(bucket, path, id).await {
                    Ok(file) => file,
                    Err(error @ Error::NothingToRestore) => return is_not_there(error),
                    Err(error) => return Err(error.into()),
                },
            };
            expect.check(Some(&file))?;
            if lies_there(files, bucket, &file).await? {
                let seen = Expect::content(id);
                match files.delete(bucket, path, &seen, &caller.actor()).await {
                    // What was put there meanwhile stays, and has made this one of the past.
                    Ok(_) | Err(Error::NoFile(_) | Error::Precondition) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            id
        }
    };
    if bucket.versions {
        files.purge_by(&Doer::from(caller), bucket, id).await?;
    }
    Ok(())
}

/// Whether a content is what lies at its path now.
pub(super) async fn lies_there(files: &Files, bucket: &Bucket, file: &File) -> Fault<bool> {
    match files.file(bucket, &file.path).await {
        Ok(current) => Ok(current.id == file.id),
        Err(Error::NoFile(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn list_object_versions(
    service: &Service,
    request: S3Request<ListObjectVersionsInput>,
) -> S3Result<S3Response<ListObjectVersionsOutput>> {
    let caller = service.someone(&request).await?;
    let input = request.input;
    let prefix = input.prefix.clone().unwrap_or_default();
    let bucket = service
        .permitted(Some(&caller), &input.bucket, &prefix, Permission::List)
        .await?;
    let limit = most(input.max_keys)?;
    let marker = input.key_marker.clone().filter(|marker| !marker.is_empty());
    let after = marker.as_ref().map(|key| {
        // Of each key the newest comes first: behind all of them there is nothing older.
        let behind = FileId::from(uuid::Uuid::nil());
        let after = match input.version_id_marker.as_deref() {
            // Behind the current content of the key, before those of its past.
            Some(NULL) => FileId::from(uuid::Uuid::max()),
            Some(version) => version.parse().unwrap_or(behind),
            None => behind,
        };
        (key.clone(), after)
    });
    let delimiter = filled(input.delimiter);
    let asked = Asked {
        bucket: &bucket,
        prefix: &prefix,
        delimiter: delimiter.as_deref(),
    };
    let mut lines = match limit {
        0 => Vec::new(),
        _ => asked.lines(&service.files, after, limit + 1).await?,
    };
    let truncated = lines.len() > limit;
    lines.truncate(limit);
    let last = lines.last().filter(|_| truncated);
    let url = input.encoding_type.as_ref();
    let folders = lines.iter().filter_map(|line| match line {
        Line::Folder(folder) => Some(folder.as_str()),
        Line::Version(..) => None,
    });
    let versions = lines.iter().filter_map(|line| match line {
        Line::Version(file, latest) => Some(version(&bucket, file, *latest, url)),
        Line::Folder(_) => None,
    });
    let output = ListObjectVersionsOutput {
        name: Some(input.bucket),
        prefix: Some(encoded(&prefix, url)),
        delimiter: delimiter.as_deref().map(|text| encoded(text, url)),
        key_marker: marker.map(|marker| encoded(&marker, url)),
        version_id_marker: input.version_id_marker,
        next_key_marker: last.map(|line| encoded(line.key(), url)),
        next_version_id_marker: last.and_then(|line| match line {
            Line::Version(_, true) => Some(NULL.to_owned()),
            Line::Version(file, false) => Some(file.id.to_string()),
            // Its key alone says what is behind it.
            Line::Folder(_) => None,
        }),
        is_truncated: Some(truncated),
        max_keys: Some(i32::try_from(limit).unwrap_or(i32::MAX)),
        encoding_type: input.encoding_type.clone(),
        common_prefixes: common_prefixes(folders, url),
        versions: Some(versions.collect()),
        ..ListObjectVersionsOutput::default()
    };
    Ok(S3Response::new(output))
}

/// A content as it stands in the list.
fn version(
    bucket: &Bucket,
    file: &File,
    is_latest: bool,
    encoding: Option<&EncodingType>,
) -> ObjectVersion {
    let id = if bucket.versions {
        file.id.to_string()
    } else {
        NULL.to_owned()
    };
    ObjectVersion {
        key: Some(encoded(file.path.as_str(), encoding)),
        version_id: Some(id),
        is_latest: Some(is_latest),
        last_modified: Some(time(file.modified_at)),
        e_tag: Some(ETag::Strong(file.etag.clone())),
        size: Some(signed(file.size)),
        storage_class: Some(ObjectVersionStorageClass::from_static(
            ObjectVersionStorageClass::STANDARD,
        )),
        ..ObjectVersion::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expect::Tags;
    use crate::permit::Writer;
    use crate::put::NewFile;
    use crate::remove::Heap;
    use access::{Proof, Role};
    use bytes::Bytes;

    async fn put(files: &Files, bucket: &Arc<Bucket>, content: &'static str) -> File {
        let by = Writer {
            actor: base::Actor::user("anna"),
            account: None,
        };
        let new = NewFile::at("a".parse().expect("a path"));
        let mut incoming = files.put(bucket, by, new).await.expect("begun");
        let content = Bytes::from_static(content.as_bytes());
        incoming.write(content).await.expect("written");
        incoming.finish().await.expect("put")
    }

    #[tokio::test]
    async fn what_is_not_removed_is_not_said_to_be() {
        testing::on_both(|database| async move {
            let folder = tempfile::tempdir().expect("a folder");
            let files = crate::store::tests::opened(&database, folder.path()).await;
            let service = Service {
                files: files.clone(),
            };
            let bucket = files.bucket(crate::DEFAULT_BUCKET).expect("it is there");
            let anna = Caller::for_test("anna", Role::Admin, Proof::Password);
            for _ in 0..10 {
                let one = put(&files, &bucket, "one").await;
                let seen = Expect {
                    matches: Some(Tags::These(vec![one.etag.clone()])),
                    ..Expect::default()
                };
                let removing = remove(&service, &anna, &bucket, &one.path, NULL, &seen);
                let (removed, _) = futures::join!(removing, put(&files, &bucket, "two"));
                let trash = files.past(&bucket, Heap::Trash, "", None, 100).await;
                let trash = trash.expect("listed");
                let lies_in_trash = trash.iter().any(|past| past.file.id == one.id);
                match removed {
                    Ok(()) => assert!(lies_in_trash),
                    Err(error) => {
                        assert_eq!(error.code().as_str(), "PreconditionFailed");
                        assert!(!lies_in_trash);
                    }
                }
            }
        })
        .await;
    }

    #[tokio::test]
    async fn a_database_that_does_not_answer_says_of_nothing_that_it_has_gone() {
        testing::on_sqlite(|database| async move {
            let folder = tempfile::tempdir().expect("a folder");
            let files = crate::store::tests::opened(&database, folder.path()).await;
            let bucket = files.bucket(crate::DEFAULT_BUCKET).expect("it is there");
            let one = put(&files, &bucket, "one").await;
            assert!(lies_there(&files, &bucket, &one).await.expect("asked"));
            files.stop().cancel();
            files.tasks().close();
            testing::within("the background to end", files.tasks().wait()).await;
            files.db().close().await;
            let unknown = lies_there(&files, &bucket, &one).await;
            assert_eq!(
                unknown.expect_err("unknown").code().as_str(),
                "InternalError"
            );
        })
        .await;
    }
}
