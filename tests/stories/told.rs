//! One who is told of things by POST: it looks at what comes, and at who signed it.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use testing::within;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A request that came to a webhook.
pub(crate) struct Told {
    /// Under which it knows a repetition.
    pub(crate) key: String,
    signature: String,
    body: Vec<u8>,
}

impl Told {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub(crate) fn is_signed(&self) -> bool {
        !self.signature.is_empty()
    }

    pub(crate) fn events(&self) -> Vec<Value> {
        self.json()["events"].as_array().expect("events").clone()
    }

    /// That who made it knows the key.
    pub(crate) fn verify(&self, secret: &str) {
        let (at, digest) = self.signature.split_once(",v1=").expect("two parts");
        let at = at.strip_prefix("t=").expect("a time");
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).expect("a key");
        mac.update(format!("{at}.").as_bytes());
        mac.update(&self.body);
        let digest = data_encoding::HEXLOWER.decode(digest.as_bytes());
        mac.verify_slice(&digest.expect("digits")).expect("signed");
    }
}

/// One who is told, and answers with these statuses in turn, the last one for ever.
pub(crate) struct Listener {
    pub(crate) url: String,
    pub(crate) told: mpsc::Receiver<Told>,
    _task: tokio::task::JoinSet<()>,
}

impl Listener {
    pub(crate) async fn start(statuses: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/told", listener.local_addr().expect("bound"));
        let (sender, told) = mpsc::channel(64);
        let mut task = tokio::task::JoinSet::new();
        task.spawn(async move {
            for number in 0_usize.. {
                let Ok((socket, _)) = listener.accept().await else {
                    return;
                };
                let status = statuses[number.min(statuses.len() - 1)];
                let Some(told) = take(socket, status).await else {
                    continue;
                };
                if sender.send(told).await.is_err() {
                    return;
                }
            }
        });
        Self {
            url,
            told,
            _task: task,
        }
    }

    pub(crate) async fn next(&mut self) -> Told {
        let told = within("a webhook to be told", self.told.recv()).await;
        told.expect("the listener lives")
    }

    /// So many events, over as many requests as they come in, without those that were
    /// told before.
    pub(crate) async fn events(&mut self, count: usize, secret: &str) -> Vec<Value> {
        let mut events: Vec<Value> = Vec::new();
        while events.len() < count {
            let told = self.next().await;
            told.verify(secret);
            for event in told.events() {
                if events.iter().all(|known| known["id"] != event["id"]) {
                    events.push(event);
                }
            }
        }
        events
    }
}

/// Reads one request, and answers it.
async fn take(mut socket: TcpStream, status: u16) -> Option<Told> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            break at + 4;
        }
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let header = |name: &str| {
        let mut lines = text.lines();
        let line = lines.find(|line| line.to_ascii_lowercase().starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let length: usize = header("content-length")?.parse().ok()?;
    while bytes.len() < head + length {
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let answer = format!("HTTP/1.1 {status} So\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    socket.write_all(answer.as_bytes()).await.ok()?;
    Some(Told {
        key: header("idempotency-key").unwrap_or_default(),
        signature: header("longshore-signature").unwrap_or_default(),
        body: bytes[head..].to_vec(),
    })
}
