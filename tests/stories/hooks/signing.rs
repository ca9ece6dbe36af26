//! What SNS signs is taken and nothing else. The server looks at SNS where SNS is: at its own
//! host, over https, and at no other address; so here that host is a double on this machine.
//! For the server alone, which has a table of hosts of its own, the name leads there, and the
//! double's certificate is one that it trusts.

use super::{CARGO, Pair, Store, renewed};
use crate::program::server;
use crate::stored::refusal;
use data_encoding::BASE64;
use reqwest::Method;
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use testing::{TestDatabase, installed, on_sqlite, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio_rustls::TlsAcceptor;

const HOST: &str = "sns.eu-central-1.amazonaws.com";

/// Messages with the certificate by whose key they are signed, which the units have, too.
const CERTIFICATE: &str =
    include_str!("../../../crates/files/src/hook/sns/samples/certificate.pem");
const CONFIRMATION: &str =
    include_str!("../../../crates/files/src/hook/sns/samples/confirmation.json");
const NOTIFICATIONS: [&str; 2] = [
    include_str!("../../../crates/files/src/hook/sns/samples/notification-1.json"),
    include_str!("../../../crates/files/src/hook/sns/samples/notification-2.json"),
];

/// Stands for SNS, at its port on an address of the loopback network. It gives certificates,
/// and notes what it is asked for.
struct Double {
    address: Ipv4Addr,
    /// Of its host.
    certificate: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Double {
    /// Nothing, after saying so, where this user may not listen at that port.
    async fn start() -> Option<Self> {
        let made = rcgen::generate_simple_self_signed([HOST.to_owned()]).expect("made");
        let certificate = BASE64.encode(made.cert.der());
        let certificate =
            format!("-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n");
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .expect("a certificate");
        let [.., a, b, c] = *uuid::Uuid::now_v7().as_bytes();
        let address = Ipv4Addr::new(127, a, b, c.clamp(2, 254));
        let listener = match TcpListener::bind((address, 443)).await {
            Ok(listener) => listener,
            Err(error) => {
                let remedy = format!("{error}; whoever is root may have it");
                testing::missing(&format!("port 443 of {address}"), &remedy);
                return None;
            }
        };
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let double = Self {
            address,
            certificate,
            asked: Arc::default(),
        };
        let (asked, other) = (Arc::clone(&double.asked), double.certificate.clone());
        // It ends with the runtime of the test.
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, asked) = (acceptor.clone(), Arc::clone(&asked));
                let other = other.clone();
                tokio::spawn(async move { answer(acceptor, stream, &asked, &other).await });
            }
        });
        Some(double)
    }

    /// What it was asked for since the last time.
    fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut asked)
    }
}

/// Answers one request, and closes.
async fn answer(acceptor: TlsAcceptor, stream: TcpStream, asked: &Mutex<Vec<String>>, other: &str) {
    let Ok(mut stream) = acceptor.accept(stream).await else {
        return;
    };
    let (mut head, mut buffer) = (Vec::new(), [0; 1024]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(count @ 1..) => head.extend_from_slice(&buffer[..count]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let body = match path.as_str() {
        "/SimpleNotificationService-0123456789abcdef.pem" => CERTIFICATE,
        // One whose key has signed nothing.
        "/SimpleNotificationService-other.pem" => other,
        _ => "<ConfirmSubscriptionResponse/>",
    };
    asked
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(path);
    let length = body.len();
    let answer =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// Runs what follows it with this table of hosts in the place of the machine's own.
const WITH_HOSTS: &str = "mount --bind \"$0\" /etc/hosts && exec \"$@\"";

/// Whether a process may have a table of hosts of its own here; says so where it may not.
async fn may_have_hosts(unshare: &Path, hosts: &Path) -> bool {
    let mut command = Command::new(unshare);
    command
        .args(["--mount", "/bin/sh", "-c", WITH_HOSTS])
        .arg(hosts)
        .args(["/bin/cat", "/etc/hosts"])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = within("a look at the hosts", command.output()).await;
    let output = output.expect("it can be started");
    let may = output.status.success();
    if may {
        assert!(String::from_utf8_lossy(&output.stdout).contains(HOST));
    } else {
        let why = String::from_utf8_lossy(&output.stderr);
        eprintln!("skipped, nothing may be mounted here: {why}");
    }
    may
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

on_sqlite!(of_sns_is_what_sns_has_signed);
async fn of_sns_is_what_sns_has_signed(database: TestDatabase) {
    let (Some(unshare), Some(_)) = (installed("unshare"), installed("mount")) else {
        return;
    };
    let Some(double) = Double::start().await else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let [hosts, trusted] = ["hosts", "trusted.pem"].map(|name| folder.path().join(name));
    let table = format!("127.0.0.1 localhost\n{} {HOST}\n", double.address);
    std::fs::write(&hosts, table).expect("a table");
    std::fs::write(&trusted, &double.certificate).expect("a certificate");
    if !may_have_hosts(&unshare, &hosts).await {
        return;
    }
    let text = |path: &Path| path.to_str().expect("text").to_owned();
    let (unshare, hosts) = (text(&unshare), text(&hosts));
    let launcher = [&*unshare, "--mount", "/bin/sh", "-c", WITH_HOSTS, &*hosts];
    let tried = server(&database)
        .launched_by(&launcher)
        .env("SSL_CERT_FILE", &text(&trusted));
    let pair = Pair::start_at(Store::start().await, tried).await;
    pair.put("a b.txt", "cargo").await;
    pair.put("others.txt", "cargo").await;
    let told = |message: &Value| {
        let at = format!("/hooks/s3/{}?secret={}", super::MEDIA, pair.secret);
        pair.server
            .anonymous(Method::POST, &at)
            .header("Content-Type", "text/plain; charset=UTF-8")
            .header("x-amz-sns-message-type", "Notification")
            .body(message.to_string())
    };
    let certificate = "/SimpleNotificationService-0123456789abcdef.pem";

    // What is altered, or signed by another key, or with another secret, changes nothing.
    let unsigned = (403, "not-signed".to_owned());
    for sample in NOTIFICATIONS {
        let mut altered = read(sample);
        let message = altered["Message"].as_str().expect("a text");
        altered["Message"] = json!(message.replace("a+b.txt", "others.txt"));
        assert_eq!(refusal(told(&altered)).await, unsigned);
        let mut by_another = read(sample);
        by_another["SigningCertURL"] = json!(format!(
            "https://{HOST}/SimpleNotificationService-other.pem"
        ));
        assert_eq!(refusal(told(&by_another)).await, unsigned);
    }
    let mut altered = read(CONFIRMATION);
    altered["SubscribeURL"] = json!(format!(
        "https://{HOST}/?Action=ConfirmSubscription&Token=another"
    ));
    assert_eq!(refusal(told(&altered)).await, unsigned);
    // Each certificate was asked for once, and no subscription was confirmed.
    assert_eq!(
        double.asked(),
        [certificate, "/SimpleNotificationService-other.pem"]
    );
    assert!(pair.operations("take-in").await.is_empty());
    for path in ["a", "others"] {
        assert_eq!(pair.known(path).await, None, "{path}");
    }

    assert_eq!(pair.tell(&read(CONFIRMATION)).await, 204);
    let topic = "arn:aws:sns:eu-central-1:123456789012:events";
    assert_eq!(
        double.asked(),
        [format!(
            "/?Action=ConfirmSubscription&TopicArn={topic}&Token=2336412f37"
        )]
    );
    pair.tell_and_wait(&read(NOTIFICATIONS[0])).await;
    let file = pair.known("a").await.expect("it is taken in");
    assert_eq!(file["path"], "a b.txt");
    assert_eq!(pair.content("a%20b.txt").await, "cargo");
    assert_eq!(pair.known("others").await, None);
    // The other version of the signature; of the same event there is nothing new.
    assert_eq!(pair.tell(&read(NOTIFICATIONS[1])).await, 204);
    assert_eq!(pair.operations("take-in").await.len(), 1);

    // A right signature is no secret: without the hook's own, nobody is heard.
    let before = pair.secret.clone();
    let after = renewed(&pair.server).await;
    assert_ne!(before, after);
    let refused = refusal(told(&read(NOTIFICATIONS[0]))).await;
    assert_eq!(refused.0, 403, "{CARGO}: {refused:?}");
    assert_ne!(refused.1, "not-signed");
}
