//! An endpoint that decides as a test tells it to.

use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use testing::within;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What it answers.
#[derive(Clone)]
pub(super) enum Reply {
    /// This, with 200.
    Json(Value),
    /// This status and these bytes.
    Raw(u16, Vec<u8>),
    /// Nothing at all.
    Silence,
    /// This, once it is released.
    Held(Value),
    /// What it makes of the question.
    Of(fn(&Value) -> Value),
}

/// A question as it came.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) question: Value,
    /// The `Authorization` header that the server itself sent.
    pub(super) authorization: String,
}

struct Shared {
    reply: Mutex<Reply>,
    asked: Mutex<Vec<Asked>>,
    released: watch::Sender<bool>,
    count: watch::Sender<usize>,
}

pub(super) struct Judge {
    port: u16,
    shared: Arc<Shared>,
    task: JoinSet<()>,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Judge {
    pub(super) async fn start(reply: Reply) -> Self {
        let shared = Arc::new(Shared {
            reply: Mutex::new(reply),
            asked: Mutex::default(),
            released: watch::Sender::new(false),
            count: watch::Sender::new(0),
        });
        let mut judge = Self {
            port: 0,
            shared,
            task: JoinSet::new(),
        };
        judge.listen().await;
        judge
    }

    /// Listens, at the port that it had before.
    pub(super) async fn listen(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await;
        let listener = listener.expect("a port");
        self.port = listener.local_addr().expect("bound").port();
        let shared = Arc::clone(&self.shared);
        self.task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                connections.spawn(answer(socket, Arc::clone(&shared)));
            }
        });
    }

    /// Is gone, with its port.
    pub(super) async fn go(&mut self) {
        self.task.shutdown().await;
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/may?code=url-secret", self.port)
    }

    pub(super) fn replies(&self, reply: Reply) {
        *locked(&self.shared.reply) = reply;
    }

    pub(super) fn release(&self) {
        self.shared.released.send_replace(true);
    }

    /// Waits until so many questions have come, since the beginning.
    pub(super) async fn was_asked(&self, count: usize) {
        let mut counted = self.shared.count.subscribe();
        let came = within("a question", counted.wait_for(|came| *came >= count)).await;
        came.expect("the judge lives");
    }

    /// What it was asked since this was asked last.
    pub(super) fn questions(&self) -> Vec<Asked> {
        std::mem::take(&mut *locked(&self.shared.asked))
    }
}

/// Answers the requests of one connection.
async fn answer(mut socket: TcpStream, shared: Arc<Shared>) -> Option<()> {
    let mut bytes = Vec::new();
    loop {
        let asked = read(&mut socket, &mut bytes).await?;
        let reply = locked(&shared.reply).clone();
        locked(&shared.asked).push(asked.clone());
        shared.count.send_modify(|count| *count += 1);
        let (status, body) = match reply {
            Reply::Json(json) => (200, json.to_string().into_bytes()),
            Reply::Raw(status, body) => (status, body),
            Reply::Of(judge) => (200, judge(&asked.question).to_string().into_bytes()),
            Reply::Silence => std::future::pending().await,
            Reply::Held(json) => {
                let mut released = shared.released.subscribe();
                released.wait_for(|released| *released).await.ok()?;
                (200, json.to_string().into_bytes())
            }
        };
        let location = if status == 302 {
            "Location: /elsewhere\r\n"
        } else {
            ""
        };
        let length = body.len();
        let head = format!("HTTP/1.1 {status} So\r\n{location}Content-Length: {length}\r\n\r\n");
        socket.write_all(head.as_bytes()).await.ok()?;
        socket.write_all(&body).await.ok()?;
    }
}

async fn read(socket: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<Asked> {
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            break at + 4;
        }
        if socket.read_buf(bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    assert!(text.starts_with("POST /may?code=url-secret "), "{text}");
    let header = |name: &str| {
        let mut lines = text.lines();
        let line = lines.find(|line| line.to_ascii_lowercase().starts_with(name));
        line.and_then(|line| Some(line.split_once(':')?.1.trim().to_owned()))
    };
    let length: usize = header("content-length")?.parse().ok()?;
    while bytes.len() < head + length {
        if socket.read_buf(bytes).await.ok()? == 0 {
            return None;
        }
    }
    let asked = Asked {
        question: serde_json::from_slice(&bytes[head..head + length]).ok()?,
        authorization: header("authorization").unwrap_or_default(),
    };
    bytes.drain(..head + length);
    Some(asked)
}
