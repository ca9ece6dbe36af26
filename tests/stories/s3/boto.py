"""What boto3 asks of an S3 server, with its default settings. Each function is a fact.

Run by the stories of s3.rs; arguments name the facts to show, all of them without.
"""

import hashlib
import io
import os
import sys
import urllib.error
import urllib.request

import awscli.botocore.config
import awscli.botocore.session
import boto3
import changes
from asking import BUCKET, ENDPOINT, client, fails, get, s3
from boto3.s3.transfer import TransferConfig
from botocore.client import Config

MIB = 1 << 20
ODD = [
    "a b.txt",
    "a+b.txt",
    "a//b.txt",
    "/leading.txt",
    "//two leading.txt",
    "trailing/",
    "ä ö ü/ß.txt",
    "100%.txt",
    "%2F.txt",
    "q?x=1&y=2#z.txt",
    "quotes'\"<>&.txt",
    "back\\slash.txt",
    "tilde~star*(paren).txt",
    "semi;colon:at@comma,.txt",
    "日本語.txt",
    "emoji🚢.txt",
    "...dots...",
    "new\nline.txt",
]
# Where the store beneath keeps objects as files of a disk, a key is a path there.
KEYS_ARE_PATHS = "KEYS_ARE_PATHS" in os.environ
if KEYS_ARE_PATHS:
    ODD = [key for key in ODD if "//" not in key and not key.startswith("/") and not key.endswith("/")]


def what_is_put_is_got():
    body = b"hello"
    put = s3.put_object(
        Bucket=BUCKET,
        Key="plain.txt",
        Body=body,
        ContentType="text/x-mine",
        CacheControl="max-age=60",
        ContentDisposition='attachment; filename="x"',
        ContentLanguage="de",
        Metadata={"colour": "blue", "greeting": "with spaces, and more"},
    )
    assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    got = s3.get_object(Bucket=BUCKET, Key="plain.txt")
    assert got["Body"].read() == body
    head = s3.head_object(Bucket=BUCKET, Key="plain.txt")
    for answer in (got, head):
        assert answer["ETag"] == put["ETag"]
        assert answer["ContentLength"] == 5
        assert answer["ContentType"] == "text/x-mine"
        assert answer["CacheControl"] == "max-age=60"
        assert answer["ContentDisposition"] == 'attachment; filename="x"'
        assert answer["ContentLanguage"] == "de"
        assert answer["Metadata"] == {"colour": "blue", "greeting": "with spaces, and more"}
        assert answer["AcceptRanges"] == "bytes"
    s3.put_object(Bucket=BUCKET, Key="empty", Body=b"")
    assert get("empty") == b""
    fails("NoSuchKey", 404, s3.get_object, Bucket=BUCKET, Key="missing")
    fails("404", 404, s3.head_object, Bucket=BUCKET, Key="missing")
    fails("NoSuchBucket", 404, s3.get_object, Bucket="no-such-bucket", Key="x")


def odd_keys_go_round_exactly():
    for number, key in enumerate(ODD):
        body = f"{number} {key}".encode()
        s3.put_object(Bucket=BUCKET, Key=f"odd/{key}", Body=body)
        if key.startswith("/"):
            s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    for number, key in enumerate(ODD):
        assert get(f"odd/{key}") == f"{number} {key}".encode(), key
        if key.startswith("/"):
            assert get(key) == f"{number} {key}".encode(), key
    listed = [
        found["Key"]
        for page in s3.get_paginator("list_objects_v2").paginate(
            Bucket=BUCKET, Prefix="odd/", PaginationConfig={"PageSize": 3}
        )
        for found in page.get("Contents", [])
    ]
    assert listed == sorted(listed, key=lambda key: key.encode()), listed
    assert set(listed) == {f"odd/{key}" for key in ODD}, set(listed) ^ {f"odd/{key}" for key in ODD}
    old = [
        found["Key"]
        for page in s3.get_paginator("list_objects").paginate(
            Bucket=BUCKET, Prefix="odd/", PaginationConfig={"PageSize": 4}
        )
        for found in page.get("Contents", [])
    ]
    assert old == listed
    leading = s3.list_objects_v2(Bucket=BUCKET, Prefix="/").get("Contents", [])
    expected = sorted(key for key in ODD if key.startswith("/"))
    assert [found["Key"] for found in leading] == expected, leading
    for key in listed:
        s3.copy_object(Bucket=BUCKET, Key=f"copied/{key}", CopySource={"Bucket": BUCKET, "Key": key})
        assert get(f"copied/{key}") == get(key), key
    keys = [{"Key": key} for key in listed] + [{"Key": "never/there"}]
    answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": keys})
    assert {found["Key"] for found in answer["Deleted"]} == {found["Key"] for found in keys}
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix="odd/")


def segments_that_readers_would_resolve_are_refused():
    fails("InvalidArgument", 400, s3.put_object, Bucket=BUCKET, Key="a/./b", Body=b"x")
    fails("KeyTooLongError", 400, s3.put_object, Bucket=BUCKET, Key="x" * 1025, Body=b"x")
    if not KEYS_ARE_PATHS:
        s3.put_object(Bucket=BUCKET, Key="x" * 1024, Body=b"x")
        s3.delete_object(Bucket=BUCKET, Key="x" * 1024)


def folders_are_common_prefixes():
    for key in ["f/a", "f/b/1", "f/b/2", "f/c/1", "f/d"]:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    for operation in ["list_objects", "list_objects_v2"]:
        for size in [1, 2, 1000]:
            files, folders = [], []
            pages = s3.get_paginator(operation).paginate(
                Bucket=BUCKET, Prefix="f/", Delimiter="/", PaginationConfig={"PageSize": size}
            )
            for page in pages:
                files += [found["Key"] for found in page.get("Contents", [])]
                folders += [found["Prefix"] for found in page.get("CommonPrefixes", [])]
                found = len(page.get("Contents", [])) + len(page.get("CommonPrefixes", []))
                assert found <= size
            assert files == ["f/a", "f/d"], (operation, size, files)
            assert folders == ["f/b/", "f/c/"], (operation, size, folders)
    after = s3.list_objects_v2(Bucket=BUCKET, Prefix="f/", StartAfter="f/b/1")
    assert [found["Key"] for found in after["Contents"]] == ["f/b/2", "f/c/1", "f/d"]
    none = s3.list_objects_v2(Bucket=BUCKET, Prefix="f/", MaxKeys=0)
    assert not none["IsTruncated"] and none["KeyCount"] == 0
    fails("InvalidArgument", 400, s3.list_objects_v2, Bucket=BUCKET, ContinuationToken="%%%")


def ranges_and_conditions_hold():
    body = bytes(range(256)) * 4
    tag = s3.put_object(Bucket=BUCKET, Key="ranged", Body=body)["ETag"]
    for spec, wanted, told in [
        ("bytes=0-9", body[:10], "bytes 0-9/1024"),
        ("bytes=1000-", body[1000:], "bytes 1000-1023/1024"),
        ("bytes=-24", body[-24:], "bytes 1000-1023/1024"),
        ("bytes=1000-5000", body[1000:], "bytes 1000-1023/1024"),
    ]:
        got = s3.get_object(Bucket=BUCKET, Key="ranged", Range=spec)
        assert got["Body"].read() == wanted and got["ContentRange"] == told, spec
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    fails("InvalidRange", 416, s3.get_object, Bucket=BUCKET, Key="ranged", Range="bytes=1024-")
    assert get("ranged", IfMatch=tag) == body
    fails("PreconditionFailed", 412, s3.get_object, Bucket=BUCKET, Key="ranged", IfMatch='"x"')
    fails("304", 304, s3.get_object, Bucket=BUCKET, Key="ranged", IfNoneMatch=tag)
    modified = s3.head_object(Bucket=BUCKET, Key="ranged")["LastModified"]
    fails("304", 304, s3.get_object, Bucket=BUCKET, Key="ranged", IfModifiedSince=modified)
    assert get("ranged", IfUnmodifiedSince=modified) == body
    fails("PreconditionFailed", 412, s3.put_object, Bucket=BUCKET, Key="ranged", Body=b"", IfNoneMatch="*")
    fails("PreconditionFailed", 412, s3.put_object, Bucket=BUCKET, Key="ranged", Body=b"", IfMatch='"x"')
    assert get("ranged") == body
    s3.put_object(Bucket=BUCKET, Key="ranged", Body=b"new", IfMatch=tag)
    assert get("ranged") == b"new"


def checksums_are_verified():
    for algorithm in ["CRC32", "SHA1", "SHA256"]:
        s3.put_object(Bucket=BUCKET, Key="summed", Body=b"123456789", ChecksumAlgorithm=algorithm)
    put = s3.put_object(Bucket=BUCKET, Key="summed", Body=b"123456789", ChecksumCRC32="y/Q5Jg==")
    assert put["ChecksumCRC32"] == "y/Q5Jg=="
    for wrong in [
        {"ChecksumCRC32": "AAAAAA=="},
        {"ChecksumSHA256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
        {"ContentMD5": "1B2M2Y8AsgTpgAmY7PhCfg=="},
    ]:
        fails("BadDigest", 400, s3.put_object, Bucket=BUCKET, Key="wrong", Body=b"x", **wrong)
    fails("InvalidDigest", 400, s3.put_object, Bucket=BUCKET, Key="wrong", Body=b"x", ContentMD5="AAAA")
    fails("404", 404, s3.head_object, Bucket=BUCKET, Key="wrong")
    got = s3.get_object(Bucket=BUCKET, Key="summed", ChecksumMode="ENABLED")
    assert got["Body"].read() == b"123456789"
    assert got["ChecksumSHA256"] == "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="


class Unseekable(io.RawIOBase):
    """A body of which nobody knows the length in advance."""

    def __init__(self, body):
        self.body = io.BytesIO(body)

    def readable(self):
        return True

    def readinto(self, buffer):
        return self.body.readinto(buffer)


def large_files_go_in_parts():
    body = os.urandom(13 * MIB + 17)
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    s3.upload_fileobj(
        Unseekable(body),
        BUCKET,
        "large",
        Config=config,
        ExtraArgs={"Metadata": {"kind": "large"}, "ContentType": "video/x-mine", "Tagging": "a=1"},
    )
    md5s = b"".join(hashlib.md5(body[at : at + 5 * MIB]).digest() for at in range(0, len(body), 5 * MIB))
    head = s3.head_object(Bucket=BUCKET, Key="large")
    assert head["ETag"] == f'"{hashlib.md5(md5s).hexdigest()}-3"'
    assert head["Metadata"] == {"kind": "large"} and head["ContentType"] == "video/x-mine"
    assert s3.get_object_tagging(Bucket=BUCKET, Key="large")["TagSet"] == [{"Key": "a", "Value": "1"}]
    assert get("large") == body
    into = io.BytesIO()
    s3.download_fileobj(BUCKET, "large", into, Config=config)
    assert into.getvalue() == body
    assert not s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads")
    # A copy in parts.
    s3.copy({"Bucket": BUCKET, "Key": "large"}, BUCKET, "large copy", Config=config)
    assert get("large copy") == body


def parts_are_looked_at():
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="in parts")["UploadId"]
    where = {"Bucket": BUCKET, "Key": "in parts", "UploadId": upload}

    def send(number, body):
        tag = s3.upload_part(PartNumber=number, Body=body, **where)["ETag"]
        return {"PartNumber": number, "ETag": tag}

    def complete(*parts, **said):
        return s3.complete_multipart_upload(MultipartUpload={"Parts": list(parts)}, **where, **said)

    small, first, second = send(3, b"small"), send(1, b"1" * 5 * MIB), send(2, b"2" * 5 * MIB)
    listed = s3.list_parts(MaxParts=2, **where)
    assert [part["PartNumber"] for part in listed["Parts"]] == [1, 2] and listed["IsTruncated"]
    more = s3.list_parts(PartNumberMarker=listed["NextPartNumberMarker"], **where)
    assert [part["PartNumber"] for part in more["Parts"]] == [3]
    fails("InvalidPartOrder", 400, complete, second, first)
    fails("EntityTooSmall", 400, complete, first, small, {**second, "PartNumber": 4})
    fails("InvalidPart", 400, complete, first, {**second, "PartNumber": 7})
    fails("InvalidPart", 400, complete, {**first, "ETag": second["ETag"]})
    fails("InvalidArgument", 400, send, 10001, b"x")
    fails("404", 404, s3.head_object, Bucket=BUCKET, Key="in parts")
    uploads = s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]
    assert [(found["Key"], found["UploadId"]) for found in uploads] == [("in parts", upload)]
    again = send(2, b"3" * 5 * MIB)
    fails("InvalidPart", 400, complete, first, second)
    length = 10 * MIB + len(b"small")
    for lie in (1, length - 1, length + 1):
        fails("InvalidRequest", 400, complete, first, again, small, MpuObjectSize=lie)
    fails("404", 404, s3.head_object, Bucket=BUCKET, Key="in parts")
    complete(first, again, small, MpuObjectSize=length)
    assert get("in parts") == b"1" * 5 * MIB + b"3" * 5 * MIB + b"small"
    fails("NoSuchUpload", 404, complete, first)
    fails("NoSuchUpload", 404, send, 1, b"x")
    where["UploadId"] = s3.create_multipart_upload(Bucket=BUCKET, Key="in parts")["UploadId"]
    send(1, b"never")
    s3.abort_multipart_upload(**where)
    fails("NoSuchUpload", 404, s3.abort_multipart_upload, **where)
    fails("NoSuchUpload", 404, s3.list_parts, **where)
    where["UploadId"] = "no-such-upload"
    fails("NoSuchUpload", 404, send, 1, b"x")


def an_empty_file_does_not_confuse_what_follows_on_its_connection():
    # As the command line of AWS has it, which keeps an answer that came without a 100 for the next.
    alone = awscli.botocore.session.get_session().create_client(
        "s3",
        endpoint_url=ENDPOINT,
        region_name="us-east-1",
        aws_access_key_id=os.environ["KEY"],
        aws_secret_access_key=os.environ["SECRET"],
        config=awscli.botocore.config.Config(max_pool_connections=1, retries={"total_max_attempts": 1}),
    )
    where = {"Bucket": BUCKET, "Key": "after nothing"}
    where["UploadId"] = alone.create_multipart_upload(**where)["UploadId"]
    # Sent from a stream, each waits to be told to go on.
    put = alone.put_object(Bucket=BUCKET, Key="nothing", Body=io.BytesIO(b""))
    assert put["ETag"] == f'"{hashlib.md5(b"").hexdigest()}"', put
    part = alone.upload_part(PartNumber=1, Body=io.BytesIO(b"x"), **where)
    assert part.get("ETag") == f'"{hashlib.md5(b"x").hexdigest()}"', part
    alone.abort_multipart_upload(**where)


def copies_keep_or_replace_what_is_said():
    s3.put_object(Bucket=BUCKET, Key="from", Body=b"x", Metadata={"a": "1"}, ContentType="text/x-a", Tagging="t=1")
    source = {"Bucket": BUCKET, "Key": "from"}
    s3.copy_object(Bucket=BUCKET, Key="kept", CopySource=source)
    kept = s3.head_object(Bucket=BUCKET, Key="kept")
    assert kept["Metadata"] == {"a": "1"} and kept["ContentType"] == "text/x-a"
    assert s3.get_object_tagging(Bucket=BUCKET, Key="kept")["TagSet"] == [{"Key": "t", "Value": "1"}]
    s3.copy_object(
        Bucket=BUCKET,
        Key="replaced",
        CopySource=source,
        MetadataDirective="REPLACE",
        Metadata={"b": "2"},
        ContentType="text/x-b",
        TaggingDirective="REPLACE",
        Tagging="u=2",
    )
    replaced = s3.head_object(Bucket=BUCKET, Key="replaced")
    assert replaced["Metadata"] == {"b": "2"} and replaced["ContentType"] == "text/x-b"
    assert s3.get_object_tagging(Bucket=BUCKET, Key="replaced")["TagSet"] == [{"Key": "u", "Value": "2"}]
    fails("InvalidRequest", 400, s3.copy_object, Bucket=BUCKET, Key="from", CopySource=source)
    s3.copy_object(Bucket=BUCKET, Key="from", CopySource=source, MetadataDirective="REPLACE", Metadata={"c": "3"})
    assert s3.head_object(Bucket=BUCKET, Key="from")["Metadata"] == {"c": "3"}
    assert get("from") == b"x"
    fails(
        "PreconditionFailed", 412, s3.copy_object, Bucket=BUCKET, Key="kept", CopySource=source, CopySourceIfMatch='"y"'
    )
    missing = {"Bucket": BUCKET, "Key": "missing"}
    fails("NoSuchKey", 404, s3.copy_object, Bucket=BUCKET, Key="kept", CopySource=missing)


def tags_are_put_and_got():
    s3.put_object(Bucket=BUCKET, Key="tagged", Body=b"", Tagging="a=1&b=two%20words")
    assert s3.get_object(Bucket=BUCKET, Key="tagged")["TagCount"] == 2
    tags = [{"Key": "c", "Value": "3"}, {"Key": "leer", "Value": ""}]
    s3.put_object_tagging(Bucket=BUCKET, Key="tagged", Tagging={"TagSet": tags})
    assert s3.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"] == tags
    many = [{"Key": str(number), "Value": ""} for number in range(11)]
    fails("InvalidTag", 400, s3.put_object_tagging, Bucket=BUCKET, Key="tagged", Tagging={"TagSet": many})
    s3.delete_object_tagging(Bucket=BUCKET, Key="tagged")
    assert s3.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"] == []


def buckets_come_and_go():
    names = lambda: [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    assert BUCKET in names()
    s3.create_bucket(Bucket="new.bucket-1")
    assert "new.bucket-1" in names()
    s3.head_bucket(Bucket="new.bucket-1")
    assert s3.get_bucket_location(Bucket="new.bucket-1")["LocationConstraint"] is None
    assert "Status" not in s3.get_bucket_versioning(Bucket="new.bucket-1")
    fails("BucketAlreadyOwnedByYou", 409, s3.create_bucket, Bucket="new.bucket-1")
    s3.put_object(Bucket="new.bucket-1", Key="x", Body=b"x")
    fails("BucketNotEmpty", 409, s3.delete_bucket, Bucket="new.bucket-1")
    s3.delete_object(Bucket="new.bucket-1", Key="x")
    s3.delete_bucket(Bucket="new.bucket-1")
    assert "new.bucket-1" not in names()
    fails("404", 404, s3.head_bucket, Bucket="new.bucket-1")
    fails("NoSuchBucket", 404, s3.delete_bucket, Bucket="new.bucket-1")


def what_there_is_not_is_said_to_be_not_implemented():
    """Better than being taken for done: clients stop there, or go on without it."""
    for call in [s3.get_bucket_website, s3.get_bucket_cors, s3.delete_bucket_cors, s3.get_bucket_policy]:
        fails("NotImplemented", 501, call, Bucket=BUCKET)
    rules = {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}
    fails("NotImplemented", 501, s3.put_bucket_cors, Bucket=BUCKET, CORSConfiguration=rules)
    # A browser that asks first is told no, and asks no further.
    status, _ = http(f"{ENDPOINT}/{BUCKET}/x", "OPTIONS", headers={
        "Origin": "https://example.org",
        "Access-Control-Request-Method": "PUT",
    })
    assert status in (403, 405, 501), status


def many_are_deleted_at_once():
    keys = [f"many/{number}" for number in range(20)]
    for key in keys:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    quiet = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True})
    assert "Deleted" not in quiet and "Errors" not in quiet
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="many/")["KeyCount"] == 0
    too_many = [{"Key": str(number)} for number in range(1001)]
    fails("MalformedXML", 400, s3.delete_objects, Bucket=BUCKET, Delete={"Objects": too_many})


def http(url, method="GET", body=None, headers=None):
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def presigned_addresses_are_good_for_what_was_signed():
    s3.put_object(Bucket=BUCKET, Key="pre signed+.txt", Body=b"given")
    parameters = {"Bucket": BUCKET, "Key": "pre signed+.txt"}
    for version in [None, "s3v4"]:
        url = client(signature_version=version).generate_presigned_url("get_object", parameters, ExpiresIn=60)
        assert http(url) == (200, b"given")
        assert http(url, "HEAD")[0] == 403
        assert http(url, "PUT", b"other")[0] == 403
        assert http(url, "DELETE")[0] == 403
        status, text = http(url.replace("pre%20signed%2B.txt", "plain.txt"))
        assert status == 403 and b"SignatureDoesNotMatch" in text, text
        later = url.replace("Expires=60", "Expires=61") if version else url.replace("Expires=1", "Expires=2")
        status, text = http(later)
        assert status == 403 and b"SignatureDoesNotMatch" in text, text
        # Of another length, in another writing, and with nothing in it.
        name = "X-Amz-Signature=" if version else "&Signature="
        before, after = url.split(name)
        rest = "&" + after.split("&", 1)[1] if "&" in after else ""
        for wrong in ["", "0", "%00", "A" * 500]:
            status, text = http(before + name + wrong + rest)
            assert status in (400, 403), (wrong, status, text)
        status, text = http(url, headers={"x-amz-copy-source": "/files/plain.txt"})
        assert status == 403, text
        assert http(url + "&attributes")[0] == 403
        assert http(url + "&response-content-type=text/html")[0] == 403
    modern = client(signature_version="s3v4")
    url = modern.generate_presigned_url("put_object", parameters, ExpiresIn=60)
    assert http(url, "PUT", b"taken")[0] == 200
    assert get("pre signed+.txt") == b"taken"
    status, text = http(url, "PUT", b"more", {"x-amz-meta-added": "by another"})
    assert status == 403 and b"not signed" in text, text
    status, text = http(url, "PUT", b"more", {"x-amz-acl": "public-read"})
    assert status == 403, text
    assert get("pre signed+.txt") == b"taken"
    # Its time is over when it is made.
    old = client().generate_presigned_url("get_object", parameters, ExpiresIn=-10)
    status, text = http(old)
    assert status == 403 and b"expired" in text, (status, text)
    # And anybody without.
    status, text = http(f"{ENDPOINT}/{BUCKET}/plain.txt")
    assert status == 403 and b"AccessDenied" in text, text


def signatures_are_verified():
    wrong = boto3.client(
        "s3",
        endpoint_url=ENDPOINT,
        region_name="us-east-1",
        aws_access_key_id=os.environ["KEY"],
        aws_secret_access_key="x" * 40,
        config=Config(retries={"total_max_attempts": 1}),
    )
    fails("SignatureDoesNotMatch", 403, wrong.list_buckets)
    fails("SignatureDoesNotMatch", 403, wrong.put_object, Bucket=BUCKET, Key="wrong", Body=b"x")
    for key in ["LSH" + "A" * 17, "AKIAIOSFODNN7EXAMPLE"]:
        unknown = boto3.client(
            "s3",
            endpoint_url=ENDPOINT,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=os.environ["SECRET"],
            config=Config(retries={"total_max_attempts": 1}),
        )
        fails("InvalidAccessKeyId", 403, unknown.list_buckets)
    for given, what in [
        ({"ServerSideEncryption": "AES256"}, ("NotImplemented", 501)),
        ({"ACL": "public-read"}, ("AccessControlListNotSupported", 400)),
        ({"StorageClass": "STANDARD"}, None),
        ({"ACL": "private"}, None),
    ]:
        put = lambda: s3.put_object(Bucket=BUCKET, Key="asked", Body=b"x", **given)
        if what:
            fails(*what, put)
        else:
            put()


FACTS = [
    what_is_put_is_got,
    odd_keys_go_round_exactly,
    segments_that_readers_would_resolve_are_refused,
    folders_are_common_prefixes,
    ranges_and_conditions_hold,
    checksums_are_verified,
    large_files_go_in_parts,
    parts_are_looked_at,
    an_empty_file_does_not_confuse_what_follows_on_its_connection,
    copies_keep_or_replace_what_is_said,
    tags_are_put_and_got,
    buckets_come_and_go,
    what_there_is_not_is_said_to_be_not_implemented,
    many_are_deleted_at_once,
    presigned_addresses_are_good_for_what_was_signed,
    signatures_are_verified,
    *changes.FACTS,
]

if __name__ == "__main__":
    named = sys.argv[1:]
    for fact in FACTS:
        if not named or fact.__name__ in named:
            print(fact.__name__, flush=True)
            fact()
