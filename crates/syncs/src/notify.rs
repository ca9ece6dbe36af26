//! Telling an address something, signed where it has a secret.

use base::Timestamp;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use fetch::{Client, ExtraHeaders, FetchError, Request};
use hmac::{Hmac, KeyInit, Mac};
use http::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use sha2::Sha256;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long telling may take, everything included.
const PATIENCE: Duration = Duration::from_secs(60);

/// An address that is told.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    pub(crate) client: Client,
    pub(crate) url: String,
    pub(crate) secret: Option<SecretString>,
}

/// Why it was not told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Untold {
    /// Nothing may be sent there.
    #[error("nothing may be sent to this address: {0}")]
    Address(fetch::Refused),
    /// It answered something else than that it was taken.
    #[error("the webhook answered {0}")]
    Answered(StatusCode, Option<Duration>),
    /// It did not answer.
    #[error("the webhook cannot be reached: {0}")]
    Unreachable(FetchError),
    /// It took too long.
    #[error("the webhook did not answer within {} s", PATIENCE.as_secs())]
    Late,
}

impl Listener {
    /// Whether anything may be sent there.
    pub(crate) fn check(&self) -> Result<(), Untold> {
        self.client
            .check(&self.url)
            .map(drop)
            .map_err(Untold::Address)
    }

    /// Tells it, once, under a key by which it knows a repetition.
    pub(crate) async fn tell(&self, body: &Value, key: &str, now: Timestamp) -> Result<(), Untold> {
        let body = Bytes::from(body.to_string());
        let url = self.client.check(&self.url).map_err(Untold::Address)?;
        let signed = self
            .secret
            .as_ref()
            .map(|secret| signature(secret, now, &body));
        let mut headers = vec![
            ("content-type", "application/json"),
            ("idempotency-key", key),
        ];
        if let Some(signed) = &signed {
            headers.push(("longshore-signature", signed));
        }
        let headers = ExtraHeaders::parse(headers).map_err(Untold::Address)?;
        let request = Request::new(Method::POST, url).headers(headers).body(body);
        let cancel = CancellationToken::new();
        let sending = self.client.send(request, &cancel);
        match tokio::time::timeout(PATIENCE, sending).await {
            Err(_) => Err(Untold::Late),
            Ok(Err(error)) => Err(Untold::Unreachable(error)),
            Ok(Ok(response)) if response.status().is_success() => Ok(()),
            Ok(Ok(response)) => {
                let status = response.status();
                let after = match response.success() {
                    Err(FetchError::HttpStatus { retry_after, .. }) => retry_after,
                    _ => None,
                };
                Err(Untold::Answered(status, after))
            }
        }
    }
}

/// The signature of a body at a time: `t=…,v1=…`, HMAC-SHA-256 of the time in seconds, a
/// full stop and the body.
fn signature(secret: &SecretString, at: Timestamp, body: &[u8]) -> String {
    let seconds = at.seconds();
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.expose_secret().as_bytes())
        .expect("HMAC takes a key of any length");
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    let digest = HEXLOWER.encode(&mac.finalize().into_bytes());
    format!("t={seconds},v1={digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_others_compute() {
        let secret = SecretString::from("whs_00");
        let at = Timestamp::from_micros(1_700_000_000_000_000);
        // printf '1700000000.{}' | openssl dgst -sha256 -hmac whs_00
        let expected =
            "t=1700000000,v1=39ddabd900e68e15036a0736f524fbed2808290de08283ea9674d414d48b3b2b";
        assert_eq!(signature(&secret, at, b"{}"), expected);
    }
}
