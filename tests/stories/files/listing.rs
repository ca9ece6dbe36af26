//! The list of a bucket's own domain: one array, however many files there are.

use super::HOST;
use crate::afloat::{Berth, on_disk_and_in_store};
use crate::stored::{add_user, answered};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::fmt::Write;
use testing::TestServer;

/// Puts so many small files below a folder, by one form: this takes a moment only.
async fn fill(server: &TestServer, folder: &str, files: usize) {
    let mut form = String::new();
    for number in 0..files {
        let _ = write!(
            form,
            "--line\r\nContent-Disposition: form-data; name=\"file\"; \
             filename=\"{folder}/{number:04}\"\r\n\r\n{number}\r\n"
        );
    }
    form.push_str("--line--\r\n");
    let post = server
        .request(Method::POST, "/api/v1/buckets/files/files")
        .header("Content-Type", "multipart/form-data; boundary=line")
        .body(form);
    let (status, report) = answered(post).await;
    assert_eq!(status, 201, "{}", String::from_utf8_lossy(&report));
}

fn names(folder: &str, files: usize) -> Vec<String> {
    (0..files)
        .map(|number| format!("{folder}/{number:04}"))
        .collect()
}

/// The paths that both routes list, in their order.
async fn listed(ask: impl Fn(&str) -> RequestBuilder) -> Vec<String> {
    let mut both = Vec::new();
    for route in ["/", "/api/list"] {
        let (status, body) = answered(ask(route).header("Host", HOST)).await;
        assert_eq!(status, 200, "{route}");
        let files: Vec<Value> = serde_json::from_slice(&body).expect("an array");
        let path = |file: &Value| {
            let part = |field: &str| file[field].as_str().expect("text").to_owned();
            part("prefix_path") + &part("filename")
        };
        both.push(files.iter().map(path).collect::<Vec<_>>());
    }
    let last = both.pop().expect("two lists");
    assert_eq!(both[0], last);
    last
}

on_disk_and_in_store!(a_list_is_whole_whatever_pages_it_is_read_in);
async fn a_list_is_whole_whatever_pages_it_is_read_in(berth: Berth) {
    let server = &berth.usual().await;
    let all = || listed(|route| server.request(Method::GET, route));
    assert_eq!(all().await, Vec::<String>::new());
    // As many as are read at once, one more, and some pages. A list asks the catalogue alone,
    // so that a store would only take longer to be filled.
    let more = if server.is_in_store() { 199 } else { 599 };
    fill(server, "a", 500).await;
    assert_eq!(all().await, names("a", 500));
    fill(server, "b", 1).await;
    assert_eq!(all().await, [names("a", 500), names("b", 1)].concat());
    fill(server, "c", more).await;
    let every = [names("a", 500), names("b", 1), names("c", more)].concat();
    assert_eq!(all().await, every);

    // How much it is, and where it was counted no further.
    for (ask, files, bytes, more_there) in [
        ("prefix=a/", 500, 1390, false),
        ("prefix=a/&most=500", 500, 1390, false),
        ("prefix=a/&most=499", 499, 1387, true),
        ("prefix=a/000", 10, 10, false),
        ("prefix=none/", 0, 0, false),
        ("most=1", 1, 1, true),
    ] {
        let (status, sum) = server
            .get(&format!("/api/v1/buckets/files/sum?{ask}"))
            .await;
        assert_eq!(status, 200, "{ask}: {sum}");
        let expected = json!({ "files": files, "bytes": bytes, "more": more_there });
        assert_eq!(sum, expected, "{ask}");
    }
    for most in ["0", "100001", "-1"] {
        let ask = format!("/api/v1/buckets/files/sum?most={most}");
        assert_eq!(server.get(&ask).await.0, 400, "{most}");
    }

    // And of those who may list some folders, exactly these.
    let rules = server
        .request(Method::PATCH, "/api/v1/buckets/files")
        .header("Content-Type", "application/json")
        .body(json!({ "by_role": false }).to_string());
    assert_eq!(answered(rules).await.0, 200);
    for (name, prefixes, expected) in [
        (
            "vera",
            ["a/", "c/"],
            [names("a", 500), names("c", more)].concat(),
        ),
        ("otto", ["a/", "none/"], names("a", 500)),
        ("nora", ["bare/", "none/"], Vec::new()),
    ] {
        let password = &add_user(server, name, "viewer").await;
        for prefix in prefixes {
            let grant = json!({ "user": name, "prefix": prefix, "permissions": ["list"] });
            let (status, made) = server.post("/api/v1/buckets/files/grants", &grant).await;
            assert_eq!(status, 201, "{made}");
        }
        let seen = listed(|route| server.request_as(name, password, Method::GET, route)).await;
        assert_eq!(seen, expected, "{name}");
    }
}
