//! What the HTTP interface takes from the configuration and may change on SIGHUP.

use crate::live::LiveLimits;
use base::config::{Config, PublicUrl};
use ipnet::IpNet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The settings that a request looks at. Replaced as a whole when they change.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whose `Forwarded` and `X-Forwarded-*` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The console's address as its users see it.
    pub public_url: Option<PublicUrl>,
    /// The body limit of routes that say [`crate::BodyLimit::Configured`], in bytes.
    pub body_limit: u64,
    /// Longest time until an answer begins.
    pub request_timeout: Duration,
    /// How long running work may go on when the server stops.
    pub shutdown_grace: Duration,
    /// Whether `/metrics` needs no user.
    pub metrics_open: bool,
    /// The limits of live sockets that open now.
    pub live: LiveLimits,
}

/// Where the current settings are read from.
pub type SettingsSource = watch::Receiver<Arc<Settings>>;

impl Settings {
    /// Whether this is a proxy whose word about its clients is taken.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.trusted_proxies.iter().any(|net| net.contains(&peer))
    }

    /// Whether the console is reached by https, at least by its public address.
    #[must_use]
    pub fn public_https(&self) -> bool {
        let url = self.public_url.as_ref();
        url.is_some_and(|url| url.origin().starts_with("https://"))
    }
}

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        Self {
            trusted_proxies: config.trusted_proxies.clone(),
            public_url: config.public_url.clone(),
            body_limit: config.http.body_limit.bytes(),
            request_timeout: config.http.request_timeout.duration(),
            shutdown_grace: config.shutdown_grace.duration(),
            metrics_open: config.metrics.open,
            live: LiveLimits {
                subscriptions: config.live.subscriptions,
                ping: config.live.ping.duration(),
                send: config.live.send.duration(),
            },
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::from(&Config::default())
    }
}
