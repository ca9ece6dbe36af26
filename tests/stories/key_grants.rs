//! Grants of access keys and tokens: what they open and close on each way in, verb by verb.

use crate::afloat::{Afloat, Berth, on_disk_and_in_store};
use crate::s3::{Boto, access_key};
use crate::stored::{add_user, answered, put};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use testing::{ServerOptions, TestServer};

const GRANTS: &str = "/api/v1/buckets/files/grants";
const SHARES: &str = "/api/v1/buckets/files/shares";

async fn grant(server: &TestServer, body: Value) -> String {
    let (status, grant) = server.post(GRANTS, &body).await;
    assert_eq!(status, 201, "{grant}");
    grant["id"].as_str().expect("an id").to_owned()
}

async fn taken_back(server: &TestServer, id: &str) {
    assert_eq!(server.delete(&format!("{GRANTS}/{id}")).await.0, 204);
}

/// What boto3 may with a key that is held to `in/`, by the verbs that are granted, which are
/// in `GRANTED`. Each call says the word of its error, or `fine`. Of `in/a`, `NOW` is the current
/// version, `OLDER` another one, and `TRASHED` went into the trash before there were versions;
/// `LAST` is the current version of `in/last`.
const VERBS: &str = r#"
def said(call, **arguments):
    try:
        call(Bucket="files", **arguments)
        return "fine"
    except ClientError as error:
        code = error.response["Error"]["Code"]
        # HEAD has no body to say it in.
        return {"403": "AccessDenied", "404": "NoSuchVersion"}.get(code, code)


def wanted(*verbs):
    return "fine" if set(verbs) <= set(GRANTED) else "AccessDenied"


def expect(what, found, expected):
    assert found == expected, f"{what} with {GRANTED}: {found} instead of {expected}"


copy = {"CopySource": {"Bucket": "files", "Key": "in/a"}}
now, older, trashed = ({"Key": "in/a", "VersionId": id} for id in [NOW, OLDER, TRASHED])
copy_older, copy_trashed = ({"CopySource": {"Bucket": "files", **one}} for one in [older, trashed])
etag = {"ObjectAttributes": ["ETag"]}
tags = {"Tagging": {"TagSet": [{"Key": "t", "Value": "1"}]}}
def begun():
    key, upload = "in/parts", "none"
    if "write" in GRANTED:
        upload = s3.create_multipart_upload(Bucket="files", Key=key)["UploadId"]
    return {"Key": key, "UploadId": upload}


parts = begun()
part = {"PartNumber": 1, **parts}
for what, call, arguments, verbs in [
    # Whoever may anything in a part of a bucket is told that it is there.
    ("head the bucket", s3.head_bucket, {}, []),
    ("location", s3.get_bucket_location, {}, []),
    ("versioning", s3.get_bucket_versioning, {}, []),
    ("ACL of the bucket", s3.get_bucket_acl, {}, []),
    ("list", s3.list_objects_v2, {"Prefix": "in/"}, ["list"]),
    ("list by v1", s3.list_objects, {"Prefix": "in/"}, ["list"]),
    ("list versions", s3.list_object_versions, {"Prefix": "in/"}, ["list"]),
    ("get", s3.get_object, {"Key": "in/a"}, ["read"]),
    ("head", s3.head_object, {"Key": "in/a"}, ["read"]),
    ("tags", s3.get_object_tagging, {"Key": "in/a"}, ["read"]),
    ("ACL", s3.get_object_acl, {"Key": "in/a"}, ["read"]),
    ("attributes", s3.get_object_attributes, {"Key": "in/a", **etag}, ["read"]),
    # What is current, by its id too; what was taken away is for who sees the lists.
    ("get by version", s3.get_object, now, ["read"]),
    ("head by version", s3.head_object, now, ["read"]),
    ("get an older version", s3.get_object, older, ["read", "list"]),
    ("head an older version", s3.head_object, older, ["read", "list"]),
    ("tags of an older version", s3.get_object_tagging, older, ["read", "list"]),
    ("ACL of an older version", s3.get_object_acl, older, ["read", "list"]),
    ("attributes of an older version", s3.get_object_attributes, {**older, **etag}, ["read", "list"]),
    ("copy an older version", s3.copy_object, {"Key": "in/copy", **copy_older}, ["read", "list", "write"]),
    ("put", s3.put_object, {"Key": "in/put", "Body": b"new"}, ["write"]),
    ("put with parts", s3.create_multipart_upload, {"Key": "in/parts"}, ["write"]),
    ("copy", s3.copy_object, {"Key": "in/copy", **copy}, ["read", "write"]),
    ("set tags", s3.put_object_tagging, {"Key": "in/a", **tags}, ["write"]),
    ("remove tags", s3.delete_object_tagging, {"Key": "in/a"}, ["write"]),
    ("put a part", s3.upload_part, {**part, "Body": b"part"}, ["write"]),
    ("copy a part", s3.upload_part_copy, {**part, **copy}, ["read", "write"]),
    ("copy an older part", s3.upload_part_copy, {**part, **copy_older}, ["read", "list", "write"]),
    ("list parts", s3.list_parts, parts, ["write"]),
    ("list uploads", s3.list_multipart_uploads, {"Prefix": "in/"}, ["list"]),
    ("abort", s3.abort_multipart_upload, parts, ["write"]),
    ("delete", s3.delete_object, {"Key": "in/put"}, ["delete"]),
    ("delete by version", s3.delete_object, {"Key": "in/last", "VersionId": LAST}, ["delete"]),
    # It is no version: nothing is there to be deleted.
    ("delete what is in the trash", s3.delete_object, trashed, ["delete"]),
]:
    expect(what, said(call, **arguments), wanted(*verbs))

for what, call, arguments, verbs in [
    ("get", s3.get_object, trashed, ["read", "list"]),
    ("head", s3.head_object, trashed, ["read", "list"]),
    ("tags", s3.get_object_tagging, trashed, ["read", "list"]),
    ("copy", s3.copy_object, {"Key": "in/copy", **copy_trashed}, ["read", "list", "write"]),
]:
    found = "NoSuchVersion" if wanted(*verbs) == "fine" else "AccessDenied"
    expect(f"{what} in the trash", said(call, **arguments), found)
kept = "NotImplemented" if wanted("list", "write") == "fine" else "AccessDenied"
expect("set tags of an older version", said(s3.put_object_tagging, **older, **tags), kept)
buckets = [one["Name"] for one in s3.list_buckets()["Buckets"]]
expect("list buckets", buckets, ["files"])

# The first one was given up.
parts = begun()
part = {"PartNumber": 1, **parts}
for what, call, arguments in [
    ("list all", s3.list_objects_v2, {}),
    ("list outside", s3.list_objects_v2, {"Prefix": "out/"}),
    ("list beside", s3.list_objects_v2, {"Prefix": "in"}),
    ("list all versions", s3.list_object_versions, {}),
    ("list versions beside", s3.list_object_versions, {"Prefix": "in"}),
    ("list all uploads", s3.list_multipart_uploads, {}),
    ("list uploads beside", s3.list_multipart_uploads, {"Prefix": "in"}),
    ("ACL", s3.get_object_acl, {"Key": "out/a"}),
    ("attributes", s3.get_object_attributes, {"Key": "out/a", **etag}),
    ("tags", s3.get_object_tagging, {"Key": "out/a"}),
    ("set tags", s3.put_object_tagging, {"Key": "out/a", **tags}),
    ("copy a part", s3.upload_part_copy, {**part, "CopySource": {"Bucket": "files", "Key": "out/a"}}),
    ("make a bucket", s3.create_bucket, {}),
    ("keep versions", s3.put_bucket_versioning, {"VersioningConfiguration": {"Status": "Suspended"}}),
    ("get", s3.get_object, {"Key": "out/a"}),
    ("head", s3.head_object, {"Key": "out/a"}),
    ("put", s3.put_object, {"Key": "out/put", "Body": b"new"}),
    ("put beside", s3.put_object, {"Key": "inside", "Body": b"new"}),
    ("put with parts", s3.create_multipart_upload, {"Key": "out/parts"}),
    ("copy out", s3.copy_object, {"Key": "out/copy", **copy}),
    ("copy in", s3.copy_object, {"Key": "in/stolen", "CopySource": {"Bucket": "files", "Key": "out/a"}}),
    ("delete", s3.delete_object, {"Key": "out/a"}),
]:
    expect(f"{what} outside", said(call, **arguments), "AccessDenied")

if "list" in GRANTED:
    # Wherever a page is said to begin.
    for marker in ["!", "accounts", "in"]:
        found = s3.list_object_versions(Bucket="files", Prefix="in/", KeyMarker=marker)
        keys = {one["Key"] for one in found["Versions"]}
        assert "in/a" in keys and all(key.startswith("in/") for key in keys), (marker, keys)
        ids = {one["VersionId"] for one in found["Versions"]}
        assert {NOW, OLDER} <= ids and TRASHED not in ids, (marker, ids)

names = ["in/gone", "out/a", "in/none", "inside"]
answer = s3.delete_objects(Bucket="files", Delete={"Objects": [{"Key": name} for name in names]})
deleted = sorted(one["Key"] for one in answer.get("Deleted", []))
refused = sorted((one["Key"], one["Code"]) for one in answer.get("Errors", []))
may = ["in/gone", "in/none"] if "delete" in GRANTED else []
expect("delete many", deleted, may)
expect("delete many", refused, [(name, "AccessDenied") for name in sorted(set(names) - set(may))])
"#;

on_disk_and_in_store!(an_access_key_with_grants_is_held_to_them_verb_by_verb);
async fn an_access_key_with_grants_is_held_to_them_verb_by_verb(berth: Berth) {
    let server = berth.with(ServerOptions::with_s3).await;
    put(&server, "in/a", b"a").await;
    let trashed = id_at(&server, "in/a").await;
    let (status, _) = server.delete("/api/v1/buckets/files/files/in/a").await;
    assert_eq!(status, 200);
    let change = server.request(Method::PATCH, "/api/v1/buckets/files");
    let change = change.header("Content-Type", "application/json");
    assert_eq!(answered(change.body(r#"{"versions":true}"#)).await.0, 200);
    put(&server, "in/a", b"a").await;
    let older = id_at(&server, "in/a").await;
    for path in ["accounts", "in/a", "accounts", "out/a"] {
        put(&server, path, b"a").await;
    }
    let now = id_at(&server, "in/a").await;
    let key = access_key(&server, "nas", &["files:read", "files:write"]).await;
    let Some(mut boto) = Boto::start(&server) else {
        return;
    };
    for verbs in [
        &["read"][..],
        &["list"],
        &["write"],
        &["delete"],
        &["share"],
        &["read", "write"],
        &["read", "list", "write", "delete"],
    ] {
        put(&server, "in/gone", b"a").await;
        put(&server, "in/last", b"a").await;
        let last = id_at(&server, "in/last").await;
        let body = json!({ "access_key": key.id, "prefix": "in/", "permissions": verbs });
        let id = grant(&server, body).await;
        let script = format!(
            "GRANTED = {verbs:?}\nNOW, OLDER, TRASHED, LAST = {:?}\n{VERBS}",
            [&now, &older, &trashed, &last]
        );
        boto.run((&key.key, &key.secret), &script).await;
        for path in ["in/gone", "in/last"] {
            let gone = is_there(&server, path).await;
            assert_eq!(gone, !verbs.contains(&"delete"), "{path} with {verbs:?}");
        }
        assert!(is_there(&server, "out/a").await, "{verbs:?}");
        let (_, trash) = server.get("/api/v1/buckets/files/trash").await;
        assert_eq!(trash["items"][0]["id"], *trashed, "with {verbs:?}: {trash}");
        taken_back(&server, &id).await;
    }
    // With all that can be granted it removes no bucket, not even one that holds nothing.
    let empty = json!({ "name": "empty" });
    assert_eq!(server.post("/api/v1/buckets", &empty).await.0, 201);
    let all = json!({
        "access_key": key.id, "permissions": ["read", "list", "write", "delete", "share"],
    });
    let (status, grant) = server.post("/api/v1/buckets/empty/grants", &all).await;
    assert_eq!(status, 201, "{grant}");
    let remove = "s3.delete_bucket(Bucket='empty')";
    assert_eq!(boto.asked(&key, remove).await, "AccessDenied");
    // Of another bucket, in which it has no grants any more, it is not told.
    let head = "s3.head_bucket(Bucket='files')";
    assert_eq!(boto.asked(&key, head).await, "403");
    let listed = "print(*[one['Name'] for one in s3.list_buckets()['Buckets']])";
    let listed = boto.run((&key.key, &key.secret), listed).await;
    assert_eq!(listed.trim(), "empty");
    // Nobody else removes it either, as the key would be held to nothing then, and what lies
    // in its trash stays for that.
    let file = "/api/v1/buckets/empty/files/a";
    let put = server.request(Method::PUT, file).body("a");
    assert_eq!(answered(put).await.0, 201);
    assert_eq!(server.delete(file).await.0, 200);
    let other = access_key(&server, "other", &["files:read", "files:write"]).await;
    assert_eq!(boto.asked(&other, remove).await, "InvalidBucketState");
    let (_, trash) = server.get("/api/v1/buckets/empty/trash").await;
    assert_eq!(trash["items"][0]["path"], "a", "{trash}");
    // Without grants it may what its owner may.
    let grant = grant["id"].as_str().expect("an id");
    let path = format!("/api/v1/buckets/empty/grants/{grant}");
    assert_eq!(server.delete(&path).await.0, 204);
    let all = "s3.get_object(Bucket='files', Key='out/a'); s3.delete_bucket(Bucket='empty')";
    assert_eq!(boto.asked(&key, all).await, "fine");
}

/// The id of the content that lies at a path.
async fn id_at(server: &Afloat, path: &str) -> String {
    let details = format!("/api/v1/buckets/files/details/{path}");
    let (status, file) = server.get(&details).await;
    assert_eq!(status, 200, "{file}");
    file["id"].as_str().expect("an id").to_owned()
}

async fn is_there(server: &Afloat, path: &str) -> bool {
    let details = format!("/api/v1/buckets/files/details/{path}");
    server.get(&details).await.0 == 200
}

fn sharing(request: RequestBuilder, path: &str) -> RequestBuilder {
    request
        .header("Content-Type", "application/json")
        .body(json!({ "path": path }).to_string())
}

on_disk_and_in_store!(to_share_takes_the_right_to_share_and_to_what_is_shared);
async fn to_share_takes_the_right_to_share_and_to_what_is_shared(berth: Berth) {
    let server = berth.usual().await;
    put(&server, "a/one", b"one").await;
    put(&server, "b/two", b"two").await;
    let password = add_user(&server, "vera", "viewer").await;
    let change = server.request(Method::PATCH, "/api/v1/buckets/files");
    let change = change.header("Content-Type", "application/json");
    assert_eq!(answered(change.body(r#"{"by_role":false}"#)).await.0, 200);
    let cases: [(&[&str], u16, u16); 5] = [
        (&["share"], 403, 403),
        (&["read", "list"], 403, 403),
        (&["share", "list"], 403, 403),
        (&["read", "share"], 201, 403),
        (&["read", "list", "share"], 201, 201),
    ];
    for (verbs, of_file, of_folder) in cases {
        let body = json!({ "user": "vera", "prefix": "a/", "permissions": verbs });
        let id = grant(&server, body).await;
        for (path, wanted) in [
            ("a/one", of_file),
            ("a/", of_folder),
            ("b/two", 403),
            ("b/", 403),
        ] {
            let request = server.request_as("vera", &password, Method::POST, SHARES);
            let (status, share) = answered(sharing(request, path)).await;
            let share = String::from_utf8_lossy(&share).into_owned();
            assert_eq!(status, wanted, "{path} with {verbs:?}: {share}");
        }
        taken_back(&server, &id).await;
    }
}

on_disk_and_in_store!(a_token_may_the_verb_that_it_is_granted_and_no_other);
async fn a_token_may_the_verb_that_it_is_granted_and_no_other(berth: Berth) {
    let server = berth.usual().await;
    let body = json!({ "name": "ci", "scopes": ["files:read", "files:write"] });
    let (status, made) = server.post("/api/v1/tokens", &body).await;
    assert_eq!(status, 201, "{made}");
    let token = made["token"].as_str().expect("a token");
    let ask = |method: Method, path: &str| server.anonymous(method, path).bearer_auth(token);
    let file = |path: &str| format!("/api/v1/buckets/files/files/{path}");
    for verbs in [
        &["read"][..],
        &["list"],
        &["write"],
        &["delete"],
        &["share"],
        &["read", "share"],
    ] {
        for path in ["in/a", "in/gone", "out/a"] {
            put(&server, path, b"content").await;
        }
        let body = json!({ "token": made["id"], "prefix": "in/", "permissions": verbs });
        let id = grant(&server, body).await;
        let may = |verb: &str| verbs.contains(&verb);
        let listing = "/api/v1/buckets/files/files?prefix=in/";
        for (what, request, allowed) in [
            ("read", ask(Method::GET, &file("in/a")), may("read")),
            ("list", ask(Method::GET, listing), may("list")),
            (
                "write",
                ask(Method::PUT, &file("in/a")).body("new"),
                may("write"),
            ),
            (
                "delete",
                ask(Method::DELETE, &file("in/gone")),
                may("delete"),
            ),
            (
                "share",
                sharing(ask(Method::POST, SHARES), "in/a"),
                may("share") && may("read"),
            ),
            ("read outside", ask(Method::GET, &file("out/a")), false),
            (
                "write outside",
                ask(Method::PUT, &file("out/a")).body("new"),
                false,
            ),
            ("delete outside", ask(Method::DELETE, &file("out/a")), false),
            (
                "share outside",
                sharing(ask(Method::POST, SHARES), "out/a"),
                false,
            ),
        ] {
            let status = answered(request).await.0;
            if allowed {
                assert!(
                    matches!(status, 200 | 201),
                    "{what} with {verbs:?}: {status}"
                );
            } else {
                assert_eq!(status, 403, "{what} with {verbs:?}");
            }
        }
        let content = answered(server.request(Method::GET, &file("in/a"))).await.1;
        let wanted: &[u8] = if may("write") { b"new" } else { b"content" };
        assert_eq!(content, wanted, "{verbs:?}");
        assert_eq!(
            is_there(&server, "in/gone").await,
            !may("delete"),
            "{verbs:?}"
        );
        taken_back(&server, &id).await;
    }
}
