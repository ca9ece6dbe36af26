//! Which verbs there are, and where each is. What is not here is answered by the library
//! with "not implemented".

use super::{Service, buckets, copy, delete, get, list, multipart, put, tagging, versions};
use futures::future::BoxFuture;
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result};

/// A verb, answered by a function of its group.
///
/// [`owned`] is where the compiler looks whether what answers may pass between threads: in
/// the trait's own functions it would look anew for each verb, at everything that is called
/// in the end, as it remembers nothing of what holds for the lifetimes of one function only.
macro_rules! verbs {
    ($($verb:ident: $input:ident => $output:ident by $by:path;)+) => {
        #[async_trait::async_trait]
        impl S3 for Service {
            $(async fn $verb(
                &self,
                request: S3Request<$input>,
            ) -> S3Result<S3Response<$output>> {
                owned::$verb(self.clone(), request).await
            })+
        }

        mod owned {
            use super::*;

            $(pub(super) fn $verb(
                service: Service,
                request: S3Request<$input>,
            ) -> BoxFuture<'static, S3Result<S3Response<$output>>> {
                Box::pin(async move { $by(&service, request).await })
            })+
        }
    };
}

verbs! {
    abort_multipart_upload: AbortMultipartUploadInput => AbortMultipartUploadOutput by multipart::abort;
    complete_multipart_upload: CompleteMultipartUploadInput => CompleteMultipartUploadOutput by multipart::complete;
    copy_object: CopyObjectInput => CopyObjectOutput by copy::copy_object;
    create_bucket: CreateBucketInput => CreateBucketOutput by buckets::create_bucket;
    create_multipart_upload: CreateMultipartUploadInput => CreateMultipartUploadOutput by multipart::create;
    delete_bucket: DeleteBucketInput => DeleteBucketOutput by buckets::delete_bucket;
    delete_object: DeleteObjectInput => DeleteObjectOutput by delete::delete_object;
    delete_object_tagging: DeleteObjectTaggingInput => DeleteObjectTaggingOutput by tagging::delete_object_tagging;
    delete_objects: DeleteObjectsInput => DeleteObjectsOutput by delete::delete_objects;
    get_bucket_acl: GetBucketAclInput => GetBucketAclOutput by buckets::get_bucket_acl;
    get_bucket_location: GetBucketLocationInput => GetBucketLocationOutput by buckets::get_bucket_location;
    get_bucket_versioning: GetBucketVersioningInput => GetBucketVersioningOutput by buckets::get_bucket_versioning;
    get_object: GetObjectInput => GetObjectOutput by get::get_object;
    get_object_acl: GetObjectAclInput => GetObjectAclOutput by buckets::get_object_acl;
    get_object_attributes: GetObjectAttributesInput => GetObjectAttributesOutput by get::get_object_attributes;
    get_object_tagging: GetObjectTaggingInput => GetObjectTaggingOutput by tagging::get_object_tagging;
    head_bucket: HeadBucketInput => HeadBucketOutput by buckets::head_bucket;
    head_object: HeadObjectInput => HeadObjectOutput by get::head_object;
    list_buckets: ListBucketsInput => ListBucketsOutput by buckets::list_buckets;
    list_multipart_uploads: ListMultipartUploadsInput => ListMultipartUploadsOutput by multipart::list_uploads;
    list_object_versions: ListObjectVersionsInput => ListObjectVersionsOutput by versions::list_object_versions;
    list_objects: ListObjectsInput => ListObjectsOutput by list::list_objects;
    list_objects_v2: ListObjectsV2Input => ListObjectsV2Output by list::list_objects_v2;
    list_parts: ListPartsInput => ListPartsOutput by multipart::list_parts;
    put_bucket_versioning: PutBucketVersioningInput => PutBucketVersioningOutput by buckets::put_bucket_versioning;
    put_object: PutObjectInput => PutObjectOutput by put::put_object;
    put_object_tagging: PutObjectTaggingInput => PutObjectTaggingOutput by tagging::put_object_tagging;
    upload_part: UploadPartInput => UploadPartOutput by multipart::upload_part;
    upload_part_copy: UploadPartCopyInput => UploadPartCopyOutput by multipart::upload_part_copy;
}
