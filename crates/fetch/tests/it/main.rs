//! Stories of the guarded client against real servers on this machine.
#![allow(clippy::unwrap_used, missing_docs)]

mod bodies;
mod facts;
mod gate;
mod origin;
mod properties;
mod raw;
mod redirects;
mod resuming;
mod retrying;
mod secure;
mod sending;
mod waiting;

use fetch::{CheckedUrl, Client, ExtraHeaders, FetchError, Limits, Policy, Response, RetryLimits};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The client under test; its own package, as others see it.
use longshore_fetch as fetch;

/// Loopback allowed, and waits short enough that a test may sit them out.
fn local_policy() -> Policy {
    Policy::allowing(fetch::parse_networks("127.0.0.0/8").unwrap())
}

fn quick() -> Limits {
    Limits {
        retry: RetryLimits {
            base: Duration::from_millis(1),
            cap: Duration::from_millis(2),
            ..RetryLimits::default()
        },
        ..Limits::default()
    }
}

fn local() -> Client {
    Client::new(local_policy(), quick())
}

async fn get(client: &Client, url: &str) -> Result<Response, FetchError> {
    let url: CheckedUrl = client.check(url)?;
    let cancel = CancellationToken::new();
    client.get(&url, &ExtraHeaders::none(), &cancel).await
}

async fn get_text(client: &Client, url: &str) -> Result<String, FetchError> {
    text(get(client, url).await?).await
}

async fn text(mut response: Response) -> Result<String, FetchError> {
    let body = response.read_all(1 << 20).await?;
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

/// Waits for what must happen; a test that waits longer has failed.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), what)
        .await
        .expect("it did not happen within 10 s")
}
