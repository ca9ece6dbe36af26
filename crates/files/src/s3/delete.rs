//! DeleteObject and DeleteObjects.

use super::error::Fault;
use super::put::condition;
use super::{Service, give_way, path, versions};
use crate::Error;
use crate::bucket::Bucket;
use crate::expect::Expect;
use crate::permit::Permission;
use access::Caller;
use s3s::dto::{
    self, DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput,
    DeletedObject,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

/// Keys deleted by one request.
const MOST: usize = 1000;

pub(super) async fn delete_object(
    service: &Service,
    request: S3Request<DeleteObjectInput>,
) -> S3Result<S3Response<DeleteObjectOutput>> {
    let caller = service.someone(&request).await?;
    let input = request.input;
    let bucket = service.bucket(&input.bucket)?;
    refuse_other_conditions(
        input.if_match_size.is_some() || input.if_match_last_modified_time.is_some(),
    )?;
    let expect = Expect {
        matches: input.if_match.map(condition),
        ..Expect::default()
    };
    let version = input.version_id.as_deref();
    give_way(&request.extensions, &bucket);
    delete(service, &caller, &bucket, &input.key, version, &expect).await?;
    Ok(S3Response::new(DeleteObjectOutput {
        version_id: input.version_id,
        ..DeleteObjectOutput::default()
    }))
}

pub(super) async fn delete_objects(
    service: &Service,
    request: S3Request<DeleteObjectsInput>,
) -> S3Result<S3Response<DeleteObjectsOutput>> {
    let caller = service.someone(&request).await?;
    let input = request.input;
    let bucket = service.bucket(&input.bucket)?;
    let objects = input.delete.objects;
    if objects.is_empty() || objects.len() > MOST {
        return Err(s3_error!(
            MalformedXML,
            "One request deletes 1 to 1000 keys; send several."
        ));
    }
    give_way(&request.extensions, &bucket);
    let quiet = input.delete.quiet.unwrap_or(false);
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for object in objects {
        let expect = Expect {
            matches: object
                .e_tag
                .map(|tag| crate::Tags::These(vec![tag.into_value()])),
            ..Expect::default()
        };
        let version = object.version_id.as_deref();
        let other = object.size.is_some() || object.last_modified_time.is_some();
        let outcome = match refuse_other_conditions(other) {
            Ok(()) => delete(service, &caller, &bucket, &object.key, version, &expect).await,
            refused => refused,
        };
        match outcome {
            Ok(()) if quiet => {}
            Ok(()) => deleted.push(DeletedObject {
                key: Some(object.key),
                version_id: object.version_id,
                ..DeletedObject::default()
            }),
            Err(error) => errors.push(dto::Error {
                code: Some(error.code().as_str().to_owned()),
                message: error.message().map(str::to_owned),
                key: Some(object.key),
                version_id: object.version_id,
            }),
        }
    }
    let some = |list: Vec<DeletedObject>| (!list.is_empty()).then_some(list);
    Ok(S3Response::new(DeleteObjectsOutput {
        deleted: some(deleted),
        errors: (!errors.is_empty()).then_some(errors),
        ..DeleteObjectsOutput::default()
    }))
}

/// Of conditions, tags are looked at: a file of another size or time must not be taken for the
/// one that was meant.
fn refuse_other_conditions(are_there: bool) -> Fault<()> {
    if are_there {
        return Err(s3_error!(
            NotImplemented,
            "Sizes and times are no conditions here; say If-Match."
        ));
    }
    Ok(())
}

/// Deletes what is at a key; what is not there is as good as deleted.
async fn delete(
    service: &Service,
    caller: &Caller,
    bucket: &Bucket,
    key: &str,
    version: Option<&str>,
    expect: &Expect,
) -> Fault<()> {
    let path = path(key)?;
    let files = &service.files;
    files
        .permit(Some(caller), bucket, path.as_str(), Permission::Delete)
        .await?;
    let outcome = match version {
        Some(version) => {
            return versions::remove(service, caller, bucket, &path, version, expect).await;
        }
        None => files.delete(bucket, &path, expect, &caller.actor()).await,
    };
    match outcome {
        Ok(_) | Err(Error::NoFile(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
