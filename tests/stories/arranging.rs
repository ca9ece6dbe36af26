//! How an archive is arranged: order, names, times, compression, repeats.

use crate::archive::{Member, members};
use crate::desk::{accepted, archive, in_state, made};
use crate::program::server;
use serde_json::json;
use std::io::Write;
use testing::{Answer, Content, Origin, TestDatabase, on_both};

fn names(members: &[Member]) -> Vec<&str> {
    members.iter().map(|member| member.name.as_str()).collect()
}

on_both!(entries_stand_as_they_were_asked_for_where_that_is_wanted);
async fn entries_stand_as_they_were_asked_for_where_that_is_wanted(database: TestDatabase) {
    let server = server(&database).start().await;
    for (order, expected) in [
        ("source", ["late.bin", "early.bin"]),
        ("arrival", ["early.bin", "late.bin"]),
    ] {
        let origin = Origin::start().await;
        let late = origin.put("/late.bin", Answer::ok(Content::seeded(1, 100)).held());
        let early = origin.put("/early.bin", Answer::ok(Content::seeded(2, 100)));
        let body = json!({ "sources": [late, early], "options": { "order": order } });
        let id = accepted(&server, &body).await;
        origin
            .when("the early one to be given", |counts| {
                counts.requests_in_all == 2 && counts.requests == 1
            })
            .await;
        if order == "arrival" {
            crate::desk::operation_when(&server, &id, |operation| {
                operation["progress"]["done"] == 1
            })
            .await;
        }
        origin.release();
        in_state(&server, &id, &["succeeded"]).await;
        assert_eq!(
            names(&members(&archive(&server, &id).await)),
            expected,
            "{order}"
        );
    }
}

on_both!(the_same_address_is_fetched_once_however_often_it_is_asked_for);
async fn the_same_address_is_fetched_once_however_often_it_is_asked_for(database: TestDatabase) {
    let origin = Origin::start().await;
    let url = origin.put("/cover.jpg", Answer::ok(Content::seeded(1, 700)));
    let server = server(&database).start().await;
    let body = json!({ "sources": [url, url, { "url": url, "path": "back/cover.jpg" }, url] });
    let (_, archive) = made(&server, &body).await;
    let members = members(&archive);
    let mut names = names(&members);
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "back/cover.jpg",
            "cover (2).jpg",
            "cover (3).jpg",
            "cover.jpg"
        ]
    );
    assert!(
        members
            .iter()
            .all(|member| member.content == members[0].content)
    );
    assert_eq!(origin.seen_of("/cover.jpg").len(), 1);
}

on_both!(names_come_from_path_header_and_address_and_lead_nowhere_else);
async fn names_come_from_path_header_and_address_and_lead_nowhere_else(database: TestDatabase) {
    let origin = Origin::start().await;
    let plain = Answer::ok(Content::bytes("x"));
    let named = plain.clone().header(
        "Content-Disposition",
        "attachment; filename=\"../../Bericht 1.pdf\"",
    );
    origin.put("/download?id=7", named);
    origin.put("/caf%C3%A9.txt", plain.clone());
    origin.put("/a", plain);
    let a = origin.url("/a");
    let server = server(&database).start().await;
    let body = json!({ "options": { "order": "source" }, "sources": [
        origin.url("/download?id=7"),
        origin.url("/caf%C3%A9.txt"),
        { "url": a, "path": "../../etc/passwd" },
        { "url": origin.url("/a?1"), "path": "/absolute/x" },
        { "url": origin.url("/a?2"), "path": "C:\\windows\\CON" },
        { "url": origin.url("/a?3"), "path": "_longshore-report.json" },
    ] });
    origin.answer_others(|_| Answer::ok(Content::bytes("x")));
    let (_, archive) = made(&server, &body).await;
    let members = members(&archive);
    let names = names(&members);
    assert_eq!(names.len(), 6, "{names:?}");
    assert!(
        names[0].ends_with("Bericht 1.pdf") && names[1] == "café.txt",
        "{names:?}"
    );
    for name in &names {
        let parts: Vec<&str> = name.split('/').collect();
        assert!(!parts.contains(&"..") && !parts.contains(&""), "{names:?}");
        assert!(
            !name.contains(['\\', ':']) && !name.starts_with('/'),
            "{names:?}"
        );
        assert_ne!(*name, "_longshore-report.json", "that name is the report's");
    }
}

on_both!(what_gains_by_it_is_compressed_unless_nothing_shall_be);
async fn what_gains_by_it_is_compressed_unless_nothing_shall_be(database: TestDatabase) {
    let origin = Origin::start().await;
    let text = "the same words again and again. ".repeat(4000);
    let answer = |kind: &str| Answer::ok(Content::bytes(&text)).header("Content-Type", kind);
    let urls = [
        origin.put("/a.txt", answer("text/plain")),
        origin.put("/b.jpg", answer("image/jpeg")),
        origin.put("/c.zip", answer("application/zip")),
        origin.put("/d.svg", answer("image/svg+xml")),
    ];
    let server = server(&database).start().await;
    for (compress, expected) in [("auto", [8, 0, 0, 8]), ("never", [0; 4])] {
        let options = json!({ "order": "source", "compress": compress });
        let body = json!({ "sources": urls, "options": options });
        let (_, archive) = made(&server, &body).await;
        let members = members(&archive);
        let methods: Vec<u16> = members.iter().map(|member| member.method).collect();
        assert_eq!(methods, expected, "{compress}");
        assert!(
            members
                .iter()
                .all(|member| member.content == text.as_bytes())
        );
        assert_eq!(archive.len() < text.len() * 3, compress == "auto");
    }
}

on_both!(files_have_the_times_of_their_origin);
async fn files_have_the_times_of_their_origin(database: TestDatabase) {
    let origin = Origin::start().await;
    let day =
        Answer::ok(Content::bytes("x")).header("Last-Modified", "Sat, 14 Mar 2020 15:09:26 GMT");
    let url = origin.put("/pi.txt", day);
    let server = server(&database).start().await;
    let (_, archive) = made(&server, &json!({ "sources": [url] })).await;
    assert_eq!(members(&archive)[0].modified, Some(1_584_198_566));
}

on_both!(sizes_from_nothing_to_beyond_the_buffer_come_whole);
async fn sizes_from_nothing_to_beyond_the_buffer_come_whole(database: TestDatabase) {
    let origin = Origin::start().await;
    let mut urls = Vec::new();
    // Around 256 KiB, where bodies are not read into memory any more.
    let sizes = [0, 1, 65_535, 262_143, 262_144, 262_145, 2_000_000];
    for (at, size) in sizes.into_iter().enumerate() {
        let answer = Answer::ok(Content::seeded(at as u64, size));
        urls.push(origin.put(&format!("/{at}.length.bin"), answer.clone()));
        urls.push(origin.put(&format!("/{at}.chunked.bin"), answer.clone().chunked()));
        urls.push(origin.put(&format!("/{at}.close.bin"), answer.until_close()));
    }
    let server = server(&database).start().await;
    let (_, archive) = made(&server, &json!({ "sources": urls })).await;
    let members = members(&archive);
    assert_eq!(members.len(), sizes.len() * 3);
    for member in &members {
        let at: u64 = member
            .name
            .split('.')
            .next()
            .and_then(|at| at.parse().ok())
            .expect("a number");
        let size = sizes[usize::try_from(at).expect("small")];
        assert!(
            member.content == Content::seeded(at, size).to_vec(),
            "{}",
            member.name
        );
    }
    crate::archive::is_sound(&archive, members.len()).await;
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).expect("memory takes it");
    packed.finish().expect("memory takes it")
}

fn zlib(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).expect("memory takes it");
    packed.finish().expect("memory takes it")
}

on_both!(what_an_origin_compresses_for_the_way_comes_as_the_file_that_it_is);
async fn what_an_origin_compresses_for_the_way_comes_as_the_file_that_it_is(
    database: TestDatabase,
) {
    let origin = Origin::start().await;
    let (short, long) = ("plain words".to_owned(), "plain words\n".repeat(100_000));
    let mut urls = Vec::new();
    for (name, text) in [("short", &short), ("long", &long)] {
        let packed = |bytes: Vec<u8>, encoding: &str| {
            Answer::ok(Content::bytes(bytes)).header("Content-Encoding", encoding)
        };
        urls.push(origin.put(&format!("/{name}.gzip.css"), packed(gzip(text), "gzip")));
        let zlib = packed(zlib(text), "deflate").chunked();
        urls.push(origin.put(&format!("/{name}.deflate.css"), zlib));
        urls.push(origin.put(
            &format!("/{name}.plain.css"),
            Answer::ok(Content::bytes(text)),
        ));
    }
    // A file that is an archive itself is not encoded, and stays what it is.
    let tar = gzip(&short);
    urls.push(origin.put("/a.tar.gz", Answer::ok(Content::bytes(&tar))));
    let brotli = Answer::ok(Content::bytes("?")).header("Content-Encoding", "br");
    urls.push(origin.put("/b.css", brotli));
    let false_claim = Answer::ok(Content::bytes("plain")).header("Content-Encoding", "gzip");
    urls.push(origin.put("/c.css", false_claim));
    let server = server(&database).start().await;
    let (_, archive) = made(&server, &json!({ "sources": urls })).await;
    let mut contents = crate::archive::contents(&archive);
    assert!(contents.remove("a.tar.gz") == Some(tar));
    assert_eq!(contents.len(), 6);
    for (name, content) in &contents {
        let text = if name.starts_with("short") {
            &short
        } else {
            &long
        };
        assert!(content == text.as_bytes(), "{name}");
    }
    let reasons = crate::archive::reasons(&archive);
    let codes: Vec<&str> = reasons.values().map(String::as_str).collect();
    assert_eq!(codes, ["unknown-encoding", "undecodable"]);
    for seen in origin.seen() {
        let accepts = seen.header("accept-encoding").unwrap_or("identity");
        assert_eq!(accepts, "identity", "{seen:?}");
    }
}

on_both!(an_answer_that_brings_no_file_is_missing);
async fn an_answer_that_brings_no_file_is_missing(database: TestDatabase) {
    let origin = Origin::start().await;
    let mut urls = Vec::new();
    for status in [200, 201, 202, 203, 204, 205, 206] {
        urls.push(origin.put(&format!("/{status}.txt"), Answer::status(status)));
    }
    let server = server(&database).start().await;
    let (_, archive) = made(&server, &json!({ "sources": urls })).await;
    let contents = crate::archive::contents(&archive);
    let names: Vec<&String> = contents.keys().collect();
    assert_eq!(names, ["200.txt", "203.txt"]);
    let missing: Vec<u64> = crate::archive::reasons(&archive).into_keys().collect();
    assert_eq!(missing, [1, 2, 4, 5, 6]);
}
