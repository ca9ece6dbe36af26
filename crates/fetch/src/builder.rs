//! How a client is put together. Whatever is put in, the guard stays above it.

use crate::client::Client;
use crate::connect::{Connector, Dial, Roots, TcpDialer};
use crate::gate::Gate;
use crate::limits::Limits;
use crate::policy::Policy;
use crate::resolve::{Resolve, SystemResolver};
use crate::wire::Wire;
use std::sync::Arc;

/// A client with something other than the machine's own resolver, sockets or roots.
pub struct ClientBuilder {
    policy: Policy,
    limits: Limits,
    resolver: Arc<dyn Resolve>,
    dialer: Arc<dyn Dial>,
    roots: Roots,
    gate: Option<Gate>,
}

impl ClientBuilder {
    pub(crate) fn new(policy: Policy, limits: Limits) -> Self {
        Self {
            policy,
            limits,
            resolver: Arc::new(SystemResolver::default()),
            dialer: Arc::new(TcpDialer),
            roots: Roots::default(),
            gate: None,
        }
    }

    /// Looks names up with `resolver`; its answers are checked like any other's.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.resolver = Arc::new(resolver);
        self
    }

    /// Connects to admitted addresses with `dialer`.
    #[must_use]
    pub fn dialer(mut self, dialer: impl Dial) -> Self {
        self.dialer = Arc::new(dialer);
        self
    }

    /// Trusts `roots`.
    #[must_use]
    pub fn roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    /// Waits at the gate of `other`, so that both together keep to the numbers of its
    /// [`Limits::total`] and [`Limits::per_host`]: for a client that takes the place of
    /// one whose transfers still run.
    #[must_use]
    pub fn gate_of(mut self, other: &Client) -> Self {
        self.gate = Some(other.gate());
        self
    }

    /// The client.
    #[must_use]
    pub fn build(self) -> Client {
        let policy = Arc::new(self.policy);
        let limits = self.limits;
        let connector = Connector::new(
            Arc::clone(&policy),
            self.resolver,
            self.dialer,
            self.roots,
            limits.connect,
        );
        let wire = Wire::new(connector, &limits);
        Client::assemble(policy, limits, wire, self.gate)
    }
}
