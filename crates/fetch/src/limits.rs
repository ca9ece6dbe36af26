//! Every bound of a fetch, with its default.

use std::time::Duration;

/// How much, how long and how often. The defaults suit a team's server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Responses in flight at once, over all callers of one client (32).
    pub total: usize,
    /// Responses in flight at once from one host and port (16).
    pub per_host: usize,
    /// Redirects followed for one request (5).
    pub redirects: usize,
    /// From asking for a connection to having it: name, TCP and TLS (10 s).
    pub connect: Duration,
    /// From having a connection to the head of the answer (30 s).
    pub first_byte: Duration,
    /// Longest wait for the next piece of a body (30 s).
    pub silence: Duration,
    /// Least bytes that must come in each [`silence`](Self::silence) spent waiting for
    /// a body (1,024), so that nobody holds a place by dripping.
    pub least_bytes: u64,
    /// Most bytes of one body; none by default. A request may ask for less.
    pub max_bytes: Option<u64>,
    /// Connections open at once before further ones are no longer kept for reuse (128).
    pub kept_connections: usize,
    /// When to try again.
    pub retry: RetryLimits,
}

/// How often and when a request is sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryLimits {
    /// Attempts in all, the first one included (3); 1 means never again.
    pub attempts: u32,
    /// Longest wait before the second attempt (250 ms); doubles with each.
    pub base: Duration,
    /// Longest wait of all (10 s).
    pub cap: Duration,
    /// Longest wait that a `Retry-After` may ask for (60 s); longer ones are cut.
    pub retry_after_cap: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total: 32,
            per_host: 16,
            redirects: 5,
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(30),
            silence: Duration::from_secs(30),
            least_bytes: 1024,
            max_bytes: None,
            kept_connections: 128,
            retry: RetryLimits::default(),
        }
    }
}

impl Default for RetryLimits {
    fn default() -> Self {
        Self {
            attempts: 3,
            base: Duration::from_millis(250),
            cap: Duration::from_secs(10),
            retry_after_cap: Duration::from_secs(60),
        }
    }
}
