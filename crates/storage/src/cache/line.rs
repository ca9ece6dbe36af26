//! The line to the server. It is given up when something goes wrong on it, so that few
//! wait in vain and nobody after them; the keeper makes another one.
//!
//! A line belongs to one life of one server: it never connects again by itself, or it
//! could meet a server that was restored from a copy and knows what was true before.

use crate::{Error, Result};
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, IntoConnectionInfo};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(1);
/// How long a reader waits: what the database would have answered by then.
pub(super) const READ: Duration = Duration::from_millis(50);
/// How long a writer waits, who has more to lose.
pub(super) const WRITE: Duration = Duration::from_millis(200);
/// So many in a row have waited in vain before the line is given up.
const PATIENCE: u32 = 3;

/// It did not do what it was told, or nobody knows whether it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failed;

/// A server in one of its lives, and the line to it.
pub(super) struct Server {
    /// Which server, which life, which database on it, and how it is spoken to.
    pub(super) id: Arc<str>,
    connection: MultiplexedConnection,
    /// How many in a row had no answer in time.
    unanswered: AtomicU32,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.id).finish()
    }
}

/// How the line is.
#[derive(Clone, Debug)]
enum Standing {
    /// It was lost just now, and is made anew.
    Trying,
    Up(Arc<Server>),
    Down,
}

pub(super) struct Line {
    client: Client,
    fingerprint: String,
    standing: watch::Sender<Standing>,
    /// Wakes the keeper when the line is lost.
    pub(super) lost: Notify,
}

impl fmt::Debug for Line {
    // The client knows the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Line").field(&self.server()).finish()
    }
}

impl Line {
    pub(super) fn new(url: &str, fingerprint: String) -> Result<Self> {
        // What the driver says of an address may repeat it, with its password.
        let address = url.into_connection_info();
        let client = address.and_then(|address| {
            let tcp = TcpSettings::default().set_nodelay(true);
            Client::open(address.set_tcp_settings(tcp))
        });
        let client = client.map_err(|_| Error::CacheAddress)?;
        metrics::gauge!("longshore_cache_down").set(1.0);
        Ok(Self {
            client,
            fingerprint,
            standing: watch::Sender::new(Standing::Trying),
            lost: Notify::new(),
        })
    }

    /// The server, while the line to it holds.
    pub(super) fn server(&self) -> Option<Arc<Server>> {
        match &*self.standing.borrow() {
            Standing::Up(server) => Some(Arc::clone(server)),
            Standing::Trying | Standing::Down => None,
        }
    }

    /// The same, waiting a little for a line that was lost just now.
    pub(super) async fn server_soon(&self) -> Option<Arc<Server>> {
        let mut standing = self.standing.subscribe();
        let decided = standing.wait_for(|standing| !matches!(standing, Standing::Trying));
        let _ = tokio::time::timeout(WRITE, decided).await;
        self.server()
    }

    fn set(&self, standing: Standing) {
        let up = matches!(standing, Standing::Up(_));
        metrics::gauge!("longshore_cache_down").set(if up { 0.0 } else { 1.0 });
        self.standing.send_replace(standing);
    }

    /// Gives up the line to this server.
    pub(super) fn lose(&self, server: &Arc<Server>) {
        let lost = self.standing.send_if_modified(|standing| {
            let it = matches!(standing, Standing::Up(current) if Arc::ptr_eq(current, server));
            if it {
                *standing = Standing::Trying;
            }
            it
        });
        if lost {
            metrics::gauge!("longshore_cache_down").set(1.0);
            self.lost.notify_one();
        }
    }

    /// Connects, and asks who it is.
    pub(super) async fn connect(&self) -> Result<(), String> {
        let connected = self.connected().await;
        let (standing, outcome) = match connected {
            Ok(server) => (Standing::Up(Arc::new(server)), Ok(())),
            Err(reason) => (Standing::Down, Err(reason)),
        };
        self.set(standing);
        outcome
    }

    async fn connected(&self) -> Result<Server, String> {
        let connecting = async {
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(CONNECT))
                .set_response_timeout(Some(CONNECT));
            let connection = self
                .client
                .get_multiplexed_async_connection_with_config(&config)
                .await
                .map_err(|error| reason(&error))?;
            self.identified(connection).await
        };
        tokio::time::timeout(CONNECT, connecting)
            .await
            .unwrap_or_else(|_| Err("it does not answer".to_owned()))
    }

    async fn identified(&self, mut connection: MultiplexedConnection) -> Result<Server, String> {
        let life = life(&mut connection).await?;
        let database = self.client.get_connection_info().redis_settings().db();
        Ok(Server {
            id: format!("{life}/{database}/{}", self.fingerprint).into(),
            connection,
            unanswered: AtomicU32::new(0),
        })
    }

    /// Asks the server whether it is still who it was: one that became a copy of another,
    /// or that a proxy exchanged, is not.
    pub(super) async fn check(&self, server: &Arc<Server>) {
        let mut connection = server.connection.clone();
        let asked = tokio::time::timeout(CONNECT, life(&mut connection)).await;
        let same = asked
            .ok()
            .and_then(Result::ok)
            .is_some_and(|life| server.id.starts_with(&format!("{life}/")));
        if !same {
            self.lose(server);
        }
    }

    /// Says one thing to the server.
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        server: &Arc<Server>,
        command: &Cmd,
        limit: Duration,
    ) -> Result<T, Failed> {
        let mut connection = server.connection.clone();
        let answer = tokio::time::timeout(limit, command.query_async::<T>(&mut connection)).await;
        match answer {
            Ok(Ok(value)) => {
                server.unanswered.store(0, Relaxed);
                return Ok(value);
            }
            Ok(Err(error)) => {
                tracing::debug!(reason = reason(&error), "the shared cache failed");
                self.lose(server);
            }
            Err(_) if server.unanswered.fetch_add(1, Relaxed) + 1 >= PATIENCE => {
                tracing::debug!("the shared cache does not answer");
                self.lose(server);
            }
            Err(_) => {}
        }
        Err(Failed)
    }
}

/// What the server says of itself: which process it is, and which history its data have.
async fn life(connection: &mut MultiplexedConnection) -> Result<String, String> {
    let mut said = String::new();
    for section in ["server", "replication"] {
        let mut info = redis::cmd("INFO");
        info.arg(section);
        let text: String = info
            .query_async(connection)
            .await
            .map_err(|error| reason(&error))?;
        said.push_str(&text);
        said.push('\n');
    }
    let field = |name: &str| {
        said.lines()
            .filter_map(|line| line.trim_end().split_once(':'))
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
            .filter(|value| !value.is_empty())
    };
    if field("redis_mode") == Some("cluster") {
        return Err("it is one of a cluster, which is not spoken to".to_owned());
    }
    if field("role") == Some("slave") {
        return Err("it is the copy of another and takes no writes".to_owned());
    }
    let run = field("run_id").ok_or("it does not say which one it is")?;
    let history = field("master_replid").unwrap_or("-");
    Ok(format!("{run}/{history}"))
}

/// What went wrong, without what was said: that may hold a password.
fn reason(error: &redis::RedisError) -> String {
    error.code().map_or_else(
        || error.category().to_owned(),
        |code| format!("it answers {code}"),
    )
}
