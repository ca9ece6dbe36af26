"""What boto3 asks of an S3 server about changes of a file: under which conditions they happen, what
may be said of it, and what was there before. Each function is a fact, for boto.py.
"""

import hashlib

from asking import BUCKET, fails, get, s3


def what_has_changed_is_neither_deleted_nor_put_together_over():
    tag = s3.put_object(Bucket=BUCKET, Key="kept", Body=b"old")["ETag"]
    where = {"Bucket": BUCKET, "Key": "kept"}
    where["UploadId"] = s3.create_multipart_upload(**where)["UploadId"]
    part = {"PartNumber": 1, "ETag": s3.upload_part(PartNumber=1, Body=b"new", **where)["ETag"]}
    complete = lambda **condition: s3.complete_multipart_upload(
        MultipartUpload={"Parts": [part]}, **where, **condition
    )
    fails("PreconditionFailed", 412, complete, IfMatch='"x"')
    fails("PreconditionFailed", 412, complete, IfNoneMatch="*")
    assert get("kept") == b"old"
    # It is still there, for who looks again.
    new = complete(IfMatch=tag)["ETag"]
    assert get("kept") == b"new"
    fails("PreconditionFailed", 412, s3.delete_object, Bucket=BUCKET, Key="kept", IfMatch=tag)
    s3.put_object(Bucket=BUCKET, Key="kept too", Body=b"x")

    def deleted(*tags):
        objects = [{"Key": key, "ETag": tag} for key, tag in tags]
        answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": objects})
        told = {error["Key"]: error["Code"] for error in answer.get("Errors", [])}
        return told, [found["Key"] for found in answer.get("Deleted", [])]

    x = f'"{hashlib.md5(b"x").hexdigest()}"'
    told, gone = deleted(("kept", tag), ("never", x), ("kept too", x))
    assert told == {"kept": "PreconditionFailed", "never": "NoSuchKey"}, told
    assert gone == ["kept too"], gone
    assert get("kept") == b"new"
    s3.delete_object(Bucket=BUCKET, Key="kept", IfMatch=new)
    fails("NoSuchKey", 404, s3.get_object, Bucket=BUCKET, Key="kept")
    # What is not there is as good as deleted, except for who says what it is.
    s3.delete_object(Bucket=BUCKET, Key="kept")
    for condition in [new, "*"]:
        fails("NoSuchKey", 404, s3.delete_object, Bucket=BUCKET, Key="kept", IfMatch=condition)


def what_is_said_of_a_file_has_its_bounds():
    # As it is kept, 8 bytes more each: name, quotes, and what stands between.
    said = lambda length: {"Metadata": {f"n{number}": "x" * length for number in range(8)}}
    short, long = said(1000), said(1024)
    s3.put_object(Bucket=BUCKET, Key="described", Body=b"", **short)
    assert s3.head_object(Bucket=BUCKET, Key="described")["Metadata"] == short["Metadata"]
    for key in ["described", "another"]:
        fails("MetadataTooLarge", 400, s3.put_object, Bucket=BUCKET, Key=key, Body=b"x", **long)
        fails("MetadataTooLarge", 400, s3.create_multipart_upload, Bucket=BUCKET, Key=key, **long)
        fails(
            "MetadataTooLarge",
            400,
            s3.copy_object,
            Bucket=BUCKET,
            Key=key,
            CopySource={"Bucket": BUCKET, "Key": "described"},
            MetadataDirective="REPLACE",
            **long,
        )
    assert get("described") == b""
    assert s3.head_object(Bucket=BUCKET, Key="described")["Metadata"] == short["Metadata"]
    fails("404", 404, s3.head_object, Bucket=BUCKET, Key="another")


def versions_are_kept_where_wanted():
    s3.create_bucket(Bucket="versioned")
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket="versioned")["Status"] == "Enabled"
    ids = [s3.put_object(Bucket="versioned", Key="v", Body=body)["VersionId"] for body in [b"1", b"2", b"3"]]
    s3.put_object(Bucket="versioned", Key="w", Body=b"w")
    for size in [1, 2, 1000]:
        pages = s3.get_paginator("list_object_versions").paginate(
            Bucket="versioned", PaginationConfig={"PageSize": size}
        )
        found = [(version["Key"], version["VersionId"]) for page in pages for version in page.get("Versions", [])]
        assert sorted(found[:3]) == sorted(("v", id) for id in ids), (size, found)
        assert len(found) == 4, (size, found)
        # The newest first.
        assert found[:3] == [("v", id) for id in reversed(ids)], (size, found)
    first = s3.get_object(Bucket="versioned", Key="v", VersionId=ids[0])
    assert first["Body"].read() == b"1"
    # A version that is named is the one that is meant, also where its tags are.
    where = {"Bucket": "versioned", "Key": "v"}
    tags = {"TagSet": [{"Key": "t", "Value": "1"}]}
    tagged = s3.put_object_tagging(Tagging=tags, VersionId=ids[2], **where)
    assert tagged["VersionId"] == ids[2]
    fails("NotImplemented", 501, s3.put_object_tagging, Tagging=tags, VersionId=ids[0], **where)
    fails("NotImplemented", 501, s3.delete_object_tagging, VersionId=ids[0], **where)
    assert s3.get_object_tagging(**where)["TagSet"] == tags["TagSet"]
    found = s3.get_object_tagging(VersionId=ids[0], **where)
    assert found["TagSet"] == [] and found["VersionId"] == ids[0]
    unknown = "00000000-0000-7000-8000-000000000000"
    for call in [s3.get_object_tagging, s3.delete_object_tagging, s3.get_object_acl]:
        fails("NoSuchVersion", 404, call, VersionId=unknown, **where)
    gone = s3.delete_object(Bucket="versioned", Key="v")
    # There are no markers: a file that was deleted has versions and no latest one.
    assert "DeleteMarker" not in gone and "VersionId" not in gone, gone
    listed = s3.list_object_versions(Bucket="versioned", Prefix="v")
    assert "DeleteMarkers" not in listed, listed
    assert not any(version["IsLatest"] for version in listed["Versions"]), listed
    fails("NoSuchKey", 404, s3.get_object, Bucket="versioned", Key="v")
    fails("404", 404, s3.head_object, Bucket="versioned", Key="v")
    s3.delete_object(Bucket="versioned", Key="v")
    # One of them that is copied to its own key is there again.
    again = s3.copy_object(CopySource={"VersionId": ids[0], **where}, **where)
    assert s3.get_object(**where)["Body"].read() == b"1"
    s3.delete_object(VersionId=again["VersionId"], **where)
    s3.delete_object(Bucket="versioned", Key="v")
    fails("BucketNotEmpty", 409, s3.delete_bucket, Bucket="versioned")
    for id in ids:
        s3.delete_object(Bucket="versioned", Key="v", VersionId=id)
    fails("NoSuchVersion", 404, s3.get_object, Bucket="versioned", Key="v", VersionId=ids[0])
    # Removed for good already, except for who says what it was.
    s3.delete_object(VersionId=ids[0], **where)
    fails("NoSuchVersion", 404, s3.delete_object, VersionId=ids[0], IfMatch='"x"', **where)


def versions_are_listed_by_folders_too():
    bucket = "versioned-folders"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for key in ["f/a", "f/b/1", "f/b/1", "f/b/2", "f/c", "f/c", "f/d/e/1", "f/gone/1", "f/z"]:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    # Of what is in this folder there is only the past.
    s3.delete_object(Bucket=bucket, Key="f/gone/1")
    for size in [1, 2, 3, 1000]:
        versions, folders = [], []
        pages = s3.get_paginator("list_object_versions").paginate(
            Bucket=bucket, Prefix="f/", Delimiter="/", PaginationConfig={"PageSize": size}
        )
        for page in pages:
            found = page.get("Versions", [])
            versions += [(version["Key"], version["IsLatest"]) for version in found]
            folders += [folder["Prefix"] for folder in page.get("CommonPrefixes", [])]
            assert page["Delimiter"] == "/" and len(found) + len(page.get("CommonPrefixes", [])) <= size
        wanted = [("f/a", True), ("f/c", True), ("f/c", False), ("f/z", True)]
        assert versions == wanted, (size, versions)
        assert folders == ["f/b/", "f/d/", "f/gone/"], (size, folders)
    page = s3.list_object_versions(Bucket=bucket, Delimiter="/")
    assert [folder["Prefix"] for folder in page["CommonPrefixes"]] == ["f/"] and "Versions" not in page, page
    none = s3.list_object_versions(Bucket=bucket, MaxKeys=0)
    assert not none["IsTruncated"] and "Versions" not in none, none


FACTS = [
    what_has_changed_is_neither_deleted_nor_put_together_over,
    what_is_said_of_a_file_has_its_bounds,
    versions_are_kept_where_wanted,
    versions_are_listed_by_folders_too,
]
