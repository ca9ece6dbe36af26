//! A server that takes forms and tells of them, by a parser that is not ours: that of
//! Node's `Response.formData()`, as the web's standard has it.

use crate::peers;
use crate::server::{Captured, Running};
use serde_json::Value;

const SCRIPT: &str = include_str!("form_server.mjs");

/// A running server of forms; ended when dropped.
pub struct FormServer {
    _running: Running,
    port: u16,
}

impl FormServer {
    /// Starts one. Nothing, after saying so, when Node is not installed.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start() -> Option<Self> {
        let node = peers::installed("node")?;
        let captured = Captured::default();
        let mut command = crate::server::command(&node);
        command.args(["--input-type=module", "--eval", SCRIPT]);
        let running = Running::spawn(command, &captured);
        Some(Self {
            _running: running,
            port: captured.port().await,
        })
    }

    /// Where it takes forms, at every path below.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The forms that it took, the oldest first: the `path`, what came as `authorization`,
    /// and `parts` in their order, each with its `name` and its `value`, or of a file
    /// `filename`, `type`, `size` and `sha256`.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn taken(&self) -> Vec<Value> {
        let client = crate::server::client();
        let asked = async { client.get(self.url()).send().await?.bytes().await };
        let answer = crate::within("the server of forms", asked).await;
        serde_json::from_slice(&answer.expect("it answers")).expect("it tells of forms")
    }
}
