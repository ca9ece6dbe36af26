//! Quotas: of a bucket, in bytes and in files, and of a user in it. What is known to be too
//! much is refused before any of it is sent.

use crate::afloat::{Afloat, Berth, on_disk_and_in_store};
use crate::s3::{Boto, access_key};
use crate::stored::{HOST, add_user, answered, path_of, put, refusal};
use reqwest::Method;
use serde_json::{Value, json};
use testing::{ServerOptions, TestServer, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn limit(server: &TestServer, rules: Value) {
    let change = server
        .request(Method::PATCH, "/api/v1/buckets/files")
        .header("Content-Type", "application/json")
        .body(rules.to_string());
    assert_eq!(answered(change).await.0, 200);
}

/// The server's own host and port.
fn own_host(server: &TestServer) -> String {
    server.url().trim_start_matches("http://").to_owned()
}

/// Whether all of an answer has come.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let head = head.to_lowercase();
    let mut lines = head.lines();
    let length = lines.find_map(|line| line.strip_prefix("content-length: "));
    let length = length.expect("it says how long it is");
    length.parse() == Ok(body.len())
}

/// What is answered to the head of a request of which no body ever comes: its status and its
/// text.
async fn answer_without_body(url: &str, head: &str) -> (u16, String) {
    let address = url.trim_start_matches("http://");
    let mut socket = TcpStream::connect(address).await.expect("it listens");
    socket.write_all(head.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    let end = within("an answer without a body", async {
        let mut buffer = [0; 4096];
        while !is_whole(&answer) {
            match socket.read(&mut buffer).await {
                Ok(0) => break,
                Ok(read) => answer.extend_from_slice(&buffer[..read]),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    });
    end.await.expect("it is not cut off");
    let answer = String::from_utf8(answer).expect("text");
    let status = answer.split(' ').nth(1).and_then(|text| text.parse().ok());
    let body = answer.split_once("\r\n\r\n").expect("a body").1;
    (status.expect("a status"), body.to_owned())
}

/// The same of this server, to somebody: its status and the code of the problem.
async fn problem_of_head(
    server: &TestServer,
    (name, password): (&str, &str),
    (line, host, headers): (&str, &str, &str),
    length: u64,
) -> (u16, String) {
    let basic = data_encoding::BASE64.encode(format!("{name}:{password}").as_bytes());
    let head = format!(
        "{line} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {basic}\r\n{headers}\
         Content-Length: {length}\r\n\r\n"
    );
    let (status, body) = answer_without_body(&server.url(), &head).await;
    let problem: Value = serde_json::from_str(&body).expect("a problem");
    let code = problem["code"].as_str().unwrap_or_default().to_owned();
    (status, code)
}

/// The same of a PUT.
async fn answer_to_head(
    server: &TestServer,
    who: (&str, &str),
    path: &str,
    length: u64,
) -> (u16, String) {
    let line = format!("PUT {}", file(path));
    let host = own_host(server);
    problem_of_head(server, who, (&line, &host, ""), length).await
}

fn exceeded() -> (u16, String) {
    (507, "quota-exceeded".to_owned())
}

fn file(path: &str) -> String {
    format!("/api/v1/buckets/files/files/{path}")
}

on_disk_and_in_store!(what_is_known_to_be_too_much_is_refused_before_it_is_sent);
async fn what_is_known_to_be_too_much_is_refused_before_it_is_sent(berth: Berth) {
    let server = berth.usual().await;
    put(&server, "there", b"123456").await;
    let password = add_user(&server, "otto", "operator").await;
    let otto = ("otto", password.as_str());
    let admin = ("admin", server.admin_password());

    limit(&server, json!({ "quota_bytes": 10 })).await;
    for length in [5, 1_000_000_000] {
        let refused = answer_to_head(&server, admin, "more", length).await;
        assert_eq!(refused, exceeded(), "{length} more than 6 of 10");
    }
    let fits = server.request(Method::PUT, &file("fits"));
    assert_eq!(answered(fits.body("1234")).await.0, 201);
    // It is full: what lies there makes room for what comes in its place, and for no more.
    for content in ["654321", "1", "123456"] {
        let over = server.request(Method::PUT, &file("there"));
        assert_eq!(answered(over.body(content)).await.0, 200, "{content}");
    }
    assert_eq!(answer_to_head(&server, admin, "there", 7).await, exceeded());

    limit(&server, json!({ "quota_bytes": 0, "quota_files": 2 })).await;
    assert_eq!(answer_to_head(&server, admin, "third", 1).await, exceeded());
    let over = server.request(Method::PUT, &file("there"));
    assert_eq!(answered(over.body("abcdef")).await.0, 200);

    // Everybody has so much, whatever others have.
    let of_users = json!({ "quota_files": 0, "user_quota_bytes": 12 });
    limit(&server, of_users).await;
    assert_eq!(answer_to_head(&server, admin, "more", 3).await, exceeded());
    assert_eq!(answer_to_head(&server, otto, "his", 13).await, exceeded());
    let his = server.request_as("otto", &password, Method::PUT, &file("his"));
    assert_eq!(answered(his.body("123456789")).await.0, 201);
    assert_eq!(answer_to_head(&server, otto, "his2", 4).await, exceeded());
    let over = server.request_as("otto", &password, Method::PUT, &file("his"));
    assert_eq!(answered(over.body("987654321")).await.0, 200);
    let theirs = answer_to_head(&server, admin, "his", 3).await;
    assert_eq!(theirs, exceeded(), "what goes for it was another's");
    // Of what is sent without its length it is found out while it comes.
    let chunks: Vec<Result<&str, std::io::Error>> = vec![Ok("123"), Ok("456")];
    let chunked = reqwest::Body::wrap_stream(futures::stream::iter(chunks));
    let unknown = server.request_as("otto", &password, Method::PUT, &file("his2"));
    assert_eq!(refusal(unknown.body(chunked)).await, exceeded());
    assert_eq!(server.contents(), 3, "nothing of it is left");
}

/// Begins an upload of which nobody knows the length; its path.
async fn upload_without_length(server: &TestServer) -> String {
    let name = data_encoding::BASE64.encode(b"later");
    let create = server
        .request(Method::POST, "/tus")
        .header("Tus-Resumable", "1.0.0")
        .header("Upload-Defer-Length", "1")
        .header("Upload-Metadata", format!("filename {name}"));
    let answer = create.send().await.expect("an answer");
    assert_eq!(answer.status(), 201);
    let location = answer.headers()["location"].to_str().expect("text");
    path_of(server, location)
}

on_disk_and_in_store!(no_way_in_waits_for_what_is_known_to_be_too_much);
async fn no_way_in_waits_for_what_is_known_to_be_too_much(berth: Berth) {
    let server = berth.usual().await;
    put(&server, "there", b"123456").await;
    let later = upload_without_length(&server).await;
    let link = json!({ "path": "signed", "method": "PUT" });
    let (status, link) = server.post("/api/v1/buckets/files/presign", &link).await;
    assert_eq!(status, 200, "{link}");
    let link = link["url"].as_str().expect("an address");
    limit(&server, json!({ "quota_bytes": 10 })).await;

    let admin = ("admin", server.admin_password());
    let host = own_host(&server);
    let name = data_encoding::BASE64.encode(b"large");
    let bytes = "Tus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\n";
    for length in [5, 1_000_000_000] {
        let creation =
            format!("{bytes}Upload-Length: {length}\r\nUpload-Metadata: filename {name}\r\n");
        let going_on = format!("{bytes}Upload-Offset: 0\r\n");
        for (line, host, headers) in [
            ("PUT /large", HOST, ""),
            ("PUT /api/upload/large", HOST, ""),
            ("POST /tus", &host, creation.as_str()),
            (&format!("PATCH {later}"), &host, &going_on),
        ] {
            let refused = problem_of_head(&server, admin, (line, host, headers), length).await;
            assert_eq!(refused, exceeded(), "{line}, {length} bytes");
        }
        // Of a store's own address this server does not hear.
        if !server.is_in_store() {
            let path = path_of(&server, link);
            let head =
                format!("PUT {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n");
            let (status, body) = answer_without_body(&server.url(), &head).await;
            assert!(status == 507 && body.contains("quota-exceeded"), "{body}");
        }
    }
    assert_eq!(held(&server, "files").await["files"], 1);
}

/// What a bucket holds.
async fn held(server: &TestServer, bucket: &str) -> Value {
    let (status, bucket) = server.get(&format!("/api/v1/buckets/{bucket}")).await;
    assert_eq!(status, 200, "{bucket}");
    bucket["usage"].clone()
}

async fn transfer(server: &TestServer, how: &str, body: Value) -> (u16, Value) {
    let path = format!("/api/v1/buckets/files/{how}");
    let (status, answer) = server.post(&path, &body).await;
    (status.as_u16(), answer)
}

async fn made(server: &Afloat, bucket: &str, settings: Value) {
    let body = json!({ "name": bucket, "settings": settings });
    let (status, made) = server.post("/api/v1/buckets", &body).await;
    assert_eq!(status, 201, "{made}");
}

on_disk_and_in_store!(a_copy_and_a_move_to_another_bucket_count_against_its_quota);
async fn a_copy_and_a_move_to_another_bucket_count_against_its_quota(berth: Berth) {
    let server = berth.usual().await;
    made(&server, "narrow", json!({ "quota_bytes": 10 })).await;
    made(&server, "personal", json!({ "user_quota_bytes": 10 })).await;
    put(&server, "six", b"123456").await;
    put(&server, "eleven", b"12345678901").await;
    for bucket in ["narrow", "personal"] {
        for how in ["copy", "move"] {
            let body = json!({ "from": "eleven", "to": "eleven", "to_bucket": bucket });
            let (status, problem) = transfer(&server, how, body).await;
            assert_eq!(status, 507, "{how} to {bucket}: {problem}");
            assert_eq!(problem["code"], "quota-exceeded", "{problem}");
            assert_eq!(held(&server, bucket).await["files"], 0);
        }
        let body = json!({ "from": "six", "to": "six", "to_bucket": bucket });
        assert_eq!(transfer(&server, "copy", body).await.0, 200);
        let body = json!({ "from": "six", "to": "second", "to_bucket": bucket });
        let (status, problem) = transfer(&server, "copy", body).await;
        assert_eq!(status, 507, "it has 6 of 10: {problem}");
        let usage = held(&server, bucket).await;
        assert_eq!((&usage["files"], &usage["bytes"]), (&json!(1), &json!(6)));
    }
    // What did not go stays where it was.
    let eleven = server.request(Method::GET, &file("eleven"));
    assert_eq!(answered(eleven).await, (200, b"12345678901".to_vec()));
    // Within a bucket a copy counts, and a move does not.
    limit(&server, json!({ "quota_bytes": 20 })).await;
    let copy = json!({ "from": "six", "to": "again" });
    assert_eq!(transfer(&server, "copy", copy).await.0, 507);
    let rename = json!({ "from": "six", "to": "again" });
    assert_eq!(transfer(&server, "move", rename).await.0, 200);
    let usage = held(&server, "files").await;
    assert_eq!((&usage["files"], &usage["bytes"]), (&json!(2), &json!(17)));
}

on_disk_and_in_store!(a_client_of_s3_is_told_that_the_quota_is_exceeded);
async fn a_client_of_s3_is_told_that_the_quota_is_exceeded(berth: Berth) {
    let server = berth.with(ServerOptions::with_s3).await;
    let key = access_key(&server, "clients", &["files:read", "files:write"]).await;
    limit(&server, json!({ "quota_bytes": 10 })).await;
    let Some(mut boto) = Boto::start(&server) else {
        return;
    };
    for (what, wanted) in [
        (
            "s3.put_object(Bucket='files', Key='x', Body=b'123456')",
            "fine",
        ),
        (
            "s3.put_object(Bucket='files', Key='y', Body=b'12345')",
            "QuotaExceeded",
        ),
        (
            "s3.copy_object(Bucket='files', Key='y', CopySource='files/x')",
            "QuotaExceeded",
        ),
        (
            "u = dict(Bucket='files', Key='y')\n    \
             u['UploadId'] = s3.create_multipart_upload(**u)['UploadId']\n    \
             s3.upload_part(PartNumber=1, Body=b'12345', **u)",
            "QuotaExceeded",
        ),
        // In the place of what lies there it fits, also in parts; and what has come in parts and
        // is no file yet counts.
        (
            "s3.put_object(Bucket='files', Key='x', Body=b'654321')\n    \
             u = dict(Bucket='files', Key='x')\n    \
             u['UploadId'] = s3.create_multipart_upload(**u)['UploadId']\n    \
             p = s3.upload_part(PartNumber=1, Body=b'1234567890', **u)\n    \
             p = dict(PartNumber=1, ETag=p['ETag'])\n    \
             s3.complete_multipart_upload(MultipartUpload=dict(Parts=[p]), **u)\n    \
             s3.put_object(Bucket='files', Key='x', Body=b'1234')\n    \
             u = dict(Bucket='files', Key='y')\n    \
             u['UploadId'] = s3.create_multipart_upload(**u)['UploadId']\n    \
             s3.upload_part(PartNumber=1, Body=b'123456', **u)",
            "fine",
        ),
        (
            "s3.put_object(Bucket='files', Key='z', Body=b'1')",
            "QuotaExceeded",
        ),
    ] {
        assert_eq!(boto.asked(&key, what).await, wanted, "{what}");
    }
    assert_eq!(held(&server, "files").await["files"], 1);
    // Nor is a body waited for of which it is known.
    let sign = "print(s3.generate_presigned_url('put_object', dict(Bucket='files', Key='z')))\n\
                u = dict(Bucket='files', Key='x')\n\
                u['UploadId'] = s3.create_multipart_upload(**u)['UploadId']\n\
                print(s3.generate_presigned_url('upload_part', dict(PartNumber=1, **u)))";
    let signed = boto.run((&key.key, &key.secret), sign).await;
    let signed: Vec<&str> = signed.lines().collect();
    assert_eq!(signed.len(), 2, "{signed:?}");
    for url in signed {
        let target = url.strip_prefix(&server.s3_url()).expect("it is here");
        let host = server.s3_url();
        let host = host.trim_start_matches("http://");
        let head =
            format!("PUT {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000000000\r\n\r\n");
        let (status, body) = answer_without_body(&server.s3_url(), &head).await;
        assert!(
            status == 403 && body.contains("<Code>QuotaExceeded<"),
            "{url}: {body}"
        );
    }
}
