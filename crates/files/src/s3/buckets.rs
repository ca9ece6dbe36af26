//! Buckets: ListBuckets, CreateBucket, HeadBucket, DeleteBucket, and what clients ask of
//! one: its location, its versioning, its ACL.

use super::error::Fault;
use super::list::owner;
use super::{REGION, Service, versions};
use crate::bucket::{Bucket, BucketChange, NewBucket};
use crate::permit::Permission;
use crate::remove::Heap;
use crate::{Error, Files};
use access::{Caller, Doer, Role, Scope};
use s3s::dto::{
    self, BucketVersioningStatus, CreateBucketInput, CreateBucketOutput, DeleteBucketInput,
    DeleteBucketOutput, GetBucketAclInput, GetBucketAclOutput, GetBucketLocationInput,
    GetBucketLocationOutput, GetBucketVersioningInput, GetBucketVersioningOutput,
    GetObjectAclInput, GetObjectAclOutput, Grant, Grantee, HeadBucketInput, HeadBucketOutput,
    ListBucketsInput, ListBucketsOutput, PutBucketVersioningInput, PutBucketVersioningOutput, Type,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};
use std::time::{Duration, Instant};

/// Rows of the trash removed at once.
const BATCH: usize = 500;
/// How long a request empties a trash; after that it is asked again.
const EMPTYING: Duration = Duration::from_secs(20);

/// Whether this caller may do anything in a bucket, or in a part of it.
fn sees(service: &Service, caller: &Caller, bucket: &Bucket) -> bool {
    let files = &service.files;
    let mut all = Permission::ALL.into_iter();
    all.any(|permission| files.may(Some(caller), bucket, "", permission))
        || !files.within(caller, bucket).is_empty()
}

pub(super) async fn list_buckets(
    service: &Service,
    request: S3Request<ListBucketsInput>,
) -> S3Result<S3Response<ListBucketsOutput>> {
    let caller = service.someone(&request).await?;
    let prefix = request.input.prefix.unwrap_or_default();
    let mut buckets = Vec::new();
    for bucket in service.files.all_buckets() {
        if bucket.name.as_str().starts_with(&prefix) && sees(service, &caller, &bucket) {
            buckets.push(dto::Bucket {
                name: Some(bucket.name.to_string()),
                creation_date: Some(super::get::time(bucket.created_at)),
                bucket_region: None,
            });
        }
    }
    Ok(S3Response::new(ListBucketsOutput {
        buckets: Some(buckets),
        owner: Some(owner()),
        ..ListBucketsOutput::default()
    }))
}

/// Whether this caller may make and remove buckets.
fn may_make(service: &Service, caller: &Caller) -> Fault<()> {
    service.files.not_held(caller)?;
    if caller.may(Role::Operator, Scope::FilesWrite) {
        return Ok(());
    }
    Err(s3_error!(
        AccessDenied,
        "This needs the role operator and the scope files:write."
    ))
}

pub(super) async fn create_bucket(
    service: &Service,
    request: S3Request<CreateBucketInput>,
) -> S3Result<S3Response<CreateBucketOutput>> {
    let caller = service.someone(&request).await?;
    super::put::refuse_what_is_not_kept(&request.headers)?;
    may_make(service, &caller)?;
    let name = request.input.bucket;
    let new = NewBucket {
        name: name.clone(),
        storage: None,
        settings: BucketChange::default(),
    };
    match service.files.create_bucket(&Doer::from(&caller), new).await {
        Ok(_) => {}
        Err(Error::BucketExists(_)) => {
            let bucket = service.bucket(&name)?;
            return Err(if sees(service, &caller, &bucket) {
                s3_error!(BucketAlreadyOwnedByYou, "This bucket is there already.")
            } else {
                s3_error!(
                    BucketAlreadyExists,
                    "Choose another name; this one is taken."
                )
            });
        }
        Err(error) => return Err(error.into()),
    }
    Ok(S3Response::new(CreateBucketOutput {
        location: Some(format!("/{name}")),
    }))
}

/// The bucket, where this caller may do anything in it.
async fn seen<T: Sync>(service: &Service, request: &S3Request<T>, name: &str) -> Fault<()> {
    let caller = service.someone(request).await?;
    let bucket = service.bucket(name)?;
    if sees(service, &caller, &bucket) {
        Ok(())
    } else {
        Err(s3_error!(
            AccessDenied,
            "You may do nothing in this bucket."
        ))
    }
}

pub(super) async fn head_bucket(
    service: &Service,
    request: S3Request<HeadBucketInput>,
) -> S3Result<S3Response<HeadBucketOutput>> {
    seen(service, &request, &request.input.bucket).await?;
    Ok(S3Response::new(HeadBucketOutput {
        bucket_region: Some(REGION.to_owned()),
        ..HeadBucketOutput::default()
    }))
}

pub(super) async fn get_bucket_location(
    service: &Service,
    request: S3Request<GetBucketLocationInput>,
) -> S3Result<S3Response<GetBucketLocationOutput>> {
    seen(service, &request, &request.input.bucket).await?;
    // The first of all regions is told by telling none.
    Ok(S3Response::new(GetBucketLocationOutput::default()))
}

pub(super) async fn delete_bucket(
    service: &Service,
    request: S3Request<DeleteBucketInput>,
) -> S3Result<S3Response<DeleteBucketOutput>> {
    let caller = service.someone(&request).await?;
    may_make(service, &caller)?;
    let name = &request.input.bucket;
    let bucket = service
        .permitted(Some(&caller), name, "", Permission::Delete)
        .await?;
    let files = &service.files;
    if !files.keys(&bucket, "", None, None, 1).await?.is_empty() {
        return Err(Error::BucketNotEmpty.into());
    }
    // A trash that was emptied for nothing would be lost.
    files.check_holders(&bucket).await?;
    empty_trash(files, &bucket, EMPTYING).await?;
    files.delete_bucket(&Doer::from(&caller), &bucket).await?;
    Ok(S3Response::new(DeleteBucketOutput::default()))
}

/// S3 knows no trash: to its clients a bucket whose files are all deleted is empty. What takes
/// longer than `at_most` goes on when it is asked for again, as clients do by themselves.
async fn empty_trash(files: &Files, bucket: &Bucket, at_most: Duration) -> Fault<()> {
    let begun = Instant::now();
    loop {
        let trash = files.past(bucket, Heap::Trash, "", None, BATCH).await?;
        if trash.is_empty() {
            return Ok(());
        }
        for past in trash {
            files.purge(bucket, past.file.id).await?;
        }
        if begun.elapsed() >= at_most {
            return Err(s3_error!(
                SlowDown,
                "The trash of this bucket is being emptied; delete the bucket again shortly."
            ));
        }
    }
}

pub(super) async fn get_bucket_versioning(
    service: &Service,
    request: S3Request<GetBucketVersioningInput>,
) -> S3Result<S3Response<GetBucketVersioningOutput>> {
    let name = &request.input.bucket;
    seen(service, &request, name).await?;
    let enabled = service.bucket(name)?.versions;
    let status = BucketVersioningStatus::from_static(BucketVersioningStatus::ENABLED);
    Ok(S3Response::new(GetBucketVersioningOutput {
        status: enabled.then_some(status),
        mfa_delete: None,
    }))
}

pub(super) async fn put_bucket_versioning(
    service: &Service,
    request: S3Request<PutBucketVersioningInput>,
) -> S3Result<S3Response<PutBucketVersioningOutput>> {
    let caller = service.someone(&request).await?;
    service.files.not_held(&caller)?;
    if !caller.may(Role::Admin, Scope::FilesWrite) {
        return Err(s3_error!(
            AccessDenied,
            "This needs the role admin and the scope files:write."
        ));
    }
    let input = request.input;
    let bucket = service.bucket(&input.bucket)?;
    let status = input.versioning_configuration.status;
    let status = status.ok_or_else(|| s3_error!(MalformedXML, "Say Enabled or Suspended."))?;
    let change = BucketChange {
        versions: Some(status.as_str() == BucketVersioningStatus::ENABLED),
        ..BucketChange::default()
    };
    let files = &service.files;
    files
        .change_bucket(&Doer::from(&caller), &bucket, change)
        .await?;
    Ok(S3Response::new(PutBucketVersioningOutput::default()))
}

/// What clients are told who want an ACL: who may what is set at the bucket instead.
fn grants() -> Vec<Grant> {
    let owner = owner();
    vec![Grant {
        grantee: Some(Grantee {
            display_name: owner.display_name,
            email_address: None,
            id: owner.id,
            type_: Type::from_static(Type::CANONICAL_USER),
            uri: None,
        }),
        permission: Some(dto::Permission::from_static(dto::Permission::FULL_CONTROL)),
    }]
}

pub(super) async fn get_bucket_acl(
    service: &Service,
    request: S3Request<GetBucketAclInput>,
) -> S3Result<S3Response<GetBucketAclOutput>> {
    seen(service, &request, &request.input.bucket).await?;
    Ok(S3Response::new(GetBucketAclOutput {
        grants: Some(grants()),
        owner: Some(owner()),
    }))
}

pub(super) async fn get_object_acl(
    service: &Service,
    request: S3Request<GetObjectAclInput>,
) -> S3Result<S3Response<GetObjectAclOutput>> {
    let caller = service.someone(&request).await?;
    let input = request.input;
    let path = super::path(&input.key)?;
    let bucket = service
        .permitted(
            Some(&caller),
            &input.bucket,
            path.as_str(),
            Permission::Read,
        )
        .await?;
    let version = input.version_id.as_deref();
    versions::find(service, Some(&caller), &bucket, &path, version).await?;
    Ok(S3Response::new(GetObjectAclOutput {
        grants: Some(grants()),
        owner: Some(owner()),
        ..GetObjectAclOutput::default()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expect::Expect;
    use crate::permit::Writer;
    use crate::put::NewFile;
    use base::Actor;

    #[tokio::test]
    async fn a_trash_that_takes_too_long_is_emptied_by_asking_again() {
        testing::on_both(|database| async move {
            let folder = tempfile::tempdir().expect("a folder");
            let files = crate::store::tests::opened(&database, folder.path()).await;
            let bucket = files.bucket(crate::DEFAULT_BUCKET).expect("it is there");
            let by = Writer {
                actor: Actor::user("anna"),
                account: None,
            };
            let path = || "a".parse().expect("a path");
            let incoming = files.put(&bucket, by.clone(), NewFile::at(path())).await;
            incoming.expect("begun").finish().await.expect("put");
            let nothing = Expect::default();
            let deleted = files.delete(&bucket, &path(), &nothing, &by.actor).await;
            deleted.expect("deleted");
            let slow = empty_trash(&files, &bucket, Duration::ZERO).await;
            let slow = slow.expect_err("its time was over");
            assert_eq!(slow.code().as_str(), "SlowDown");
            let done = empty_trash(&files, &bucket, Duration::ZERO).await;
            done.expect("there is nothing left");
        })
        .await;
    }
}
