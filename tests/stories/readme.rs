//! What the README tells to type, typed as it stands there: for who reads it, nothing else of
//! this is true yet.

use crate::archive::contents;
use crate::program::{BINARY, s3_tool, server};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use testing::{
    Answer, Content, Origin, TestDatabase, TestServer, installed, on_sqlite, s3_client, within,
};

const README: &str = include_str!("../../README.md");

/// The examples for a shell, in their order.
fn examples() -> Vec<&'static str> {
    let fenced = README.split("```").skip(1).step_by(2);
    fenced
        .filter_map(|block| block.strip_prefix("sh\n"))
        .collect()
}

/// What stands for something else here than for its reader. Each is really there.
fn typed_here(examples: &str, places: &[(&str, &str)]) -> String {
    let mut typed = examples.to_owned();
    for (there, here) in places {
        assert!(
            typed.contains(there),
            "the README has no {there:?}:\n{typed}"
        );
        typed = typed.replace(there, here);
    }
    typed
}

/// A shell types it, and it goes well; what was written to standard output.
async fn typed(script: &str, aws: &Path, server: &TestServer, folder: &Path) -> String {
    let chosen = std::env::var_os("LONGSHORE_BIN").map(PathBuf::from);
    let mut shell = s3_tool(Path::new("bash"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LONGSHORE_") {
            shell.env_remove(name);
        }
    }
    shell
        .args(["-euo", "pipefail", "-c", script])
        .env("LONGSHORE", chosen.unwrap_or_else(|| BINARY.into()))
        .env("AWS", aws)
        .env("PASSWORD", server.admin_password())
        .env("HOME", folder)
        .env("XDG_CONFIG_HOME", folder.join(".config"))
        .env("XDG_STATE_HOME", folder.join(".state"))
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let ended = within("what is typed", shell.output()).await;
    let ended = ended.expect("there is a shell");
    let [out, said] = [&ended.stdout, &ended.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(ended.status.success(), "{script}\n{out}\n{said}");
    out.into_owned()
}

on_sqlite!(what_the_readme_tells_to_type_does_what_it_says);
async fn what_the_readme_tells_to_type_does_what_it_says(database: TestDatabase) {
    let (Some(aws), Some(_)) = (s3_client("aws"), installed("curl")) else {
        return;
    };
    let server = server(&database).with_s3().start().await;
    let origin = Origin::start().await;
    let [a, b] = ["a", "b"].map(|name| {
        let path = format!("/{name}.jpg");
        origin.put(&path, Answer::ok(Content::bytes(name)))
    });
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, content).expect("a file");
    };
    let read = |name: &str| std::fs::read(folder.path().join(name)).expect("it is there");
    write("addresses.txt", &format!("{a}\n{b}\n"));
    write("foo", "the content of foo");
    write("covers/one.jpg", "one");
    write("covers/deep/two.jpg", "two");
    let both = BTreeMap::from(["a", "b"].map(|name| (format!("{name}.jpg"), name.into())));

    // Cargo's own are no part of the program.
    let examples = examples().into_iter();
    let examples: Vec<&str> = examples.filter(|one| !one.starts_with("cargo ")).collect();
    let [bundled, streamed, files] = examples[..] else {
        panic!("three examples: {examples:#?}");
    };
    let url = server.url();
    let program = ("target/release/longshore", "\"$LONGSHORE\"");
    let asked_for = ("-u admin", "-u \"admin:$PASSWORD\" -sS --fail");

    let log_in = format!("login {url} --admin --user admin --password-stdin <<< \"$PASSWORD\"");
    let script = typed_here(
        bundled,
        &[program, ("login http://127.0.0.1:8011 --admin", &log_in)],
    );
    typed(&script, &aws, &server, folder.path()).await;
    assert_eq!(contents(&read("covers.zip")), both);
    std::fs::remove_file(folder.path().join("covers.zip")).expect("it is there");

    let places = [
        asked_for,
        ("http://127.0.0.1:8011", &url),
        ("https://example.org/a.jpg", &a),
        ("https://example.org/b.jpg", &b),
    ];
    let script = typed_here(streamed, &places);
    typed(&script, &aws, &server, folder.path()).await;
    assert_eq!(contents(&read("covers.zip")), both);

    let host = format!("http://files.localhost:{}", server.port());
    let key = "\"$LONGSHORE\" access-key add laptop";
    let places = [
        program,
        asked_for,
        ("http://files.localhost:8011", &host),
        ("http://127.0.0.1:8012", &server.s3_url()),
        // Its two lines are for the environment of the next.
        (key, &format!("key=$({key}); export $key")),
        ("aws --", "\"$AWS\" --"),
    ];
    let script = typed_here(files, &places);
    let lines = files.lines().filter(|line| !line.is_empty()).count();
    assert_eq!(lines, 6, "six lines show files");
    let out = typed(&script, &aws, &server, folder.path()).await;
    assert!(out.starts_with("\"File uploaded\""), "{out}");
    assert!(out.contains("the content of foo"), "{out}");
    assert_eq!(read("one.jpg"), b"one");
    assert_eq!(read("deep/two.jpg"), b"two");
    let link = out.find(&format!("{url}/s/")).map(|at| &out[at..]);
    let link = link.and_then(|rest| rest.split_whitespace().next());
    let link = link.unwrap_or_else(|| panic!("no link in {out}"));
    let shared = reqwest::get(link).await.expect("an answer");
    assert_eq!(shared.status(), 200, "{link}");
}
