//! Every row of the table of request forgery (tests/ssrf.tsv), against a world in
//! which public addresses lead to servers on this machine: the guard decides as in
//! production, and only the socket beneath it goes elsewhere and is written down.

use super::origin::{Answer, Origin, Seen, ok, redirect};
use super::{fetch, get_text, quick};
use async_trait::async_trait;
use fetch::{Client, Dial, FetchError, Policy, Resolve, ResolveError, Roots};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use tokio::net::TcpStream;

const TABLE: &str = include_str!("../ssrf.tsv");
const PUBLIC: &str = "93.184.215.14";
const OWN: &str = "93.184.215.20";
const SECURE_NAMES: [&str; 5] = [
    "example.com",
    "xn--bcher-kva.example",
    "dual.example",
    "cdn.example",
    "www.example",
];

#[derive(Debug)]
struct Row {
    id: &'static str,
    url: String,
    is_allowed: bool,
    stage: &'static str,
    /// What the resolver says, look-up after look-up.
    dns: Vec<Vec<IpAddr>>,
    redirects: Vec<String>,
}

impl Row {
    fn all() -> Vec<Self> {
        let rows: Vec<_> = TABLE.lines().skip(1).map(Self::parse).collect();
        assert_eq!(rows.len(), 165);
        rows
    }

    fn by_id(id: &str) -> Self {
        Self::all().into_iter().find(|row| row.id == id).unwrap()
    }

    fn parse(line: &'static str) -> Self {
        let cells: Vec<_> = line.split('\t').collect();
        let [id, url, expect, stage, dns, redirect, _why] = cells[..] else {
            panic!("not a row: {line:?}");
        };
        let addresses = |list: &str| {
            let list = list.split(',').map(str::trim).filter(|ip| !ip.is_empty());
            list.map(|ip| ip.parse().unwrap()).collect::<Vec<_>>()
        };
        Self {
            id,
            url: url.replace("OWN-PUBLIC-ADDRESS", OWN),
            is_allowed: match expect {
                "allow" => true,
                "deny" => false,
                other => panic!("row {id} expects {other:?}"),
            },
            stage,
            dns: dns.replace("OWN", OWN).split('|').map(addresses).collect(),
            redirects: redirect
                .split(" -> ")
                .filter(|target| !target.is_empty())
                .map(ToOwned::to_owned)
                .collect(),
        }
    }

    /// The code that refusing this row must bear.
    fn codes(&self) -> &'static [&'static str] {
        match (self.stage, self.id) {
            ("literal", "109") | ("policy", "110") => &["refused-credentials"],
            ("literal", _) | ("policy", "086" | "165") => &["refused-address"],
            ("policy", "163") => &["refused-downgrade"],
            ("parse", _) => &["invalid-url"],
            ("scheme", _) | ("redirect", "158") => &["refused-scheme"],
            ("port", _) => &["refused-port"],
            ("dns", "128" | "129") => &["invalid-url"],
            ("dns", "153") => &["dns"],
            ("dns", _) => &["refused-address"],
            ("redirect", "161") => &["too-many-redirects"],
            ("redirect", _) => &["refused-address"],
            other => panic!("no code is known for {other:?}"),
        }
    }
}

/// Answers as a row says, and counts how often each name was asked for.
#[derive(Clone, Default)]
struct Names {
    answers: Arc<HashMap<String, Vec<Vec<IpAddr>>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Resolve for Names {
    async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let host = host.trim_end_matches('.').to_owned();
        let mut asked = self.asked.lock().unwrap();
        let before = asked.iter().filter(|name| **name == host).count();
        asked.push(host.clone());
        let answers = self.answers.get(&host).ok_or(ResolveError::NotFound)?;
        let answer = &answers[before.min(answers.len() - 1)];
        if answer.is_empty() {
            return Err(ResolveError::NotFound);
        }
        Ok(answer.clone())
    }
}

/// Leads port 443 of any address to one server and all else to another.
#[derive(Clone)]
struct Wires {
    plain: SocketAddr,
    secure: SocketAddr,
    dialled: Arc<Mutex<Vec<SocketAddr>>>,
}

#[async_trait]
impl Dial for Wires {
    async fn dial(&self, address: SocketAddr) -> io::Result<TcpStream> {
        self.dialled.lock().unwrap().push(address);
        let to = if address.port() == 443 {
            self.secure
        } else {
            self.plain
        };
        TcpStream::connect(to).await
    }
}

struct World {
    client: Client,
    names: Names,
    wires: Wires,
    plain: Origin,
    _secure: Origin,
}

impl World {
    async fn of(row: &Row) -> Self {
        // Where each URL of the chain leads; whatever is not in it is the end.
        let mut hops = HashMap::new();
        let mut from = row.url.clone();
        for target in &row.redirects {
            hops.insert(std::mem::replace(&mut from, target.clone()), target.clone());
        }
        let hops = Arc::new(hops);
        let answer = |scheme: &'static str| {
            let hops = Arc::clone(&hops);
            move |seen: Seen| {
                let url = format!("{scheme}://{}{}", seen.host, seen.path);
                let answer = hops
                    .get(&url)
                    .map_or_else(|| ok("it"), |to| redirect(302, to));
                async move { answer }
            }
        };
        let plain = Origin::start(answer("http")).await;
        let secure = Origin::start_tls(&SECURE_NAMES, answer("https")).await;
        let names = Names {
            answers: Arc::new(answers(row)),
            asked: Arc::default(),
        };
        let wires = Wires {
            plain: plain.address,
            secure: secure.address,
            dialled: Arc::default(),
        };
        let policy = Policy {
            own_addresses: vec![OWN.parse().unwrap()],
            ..Policy::default()
        };
        let client = Client::builder(policy, quick())
            .resolver(names.clone())
            .dialer(wires.clone())
            .roots(Roots::Only(secure.certificate.iter().cloned().collect()))
            .build();
        Self {
            client,
            names,
            wires,
            plain,
            _secure: secure,
        }
    }

    fn dialled(&self) -> Vec<SocketAddr> {
        self.wires.dialled.lock().unwrap().clone()
    }

    fn asked(&self) -> usize {
        self.names.asked.lock().unwrap().len()
    }
}

/// The names that a row speaks of: its own as it says, those it redirects to public.
fn answers(row: &Row) -> HashMap<String, Vec<Vec<IpAddr>>> {
    let host = |url: &str| {
        let url = url::Url::parse(url).ok()?;
        let host = url.host_str()?.trim_end_matches('.').to_owned();
        Some(host)
    };
    let mut answers = HashMap::new();
    for target in &row.redirects {
        let public = vec![vec![PUBLIC.parse().unwrap()]];
        answers.extend(host(target).map(|name| (name, public)));
    }
    let internal = vec![vec!["192.168.7.7".parse().unwrap()]];
    answers.insert("internal.test".to_owned(), internal);
    answers.extend(host(&row.url).map(|name| (name, row.dns.clone())));
    answers
}

async fn holds(row: &Row) -> Result<(), String> {
    let world = World::of(row).await;
    let outcome = get_text(&world.client, &row.url).await;
    let dialled = world.dialled();
    let forbidden = dialled.iter().find(|address| {
        !fetch::classify(address.ip()).is_public() || address.ip().to_string() == OWN
    });
    if let Some(address) = forbidden {
        return Err(format!("{address} was dialled"));
    }
    let checked = world.client.check(&row.url);
    match (&outcome, row.is_allowed) {
        (Ok(body), true) if body == "it" => {}
        (Err(error), false) if row.codes().contains(&error.code()) => {}
        other => return Err(format!("{other:?}")),
    }
    // Each row is decided where the table says, with nothing done before.
    let is_early = matches!(row.stage, "parse" | "scheme" | "literal" | "port")
        || matches!(row.id, "086" | "110" | "165");
    match (row.is_allowed, row.stage) {
        (false, _) if is_early => {
            if checked.is_ok() || world.asked() > 0 || !dialled.is_empty() {
                return Err("it was not refused by the check alone".to_owned());
            }
        }
        (false, "dns") => {
            if !dialled.is_empty() {
                return Err(format!("{dialled:?} was dialled"));
            }
        }
        (false, _) => {
            if dialled.is_empty() || checked.is_err() {
                return Err("it never came to the redirect".to_owned());
            }
        }
        (true, _) => {
            let first = &row.dns[0];
            let from_table = |address: &SocketAddr| first.contains(&address.ip());
            if !first.is_empty() && !dialled.iter().all(from_table) {
                return Err(format!("{dialled:?} is not of the first answer"));
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_row_of_the_table_is_decided_as_it_says() {
    let mut wrong = Vec::new();
    for row in Row::all() {
        if let Err(why) = holds(&row).await {
            wrong.push(format!("{} {:?}: {why}", row.id, row.url));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_name_that_changes_its_answer_gains_nothing() {
    let row = Row::by_id("149");
    let world = World::of(&row).await;
    let close = |seen: Seen| async move {
        let _ = seen;
        super::origin::with(ok("it"), "connection", "close")
    };
    let origin = Origin::start(close).await;
    let wires = Wires {
        plain: origin.address,
        ..world.wires.clone()
    };
    let client = Client::builder(Policy::default(), quick())
        .resolver(world.names.clone())
        .dialer(wires)
        .build();

    assert_eq!(get_text(&client, &row.url).await.unwrap(), "it");
    assert_eq!(world.asked(), 1, "one connection, one look-up");
    let second = get_text(&client, &row.url).await.unwrap_err();

    assert_eq!(second.code(), "refused-address");
    let public: SocketAddr = format!("{PUBLIC}:80").parse().unwrap();
    assert_eq!(world.dialled(), [public]);
}

#[tokio::test]
async fn a_pooled_connection_is_used_without_asking_again() {
    let row = Row::by_id("149");
    let world = World::of(&row).await;
    for _ in 0..3 {
        assert_eq!(get_text(&world.client, &row.url).await.unwrap(), "it");
    }
    assert_eq!((world.asked(), world.plain.connections()), (1, 1));
}

#[tokio::test]
async fn a_url_checked_under_a_wider_policy_is_judged_again_at_the_socket() {
    let wide = Policy::allowing(fetch::parse_networks("127.0.0.0/8").unwrap());
    let wide = Client::new(wide, quick());
    let origin = Origin::start(|_| async { ok("it") }).await;
    let url = wide.check(&origin.url("/")).unwrap();
    let cancel = tokio_util::sync::CancellationToken::new();
    let none = fetch::ExtraHeaders::none();

    let refused = Client::new(Policy::default(), quick())
        .get(&url, &none, &cancel)
        .await
        .unwrap_err();

    assert_eq!(refused.code(), "refused-address");
    assert!(origin.requests().is_empty());
}

/// Set for the process that plays the part of a server with a proxy in its environment.
const CHILD: &str = "LONGSHORE_TEST_BEHIND_PROXY";

#[tokio::test]
async fn a_proxy_in_the_environment_is_not_used() {
    if std::env::var_os(CHILD).is_some() {
        let row = Row::by_id("164");
        let world = World::of(&row).await;
        assert_eq!(get_text(&world.client, &row.url).await.unwrap(), "it");
        assert_eq!(world.plain.requests().len(), 1);
        return;
    }
    let trap = Origin::start(|_| async { Answer::default() }).await;
    let proxy = trap.url("");
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "facts::a_proxy_in_the_environment_is_not_used"])
        .env(CHILD, "1");
    for name in [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
    ] {
        child.env(name, &proxy);
    }
    let output = child.output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "the child ran nothing: {said}");
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn a_temporary_failure_of_the_resolver_is_tried_again() {
    struct Weak(Mutex<u32>);
    #[async_trait]
    impl Resolve for Weak {
        async fn resolve(&self, _: &str) -> Result<Vec<IpAddr>, ResolveError> {
            let mut left = self.0.lock().unwrap();
            if *left == 0 {
                return Ok(vec![IpAddr::from([127, 0, 0, 1])]);
            }
            *left -= 1;
            Err(ResolveError::Temporary(Arc::new(io::Error::other("busy"))))
        }
    }
    let origin = Origin::start(|_| async { ok("it") }).await;
    let url = format!("http://weak.test:{}/", origin.address.port());
    let client = |failures| {
        Client::builder(super::local_policy(), quick())
            .resolver(Weak(Mutex::new(failures)))
            .build()
    };
    assert_eq!(get_text(&client(2), &url).await.unwrap(), "it");
    let lost = get_text(&client(3), &url).await.unwrap_err();
    assert!(matches!(lost, FetchError::Dns { .. }), "{lost:?}");
}
