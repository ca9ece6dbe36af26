//! What a process says, kept while it runs.

use crate::deadline::within;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::watch;

/// The most that is kept; beyond it the oldest goes.
const KEPT: usize = 4 * 1024 * 1024;

/// Everything that a process wrote, both streams as they came, at most 4 MiB.
#[derive(Clone, Debug)]
pub struct Captured {
    text: watch::Sender<String>,
}

impl Default for Captured {
    fn default() -> Self {
        Self {
            text: watch::Sender::new(String::new()),
        }
    }
}

impl Captured {
    /// All of it so far.
    #[must_use]
    pub fn text(&self) -> String {
        self.text.borrow().clone()
    }

    /// Waits until it contains `wanted`.
    ///
    /// # Panics
    /// After a minute, with what it contains instead.
    pub async fn contains(&self, wanted: &str) {
        let mut text = self.text.subscribe();
        let found = text.wait_for(|text| text.contains(wanted));
        let outcome = tokio::time::timeout(crate::deadline::PATIENCE, found).await;
        assert!(
            outcome.is_ok(),
            "{wanted:?} was never said; this was:\n{}",
            self.text()
        );
    }

    /// The port in `listens on PORT .`, once that is said.
    ///
    /// # Panics
    /// When it is not said within a minute.
    pub(crate) async fn port(&self) -> u16 {
        self.contains(" .").await;
        let said = self.text();
        let port = said.split("listens on ").nth(1);
        let port = port.and_then(|rest| rest.split(' ').next()?.parse().ok());
        port.unwrap_or_else(|| panic!("no port is said:\n{said}"))
    }

    /// Takes in a stream until its end.
    pub(crate) async fn take_in(self, mut stream: impl AsyncRead + Unpin) {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            let said = String::from_utf8_lossy(&buffer[..count]).into_owned();
            self.text.send_modify(|text| {
                text.push_str(&said);
                if text.len() > KEPT {
                    let mut from = text.len() - KEPT / 2;
                    while !text.is_char_boundary(from) {
                        from += 1;
                    }
                    text.drain(..from);
                }
            });
        }
    }

    /// Waits for the tasks that take in to see the end of their streams.
    pub(crate) async fn complete(tasks: Vec<tokio::task::JoinHandle<()>>) {
        within("the output of an ended process", async {
            for task in tasks {
                let _ = task.await;
            }
        })
        .await;
    }
}
