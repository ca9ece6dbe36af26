//! A bad network between a pass and its targets: a proxy before each cuts, resets, stalls
//! and slows connections at any byte of either direction, and the pass is killed twice.

use super::to_cloudflare::variables;
use super::world::{World, in_world};
use crate::program::BINARY;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;
use testing::{Cloudflare, Content, Harm, Proxy, TestDatabase, on_both};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

const PICTURES: usize = 16;
const FILMS: usize = 5;
const OTHERS: usize = 6;
const ALL: usize = PICTURES + FILMS + OTHERS;
/// How long one pass may take. A stall is a part of a second, a wait as well.
const LIMIT: Duration = Duration::from_secs(50);
/// What a reason says that comes of a broken connection.
const REASONS: [&str; 6] = [
    "gave no usable answer",
    "could not connect to",
    "ended the body after",
    "broke the connection after",
    "Cloudflare does not say how much of the film it has",
    "another request has the upload",
];

fn content(number: usize) -> Vec<u8> {
    // Films are longer than one piece of an upload may be short.
    let length = match number {
        number if number < PICTURES => 120 << 10,
        number if number < PICTURES + FILMS => 6 << 20,
        number if number == ALL - 1 => 9 << 20,
        _ => 40 << 10,
    };
    Content::seeded(number as u64, length + number as u64).to_vec()
}

fn id(number: usize) -> String {
    format!("id{number:03}")
}

async fn fill(world: &World) {
    for number in 0..ALL {
        let (media_type, end) = match number {
            number if number < PICTURES => ("image/png", "png"),
            number if number < PICTURES + FILMS => ("video/mp4", "mp4"),
            _ => ("application/pdf", "pdf"),
        };
        let (id, content) = (id(number), content(number));
        let name = format!("{id}.{end}");
        world.add(&id, &name, media_type, &content).await;
    }
}

/// Everything goes past a proxy.
fn rule(world: &World, cloudflare: &Cloudflare, api: SocketAddr, store: SocketAddr) -> Value {
    let to = |kind: &str| {
        json!({
            "kind": kind,
            "account": cloudflare.account(),
            "token": "CLOUDFLARE_API_TOKEN",
            "api": format!("http://{api}/client/v4"),
        })
    };
    let store = json!({
        "endpoint": format!("http://{store}"),
        "bucket": world.target.bucket(),
        "access_key": world.target.access_key(),
        "secret": "SPACES_SECRET",
    });
    json!({
        "attempts": 50,
        "targets": [
            {"name": "images", "when": {"types": ["image/*"]}, "to": to("cloudflare_images")},
            {"name": "videos", "when": {"types": ["video/*"]}, "to": to("cloudflare_stream")},
            {"name": "others", "to": {"kind": "store", "store": store, "key": "served/{key}"}},
        ],
    })
}

/// Makes a pass, and kills it as `kill -9` does once it has delivered so many files; how it
/// ended, and what it said.
async fn pass(
    world: &World,
    variables: &[(String, String)],
    most: usize,
) -> (Option<i32>, Vec<String>) {
    let mut child = Command::new(BINARY)
        .args(["sync", "run"])
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .current_dir(world.folder())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut said = Vec::new();
    let mut delivered = 0;
    let reading = async {
        while let Some(line) = lines.next_line().await.expect("text") {
            delivered += usize::from(line.contains(" is delivered"));
            said.push(line);
            if delivered == most {
                child.kill().await.expect("killed");
                return None;
            }
        }
        child.wait().await.expect("ended").code()
    };
    let Ok(code) = tokio::time::timeout(LIMIT, reading).await else {
        panic!("the pass does not end:\n{}", said.join("\n"));
    };
    (code, said)
}

on_both!(over_a_bad_network_and_killed_twice_every_file_is_there_once);
async fn over_a_bad_network_and_killed_twice_every_file_is_there_once(database: TestDatabase) {
    in_world(database, |world| async move {
        let cloudflare = Cloudflare::start().await;
        let store = world.target.endpoint();
        let store = store.trim_start_matches("http://").parse();
        let (api, uploads) = cloudflare.addresses();
        let proxies = [
            Proxy::before(api, 11).await,
            Proxy::before(uploads, 22).await,
            Proxy::before(store.expect("an address"), 33).await,
        ];
        let [api, uploads, store] = [0, 1, 2].map(|index: usize| proxies[index].address());
        cloudflare.say_uploads_at(uploads);
        fill(&world).await;
        let mut variables = variables(&world, &cloudflare);
        let rule = rule(&world, &cloudflare, api, store).to_string();
        variables.push(("SYNC_RULE".to_owned(), rule));
        variables.push(("LONGSHORE_SYNCS_LONGEST_WAIT".to_owned(), "1s".to_owned()));
        let mut log = Vec::new();
        for most in [5, 8] {
            let (_, said) = pass(&world, &variables, most).await;
            log.extend(said);
        }
        let (code, said) = pass(&world, &variables, usize::MAX).await;
        log.extend(said);
        let log = log.join("\n");
        assert_eq!(code, Some(0), "{log}");
        for (id, row) in world.rows().await {
            assert!(
                row.copied && row.status.as_deref() == Some("ready"),
                "{id} {row:?}\n{log}"
            );
        }
        each_is_there_once(&world, &cloudflare, &log);
        let harms = [Harm::Cut, Harm::Reset, Harm::Stall];
        let done: usize = proxies
            .iter()
            .flat_map(|proxy| harms.map(|harm| proxy.count(harm)))
            .sum();
        assert!(done > 10, "{done} connections were broken\n{log}");
        every_retry_says_why(&log);
    })
    .await;
}

fn each_is_there_once(world: &World, cloudflare: &Cloudflare, log: &str) {
    let sha256 = |number| HEXLOWER.encode(&Sha256::digest(content(number)));
    let images = cloudflare.images();
    assert_eq!(images.len(), PICTURES, "{log}");
    for (number, image) in images.iter().enumerate() {
        assert_eq!((&image.id, &image.sha256), (&id(number), &sha256(number)));
    }
    let mut films = cloudflare.videos();
    films.sort_by(|one, other| one.name.cmp(&other.name));
    assert_eq!(films.len(), FILMS, "{films:?}\n{log}");
    for (index, film) in films.iter().enumerate() {
        let number = PICTURES + index;
        assert_eq!((&film.name, &film.sha256), (&id(number), &sha256(number)));
    }
    let others = PICTURES + FILMS..ALL;
    let keys: Vec<String> = others
        .clone()
        .map(|number| format!("served/{}", id(number)))
        .collect();
    assert_eq!(world.target.keys(), keys, "{log}");
    assert_eq!(world.target.unfinished(), 0, "nothing is left behind");
    for (number, key) in others.zip(&keys) {
        let there = std::fs::read(world.target.folder().join(key)).expect("there");
        assert!(there == content(number), "{key}");
    }
}

/// A line for each: of which file, for which reason, when again, and after how many.
fn every_retry_says_why(log: &str) {
    let retries: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("tried again"))
        .collect();
    assert!(!retries.is_empty(), "{log}");
    let says_why = |line: &str| {
        let reason = REASONS.iter().any(|reason| line.contains(reason));
        reason && line.contains("id0") && line.contains(" of 50 attempts")
    };
    let others: Vec<&&str> = retries.iter().filter(|line| !says_why(line)).collect();
    assert!(others.is_empty(), "{others:#?}");
}
