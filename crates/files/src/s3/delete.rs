//! DeleteObject and DeleteObjects.

use super::error::Fault;
use super::put::condition;
use super::{Service, give_way, path, versions};
use crate::Error;
use crate::background::unless_over;
use crate::bucket::Bucket;
use crate::expect::{Expect, Tags};
use crate::permit::Permission;
use access::Caller;
use futures::{StreamExt, stream};
use s3s::dto::{
    self, DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput,
    DeletedObject, ObjectIdentifier,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};
use std::sync::Arc;

/// Keys deleted by one request.
const MOST: usize = 1000;
/// Of these so many at once: one after the other, a store would copy them aside for longer than
/// clients wait. Half of the usual connections to Postgres, so that others have some, too.
const AT_ONCE: usize = 8;

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
    for (object, outcome) in delete_each(service, &caller, &bucket, objects).await? {
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

/// Deletes each, and tells in the same order what became of it. Whoever stops waiting does not
/// stop it: nothing would say which of them are gone.
async fn delete_each(
    service: &Service,
    caller: &Caller,
    bucket: &Arc<Bucket>,
    objects: Vec<ObjectIdentifier>,
) -> Fault<Vec<(ObjectIdentifier, Fault<()>)>> {
    let all = Arc::new((service.clone(), caller.clone(), Arc::clone(bucket)));
    let deletions = stream::iter(objects).map(move |object| {
        let all = Arc::clone(&all);
        async move {
            let (service, caller, bucket) = &*all;
            let outcome = delete_one(service, caller, bucket, &object).await;
            (object, outcome)
        }
    });
    let work = deletions.buffered(AT_ONCE).collect::<Vec<_>>();
    let files = &service.files;
    let done = files.tasks().spawn(unless_over(files.stop(), work)).await;
    done.ok().flatten().ok_or_else(|| {
        s3_error!(
            InternalError,
            "Longshore stopped meanwhile; delete them again."
        )
    })
}

async fn delete_one(
    service: &Service,
    caller: &Caller,
    bucket: &Bucket,
    object: &ObjectIdentifier,
) -> Fault<()> {
    refuse_other_conditions(object.size.is_some() || object.last_modified_time.is_some())?;
    let tag = object.e_tag.as_ref().map(|tag| tag.value().to_owned());
    let expect = Expect {
        matches: tag.map(|tag| Tags::These(vec![tag])),
        ..Expect::default()
    };
    let version = object.version_id.as_deref();
    delete(service, caller, bucket, &object.key, version, &expect).await
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

/// Deletes what is at a key. What is not there is as good as deleted, except for who says what
/// must be there.
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
        Ok(_) => Ok(()),
        Err(Error::NoFile(_)) if expect.is_nothing() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket::BucketChange;
    use crate::store::tests::Quay;
    use access::{Proof, Role};

    #[tokio::test]
    async fn several_are_deleted_at_once_and_none_is_forgotten_when_nobody_waits() {
        testing::on_both(|database| async move {
            let Some((quay, gate)) = Quay::gated(&database, BucketChange::default()).await else {
                return;
            };
            let service = Service {
                files: quay.files.clone(),
            };
            let anna = Caller::for_test("anna", Role::Admin, Proof::Password);
            let keys: Vec<String> = (0..AT_ONCE + 2).map(|number| number.to_string()).collect();
            for key in &keys {
                quay.put(key, b"cargo").await;
            }
            let objects = |keys: &[String]| {
                let object = |key: &String| ObjectIdentifier {
                    key: key.clone(),
                    ..ObjectIdentifier::default()
                };
                keys.iter().map(object).collect::<Vec<_>>()
            };
            // The store copies each aside, and is held at that.
            gate.hold("put /harbour/team/.longshore/");
            let asked = objects(&keys);
            tokio::select! {
                _ = delete_each(&service, &anna, &quay.bucket, asked) => panic!("it is held"),
                () = gate.has_held(AT_ONCE) => {}
            }
            gate.open();
            testing::within("the rest to be deleted, too", async {
                while !quay.listed().await.is_empty() {
                    tokio::task::yield_now().await;
                }
            })
            .await;

            // What became of each is told in the order in which they were named.
            quay.put("a", b"cargo").await;
            let mut asked = objects(&["..".to_owned(), "a".to_owned(), "never".to_owned()]);
            asked[2].e_tag = Some(dto::ETag::Strong("x".to_owned()));
            let told = delete_each(&service, &anna, &quay.bucket, asked).await;
            let told = told.expect("done");
            let word = |outcome: &Fault<()>| match outcome {
                Ok(()) => "gone".to_owned(),
                Err(error) => error.code().as_str().to_owned(),
            };
            let told: Vec<(&str, String)> = told
                .iter()
                .map(|(object, outcome)| (object.key.as_str(), word(outcome)))
                .collect();
            let wanted = [
                ("..", "InvalidArgument"),
                ("a", "gone"),
                ("never", "NoSuchKey"),
            ];
            assert_eq!(told, wanted.map(|(key, word)| (key, word.to_owned())));
        })
        .await;
    }
}
