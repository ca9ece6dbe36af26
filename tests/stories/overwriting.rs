//! Overwriting: whoever reads meanwhile has the old content or the new, never a mixture nor
//! nothing; and of several who want to replace the same content one does.

use crate::afloat::{Afloat, Berth, on_disk_and_in_store};
use crate::program::{server, sharing_a_key};
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use testing::{Content, Redis, TestDatabase, TestServer, on_postgres, on_sqlite, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

const WRITERS: u64 = 2;
const READERS: u64 = 3;
/// Contents that each writer puts.
const ROUNDS: u64 = 40;
/// What is larger is not read in one go.
const SMALL: usize = 64 * 1024;

fn file(path: &str) -> String {
    format!("/api/v1/buckets/files/files/{path}")
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().expect("ASCII");
    Some(value.to_owned())
}

/// A content that no other has, of a length of its own up to about `most`.
fn content(writer: u64, round: u64, most: usize) -> Vec<u8> {
    let mixed = (writer * 7919 + round * 104_729) % 100;
    let length = most / 2 + most * usize::try_from(mixed).expect("small") / 200;
    let text = format!("{writer}/{round};").into_bytes();
    text.into_iter().cycle().take(length).collect()
}

/// Puts contents one after the other; each by its ETag.
async fn write(server: Arc<Afloat>, writer: u64, most: usize) -> HashMap<String, Vec<u8>> {
    let mut written = HashMap::new();
    for round in 0..ROUNDS {
        let content = content(writer, round, most);
        let put = server.request(Method::PUT, &file("busy"));
        let answer = put.body(content.clone()).send().await.expect("an answer");
        let status = answer.status();
        assert!(matches!(status.as_u16(), 200 | 201), "{status}");
        let tag = header(answer.headers(), "etag").expect("it has one");
        written.insert(tag, content);
    }
    written
}

/// What somebody read: the ETag, from where on, of how many bytes, and the bytes' digest.
type Read = (String, usize, usize, usize, [u8; 32]);

/// What a reader asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    Whole,
    Middle,
    End,
}

/// Reads until the writers are done.
async fn read(server: Arc<Afloat>, over: Arc<AtomicBool>) -> Vec<Read> {
    let mut all = Vec::new();
    while !over.load(SeqCst) {
        for asks in [Asks::Whole, Asks::Middle, Asks::End] {
            let get = server.request(Method::GET, &file("busy"));
            let get = match asks {
                Asks::Whole => get,
                Asks::Middle => get.header("Range", "bytes=1000-9999"),
                Asks::End => get.header("Range", "bytes=-5000"),
            };
            let answer = within("an answer", get.send()).await.expect("it comes");
            let wanted = if asks == Asks::Whole { 200 } else { 206 };
            assert_eq!(answer.status(), wanted, "it is always there");
            let headers = answer.headers().clone();
            let bytes = answer.bytes().await.expect("the whole of it");
            all.push(described(&headers, &bytes, asks));
        }
    }
    all
}

/// What an answer says of itself must hold for its body.
fn described(headers: &HeaderMap, bytes: &[u8], asks: Asks) -> Read {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    let length = header(headers, "content-length").expect("it is told");
    assert_eq!(length, bytes.len().to_string());
    let (mut from, mut size) = (0, bytes.len());
    if asks == Asks::Whole {
        if let Some(told) = header(headers, "repr-digest") {
            let computed = data_encoding::BASE64.encode(&digest);
            assert_eq!(told, format!("sha-256=:{computed}:"));
        }
    } else {
        let range = header(headers, "content-range").expect("which part");
        let (part, of) = range
            .strip_prefix("bytes ")
            .and_then(|range| range.split_once('/'))
            .expect("a range");
        let (start, end) = part.split_once('-').expect("two ends");
        let number = |text: &str| text.parse::<usize>().expect("a number");
        (from, size) = (number(start), number(of));
        assert_eq!(number(end) + 1 - from, bytes.len(), "{range}");
    }
    let tag = header(headers, "etag").expect("it has one");
    (tag, from, bytes.len(), size, digest)
}

async fn readers_and_writers(berth: Berth, most: usize) {
    let server = Arc::new(berth.usual().await);
    let mut known = write_first(&server, most).await;
    let over = Arc::new(AtomicBool::new(false));
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        readers.spawn(read(Arc::clone(&server), Arc::clone(&over)));
    }
    let mut writers = JoinSet::new();
    for writer in 1..=WRITERS {
        writers.spawn(write(Arc::clone(&server), writer, most));
    }
    while let Some(written) = writers.join_next().await {
        known.extend(written.expect("no writer saw anything wrong"));
    }
    over.store(true, SeqCst);
    let (mut count, mut tags) = (0, BTreeMap::<String, u64>::new());
    while let Some(read) = readers.join_next().await {
        for (tag, from, length, size, digest) in read.expect("no reader saw anything wrong") {
            let content = known.get(&tag);
            let content = content.unwrap_or_else(|| panic!("nobody put {tag}"));
            assert_eq!(size, content.len(), "{tag}");
            let part = &content[from..from + length];
            let expected: [u8; 32] = Sha256::digest(part).into();
            assert!(digest == expected, "{tag}: bytes of another content");
            count += 1;
            *tags.entry(tag).or_default() += 1;
        }
    }
    assert!(tags.len() > 1, "{count} answers, and one content: {tags:?}");
    // What was replaced goes, and nothing else.
    server.comes_to(1).await;
}

async fn write_first(server: &Afloat, most: usize) -> HashMap<String, Vec<u8>> {
    let first = content(0, 0, most);
    let put = server.request(Method::PUT, &file("busy"));
    let answer = put.body(first.clone()).send().await.expect("an answer");
    assert_eq!(answer.status(), 201);
    let tag = header(answer.headers(), "etag").expect("it has one");
    HashMap::from([(tag, first)])
}

on_disk_and_in_store!(who_reads_while_others_overwrite_has_one_content_whole);
async fn who_reads_while_others_overwrite_has_one_content_whole(berth: Berth) {
    readers_and_writers(berth, SMALL).await;
}

// On the disk only: the store that tests have gives the bytes of one content under the tag of
// another where both come at once.
on_sqlite!(who_reads_a_large_one_while_others_overwrite_has_one_content_whole);
async fn who_reads_a_large_one_while_others_overwrite_has_one_content_whole(
    database: TestDatabase,
) {
    readers_and_writers(Berth::on_disk(&database), 600_000).await;
}

/// Somebody who reads slowly: so little is under way to him that the rest of a large content
/// is still to be read, wherever it lies.
struct Slow(TcpStream);

impl Slow {
    /// Asks for a file, and reads the head of the answer and the first of its bytes.
    async fn begin(server: &Afloat, path: &str) -> (Self, String, Vec<u8>) {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(64 * 1024).expect("a small one");
        let to = ([127, 0, 0, 1], server.port()).into();
        let mut socket = socket.connect(to).await.expect("it listens");
        let pair = format!("admin:{}", server.admin_password());
        let pair = data_encoding::BASE64.encode(pair.as_bytes());
        let path = file(path);
        let ask = format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {pair}\r\n\r\n");
        socket.write_all(ask.as_bytes()).await.expect("it is sent");
        let mut read = Vec::new();
        let end = loop {
            let mut piece = [0; 4096];
            let count = within("bytes", socket.read(&mut piece)).await;
            read.extend_from_slice(&piece[..count.expect("they come")]);
            let end = read.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end.filter(|end| read.len() > end + 4) {
                break end + 4;
            }
        };
        let bytes = read.split_off(end);
        let head = String::from_utf8(read).expect("ASCII").to_ascii_lowercase();
        (Self(socket), head, bytes)
    }

    /// Reads on until there are so many, or no more come.
    async fn read_to(&mut self, bytes: &mut Vec<u8>, length: usize) {
        let mut piece = vec![0; 256 * 1024];
        while bytes.len() < length {
            match within("bytes", self.0.read(&mut piece)).await {
                Ok(count @ 1..) => bytes.extend_from_slice(&piece[..count]),
                Ok(_) | Err(_) => return,
            }
        }
    }
}

on_disk_and_in_store!(who_is_in_the_middle_of_a_large_content_never_gets_bytes_of_the_next);
async fn who_is_in_the_middle_of_a_large_content_never_gets_bytes_of_the_next(berth: Berth) {
    const LARGE: u64 = 24 << 20;
    let server = berth.usual().await;
    let [old, new] = [1, 2].map(|seed| Content::seeded(seed, LARGE).to_vec());
    let put = async |content: &[u8]| {
        let put = server.request(Method::PUT, &file("large"));
        let answer = put.body(content.to_vec()).send().await.expect("an answer");
        header(answer.headers(), "etag").expect("it has one")
    };
    let tag = put(&old).await;
    let (mut reader, head, mut bytes) = Slow::begin(&server, "large").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(head.contains(&format!("\r\netag: {tag}\r\n")), "{head}");
    assert!(
        head.contains(&format!("\r\ncontent-length: {LARGE}\r\n")),
        "{head}"
    );

    let next = put(&new).await;
    assert_ne!(next, tag);
    let get = server.request(Method::GET, &file("large"));
    let answer = get.send().await.expect("an answer");
    assert_eq!(header(answer.headers(), "etag"), Some(next));
    let all = answer.bytes().await.expect("the whole of it");
    assert!(all == new, "the new one is whole while the old one is read");

    reader.read_to(&mut bytes, old.len()).await;
    assert!(old.starts_with(&bytes), "bytes of another content");
    // In a store that removes what is read, it may break off; what is told is whole.
    assert!(server.is_in_store() || bytes.len() == old.len());
    server.comes_to(1).await;
}

/// The ETag of the answer to a PUT where it was done, or that something else was there.
async fn replaces(put: RequestBuilder) -> Option<String> {
    let answer = within("an answer", put.send()).await.expect("it comes");
    match answer.status().as_u16() {
        200 | 201 => header(answer.headers(), "etag"),
        412 => None,
        status => panic!("{status}"),
    }
}

/// Several who send at once what shall replace the same content, or be the first; the
/// number of the one who did it, and the ETag since then.
async fn one_of(requests: Vec<RequestBuilder>) -> (usize, String) {
    let mut all = JoinSet::new();
    for (number, request) in requests.into_iter().enumerate() {
        all.spawn(async move { (number, replaces(request).await) });
    }
    let mut done = Vec::new();
    while let Some(ended) = all.join_next().await {
        let (number, tag) = ended.expect("an answer");
        done.extend(tag.map(|tag| (number, tag)));
    }
    assert_eq!(done.len(), 1, "exactly one: {done:?}");
    done.remove(0)
}

on_disk_and_in_store!(of_many_who_replace_what_they_read_exactly_one_does);
async fn of_many_who_replace_what_they_read_exactly_one_does(berth: Berth) {
    const MANY: usize = 8;
    let server = berth.usual().await;
    let mut tag = None;
    for round in 0..5 {
        let requests = (0..MANY).map(|number| {
            let put = server.request(Method::PUT, &file("wanted"));
            let put = put.body(format!("{round}: {number}"));
            match &tag {
                None => put.header("If-None-Match", "*"),
                Some(tag) => put.header("If-Match", tag),
            }
        });
        let (number, new) = one_of(requests.collect()).await;
        let get = server.request(Method::GET, &file("wanted"));
        let answer = get.send().await.expect("an answer");
        assert_eq!(header(answer.headers(), "etag").as_ref(), Some(&new));
        let body = answer.text().await.expect("a text");
        assert_eq!(
            body,
            format!("{round}: {number}"),
            "that of who was told so"
        );
        tag = Some(new);
        server.comes_to(1).await;
    }
}

on_postgres!(of_many_at_two_replicas_who_replace_what_they_read_exactly_one_does);
async fn of_many_at_two_replicas_who_replace_what_they_read_exactly_one_does(
    database: TestDatabase,
) {
    const MANY: usize = 4;
    let Some(redis) = Redis::start().await else {
        return;
    };
    let options = sharing_a_key(server(&database)).env("LONGSHORE_CACHE", &redis.url());
    let servers: [TestServer; 2] = [options.clone().start().await, options.start().await];
    let mut tag: Option<String> = None;
    for round in 0..10 {
        let mut requests = Vec::new();
        for number in 0..MANY {
            for (replica, server) in servers.iter().enumerate() {
                let put = server.request(Method::PUT, &file("wanted"));
                let put = put.body(format!("{round}: {number} at {replica}"));
                requests.push(match &tag {
                    None => put.header("If-None-Match", "*"),
                    Some(tag) => put.header("If-Match", tag),
                });
            }
        }
        let (_, new) = one_of(requests).await;
        for server in &servers {
            let (status, file) = server.get("/api/v1/buckets/files/details/wanted").await;
            assert_eq!(status, 200, "{file}");
            let told = format!("\"{}\"", file["etag"].as_str().expect("a text"));
            assert_eq!(told, new, "both know the one that was put");
        }
        tag = Some(new);
    }
}
